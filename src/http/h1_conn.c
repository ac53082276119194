/* h1_conn.c: a connection of HTTP/1.x, served top to bottom. */
#include <errno.h>
#include <stdlib.h>

#include "http/h1.h"
#include "http/h2.h"
#include "http/record.h"
#include "http/refusal.h"
#include "http/route.h"

enum {
    PIPELINED = 32,   /* requests answered in a row before others have their turn */
    BEGUN_STEP = 256, /* bytes by which the room for a head that has begun grows */
};

/* What comes next, beside -errno: the connection is over. */
enum next {
    NEXT_REQUEST, /* this one is answered */
    ANSWER,       /* a request has been read */
    PARK,         /* the peer is silent */
    PARK_BEGUN,   /* the rest of a head is still to come */
    LINGER,       /* the last answer has been given */
    TURN,         /* this is not HTTP/1 */
};

/* ---- refusing ---- */

/* What there is of a first line that was never parsed: for the log. */
static struct str raw_line(const struct h1 *h)
{
    struct str bytes = h1_buffered(&h->in), line = str_cut(&bytes, '\n');
    line.n -= str_ends(line, STR("\r"));
    return line;
}

/* Answers a request that can't be served, as the last one of its connection. LINGER, or -errno. */
static int refuse(struct h1 *h, int status, const char *reason)
{
    h->keep_alive = false;
    if (!h->x.request.line.p)
        h->x.request.line = raw_line(h);
    int error = http_send_refusal(&h->x, status, reason);
    if (!error)
        error = h1_flush(h);
    http_log_refusal(&h->x, status);
    conn_record(h->conn, &h->x);
    return error ? error : LINGER;
}

/* ---- one request ---- */

static void begin_exchange(struct h1 *h)
{
    /* Of the request, only what is read when it is refused before it was parsed. */
    h->x.request.method = METHOD_UNKNOWN;
    h->x.request.host = STR("");
    h->x.request.line = (struct str){NULL, 0};
    h->x.request.field_count = 0;
    h->x.request.minor = 1;
    h->x.ops = &h1_ops;
    h->x.site = NULL;
    h->x.route = NULL;
    h->x.routed = false;
    h->x.failure = NULL;
    h->x.reason = NULL;
    h->x.times.read = h->x.times.before.at = h->x.times.handled = h->x.times.answered = 0;
    h->x.user.n = 0;
    h->x.as_is = false;
    h->x.response.status = 0;
    h->x.response.ended = false;
    h->x.response.sent = 0;
    h->body = (struct h1_body){.ended = true};
    arena_init(&h->x.arena, h->frame_arena, sizeof h->frame_arena);
}

static void end_exchange(struct h1 *h)
{
    green_describe(STR(""));
    green_label(NULL);
    h1_input_unpin(&h->in, h->frame_in, sizeof h->frame_in);
    arena_clear(&h->x.arena);
    h->scan = (struct h1_scan){0};
    h->deadline = 0;
    h->x.times.begun = h->told = 0;
}

/* What is buffered of a head is more than it may be: by its fields, or by the first line alone. */
static int refuse_large(struct h1 *h)
{
    bool line = str_find(h1_buffered(&h->in), '\r') >= h->x.server->limits.header_size;
    return line ? refuse(h, 414, "a request line beyond limits.header_size")
                : refuse(h, 431, "header fields beyond limits.header_size");
}

/* The head is larger than the buffer: a larger one, if there may be one. */
static int grow(struct h1 *h)
{
    int error = h1_input_grow(&h->in, h->x.server->limits.header_size);
    return error == -ENOBUFS ? refuse_large(h) : error ? error : ANSWER;
}

/* The peer has left in the middle of a head. */
static int miss_rest(struct h1 *h, int error)
{
    h->x.request.line = raw_line(h);
    h->x.reason = http_outcome(error)->reason;
    conn_record(h->conn, &h->x);
    return error;
}

/* What is there is looked at, and it is no whole head. One look at the socket for more, if it may have something: a
 * read that came back short said that it has not, and is not repeated. ANSWER: more has come. */
static int read_more(struct h1 *h)
{
    bool begun = h1_buffered(&h->in).n > 0;
    int error = h1_flush(h);
    if (error)
        return error;
    error = stream_rest(&h->conn->stream);
    if (error)
        return error;
    ssize_t got = h->in.readable ? h1_input_try(&h->in, &h->conn->stream) : -EAGAIN;
    if (got == -ENOBUFS)
        return grow(h);
    if (got > 0)
        return ANSWER;
    if (got != -EAGAIN) {
        int gone = got == 0 ? -ECONNRESET : (int)got;
        return begun ? miss_rest(h, gone) : gone;
    }
    error = stream_flush(&h->conn->stream, h->x.server->timeouts.write);
    if (error)
        return error;
    if (!begun)
        return PARK;
    if (h->deadline == 0)
        h->deadline = nsec_add(green_now(), h->x.server->timeouts.header);
    return green_now() < h->deadline ? PARK_BEGUN : refuse(h, 408, "the header took longer than timeouts.header");
}

/* RFC 9112, 2.2: empty lines before a request are ignored, within reason. */
static void skip_empty_lines(struct h1 *h)
{
    while (h->conn->empty_lines < H1_EMPTY_LINES && str_starts(h1_buffered(&h->in), STR("\r\n"))) {
        h->in.at += 2;
        h->conn->empty_lines++;
    }
}

/* A head of n bytes is there. */
static int parse_head(struct h1 *h, size_t n)
{
    const char *bytes = h->in.bytes + h->in.at;
    h->in.at += n;
    h->conn->empty_lines = 0;
    h1_input_pin(&h->in);
    int status = h1_parse(h, bytes, n);
    if (green_accounts)
        http_times_start(&h->x.times, h->told);
    return status ? refuse(h, status, h->wrong) : ANSWER;
}

/* RFC 9113, 3.3: who knows beforehand that HTTP/2 is spoken here starts with what looks like a head. */
static bool is_preface(const struct h1 *h, size_t n)
{
    static const struct str start = STR_INIT("PRI * HTTP/2.0\r\n\r\n");
    const struct conn *conn = h->conn;
    if (n != start.n || !str_starts(h1_buffered(&h->in), start))
        return false;
    return conn->requests == 0 && conn->empty_lines == 0 && conn->endpoint->http2 && !conn_is_secure(conn);
}

/* ANSWER: a head has been read and parsed. */
static int read_head(struct h1 *h)
{
    for (;;) {
        if (h->scan.checked == 0)
            skip_empty_lines(h);
        struct str bytes = h1_buffered(&h->in);
        if (bytes.n && green_accounts && !h->x.times.begun)
            h->x.times.begun = green_spent_before().at;
        ssize_t n = bytes.n ? h1_scan(&h->scan, bytes.p, bytes.n) : 0;
        if (n < 0)
            return refuse(h, 400, h->scan.wrong);
        if ((n ? (size_t)n : bytes.n) > h->x.server->limits.header_size) /* it may be smaller than the frame */
            return refuse_large(h);
        if (n > 0)
            return is_preface(h, (size_t)n) ? TURN : parse_head(h, (size_t)n);
        int result = read_more(h);
        if (result != ANSWER)
            return result;
    }
}

/* The response is whole. It goes out, unless the next one may go with it. */
static int send_answer(struct h1 *h)
{
    if (!h->keep_alive)
        return h1_end(h);
    bool more = h->body.ended && h1_buffered(&h->in).n;
    return more ? 0 : h1_flush(h);
}

/* After a response: what is left of the request is read, or the connection is over. */
static int conclude(struct h1 *h)
{
    if (h->keep_alive && (h->body.ended || h1_drain(h)))
        return NEXT_REQUEST;
    bool silent = h->body.ended && !h->in.readable && h1_buffered(&h->in).n == 0;
    return h->unasked || !silent ? LINGER : -ECONNABORTED;
}

/* Answers the request that read_head() left. */
static int answer(struct h1 *h)
{
    h->conn->requests++;
    h->conn->owner->score->requests++;
    const struct http_outcome *refusal;
    int error = http_answer(&h->x, &refusal);
    if (refusal)
        return refuse(h, refusal->status, refusal->reason);
    if (!error)
        error = send_answer(h);
    if (error && !h->x.reason)
        h->x.reason = http_cut_reason(error, h->body.error);
    conn_record(h->conn, &h->x);
    return error ? error : conclude(h);
}

/* Serves what there is, until the connection needs no thread. */
static int serve(struct h1 *h)
{
    for (int served = 1;; served++) {
        begin_exchange(h);
        int next = read_head(h);
        if (next == ANSWER)
            next = answer(h);
        if (next == PARK || next == PARK_BEGUN)
            return next;
        end_exchange(h);
        if (next == NEXT_REQUEST && served % PIPELINED == 0)
            next = green_yield();
        if (next != NEXT_REQUEST) {
            (void)!h1_flush(h); /* earlier answers of this connection, which this failure does not concern */
            return next;
        }
    }
}

/* ---- heads that have begun ---- */

static void forget(struct conn_kept *kept)
{
    free(container_of(kept, struct h1_begun, kept));
}

static const struct conn_protocol protocol = {.serve = h1_serve, .forget = forget};

/* Goes on where the last thread of this connection stopped. */
static int restore(struct h1 *h)
{
    if (!h->conn->kept)
        return 0;
    h->begun = container_of(h->conn->kept, struct h1_begun, kept);
    h->conn->kept = NULL;
    h->scan = h->begun->scan;
    h->deadline = h->begun->deadline;
    h->x.times.begun = h->begun->since;
    return h1_input_restore(&h->in, (struct str){h->begun->bytes, h->begun->n});
}

static int save(struct h1 *h)
{
    struct str bytes = h1_buffered(&h->in);
    struct h1_begun *begun = h->begun;
    if (!begun || begun->room < bytes.n) {
        size_t size = (sizeof *begun + bytes.n) / BEGUN_STEP * BEGUN_STEP + BEGUN_STEP;
        begun = realloc(begun, size);
        if (!begun)
            return -ENOMEM;
        begun->room = size - sizeof *begun;
        h->begun = begun;
    }
    begun->kept.protocol = &protocol;
    begun->scan = h->scan;
    begun->deadline = h->deadline;
    begun->since = h->x.times.begun;
    begun->n = bytes.n;
    memcpy(begun->bytes, bytes.p, bytes.n);
    return 0;
}

/* The thread's last act, unless it goes on with another protocol: true. */
static bool leave(struct h1 *h, int next)
{
    bool turned = next == TURN && h2_begin(h->conn, h1_buffered(&h->in)) == 0;
    h1_input_free(&h->in);
    if (next == PARK_BEGUN) {
        h->conn->kept = &h->begun->kept;
        conn_park_begun(h->conn, h->deadline);
        return false;
    }
    free(h->begun);
    if (turned)
        return true;
    if (next == PARK)
        conn_park(h->conn);
    else if (next == LINGER)
        conn_linger(h->conn);
    else
        conn_close(h->conn);
    return false;
}

/* Not to be inlined: its frame is to be gone when another protocol's begins. */
__attribute__((noinline)) static bool serve_framed(struct conn *conn)
{
    struct h1 h;
    h.conn = conn;
    h.x.server = conn->owner->server;
    h.x.peer = &conn->peer;
    h.x.tls = conn_tls(conn);
    h.x.times.begun = h.told = green_ready_since();
    h.begun = NULL;
    h.scan = (struct h1_scan){0};
    h.deadline = 0;
    h.out = (struct out){0};
    h1_input_init(&h.in, h.frame_in, sizeof h.frame_in);
    int next = restore(&h);
    if (!next)
        next = serve(&h);
    h1_forget(&h);
    if (next == PARK_BEGUN && save(&h) < 0)
        next = -ENOMEM;
    return leave(&h, next);
}

void h1_serve(struct conn *conn)
{
    if (serve_framed(conn))
        conn_serve(conn);
}
