/* file_calls.c: read() and write(), of sockets and of everything else.
 *
 * What is no socket knows no MSG_DONTWAIT. It is looked at by poll() right before libc's call, between which nothing
 * else of this process runs but what has OS threads of its own. Regular files are always ready, and their reads and
 * writes block the OS thread for as long as the disk takes.
 */
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#include "libc/patience.h"
#include "libc/real.h"
#include "libc/socket.h"

static size_t total(const struct iovec *pieces, int count)
{
    size_t n = 0;
    for (int i = 0; i < count; i++)
        n += pieces[i].iov_len;
    return n;
}

/* For libc's call, which answers at once: nothing to do, or a count that is none. */
static bool is_idle(const struct iovec *pieces, int count)
{
    return count <= 0 || count > IOV_MAX || total(pieces, count) == 0;
}

static struct msghdr message_of(const struct iovec *pieces, int count)
{
    return (struct msghdr){.msg_iov = (struct iovec *)pieces, .msg_iovlen = (size_t)count};
}

/* ---- read ---- */

static ssize_t read_pieces(int fd, const struct iovec *pieces, int count)
{
    int before = errno;
    struct msghdr message = message_of(pieces, count);
    ssize_t n = socket_receive(fd, &message, 0);
    if (n >= 0 || errno != ENOTSOCK)
        return n;
    if (!patience_until_ready(&(struct patience){.fd = fd, .events = POLLIN}))
        return -1;
    errno = before;
    return real_readv(fd, pieces, count);
}

ssize_t readv(int fd, const struct iovec *pieces, int count)
{
    return green_here() && !is_idle(pieces, count) ? read_pieces(fd, pieces, count) : real_readv(fd, pieces, count);
}

ssize_t read(int fd, void *to, size_t n)
{
    return green_here() && n ? read_pieces(fd, &(struct iovec){to, n}, 1) : real_read(fd, to, n);
}

/* ---- write ---- */

static bool is_pipe(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

/* A pipe that is ready has room for PIPE_BUF bytes, and no more is sure. */
static ssize_t write_to_pipe(struct patience *patience, const char *from, size_t n)
{
    size_t done = 0;
    while (done < n && patience_until_ready(patience)) {
        patience->vain = 0;
        ssize_t written = real_write(patience->fd, from + done, n - done < PIPE_BUF ? n - done : PIPE_BUF);
        if (written < 0)
            break;
        done += (size_t)written;
    }
    return done ? (ssize_t)done : -1;
}

static ssize_t write_pieces_to_pipe(struct patience *patience, const struct iovec *pieces, int count)
{
    ssize_t done = 0;
    for (int i = 0; i < count; i++) {
        ssize_t n = pieces[i].iov_len ? write_to_pipe(patience, pieces[i].iov_base, pieces[i].iov_len) : 0;
        if (n < 0)
            return done ? done : -1;
        done += n;
        if ((size_t)n < pieces[i].iov_len)
            break;
    }
    return done;
}

static ssize_t write_pieces(int fd, const struct iovec *pieces, int count)
{
    int before = errno;
    struct msghdr message = message_of(pieces, count);
    ssize_t n = socket_send(fd, &message, 0);
    if (n >= 0 || errno != ENOTSOCK)
        return n;
    struct patience patience = {.fd = fd, .events = POLLOUT};
    if (total(pieces, count) > PIPE_BUF && is_pipe(fd))
        n = write_pieces_to_pipe(&patience, pieces, count);
    else if (patience_until_ready(&patience))
        n = real_writev(fd, pieces, count);
    if (n >= 0)
        errno = before;
    return n;
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    return green_here() && !is_idle(pieces, count) ? write_pieces(fd, pieces, count) : real_writev(fd, pieces, count);
}

ssize_t write(int fd, const void *from, size_t n)
{
    return green_here() && n ? write_pieces(fd, &(struct iovec){(void *)from, n}, 1) : real_write(fd, from, n);
}
