/* stack_test.c: the pool of stacks, its guards, and what it does when the kernel refuses. */
#include "green/stack.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../base/no_mmap.h"
#include "run.h"

enum { SIZE = 64 * 1024, BLOCK = 200, SLAB = 64, MANY = 400 };

/* ---- a kernel that refuses ---- */

int __real_madvise(void *at, size_t size, int advice);
int __wrap_madvise(void *at, size_t size, int advice);
int __real_mprotect(void *at, size_t size, int protection);
int __wrap_mprotect(void *at, size_t size, int protection);

static bool no_mprotect, no_guard_advice;

int __wrap_madvise(void *at, size_t size, int advice)
{
    if (!no_guard_advice || advice == MADV_DONTNEED || advice == MADV_NOHUGEPAGE)
        return __real_madvise(at, size, advice);
    errno = EINVAL;
    return -1;
}

int __wrap_mprotect(void *at, size_t size, int protection)
{
    if (!no_mprotect)
        return __real_mprotect(at, size, protection);
    errno = ENOMEM;
    return -1;
}

static void open_pool(size_t max)
{
    cr_assert_eq(stack_pool_init(SIZE, BLOCK, max), 0);
}

static struct stack_census census(void)
{
    struct stack_census c;
    stack_pool_census(&c);
    return c;
}

static void *take(void)
{
    void *block = stack_take();
    cr_assert_not_null(block);
    return block;
}

Test(stack, sizes_beyond_all_bounds_are_refused)
{
    cr_expect_eq(stack_pool_init(((size_t)1 << 30) + 1, BLOCK, 1), -EINVAL);
    cr_expect_eq(stack_pool_init(SIZE_MAX, BLOCK, 1), -EINVAL);
    cr_expect_eq(stack_pool_init(SIZE, 1 << 20, 1), -EINVAL);
}

Test(stack, there_are_no_more_than_allowed)
{
    open_pool(3);
    void *blocks[3] = {take(), take(), take()};
    cr_expect_null(stack_take());
    stack_give(blocks[1]);
    cr_expect_eq(stack_take(), blocks[1]);
    cr_expect_null(stack_take());
    stack_pool_free();
}

Test(stack, no_address_space_is_a_soft_failure)
{
    open_pool(MANY);
    no_mmap = true;
    cr_expect_null(stack_take());
    no_mmap = false;
    for (int i = 0; i < SLAB; i++)
        take();
    no_mmap = true;
    cr_expect_null(stack_take());
    no_mmap = false;
    take();
    cr_expect_eq(census().stacks, SLAB + 1);
    stack_pool_free();
}

Test(stack, no_guard_no_stack)
{
    no_guard_advice = no_mprotect = true;
    open_pool(MANY);
    cr_expect_null(stack_take());
    cr_expect_eq(census().stacks, 0);
    no_mprotect = false;
    take();
    cr_expect_eq(census().stacks, 1);
    stack_pool_free();
}

static int spawn_until_no_memory(void *arg)
{
    struct green *threads[2 * SLAB];
    size_t count = 0;
    int error = 0;
    no_mmap = true;
    while (!error && count < 2 * SLAB)
        error = green_spawn(&threads[count], "t", (green_fn *)arg, NULL) ?: (count++, 0);
    no_mmap = false;
    cr_expect_eq(count, SLAB - 1, "what the first slab has room for");
    for (size_t i = 0; i < count; i++)
        run_join(threads[i]);
    return error;
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

Test(stack, spawns_without_memory_fail_softly)
{
    cr_expect_eq(green_run(&(struct green_options){0}, spawn_until_no_memory, nothing), -ENOMEM);
    no_mmap = true;
    cr_expect_eq(green_run(&(struct green_options){0}, nothing, NULL), -ENOMEM, "not even the first thread");
    no_mmap = false;
    cr_expect_eq(green_run(&(struct green_options){0}, nothing, NULL), 0);
}

static size_t max_map_count(void)
{
    size_t value = 0;
    FILE *f = fopen("/proc/sys/vm/max_map_count", "re");
    cr_assert_not_null(f);
    cr_assert_eq(fscanf(f, "%zu", &value), 1);
    fclose(f);
    return value;
}

Test(stack, guards_that_are_mappings_bound_their_number)
{
    no_guard_advice = true;
    cr_expect_not(stack_guards_pages());
    open_pool(SIZE_MAX);
    cr_expect_not(census().guard_pages);
    cr_expect_gt(stack_pool_max(), 0);
    cr_expect_lt(stack_pool_max(), max_map_count() / 2);
    stack_pool_free();
    open_pool(10);
    cr_expect_eq(stack_pool_max(), 10);
    stack_pool_free();
    no_guard_advice = false;
    open_pool(SIZE_MAX);
    cr_expect_eq(census().guard_pages, stack_guards_pages());
    cr_expect_eq(stack_pool_max() == SIZE_MAX, stack_guards_pages());
    stack_pool_free();
}

/* ---- guards ---- */

static void touch(void *arg)
{
    *(volatile char *)arg = 1;
}

static void expect_guards(void)
{
    open_pool(MANY);
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < SLAB + 2; i++) {
        char *low = stack_low(take());
        touch(low);
        if (i % 13 != 0)
            continue;
        cr_expect_eq(run_signal(touch, low - 1, NULL, 0), SIGSEGV);
        cr_expect_eq(run_signal(touch, low - page, NULL, 0), SIGSEGV);
        cr_expect_eq(run_signal(touch, low, NULL, 0), 0);
    }
    stack_pool_free();
}

Test(stack, whatever_touches_a_guard_dies)
{
    expect_guards();
}

Test(stack, and_so_it_does_on_an_older_kernel)
{
    no_guard_advice = true;
    expect_guards();
}

Test(stack, an_address_tells_whether_it_is_in_a_guard)
{
    open_pool(MANY);
    cr_expect_not(stack_in_guard(NULL));
    cr_expect_not(stack_in_guard(&no_mmap));
    for (int i = 0; i < SLAB + 2; i++) {
        char *block = take(), *low = stack_low(block);
        cr_expect(stack_in_guard(low - 1));
        cr_expect(stack_in_guard(low - sysconf(_SC_PAGESIZE)));
        cr_expect(stack_in_guard(low - SIZE));
        cr_expect_not(stack_in_guard(low));
        cr_expect_not(stack_in_guard(block));
    }
    stack_pool_free();
}

/* ---- layout ---- */

Test(stack, sizes_are_powers_of_two)
{
    static const size_t sizes[][2] = {{0, 16},        {1, 16},          {16 << 10, 16}, {(16 << 10) + 1, 32},
                                      {64 << 10, 64}, {100 << 10, 128}, {1 << 20, 1024}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        cr_assert_eq(stack_pool_init(sizes[i][0], BLOCK, 1), 0);
        cr_expect_eq(census().size, sizes[i][1] << 10, "%zu", sizes[i][0]);
        memset(stack_low(take()), 0x55, sizes[i][1] / 2 << 10);
        stack_pool_free();
    }
}

Test(stack, any_address_on_a_stack_tells_its_bounds)
{
    uintptr_t seen[16] = {0};
    open_pool(MANY);
    for (int i = 0; i < SLAB + 16; i++) {
        char *block = take(), *low = stack_low(block);
        size_t room = stack_room(block);
        cr_expect_eq((uintptr_t)block % 64, 0);
        cr_expect_eq((uintptr_t)low % (2 * SIZE), SIZE);
        cr_expect_eq(low + room, block);
        cr_expect_gt(room, SIZE - (size_t)sysconf(_SC_PAGESIZE));
        cr_expect_eq(stack_low(low), low);
        cr_expect_eq(stack_low(low + room / 2), low);
        cr_expect_eq(stack_low(block + BLOCK - 1), low);
        memset(low, i, room + BLOCK);
        seen[i % 16] = (uintptr_t)block % SIZE;
    }
    for (int i = 1; i < 16; i++)
        cr_expect_neq(seen[i], seen[i - 1], "neighbours have different colours");
    stack_pool_free();
}

struct visits {
    void *blocks[MANY];
    size_t counts[MANY], others;
};

static void visit(void *block, void *arg)
{
    struct visits *visits = arg;
    for (size_t i = 0; i < MANY; i++)
        if (visits->blocks[i] == block) {
            visits->counts[i]++;
            return;
        }
    visits->others++;
}

Test(stack, each_is_visited_once_whether_taken_or_free)
{
    static struct visits visits;
    open_pool(MANY);
    for (size_t i = 0; i < MANY; i++)
        visits.blocks[i] = take();
    for (size_t i = 0; i < MANY; i += 3)
        stack_give(visits.blocks[i]);
    stack_each(visit, &visits);
    for (size_t i = 0; i < MANY; i++)
        cr_expect_eq(visits.counts[i], 1);
    cr_expect_eq(visits.others, 0);
    cr_expect_eq(census().stacks, MANY);
    cr_expect_eq(census().free, (MANY + 2) / 3);
    stack_pool_free();
}

/* ---- the pool ---- */

Test(stack, the_warmest_is_taken_first)
{
    open_pool(MANY);
    void *a = take(), *b = take(), *c = take();
    stack_give(a);
    stack_give(c);
    stack_give(b);
    cr_expect_eq(stack_take(), b);
    cr_expect_eq(stack_take(), c);
    cr_expect_eq(stack_take(), a);
    cr_expect_eq(census().stacks, 3);
    stack_pool_free();
}

static void take_all(char *blocks[MANY])
{
    for (size_t i = 0; i < MANY; i++) {
        blocks[i] = take();
        memset(stack_low(blocks[i]) + 32 * 1024, 0x55, 1024);
        memset(blocks[i], 0x55, BLOCK);
    }
}

static void give_all(char *blocks[MANY])
{
    for (size_t i = 0; i < MANY; i++)
        stack_give(blocks[i]);
}

Test(stack, what_nobody_needs_goes_back_to_the_kernel_step_by_step)
{
    char *blocks[MANY];
    open_pool(MANY);
    cr_expect_not(stack_surplus());
    take_all(blocks);
    size_t most = census().resident, before = most;
    give_all(blocks);
    stack_decay(); /* what was needed a moment ago stays */
    cr_expect_eq(census().resident, most);
    while (stack_surplus()) {
        stack_decay();
        size_t now = census().resident;
        cr_expect_lt(now, before);
        cr_expect_gt(now, before / 3, "half of it a time");
        before = now;
    }
    cr_expect_lt(before, most / 4);
    cr_expect_gt(before, 0, "some stay warm");
    cr_expect_eq(census().stacks, MANY);
    stack_pool_free();
}

Test(stack, one_that_was_given_back_is_as_good_as_new)
{
    char *blocks[MANY], *again[MANY];
    int cold = 0;
    open_pool(MANY);
    take_all(blocks);
    give_all(blocks);
    while (stack_surplus())
        stack_decay();
    for (size_t i = 0; i < MANY; i++) {
        again[i] = take();
        cold += again[i][0] == 0;
        cr_expect_eq(stack_low(again[i])[32 * 1024], again[i][0]);
        memset(stack_low(again[i]), 0x33, stack_room(again[i]));
    }
    cr_expect_gt(cold, MANY / 2);
    cr_expect_eq(census().stacks, MANY);
    give_all(again);
    stack_decay();
    cr_expect(stack_surplus(), "all are warm again");
    stack_pool_free();
}

Test(stack, one_that_is_in_use_keeps_its_memory)
{
    char *blocks[MANY];
    open_pool(MANY);
    take_all(blocks);
    for (size_t i = 0; i < MANY; i += 2)
        stack_give(blocks[i]);
    for (int i = 0; i < 20; i++)
        stack_decay();
    for (size_t i = 1; i < MANY; i += 2) {
        cr_assert_eq(blocks[i][BLOCK - 1], 0x55);
        cr_assert_eq(stack_low(blocks[i])[32 * 1024], 0x55);
    }
    stack_pool_free();
}

Test(stack, the_census_knows_the_deepest)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    open_pool(MANY);
    cr_expect_eq(census().high_water, 0);
    char *shallow = take(), *deep = take();
    memset(shallow, 1, BLOCK);
    cr_expect_eq(census().high_water, page);
    stack_low(deep)[2 * page] = 1;
    cr_expect_eq(census().high_water, SIZE - 2 * page, "from the top down to the page that was touched");
    cr_expect_eq(census().resident, 2 * page);
    stack_pool_free();
    cr_expect_eq(census().stacks, 0);
}
