/* blocking_test.c: a pool that is full, waits for it that are given up, and what its threads come to. */
#include <stdatomic.h>
#include <unistd.h>

#include "../green/run.h"
#include "tern.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static atomic_bool held;
static atomic_int running, ran;

static int hold(void *arg)
{
    atomic_fetch_add(&running, 1);
    while (atomic_load(&held))
        usleep(100);
    atomic_fetch_add(&ran, 1);
    return *(const int *)arg;
}

static const int five = 5;

static int hold_on_pool(void *arg)
{
    return tern_blocking(hold, (void *)&five, *(const tern_time *)arg);
}

static void wait_for_hold(void)
{
    while (atomic_load(&running) == 0)
        cr_assert_eq(tern_sleep(TERN_MS), 0);
}

GreenTest(module_blocking, a_full_pool, .pool = 1, .pool_queue = 1)
{
    tern_time never = TERN_NEVER;
    struct green *threads[2];
    atomic_store(&held, true);
    threads[0] = run_spawn(hold_on_pool, &never);
    wait_for_hold();
    threads[1] = run_spawn(hold_on_pool, &never);
    run_yield();
    cr_expect_eq(tern_blocking(hold, (void *)&five, TERN_NEVER), -EAGAIN);
    atomic_store(&held, false);
    for (size_t i = 0; i < 2; i++)
        cr_expect_eq(run_join(threads[i]), 5);
    cr_expect_eq(atomic_load(&ran), 2, "that one has not run");
}

GreenTest(module_blocking, waits_that_are_given_up, .pool = 1)
{
    tern_time never = TERN_NEVER, now = tern_now();
    atomic_store(&held, true);
    struct green *first = run_spawn(hold_on_pool, &never);
    wait_for_hold();
    cr_expect_eq(run_join(run_spawn(hold_on_pool, &now)), -ETIMEDOUT);
    struct green *second = run_spawn(hold_on_pool, &never);
    run_yield();
    green_cancel(second);
    cr_expect_eq(run_join(second), -ECANCELED);
    green_cancel(first);
    run_yield();
    cr_expect_eq(atomic_load(&ran), 0);
    atomic_store(&held, false);
    cr_expect_eq(run_join(first), 5, "what has begun is waited for");
    cr_expect_eq(atomic_load(&ran), 1);
}

GreenTest(module_blocking, results)
{
    static const int results[] = {0, 1, -1, -EAGAIN, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < COUNT(results); i++)
        cr_expect_eq(tern_blocking(hold, (void *)&results[i], TERN_NEVER), results[i]);
}

GreenTest(module_blocking, others_go_on_meanwhile)
{
    static const int results[] = {3, -EIO, 8};
    struct tern_scope *scope = tern_scope_open(NULL);
    struct tern_future *futures[3];
    atomic_store(&held, true);
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(tern_start_blocking(scope, &futures[i], hold, (void *)&results[i], TERN_NEVER), 0);
    wait_for_hold();
    atomic_store(&held, false);
    for (size_t i = 0; i < 3; i++) {
        int result;
        cr_expect_eq(tern_await(futures[i], &result, TERN_NEVER), 0);
        cr_expect_eq(result, results[i]);
    }
    cr_expect_eq(tern_scope_join(scope, TERN_NEVER), -EIO);
    tern_scope_close(scope);
}

static int let_go(void *arg)
{
    (void)arg;
    cr_expect_eq(tern_yield(), 0, "who is cancelled has heard of it");
    cr_expect_eq(atomic_load(&ran), 0);
    atomic_store(&held, false);
    return 0;
}

GreenTest(module_blocking, a_scope_waits_for_what_has_begun, .pool = 1)
{
    struct tern_scope *scope = tern_scope_open(NULL);
    atomic_store(&held, true);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(tern_start_blocking(scope, NULL, hold, (void *)&five, TERN_NEVER), 0);
    wait_for_hold();
    struct green *thread = run_spawn(let_go, NULL);
    tern_scope_close(scope);
    cr_expect_eq(atomic_load(&ran), 1, "and for nothing else");
    cr_expect_eq(run_join(thread), 0);
}
