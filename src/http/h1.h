/* h1.h: HTTP/1.x (RFC 9112): what its files share.
 *
 *   h1_scan.c    looks at the raw bytes of a head before any parser does, and finds its end
 *   h1_parse.c   tokenises a head (http-parser), and computes what governs framing from its fields
 *   h1_input.c   bytes received and not yet used
 *   h1_body.c    the content of a request: by length, or chunked
 *   h1_buffer.c  what responses gather in
 *   h1_write.c   the response: head, content, file, end
 *   h1_conn.c    the loop that serves a connection, top to bottom
 *
 * struct h1 is the frame of the green thread that serves: buffers, arena and all. It exists only while a connection
 * is ACTIVE, and always on the same few warm stacks. A typical request never leaves it.
 */
#ifndef TERN_HTTP_H1_H
#define TERN_HTTP_H1_H

#include "base/out.h"
#include "http/conn.h"

enum {
    H1_IN_SIZE = 4096,
    H1_OUT_SIZE = 8192,
    H1_ARENA_SIZE = 2048,
    H1_FIELDS = 24,          /* header fields before the arena is asked */
    H1_DRAINED = 256 * 1024, /* unwanted content that is read rather than closing the connection */
    H1_EMPTY_LINES = 4,      /* CRLFs that may stand before a request (RFC 9112, 2.2) */
};

/* Received bytes: used up to `at`, received up to `end`. The bytes of a head stay where they are until its exchange
 * ends: what follows it is moved down to `base` at most. */
struct h1_input {
    char *bytes;
    size_t base, at, end, room;
    char *heap;    /* malloc'ed `bytes`, when a head outgrew the frame */
    bool readable; /* the socket may have more: no wait is needed before the next read */
};

/* How far a head has been looked at. */
struct h1_scan {
    size_t checked;    /* bytes from the head's start that are known to be good */
    bool fields;       /* the first line has ended */
    const char *wrong; /* why it was refused */
};

/* What is kept of a head that has not come to its end, while its connection has no thread. */
struct h1_begun {
    struct conn_kept kept;
    nsec deadline; /* by which it is to be complete */
    nsec since;    /* when its first byte had come; 0: nobody wants to know */
    struct h1_scan scan;
    size_t n, room;
    char bytes[];
};

enum h1_framing { H1_NO_BODY, H1_LENGTH, H1_CHUNKED };

struct h1_body {
    enum h1_framing framing;
    uint64_t left;     /* of the content, or of the present chunk */
    uint64_t total;    /* content read so far */
    uint64_t overhead; /* chunked: bytes of the lines between */
    bool between;      /* chunked: the next line is the end of a chunk */
    bool ended;        /* everything has been read */
    bool expects;      /* the peer waits for 100 (Continue) */
    nsec started;      /* when it was first waited for; 0: not yet */
    int error;         /* what reading it came to, for good */
};

struct h1 {
    struct exchange x;
    struct conn *conn;
    struct h1_input in;
    struct h1_begun *begun; /* the one its head was kept in, to be used again; NULL: none */
    struct h1_scan scan;
    nsec told;         /* when a poll, or an accept, told of what the thread began with; 0: that has been answered */
    nsec deadline;     /* for a head that has begun; 0: none has */
    const char *wrong; /* why the request is refused */
    struct h1_body body;
    struct out out;  /* a response that gathers; .start is NULL: nothing does, and no buffer is held */
    bool keep_alive; /* the connection goes on after this response */
    bool unasked;    /* it would, if the peer had its way */
    bool chunked;    /* the response is */
    char frame_in[H1_IN_SIZE];
    struct http_field frame_fields[H1_FIELDS];
    _Alignas(16) char frame_arena[H1_ARENA_SIZE];
};

/* ---- h1_scan.c ---- */

/* Goes on looking at the n bytes of a head. Its length with the empty line; 0: it is not complete; -EBADMSG: bytes
 * that no head may contain. */
ssize_t h1_scan(struct h1_scan *scan, const char *head, size_t n);

/* ---- h1_conn.c ---- */

/* Serves a connection of HTTP/1. */
void h1_serve(struct conn *conn);

/* ---- h1_parse.c ---- */

/* Takes a complete head of n bytes apart, into h->x.request, h->body and h->keep_alive. 0, or the status with which the
 * request is refused, for the reason in h->wrong. */
int h1_parse(struct h1 *h, const char *head, size_t n);

/* The parser below, with its version: for -V. */
const char *h1_library(void);

/* ---- h1_input.c ---- */

void h1_input_init(struct h1_input *in, void *frame, size_t size);
void h1_input_free(struct h1_input *in);

static inline struct str h1_buffered(const struct h1_input *in)
{
    return (struct str){in->bytes + in->at, in->end - in->at};
}

/* Receives more, without waiting or until the deadline. Bytes; 0: the peer's end; -ENOBUFS: there is no room;
 * otherwise as stream_read(). */
ssize_t h1_input_try(struct h1_input *in, struct stream *s);
ssize_t h1_input_wait(struct h1_input *in, struct stream *s, nsec deadline) GREEN_WAITS;

/* Makes room for a head that fills the buffer, up to `most` bytes in all. 0, -ENOBUFS or -ENOMEM. */
int h1_input_grow(struct h1_input *in, size_t most);

/* Puts bytes that were received earlier into an empty input. 0 or -ENOMEM. */
int h1_input_restore(struct h1_input *in, struct str bytes);

/* The exchange whose head ended at `at` begins: from here on only what follows may move. Ends: everything may. */
void h1_input_pin(struct h1_input *in);
void h1_input_unpin(struct h1_input *in, void *frame, size_t size);

/* ---- h1_buffer.c ---- */

/* H1_OUT_SIZE bytes for a response, from the first piece of it until it is sent: a handler that waits before it
 * answers holds none. NULL: no memory. */
char *h1_buffer_take(void) __attribute__((warn_unused_result));
void h1_buffer_give(char *buffer);

/* ---- h1_body.c ---- */

/* exchange_ops.read. */
ssize_t h1_read(struct exchange *x, void *to, size_t n);

/* Reads what nobody wanted of a request's content, within bounds. True: the connection can go on. */
bool h1_drain(struct h1 *h);

/* ---- h1_write.c ---- */

extern const struct exchange_ops h1_ops;

/* Sends what has gathered; h1_end: as the last of this connection, which is closed right afterwards. */
int h1_flush(struct h1 *h) GREEN_WAITS;
int h1_end(struct h1 *h) GREEN_WAITS;

/* Gives up what gathers, unsent. */
void h1_forget(struct h1 *h);

/* Gathers bytes, sending when the buffer is full. */
int h1_put(struct h1 *h, struct str bytes) GREEN_WAITS;

#endif
