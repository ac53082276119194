/* socket_calls_test.c: recv(), send() and their families on green threads: what is refused, what waits, and what comes
 * in one piece. */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "peers.h"

enum { BIG = 4 * 1024 * 1024 };

static struct ends pair, datagrams;

static void setup(void)
{
    pair = ends_open(SOCK_STREAM);
    datagrams = ends_open(SOCK_DGRAM);
}

static void teardown(void)
{
    ends_close(&pair);
    ends_close(&datagrams);
}

TestSuite(socket_calls, .init = setup, .fini = teardown);

static void say(const char *text)
{
    cr_assert_eq(write(pair.there, text, strlen(text)), (ssize_t)strlen(text));
}

/* ---- what is refused ---- */

GreenTest(socket_calls, a_non_blocking_descriptor_keeps_its_eagain)
{
    char to[8];
    struct msghdr nothing = {0};
    set_nonblocking(pair.here);
    fill_up(pair.here);
    expect_error(ours.recv(pair.here, to, sizeof to, 0), EAGAIN);
    expect_error(ours.recv(pair.here, to, sizeof to, MSG_WAITALL), EAGAIN);
    expect_error(ours.recvfrom(pair.here, to, sizeof to, 0, NULL, NULL), EAGAIN);
    expect_error(ours.recvmsg(pair.here, &nothing, 0), EAGAIN);
    expect_error(ours.send(pair.here, "x", 1, 0), EAGAIN);
    expect_error(ours.sendto(pair.here, "x", 1, 0, NULL, 0), EAGAIN);
}

GreenTest(socket_calls, a_call_that_is_not_to_wait_does_not)
{
    char to[8];
    fill_up(pair.here);
    expect_error(ours.recv(pair.here, to, sizeof to, MSG_DONTWAIT), EAGAIN);
    expect_error(ours.recvfrom(pair.here, to, sizeof to, MSG_DONTWAIT, NULL, NULL), EAGAIN);
    expect_error(ours.send(pair.here, "x", 1, MSG_DONTWAIT), EAGAIN);
    cr_expect_eq(ours.recv(pair.here, to, sizeof to, MSG_OOB), -1);
    cr_expect_neq(errno, EAGAIN, "urgent data are not waited for");
}

GreenTest(socket_calls, what_is_no_socket_or_not_open_is_refused_as_by_libc)
{
    char to[8];
    int file = open("/dev/null", O_RDWR | O_CLOEXEC);
    expect_error(ours.recv(file, to, sizeof to, 0), ENOTSOCK);
    expect_error(ours.send(file, to, sizeof to, 0), ENOTSOCK);
    close(file);
    expect_error(ours.recv(file, to, sizeof to, 0), EBADF);
    expect_error(ours.send(file, to, sizeof to, 0), EBADF);
    expect_error(ours.recvfrom(pair.here, to, sizeof to, 0, (struct sockaddr *)to, NULL), EFAULT);
}

GreenTest(socket_calls, a_timeout_of_the_socket_is_kept)
{
    char to[8];
    set_timeout(pair.here, SO_RCVTIMEO, 3);
    set_timeout(pair.here, SO_SNDTIMEO, 3);
    expect_error(ours.recv(pair.here, to, sizeof to, 0), EAGAIN);
    fill_up(pair.here);
    expect_error(ours.send(pair.here, "x", 1, 0), EAGAIN);
}

GreenTest(socket_calls, what_came_before_a_timeout_is_not_lost)
{
    char to[8], *big = calloc(1, BIG);
    set_timeout(pair.here, SO_RCVTIMEO, 3);
    set_timeout(pair.here, SO_SNDTIMEO, 3);
    say("abc");
    cr_expect_eq(ours.recv(pair.here, to, sizeof to, MSG_WAITALL), 3);
    ssize_t sent = ours.send(pair.here, big, BIG, 0);
    cr_expect_gt(sent, 0);
    cr_expect_lt(sent, BIG);
    free(big);
}

static int receive_one(void *arg)
{
    char byte;
    return ours.recv(*(int *)arg, &byte, 1, 0) < 0 ? errno : 0;
}

static int send_one(void *arg)
{
    return ours.send(*(int *)arg, "x", 1, 0) < 0 ? errno : 0;
}

GreenTest(socket_calls, a_cancelled_thread_does_not_wait)
{
    expect_cancellable(receive_one, &pair.here);
    fill_up(pair.here);
    expect_cancellable(send_one, &pair.here);
    struct green *thread = run_spawn(receive_one, &pair.here);
    say("x");
    green_cancel(thread);
    cr_expect_eq(run_join(thread), 0, "what is there is there");
}

GreenTest(socket_calls, who_sends_to_nobody_is_told_as_by_libc)
{
    close(pair.there);
    expect_error(ours.send(pair.here, "x", 1, MSG_NOSIGNAL), EPIPE);
    pair.there = -1;
}

static int send_to_nobody(void *arg)
{
    (void)arg;
    struct ends own = ends_open(SOCK_STREAM);
    close(own.there);
    return (int)ours.send(own.here, "x", 1, 0);
}

static void run_to_send(void *arg)
{
    signal(SIGPIPE, SIG_DFL);
    (void)!green_run(&(struct green_options){0}, send_to_nobody, arg);
}

Test(socket_calls, and_gets_the_signal_if_it_did_not_say_otherwise)
{
    cr_expect_eq(run_signal(run_to_send, NULL, NULL, 0), SIGPIPE);
}

/* ---- streams ---- */

static int receive_text(void *arg)
{
    char to[16] = {0};
    errno = EXDEV;
    ssize_t n = ours.recv(pair.here, to, sizeof to, 0);
    cr_expect_eq(errno, EXDEV, "errno is left alone");
    run_note(to[0]);
    (void)arg;
    return (int)n;
}

GreenTest(socket_calls, a_receiver_waits_while_others_run)
{
    struct green *thread = run_spawn(receive_text, NULL);
    settle();
    cr_expect_str_eq(run_noted(), "");
    say("abc");
    cr_expect_eq(run_join(thread), 3);
    cr_expect_str_eq(run_noted(), "a");
    cr_expect_not(fcntl(pair.here, F_GETFL) & O_NONBLOCK, "its flags are as they were");
}

GreenTest(socket_calls, two_threads_on_one_descriptor_get_each_its_own)
{
    struct green *first = run_spawn(receive_text, NULL), *second = run_spawn(receive_text, NULL);
    settle();
    say("a");
    settle();
    cr_expect_str_eq(run_noted(), "a", "the other one found nothing, and waits on");
    say("b");
    settle();
    cr_expect_str_eq(run_noted(), "b");
    cr_expect_eq(run_join(first), 1);
    cr_expect_eq(run_join(second), 1);
}

GreenTest(socket_calls, an_end_is_received)
{
    struct green *thread = run_spawn(receive_text, NULL);
    settle();
    shutdown(pair.there, SHUT_WR);
    cr_expect_eq(run_join(thread), 0);
}

static int receive_eight(void *arg)
{
    char to[8] = {0};
    ssize_t n = ours.recv(pair.here, to, sizeof to, *(int *)arg);
    run_note((char)('0' + n));
    return n > 0 ? memcmp(to, "abcdefgh", (size_t)n) : -1;
}

GreenTest(socket_calls, waitall_fills_and_a_look_ahead_takes_nothing)
{
    static int all = MSG_WAITALL, peek = MSG_PEEK;
    struct green *thread = run_spawn(receive_eight, &peek);
    settle();
    say("abc");
    cr_expect_eq(run_join(thread), 0);
    cr_expect_str_eq(run_noted(), "3");
    thread = run_spawn(receive_eight, &all);
    settle();
    say("def");
    settle();
    cr_expect_str_eq(run_noted(), "");
    say("ghi");
    cr_expect_eq(run_join(thread), 0);
    cr_expect_str_eq(run_noted(), "8");
    thread = run_spawn(receive_eight, &all);
    settle();
    close(pair.there);
    pair.there = -1;
    run_join(thread);
    cr_expect_str_eq(run_noted(), "1", "the end comes first");
}

static char pattern(size_t i)
{
    return (char)(i * 7 + i / 251);
}

static int send_big(void *arg)
{
    char *bytes = malloc(BIG);
    for (size_t i = 0; i < BIG; i++)
        bytes[i] = pattern(i);
    struct iovec pieces[40];
    for (size_t i = 0; i < 40; i++)
        pieces[i] = (struct iovec){bytes + i * BIG / 40, (i + 1) * BIG / 40 - i * BIG / 40};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 40};
    ssize_t n = arg ? ours.sendmsg(pair.here, &message, 0) : ours.send(pair.here, bytes, BIG, 0);
    free(bytes);
    run_note('s');
    return n == BIG ? 0 : -1;
}

static void receive_big(void)
{
    static char bytes[10000];
    size_t got = 0;
    for (ssize_t n; got < BIG; got += (size_t)n) {
        if (got < BIG / 2)
            cr_expect_str_eq(run_noted(), "", "it returns when all is sent, not before");
        n = ours.recv(pair.there, bytes, sizeof bytes, 0);
        cr_assert_gt(n, 0);
        for (size_t i = 0; i < (size_t)n; i++)
            cr_assert_eq(bytes[i], pattern(got + i), "byte %zu", got + i);
    }
}

GreenTest(socket_calls, a_big_send_goes_out_whole_before_it_returns)
{
    static char in_pieces;
    for (int i = 0; i < 2; i++) {
        struct green *sender = run_spawn(send_big, i ? &in_pieces : NULL);
        receive_big();
        cr_expect_eq(run_join(sender), 0);
        cr_expect_str_eq(run_noted(), "s");
    }
}

GreenTest(socket_calls, descriptors_travel_with_the_first_byte_alone)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.align = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    memcpy(CMSG_DATA(&control.align), &pair.here, sizeof(int));
    struct iovec piece = {"abc", 3};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    cr_expect_eq(ours.sendmsg(pair.there, &message, 0), 3);
    char to[8];
    piece = (struct iovec){to, sizeof to};
    cr_expect_eq(ours.recvmsg(pair.here, &message, 0), 3);
    struct cmsghdr *got = CMSG_FIRSTHDR(&message);
    cr_assert_neq(got, NULL);
    cr_expect_eq(got->cmsg_type, SCM_RIGHTS);
    int fd;
    memcpy(&fd, CMSG_DATA(got), sizeof fd);
    close(fd);
}

/* ---- datagrams ---- */

static int receive_datagram(void *arg)
{
    char to[16];
    return (int)ours.recv(datagrams.here, to, sizeof to, *(int *)arg);
}

GreenTest(socket_calls, datagrams_come_one_by_one)
{
    static int flags[] = {0, MSG_WAITALL};
    for (int i = 0; i < 2; i++) {
        struct green *thread = run_spawn(receive_datagram, &flags[i]);
        settle();
        cr_expect_eq(ours.send(datagrams.there, "abc", 3, 0), 3);
        cr_expect_eq(ours.send(datagrams.there, "defgh", 5, 0), 5);
        cr_expect_eq(run_join(thread), 3);
        cr_expect_eq(receive_datagram(&flags[i]), 5);
        cr_expect_eq(ours.send(datagrams.there, "", 0, 0), 0);
        cr_expect_eq(receive_datagram(&flags[i]), 0, "an empty one is one");
    }
}

static int send_datagram(void *arg)
{
    static char bytes[3000];
    ssize_t n = ours.send(datagrams.there, bytes, sizeof bytes, 0);
    (void)arg;
    run_note('s');
    return (int)n;
}

GreenTest(socket_calls, a_datagram_waits_for_room_and_goes_whole)
{
    fill_up(datagrams.there);
    struct green *thread = run_spawn(send_datagram, NULL);
    settle();
    cr_expect_str_eq(run_noted(), "");
    static char to[5000];
    ssize_t n;
    do
        n = ours.recv(datagrams.here, to, sizeof to, 0);
    while (n == 4096);
    cr_expect_eq(n, 3000);
    cr_expect_eq(run_join(thread), 3000);
}

/* ---- off green threads ---- */

static void *receive_elsewhere(void *arg)
{
    char byte;
    *(ssize_t *)arg = ours.recv(pair.here, &byte, 1, 0);
    return NULL;
}

GreenTest(socket_calls, in_an_os_thread_it_is_libcs)
{
    pthread_t thread;
    ssize_t n = -1;
    cr_assert_eq(pthread_create(&thread, NULL, receive_elsewhere, &n), 0);
    settle();
    say("x");
    pthread_join(thread, NULL);
    cr_expect_eq(n, 1);
}

Test(socket_calls, and_outside_of_the_loop_too)
{
    char to[8];
    say("abc");
    cr_expect_eq(ours.recv(pair.here, to, sizeof to, 0), 3);
    cr_expect_eq(ours.send(pair.here, to, 3, 0), 3);
}
