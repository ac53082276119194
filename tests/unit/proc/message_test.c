#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/descriptors.h"
#include "proc/message.h"

static int pair[2];

static void open_pair(void)
{
    cr_assert_eq(message_pair(pair), 0);
}

TestSuite(message, .init = open_pair);

Test(message, none_is_there)
{
    struct message m;
    int fd;
    cr_expect_eq(message_receive(pair[0], &m, &fd), -EAGAIN);
    cr_expect_eq(fd, -1);
}

Test(message, the_other_end_is_gone)
{
    struct message m;
    int fd;
    close(pair[1]);
    cr_expect_eq(message_receive(pair[0], &m, &fd), 0);
    cr_expect_eq(message_tell(pair[0], MESSAGE_PING, 0), -EPIPE);
}

Test(message, what_was_said_before_the_end_is_heard)
{
    struct message m;
    int fd;
    cr_assert_eq(message_tell(pair[1], MESSAGE_READY, 7), 0);
    close(pair[1]);
    cr_expect_eq(message_receive(pair[0], &m, &fd), 1);
    cr_expect(m.kind == MESSAGE_READY && m.number == 7 && fd == -1);
    cr_expect_eq(message_receive(pair[0], &m, &fd), 0);
}

Test(message, one_of_another_size_is_refused_and_its_descriptor_closed)
{
    struct message m;
    int fd;
    cr_assert_eq(send(pair[1], "short", 5, 0), 5);
    cr_expect_eq(message_receive(pair[0], &m, &fd), -EBADMSG);
    cr_expect_eq(fd, -1);
}

Test(message, a_text_ends_in_a_nul_whatever_was_sent)
{
    struct message sent = {.kind = MESSAGE_FAILED}, m;
    int fd;
    memset(sent.text, 'x', sizeof sent.text);
    cr_assert_eq(message_send(pair[1], &sent, -1), 0);
    cr_assert_eq(message_receive(pair[0], &m, &fd), 1);
    cr_expect_eq(strlen(m.text), MESSAGE_TEXT - 1);
}

Test(message, a_descriptor_comes_along_and_is_closed_on_exec)
{
    struct message sent = {.kind = MESSAGE_ACCESS_LOG}, m;
    int ends[2], fd;
    char c = 0;
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(message_send(pair[1], &sent, ends[1]), 0);
    cr_assert_eq(message_receive(pair[0], &m, &fd), 1);
    cr_assert_geq(fd, 0);
    cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    cr_expect_eq(write(fd, "y", 1), 1);
    cr_expect_eq(read(ends[0], &c, 1), 1);
    cr_expect_eq(c, 'y');
}

/* With as many descriptors of ours as there are in the table. */
static void send_descriptors(const void *bytes, size_t n, const int *fds, size_t count)
{
    _Alignas(struct cmsghdr) char room[CMSG_SPACE(8 * sizeof(int))] = {0};
    struct iovec part = {(void *)bytes, n};
    struct msghdr header = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = CMSG_SPACE(count * sizeof *fds)};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(count * sizeof *fds);
    memcpy(CMSG_DATA(rights), fds, count * sizeof *fds);
    cr_assert_eq(sendmsg(pair[1], &header, 0), (ssize_t)n);
}

Test(message, of_several_descriptors_one_is_taken_and_none_is_left_open)
{
    static const int fds[] = {0, 1, 2, 0, 1, 2, 0, 1};
    for (size_t count = 1; count <= sizeof fds / sizeof *fds; count++) {
        struct message sent = {.kind = MESSAGE_ACCESS_LOG}, m;
        int fd;
        size_t before = open_descriptors();
        send_descriptors(&sent, sizeof sent, fds, count);
        cr_assert_eq(message_receive(pair[0], &m, &fd), 1);
        cr_assert_geq(fd, 0);
        cr_expect_eq(open_descriptors(), before + 1, "%zu descriptors came, %zu are open", count,
                     open_descriptors() - before);
        close(fd);
        send_descriptors(&sent, sizeof sent, fds, count);
        cr_expect_eq(message_receive(pair[0], &m, NULL), 1);
        cr_expect_eq(open_descriptors(), before, "%zu descriptors came where none was expected", count);
    }
}

Test(message, descriptors_of_one_that_is_refused_are_not_left_open)
{
    static const int fds[] = {0, 1};
    for (size_t count = 1; count <= 2; count++) {
        struct message m;
        int fd;
        size_t before = open_descriptors();
        send_descriptors("short", 5, fds, count);
        cr_assert_eq(message_receive(pair[0], &m, &fd), -EBADMSG);
        cr_expect_eq(fd, -1);
        cr_expect_eq(open_descriptors(), before);
    }
}

/* A worker that is stopped must not stop its master. */
Test(message, a_full_queue_is_no_reason_to_wait)
{
    int error = 0;
    for (int i = 0; i < 100000 && !error; i++)
        error = message_tell(pair[1], MESSAGE_PING, 0);
    cr_expect_eq(error, -EAGAIN);
}
