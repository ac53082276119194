/* vectors_test.c: what is in a register before is not there afterwards. */
#include "base/vectors.h"

#include <criterion/criterion.h>
#include <stdbool.h>
#include <string.h>

enum { WIDEST = 64 };

/* Bytes go through one register of each kind that there is; both lie in the upper half, which compilers leave alone. */
#if defined(__x86_64__)

static bool has_wide(void)
{
    return __builtin_cpu_supports("avx");
}

static void load(const char bytes[static WIDEST])
{
    __asm__ volatile("vmovdqu (%0), %%ymm13" : : "r"(bytes) : "memory", "xmm13");
    if (__builtin_cpu_supports("avx512f"))
        __asm__ volatile("vmovdqu64 (%0), %%zmm19" : : "r"(bytes) : "memory");
}

static void store(char bytes[static 2 * WIDEST])
{
    __asm__ volatile("vmovdqu %%ymm13, (%0)" : : "r"(bytes) : "memory");
    if (__builtin_cpu_supports("avx512f"))
        __asm__ volatile("vmovdqu64 %%zmm19, (%0)" : : "r"(bytes + WIDEST) : "memory");
}

#elif defined(__aarch64__)

static bool has_wide(void)
{
    return true;
}

static void load(const char bytes[static WIDEST])
{
    __asm__ volatile("ldr q29, [%0]" : : "r"(bytes) : "memory", "v29");
}

static void store(char bytes[static 2 * WIDEST])
{
    __asm__ volatile("str q29, [%0]" : : "r"(bytes) : "memory");
}

#endif

static bool has(const char *bytes, size_t n, const char *piece)
{
    return memmem(bytes, n, piece, 16) != NULL;
}

Test(vectors, nothing_stays)
{
    static const char secret[WIDEST] = "Sixteen bytes of something which is not to be found anywhere ..";
    static char before[2 * WIDEST], after[2 * WIDEST];
    if (!has_wide())
        cr_skip("this processor has SSE alone");
    load(secret);
    store(before);
    load(secret);
    vectors_cleanse();
    store(after);
    cr_assert(has(before, sizeof before, secret));
    for (size_t i = 0; i + 16 <= sizeof secret; i += 16)
        cr_expect_not(has(after, sizeof after, secret + i), "piece %zu", i / 16);
}

/* How numbers are rounded is in the state that is restored, too. */
Test(vectors, calculating_goes_on)
{
    volatile double one = 1, three = 3;
    double before = one / three;
    vectors_cleanse();
    cr_expect_eq(one / three, before);
}
