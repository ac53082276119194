/* stream.c: see stream.h. Whatever carries a stream tries first and waits on -EAGAIN; the waiting is here, once. */
#include "net/stream.h"

#include <errno.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>

void stream_init(struct stream *s, const struct stream_ops *ops, int fd)
{
    s->ops = ops;
    s->burst = 0;
    s->more = false;
    green_fd_init(&s->fd, fd);
}

int stream_rest(struct stream *s)
{
    if (s->burst < STREAM_BURST)
        return 0;
    s->burst = 0;
    return green_yield();
}

/* After n bytes. */
static int spend(struct stream *s, size_t n)
{
    s->burst += (uint32_t)n;
    return stream_rest(s);
}

bool stream_has_input(const struct stream *s)
{
    char byte;
    return recv(s->fd.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

ssize_t stream_discard(struct stream *s)
{
    static char unwanted[16 * 1024];
    ssize_t got = recv(s->fd.fd, unwanted, sizeof unwanted, 0);
    return got < 0 ? (errno == EINTR ? -EAGAIN : -errno) : got;
}

/* Until nothing has moved for as long as the timeout, or until the deadline. */
static int wait_writable(struct stream *s, nsec timeout, nsec deadline)
{
    nsec until = nsec_add(green_now(), timeout);
    s->burst = 0;
    return green_fd_writable(&s->fd, until < deadline ? until : deadline);
}

static int flush_all(struct stream *s, nsec timeout, nsec deadline)
{
    int error = s->ops->flush ? s->ops->flush(s) : 0;
    while (error == -EAGAIN && (error = wait_writable(s, timeout, deadline)) == 0)
        error = s->ops->flush(s);
    return error;
}

int stream_flush(struct stream *s, nsec timeout)
{
    return flush_all(s, timeout, NSEC_NEVER);
}

int stream_flush_until(struct stream *s, nsec deadline)
{
    return flush_all(s, NSEC_NEVER, deadline);
}

int stream_end(struct stream *s, nsec timeout)
{
    if (s->ops->say_end)
        s->ops->say_end(s);
    return stream_flush(s, timeout);
}

/* What is held back is sent while the peer is waited for, by us or by who waits to write already: a peer that itself
 * waits to write would never take it first. */
static int await_input(struct stream *s, nsec deadline)
{
    int error = s->ops->flush ? s->ops->flush(s) : 0;
    if (error && error != -EAGAIN)
        return error;
    if (!error || s->fd.writer)
        return green_fd_readable(&s->fd, deadline);
    error = green_fd_ready(&s->fd, GREEN_READABLE | GREEN_WRITABLE, deadline);
    return error < 0 ? error : 0;
}

ssize_t stream_read(struct stream *s, void *to, size_t n, nsec deadline)
{
    for (;;) {
        ssize_t got = s->ops->read(s, to, n);
        if (got >= 0) {
            int error = spend(s, (size_t)got);
            return error ? error : got;
        }
        if (got != -EAGAIN)
            return got;
        s->burst = 0;
        int error = await_input(s, deadline);
        if (error)
            return error;
    }
}

/* Takes n written bytes off the front of the pieces. */
static void consume(struct iovec **pieces, int *count, size_t n)
{
    while (*count && n >= (*pieces)->iov_len) {
        n -= (*pieces)->iov_len;
        ++*pieces;
        --*count;
    }
    if (*count) {
        (*pieces)->iov_base = (char *)(*pieces)->iov_base + n;
        (*pieces)->iov_len -= n;
    }
}

static int write_all(struct stream *s, struct iovec *pieces, int count, bool more, nsec timeout, nsec deadline)
{
    consume(&pieces, &count, 0);
    while (count) {
        ssize_t sent = s->ops->write(s, pieces, count, more);
        if (sent < 0 && sent != -EAGAIN)
            return (int)sent;
        int error = sent < 0 ? wait_writable(s, timeout, deadline) : spend(s, (size_t)sent);
        if (error)
            return error;
        if (sent > 0)
            consume(&pieces, &count, (size_t)sent);
    }
    return 0;
}

int stream_write(struct stream *s, struct iovec *pieces, int count, bool more, nsec timeout)
{
    return write_all(s, pieces, count, more, timeout, NSEC_NEVER);
}

int stream_write_until(struct stream *s, struct iovec *pieces, int count, nsec deadline)
{
    return write_all(s, pieces, count, false, NSEC_NEVER, deadline);
}

/* A file that is written to while it is sent must not end as if it were whole: its peer would take a mixture of two
 * versions for one. */
bool file_still_is(int file, const struct file_stamp *stamp)
{
    struct stat now;
    if (fstat(file, &now) < 0)
        return false;
    return now.st_size == stamp->size && now.st_mtim.tv_sec == stamp->modified.tv_sec &&
           now.st_mtim.tv_nsec == stamp->modified.tv_nsec;
}

int stream_sendfile(struct stream *s, int file, off_t *at, size_t n, const struct file_stamp *stamp, nsec timeout)
{
    for (bool first = true; n; first = false) {
        if (!first && !file_still_is(file, stamp))
            return -ESTALE;
        ssize_t sent = s->ops->sendfile(s, file, at, n);
        if (sent == 0)
            return -EIO;
        if (sent < 0 && sent != -EAGAIN)
            return (int)sent;
        int error = sent < 0 ? wait_writable(s, timeout, NSEC_NEVER) : spend(s, (size_t)sent);
        if (error)
            return error;
        n -= sent > 0 ? (size_t)sent : 0;
    }
    return 0;
}

/* ---- TCP and unix sockets ---- */

static ssize_t plain_read(struct stream *s, void *to, size_t n)
{
    ssize_t got = recv(s->fd.fd, to, n, 0);
    return got < 0 ? (errno == EINTR ? -EAGAIN : -errno) : got;
}

static ssize_t plain_write(struct stream *s, const struct iovec *pieces, int count, bool more)
{
    int flags = MSG_NOSIGNAL | (more ? MSG_MORE : 0);
    struct msghdr message = {.msg_iov = (struct iovec *)pieces, .msg_iovlen = (size_t)count};
    /* send() for one piece: the kernel need not import a vector. */
    ssize_t sent =
        count == 1 ? send(s->fd.fd, pieces->iov_base, pieces->iov_len, flags) : sendmsg(s->fd.fd, &message, flags);
    return sent < 0 ? (errno == EINTR ? -EAGAIN : -errno) : sent;
}

static ssize_t plain_sendfile(struct stream *s, int file, off_t *at, size_t n)
{
    ssize_t sent = sendfile(s->fd.fd, file, at, n);
    return sent < 0 ? (errno == EINTR ? -EAGAIN : -errno) : sent;
}

static void plain_shutdown(struct stream *s)
{
    shutdown(s->fd.fd, SHUT_WR); /* a failure means that there is no peer any more */
}

static void plain_close(struct stream *s)
{
    green_fd_close(&s->fd);
}

const struct stream_ops stream_plain = {
    .size = sizeof(struct stream),
    .read = plain_read,
    .write = plain_write,
    .sendfile = plain_sendfile,
    .shutdown = plain_shutdown,
    .close = plain_close,
};
