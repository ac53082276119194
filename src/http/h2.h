/* h2.h: HTTP/2 (RFC 9113): what its files share.
 *
 *   h2_conn.c      the loop that serves a connection, and how it ends
 *   h2_scan.c      looks at the heads of frames before nghttp2 does
 *   h2_session.c   nghttp2, receiving: frames become streams, their fields and their content
 *   h2_submit.c    nghttp2, sending: what streams have to say becomes frames
 *   h2_stream.c    a stream: its memory, and the green thread that answers it
 *   h2_head.c      the fields of a request become a struct http_request
 *   h2_body.c      the content of a request, on its way to a handler
 *   h2_write.c     the response, on its way from a handler
 *   h2_budget.c    what a peer may cost
 *   h2_memory.c    nghttp2's memory, and what is left when there is none
 *
 * One green thread owns the session of a connection, and is there only while there is something to do: it receives,
 * lets the streams' threads run, gathers what they have to say, and sends it, with as few calls as possible. Each
 * request is answered on a thread of its own, by the same code as in HTTP/1: handlers can't tell. Threads of streams
 * never touch the socket. They leave content in their stream, and queue the stream for the session; and wait, on the
 * stream, when the peer or its flow control is slower than they are.
 *
 * Between two waits nothing else runs, so none of this needs a lock; nghttp2's callbacks never wait.
 */
#ifndef TERN_HTTP_H2_H
#define TERN_HTTP_H2_H

#include "http/conn.h"
#include "http/h2_scan.h"
#include "http/request.h"

struct nghttp2_session;
struct nghttp2_session_callbacks;

enum {
    H2_FIELDS = 24,          /* header fields before the arena is asked */
    H2_ARENA_SIZE = 2048,    /* of a request; and, once more, of its response */
    H2_GATHERED = 16 * 1024, /* bytes of a response that are kept for the session before its handler has to wait */
    H2_STREAM_WINDOW = 256 * 1024, /* content of a request that may be on its way, or wait for its handler */
    H2_CONN_WINDOW = 512 * 1024,   /* of all requests of a connection */
};

/* Error codes that are sent (RFC 9113, 7). */
enum h2_code {
    H2_NO_ERROR = 0x0,
    H2_PROTOCOL_ERROR = 0x1,
    H2_INTERNAL_ERROR = 0x2,
    H2_FLOW_CONTROL_ERROR = 0x3,
    H2_REFUSED_STREAM = 0x7,
    H2_CANCEL = 0x8,
    H2_ENHANCE_YOUR_CALM = 0xb,
};

struct h2_head {
    struct str method, scheme, authority, path; /* p is NULL: not there */
    struct str host;                            /* as a field; the same */
    size_t size;                                /* as MAX_HEADER_LIST_SIZE counts it (RFC 9113, 6.5.2) */
    size_t room;                                /* of request.fields */
    size_t crumbs;                              /* fields that are a part of Cookie */
    struct http_verdict verdict;
    bool complete;
};

struct h2_body {
    char *bytes; /* malloc'ed; received up to `end`, taken up to `at` */
    size_t at, end, room;
    uint64_t total; /* taken by the handler */
    nsec started;   /* when it was first waited for; 0: not yet */
    int error;      /* what reading it came to, for good */
    bool ended;     /* everything has come */
    bool expects;   /* the peer waits for 100 (Continue) */
    bool unwanted;  /* nobody will read what still comes */
};

/* What a response still has to say: first the bytes that are kept, then what its handler waits for to be taken. */
struct h2_output {
    struct arena arena;
    char status[3];
    struct str fields; /* of the head: names in lower case, each line ended by CRLF */
    char *bytes;       /* kept from `at` to `end` */
    size_t at, end, room;
    struct str direct; /* bytes of a handler that waits ... */
    size_t file_left;  /* ... or of its file */
    int file;
    off_t file_at;
    const struct file_stamp *stamp;
    uint64_t promised; /* content that is still to come, if its length is known */
    nsec progress;     /* when the peer last took something */
    bool endless;      /* its length is not known */
    bool has_head, submitted;
    bool bodiless; /* the head is all there is */
    bool ended;    /* nothing will be added */
    bool deferred; /* the session has found nothing to send, and has to be told when there is */
    bool stale;    /* a piece of the present file has been sent: it is to be looked at before the next one */
};

struct h2_stream {
    struct green_task task;
    struct exchange x;
    struct h2 *h2;
    struct list link;          /* in h2->streams */
    struct list ready;         /* in h2->ready */
    struct green *thread;      /* while its handler runs */
    struct green_cond changed; /* content has come, or was taken, or it has failed */
    int32_t id;
    int error;      /* what it came to before its end; 0: nothing has */
    bool open;      /* the session knows it */
    bool reset;     /* by us: the session is told once */
    bool running;   /* its task is queued, or its thread runs */
    bool answered;  /* all of its response has been sent */
    bool continues; /* 100 (Continue) is to be sent */
    struct h2_head head;
    struct h2_body body;
    struct h2_output out;
    struct http_field frame_fields[H2_FIELDS];
    _Alignas(16) char frame_arena[H2_ARENA_SIZE];
    _Alignas(16) char frame_output[H2_ARENA_SIZE];
};

enum h2_farewell { H2_STAYING, H2_WARNED, H2_LEAVING };

struct h2 {
    struct conn_kept kept;
    struct conn *conn;
    struct nghttp2_session *session;
    struct list streams; /* all there are, the oldest first */
    struct list ready;   /* those that have something for the session to do */
    size_t count;        /* streams */
    size_t running;      /* of which a thread runs, or will */
    bool posted;         /* tasks of streams have not had their turn yet */
    bool readable;       /* the socket may have more */
    bool ended;          /* the peer sends nothing any more */
    bool knows_priority; /* the peer speaks RFC 9218 */
    bool answered_ping;  /* the one that follows the first GOAWAY */
    bool left;           /* its thread has ended before those of its streams: the last of them closes it */
    uint8_t farewell;    /* enum h2_farewell */
    bool aborted;        /* the session is, for that reason: */
    uint32_t code;       /* what is wrong with the peer, or went wrong here; 0: nothing */
    nsec farewell_until;
    nsec idle_until; /* without a stream */
    nsec head_until; /* when a head that has begun is to be complete */
    nsec look_until; /* when streams are looked at for one that makes no progress */
    int64_t windows; /* how far beyond the initial one any was when the present SETTINGS began */
    struct h2_scan scan;
    struct h2_budget budget;
    struct {
        char *bytes; /* malloc'ed: what the socket did not take */
        size_t at, end;
        nsec progress;
        bool blocked; /* the socket is not known to have room */
    } unsent;
};

/* ---- h2_conn.c ---- */

/* Makes a connection one of HTTP/2, with bytes that were received already: the preface, or the start of it, or none.
 * It goes on with conn_serve(). 0 or -ENOMEM. */
int h2_begin(struct conn *conn, struct str received) __attribute__((warn_unused_result));

/* Serves a connection that is known to speak HTTP/2. */
void h2_serve(struct conn *conn, struct str received);

/* Wakes the thread of the connection, if it waits: it is to look at everything again. */
static inline void h2_wake(struct h2 *h2)
{
    green_fd_interrupt(&h2->conn->stream.fd);
}

/* By the last thread of a stream, when h2->left: ends the connection. */
void h2_end(struct h2 *h2);

/* ---- h2_session.c ---- */

/* 0 or -ENOMEM. */
int h2_session_open(struct h2 *h2) __attribute__((warn_unused_result));
void h2_session_close(struct h2 *h2);

/* Takes in what was received, behind what has stayed behind of it (h2_scan.h). What is wrong with it, is told to the
 * peer. */
void h2_receive(struct h2 *h2, struct str bytes);

/* Whether nothing is left to be received, or sent. */
bool h2_session_over(const struct h2 *h2);

/* Ends the session with an error. */
void h2_session_abort(struct h2 *h2, enum h2_code code);

/* The farewell (RFC 9113, 6.8): says that the end is near, with a PING behind it to know when the peer has heard that;
 * says which streams will still be answered. */
void h2_session_warn(struct h2 *h2);
void h2_session_leave(struct h2 *h2);

/* Ends a stream with an error code. */
void h2_reset(struct h2_stream *s, enum h2_code code);

/* Gives the peer room for n more bytes of content: of this stream, if the session still knows it, and of all. */
void h2_consume(struct h2_stream *s, size_t n);

/* The library below, with its version: for -V. */
const char *h2_library(void);

/* ---- h2_submit.c ---- */

enum { H2_SEND_SIZE = 64 * 1024, H2_FRAME_ROOM = 17 * 1024 };

/* Adds the callbacks of this file. */
void h2_submit_register(struct nghttp2_session_callbacks *callbacks);

/* Gathers frames, up to H2_SEND_SIZE bytes and a frame. Bytes; 0: there is nothing to send; -ENOMEM. */
ssize_t h2_gather(struct h2 *h2, char to[static H2_SEND_SIZE + H2_FRAME_ROOM]);

/* ---- h2_memory.c ---- */

/* As malloc(), free(), calloc() and realloc(), which nothing is made smaller than a byte with. What is small is to be
 * had, if need be from the reserve: then h2->code is set. */
void *h2_memory_get(size_t n, void *h2);
void h2_memory_give(void *p, void *h2);
void *h2_memory_get_zeroed(size_t count, size_t n, void *h2);
void *h2_memory_resize(void *p, size_t n, void *h2);

/* Whether so much of the reserve is used that no session should be entered before others have ended. */
bool h2_memory_is_short(void);

/* ---- h2_stream.c ---- */

/* A new stream; NULL: no memory. */
struct h2_stream *h2_stream_open(struct h2 *h2, int32_t id);

/* Its head is complete: a thread is to answer it. */
void h2_stream_post(struct h2_stream *s);

/* The session knows it no longer. */
void h2_stream_closed(struct h2_stream *s);

/* Ends all waits of its thread, the present and later ones, with an error. */
void h2_stream_fail(struct h2_stream *s, int error);

/* It has something for the session to do. */
void h2_stream_ready(struct h2_stream *s);

/* Waits until something has changed. 0, -ETIMEDOUT, -ECANCELED, or what it came to. */
int h2_stream_wait(struct h2_stream *s, nsec deadline) GREEN_WAITS;

/* ---- h2_head.c ---- */

/* A field of a request, in the order in which they come. What is said to stay need not be copied. */
void h2_head_field(struct h2_stream *s, struct http_field field, bool name_stays, bool value_stays);

/* All have come; `ended`: and no content will. */
void h2_head_end(struct h2_stream *s, bool ended);

/* The value of a Priority field (RFC 9218, 4), as far as it says something. */
void h2_parse_priority(struct str value, unsigned *urgency, bool *incremental);

/* ---- h2_body.c ---- */

/* exchange_ops.read. */
ssize_t h2_read(struct exchange *x, void *to, size_t n);

/* Content has come. False: no memory. */
bool h2_body_put(struct h2_stream *s, struct str bytes);

/* Nobody will read the rest: the peer gets the room for it back. */
void h2_body_forget(struct h2_stream *s);

/* ---- h2_write.c ---- */

extern const struct exchange_ops h2_ops;

/* Bytes of content that can be sent now. */
static inline size_t h2_output_left(const struct h2_output *out)
{
    return out->end - out->at + out->direct.n + out->file_left;
}

/* Takes the next n of them. 0, -EIO or -ESTALE; or what the stream came to meanwhile: then nothing is to be sent. */
int h2_output_take(struct h2_stream *s, char *to, size_t n);

#endif
