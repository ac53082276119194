/* spent_test.c: accounts of where the time of threads goes. */
#include "green/spent.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/scoreboard.h"
#include "green/core.h"
#include "green/fd.h"
#include "green/offload.h"
#include "green/scope.h"
#include "green/sync.h"
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

static int burn_and_sleep(void *arg)
{
    (void)arg;
    burn();
    return green_sleep(0);
}

/* Who sleeps sets the loop's clock forward. */
GreenTest(spent, a_task_has_waited_since_it_was_posted, .accounts = true)
{
    struct asking first = {.asks = false}, second = {.asks = true};
    struct green *sleeper = run_spawn(burn_and_sleep, NULL);
    nsec posted = green_spent().at;
    run_two(&first, &second);
    cr_expect_geq(first.begun.queue, BUSY * NSEC_MS);
    cr_expect_leq(first.begun.at - first.begun.queue, posted);
    cr_expect_leq(second.begun.at - second.begun.queue, posted);
    cr_expect_eq(run_join(sleeper), 0);
}

enum { CROWD = 600 /* more than run between two polls */ };

static nsec posted;

static int stand_in_line(struct green_task *task)
{
    struct asking *asking = container_of(task, struct asking, task);
    nsec end = clock_monotonic() + NSEC_MS / 50;
    while (clock_monotonic() < end)
        ;
    asking->begun = green_spent_before();
    return 0;
}

GreenTest(spent, tasks_that_polls_pass_by_have_waited_all_the_time, .accounts = true)
{
    static const struct green_task_kind kind = {.name = "asking", .run = stand_in_line, .refused = refused};
    static struct asking crowd[CROWD], late;
    run_yield();
    posted = green_spent().at;
    for (size_t i = 0; i < CROWD; i++) {
        crowd[i].task.kind = &kind;
        green_post(&crowd[i].task);
    }
    cr_assert_eq(green_sleep(NSEC_MS), 0);
    nsec polled = green_polled();
    late.task.kind = &kind;
    green_post(&late.task);
    cr_assert_eq(green_yield_to_tasks(), 0);
    for (size_t i = 0; i < CROWD; i++)
        cr_expect_leq(crowd[i].begun.at - crowd[i].begun.queue, posted, "%zu", i);
    cr_expect_eq(late.begun.at - late.begun.queue, polled);
}

enum { HOST = 60000, LATE = 200 /* polls: more than there is room to remember */ };

static int pass_by(struct green_task *task)
{
    (void)task;
    return 0;
}

static int look_at_begin(struct green_task *task)
{
    container_of(task, struct asking, task)->begun = green_spent_before();
    return 0;
}

GreenTest(spent, what_is_not_remembered_of_a_long_line_is_longer, .accounts = true)
{
    static const struct green_task_kind host = {.name = "host", .run = pass_by, .refused = refused},
                                        kind = {.name = "late", .run = look_at_begin, .refused = refused};
    static struct green_task tasks[HOST];
    static struct asking late[LATE];
    nsec polled[LATE];
    for (size_t i = 0; i < HOST; i++) {
        tasks[i].kind = &host;
        green_post(&tasks[i]);
    }
    for (size_t i = 0; i < LATE; i++) {
        polled[i] = green_polled();
        late[i].task.kind = &kind;
        green_post(&late[i].task);
        while (green_polled() == polled[i])
            run_yield();
    }
    cr_assert_eq(late[0].begun.at, 0, "the line is as long as that");
    cr_assert_eq(green_yield_to_tasks(), 0);
    for (size_t i = 0; i < LATE; i++) {
        nsec told = late[i].begun.at - late[i].begun.queue;
        cr_expect(i < LATE / 2 ? told == polled[i] : told <= polled[i] && told >= polled[LATE / 2], "%zu", i);
    }
}

static nsec ready_since, woken;

static int wait_and_look(void *cond)
{
    int error = green_cond_wait(cond, NULL, NSEC_NEVER);
    ready_since = green_ready_since();
    return error;
}

GreenTest(spent, since_when_it_was_ready, .accounts = true)
{
    struct green_cond cond;
    green_cond_init(&cond);
    struct green *sleeper = run_spawn(burn_and_sleep, NULL), *waiter = run_spawn(wait_and_look, &cond);
    run_yield();
    struct green *second = run_spawn(burn_and_sleep, NULL);
    woken = green_spent().at;
    green_cond_broadcast(&cond);
    cr_expect_eq(run_join(waiter), 0);
    cr_expect_eq(ready_since, woken);
    cr_expect_eq(run_join(sleeper), 0);
    cr_expect_eq(run_join(second), 0);
}

GreenTest(spent, without_accounts_nobody_knows_since_when)
{
    cr_expect_eq(green_ready_since(), 0);
}

static struct score score;

GreenTest(spent, the_lag_counts_from_the_poll_on, .accounts = true, .score = &score)
{
    cr_assert_eq(green_sleep(NSEC_MS), 0);
    uint64_t before = score.lag.sum;
    struct green *sleeper = run_spawn(burn_and_sleep, NULL);
    cr_assert_eq(green_sleep(NSEC_MS), 0);
    cr_expect_geq(score.lag.sum - before, BUSY * NSEC_MS / 1000);
    cr_expect_eq(run_join(sleeper), 0);
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
