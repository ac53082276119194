/* switch_test.c: what must survive a switch, and how a stack looks to those who walk it. */
#include "green/switch.h"

#include <execinfo.h>

#include "green/stack.h"
#include "run.h"

enum { ROUNDS = 200, THREADS = 5, VALUES = 12 };

/* More values live across the switch than there are registers that belong to the caller: the compiler keeps some in
 * each of these. Separate variables, since an array would lie in memory. */
static int keep_integers(void *arg)
{
    volatile uint64_t seed = *(const uint64_t *)arg;
    uint64_t a = seed, b = seed * 3, c = seed * 5, d = seed * 7, e = seed * 11, f = seed * 13;
    uint64_t g = seed * 17, h = seed * 19, i = seed * 23, j = seed * 29, k = seed * 31, l = seed * 37;
    for (int round = 0; round < ROUNDS; round++) {
        run_yield();
        a += 1, b += a, c += b, d += c, e += d, f += e, g += f, h += g, i += h, j += i, k += j, l += k;
    }
    uint64_t v[VALUES] = {seed,      seed * 3,  seed * 5,  seed * 7,  seed * 11, seed * 13,
                          seed * 17, seed * 19, seed * 23, seed * 29, seed * 31, seed * 37};
    for (int round = 0; round < ROUNDS; round++)
        for (int n = 0; n < VALUES; n++)
            v[n] += n ? v[n - 1] : 1;
    return a == v[0] && b == v[1] && c == v[2] && d == v[3] && e == v[4] && f == v[5] && g == v[6] && h == v[7] &&
           i == v[8] && j == v[9] && k == v[10] && l == v[11];
}

/* Powers of two and small integers: every sum is exact. */
static int keep_doubles(void *arg)
{
    volatile double seed = (double)(*(const uint64_t *)arg % 1024);
    double a = seed, b = seed / 2, c = seed / 4, d = seed / 8, e = seed * 2, f = seed * 4, g = seed * 8, h = seed * 16;
    double i = seed + 1, j = seed + 2;
    for (int round = 0; round < ROUNDS; round++) {
        run_yield();
        a += 1, b += 0.5, c += 0.25, d += 0.125, e += 2, f += 4, g += 8, h += 16, i += 1, j += 1;
    }
    double s = seed + ROUNDS;
    return a == s && b == s / 2 && c == s / 4 && d == s / 8 && e == s * 2 && f == s * 4 && g == s * 8 && h == s * 16 &&
           i == s + 1 && j == s + 2;
}

static void run_several(green_fn *fn)
{
    static const uint64_t seeds[THREADS] = {1, 0x0123456789abcdef, 0xfedcba9876543210, 0x5555555555555555, UINT64_MAX};
    struct green *threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        threads[i] = run_spawn(fn, (void *)&seeds[i]);
    for (size_t i = 0; i < THREADS; i++)
        cr_expect_eq(run_join(threads[i]), 1, "seed %zu", i);
}

GreenTest(switch, integers_survive)
{
    run_several(keep_integers);
}

GreenTest(switch, floating_point_survives)
{
    run_several(keep_doubles);
}

/* ---- stacks as they look to a debugger and a profiler ---- */

struct frame {
    const struct frame *caller;
    const void *return_address;
};

static bool in_green_enter(const void *address)
{
    const char *start = (const char *)green_enter, *at = address;
    return at > start && at < start + 256;
}

/* Follows frame pointers from here to the bottom: all on this stack, each further up, the last one green_enter()'s. */
static __attribute__((noinline)) int walk_frames(void *arg)
{
    (void)arg;
    const struct frame *frame = __builtin_frame_address(0);
    const char *low = stack_low(frame), *end = (const char *)green_self();
    for (int depth = 1; depth < 100; depth++) {
        if ((const char *)frame < low || (const char *)frame >= end)
            return -EFAULT;
        if (!frame->caller)
            return in_green_enter(frame->return_address) ? depth : -ENOENT;
        if (frame->caller <= frame)
            return -ELOOP;
        frame = frame->caller;
    }
    return -E2BIG;
}

static int deeper(void *arg)
{
    int *levels = arg;
    return (*levels)-- > 0 ? deeper(arg) + (*levels & 0) : walk_frames(NULL);
}

GreenTest(switch, frame_pointers_end_at_the_bottom)
{
    int levels = 20;
    cr_expect_gt(run_join(run_spawn(walk_frames, NULL)), 1);
    cr_expect_gt(run_join(run_spawn(deeper, &levels)), 1);
    cr_expect_gt(walk_frames(NULL), 1);
}

static __attribute__((noinline)) int unwind(void *arg)
{
    void *addresses[100];
    int depth = backtrace(addresses, 100);
    for (int i = 0; i < depth - 1; i++)
        if (in_green_enter(addresses[i]))
            return -ELOOP;
    (void)arg;
    return depth < 100 && in_green_enter(addresses[depth - 1]) ? depth : -ENOENT;
}

GreenTest(switch, unwinders_end_at_the_bottom, .stack = 256 * 1024)
{
    cr_expect_gt(run_join(run_spawn(unwind, NULL)), 2);
    run_yield();
    cr_expect_gt(run_join(run_spawn(unwind, NULL)), 2, "also on a stack that was used before");
}
