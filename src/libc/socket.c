/* socket.c: see socket.h.
 *
 * Each attempt is libc's call with MSG_DONTWAIT, which looks at no flag of the description and changes none. A message
 * is first tried as it is, so datagrams stay whole. Where that took a part of a stream's bytes and the call is not to
 * return before it has all of them, the rest follows, without names and control data, which have gone with the first.
 */
#include "libc/socket.h"

#include <errno.h>
#include <stdbool.h>

#include "libc/patience.h"
#include "libc/real.h"

enum {
    PIECES = 16, /* of the rest, at a time */
    RECEIVED_AT_ONCE = MSG_DONTWAIT | MSG_ERRQUEUE | MSG_OOB,
};

typedef ssize_t attempt_fn(int fd, struct msghdr *message, int flags);

static ssize_t try_to_receive(int fd, struct msghdr *message, int flags)
{
    return real_recvmsg(fd, message, flags | MSG_DONTWAIT);
}

static ssize_t try_to_send(int fd, struct msghdr *message, int flags)
{
    return real_sendmsg(fd, message, flags | MSG_DONTWAIT);
}

/* What is left of a message when `done` bytes of it are: up to PIECES pieces; how many. */
static size_t rest_of(const struct msghdr *message, size_t done, struct iovec *rest)
{
    size_t count = 0;
    for (size_t i = 0; i < message->msg_iovlen && count < PIECES; i++) {
        struct iovec piece = message->msg_iov[i];
        size_t skipped = done < piece.iov_len ? done : piece.iov_len;
        done -= skipped;
        if (skipped < piece.iov_len)
            rest[count++] = (struct iovec){(char *)piece.iov_base + skipped, piece.iov_len - skipped};
    }
    return count;
}

static ssize_t try_patiently(attempt_fn *attempt, struct patience *patience, struct msghdr *message, int flags)
{
    ssize_t n;
    do
        n = attempt(patience->fd, message, flags);
    while (n < 0 && errno == EAGAIN && patience_wait(patience));
    patience->vain = 0;
    return n;
}

/* Goes on after the first `done` bytes. What ends it early is found again by the next call, if it lasts. */
static ssize_t do_the_rest(attempt_fn *attempt, struct patience *patience, const struct msghdr *message, ssize_t done,
                           int flags)
{
    struct iovec pieces[PIECES];
    struct msghdr rest = {.msg_iov = pieces};
    while ((rest.msg_iovlen = rest_of(message, (size_t)done, pieces)) > 0) {
        ssize_t n = try_patiently(attempt, patience, &rest, flags);
        if (n <= 0)
            break;
        done += n;
    }
    return done;
}

static bool is_stream(int fd)
{
    int type = 0;
    socklen_t size = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

/* A look ahead can't be continued: it would see the same bytes again. */
static bool is_to_be_filled(int fd, int flags)
{
    return flags & MSG_WAITALL && !(flags & MSG_PEEK) && is_stream(fd);
}

ssize_t socket_receive(int fd, struct msghdr *message, int flags)
{
    if (flags & RECEIVED_AT_ONCE)
        return real_recvmsg(fd, message, flags);
    int before = errno;
    struct patience patience = {.fd = fd, .events = POLLIN};
    ssize_t n = try_patiently(try_to_receive, &patience, message, flags);
    if (n > 0 && is_to_be_filled(fd, flags))
        n = do_the_rest(try_to_receive, &patience, message, n, flags);
    if (n >= 0)
        errno = before;
    return n;
}

ssize_t socket_send(int fd, const struct msghdr *message, int flags)
{
    if (flags & MSG_DONTWAIT)
        return real_sendmsg(fd, message, flags);
    int before = errno;
    struct msghdr whole = *message;
    struct patience patience = {.fd = fd, .events = POLLOUT};
    ssize_t n = try_patiently(try_to_send, &patience, &whole, flags);
    if (n > 0)
        n = do_the_rest(try_to_send, &patience, message, n, flags | MSG_NOSIGNAL);
    if (n >= 0)
        errno = before;
    return n;
}
