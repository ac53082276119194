/* wire.h: a stream without a network, for tests and fuzzers of what reads and writes streams.
 *
 * It reads from a text, whole or in pieces of one size with a wait before each, and keeps what is written to it. Its
 * descriptor is always readable, so that no wait takes time. A file has one wire, and uses it for one stream at a time.
 */
#ifndef TERN_TESTS_WIRE_H
#define TERN_TESTS_WIRE_H

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "net/stream.h"

static struct {
    struct str input; /* what has not been read */
    size_t piece;     /* bytes of one read; 0: as many as there are */
    bool waited;      /* for the next piece */
    char output[1 << 16];
    size_t written;
} wire;

static inline ssize_t wire_read(struct stream *s, void *to, size_t n)
{
    (void)s;
    wire.waited = !wire.waited;
    if (wire.piece && wire.waited)
        return -EAGAIN;
    if (wire.piece && n > wire.piece)
        n = wire.piece;
    if (n > wire.input.n)
        n = wire.input.n;
    if (n)
        memcpy(to, wire.input.p, n);
    wire.input = str_skip(wire.input, n);
    return (ssize_t)n;
}

static inline void wire_keep(const void *bytes, size_t n)
{
    if (n > sizeof wire.output - wire.written)
        n = sizeof wire.output - wire.written;
    if (n)
        memcpy(wire.output + wire.written, bytes, n);
    wire.written += n;
}

static inline ssize_t wire_write(struct stream *s, const struct iovec *pieces, int count, bool more)
{
    (void)s, (void)more;
    size_t n = 0;
    for (int i = 0; i < count; i++) {
        wire_keep(pieces[i].iov_base, pieces[i].iov_len);
        n += pieces[i].iov_len;
    }
    return (ssize_t)n;
}

static inline ssize_t wire_sendfile(struct stream *s, int file, off_t *at, size_t n)
{
    (void)s;
    char bytes[4096];
    ssize_t got = pread(file, bytes, n < sizeof bytes ? n : sizeof bytes, *at);
    if (got < 0)
        return -errno;
    wire_keep(bytes, (size_t)got);
    *at += got;
    return got;
}

static inline void wire_shutdown(struct stream *s)
{
    (void)s;
}

static inline void wire_close(struct stream *s)
{
    green_fd_close(&s->fd);
}

static const struct stream_ops wire_ops = {
    .size = sizeof(struct stream),
    .read = wire_read,
    .write = wire_write,
    .sendfile = wire_sendfile,
    .shutdown = wire_shutdown,
    .close = wire_close,
};

/* Starts anew. The descriptor for the stream, or -1. */
static inline int wire_start(struct str input, size_t piece)
{
    wire.input = input;
    wire.piece = piece;
    wire.waited = false;
    wire.written = 0;
    return eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
}

static inline struct str wire_output(void)
{
    return (struct str){wire.output, wire.written};
}

#endif
