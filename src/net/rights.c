/* rights.c: see rights.h. */
#include "net/rights.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for the descriptors, aligned as the kernel wants it. */
union attachment {
    struct cmsghdr header;
    char room[CMSG_SPACE(RIGHTS_MAX * sizeof(int))];
};

static void attach(struct msghdr *header, union attachment *attachment, const int *fds, size_t count)
{
    memset(attachment, 0, sizeof *attachment);
    header->msg_control = attachment;
    header->msg_controllen = CMSG_SPACE(count * sizeof *fds);
    struct cmsghdr *part = CMSG_FIRSTHDR(header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(count * sizeof *fds);
    memcpy(CMSG_DATA(part), fds, count * sizeof *fds);
}

int rights_send(int socket, const void *bytes, size_t n, const int *fds, size_t count)
{
    union attachment attachment;
    struct iovec part = {(void *)bytes, n};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    if (count)
        attach(&header, &attachment, fds, count);
    return sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static void detach(struct msghdr *header, int *fds)
{
    const struct cmsghdr *part = CMSG_FIRSTHDR(header);
    if (part && part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS)
        memcpy(fds, CMSG_DATA(part), part->cmsg_len - CMSG_LEN(0));
}

ssize_t rights_receive(int socket, void *bytes, size_t n, int *fds, size_t count, int flags)
{
    union attachment attachment;
    struct iovec part = {bytes, n};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &attachment,
                            .msg_controllen = CMSG_LEN(count * sizeof *fds)}; /* CMSG_SPACE() may have room for more */
    for (size_t i = 0; i < count; i++)
        fds[i] = -1;
    ssize_t got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC | MSG_TRUNC | flags);
    if (got < 0)
        return -errno;
    detach(&header, fds);
    return got;
}

void rights_close(int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
        fds[i] = -1;
    }
}
