/* scope_test.c: threads that end with the block that started them, however that block ends. */
#include "green/scope.h"

#include "green/sync.h"
#include "run.h"

static struct green_sem gate;

static void setup(void)
{
    green_sem_init(&gate, 0);
}

TestSuite(scope, .init = setup);

static int wait_for_gate(void *arg)
{
    int result = green_sem_wait(&gate, NSEC_NEVER);
    run_note(result == 0 ? 'g' : result == -ECANCELED ? 'c' : '?');
    return arg && result == 0 ? *(int *)arg : result;
}

static int give_back(void *arg)
{
    return *(int *)arg;
}

static void go(struct green_scope *scope, green_fn *fn, void *arg)
{
    cr_assert_eq(green_scope_go(scope, "member", fn, arg), 0);
}

GreenTest(scope, the_first_error_is_the_result)
{
    int results[] = {3, 0, -EPIPE, -EIO, 1};
    struct green_scope scope;
    green_scope_enter(&scope);
    for (size_t i = 0; i < 5; i++)
        go(&scope, give_back, &results[i]);
    cr_expect_eq(green_scope_join(&scope, NSEC_NEVER), -EPIPE);
    green_scope_leave(&scope);
}

GreenTest(scope, an_empty_one_waits_for_nobody)
{
    struct green_scope scope;
    green_scope_enter(&scope);
    cr_expect_eq(green_scope_join(&scope, 0), 0, "no deadline is too short");
    green_scope_cancel(&scope);
    green_scope_leave(&scope);
}

GreenTest(scope, a_join_that_times_out_lets_them_go_on)
{
    struct green_scope scope;
    green_scope_enter(&scope);
    go(&scope, wait_for_gate, NULL);
    go(&scope, wait_for_gate, NULL);
    cr_expect_eq(green_scope_join(&scope, run_in(2)), -ETIMEDOUT);
    green_sem_post(&gate);
    cr_expect_eq(green_scope_join(&scope, run_in(2)), -ETIMEDOUT, "one of the two is not all");
    green_sem_post(&gate);
    cr_expect_eq(green_scope_join(&scope, NSEC_NEVER), 0);
    cr_expect_str_eq(run_noted(), "gg");
    green_scope_leave(&scope);
}

GreenTest(scope, leaving_cancels_and_joins)
{
    struct green_scope scope;
    green_scope_enter(&scope);
    for (size_t i = 0; i < 3; i++)
        go(&scope, wait_for_gate, NULL);
    run_yield();
    go(&scope, wait_for_gate, NULL); /* this one has not even started */
    green_scope_leave(&scope);
    cr_expect_str_eq(run_noted(), "cccc");
}

GreenTest(scope, cancelling_is_not_leaving)
{
    struct green_scope scope;
    int seven = 7;
    green_scope_enter(&scope);
    go(&scope, wait_for_gate, NULL);
    run_yield();
    green_scope_cancel(&scope);
    cr_expect_eq(green_scope_join(&scope, NSEC_NEVER), -ECANCELED);
    go(&scope, give_back, &seven);
    cr_expect_eq(green_scope_join(&scope, NSEC_NEVER), -ECANCELED, "the first error stays");
    green_scope_leave(&scope);
}

/* A member with a scope of its own, in which a member needs a while to end. */
static int linger(void *arg)
{
    struct green_scope own;
    int error = green_sem_wait(&gate, NSEC_NEVER);
    green_scope_enter(&own);
    cr_assert_eq(green_scope_go(&own, "inner", wait_for_gate, NULL), 0);
    green_scope_leave(&own);
    run_note(*(char *)arg);
    return error;
}

static int nest(void *arg)
{
    struct green_scope own;
    green_scope_enter(&own);
    go(&own, linger, "l");
    int error = green_scope_join(&own, NSEC_NEVER);
    green_scope_leave(&own);
    run_note(*(char *)arg);
    return error;
}

GreenTest(scope, a_cancel_goes_down_and_ends_come_up)
{
    struct green_scope scope;
    green_scope_enter(&scope);
    go(&scope, nest, "n");
    run_yield();
    run_yield();
    green_scope_leave(&scope);
    cr_expect_str_eq(run_noted(), "cln");
}

GreenTest(scope, leaving_waits_even_in_a_cancelled_thread)
{
    struct green *thread = run_spawn(nest, "n");
    run_yield();
    run_yield();
    green_cancel(thread);
    green_cancel(thread);
    cr_expect_eq(run_join(thread), -ECANCELED);
    cr_expect_str_eq(run_noted(), "cln");
}

static int write_below(void *arg)
{
    int *sum = arg;
    run_yield();
    ++*sum;
    return 0;
}

GreenTest(scope, members_may_use_the_stack_of_who_started_them)
{
    for (int round = 0; round < 20; round++) {
        struct green_scope scope;
        int sum = 0;
        green_scope_enter(&scope);
        for (int i = 0; i < 50; i++)
            go(&scope, write_below, &sum);
        cr_expect_eq(green_scope_join(&scope, NSEC_NEVER), 0);
        cr_expect_eq(sum, 50);
        green_scope_leave(&scope);
    }
}

/* Starts another one when it is cancelled. */
static int leave_another(void *arg)
{
    int error = wait_for_gate(NULL);
    go(arg, wait_for_gate, NULL);
    return error;
}

GreenTest(scope, who_starts_while_it_is_left_is_cancelled)
{
    struct green_scope scope;
    green_scope_enter(&scope);
    go(&scope, leave_another, &scope);
    run_yield();
    green_scope_leave(&scope);
    cr_expect_str_eq(run_noted(), "cc");
}
