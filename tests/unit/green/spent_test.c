/* spent_test.c: accounts of where the time of threads goes. */
#include "green/spent.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "green/fd.h"
#include "green/offload.h"
#include "green/scope.h"
#include "run.h"

enum { BUSY = 3, WAIT = 20 }; /* milliseconds, at least */

static void burn(void)
{
    nsec end = clock_monotonic() + BUSY * NSEC_MS;
    while (clock_monotonic() < end)
        ;
}

static struct green_spent since(const struct green_spent *start)
{
    struct green_spent now = green_spent();
    return (struct green_spent){now.at - start->at,     now.running - start->running, now.queue - start->queue,
                                now.pool - start->pool, now.client - start->client,   now.upstream - start->upstream};
}

/* What is in an account is a part of the time that has passed. */
static void expect_sum(const struct green_spent *spent)
{
    cr_expect_geq(spent->running, 0);
    cr_expect_geq(spent->pool, 0);
    cr_expect_geq(spent->queue, 0);
    cr_expect_geq(spent->client, 0);
    cr_expect_geq(spent->upstream, 0);
    cr_expect_leq(spent->running + spent->queue + spent->pool + spent->client + spent->upstream, spent->at);
}

static void pause_thread(void *arg)
{
    (void)arg;
    usleep(WAIT * 1000);
}

GreenTest(spent, without_accounts_all_is_zero)
{
    burn();
    cr_expect_eq(green_offload(pause_thread, NULL, NSEC_NEVER), 0);
    struct green_spent spent = green_spent();
    cr_expect_not(green_accounts);
    cr_expect_eq(spent.at, 0);
    cr_expect_eq(spent.running, 0);
    cr_expect_eq(spent.pool, 0);
    cr_expect_eq(spent.upstream, 0);
}

GreenTest(spent, running, .accounts = true)
{
    struct green_spent start = green_spent();
    burn();
    struct green_spent spent = since(&start);
    cr_expect_geq(spent.running, BUSY * NSEC_MS);
    cr_expect_eq(spent.running, spent.at, "it did nothing else");
    run_yield();
    burn();
    spent = since(&start);
    cr_expect_geq(spent.running, 2 * BUSY * NSEC_MS);
    expect_sum(&spent);
}

GreenTest(spent, a_wait_for_the_pool, .accounts = true)
{
    struct green_spent start = green_spent();
    cr_expect_eq(green_offload(pause_thread, NULL, NSEC_NEVER), 0);
    struct green_spent spent = since(&start);
    cr_expect_geq(spent.pool, (WAIT - 1) * NSEC_MS);
    cr_expect_eq(spent.upstream, 0);
    expect_sum(&spent);
}

static int answer_late(void *arg)
{
    int error = green_sleep(WAIT * NSEC_MS);
    cr_expect_eq(write(*(int *)arg, "x", 1), 1);
    return error;
}

GreenTest(spent, a_wait_for_a_descriptor, .accounts = true)
{
    int ends[2];
    struct green_fd fd;
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    green_fd_init(&fd, ends[0]);
    struct green *other = run_spawn(answer_late, &ends[1]);
    struct green_spent start = green_spent();
    cr_expect_eq(green_fd_readable(&fd, NSEC_NEVER), 0);
    struct green_spent spent = since(&start);
    cr_expect_geq(spent.upstream, (WAIT - 1) * NSEC_MS);
    cr_expect_eq(spent.pool, 0);
    expect_sum(&spent);
    start = green_spent();
    cr_expect_eq(green_fd_readable(&fd, run_in(1)), 0, "what came is still there");
    cr_expect_eq(run_join(other), 0);
    green_fd_close(&fd);
    close(ends[1]);
}

GreenTest(spent, a_wait_that_times_out_counts_too, .accounts = true)
{
    int ends[2];
    struct green_fd fd;
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    green_fd_init(&fd, ends[0]);
    struct green_spent start = green_spent();
    cr_expect_eq(green_fd_readable(&fd, run_in(WAIT)), -ETIMEDOUT);
    struct green_spent spent = since(&start);
    cr_expect_geq(spent.upstream, (WAIT - 1) * NSEC_MS);
    expect_sum(&spent);
    green_fd_close(&fd);
    close(ends[1]);
}

GreenTest(spent, other_waits_are_in_no_account, .accounts = true)
{
    struct green_spent start = green_spent();
    cr_expect_eq(green_sleep(WAIT * NSEC_MS), 0);
    struct green_spent spent = since(&start);
    cr_expect_geq(spent.at, WAIT * NSEC_MS);
    cr_expect_eq(spent.pool, 0);
    cr_expect_eq(spent.upstream, 0);
    expect_sum(&spent);
}

static struct green_spent of_other;

static int burn_twice(void *arg)
{
    struct green_spent start = green_spent();
    (void)arg;
    burn();
    run_yield();
    burn();
    of_other = since(&start);
    return 0;
}

/* While one runs, the other one is ready, which is in no account. */
GreenTest(spent, each_thread_has_its_own, .accounts = true)
{
    struct green_spent start = green_spent();
    struct green *other = run_spawn(burn_twice, NULL);
    run_yield();
    burn();
    cr_expect_eq(run_join(other), 0);
    struct green_spent spent = since(&start);
    cr_expect_geq(of_other.running, 2 * BUSY * NSEC_MS);
    cr_expect_geq(spent.running, BUSY * NSEC_MS);
    cr_expect_geq(spent.at, 3 * BUSY * NSEC_MS);
    cr_expect_leq(spent.running + of_other.running, spent.at);
    expect_sum(&spent);
    expect_sum(&of_other);
}

static int look(void *arg)
{
    *(struct green_spent *)arg = green_spent();
    return 0;
}

GreenTest(spent, a_new_thread_has_spent_nothing_on_a_used_stack, .accounts = true)
{
    struct green_spent spent;
    cr_expect_eq(run_join(run_spawn(burn_twice, NULL)), 0);
    nsec before = clock_monotonic();
    cr_expect_eq(run_join(run_spawn(look, &spent)), 0);
    cr_expect_leq(spent.running, clock_monotonic() - before);
    cr_expect_eq(spent.pool, 0);
    cr_expect_eq(spent.upstream, 0);
}

/* ---- tasks ---- */

struct asking {
    struct green_task task;
    bool asks;
    struct green_spent begun, ended;
};

static int ask(struct green_task *task)
{
    struct asking *asking = container_of(task, struct asking, task);
    asking->begun = green_spent_before();
    burn();
    if (asking->asks)
        asking->ended = green_spent();
    return 0;
}

static void refused(struct green_task *task, int error)
{
    (void)task;
    cr_assert_fail("a task was refused: %d", error);
}

static void run_two(struct asking *first, struct asking *second)
{
    static const struct green_task_kind kind = {.name = "asking", .run = ask, .refused = refused};
    first->task.kind = second->task.kind = &kind;
    green_post(&first->task);
    green_post(&second->task);
    cr_assert_eq(green_yield_to_tasks(), 0);
}

GreenTest(spent, a_task_begins_when_the_one_before_has_asked_last, .accounts = true)
{
    struct asking first = {.asks = true}, second = {.asks = true};
    run_two(&first, &second);
    cr_expect_eq(second.begun.at, first.ended.at);
    cr_expect_eq(second.begun.running, 0);
    cr_expect_geq(second.begun.queue, BUSY * NSEC_MS, "it was ready while the first one ran");
    cr_expect_geq(second.ended.running, BUSY * NSEC_MS);
}

GreenTest(spent, a_task_begins_at_its_turn_when_nobody_has_asked, .accounts = true)
{
    struct asking first = {.asks = false}, second = {.asks = true};
    run_two(&first, &second);
    cr_expect_geq(second.begun.at, first.begun.at + BUSY * NSEC_MS);
    cr_expect_lt(second.ended.running, second.ended.at - first.begun.at - BUSY * NSEC_MS + 1);
}

/* ---- scopes ---- */

static int wait_for_pool(void *arg)
{
    (void)arg;
    burn();
    return green_offload(pause_thread, NULL, NSEC_NEVER);
}

static void spend_in_scope(struct green_scope *scope)
{
    green_scope_enter(scope);
    for (int i = 0; i < 3; i++)
        cr_assert_eq(green_scope_go(scope, "waiting", wait_for_pool, NULL), 0);
}

GreenTest(spent, who_joins_takes_over_what_was_spent, .accounts = true)
{
    struct green_scope scope;
    struct green_spent start = green_spent();
    spend_in_scope(&scope);
    cr_assert_eq(green_scope_join(&scope, NSEC_NEVER), 0);
    struct green_spent spent = since(&start);
    cr_expect_geq(spent.pool, 3 * (WAIT - 1) * NSEC_MS);
    cr_expect_geq(spent.running, 3 * BUSY * NSEC_MS);
    green_scope_leave(&scope);
    struct green_spent again = since(&start);
    cr_expect_eq(again.pool, spent.pool, "it is taken over once");
}

GreenTest(spent, who_leaves_takes_over_what_was_spent, .accounts = true)
{
    struct green_scope scope;
    struct green_spent start = green_spent();
    spend_in_scope(&scope);
    cr_assert_eq(green_yield(), 0);
    cr_expect_lt(since(&start).running, 3 * BUSY * NSEC_MS);
    green_scope_leave(&scope);
    cr_expect_geq(since(&start).running, 3 * BUSY * NSEC_MS);
}

GreenTest(spent, without_accounts_nothing_is_taken_over)
{
    struct green_scope scope;
    spend_in_scope(&scope);
    cr_assert_eq(green_scope_join(&scope, NSEC_NEVER), 0);
    green_scope_leave(&scope);
    cr_expect_eq(green_spent_before().running, 0);
}
