/* scoreboard_test.c: what a child counts, its parent reads. */
#include "base/scoreboard.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct scoreboard board;

Test(scoreboard, refuses_what_no_memory_holds)
{
    cr_expect_eq(scoreboard_open(&board, 0, 1), -ENOMEM);
    cr_expect_eq(scoreboard_open(&board, SIZE_MAX / sizeof(struct score) + 1, 1), -ENOMEM);
    cr_expect_eq(scoreboard_open(&board, 1, SIZE_MAX / sizeof(struct route_score)), -ENOMEM);
    cr_expect_null(board.memory);
    scoreboard_close(&board);
}

Test(scoreboard, slots_start_at_zero_and_share_no_cache_line)
{
    cr_assert_eq(scoreboard_open(&board, 3, 2), 0);
    for (size_t i = 0; i < 3; i++) {
        static const struct score zero;
        cr_expect_eq((uintptr_t)scoreboard_slot(&board, i) % 128, 0);
        cr_expect_arr_eq(scoreboard_slot(&board, i), &zero, sizeof zero);
    }
    scoreboard_close(&board);
    cr_expect_null(board.memory);
    scoreboard_close(&board);
}

/* As a worker of this index does; each word gets a value of its own. */
static void count_as(size_t index)
{
    struct score *score = scoreboard_slot(&board, index);
    for (uint64_t i = 0; i <= index; i++) {
        score->connections += 10;
        score->idle += 20;
        score->accepted += 30;
        score->requests += 40;
        score->cut += 50;
        score->access_lost += 60;
        score->beat += (uint64_t)1 << 40;
    }
    _exit(EXIT_SUCCESS);
}

static void run_worker(size_t index)
{
    int status;
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0)
        count_as(index);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert_eq(status, EXIT_SUCCESS);
}

Test(scoreboard, the_parent_reads_what_each_child_counted)
{
    cr_assert_eq(scoreboard_open(&board, 3, 2), 0);
    run_worker(2);
    run_worker(0);
    for (uint64_t i = 0; i < 3; i++) {
        uint64_t times = i == 1 ? 0 : i + 1;
        struct score score;
        scoreboard_read(&board, i, &score);
        cr_expect_eq(score.connections, 10 * times);
        cr_expect_eq(score.idle, 20 * times);
        cr_expect_eq(score.accepted, 30 * times);
        cr_expect_eq(score.requests, 40 * times);
        cr_expect_eq(score.cut, 50 * times);
        cr_expect_eq(score.access_lost, 60 * times);
        cr_expect_eq(score.beat, times << 40);
    }
    scoreboard_close(&board);
}

Test(scoreboard, parts_of_slots_do_not_overlap)
{
    cr_assert_eq(scoreboard_open(&board, 2, 3), 0);
    for (size_t i = 0; i < 2; i++) {
        char *slot = (char *)scoreboard_slot(&board, i), *stalls = (char *)scoreboard_stalls(&board, i);
        char *routes = (char *)scoreboard_routes(&board, i), *end = board.memory + (i + 1) * board.slot;
        cr_expect_geq(stalls - slot, (ptrdiff_t)sizeof(struct score));
        cr_expect_geq(routes - stalls, (ptrdiff_t)sizeof(struct stall_log));
        cr_expect_geq(end - routes, (ptrdiff_t)(3 * sizeof(struct route_score)));
    }
    scoreboard_close(&board);
}

Test(scoreboard, what_takes_as_long_as_a_bound_is_in_its_bucket)
{
    for (unsigned i = 0; i < ROUTE_BOUNDS; i++) {
        nsec bound = (nsec)scoreboard_bounds[i] * 1000;
        struct route_score at = {.bytes = 0}, beyond = {.bytes = 0};
        scoreboard_count(&at, 200, 0, bound);
        scoreboard_count(&beyond, 200, 0, bound + 1000);
        cr_expect_eq(at.buckets[i], 1, "%u", i);
        cr_expect_eq(beyond.buckets[i + 1], 1, "%u", i);
    }
}

Test(scoreboard, a_request_is_counted_by_status_and_by_duration)
{
    cr_assert_eq(scoreboard_open(&board, 1, 2), 0);
    struct route_score *counts = &scoreboard_routes(&board, 0)[1], score;
    scoreboard_count(counts, 200, 10, 100 * NSEC_MS / 1000);
    scoreboard_count(counts, 503, 5, 101 * NSEC_MS / 1000);
    scoreboard_count(counts, 0, 0, 3600 * NSEC_SEC);
    scoreboard_count(counts, 700, 0, -1);
    scoreboard_count(counts, 404, 7, SCOREBOARD_UNTIMED);
    scoreboard_read_route(&board, 0, 1, &score);
    cr_expect_eq(score.classes[4], 1);
    cr_expect_eq(score.classes[2], 1);
    cr_expect_eq(score.classes[5], 1);
    cr_expect_eq(score.classes[0], 2);
    cr_expect_eq(score.bytes, 22);
    cr_expect_eq(score.sum, 201 + 3600000000);
    cr_expect_eq(score.buckets[0], 2, "a bound is in its bucket");
    cr_expect_eq(score.buckets[1], 1);
    cr_expect_eq(score.buckets[ROUTE_BOUNDS], 1);
    scoreboard_close(&board);
}

Test(scoreboard, a_successor_inherits_what_was_counted_and_nothing_that_was_open)
{
    cr_assert_eq(scoreboard_open(&board, 2, 1), 0);
    run_worker(0);
    run_worker(1);
    scoreboard_inherit(&board, 0);
    scoreboard_inherit(&board, 0);
    struct score score, other;
    scoreboard_read(&board, 0, &score);
    scoreboard_read(&board, 1, &other);
    cr_expect_eq(score.connections, 0);
    cr_expect_eq(score.idle, 0);
    cr_expect_eq(score.accepted, 30);
    cr_expect_eq(score.requests, 40);
    cr_expect_eq(score.cut, 50);
    cr_expect_eq(score.access_lost, 60);
    cr_expect_eq(score.beat, (uint64_t)1 << 40);
    cr_expect_eq(score.restarts, 2);
    cr_expect_eq(other.restarts, 0);
    cr_expect_eq(other.connections, 20);
    cr_expect_eq(other.idle, 40);
    scoreboard_close(&board);
}
