/* wait_test.c: every call that waits, against every way to end a wait but its event: a deadline that has passed, one
 * that passes, one far away, and a cancel before and during the wait. */
#include <sys/socket.h>
#include <unistd.h>

#include "green/chan.h"
#include "green/core.h"
#include "green/fd.h"
#include "green/offload.h"
#include "green/scope.h"
#include "green/sync.h"
#include "run.h"

/* What each of the calls below waits for, and what never happens unless let_all_go() is called. */
static struct green *sleeper;
static struct green_scope scope;
static struct green_mutex mutex;
static struct green_cond cond;
static struct green_sem sem, gate;
static struct green_chan full, empty;
static struct green_fd fd;
static int peer;

static int sleep_until_let_go(void *arg)
{
    (void)arg;
    return green_sem_wait(&gate, NSEC_NEVER);
}

static int sleep_with_mutex(void *arg)
{
    cr_assert_eq(green_mutex_lock(&mutex, NSEC_NEVER), 0);
    int error = sleep_until_let_go(arg);
    cr_expect_eq(green_mutex_unlock(&mutex), 0);
    return error;
}

static void fill_socket(int number)
{
    char bytes[4096] = {0};
    while (write(number, bytes, sizeof bytes) > 0)
        ;
    cr_assert_eq(errno, EAGAIN);
}

static void open_fd(void)
{
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    green_fd_init(&fd, ends[0]);
    peer = ends[1];
    fill_socket(ends[0]);
}

static void set_up(void)
{
    green_sem_init(&gate, 0);
    green_sem_init(&sem, 0);
    green_cond_init(&cond);
    green_mutex_init(&mutex);
    cr_assert_eq(green_chan_init(&empty, sizeof(int), 4), 0);
    cr_assert_eq(green_chan_init(&full, sizeof(int), 0), 0);
    open_fd();
    sleeper = run_spawn(sleep_with_mutex, NULL);
    green_scope_enter(&scope);
    cr_assert_eq(green_scope_go(&scope, "sleeper", sleep_until_let_go, NULL), 0);
    run_yield();
}

static void tear_down(void)
{
    green_sem_post(&gate);
    green_sem_post(&gate);
    green_scope_leave(&scope);
    cr_expect_eq(run_join(sleeper), 0);
    green_fd_close(&fd);
    close(peer);
    green_chan_free(&full);
    green_chan_free(&empty);
    cr_expect_eq(green_wheel()->count, 0);
}

static int wait_suspend(nsec deadline)
{
    return green_suspend(GREEN_WAIT_TIMER, deadline);
}

static int wait_join(nsec deadline)
{
    return green_join(sleeper, NULL, deadline);
}

static int wait_scope(nsec deadline)
{
    return green_scope_join(&scope, deadline);
}

static int wait_lock(nsec deadline)
{
    return green_mutex_lock(&mutex, deadline);
}

static int wait_cond(nsec deadline)
{
    return green_cond_wait(&cond, NULL, deadline);
}

static int wait_cond_with_mutex(nsec deadline)
{
    struct green_mutex own;
    green_mutex_init(&own);
    cr_assert_eq(green_mutex_lock(&own, NSEC_NEVER), 0);
    int result = green_cond_wait(&cond, &own, deadline);
    cr_expect_eq(green_mutex_unlock(&own), 0, "the mutex is held again");
    return result;
}

static int wait_sem(nsec deadline)
{
    return green_sem_wait(&sem, deadline);
}

static int wait_send(nsec deadline)
{
    return green_send(&full, &(int){1}, deadline);
}

static int wait_recv(nsec deadline)
{
    int message;
    return green_recv(&empty, &message, deadline);
}

static int wait_select(nsec deadline)
{
    int in, out = 1, result;
    struct green_case cases[] = {{.chan = &empty, .message = &in}, {.chan = &full, .message = &out, .send = true}};
    return green_select(cases, 2, &result, deadline);
}

static int wait_select_nothing(nsec deadline)
{
    int result;
    return green_select(NULL, 0, &result, deadline);
}

static int wait_readable(nsec deadline)
{
    return green_fd_readable(&fd, deadline);
}

static int wait_writable(nsec deadline)
{
    return green_fd_writable(&fd, deadline);
}

struct row {
    const char *name;
    int (*wait)(nsec deadline);
};

static const struct row rows[] = {
    {"suspend", wait_suspend},
    {"join", wait_join},
    {"scope join", wait_scope},
    {"lock", wait_lock},
    {"cond", wait_cond},
    {"cond with mutex", wait_cond_with_mutex},
    {"sem", wait_sem},
    {"send", wait_send},
    {"recv", wait_recv},
    {"select", wait_select},
    {"select of nothing", wait_select_nothing},
    {"readable", wait_readable},
    {"writable", wait_writable},
};
enum { ROWS = sizeof rows / sizeof *rows };

GreenTest(wait, a_deadline_that_has_passed_ends_it_at_once)
{
    const nsec passed[] = {INT64_MIN, -1, 0, 1, clock_monotonic() - NSEC_MS};
    set_up();
    for (size_t i = 0; i < ROWS; i++)
        for (size_t k = 0; k < sizeof passed / sizeof *passed; k++)
            cr_expect_eq(rows[i].wait(passed[k]), -ETIMEDOUT, "%s, %ld", rows[i].name, (long)passed[k]);
    tear_down();
}

GreenTest(wait, a_near_deadline_ends_it_not_before)
{
    set_up();
    for (size_t i = 0; i < ROWS; i++) {
        nsec deadline = run_in(3);
        cr_expect_eq(rows[i].wait(deadline), -ETIMEDOUT, "%s", rows[i].name);
        cr_expect_geq(clock_monotonic(), deadline, "%s", rows[i].name);
    }
    tear_down();
}

/* A thread that does one of the calls. */
struct attempt {
    const struct row *row;
    nsec deadline;
    int result;
};

static int attempt(void *arg)
{
    struct attempt *a = arg;
    a->result = a->row->wait(a->deadline);
    return 0;
}

static void start_all(struct green *threads[ROWS], struct attempt attempts[ROWS], nsec deadline)
{
    for (size_t i = 0; i < ROWS; i++) {
        attempts[i] = (struct attempt){&rows[i], deadline, 1};
        threads[i] = run_spawn(attempt, &attempts[i]);
    }
}

static void join_all(struct green *threads[ROWS], const struct attempt attempts[ROWS], int result)
{
    for (size_t i = 0; i < ROWS; i++) {
        run_join(threads[i]);
        cr_expect_eq(attempts[i].result, result, "%s: %d", rows[i].name, attempts[i].result);
    }
}

GreenTest(wait, a_far_deadline_ends_it_not_before)
{
    struct green *threads[ROWS];
    struct attempt attempts[ROWS];
    nsec deadline = run_in(1010); /* more than a second: on the wheel */
    set_up();
    start_all(threads, attempts, deadline);
    run_yield();
    cr_expect_eq(green_wheel()->count, ROWS);
    join_all(threads, attempts, -ETIMEDOUT);
    cr_expect_geq(clock_monotonic(), deadline);
    tear_down();
}

GreenTest(wait, a_cancel_ends_it)
{
    static const nsec far_and_near[] = {NSEC_NEVER, 3600 * NSEC_SEC, 500 * NSEC_MS};
    struct green *threads[ROWS];
    struct attempt attempts[ROWS];
    set_up();
    for (size_t k = 0; k < 3; k++) {
        start_all(threads, attempts, nsec_add(clock_monotonic(), far_and_near[k]));
        run_yield();
        for (size_t i = 0; i < ROWS; i++) {
            cr_expect_eq(attempts[i].result, 1, "%s waits", rows[i].name);
            green_cancel(threads[i]);
        }
        join_all(threads, attempts, -ECANCELED);
    }
    tear_down();
}

GreenTest(wait, a_cancelled_thread_cannot_wait)
{
    struct green *threads[ROWS];
    struct attempt attempts[ROWS];
    set_up();
    start_all(threads, attempts, NSEC_NEVER);
    for (size_t i = 0; i < ROWS; i++)
        green_cancel(threads[i]);
    join_all(threads, attempts, -ECANCELED);
    tear_down();
}

GreenTest(wait, an_event_is_not_lost_on_one_that_gave_up)
{
    int message = 0;
    set_up();
    for (size_t i = 0; i < ROWS; i++)
        cr_expect_eq(rows[i].wait(run_in(1)), -ETIMEDOUT);
    green_cond_signal(&cond);
    green_sem_post(&sem);
    cr_expect_eq(green_sem_wait(&sem, NSEC_NEVER), 0);
    cr_expect_eq(green_send(&empty, &(int){5}, NSEC_NEVER), 0);
    cr_expect_eq(green_recv(&empty, &message, NSEC_NEVER), 0);
    cr_expect_eq(message, 5);
    cr_expect_eq(green_send(&full, &message, 1), -ETIMEDOUT, "nobody receives any more");
    cr_expect_eq(write(peer, "x", 1), 1);
    cr_expect_eq(green_fd_readable(&fd, NSEC_NEVER), 0);
    tear_down();
}

/* ---- one node on the wheel for all the waits of a thread ---- */

static int wait_far_then_near(void *arg)
{
    (void)arg;
    cr_expect_eq(green_sem_wait(&sem, run_in(1005)), 0);
    cr_expect_eq(green_sem_wait(&sem, run_in(3600 * 1000)), 0, "a longer wait does not end by the shorter one's time");
    cr_expect_eq(green_sem_wait(&sem, run_in(5)), -ETIMEDOUT);
    cr_expect_eq(green_sem_wait(&sem, NSEC_NEVER), 0);
    return 0;
}

GreenTest(wait, a_deadline_that_moved_away_does_not_fire)
{
    green_sem_init(&sem, 0);
    struct green *thread = run_spawn(wait_far_then_near, NULL);
    run_yield();
    green_sem_post(&sem);
    cr_expect_eq(green_sleep(1200 * NSEC_MS), 0);
    green_sem_post(&sem);
    cr_expect_eq(green_sleep(10 * NSEC_MS), 0);
    green_sem_post(&sem);
    cr_expect_eq(run_join(thread), 0);
    cr_expect_eq(green_wheel()->count, 0);
}

/* ---- deaf to cancels ---- */

static int wait_deaf(void *arg)
{
    (void)arg;
    int result = green_suspend_deaf(GREEN_WAIT_TIMER);
    return result == 5 && green_suspend(GREEN_WAIT_TIMER, NSEC_NEVER) == -ECANCELED;
}

GreenTest(wait, a_deaf_wait_ends_by_its_event_alone)
{
    struct green *thread = run_spawn(wait_deaf, NULL);
    run_yield();
    green_cancel(thread);
    cr_expect_eq(green_join(thread, NULL, run_in(2)), -ETIMEDOUT);
    cr_expect(green_wake(thread, 5));
    cr_expect_not(green_wake(thread, 6), "a wait ends once");
    cr_expect_eq(run_join(thread), 1);
}
