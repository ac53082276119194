/* stream.h: a connection as bytes in two directions.
 *
 * HTTP never asks what carries it: a stream is a small table of operations over a descriptor. stream_plain is a TCP or
 * unix socket as it is; stream_tls (net/tls_stream.h) is one that is secured.
 *
 * Reads and writes wait, so they are for green threads. One thread at a time reads, one writes. A thread that moves
 * more than STREAM_BURST bytes without waiting yields, so that one fast peer can't starve the rest.
 */
#ifndef TERN_NET_STREAM_H
#define TERN_NET_STREAM_H

#include <sys/types.h>
#include <sys/uio.h>

#include "green/fd.h"

enum { STREAM_BURST = 1 << 20 };

struct stream;

struct stream_ops {
    size_t size; /* of the structure that starts with the struct stream */
    /* What the stream does without waiting: bytes moved, or -EAGAIN, or -errno. A read of 0 is the peer's end; one that
     * moves fewer bytes than it may has moved all there were. After -EAGAIN a write or sendfile is called again with
     * the same bytes, or never again. */
    ssize_t (*read)(struct stream *s, void *to, size_t n);
    ssize_t (*write)(struct stream *s, const struct iovec *pieces, int count, bool more);
    ssize_t (*sendfile)(struct stream *s, int file, off_t *at, size_t n);
    int (*flush)(struct stream *s);     /* sends what the stream itself holds back: 0, -EAGAIN, -errno; may be NULL */
    void (*say_end)(struct stream *s);  /* puts a word for the end of our side behind what was written; may be NULL */
    void (*shutdown)(struct stream *s); /* no more writes: the peer reads the end */
    void (*close)(struct stream *s);
};

struct stream {
    const struct stream_ops *ops;
    struct green_fd fd;
    uint32_t burst; /* bytes moved since the last wait or yield, and what else was done for the peer, in bytes */
    bool more;      /* though the last read was short, the next one has something to tell at once: an end, say */
};

extern const struct stream_ops stream_plain;

/* Takes over a connected, non-blocking socket. */
void stream_init(struct stream *s, const struct stream_ops *ops, int fd);

/* What is there now: bytes, 0 at the peer's end, -EAGAIN when nothing is, -errno. Does not wait. */
static inline ssize_t stream_try_read(struct stream *s, void *to, size_t n)
{
    return s->ops->read(s, to, n);
}

/* Lets the others run when this thread has had its share. stream_read() and the like do so by themselves; it is for who
 * reads without waiting, in a loop. 0 or -ECANCELED. */
int stream_rest(struct stream *s) GREEN_WAITS;

/* Whether something has come that was not read yet. */
bool stream_has_input(const struct stream *s);

/* Throws away some of what has come, whatever it means: the peer is not listened to any more. As stream_try_read(). */
ssize_t stream_discard(struct stream *s);

/* Waits for at least one byte, and sends meanwhile what the stream itself holds back. Bytes, 0 at the peer's end,
 * -ETIMEDOUT, -ECANCELED, -errno. */
ssize_t stream_read(struct stream *s, void *to, size_t n, nsec deadline) GREEN_WAITS;

/* Writes all the pieces (which it uses up); `more`: more follows soon, so a partial packet may wait for it. The
 * timeout is for progress: it starts anew whenever the peer took something. 0, -ETIMEDOUT, -ECANCELED, -errno. */
int stream_write(struct stream *s, struct iovec *pieces, int count, bool more, nsec timeout) GREEN_WAITS;

/* Before a wait for the peer: what the stream itself still holds back is sent. As stream_write(). */
int stream_flush(struct stream *s, nsec timeout) GREEN_WAITS;

/* The same for who has a deadline for the whole. */
int stream_write_until(struct stream *s, struct iovec *pieces, int count, nsec deadline) GREEN_WAITS;
int stream_flush_until(struct stream *s, nsec deadline) GREEN_WAITS;

static inline bool stream_has_word_for_end(const struct stream *s)
{
    return s->ops->say_end != NULL;
}

/* The same, when nothing more will be written: the peer is told so, if there is a word for it. */
int stream_end(struct stream *s, nsec timeout) GREEN_WAITS;

/* What a file looked like when its size was promised to the peer. */
struct file_stamp {
    off_t size;
    struct timespec modified;
};

/* Whether nobody has written to an open file since. */
bool file_still_is(int file, const struct file_stamp *stamp);

/* Sends n bytes of a file from the offset *at on, which moves with what was sent, without copying them where the stream
 * can. The file is looked at before each piece but the first, which is the caller's to check: -ESTALE: it was written
 * to since its stamp; -EIO: it ended before n bytes. Otherwise as stream_write(). */
int stream_sendfile(struct stream *s, int file, off_t *at, size_t n, const struct file_stamp *stamp,
                    nsec timeout) GREEN_WAITS;

static inline void stream_shutdown(struct stream *s)
{
    s->ops->shutdown(s);
}

static inline void stream_close(struct stream *s)
{
    s->ops->close(s);
}

#endif
