#include "net/rights.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/descriptors.h"

static int pair[2];

static void open_pair(void)
{
    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

TestSuite(rights, .init = open_pair);

Test(rights, nothing_to_receive)
{
    char c;
    int fd;
    cr_expect_eq(rights_receive(pair[0], &c, 1, &fd, 1, MSG_DONTWAIT), -EAGAIN);
    cr_expect_eq(fd, -1);
    close(pair[1]);
    cr_expect_eq(rights_receive(pair[0], &c, 1, &fd, 1, 0), 0);
    cr_expect_eq(fd, -1);
    cr_expect_eq(rights_send(pair[0], &c, 1, NULL, 0), -EPIPE);
}

/* What comes beyond what was asked for is closed, what is missing is -1. */
Test(rights, as_many_descriptors_as_are_asked_for)
{
    static const int ours[RIGHTS_MAX] = {STDIN_FILENO, STDOUT_FILENO};
    for (size_t sent = 0; sent <= RIGHTS_MAX; sent++)
        for (size_t wanted = 0; wanted <= RIGHTS_MAX; wanted++) {
            int fds[RIGHTS_MAX];
            size_t taken = sent < wanted ? sent : wanted, before = open_descriptors();
            char c = 0;
            cr_assert_eq(rights_send(pair[1], "x", 1, ours, sent), 0);
            cr_expect_eq(rights_receive(pair[0], &c, 1, fds, wanted, 0), 1);
            cr_expect_eq(c, 'x');
            for (size_t i = 0; i < wanted; i++)
                cr_expect(i < sent ? fcntl(fds[i], F_GETFD) == FD_CLOEXEC : fds[i] == -1, "%zu of %zu", i, sent);
            cr_expect_eq(open_descriptors(), before + taken, "%zu of %zu", wanted, sent);
            rights_close(fds, wanted);
            cr_expect_eq(open_descriptors(), before);
        }
}

Test(rights, a_message_that_is_too_long_tells_its_length)
{
    char text[4] = "";
    cr_assert_eq(rights_send(pair[1], "abcdef", 6, NULL, 0), 0);
    cr_expect_eq(rights_receive(pair[0], text, 3, NULL, 0, 0), 6);
    cr_expect_str_eq(text, "abc");
}

Test(rights, a_full_queue)
{
    int error = 0;
    for (int i = 0; i < 100000 && !error; i++)
        error = rights_send(pair[0], "x", 1, NULL, 0);
    cr_expect_eq(error, -EAGAIN);
}
