/* sleep_calls_test.c: sleeping on green threads. */
#include "peers.h"

/* ---- what is refused ---- */

GreenTest(sleep_calls, what_is_no_time_is_refused_as_by_libc)
{
    static const struct timespec bad[] = {{.tv_nsec = NSEC_SEC}, {.tv_nsec = -1}, {.tv_sec = -1}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        expect_error(ours.nanosleep(&bad[i], NULL), EINVAL);
        cr_expect_eq(ours.clock_nanosleep(CLOCK_MONOTONIC, 0, &bad[i], NULL), EINVAL);
    }
    cr_expect_eq(ours.clock_nanosleep(1234, 0, &(struct timespec){0}, NULL), EINVAL);
}

static const struct timespec minute = {.tv_sec = 60};
static struct timespec left;

static int sleep_by_sleep(void *arg)
{
    (void)arg;
    return (int)ours.sleep(60);
}

static int sleep_by_usleep(void *arg)
{
    (void)arg;
    return ours.usleep(60000000) < 0 ? errno : 0;
}

static int sleep_by_nanosleep(void *arg)
{
    (void)arg;
    return ours.nanosleep(&minute, &left) < 0 ? errno : 0;
}

static int sleep_by_clock(void *arg)
{
    (void)arg;
    return ours.clock_nanosleep(CLOCK_REALTIME, 0, &minute, &left);
}

static int sleep_until_then(void *arg)
{
    (void)arg;
    struct timespec then;
    clock_gettime(CLOCK_REALTIME, &then);
    then.tv_sec += 60;
    return ours.clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &then, &left);
}

GreenTest(sleep_calls, a_cancelled_thread_wakes_and_says_what_was_left)
{
    struct green *thread = run_spawn(sleep_by_sleep, NULL);
    settle();
    green_cancel(thread);
    cr_expect_eq(run_join(thread), 60, "seconds are rounded up");
    expect_cancellable(sleep_by_usleep, NULL);
    expect_cancellable(sleep_by_nanosleep, NULL);
    cr_expect_eq(left.tv_sec, 59);
    left.tv_sec = 0;
    expect_cancellable(sleep_by_clock, NULL);
    cr_expect_eq(left.tv_sec, 59);
    left.tv_sec = -1;
    expect_cancellable(sleep_until_then, NULL);
    cr_expect_eq(left.tv_sec, -1, "of a point in time nothing is left");
}

/* Takes no notice of being cancelled. */
static int sleep_on(void *seen)
{
    while (!*(bool *)seen)
        (void)ours.usleep(1000);
    return 0;
}

GreenTest(sleep_calls, a_cancelled_thread_that_goes_on_lets_others_run)
{
    bool seen = false;
    struct green *thread = run_spawn(sleep_on, &seen);
    settle();
    green_cancel(thread);
    run_yield();
    run_yield();
    seen = true;
    cr_expect_eq(run_join(thread), 0);
}

static int sleep_out(void *rounds)
{
    for (unsigned rest = 60; rest; rest = ours.sleep(rest))
        ++*(int *)rounds;
    return 0;
}

GreenTest(sleep_calls, who_sleeps_for_what_was_left_comes_to_an_end)
{
    int rounds = 0;
    struct green *thread = run_spawn(sleep_out, &rounds);
    settle();
    green_cancel(thread);
    cr_expect_eq(run_join(thread), 0);
    cr_expect_eq(rounds, 2);
}

/* ---- sleeping ---- */

struct sleeper {
    char name;
    int msec;
};

static int sleep_and_note(void *arg)
{
    const struct sleeper *sleeper = arg;
    struct timespec time = {.tv_nsec = sleeper->msec * NSEC_MS};
    nsec before = clock_monotonic();
    errno = EXDEV;
    cr_expect_eq(ours.nanosleep(&time, NULL), 0);
    cr_expect_eq(errno, EXDEV, "errno is left alone");
    cr_expect_geq(clock_monotonic() - before, sleeper->msec * NSEC_MS, "never too early");
    run_note(sleeper->name);
    return 0;
}

GreenTest(sleep_calls, all_sleep_at_once_and_wake_in_the_order_of_their_times)
{
    static struct sleeper sleepers[] = {{'c', 60}, {'a', 20}, {'b', 40}, {'d', 80}};
    struct green *threads[4];
    for (int i = 0; i < 4; i++)
        threads[i] = run_spawn(sleep_and_note, &sleepers[i]);
    for (int i = 0; i < 4; i++)
        cr_expect_eq(run_join(threads[i]), 0);
    cr_expect_str_eq(run_noted(), "abcd");
}

static int note(void *arg)
{
    (void)arg;
    run_note('n');
    return 0;
}

GreenTest(sleep_calls, no_time_at_all_gives_way_to_others)
{
    struct timespec past = {0};
    struct green *threads[4];
    for (int i = 0; i < 4; i++)
        threads[i] = run_spawn(note, NULL);
    cr_expect_eq(ours.usleep(0), 0);
    cr_expect_str_eq(run_noted(), "nnnn");
    for (int i = 0; i < 4; i++)
        cr_expect_eq(run_join(threads[i]), 0);
    cr_expect_eq(ours.sleep(0), 0);
    cr_expect_eq(ours.clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL), 0);
}

Test(sleep_calls, off_green_threads_it_is_libcs)
{
    cr_expect_eq(ours.usleep(1), 0);
    cr_expect_eq(ours.nanosleep(&(struct timespec){.tv_nsec = 1}, NULL), 0);
    cr_expect_eq(ours.sleep(0), 0);
}
