/* h1_conn.c: a connection of HTTP/1.x, served top to bottom. */
#include <errno.h>

#include "http/h1.h"
#include "log/log.h"

enum {
    PIPELINED = 32,            /* requests answered in a row before others have their turn */
    LINGER_BYTES = 512 * 1024, /* of a refused request, read so that the peer can read the answer */
};
#define LINGER_TIME (2 * NSEC_SEC)

/* How reading a head can end, beside -errno. */
enum { NO_REQUEST, REQUEST };

static void log_request(struct h1 *h)
{
    const struct http_request *request = &h->x.request;
    if (!h->x.server->access)
        return;
    char client[PEER_TEXT];
    struct str line = request->line;
    struct access_entry entry = {
        .time = time(NULL),
        .client = peer_print(&h->conn->peer, client),
        .method = str_cut(&line, ' '),
        .target = str_cut(&line, ' '),
        .version = line,
        .referer = http_field(request, STR("Referer")),
        .user_agent = http_field(request, STR("User-Agent")),
        .status = (unsigned)h->x.response.status,
        .bytes = h->x.response.sent,
    };
    conns_log(h->conn->owner, &entry);
}

/* ---- refusing ---- */

/* RFC 9112, 9.6: closing with bytes unread would reset the connection, and might destroy the answer on its way. So we
 * end our side, and read for a while. */
static void linger(struct h1 *h)
{
    char unwanted[4096];
    nsec deadline = nsec_add(green_now(), LINGER_TIME);
    stream_shutdown(&h->conn->stream);
    for (size_t total = 0; total < LINGER_BYTES;) {
        ssize_t got = stream_read(&h->conn->stream, unwanted, sizeof unwanted, deadline);
        if (got <= 0)
            return;
        total += (size_t)got;
    }
}

/* What there is of a first line that was never parsed: for the log. */
static struct str raw_line(const struct h1 *h)
{
    struct str bytes = h1_buffered(&h->in), line = str_cut(&bytes, '\n');
    line.n -= str_ends(line, STR("\r"));
    return line;
}

/* Answers a request that can't be served, as the last one of its connection. Always < 0. */
static int refuse(struct h1 *h, int status)
{
    h->keep_alive = false;
    if (!h->x.request.line.p)
        h->x.request.line = raw_line(h);
    int error = http_send_status(&h->x, status, STR(""));
    if (!error)
        error = h1_flush(h);
    log_debug("refused with %d: " STR_FMT, status, STR_ARG(h->x.request.line));
    log_request(h);
    if (!error)
        linger(h);
    return -ECONNABORTED;
}

struct error_status {
    int error, status;
};

/* What a failure before a head was sent means to the peer; 0: there is no peer to tell. */
static int status_of(int error)
{
    static const struct error_status table[] = {
        {-EMSGSIZE, 413}, {-ETIMEDOUT, 408}, {-EBADMSG, 400}, {-EAGAIN, 503},  {-ENOMEM, 503},   {-EMFILE, 503},
        {-ENFILE, 503},   {-ENOBUFS, 503},   {-EPIPE, 0},     {-ECANCELED, 0}, {-ECONNRESET, 0}, {-ECONNABORTED, 0}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].error == error)
            return table[i].status;
    return 500;
}

/* ---- one request ---- */

static void begin_exchange(struct h1 *h)
{
    /* Of the request, only what is read when it is refused before it was parsed. */
    h->x.request.method = METHOD_UNKNOWN;
    h->x.request.line = (struct str){NULL, 0};
    h->x.request.field_count = 0;
    h->x.request.minor = 1;
    h->x.route = NULL;
    h->x.response = (struct http_response){0};
    h->body = (struct h1_body){.ended = true};
    arena_init(&h->x.arena, h->frame_arena, sizeof h->frame_arena);
}

static void end_exchange(struct h1 *h)
{
    green_describe(STR(""));
    h1_input_unpin(&h->in, h->frame_in, sizeof h->frame_in);
    arena_clear(&h->x.arena);
}

static int refuse_large(struct h1 *h, const struct h1_scan *scan)
{
    return refuse(h, scan->fields ? 431 : 414);
}

/* The head is larger than the buffer: a larger one, if there may be one. */
static int grow(struct h1 *h, const struct h1_scan *scan)
{
    int error = h1_input_grow(&h->in, h->x.server->limits.header_size);
    return error == -ENOBUFS ? refuse_large(h, scan) : error;
}

/* Waits for the rest of a head that has begun, until the deadline that its first byte set. */
static int wait_rest(struct h1 *h, const struct h1_scan *scan, nsec *deadline)
{
    int error = h1_flush(h);
    if (error)
        return error;
    if (*deadline == 0)
        *deadline = nsec_add(green_now(), h->x.server->timeouts.header);
    ssize_t got = h1_input_wait(&h->in, &h->conn->stream, *deadline);
    if (got == -ENOBUFS)
        return grow(h, scan);
    if (got == -ETIMEDOUT)
        return refuse(h, 408);
    return got == 0 ? -ECONNRESET : got < 0 ? (int)got : 0;
}

/* Nothing is buffered: one look at the socket if it may have something. A read that came back short said that it has
 * not, and is not repeated. */
static int first_bytes(struct h1 *h)
{
    int error = h1_flush(h);
    if (error)
        return error;
    if (!h->in.readable)
        return NO_REQUEST;
    ssize_t got = h1_input_try(&h->in, &h->conn->stream);
    if (got == -EAGAIN)
        return NO_REQUEST;
    return got == 0 ? -ECONNRESET : got < 0 ? (int)got : REQUEST;
}

/* RFC 9112, 2.2: empty lines before a request are ignored, within reason. */
static void skip_empty_lines(struct h1_input *in)
{
    for (int i = 0; i < H1_EMPTY_LINES && str_starts(h1_buffered(in), STR("\r\n")); i++)
        in->at += 2;
}

/* REQUEST: a head has been read and parsed. NO_REQUEST: the peer is silent. -errno: this was the last. */
static int read_head(struct h1 *h)
{
    struct h1_scan scan = {0};
    nsec deadline = 0;
    for (;;) {
        if (scan.checked == 0)
            skip_empty_lines(&h->in);
        struct str bytes = h1_buffered(&h->in);
        ssize_t n = bytes.n ? h1_scan(&scan, bytes.p, bytes.n) : 0;
        if (n < 0)
            return refuse(h, 400);
        if ((n ? (size_t)n : bytes.n) > h->x.server->limits.header_size) /* it may be smaller than the frame */
            return refuse_large(h, &scan);
        if (n > 0) {
            h->in.at += (size_t)n;
            h1_input_pin(&h->in);
            int status = h1_parse(h, bytes.p, (size_t)n);
            return status ? refuse(h, status) : REQUEST;
        }
        int result = bytes.n ? wait_rest(h, &scan, &deadline) : first_bytes(h);
        if (result < 0 || (bytes.n == 0 && result == NO_REQUEST))
            return result;
    }
}

static int handle(struct h1 *h)
{
    struct http_request *request = &h->x.request;
    h->x.route = http_route_find(&h->x.server->sites, request->host, request->uri.path);
    if (!h->x.route)
        return http_send_status(&h->x, 404, STR(""));
    return h->x.route->handler->serve(&h->x, h->x.route->settings);
}

/* After a response: what is left of the request is read, or the connection is over. 0: it goes on. */
static int conclude(struct h1 *h)
{
    if (h->keep_alive && h->body.ended)
        return 0;
    int error = h1_flush(h);
    if (error)
        return error;
    if (h->keep_alive && h1_drain(h))
        return 0;
    if (!h->body.ended || h->in.readable || h1_buffered(&h->in).n)
        linger(h);
    return -ECONNABORTED;
}

/* Answers the request that read_head() left. 0: the connection goes on. */
static int answer(struct h1 *h)
{
    h->conn->requests++;
    h->conn->owner->requests++;
    int error = handle(h);
    int status = error && !h->x.response.status ? status_of(error) : 0;
    if (status)
        return refuse(h, status);
    log_request(h);
    if (error)
        return error;
    return h->x.response.ended ? conclude(h) : -EPROTO;
}

/* Serves what there is. NO_REQUEST: the connection can be parked; -errno: it is over. */
static int serve(struct h1 *h)
{
    for (int served = 1;; served++) {
        begin_exchange(h);
        int result = read_head(h);
        if (result == REQUEST)
            result = answer(h);
        else if (result == NO_REQUEST)
            return NO_REQUEST;
        end_exchange(h);
        if (result == 0 && served % PIPELINED == 0)
            result = green_yield();
        if (result < 0) {
            (void)!h1_flush(h); /* earlier answers of this connection, which this failure does not concern */
            return result;
        }
    }
}

void conn_serve(struct conn *conn)
{
    struct h1 h;
    h.conn = conn;
    h.x.ops = &h1_ops;
    h.x.server = conn->owner->server;
    h.x.peer = &conn->peer;
    h.out = out_on(h.frame_out, sizeof h.frame_out);
    h1_input_init(&h.in, h.frame_in, sizeof h.frame_in);
    int result = serve(&h);
    h1_input_free(&h.in);
    if (result == NO_REQUEST)
        conn_park(conn);
    else
        conn_close(conn);
}
