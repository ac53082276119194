/* h2_session.c: nghttp2, receiving: frames become streams, their fields and their content.
 *
 * What nghttp2 sees to: framing, HPACK, flow control, the states of streams, and that requests are well-formed. What it
 * does not see to, h2_scan.c finds beforehand; and what a peer may cost is charged here.
 */
#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>

#include "http/h2.h"
#include "log/log.h"

enum {
    OUTBOUND_ACKS = 100,    /* answers to SETTINGS and PING that may wait to be sent */
    OUTBOUND_FRAMES = 1000, /* frames of all kinds that may, beside those of the answers */
};

static struct h2_stream *stream_of(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

/* ---- what a peer costs ---- */

/* For a callback: whether nghttp2 is to go on. */
static int verdict(const struct h2 *h2)
{
    return h2->code ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int charge(struct h2 *h2, enum h2_event event)
{
    if (!h2_budget_charge(&h2->budget, event) && !h2->code)
        h2->code = H2_ENHANCE_YOUR_CALM;
    return verdict(h2);
}

/* ---- windows ---- */

/* Called when SETTINGS are about to come: they may change all windows. A stream's that is below nothing counts as
 * nothing, which does no harm: no setting can make it too large. */
static void note_windows(struct h2 *h2)
{
    h2->windows = 0;
    list_each (l, next, &h2->streams) {
        const struct h2_stream *s = container_of(l, struct h2_stream, link);
        int32_t window = s->open ? nghttp2_session_get_stream_remote_window_size(h2->session, s->id) : 0;
        h2->windows = window > h2->windows ? window : h2->windows;
    }
    h2->windows -= nghttp2_session_get_remote_settings(h2->session, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE);
}

/* RFC 9113, 6.9.2: beyond 2^31 - 1 it is an error of the connection; nghttp2 would reset the stream alone. */
static int on_settings(struct h2 *h2, struct h2_stream *none, const nghttp2_frame *frame)
{
    (void)none;
    if (frame->hd.flags & NGHTTP2_FLAG_ACK)
        return 0;
    h2->windows += nghttp2_session_get_remote_settings(h2->session, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE);
    if (h2->windows > INT32_MAX)
        h2->code = H2_FLOW_CONTROL_ERROR;
    if (nghttp2_session_get_remote_settings(h2->session, NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES) == 1)
        h2->knows_priority = true;
    return verdict(h2);
}

/* ---- requests ---- */

/* Of streams that are over, or were taken back, threads may still run: as many again as there may be streams. */
static bool too_many(const struct h2 *h2)
{
    const struct http_limits *limits = &h2->conn->owner->server->limits;
    return h2->count >= 2 * (size_t)limits->streams ||
           (limits->requests_per_connection && h2->conn->requests >= limits->requests_per_connection);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    struct h2 *h2 = arg;
    int32_t id = frame->hd.stream_id;
    if (h2->code || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return verdict(h2);
    struct h2_stream *s = too_many(h2) ? NULL : h2_stream_open(h2, id);
    if (!s)
        return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
    nghttp2_session_set_stream_user_data(session, id, s);
    h2->head_until = nsec_add(green_now(), s->x.server->timeouts.header);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, nghttp2_rcbuf *name, nghttp2_rcbuf *value,
                     uint8_t flags, void *arg)
{
    (void)flags;
    struct h2_stream *s = stream_of(session, frame->hd.stream_id);
    if (!s || frame->headers.cat != NGHTTP2_HCAT_REQUEST) /* trailers: nothing here asks for them */
        return verdict(arg);
    nghttp2_vec n = nghttp2_rcbuf_get_buf(name), v = nghttp2_rcbuf_get_buf(value);
    struct http_field field = {{(const char *)n.base, n.len}, {(const char *)v.base, v.len}};
    h2_head_field(s, field, nghttp2_rcbuf_is_static(name), nghttp2_rcbuf_is_static(value));
    return verdict(arg);
}

/* A field that nghttp2 would leave out: a request with such a field is malformed as a whole (RFC 9113, 8.2.1). */
static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame, nghttp2_rcbuf *name,
                             nghttp2_rcbuf *value, uint8_t flags, void *arg)
{
    (void)name, (void)value, (void)flags, (void)arg;
    struct h2_stream *s = stream_of(session, frame->hd.stream_id);
    if (s && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        http_refuse(&s->head.verdict, 400, "a malformed field");
    return 0;
}

static int on_headers(struct h2 *h2, struct h2_stream *s, const nghttp2_frame *frame)
{
    bool ended = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        s->body.ended |= ended;
        green_cond_signal(&s->changed);
        return 0;
    }
    h2->head_until = NSEC_NEVER;
    h2_head_end(s, ended);
    h2_stream_post(s);
    return 0;
}

static int on_data_end(struct h2 *h2, struct h2_stream *s, const nghttp2_frame *frame)
{
    (void)h2;
    s->body.ended |= (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    green_cond_signal(&s->changed);
    return 0;
}

static int on_taken_back(struct h2 *h2, struct h2_stream *s, const nghttp2_frame *frame)
{
    (void)frame;
    return s->answered ? 0 : charge(h2, H2_TAKEN_BACK);
}

static int on_ping(struct h2 *h2, struct h2_stream *none, const nghttp2_frame *frame)
{
    (void)none;
    if (frame->hd.flags & NGHTTP2_FLAG_ACK)
        h2->answered_ping = true;
    return 0;
}

static int on_priority_update(struct h2 *h2, struct h2_stream *none, const nghttp2_frame *frame)
{
    (void)none, (void)frame;
    h2->knows_priority = true;
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    static const struct {
        int (*act)(struct h2 *h2, struct h2_stream *s, const nghttp2_frame *frame);
        bool of_stream; /* which must be there */
    } acts[] = {
        [NGHTTP2_DATA] = {on_data_end, true},
        [NGHTTP2_HEADERS] = {on_headers, true},
        [NGHTTP2_RST_STREAM] = {on_taken_back, true},
        [NGHTTP2_SETTINGS] = {on_settings, false},
        [NGHTTP2_PING] = {on_ping, false},
        [NGHTTP2_PRIORITY_UPDATE] = {on_priority_update, false},
    };
    struct h2 *h2 = arg;
    uint8_t type = frame->hd.type;
    if (h2->code || type >= sizeof acts / sizeof *acts || !acts[type].act)
        return verdict(h2);
    struct h2_stream *s = acts[type].of_stream ? stream_of(session, frame->hd.stream_id) : NULL;
    return s || !acts[type].of_stream ? acts[type].act(h2, s, frame) : 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t n, void *arg)
{
    (void)flags, (void)arg;
    struct h2_stream *s = stream_of(session, id);
    if (!s)
        return nghttp2_session_consume(session, id, n);
    return h2_body_put(s, (struct str){(const char *)bytes, n}) ? 0 : NGHTTP2_ERR_NOMEM;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *arg)
{
    (void)code;
    struct h2 *h2 = arg;
    struct h2_stream *s = stream_of(session, id);
    if (!s)
        return 0;
    if (!s->head.complete)
        h2->head_until = NSEC_NEVER;
    nghttp2_session_set_stream_user_data(session, id, NULL);
    h2_stream_closed(s);
    return 0;
}

/* ---- what has been sent ---- */

/* A mistake of the peer's, not one of ours, nor a change of mind. */
static bool is_mistake(uint32_t code)
{
    return code != NGHTTP2_NO_ERROR && code != NGHTTP2_INTERNAL_ERROR && code != NGHTTP2_CANCEL;
}

/* The answer is complete. The peer need not send the rest of what nobody wants (RFC 9113, 8.1). */
static void on_answered(struct h2 *h2, struct h2_stream *s)
{
    s->answered = true;
    h2_budget_charge(&h2->budget, H2_ANSWERED);
    if (!s->body.ended)
        h2_reset(s, H2_NO_ERROR);
}

static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    struct h2 *h2 = arg;
    if (frame->hd.type == NGHTTP2_RST_STREAM && is_mistake(frame->rst_stream.error_code))
        (void)!charge(h2, H2_MISTAKE);
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.last_stream_id == INT32_MAX)
        (void)!nghttp2_submit_ping(session, NGHTTP2_FLAG_NONE, NULL); /* which would overtake it, if it came sooner */
    bool of_answer = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    struct h2_stream *s = of_answer ? stream_of(session, frame->hd.stream_id) : NULL;
    if (s && frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        on_answered(h2, s);
    return 0;
}

/* A head that can't be sent, being too large. */
static int on_frame_not_sent(nghttp2_session *session, const nghttp2_frame *frame, int error, void *arg)
{
    (void)error, (void)arg;
    struct h2_stream *s = frame->hd.type == NGHTTP2_HEADERS ? stream_of(session, frame->hd.stream_id) : NULL;
    if (s) {
        h2_stream_fail(s, -ENOBUFS);
        h2_reset(s, H2_INTERNAL_ERROR);
    }
    return 0;
}

/* ---- the session ---- */

static const nghttp2_session_callbacks *callbacks(void)
{
    static nghttp2_session_callbacks *made;
    if (made || nghttp2_session_callbacks_new(&made) != 0)
        return made;
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback2(made, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback2(made, on_invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(made, on_frame_sent);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(made, on_frame_not_sent);
    h2_submit_register(made);
    return made;
}

static const nghttp2_option *options(void)
{
    static nghttp2_option *made;
    if (made || nghttp2_option_new(&made) != 0)
        return made;
    nghttp2_option_set_no_auto_window_update(made, 1);
    nghttp2_option_set_max_outbound_ack(made, OUTBOUND_ACKS);
    nghttp2_option_set_builtin_recv_extension_type(made, NGHTTP2_PRIORITY_UPDATE);
    nghttp2_option_set_stream_reset_rate_limit(made, UINT32_MAX, UINT32_MAX); /* resets are charged here */
    return made;
}

static int greet(struct h2 *h2)
{
    const struct http_limits *limits = &h2->conn->owner->server->limits;
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, (uint32_t)limits->streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2_STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)limits->header_size},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    int error = nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof *settings);
    return error ? error : nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0, H2_CONN_WINDOW);
}

int h2_session_open(struct h2 *h2)
{
    nghttp2_mem memory = {h2, h2_memory_get, h2_memory_give, h2_memory_get_zeroed, h2_memory_resize};
    if (!callbacks() || !options() ||
        nghttp2_session_server_new3(&h2->session, callbacks(), h2, options(), &memory) != 0)
        return -ENOMEM;
    h2_scan_init(&h2->scan);
    if (greet(h2) == 0)
        return 0;
    nghttp2_session_del(h2->session);
    return -ENOMEM;
}

void h2_session_close(struct h2 *h2)
{
    nghttp2_session_del(h2->session);
}

/* What an error of nghttp2's means to the peer. */
static enum h2_code code_of(ssize_t error)
{
    bool flooded = error == NGHTTP2_ERR_FLOODED || error == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS;
    return error == NGHTTP2_ERR_BAD_CLIENT_MAGIC ? H2_PROTOCOL_ERROR
           : flooded                             ? H2_ENHANCE_YOUR_CALM
                                                 : H2_INTERNAL_ERROR;
}

static void hand_on(struct h2 *h2, struct str bytes)
{
    ssize_t got = bytes.n ? nghttp2_session_mem_recv(h2->session, (const uint8_t *)bytes.p, bytes.n) : 0;
    if (got < 0 && !h2->code)
        h2->code = code_of(got);
}

/* What comes before it has been taken in. */
static void on_finding(struct h2 *h2, enum h2_finding found)
{
    if (found == H2_FOUND_ERROR)
        h2->code = H2_PROTOCOL_ERROR;
    else if (charge(h2, h2->scan.event) == 0 && h2->scan.event == H2_SETTINGS)
        note_windows(h2);
}

void h2_receive(struct h2 *h2, struct str bytes)
{
    size_t most = OUTBOUND_FRAMES + 2 * (size_t)h2->conn->owner->server->limits.streams;
    enum h2_finding found;
    do {
        size_t sound;
        found = h2_scan(&h2->scan, bytes, &sound);
        hand_on(h2, (struct str){bytes.p, sound});
        bytes = str_skip(bytes, sound);
        if (found && !h2->code)
            on_finding(h2, found);
    } while (found && !h2->code);
    if (!h2->code && nghttp2_session_get_outbound_queue_size(h2->session) > most)
        h2->code = H2_ENHANCE_YOUR_CALM;
    if (!h2->code)
        h2_scan_keep(&h2->scan, bytes);
}

bool h2_session_over(const struct h2 *h2)
{
    return !nghttp2_session_want_read(h2->session) && !nghttp2_session_want_write(h2->session);
}

void h2_session_abort(struct h2 *h2, enum h2_code code)
{
    (void)!nghttp2_session_terminate_session(h2->session, code);
}

void h2_session_warn(struct h2 *h2)
{
    (void)!nghttp2_submit_shutdown_notice(h2->session);
}

void h2_session_leave(struct h2 *h2)
{
    int32_t last = nghttp2_session_get_last_proc_stream_id(h2->session);
    (void)!nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, NULL, 0);
}

void h2_reset(struct h2_stream *s, enum h2_code code)
{
    if (!s->open || s->reset)
        return;
    s->reset = true;
    (void)!nghttp2_submit_rst_stream(s->h2->session, NGHTTP2_FLAG_NONE, s->id, code);
    h2_wake(s->h2);
}

void h2_consume(struct h2_stream *s, size_t n)
{
    nghttp2_session *session = s->h2->session;
    (void)!(s->open ? nghttp2_session_consume(session, s->id, n) : nghttp2_session_consume_connection(session, n));
    if (nghttp2_session_want_write(session))
        h2_wake(s->h2);
}

const char *h2_library(void)
{
    static char text[32];
    snprintf(text, sizeof text, "nghttp2 %s", nghttp2_version(0)->version_str);
    return text;
}
