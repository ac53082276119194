/* poll_calls_test.c: poll(), select() and epoll_wait() on green threads. */
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include "peers.h"

enum { MANY = 100 };

static struct ends pair;

static void setup(void)
{
    pair = ends_open(SOCK_STREAM);
}

static void teardown(void)
{
    ends_close(&pair);
}

TestSuite(poll_calls, .init = setup, .fini = teardown);

static void say(void)
{
    cr_assert_eq(write(pair.there, "x", 1), 1);
}

/* One call with a timeout of 3 ms and one without; `events` as poll() has them. 0: none came, or -1. */
typedef int ask_fn(int fd, short events, bool patient);

static int ask_poll(int fd, short events, bool patient)
{
    return ours.poll(&(struct pollfd){.fd = fd, .events = events}, 1, patient ? -1 : 3);
}

static int ask_ppoll(int fd, short events, bool patient)
{
    sigset_t none;
    sigemptyset(&none);
    return ours.ppoll(&(struct pollfd){.fd = fd, .events = events}, 1,
                      patient ? NULL : &(struct timespec){.tv_nsec = 3000000}, &none);
}

static void fill_in(fd_set sets[3], int fd, short events)
{
    static const short kinds[] = {POLLIN, POLLOUT, POLLPRI};
    for (int i = 0; i < 3; i++) {
        FD_ZERO(&sets[i]);
        if (events & kinds[i])
            FD_SET(fd, &sets[i]);
    }
}

static int ask_select(int fd, short events, bool patient)
{
    fd_set sets[3];
    fill_in(sets, fd, events);
    struct timeval timeout = {.tv_usec = 3000};
    int found = ours.select(fd + 1, &sets[0], &sets[1], &sets[2], patient ? NULL : &timeout);
    int left = (FD_ISSET(fd, &sets[0]) != 0) + (FD_ISSET(fd, &sets[1]) != 0) + (FD_ISSET(fd, &sets[2]) != 0);
    return found >= 0 && found != left ? MANY : found;
}

static int ask_pselect(int fd, short events, bool patient)
{
    fd_set sets[3];
    fill_in(sets, fd, events);
    return ours.pselect(fd + 1, &sets[0], &sets[1], &sets[2], patient ? NULL : &(struct timespec){.tv_nsec = 3000000},
                        NULL);
}

static int ask_epoll(int fd, short events, bool patient)
{
    int set = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = (uint16_t)events};
    cr_assert_eq(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event), 0);
    int found = ours.epoll_wait(set, &event, 1, patient ? -1 : 3), error = errno;
    close(set);
    errno = error;
    return found;
}

static ask_fn *const ask[] = {ask_poll, ask_ppoll, ask_select, ask_pselect, ask_epoll};

#define each_ask(a) for (size_t a = 0; a < sizeof ask / sizeof *ask; a++)

/* ---- what is refused ---- */

GreenTest(poll_calls, bad_arguments_are_refused_as_by_libc)
{
    struct timespec bad = {.tv_nsec = NSEC_SEC};
    struct timeval negative = {.tv_sec = -1};
    struct epoll_event event;
    fd_set sets[3];
    fill_in(sets, 900, POLLIN);
    expect_error(ours.ppoll(NULL, 0, &bad, NULL), EINVAL);
    expect_error(ours.select(0, NULL, NULL, NULL, &negative), EINVAL);
    expect_error(ours.select(-1, NULL, NULL, NULL, NULL), EINVAL);
    expect_error(ours.pselect(0, NULL, NULL, NULL, &bad, NULL), EINVAL);
    expect_error(ours.select(901, &sets[0], NULL, NULL, NULL), EBADF);
    expect_error(ours.epoll_wait(pair.here, &event, 1, -1), EINVAL);
    expect_error(ours.epoll_wait(900, &event, 1, -1), EBADF);
    expect_error(ours.poll(NULL, 1u << 30, -1), EINVAL);
}

GreenTest(poll_calls, a_number_that_is_not_open_is_found_by_poll)
{
    struct pollfd fd = {.fd = 900, .events = POLLIN};
    cr_expect_eq(ours.poll(&fd, 1, -1), 1);
    cr_expect_eq(fd.revents, POLLNVAL);
}

GreenTest(poll_calls, nothing_comes_within_the_timeout)
{
    each_ask(a)
    {
        errno = EXDEV;
        cr_expect_eq(ask[a](pair.here, POLLIN, false), 0, "call %zu", a);
        cr_expect_eq(ask[a](pair.here, POLLPRI, false), 0, "call %zu", a);
        cr_expect_eq(errno, EXDEV, "errno is left alone");
    }
    cr_expect_eq(ours.poll(NULL, 0, 2), 0);
    cr_expect_eq(ours.poll(&(struct pollfd){.fd = -1}, 1, 2), 0);
    cr_expect_eq(ours.poll(&(struct pollfd){.fd = pair.here}, 1, 2), 0, "no events are events that don't come");
    cr_expect_eq(ours.poll(&(struct pollfd){.fd = pair.here, .events = POLLIN}, 1, 0), 0);
}

struct question {
    size_t ask;
    short events;
};

static int put(void *arg)
{
    const struct question *question = arg;
    int found = ask[question->ask](pair.here, question->events, true);
    run_note('f');
    return found < 0 ? errno : -found;
}

GreenTest(poll_calls, a_cancelled_thread_does_not_wait)
{
    each_ask(a) expect_cancellable(put, &(struct question){a, POLLIN});
}

/* ---- what waits ---- */

GreenTest(poll_calls, who_waits_is_told_what_came)
{
    each_ask(a)
    {
        struct green *thread = run_spawn(put, &(struct question){a, POLLIN});
        settle();
        run_noted();
        cr_expect_str_eq(run_noted(), "");
        say();
        cr_expect_eq(run_join(thread), -1, "call %zu", a);
        cr_expect_str_eq(run_noted(), "f");
        char byte;
        cr_assert_eq(read(pair.here, &byte, 1), 1);
    }
}

GreenTest(poll_calls, both_directions_are_counted_by_select_and_are_one_to_poll)
{
    say();
    cr_expect_eq(ask_poll(pair.here, POLLIN | POLLOUT, true), 1);
    cr_expect_eq(ask_select(pair.here, POLLIN | POLLOUT, true), 2);
    cr_expect_eq(ask_select(pair.here, POLLIN | POLLOUT | POLLPRI, true), 2);
}

GreenTest(poll_calls, an_end_is_told_even_to_who_asks_for_nothing)
{
    struct pollfd fd = {.fd = pair.here};
    close(pair.there);
    cr_expect_eq(ours.poll(&fd, 1, -1), 1);
    cr_expect_eq(fd.revents, POLLHUP);
    cr_expect_eq(ask_select(pair.here, POLLIN, true), 1);
    pair.there = -1;
}

/* The reading end of a pipe that nobody writes to any more. */
static int hung_up(void)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    close(ends[1]);
    return ends[0];
}

GreenTest(poll_calls, a_hang_up_is_neither_room_nor_urgent_and_keeps_nobody_awake)
{
    int fd = hung_up();
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    cr_expect_eq(ask_select(fd, POLLPRI, false), 0);
    cr_expect_eq(ask_select(fd, POLLOUT, false), 0);
    cr_expect_eq(ask_pselect(fd, POLLPRI | POLLOUT, false), 0);
    getrusage(RUSAGE_SELF, &after);
    cr_expect_lt(after.ru_nvcsw + after.ru_nivcsw - before.ru_nvcsw - before.ru_nivcsw, 50);
    close(fd);
}

static struct pollfd many[MANY];

static int poll_many(void *arg)
{
    (void)arg;
    int found = ours.poll(many, MANY, -1);
    run_note('f');
    return found;
}

static int select_many(void *arg)
{
    (void)arg;
    fd_set set;
    FD_ZERO(&set);
    for (int i = 0; i < MANY; i++)
        FD_SET(many[i].fd, &set);
    int found = ours.select(many[MANY - 1].fd + 1, &set, NULL, NULL, NULL);
    for (int i = 0; i < MANY; i++)
        if (FD_ISSET(many[i].fd, &set))
            many[i].revents = POLLIN;
    return found;
}

GreenTest(poll_calls, any_of_many_ends_the_wait)
{
    static green_fn *const fns[] = {poll_many, select_many};
    for (size_t f = 0; f < 2; f++) {
        for (int i = 0; i < MANY; i++)
            many[i] = (struct pollfd){.fd = eventfd(0, EFD_CLOEXEC), .events = POLLIN};
        struct green *thread = run_spawn(fns[f], NULL);
        settle();
        eventfd_write(many[MANY / 2].fd, 1);
        cr_expect_eq(run_join(thread), 1);
        for (int i = 0; i < MANY; i++) {
            cr_expect_eq(many[i].revents, i == MANY / 2 ? POLLIN : 0);
            close(many[i].fd);
        }
    }
}

static int poll_once(void *arg)
{
    (void)arg;
    int found = ask_poll(pair.here, POLLIN, true);
    run_note('f');
    return found;
}

GreenTest(poll_calls, all_threads_that_look_at_one_descriptor_see_it)
{
    struct green *threads[MANY];
    for (int i = 0; i < MANY; i++)
        threads[i] = run_spawn(poll_once, NULL);
    settle();
    say();
    for (int i = 0; i < MANY; i++)
        cr_expect_eq(run_join(threads[i]), 1);
    cr_expect_eq(strlen(run_noted()), MANY);
}

GreenTest(poll_calls, select_tells_what_is_left_of_its_timeout)
{
    struct timeval timeout = {.tv_sec = 100}, over = {.tv_usec = 2000};
    cr_expect_eq(ours.select(pair.here + 1, NULL, &(fd_set){{1L << pair.here}}, NULL, &timeout), 1);
    cr_expect_lt(timeout.tv_sec, 100);
    cr_expect_gt(timeout.tv_sec, 0);
    cr_expect_eq(ours.select(0, NULL, NULL, NULL, &over), 0);
    cr_expect_eq(over.tv_sec, 0);
    cr_expect_eq(over.tv_usec, 0);
}

GreenTest(poll_calls, select_knows_descriptors_beyond_its_own_sets)
{
    enum { FAR = 2000 };
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max <= FAR)
        cr_skip_test("too few descriptors");
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){limit.rlim_max, limit.rlim_max});
    cr_assert_eq(dup2(pair.here, FAR), FAR);
    unsigned long *set = calloc(1, FAR / 8 + sizeof *set);
    set[FAR / 64] = 1ul << FAR % 64;
    say();
    cr_expect_eq(ours.select(FAR + 1, (fd_set *)(void *)set, NULL, NULL, NULL), 1);
    cr_expect_eq(set[FAR / 64], 1ul << FAR % 64);
    free(set);
    close(FAR);
}
