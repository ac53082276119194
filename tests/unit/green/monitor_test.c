/* monitor_test.c: who keeps the loop is caught; who does not is left alone, and so is everybody while it sleeps. */
#include "green/monitor.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../kept.h"
#include "../../naps.h"
#include "base/scoreboard.h"
#include "green/core.h"
#include "green/fd.h"
#include "green/sync.h"
#include "run.h"

#define STALL (50 * NSEC_MS)
#define LONG (4 * STALL)

static struct stall_log stalls;
static struct score score;

#define WATCHED .stall = STALL, .stalls = &stalls, .score = &score, .accounts = true

TestSuite(monitor, .init = run_needs_memory);

KEPT unsigned compute_for(nsec duration);

KEPT unsigned compute_for(nsec duration)
{
    unsigned turns = 0;
    for (nsec end = clock_monotonic() + duration; clock_monotonic() < end;)
        for (volatile int i = 0; i < 100; i++)
            turns++;
    return turns;
}

/* The record of that number, once it is over. */
static struct stall stall_of(uint64_t number)
{
    struct stall stall = {0};
    while (!stall_read(&stalls, number % STALLS_KEPT, &stall) || stall.number != number || !stall.over)
        cr_assert_eq(green_sleep(NSEC_MS), 0);
    return stall;
}

/* ---- who is caught ---- */

static int compute(void *arg)
{
    (void)arg;
    static const struct green_label label = {STR_INIT("module spin"), STR_INIT("/spin/")};
    green_label(&label);
    green_describe(STR("GET /spin/?secret=1 HTTP/1.1\r\x1b\xe4"));
    return compute_for(LONG) > 0;
}

GreenTest(monitor, one_that_computes, WATCHED)
{
    struct green *thread = run_spawn(compute, NULL);
    uint64_t number = thread->number;
    cr_expect_eq(run_join(thread), 1);
    struct stall stall = stall_of(1);
    cr_expect_eq(stall.thread, number);
    cr_expect_eq(stall.pid, (uint64_t)getpid());
    cr_expect_str_eq(stall.name, "test");
    cr_expect_str_eq(stall.handler, "module spin");
    cr_expect_str_eq(stall.route, "/spin/");
    cr_expect_str_eq(stall.request, "GET /spin/?... HTTP/1.1...");
    cr_expect_eq(strncmp(stall.cause, "CPU", 3), 0, "%s", stall.cause);
    cr_expect_geq(stall.lasted, STALL);
    cr_expect_gt(stall.at, INT64_C(1700000000) * NSEC_SEC);
    cr_expect_eq(stalls.count, 1);
    cr_expect_eq(score.stalls, 1);
#if !defined(TERN_TSAN) /* which keeps signals back until a thread waits */
    cr_expect_not_null(strstr(stall.trace, " compute_for+0x"), "%s", stall.trace);
    cr_expect_not_null(strstr(stall.trace, " run+0x"), "%s", stall.trace);
#endif
}

/* By a system call that nobody stands before, with the registers that libc leaves behind. */
KEPT long sleep_raw(nsec duration, struct timespec *left);

KEPT long sleep_raw(nsec duration, struct timespec *left)
{
    struct timespec time = {duration / NSEC_SEC, duration % NSEC_SEC};
    long result = syscall(SYS_nanosleep, &time, left, 0L, 0L, 0L, 0L);
    return result ? result : 1;
}

static int block(void *arg)
{
    struct timespec left;
    nsec before = clock_monotonic();
    long result = sleep_raw(LONG, &left);
    *(nsec *)arg = clock_monotonic() - before;
    return (int)result;
}

GreenTest(monitor, one_that_sleeps_in_the_kernel_sleeps_on, WATCHED)
{
    nsec slept = 0;
    cr_expect_eq(run_join(run_spawn(block, &slept)), 1, "it was woken");
    cr_expect_geq(slept, LONG);
    struct stall stall = stall_of(1);
    cr_expect_str_eq(stall.cause, "system call nanosleep");
    cr_expect_str_eq(stall.request, "");
    cr_expect_str_eq(stall.handler, "");
    cr_expect_not_null(strstr(stall.trace, " sleep_raw+0x"), "%s", stall.trace);
    cr_expect_not_null(strstr(stall.trace, " block+0x"), "%s", stall.trace);
}

static struct green_cond called;

static void compute_on_the_loop(struct green_fd *fd)
{
    (void)fd;
    compute_for(LONG);
    green_cond_broadcast(&called);
}

GreenTest(monitor, a_callback_on_the_loop, WATCHED)
{
    int ends[2];
    struct green_fd fd;
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    green_cond_init(&called);
    green_fd_init(&fd, ends[0]);
    green_fd_park(&fd, compute_on_the_loop);
    cr_assert_eq(write(ends[1], "x", 1), 1);
    cr_assert_eq(green_cond_wait(&called, NULL, NSEC_NEVER), 0);
    struct stall stall = stall_of(1);
    cr_expect_eq(stall.thread, 0);
    cr_expect_str_eq(stall.name, "");
    cr_expect_eq(strncmp(stall.cause, "CPU", 3), 0, "%s", stall.cause);
    green_fd_unpark(&fd);
    green_fd_release(&fd);
    close(ends[0]);
    close(ends[1]);
}

GreenTest(monitor, each_is_counted, WATCHED)
{
    enum { TIMES = 3 };
    for (uint64_t i = 1; i <= TIMES; i++) {
        cr_expect_eq(run_join(run_spawn(compute, NULL)), 1);
        cr_expect_eq(stall_of(i).number, i);
    }
    cr_expect_eq(stalls.count, TIMES);
    cr_expect_eq(score.stalls, TIMES);
}

/* ---- who is not ---- */

GreenTest(monitor, who_gives_way_is_left_alone, .stall = 10 * NSEC_SEC, .stalls = &stalls, .score = &score)
{
    for (int i = 0; i < 20; i++) {
        compute_for(NSEC_MS);
        run_yield();
    }
    cr_expect_eq(stalls.count, 0);
}

GreenTest(monitor, nobody_is_watched_without_a_limit, .stalls = &stalls, .score = &score)
{
    cr_expect_eq(run_join(run_spawn(compute, NULL)), 1);
    cr_assert_eq(green_sleep(STALL), 0);
    cr_expect_eq(stalls.count, 0);
    cr_expect_eq(score.stalls, 0);
}

/* Neither a log nor a scoreboard. */
GreenTest(monitor, there_need_not_be_a_record, .stall = STALL)
{
    cr_expect_eq(run_join(run_spawn(compute, NULL)), 1);
    cr_assert_eq(green_sleep(STALL), 0);
}

Test(monitor, its_signal_does_afterwards_what_it_did_before)
{
    struct sigaction action;
    cr_assert_eq(green_run(&(struct green_options){WATCHED}, compute, NULL), 1);
    cr_assert_eq(sigaction(SIGURG, NULL, &action), 0);
    cr_expect_eq(action.sa_handler, SIG_DFL);
}

/* ---- sleep ---- */

/* It goes to sleep a second after the loop, and each of our own wake-ups costs it two. */
GreenTest(monitor, while_the_loop_sleeps_it_does, WATCHED)
{
    cr_assert_eq(green_sleep(2 * NSEC_SEC), 0);
    long before = naps(getpid(), "monitor");
    cr_assert_geq(before, 0);
    cr_assert_eq(green_sleep(3 * NSEC_SEC), 0);
    cr_expect_leq(naps(getpid(), "monitor") - before, 4, "%ld times", naps(getpid(), "monitor") - before);
    cr_expect_eq(run_join(run_spawn(compute, NULL)), 1);
    cr_expect_eq(stall_of(1).number, 1, "it sleeps on");
}
