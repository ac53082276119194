/* scope_test.c: threads that fail, futures that nobody takes or two want, waits that are given up, and what remains. */
#include <stdio.h>

#include "green/offload.h"
#include "green/view.h"
#include "visit.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* ---- what threads do ---- */

static int come_to(void *arg)
{
    return *(const int *)arg;
}

static int yield_and_come_to(void *arg)
{
    for (int i = 0; i < 3; i++)
        cr_assert_eq(tern_yield(), 0);
    return *(const int *)arg;
}

static int sleep_long(void *arg)
{
    (void)arg;
    int error = tern_sleep(3600 * TERN_SEC);
    run_note(error == -ECANCELED && tern_cancelled() ? 'c' : '?');
    return error;
}

static struct tern_future *start(struct tern_scope *scope, tern_fn *fn, const int *result)
{
    struct tern_future *future = NULL;
    cr_assert_eq(tern_start(scope, &future, fn, (void *)result), 0);
    cr_assert_not_null(future);
    return future;
}

static int await(struct tern_future *future)
{
    int result = 12345;
    cr_assert_eq(tern_await(future, &result, TERN_NEVER), 0);
    return result;
}

static int await_first(struct tern_future *const *futures, size_t n)
{
    return tern_await_first(futures, n, TERN_NEVER);
}

/* ---- what can't be had ---- */

GreenTest(module_scope, no_more_threads_than_there_may_be, .threads = 3)
{
    struct tern_scope *scope = tern_scope_open(NULL);
    struct tern_future *future = NULL;
    cr_expect_eq(tern_start(scope, NULL, sleep_long, NULL), 0);
    cr_expect_eq(tern_start(scope, NULL, sleep_long, NULL), 0);
    cr_expect_eq(tern_start(scope, NULL, sleep_long, NULL), -EAGAIN);
    cr_expect_eq(tern_start(scope, &future, sleep_long, NULL), -EAGAIN);
    cr_expect_eq(tern_start_blocking(scope, &future, sleep_long, NULL, TERN_NEVER), -EAGAIN);
    cr_expect_null(future, "there is none");
    tern_scope_close(scope);
    cr_expect_str_eq(run_noted(), "cc", "the third has not run");
}

GreenTest(module_scope, the_first_of_none)
{
    cr_expect_eq(await_first(NULL, 0), -EINVAL);
}

struct await {
    struct tern_future *future;
    tern_time deadline;
    int result;
};

static int await_with(void *arg)
{
    struct await *a = arg;
    return tern_await(a->future, &a->result, a->deadline);
}

GreenTest(module_scope, a_future_that_somebody_else_waits_for)
{
    static const int result = 7;
    struct tern_scope *scope = tern_scope_open(NULL);
    struct tern_future *futures[] = {start(scope, sleep_long, NULL), start(scope, yield_and_come_to, &result)};
    struct await other = {.future = futures[1], .deadline = TERN_NEVER};
    struct green *thread = run_spawn(await_with, &other);
    cr_assert_eq(tern_yield(), 0);
    cr_expect_eq(tern_await(futures[1], NULL, TERN_NEVER), -EBUSY);
    cr_expect_eq(await_first(futures, 2), -EBUSY);
    cr_expect_eq(tern_await(futures[0], NULL, tern_now()), -ETIMEDOUT, "nobody waits for that one any more");
    cr_expect_eq(run_join(thread), 0);
    cr_expect_eq(other.result, 7);
    tern_scope_close(scope);
}

/* ---- waits that are given up ---- */

GreenTest(module_scope, a_deadline_leaves_the_future_as_it_was)
{
    static const int result = -5;
    struct tern_scope *scope = tern_scope_open(NULL);
    struct tern_future *future = start(scope, yield_and_come_to, &result);
    int untouched = 1;
    cr_expect_eq(tern_await(future, &untouched, tern_now() - 1), -ETIMEDOUT);
    cr_expect_eq(tern_await_first(&future, 1, tern_now() - 1), -ETIMEDOUT);
    cr_expect_eq(untouched, 1);
    cr_expect_eq(await(future), -5);
    tern_scope_close(scope);
}

GreenTest(module_scope, a_cancel_of_who_waits_leaves_the_future_as_it_was)
{
    static const int result = 5;
    struct tern_scope *scope = tern_scope_open(NULL);
    struct await a = {.future = start(scope, yield_and_come_to, &result), .deadline = TERN_NEVER};
    struct green *thread = run_spawn(await_with, &a);
    cr_assert_eq(tern_yield(), 0);
    green_cancel(thread);
    cr_expect_eq(run_join(thread), -ECANCELED);
    cr_expect_eq(await(a.future), 5);
    tern_scope_close(scope);
}

/* ---- results ---- */

GreenTest(module_scope, results)
{
    static const int results[] = {0, 1, -1, -EAGAIN, -ECANCELED, -ETIMEDOUT, INT32_MAX, INT32_MIN};
    struct tern_scope *scope = tern_scope_open(NULL);
    for (size_t i = 0; i < COUNT(results); i++) {
        cr_expect_eq(await(start(scope, come_to, &results[i])), results[i]);
        cr_expect_eq(await(start(scope, yield_and_come_to, &results[i])), results[i]);
        cr_expect_eq(tern_await(start(scope, come_to, &results[i]), NULL, TERN_NEVER), 0, "nobody wants to know");
    }
    cr_expect(list_empty(&scope->futures));
    tern_scope_close(scope);
}

GreenTest(module_scope, one_that_has_ended_is_not_waited_for)
{
    static const int result = 3;
    struct tern_scope *scope = tern_scope_open(NULL);
    struct tern_future *future = start(scope, come_to, &result);
    int got = 0;
    cr_assert_eq(tern_yield(), 0);
    tern_cancel(future);
    cr_expect_eq(tern_await_first(&future, 1, tern_now() - 1), 0);
    cr_expect_eq(tern_await(future, &got, tern_now() - 1), 0);
    cr_expect_eq(got, 3);
    tern_scope_close(scope);
}

GreenTest(module_scope, the_first_of_several)
{
    static const int result = 3;
    struct tern_scope *scope = tern_scope_open(NULL);
    struct tern_future *futures[] = {start(scope, sleep_long, NULL), start(scope, yield_and_come_to, &result),
                                     start(scope, sleep_long, NULL)};
    cr_expect_eq(await_first(futures, 3), 1);
    cr_expect_eq(await_first(futures, 3), 1, "it is still there");
    cr_expect_eq(await(futures[1]), 3);
    futures[1] = futures[2];
    cr_expect_eq(tern_await_first(futures, 2, tern_now()), -ETIMEDOUT);
    tern_cancel(futures[1]);
    cr_expect_eq(await_first(futures, 2), 1);
    cr_expect_eq(await(futures[1]), -ECANCELED);
    tern_scope_close(scope);
    cr_expect_str_eq(run_noted(), "cc");
}

GreenTest(module_scope, several_that_end_at_once)
{
    static const int results[] = {1, 2, 3};
    struct tern_scope *scope = tern_scope_open(NULL);
    struct tern_future *futures[3];
    for (size_t i = 0; i < 3; i++)
        futures[i] = start(scope, come_to, &results[i]);
    cr_expect_eq(await_first(futures, 3), 0);
    cr_expect_eq(await_first(&futures[1], 2), 0, "without a wait");
    for (size_t i = 0; i < 3; i++)
        cr_expect_eq(await(futures[i]), (int)i + 1);
    tern_scope_close(scope);
}

GreenTest(module_scope, cancels)
{
    struct tern_scope *scope = tern_scope_open(NULL);
    struct tern_future *future = start(scope, sleep_long, NULL);
    tern_cancel(future);
    tern_cancel(future);
    cr_expect_eq(await(future), -ECANCELED, "before it ran at all");
    cr_expect_not(tern_cancelled());
    tern_scope_close(scope);
}

/* ---- scopes ---- */

GreenTest(module_scope, joins)
{
    static const int results[] = {0, 4, -EIO, -EPERM};
    struct tern_scope *scope = tern_scope_open(NULL);
    cr_expect_eq(tern_scope_join(scope, TERN_NEVER), 0, "there is nobody");
    for (size_t i = 0; i < COUNT(results); i++)
        cr_assert_eq(tern_start(scope, NULL, come_to, (void *)&results[i]), 0);
    struct tern_future *future = start(scope, sleep_long, NULL);
    cr_expect_eq(tern_scope_join(scope, tern_now()), -ETIMEDOUT);
    tern_cancel(future);
    cr_expect_eq(tern_scope_join(scope, TERN_NEVER), -EIO, "the first of them");
    cr_expect_eq(await(future), -ECANCELED, "a future outlives its thread");
    tern_scope_close(scope);
}

static int close_scope(void *arg)
{
    tern_scope_close(arg);
    return 0;
}

static int join_or_close(void *arg)
{
    struct tern_scope *scope = tern_scope_open(NULL);
    cr_assert_eq(tern_start(scope, NULL, sleep_long, NULL), 0);
    *(int *)arg = tern_scope_join(scope, TERN_NEVER);
    return close_scope(scope);
}

GreenTest(module_scope, a_cancel_of_who_joins)
{
    int joined = 0;
    struct green *thread = run_spawn(join_or_close, &joined);
    cr_assert_eq(tern_yield(), 0);
    green_cancel(thread);
    cr_expect_eq(run_join(thread), 0, "closing is possible all the same");
    cr_expect_eq(joined, -ECANCELED);
    cr_expect_str_eq(run_noted(), "c");
}

GreenTest(module_scope, the_end_cancels_what_still_runs)
{
    static const int result = 1;
    struct tern_scope *scope = tern_scope_open(NULL);
    cr_assert_eq(tern_start(scope, NULL, sleep_long, NULL), 0);
    start(scope, sleep_long, NULL);
    start(scope, come_to, &result);
    cr_assert_eq(tern_yield(), 0);
    tern_scope_close(scope);
    cr_expect_str_eq(run_noted(), "cc");
}

GreenTest(module_scope, what_nobody_asks_for_is_forgotten)
{
    static const int result = -1;
    struct tern_scope *scope = tern_scope_open(NULL);
    for (int i = 0; i < 100; i++)
        cr_assert_eq(tern_start(scope, NULL, come_to, (void *)&result), 0);
    cr_assert_eq(tern_yield(), 0);
    cr_expect(list_empty(&scope->futures), "before the scope ends");
    tern_scope_close(scope);
}

GreenTest(module_scope, threads_of_the_worker)
{
    static const int result = 6;
    module_worker_scope_init();
    cr_assert_eq(tern_start(NULL, NULL, sleep_long, NULL), 0);
    struct tern_future *future = start(NULL, yield_and_come_to, &result);
    visit_begin(METHOD_GET);
    cr_expect_eq(visit_finish(0), 0);
    cr_expect_str_empty(run_noted(), "they outlive requests");
    visit_end();
    cr_expect_eq(await(future), 6);
    module_worker_scope_end();
    cr_expect_str_eq(run_noted(), "c");
}

/* ---- what they are said to do ---- */

static void note_description(const struct green_view *view, void *arg)
{
    char *said = arg;
    if (strcmp(view->name, "module") == 0)
        snprintf(said + strlen(said), 200 - strlen(said), STR_FMT ";", STR_ARG(view->what));
}

/* Neither it nor its scope may point to a request that ends before it. */
GreenTest(module_scope, a_thread_does_what_its_scope_is_for)
{
    char said[200] = "", line[] = "GET /first";
    module_worker_scope_init();
    green_describe(str_of(line));
    struct tern_scope *shared = tern_scope_open(NULL);
    struct tern_request *r = visit_begin(METHOD_GET);
    cr_assert_eq(tern_start(tern_scope_of(r), NULL, sleep_long, NULL), 0);
    cr_assert_eq(tern_start(NULL, NULL, sleep_long, NULL), 0);
    cr_assert_eq(tern_start(shared, NULL, sleep_long, NULL), 0);
    green_each(note_description, said);
    cr_expect_str_eq(said, "GET /first;a thread of its own;a thread of its own;", "before they have run: %s", said);
    cr_assert_eq(tern_yield(), 0);
    cr_expect_eq(visit_finish(0), 0);
    visit_end();
    memset(line, 'x', sizeof line - 1);
    said[0] = '\0';
    green_each(note_description, said);
    cr_expect_str_eq(said, "a thread of its own;a thread of its own;");
    tern_scope_close(shared);
    module_worker_scope_end();
}

GreenTest(module_scope, one_that_was_forgotten_ends_with_its_parent)
{
    struct tern_scope *parent = tern_scope_open(NULL), *inner = tern_scope_open(parent);
    cr_assert_eq(tern_start(tern_scope_open(inner), NULL, sleep_long, NULL), 0);
    cr_assert_eq(tern_start(inner, NULL, sleep_long, NULL), 0);
    tern_scope_close(parent);
    cr_expect_str_eq(run_noted(), "cc");
}

/* At its end, which comes about by that of the scope which its own was opened in. */
static int start_another(void *parent)
{
    int error = tern_sleep(3600 * TERN_SEC);
    return tern_start(parent, NULL, sleep_long, NULL) < 0 ? -ENOMEM : error;
}

GreenTest(module_scope, what_a_forgotten_one_starts_in_its_parent_ends_too)
{
    struct tern_scope *parent = tern_scope_open(NULL), *inner = tern_scope_open(parent);
    cr_assert_eq(tern_start(inner, NULL, start_another, parent), 0);
    cr_assert_eq(tern_yield(), 0);
    tern_scope_close(parent);
    cr_expect_str_eq(run_noted(), "c");
}

static int misplaced; /* results */

static void call_from_elsewhere(void *arg)
{
    struct tern_future *future;
    (void)arg;
    misplaced += tern_sleep(1) == -EPERM;
    misplaced += tern_yield() == -EPERM;
    misplaced += tern_start(NULL, &future, sleep_long, NULL) == -EPERM;
    misplaced += tern_scope_open(NULL) == NULL;
    misplaced += tern_blocking(sleep_long, NULL, TERN_NEVER) == -EPERM;
    misplaced += tern_compute("job", NULL, 0, NULL, 0, TERN_NEVER) == -EPERM;
}

GreenTest(module_scope, calls_from_a_thread_of_the_pool_are_refused)
{
    cr_assert_eq(green_offload(call_from_elsewhere, NULL, NSEC_NEVER), 0);
    cr_expect_eq(misplaced, 6);
}
