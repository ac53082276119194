/* socket_calls.c: the families of recv() and send(). */
#include <errno.h>

#include "green/green.h"
#include "libc/real.h"
#include "libc/socket.h"

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    return green_here() ? socket_receive(fd, message, flags) : real_recvmsg(fd, message, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    return green_here() ? socket_send(fd, message, flags) : real_sendmsg(fd, message, flags);
}

ssize_t recv(int fd, void *to, size_t n, int flags)
{
    if (!green_here())
        return real_recv(fd, to, n, flags);
    struct iovec piece = {to, n};
    return socket_receive(fd, &(struct msghdr){.msg_iov = &piece, .msg_iovlen = 1}, flags);
}

ssize_t recvfrom(int fd, void *to, size_t n, int flags, struct sockaddr *from, socklen_t *size)
{
    if (!green_here())
        return real_recvfrom(fd, to, n, flags, from, size);
    if (from && !size) {
        errno = EFAULT;
        return -1;
    }
    struct iovec piece = {to, n};
    struct msghdr message = {.msg_name = from, .msg_iov = &piece, .msg_iovlen = 1};
    if (from)
        message.msg_namelen = *size;
    ssize_t got = socket_receive(fd, &message, flags);
    if (got >= 0 && from)
        *size = message.msg_namelen;
    return got;
}

static ssize_t send_piece(int fd, const void *from, size_t n, int flags, const struct sockaddr *to, socklen_t size)
{
    struct iovec piece = {(void *)from, n};
    struct msghdr message = {.msg_name = (void *)to, .msg_namelen = size, .msg_iov = &piece, .msg_iovlen = 1};
    return socket_send(fd, &message, flags);
}

ssize_t send(int fd, const void *from, size_t n, int flags)
{
    return green_here() ? send_piece(fd, from, n, flags, NULL, 0) : real_send(fd, from, n, flags);
}

ssize_t sendto(int fd, const void *from, size_t n, int flags, const struct sockaddr *to, socklen_t size)
{
    return green_here() ? send_piece(fd, from, n, flags, to, size) : real_sendto(fd, from, n, flags, to, size);
}
