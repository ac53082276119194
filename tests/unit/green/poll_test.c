/* poll_test.c: waiting for descriptors of others: what can't be waited for, who is woken by what, and numbers that
 * become others'. */
#include "green/poll.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "green/spent.h"
#include "run.h"

enum { MANY = 100 };

static int ends[2]; /* of a stream */

static void setup(void)
{
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
}

TestSuite(poll, .init = setup);

static int wait_for(int fd, short events, nsec deadline)
{
    return green_poll(&(struct pollfd){.fd = fd, .events = events}, 1, deadline);
}

static void say(int fd, const char *text)
{
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void hear(int fd)
{
    char bytes[64];
    cr_assert_gt(read(fd, bytes, sizeof bytes), 0);
}

static void fill(int fd)
{
    char bytes[4096] = {0};
    while (write(fd, bytes, sizeof bytes) > 0)
        ;
    cr_assert_eq(errno, EAGAIN);
}

static void drain(int fd)
{
    char bytes[4096];
    while (read(fd, bytes, sizeof bytes) > 0)
        ;
    cr_assert_eq(errno, EAGAIN);
}

/* Lets the loop poll, and run what that wakes. */
static void settle(void)
{
    cr_expect_eq(green_sleep(2 * NSEC_MS), 0);
    run_yield();
}

static int await_input(void *arg)
{
    int result = wait_for(*(int *)arg, POLLIN, NSEC_NEVER);
    run_note('r');
    return result;
}

static int await_room(void *arg)
{
    int result = wait_for(*(int *)arg, POLLOUT, NSEC_NEVER);
    run_note('w');
    return result;
}

/* ---- where the caller is ---- */

static void *ask_here(void *arg)
{
    *(bool *)arg = green_here();
    return NULL;
}

Test(poll, outside_of_it_all_nobody_is_a_green_thread)
{
    cr_expect_not(green_here());
}

GreenTest(poll, a_green_thread_knows_that_it_is_one_and_others_that_they_are_not)
{
    pthread_t thread;
    bool here = true;
    cr_expect(green_here());
    cr_assert_eq(pthread_create(&thread, NULL, ask_here, &here), 0);
    pthread_join(thread, NULL);
    cr_expect_not(here, "another OS thread");
}

GreenTest(poll, a_child_is_no_green_thread_any_more)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0)
        _exit(green_here());
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect_eq(status, 0);
    cr_expect(green_here(), "its parent still is");
}

/* ---- what is not waited for ---- */

GreenTest(poll, what_is_closed_is_worth_a_look)
{
    cr_expect_eq(wait_for(ends[0], POLLOUT, NSEC_NEVER), 0); /* or the number would be the set's own */
    int closed = dup(ends[0]);
    close(closed);
    cr_expect_eq(wait_for(closed, POLLIN, NSEC_NEVER), 0);
    cr_expect_eq(wait_for(1 << 30, POLLIN, NSEC_NEVER), 0, "never was open");
}

GreenTest(poll, a_regular_file_is_worth_a_look)
{
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    cr_expect_eq(wait_for(file, POLLIN, NSEC_NEVER), 0);
    cr_expect_eq(wait_for(file, 0, NSEC_NEVER), 0);
    close(file);
}

GreenTest(poll, without_a_descriptor_to_spare_it_fails_softly)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){(rlim_t)dup(ends[0]) + 1, limit.rlim_max});
    cr_expect_eq(wait_for(ends[0], POLLIN, NSEC_NEVER), -EMFILE, "no descriptor for the set");
    setrlimit(RLIMIT_NOFILE, &limit);
    cr_expect_eq(wait_for(ends[0], POLLOUT, NSEC_NEVER), 0, "now there is one");
}

GreenTest(poll, nothing_is_waited_for_until_the_deadline)
{
    cr_expect_eq(green_poll(NULL, 0, run_in(2)), -ETIMEDOUT);
    cr_expect_eq(wait_for(-1, POLLIN, run_in(2)), -ETIMEDOUT, "negative numbers are passed over");
    cr_expect_eq(wait_for(ends[0], POLLIN, run_in(2)), -ETIMEDOUT);
    cr_expect_eq(wait_for(ends[0], 0, run_in(2)), -ETIMEDOUT, "room was not asked for");
    cr_expect_eq(wait_for(ends[0], POLLIN, 0), -ETIMEDOUT, "that has passed");
}

GreenTest(poll, a_cancel_ends_the_wait_and_all_later_ones)
{
    struct green *thread = run_spawn(await_input, &ends[0]);
    settle();
    green_cancel(thread);
    cr_expect_eq(run_join(thread), -ECANCELED);
    thread = run_spawn(await_input, &ends[0]);
    green_cancel(thread);
    cr_expect_eq(run_join(thread), -ECANCELED, "cancelled before it began");
    say(ends[1], "x");
    settle();
    cr_expect_eq(wait_for(ends[0], POLLIN, NSEC_NEVER), 0, "others wait as ever");
}

/* ---- events ---- */

GreenTest(poll, each_wait_sees_what_came_before_it_and_during_it)
{
    for (int i = 0; i < 3; i++) {
        struct green *reader = run_spawn(await_input, &ends[0]);
        settle();
        cr_expect_str_eq(run_noted(), "");
        say(ends[1], "x");
        cr_expect_eq(run_join(reader), 0);
        cr_expect_eq(wait_for(ends[0], POLLIN, NSEC_NEVER), 0, "it is still there");
        hear(ends[0]);
        cr_expect_eq(wait_for(ends[0], POLLIN, run_in(2)), -ETIMEDOUT);
        cr_expect_str_eq(run_noted(), "r");
    }
}

GreenTest(poll, what_comes_while_nobody_waits_wakes_nobody)
{
    cr_expect_eq(wait_for(ends[0], POLLIN, run_in(1)), -ETIMEDOUT);
    say(ends[1], "x");
    settle();
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    cr_expect_eq(green_sleep(20 * NSEC_MS), 0);
    getrusage(RUSAGE_SELF, &after);
    cr_expect_lt(after.ru_nvcsw - before.ru_nvcsw, 10, "the loop is kept awake");
    cr_expect_eq(wait_for(ends[0], POLLIN, NSEC_NEVER), 0);
}

GreenTest(poll, a_reader_and_a_writer_of_one_descriptor_are_woken_each_by_its_own)
{
    fill(ends[0]);
    struct green *reader = run_spawn(await_input, &ends[0]), *writer = run_spawn(await_room, &ends[0]);
    settle();
    say(ends[1], "x");
    settle();
    cr_expect_str_eq(run_noted(), "r");
    drain(ends[1]);
    settle();
    cr_expect_str_eq(run_noted(), "w");
    cr_expect_eq(run_join(reader), 0);
    cr_expect_eq(run_join(writer), 0);
}

GreenTest(poll, all_who_wait_for_the_same_are_woken)
{
    struct green *threads[MANY];
    for (int i = 0; i < MANY; i++)
        threads[i] = run_spawn(await_input, &ends[0]);
    settle();
    say(ends[1], "x");
    settle();
    cr_expect_eq(strlen(run_noted()), MANY);
    for (int i = 0; i < MANY; i++)
        cr_expect_eq(run_join(threads[i]), 0);
}

GreenTest(poll, an_end_wakes_whoever_waits_for_anything)
{
    struct green *reader = run_spawn(await_input, &ends[0]);
    fill(ends[0]);
    struct green *writer = run_spawn(await_room, &ends[0]);
    settle();
    close(ends[1]);
    cr_expect_eq(run_join(reader), 0);
    cr_expect_eq(run_join(writer), 0);
    cr_expect_eq(wait_for(ends[0], 0, NSEC_NEVER), 0, "a hang-up need not be asked for");
}

static int urgent_pair(int *listener)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    *listener = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(bind(*listener, (struct sockaddr *)&at, size), 0);
    cr_assert_eq(listen(*listener, 1), 0);
    cr_assert_eq(getsockname(*listener, (struct sockaddr *)&at, &size), 0);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&at, size), 0);
    return fd;
}

GreenTest(poll, urgent_data_and_half_an_end_are_events_of_their_own)
{
    int listener, here = urgent_pair(&listener), there = accept(listener, NULL, NULL);
    say(there, "plain");
    cr_expect_eq(wait_for(here, POLLPRI, run_in(2)), -ETIMEDOUT);
    cr_expect_eq(wait_for(here, POLLRDHUP, run_in(2)), -ETIMEDOUT);
    cr_assert_eq(send(there, "!", 1, MSG_OOB), 1);
    cr_expect_eq(wait_for(here, POLLPRI, NSEC_NEVER), 0);
    shutdown(there, SHUT_WR);
    cr_expect_eq(wait_for(here, POLLRDHUP, NSEC_NEVER), 0);
    close(here), close(there), close(listener);
}

/* ---- many at once ---- */

static struct pollfd many[MANY];

static int await_many(void *arg)
{
    return green_poll(many, *(size_t *)arg, NSEC_NEVER);
}

GreenTest(poll, any_of_many_ends_the_wait)
{
    static size_t counts[] = {2, 8, 9, MANY};
    for (int i = 0; i < MANY; i++)
        many[i] = (struct pollfd){.fd = eventfd(0, EFD_NONBLOCK), .events = POLLIN};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct green *thread = run_spawn(await_many, &counts[i]);
        settle();
        if (counts[i] < MANY)
            eventfd_write(many[counts[i]].fd, 1);
        settle();
        eventfd_write(many[counts[i] - 1].fd, 1);
        cr_expect_eq(run_join(thread), 0);
        drain(many[counts[i] - 1].fd);
        if (counts[i] < MANY)
            drain(many[counts[i]].fd);
    }
    for (int i = 0; i < MANY; i++)
        close(many[i].fd);
}

GreenTest(poll, one_that_stands_there_twice_is_waited_for_with_all_it_is_asked)
{
    struct pollfd twice[] = {{.fd = ends[0], .events = POLLIN}, {.fd = ends[0], .events = POLLOUT}};
    cr_expect_eq(green_poll(twice, 2, NSEC_NEVER), 0);
    fill(ends[0]);
    cr_expect_eq(green_poll(twice, 2, run_in(2)), -ETIMEDOUT);
    say(ends[1], "x");
    cr_expect_eq(green_poll(twice, 2, NSEC_NEVER), 0);
}

/* ---- closed behind its back ---- */

GreenTest(poll, a_number_may_be_anothers_at_the_next_wait)
{
    for (int i = 0; i < 10; i++) {
        int number = ends[0];
        say(ends[1], "x");
        cr_expect_eq(wait_for(ends[0], POLLIN, NSEC_NEVER), 0);
        close(ends[0]);
        close(ends[1]);
        setup();
        cr_expect_eq(ends[0], number);
        cr_expect_eq(wait_for(ends[0], POLLIN, run_in(1)), -ETIMEDOUT);
    }
}

GreenTest(poll, one_that_is_closed_during_the_wait_is_not_told_but_harms_nobody)
{
    struct green *first = run_spawn(await_input, &ends[0]);
    run_yield();
    int number = ends[0], copy = dup(ends[0]), peer = ends[1];
    close(ends[0]); /* before the loop has polled once, and with a copy that lives on */
    settle();
    say(peer, "to the copy");
    settle();
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    cr_assert_eq(ends[0], number);
    struct green *second = run_spawn(await_input, &ends[0]);
    settle();
    cr_expect_leq(strlen(run_noted()), 1, "the second one waits");
    say(ends[1], "x");
    cr_expect_eq(run_join(second), 0);
    green_cancel(first);
    (void)run_join(first);
    close(copy);
}

/* ---- accounts ---- */

static int speak_later(void *arg)
{
    (void)arg;
    cr_expect_eq(green_sleep(5 * NSEC_MS), 0);
    say(ends[1], "x");
    return 0;
}

GreenTest(poll, the_wait_is_on_the_account_of_the_descriptor, .accounts = true)
{
    struct green *speaker = run_spawn(speak_later, NULL);
    cr_expect_eq(wait_for(ends[0], POLLIN, NSEC_NEVER), 0);
    cr_expect_gt(green_spent().upstream, 0);
    cr_expect_eq(run_join(speaker), 0);
}
