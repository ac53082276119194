/* message.c: see message.h. */
#include "proc/message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for one descriptor, aligned as the kernel wants it. */
union attachment {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
};

int message_pair(int pair[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0 ? -errno : 0;
}

static void attach(struct msghdr *header, union attachment *attachment, int fd)
{
    memset(attachment, 0, sizeof *attachment);
    header->msg_control = attachment;
    header->msg_controllen = sizeof attachment->room;
    struct cmsghdr *part = CMSG_FIRSTHDR(header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(part), &fd, sizeof fd);
}

int message_send(int pair, const struct message *message, int fd)
{
    union attachment attachment;
    struct iovec bytes = {(void *)message, sizeof *message};
    struct msghdr header = {.msg_iov = &bytes, .msg_iovlen = 1};
    if (fd >= 0)
        attach(&header, &attachment, fd);
    return sendmsg(pair, &header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

int message_tell(int pair, enum message_kind kind, uint32_t number)
{
    return message_send(pair, &(struct message){.kind = kind, .number = number}, -1);
}

static int attached(struct msghdr *header)
{
    int fd = -1;
    struct cmsghdr *part = CMSG_FIRSTHDR(header);
    if (part && part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(part), sizeof fd);
    return fd;
}

int message_receive(int pair, struct message *message, int *fd)
{
    union attachment attachment;
    struct iovec bytes = {message, sizeof *message};
    struct msghdr header = {.msg_iov = &bytes,
                            .msg_iovlen = 1,
                            .msg_control = &attachment,
                            .msg_controllen = CMSG_LEN(sizeof *fd)}; /* with CMSG_SPACE() there would be room for two */
    *fd = -1;
    ssize_t got = recvmsg(pair, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (got <= 0)
        return got < 0 && errno != ECONNRESET ? -errno : 0;
    *fd = attached(&header);
    message->text[MESSAGE_TEXT - 1] = '\0';
    if (got == sizeof *message)
        return 1;
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
    return -EBADMSG;
}
