/* stall_test.c: records of stalls: the last ones are kept, and none is read half. */
#include "base/stall.h"

#include <criterion/criterion.h>
#include <string.h>

static struct stall_log records;

static void add(uint64_t number)
{
    struct stall stall = {.number = number, .thread = number * 10};
    stall_write(&records, &stall);
}

Test(stall, there_is_none_at_first)
{
    struct stall stall;
    for (size_t i = 0; i <= STALLS_KEPT; i++)
        cr_expect_not(stall_read(&records, i, &stall));
}

Test(stall, the_last_ones_are_kept)
{
    bool seen[STALLS_KEPT + 4] = {false};
    for (uint64_t number = 1; number < STALLS_KEPT + 4; number++)
        add(number);
    cr_expect_eq(records.count, STALLS_KEPT + 3);
    for (size_t i = 0; i < STALLS_KEPT; i++) {
        struct stall stall;
        cr_assert(stall_read(&records, i, &stall));
        cr_expect_eq(stall.thread, stall.number * 10);
        seen[stall.number] = true;
    }
    for (uint64_t number = 1; number < STALLS_KEPT + 4; number++)
        cr_expect_eq(seen[number], number > 3, "%llu", (unsigned long long)number);
}

Test(stall, a_record_is_replaced)
{
    struct stall stall = {.number = 1};
    stall_write(&records, &stall);
    stall.over = 1;
    stall_write(&records, &stall);
    cr_expect_eq(records.count, 1);
    cr_assert(stall_read(&records, 1, &stall));
    cr_expect_eq(stall.over, 1);
}

/* The master has the log then: what others have stalled at, or what was over before, stays as it was. */
Test(stall, what_a_process_was_at_ends_with_it)
{
    static const struct {
        uint64_t pid, over, expected;
    } table[] = {{7, STALL_YIELDED, STALL_YIELDED},
                 {7, STALL_GOES_ON, STALL_KILLED},
                 {8, STALL_GOES_ON, STALL_GOES_ON},
                 {7, STALL_GOES_ON, STALL_KILLED}};
    enum { COUNT = sizeof table / sizeof *table };
    for (uint64_t i = 0; i < COUNT; i++)
        stall_write(&records, &(struct stall){.number = i + 1, .pid = table[i].pid, .over = table[i].over});
    stall_end_all(&records, 7);
    stall_end_all(&records, 9);
    for (size_t i = 0; i < COUNT; i++) {
        struct stall stall;
        cr_assert(stall_read(&records, i + 1, &stall));
        cr_expect_eq(stall.over, table[i].expected, "%zu: %d", i, (int)stall.over);
        cr_expect(stall.number == i + 1 && stall.pid == table[i].pid);
    }
    cr_expect_eq(records.count, COUNT);
}

Test(stall, one_that_is_being_written_is_not_read)
{
    struct stall stall;
    add(1);
    records.records[1].version++;
    cr_expect_not(stall_read(&records, 1, &stall));
}

/* The worker that takes its place writes the same record. */
Test(stall, one_whose_writer_has_died_is_replaced)
{
    struct stall stall;
    add(1);
    records.records[1].version++;
    add(1 + STALLS_KEPT);
    cr_expect_eq(records.records[1].version % 2, 0);
    cr_assert(stall_read(&records, 1, &stall));
    cr_expect_eq(stall.number, 1 + STALLS_KEPT);
    add(1 + 2 * STALLS_KEPT);
    cr_assert(stall_read(&records, 1, &stall));
    cr_expect_eq(stall.number, 1 + 2 * STALLS_KEPT);
}
