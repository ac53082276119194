/* fd_test.c: waiting for descriptors: events that somebody awaits and events that nobody does, parking, closing. */
#include "green/fd.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run.h"

/* ---- how often the loop looks at the clock: once each time that it polls ---- */

int __real_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);

static unsigned clock_reads;

int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
    clock_reads++;
    return __real_clock_gettime(clock, time);
}

/* Lets the loop poll, and run what that wakes or starts. */
static void settle(void)
{
    cr_expect_eq(green_sleep(NSEC_MS), 0);
    run_yield();
}

static void expect_quiet(void)
{
    unsigned before = clock_reads;
    cr_expect_eq(green_sleep(20 * NSEC_MS), 0);
    cr_expect_lt(clock_reads - before, 20, "the loop is kept awake");
    run_yield();
}

/* ---- a green_fd and its peer ---- */

static struct green_fd fd;
static int peer;

static void setup(void)
{
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    green_fd_init(&fd, ends[0]);
    peer = ends[1];
}

TestSuite(fd, .init = setup);

static void say(const char *text)
{
    cr_assert_eq(write(peer, text, strlen(text)), (ssize_t)strlen(text));
}

static const char *hear(void)
{
    static char text[64];
    ssize_t n = read(fd.fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void fill(void)
{
    char bytes[4096] = {0};
    while (write(fd.fd, bytes, sizeof bytes) > 0)
        ;
    cr_assert_eq(errno, EAGAIN);
}

static void drain(void)
{
    char bytes[4096];
    while (read(peer, bytes, sizeof bytes) > 0)
        ;
    cr_assert_eq(errno, EAGAIN);
}

static int await_readable(void *arg)
{
    (void)arg;
    int result = green_fd_readable(&fd, NSEC_NEVER);
    run_note('r');
    return result;
}

static int await_writable(void *arg)
{
    (void)arg;
    int result = green_fd_writable(&fd, NSEC_NEVER);
    run_note('w');
    return result;
}

/* ---- closing ---- */

GreenTest(fd, a_close_ends_both_waits)
{
    fill();
    struct green *reader = run_spawn(await_readable, NULL), *writer = run_spawn(await_writable, NULL);
    run_yield();
    int number = fd.fd;
    green_fd_close(&fd);
    cr_expect_eq(run_join(reader), -EBADF);
    cr_expect_eq(run_join(writer), -EBADF);
    cr_expect_eq(fcntl(number, F_GETFD), -1, "it is closed");
    expect_quiet();
}

GreenTest(fd, a_closed_one_is_not_waited_for)
{
    green_fd_close(&fd);
    cr_expect_eq(green_fd_readable(&fd, NSEC_NEVER), -EBADF);
    cr_expect_eq(green_fd_writable(&fd, NSEC_NEVER), -EBADF);
}

GreenTest(fd, a_released_one_stays_open)
{
    struct green *reader = run_spawn(await_readable, NULL);
    run_yield();
    green_fd_release(&fd);
    cr_expect_eq(run_join(reader), -EBADF);
    say("still there");
    cr_expect_str_eq(hear(), "still there");
    close(fd.fd);
}

GreenTest(fd, its_number_may_be_anothers_right_after_a_close)
{
    for (int i = 0; i < 10; i++) {
        int number = fd.fd;
        say("x");
        cr_expect_eq(green_fd_readable(&fd, NSEC_NEVER), 0);
        green_fd_close(&fd);
        close(peer);
        setup();
        cr_expect_eq(fd.fd, number);
        cr_expect_eq(green_fd_readable(&fd, run_in(1)), -ETIMEDOUT);
    }
    green_fd_close(&fd);
}

GreenTest(fd, the_end_of_the_peer_ends_both_waits)
{
    fill();
    struct green *reader = run_spawn(await_readable, NULL), *writer = run_spawn(await_writable, NULL);
    run_yield();
    close(peer);
    cr_expect_eq(run_join(reader), 0);
    cr_expect_eq(run_join(writer), 0);
    green_fd_close(&fd);
}

/* ---- reading and writing ---- */

GreenTest(fd, it_waits_until_there_is_something_to_read)
{
    struct green *reader = run_spawn(await_readable, NULL);
    for (int i = 0; i < 3; i++) {
        settle();
        cr_expect_str_eq(run_noted(), "");
        say("hello");
        cr_expect_eq(run_join(reader), 0);
        cr_expect_str_eq(run_noted(), "r");
        cr_expect_str_eq(hear(), "hello");
        reader = run_spawn(await_readable, NULL);
    }
    green_cancel(reader);
    cr_expect_eq(run_join(reader), -ECANCELED);
    green_fd_close(&fd);
}

GreenTest(fd, it_waits_until_there_is_room_to_write)
{
    cr_expect_eq(green_fd_writable(&fd, run_in(1000)), 0);
    for (int i = 0; i < 3; i++) {
        fill();
        cr_expect_eq(green_fd_writable(&fd, run_in(2)), -ETIMEDOUT);
        struct green *writer = run_spawn(await_writable, NULL);
        run_yield();
        drain();
        cr_expect_eq(run_join(writer), 0);
    }
    green_fd_close(&fd);
}

GreenTest(fd, an_event_that_nobody_awaits_is_remembered_and_lets_the_loop_sleep)
{
    cr_expect_eq(green_fd_readable(&fd, run_in(1)), -ETIMEDOUT);
    say("a");
    expect_quiet();
    cr_expect(fd.readable);
    cr_expect_eq(green_fd_readable(&fd, 0), 0, "no deadline is too short for what has happened");
    cr_expect_str_eq(hear(), "a");
    cr_expect_eq(green_fd_readable(&fd, run_in(1)), -ETIMEDOUT, "and then it waits again");
    say("b");
    cr_expect_eq(green_fd_readable(&fd, NSEC_NEVER), 0);
    expect_quiet();
    green_fd_close(&fd);
}

GreenTest(fd, room_that_nobody_waits_for_lets_the_loop_sleep)
{
    cr_expect_eq(green_fd_writable(&fd, NSEC_NEVER), 0);
    expect_quiet();
    cr_expect_eq(green_fd_readable(&fd, run_in(1)), -ETIMEDOUT);
    say("a");
    cr_expect_eq(green_fd_readable(&fd, NSEC_NEVER), 0);
    green_fd_close(&fd);
}

GreenTest(fd, a_writer_goes_on_waiting_when_something_comes_that_nobody_reads)
{
    cr_expect_eq(green_fd_readable(&fd, run_in(1)), -ETIMEDOUT);
    fill();
    struct green *writer = run_spawn(await_writable, NULL);
    run_yield();
    say("pipelined");
    expect_quiet();
    cr_expect_str_eq(run_noted(), "");
    drain();
    cr_expect_eq(green_join(writer, NULL, run_in(1000)), 0);
    cr_expect_str_eq(run_noted(), "w");
    cr_expect_eq(green_fd_readable(&fd, 0), 0);
    cr_expect_str_eq(hear(), "pipelined");
    green_fd_close(&fd);
}

GreenTest(fd, a_writer_that_starts_to_wait_after_that_is_woken_too)
{
    cr_expect_eq(green_fd_readable(&fd, run_in(1)), -ETIMEDOUT);
    say("early");
    fill();
    expect_quiet();
    struct green *writer = run_spawn(await_writable, NULL);
    expect_quiet();
    drain();
    cr_expect_eq(green_join(writer, NULL, run_in(1000)), 0);
    green_fd_close(&fd);
}

GreenTest(fd, a_reader_and_a_writer_are_woken_each_by_its_own)
{
    fill();
    struct green *reader = run_spawn(await_readable, NULL), *writer = run_spawn(await_writable, NULL);
    run_yield();
    say("x");
    cr_expect_eq(run_join(reader), 0);
    cr_expect_str_eq(run_noted(), "r");
    cr_expect_str_eq(hear(), "x");
    reader = run_spawn(await_readable, NULL);
    run_yield();
    drain();
    cr_expect_eq(run_join(writer), 0);
    cr_expect_str_eq(run_noted(), "w");
    say("y");
    cr_expect_eq(run_join(reader), 0);
    green_fd_close(&fd);
}

/* ---- parking ---- */

static int serve(void *arg)
{
    struct green_fd *parked = arg;
    run_note(hear()[0]);
    return parked == &fd ? 0 : -EINVAL;
}

static void on_readable(struct green_fd *parked)
{
    run_note(green_self() ? 'G' : 'L');
    cr_expect_eq(green_go("serve", serve, parked), 0);
}

GreenTest(fd, a_parked_one_calls_back_once_on_the_loops_stack)
{
    green_fd_park(&fd, on_readable);
    settle();
    cr_expect_str_eq(run_noted(), "");
    say("a");
    settle();
    cr_expect_str_eq(run_noted(), "La");
    say("b");
    expect_quiet();
    cr_expect_str_eq(run_noted(), "", "it is not parked any more");
    cr_expect(fd.readable);
    green_fd_park(&fd, on_readable);
    settle();
    cr_expect_str_eq(run_noted(), "Lb", "what came before it was parked counts");
    green_fd_close(&fd);
}

GreenTest(fd, parking_again_and_again)
{
    for (int i = 0; i < 5; i++) {
        green_fd_park(&fd, on_readable);
        say("p");
        settle();
        cr_expect_str_eq(run_noted(), "Lp");
    }
    green_fd_close(&fd);
}

GreenTest(fd, a_parked_one_does_not_watch_for_room)
{
    fill();
    cr_expect_eq(green_fd_writable(&fd, run_in(1)), -ETIMEDOUT);
    green_fd_park(&fd, on_readable);
    drain();
    expect_quiet();
    cr_expect_str_eq(run_noted(), "");
    green_fd_close(&fd);
}

static void close_it(struct green_fd *parked)
{
    run_note('c');
    green_fd_close(parked);
}

GreenTest(fd, the_callback_may_close)
{
    green_fd_park(&fd, close_it);
    close(peer);
    expect_quiet();
    cr_expect_str_eq(run_noted(), "c");
    cr_expect_eq(fd.fd, -1);
}

/* ---- both directions in one wait ---- */

static int await_either(void *arg)
{
    return green_fd_ready(&fd, *(int *)arg, NSEC_NEVER);
}

GreenTest(fd, either_direction_ends_one_wait)
{
    int both = GREEN_READABLE | GREEN_WRITABLE, one = GREEN_READABLE;
    cr_expect_eq(green_fd_ready(&fd, both, NSEC_NEVER), GREEN_WRITABLE);
    fill();
    struct green *thread = run_spawn(await_either, &both);
    settle();
    drain();
    cr_expect_eq(run_join(thread), GREEN_WRITABLE);
    fill();
    thread = run_spawn(await_either, &both);
    settle();
    say("x");
    cr_expect_eq(run_join(thread), GREEN_READABLE);
    drain();
    cr_expect_eq(green_fd_ready(&fd, both, NSEC_NEVER), both, "both at once");
    cr_expect_str_eq(hear(), "x");
    thread = run_spawn(await_either, &one);
    expect_quiet();
    green_cancel(thread);
    cr_expect_eq(run_join(thread), -ECANCELED, "room to write was not asked for");
    green_fd_close(&fd);
}

static int await_room(void *arg)
{
    (void)arg;
    return green_fd_writable(&fd, NSEC_NEVER);
}

/* Waits for either direction, then for room alone, on a descriptor that has none. */
static void begin_both(struct green **either, struct green **writer)
{
    static int both = GREEN_READABLE | GREEN_WRITABLE;
    fill();
    *either = run_spawn(await_either, &both);
    settle();
    *writer = run_spawn(await_room, NULL);
    settle();
}

/* The end of one wait leaves the other one alone. */
GreenTest(fd, a_writer_takes_its_direction_over)
{
    struct green *either, *writer;
    begin_both(&either, &writer);
    say("x");
    cr_expect_eq(run_join(either), GREEN_READABLE);
    cr_expect_eq(green_join(writer, NULL, run_in(1)), -ETIMEDOUT);
    drain();
    cr_expect_eq(run_join(writer), 0);
    green_fd_close(&fd);
}

GreenTest(fd, a_writer_leaves_the_other_direction)
{
    struct green *either, *writer;
    begin_both(&either, &writer);
    drain();
    cr_expect_eq(run_join(writer), 0);
    cr_expect_eq(green_join(either, NULL, run_in(1)), -ETIMEDOUT);
    say("x");
    cr_expect_eq(run_join(either) & GREEN_READABLE, GREEN_READABLE);
    green_fd_close(&fd);
}

GreenTest(fd, an_interrupt_ends_a_wait_and_is_not_remembered)
{
    static int directions[] = {0, GREEN_READABLE, GREEN_READABLE | GREEN_WRITABLE};
    fill();
    for (size_t i = 0; i < sizeof directions / sizeof *directions; i++) {
        green_fd_interrupt(&fd);
        struct green *thread = run_spawn(await_either, &directions[i]);
        expect_quiet();
        green_fd_interrupt(&fd);
        cr_expect_eq(run_join(thread), -EINTR);
        cr_expect_eq(green_fd_ready(&fd, directions[i], run_in(1)), -ETIMEDOUT);
    }
    struct green *reader = run_spawn(await_readable, NULL);
    settle();
    green_fd_interrupt(&fd);
    settle();
    cr_expect_str_eq(run_noted(), "", "a plain wait is not interrupted");
    green_fd_close(&fd);
    cr_expect_eq(run_join(reader), -EBADF);
}

GreenTest(fd, an_end_that_nobody_asks_about_lets_the_loop_sleep)
{
    int nothing = 0;
    cr_expect_eq(green_fd_ready(&fd, GREEN_READABLE, run_in(1)), -ETIMEDOUT);
    shutdown(peer, SHUT_WR);
    struct green *thread = run_spawn(await_either, &nothing);
    expect_quiet();
    green_fd_interrupt(&fd);
    cr_expect_eq(run_join(thread), -EINTR);
    cr_expect_eq(green_fd_ready(&fd, GREEN_READABLE, NSEC_NEVER), GREEN_READABLE);
    green_fd_close(&fd);
}
