/* h2_submit.c: nghttp2, sending: what streams have to say becomes frames.
 *
 * nghttp2 decides what comes next: control frames first, then content by the priorities of RFC 9218. It is told where
 * content lies when its turn comes, and puts a frame's header in front of it: the bytes themselves go straight from
 * where a handler left them into what is sent.
 */
#include <errno.h>
#include <nghttp2/nghttp2.h>

#include "http/h2.h"
#include "http/own_fields.h"

enum {
    FRAME_HEADER = 9,
    OWN_FIELDS = 3, /* :status, server, date */
    FEW_FIELDS = 32,
};

/* Where frames gather: nothing waits meanwhile. */
static struct out gathered;

/* ---- heads ---- */

static nghttp2_nv field(struct str name, struct str value)
{
    return (nghttp2_nv){(uint8_t *)name.p, (uint8_t *)value.p, name.n, value.n,
                        NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

static size_t count_lines(struct str fields)
{
    size_t n = 0;
    for (; fields.n; fields = str_skip(fields, str_find(fields, '\n') + 1))
        n++;
    return n;
}

/* The response's own opinion of its priority (RFC 9218, 8) goes before the peer's. */
static void apply_priority(struct h2_stream *s, struct str value)
{
    nghttp2_extpri priority = {.urgency = NGHTTP2_EXTPRI_DEFAULT_URGENCY};
    bool incremental = false;
    h2_parse_priority(value, &priority.urgency, &incremental);
    priority.inc = incremental;
    (void)!nghttp2_session_change_extpri_stream_priority(s->h2->session, s->id, &priority, 1);
}

/* Streams of a peer that does not know of priorities take turns: one after the other, which is what they would be by
 * default, a large one would keep the small ones behind it waiting. */
static void take_turns(struct h2_stream *s)
{
    static const nghttp2_extpri in_turn = {.urgency = NGHTTP2_EXTPRI_DEFAULT_URGENCY, .inc = 1};
    if (!s->h2->knows_priority)
        (void)!nghttp2_session_change_extpri_stream_priority(s->h2->session, s->id, &in_turn, 0);
}

static size_t put_fields(struct h2_stream *s, nghttp2_nv *to)
{
    size_t n = 0;
    to[n++] = field(STR(":status"), (struct str){s->out.status, sizeof s->out.status});
    to[n++] = field(STR("server"), STR(HTTP_SERVER_NAME));
    to[n++] = field(STR("date"), http_date_now());
    for (struct str rest = s->out.fields; rest.n;) {
        struct str line = str_cut(&rest, '\n'), name = str_cut(&line, ':');
        struct str value = str_trim((struct str){line.p, line.n - str_ends(line, STR("\r"))});
        if (str_eq(name, STR("priority")))
            apply_priority(s, value);
        to[n++] = field(name, value);
    }
    return n;
}

static ssize_t on_turn(nghttp2_session *session, int32_t id, uint8_t *to, size_t n, uint32_t *flags,
                       nghttp2_data_source *source, void *arg);

static int submit_fields(struct h2_stream *s, nghttp2_nv *fields)
{
    struct h2_output *out = &s->out;
    nghttp2_data_provider provider = {.source.ptr = s, .read_callback = on_turn};
    bool empty = out->bodiless || (out->ended && h2_output_left(out) == 0);
    take_turns(s);
    size_t n = put_fields(s, fields);
    out->submitted = true;
    return nghttp2_submit_response(s->h2->session, s->id, fields, n, empty ? NULL : &provider);
}

static void submit_head(struct h2_stream *s)
{
    nghttp2_nv few[FEW_FIELDS], *fields = few;
    size_t n = OWN_FIELDS + count_lines(s->out.fields);
    if (n > FEW_FIELDS)
        fields = arena_alloc(&s->out.arena, n * sizeof *fields);
    if (!fields || submit_fields(s, fields) != 0) {
        h2_stream_fail(s, -ENOMEM);
        h2_reset(s, H2_INTERNAL_ERROR);
    }
}

static void submit_continue(struct h2_stream *s)
{
    const nghttp2_nv status = field(STR(":status"), STR("100"));
    (void)!nghttp2_submit_headers(s->h2->session, NGHTTP2_FLAG_NONE, s->id, NULL, &status, 1, NULL);
    s->continues = false;
}

/* ---- content ---- */

/* It is the stream's turn: how much of at most n bytes it has to say. They are taken when the frame is put together. */
static ssize_t on_turn(nghttp2_session *session, int32_t id, uint8_t *to, size_t n, uint32_t *flags,
                       nghttp2_data_source *source, void *arg)
{
    (void)session, (void)id, (void)to, (void)arg;
    struct h2_stream *s = source->ptr;
    size_t left = h2_output_left(&s->out);
    if (s->error || (left == 0 && !s->out.ended)) {
        s->out.deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    if (n >= left) {
        n = left;
        *flags |= s->out.ended ? NGHTTP2_DATA_FLAG_EOF : 0;
    }
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    return (ssize_t)n;
}

static int on_send(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *header, size_t n,
                   nghttp2_data_source *source, void *arg)
{
    (void)session, (void)frame;
    struct h2 *h2 = arg;
    struct h2_stream *s = source->ptr;
    if (out_len(&gathered) >= H2_SEND_SIZE)
        return NGHTTP2_ERR_WOULDBLOCK;
    int error = h2_output_take(s, gathered.at + FRAME_HEADER, n);
    if (error) {
        s->reset = true; /* nghttp2 sees to it */
        h2_stream_fail(s, error);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    out_bytes(&gathered, header, FRAME_HEADER);
    gathered.at += n;
    h2_budget_sent(&h2->budget, n);
    return 0;
}

void h2_submit_register(struct nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_send_data_callback(callbacks, on_send);
}

/* ---- all of it ---- */

static void hear(struct h2_stream *s)
{
    if (s->error)
        return; /* it is reset, or about to be */
    if (s->continues)
        submit_continue(s);
    if (s->out.has_head && !s->out.submitted)
        submit_head(s);
    if (!s->out.deferred)
        return;
    s->out.deferred = false;
    (void)!nghttp2_session_resume_data(s->h2->session, s->id);
}

ssize_t h2_gather(struct h2 *h2, char to[static H2_SEND_SIZE + H2_FRAME_ROOM])
{
    gathered = out_on(to, H2_SEND_SIZE + H2_FRAME_ROOM);
    for (struct list *l; (l = list_pop_front(&h2->ready));)
        hear(container_of(l, struct h2_stream, ready));
    while (out_len(&gathered) < H2_SEND_SIZE && (h2->aborted || !h2->code)) {
        const uint8_t *bytes;
        ssize_t n = nghttp2_session_mem_send(h2->session, &bytes);
        if (n < 0)
            return -ENOMEM;
        if (n == 0)
            break;
        out_bytes(&gathered, bytes, (size_t)n);
    }
    return (ssize_t)out_len(&gathered);
}
