/* offload_test.c: jobs for the blocking pool: refused, given up in time or too late, and many at once. */
#include "green/offload.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "green/scope.h"
#include "run.h"

/* ---- a system that refuses threads ---- */

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *), void *arg);

static int threads_allowed = 1000;

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *), void *arg)
{
    return threads_allowed-- > 0 ? __real_pthread_create(thread, attr, start, arg) : EAGAIN;
}

/* ---- jobs that last until they are let go ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int started, let_go;

static void wait_to_be_let_go(void *arg)
{
    pthread_mutex_lock(&lock);
    started++;
    while (!let_go)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    ++*(int *)arg;
}

static void let_them_go(void)
{
    pthread_mutex_lock(&lock);
    let_go = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void await_started(int count)
{
    for (int now = 0; now < count;) {
        cr_assert_eq(green_sleep(NSEC_MS), 0);
        pthread_mutex_lock(&lock);
        now = started;
        pthread_mutex_unlock(&lock);
    }
}

static void count(void *arg)
{
    ++*(int *)arg;
}

static int offload_wait(void *arg)
{
    return green_offload(wait_to_be_let_go, arg, NSEC_NEVER);
}

static int offload_wait_near(void *arg)
{
    return green_offload(wait_to_be_let_go, arg, run_in(5));
}

/* ---- what is refused ---- */

GreenTest(offload, without_threads_it_fails_softly)
{
    int ran = 0;
    threads_allowed = 0;
    cr_expect_eq(green_offload(count, &ran, NSEC_NEVER), -EAGAIN);
    cr_expect_eq(ran, 0);
    threads_allowed = 1;
    cr_expect_eq(green_offload(count, &ran, NSEC_NEVER), 0, "one of the four is enough");
    cr_expect_eq(ran, 1);
}

GreenTest(offload, a_full_queue_refuses, .pool = 1, .pool_queue = 2)
{
    struct green *threads[3];
    int ran = 0, more = 0;
    threads[0] = run_spawn(offload_wait, &ran);
    await_started(1);
    threads[1] = run_spawn(offload_wait, &ran);
    threads[2] = run_spawn(offload_wait, &ran);
    run_yield();
    cr_expect_eq(green_offload(count, &more, NSEC_NEVER), -EAGAIN);
    green_cancel(threads[2]);
    cr_expect_eq(run_join(threads[2]), -ECANCELED);
    threads[2] = run_spawn(offload_wait, &ran); /* there is room again */
    let_them_go();
    for (size_t i = 0; i < 3; i++)
        cr_expect_eq(run_join(threads[i]), 0);
    cr_expect_eq(ran, 3);
    cr_expect_eq(more, 0);
}

/* ---- jobs that are given up ---- */

GreenTest(offload, a_queued_job_that_is_given_up_never_runs, .pool = 1)
{
    int ran = 0, given_up = 0;
    struct green *first = run_spawn(offload_wait, &ran);
    await_started(1);
    struct green *cancelled = run_spawn(offload_wait, &given_up);
    run_yield();
    green_cancel(cancelled);
    cr_expect_eq(green_offload(count, &given_up, run_in(2)), -ETIMEDOUT);
    cr_expect_eq(green_offload(count, &given_up, 0), -ETIMEDOUT);
    cr_expect_eq(run_join(cancelled), -ECANCELED);
    let_them_go();
    cr_expect_eq(run_join(first), 0);
    cr_expect_eq(green_offload(count, &ran, NSEC_NEVER), 0, "the next one does");
    cr_expect_eq(ran, 2);
    cr_expect_eq(given_up, 0);
}

GreenTest(offload, a_job_that_runs_is_waited_for)
{
    int ran = 0;
    struct green *cancelled = run_spawn(offload_wait, &ran), *late = run_spawn(offload_wait_near, &ran);
    await_started(2);
    green_cancel(cancelled);
    cr_expect_eq(green_sleep(10 * NSEC_MS), 0);
    cr_expect_eq(green_join(cancelled, NULL, run_in(2)), -ETIMEDOUT);
    cr_expect_eq(green_join(late, NULL, run_in(2)), -ETIMEDOUT);
    cr_expect_eq(ran, 0);
    let_them_go();
    cr_expect_eq(run_join(cancelled), 0, "it has run");
    cr_expect_eq(run_join(late), 0, "it has run");
    cr_expect_eq(ran, 2);
}

static int offload_cancelled(void *arg)
{
    green_cancel(green_self());
    return green_offload(count, arg, NSEC_NEVER);
}

GreenTest(offload, the_result_says_whether_it_ran_even_in_a_race)
{
    for (int i = 0; i < 200; i++) {
        int ran = 0, result = run_join(run_spawn(offload_cancelled, &ran));
        cr_assert(result == (ran ? 0 : -ECANCELED));
        ran = 0;
        result = green_offload(count, &ran, green_now() + 1 + i * 1000);
        cr_assert(result == (ran ? 0 : -ETIMEDOUT));
    }
}

/* ---- jobs ---- */

struct sum {
    int from, to;
    long result;
};

static void add_up(void *arg)
{
    struct sum *sum = arg;
    sum->result = 0;
    for (int i = sum->from; i < sum->to; i++)
        sum->result += i;
}

static int offload_sums(void *arg)
{
    int first = *(int *)arg;
    for (int i = 0; i < 20; i++) {
        struct sum sum = {first + i, first + 100, -1};
        int error = green_offload(add_up, &sum, NSEC_NEVER);
        if (error)
            return error;
        if (sum.result != (long)(sum.from + sum.to - 1) * (sum.to - sum.from) / 2)
            return -EIO;
    }
    return 0;
}

GreenTest(offload, many_threads_get_each_its_own_result)
{
    struct green_scope scope;
    int firsts[200];
    green_scope_enter(&scope);
    for (int i = 0; i < 200; i++) {
        firsts[i] = i;
        cr_assert_eq(green_scope_go(&scope, "sums", offload_sums, &firsts[i]), 0);
    }
    cr_expect_eq(green_scope_join(&scope, NSEC_NEVER), 0);
    green_scope_leave(&scope);
}

GreenTest(offload, the_others_go_on_meanwhile)
{
    int ran = 0;
    struct green *thread = run_spawn(offload_wait, &ran);
    await_started(1); /* sleeps */
    cr_expect_eq(ran, 0);
    let_them_go();
    cr_expect_eq(run_join(thread), 0);
}

struct view {
    pthread_t thread;
    int signals;
};

static void look(void *arg)
{
    struct view *view = arg;
    sigset_t blocked;
    view->thread = pthread_self();
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    view->signals = !sigismember(&blocked, SIGTERM) + !sigismember(&blocked, SIGCHLD) + !sigismember(&blocked, SIGHUP);
}

GreenTest(offload, jobs_run_elsewhere_with_signals_blocked)
{
    struct view job = {.signals = -1}, here;
    cr_expect_eq(green_offload(look, &job, NSEC_NEVER), 0);
    look(&here);
    cr_expect_not(pthread_equal(job.thread, here.thread));
    cr_expect_eq(job.signals, 0);
    cr_expect_eq(here.signals, 3, "ours are as they were");
}
