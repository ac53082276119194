/* harness_h2.c: see harness_h2.h. */
#include "harness_h2.h"

#include "harness.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { STREAMS = 64, PING_OCTETS = 8, SETTING = 6, RESERVED_BIT = 0x80000000u };

/* ---- to send ---- */

static struct h2c_stream **slot(struct h2c *h, uint32_t id)
{
    size_t i = id / 2, room = h->room ? h->room : STREAMS;
    while (room <= i)
        room *= 2;
    if (room > h->room) {
        h->streams = realloc(h->streams, room * sizeof(struct h2c_stream *));
        cr_assert_not_null(h->streams, "out of memory");
        memset(h->streams + h->room, 0, (room - h->room) * sizeof(struct h2c_stream *));
        h->room = room;
    }
    return &h->streams[i];
}

struct h2c_stream *h2c_stream(struct h2c *h, uint32_t id)
{
    struct h2c_stream *s = *slot(h, id);
    cr_assert_not_null(s, "stream %u is idle", id);
    return s;
}

void h2c_expect(struct h2c *h, const struct h2c_frame *frames, size_t count)
{
    for (const struct h2c_frame *f = frames; f < frames + count; f++) {
        uint32_t id = f->stream & ~RESERVED_BIT;
        if (f->type == NGHTTP2_HEADERS && id % 2 == 1 && !*slot(h, id))
            *slot(h, id) = h2c_stream_new(id, h->initial_window, h->send_initial_window);
    }
}

void h2c_send_frames(struct h2c *h, const struct h2c_frame *frames, size_t count)
{
    h2c_expect(h, frames, count);
    client_send(h->client, h2c_encode(frames, count));
}

void h2c_grant(struct h2c *h, uint32_t stream, uint32_t octets)
{
    int64_t *window = stream ? &h2c_stream(h, stream)->window : &h->window;
    *window += octets;
    h2c_send(h, .type = NGHTTP2_WINDOW_UPDATE, .stream = stream, .start = h2c_u32(octets));
}

/* Until the server has acknowledged a change of windows, it may send by the old ones or the new ones: we count by the
 * larger. */
static void change_windows(struct h2c *h, uint32_t to)
{
    for (size_t i = 0; i < h->room; i++)
        if (h->streams[i])
            h->streams[i]->window += (int64_t)to - h->initial_window;
    h->initial_window = to;
}

static void count_setting(struct h2c *h, uint16_t id, uint32_t value)
{
    if (id == NGHTTP2_SETTINGS_HEADER_TABLE_SIZE)
        h->next_table = value;
    if (id != NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE)
        return;
    h->next_window = value;
    if (value > h->initial_window)
        change_windows(h, value);
}

static void send_settings(struct h2c *h, struct str settings)
{
    for (size_t i = 0; i + SETTING <= settings.n; i += SETTING)
        count_setting(h, (uint16_t)(h2c_get_u32(settings.p + i) >> 16), h2c_get_u32(settings.p + i + 2));
    h2c_send(h, .type = NGHTTP2_SETTINGS, .start = settings);
}

uint32_t h2c_request(struct h2c *h, const char *fields, bool last)
{
    uint32_t id = h->next;
    h->next += 2;
    h2c_send(h, .type = NGHTTP2_HEADERS, .stream = id, .fields = str_of(fields),
             .flags = NGHTTP2_FLAG_END_HEADERS | (last ? NGHTTP2_FLAG_END_STREAM : 0));
    h2c_stream(h, id)->to_head = str_starts(str_of(fields), STR(":method: HEAD\n"));
    return id;
}

/* `flags`: of the last frame. False: the server wants no more of it. */
static bool send_content(struct h2c *h, uint32_t stream, struct str content, uint8_t flags)
{
    struct h2c_stream *s = h2c_stream(h, stream);
    struct h2c_frame frame;
    do {
        int64_t n = content.n < H2C_FRAME_MAX ? (int64_t)content.n : H2C_FRAME_MAX;
        n = n < s->send_window ? n : s->send_window;
        n = n < h->send_window ? n : h->send_window;
        if (n <= 0 && content.n) {
            if (!h2c_read(h, &frame) || s->reset)
                return false;
            continue;
        }
        bool last = (size_t)n == content.n;
        h2c_send(h, .type = NGHTTP2_DATA, .stream = stream, .start = {content.p, (size_t)n}, .flags = last ? flags : 0);
        s->send_window -= n;
        h->send_window -= n;
        content = str_skip(content, (size_t)n);
    } while (content.n);
    return true;
}

void h2c_content(struct h2c *h, uint32_t stream, struct str content)
{
    send_content(h, stream, content, NGHTTP2_FLAG_END_STREAM);
}

void h2c_content_and_trailers(struct h2c *h, uint32_t stream, struct str content, const char *fields)
{
    if (send_content(h, stream, content, 0))
        h2c_send(h, .type = NGHTTP2_HEADERS, .stream = stream, .fields = str_of(fields),
                 .flags = NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM);
}

/* ---- what comes ---- */

/* Acts on a frame; NULL, or what is wrong with it. */
typedef const char *take_fn(struct h2c *h, const struct h2c_frame *frame);

/* The stream of a frame; NULL: it is idle, or none of ours. */
static struct h2c_stream *stream_of(struct h2c *h, const struct h2c_frame *frame)
{
    return frame->stream % 2 ? *slot(h, frame->stream) : NULL;
}

static const char *take_headers(struct h2c *h, const struct h2c_frame *frame)
{
    struct h2c_stream *s = stream_of(h, frame);
    if (!s)
        return "HEADERS on a stream that is idle";
    if ((frame->flags & ~NGHTTP2_FLAG_END_STREAM) != NGHTTP2_FLAG_END_HEADERS)
        return "HEADERS that are not all of a block, or have more than that";
    return h2c_stream_block(s, h->inflater, frame->start, frame->flags & NGHTTP2_FLAG_END_STREAM);
}

static const char *take_data(struct h2c *h, const struct h2c_frame *frame)
{
    struct h2c_stream *s = stream_of(h, frame);
    bool last = frame->flags & NGHTTP2_FLAG_END_STREAM;
    uint32_t n = (uint32_t)frame->start.n;
    if (!s)
        return "DATA on a stream that is idle";
    if (frame->flags & NGHTTP2_FLAG_PADDED)
        return "padding";
    if (n && (n > s->window || n > h->window))
        return "more DATA than the windows allow";
    s->window -= n;
    h->window -= n;
    if (n && !h->thrifty) {
        h2c_grant(h, 0, n);
        if (!last)
            h2c_grant(h, s->id, n);
    }
    return h2c_stream_data(s, frame->start, last);
}

static const char *take_reset(struct h2c *h, const struct h2c_frame *frame)
{
    struct h2c_stream *s = stream_of(h, frame);
    if (!s || frame->start.n != 4)
        return "RST_STREAM on a stream that is idle, or of another length";
    return h2c_stream_reset(s, h2c_get_u32(frame->start.p));
}

static const char *take_setting(struct h2c *h, uint16_t id, uint32_t value)
{
    if (id == NGHTTP2_SETTINGS_ENABLE_PUSH && value)
        return "a server that asks for pushes";
    if (id == NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE && value > H2C_WINDOW_MAX)
        return "an initial window beyond all windows";
    if (id == NGHTTP2_SETTINGS_MAX_FRAME_SIZE && (value < H2C_FRAME_MAX || value > 0xffffff))
        return "a size of frames out of its range";
    if (id == NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
        h->streams_max = value;
    if (id != NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE)
        return NULL;
    for (size_t i = 0; i < h->room; i++)
        if (h->streams[i])
            h->streams[i]->send_window += (int64_t)value - h->send_initial_window;
    h->send_initial_window = value;
    return NULL;
}

static const char *take_acknowledgement(struct h2c *h)
{
    h->acks++;
    if (h->next_window < h->initial_window)
        change_windows(h, h->next_window);
    if (h->next_table != h->table)
        cr_assert_eq(nghttp2_hd_inflate_change_table_size(h->inflater, h->table = h->next_table), 0);
    return NULL;
}

static const char *take_settings(struct h2c *h, const struct h2c_frame *frame)
{
    const char *problem = NULL;
    if (frame->stream || frame->start.n % SETTING || (frame->flags & NGHTTP2_FLAG_ACK && frame->start.n))
        return "SETTINGS on a stream, or of another length";
    if (frame->flags & NGHTTP2_FLAG_ACK)
        return take_acknowledgement(h);
    h->settings++;
    for (size_t i = 0; i < frame->start.n && !problem; i += SETTING) {
        const char *at = frame->start.p + i;
        problem = take_setting(h, (uint16_t)(h2c_get_u32(at) >> 16), h2c_get_u32(at + 2));
    }
    h2c_send(h, .type = NGHTTP2_SETTINGS, .flags = NGHTTP2_FLAG_ACK);
    return problem;
}

static const char *take_ping(struct h2c *h, const struct h2c_frame *frame)
{
    if (frame->stream || frame->start.n != PING_OCTETS)
        return "PING on a stream, or of another length";
    if (frame->flags & NGHTTP2_FLAG_ACK)
        h->pings++;
    else
        h2c_send(h, .type = NGHTTP2_PING, .flags = NGHTTP2_FLAG_ACK, .start = frame->start);
    return NULL;
}

static const char *take_goaway(struct h2c *h, const struct h2c_frame *frame)
{
    if (frame->stream || frame->start.n < 8)
        return "GOAWAY on a stream, or of another length";
    uint32_t last_id = h2c_get_u32(frame->start.p);
    bool raised = h->goaways++ && last_id > h->last_id;
    h->last_id = last_id;
    h->error = h2c_get_u32(frame->start.p + 4);
    return raised ? "GOAWAY with a higher id than the one before" : NULL;
}

static const char *take_window_update(struct h2c *h, const struct h2c_frame *frame)
{
    struct h2c_stream *s = stream_of(h, frame);
    if (frame->start.n != 4 || (frame->stream && !s))
        return "WINDOW_UPDATE on a stream that is idle, or of another length";
    uint32_t n = h2c_get_u32(frame->start.p);
    int64_t *window = s ? &s->send_window : &h->send_window;
    *window += n;
    return n == 0 || *window > H2C_WINDOW_MAX ? "WINDOW_UPDATE by nothing, or beyond all windows" : NULL;
}

static const char *take_forbidden(struct h2c *h, const struct h2c_frame *frame)
{
    (void)h, (void)frame;
    return "CONTINUATION alone, or a push";
}

/* Other types may be ignored (RFC 9113, 5.5). */
static const char *take(struct h2c *h, const struct h2c_frame *frame)
{
    static take_fn *const takers[] = {
        [NGHTTP2_DATA] = take_data,
        [NGHTTP2_HEADERS] = take_headers,
        [NGHTTP2_RST_STREAM] = take_reset,
        [NGHTTP2_SETTINGS] = take_settings,
        [NGHTTP2_PUSH_PROMISE] = take_forbidden,
        [NGHTTP2_PING] = take_ping,
        [NGHTTP2_GOAWAY] = take_goaway,
        [NGHTTP2_WINDOW_UPDATE] = take_window_update,
        [NGHTTP2_CONTINUATION] = take_forbidden,
    };
    if (!h->settings && frame->type != NGHTTP2_SETTINGS)
        return "a first frame that is not SETTINGS";
    if (frame->type >= sizeof takers / sizeof *takers || !takers[frame->type])
        return NULL;
    return takers[frame->type](h, frame);
}

static struct str join(struct str a, struct str b)
{
    if (a.n == 0)
        return b;
    char *both = harness_alloc(a.n + b.n);
    memcpy(both, a.p, a.n);
    memcpy(both + a.n, b.p, b.n);
    return (struct str){both, a.n + b.n};
}

/* Whether the next n octets have come before the deadline. */
static bool has(struct h2c *h, size_t n, nsec deadline)
{
    if (h->arrived.n >= n)
        return true;
    if (!client_has(h->client, n - h->arrived.n, deadline))
        return false;
    h->arrived = join(h->arrived, client_take(h->client, h->client->n));
    return true;
}

static enum h2c_event lack(struct h2c *h)
{
    if (!h->client->ended)
        return H2C_SILENCE;
    h->ended = true;
    h->cut = h->arrived.n + h->client->n > 0;
    return H2C_END;
}

enum h2c_event h2c_read_until(struct h2c *h, struct h2c_frame *frame, nsec deadline)
{
    if (h->problem || h->ended)
        return H2C_END;
    if (!has(h, H2C_HEAD, deadline))
        return lack(h);
    const char *head = h->arrived.p;
    uint32_t n = h2c_get_u32(head) >> 8;
    if (n > H2C_FRAME_MAX) {
        h->problem = "a frame longer than we take";
        return H2C_END;
    }
    if (!has(h, H2C_HEAD + n, deadline))
        return lack(h);
    head = h->arrived.p;
    *frame = (struct h2c_frame){.type = (uint8_t)head[3],
                                .flags = (uint8_t)head[4],
                                .stream = h2c_get_u32(head + 5) & ~RESERVED_BIT,
                                .start = {head + H2C_HEAD, n}};
    h->arrived = str_skip(h->arrived, H2C_HEAD + n);
    h->problem = take(h, frame);
    return h->problem ? H2C_END : H2C_FRAME;
}

bool h2c_read(struct h2c *h, struct h2c_frame *frame)
{
    enum h2c_event event = h2c_read_until(h, frame, nsec_add(clock_monotonic(), HARNESS_LIMIT));
    cr_assert_null(h->problem, "the server sends %s", h->problem);
    cr_assert_neq(event, H2C_SILENCE, "the server sends nothing");
    return event == H2C_FRAME;
}

/* ---- both ---- */

static void release(void *arg)
{
    struct h2c *h = arg;
    nghttp2_hd_inflate_del(h->inflater);
    free(h->streams);
}

struct h2c *h2c_begin(struct client *client, struct str settings)
{
    struct h2c *h = harness_alloc(sizeof *h);
    *h = (struct h2c){.client = client,
                      .next = 1,
                      .window = H2C_WINDOW,
                      .send_window = H2C_WINDOW,
                      .initial_window = H2C_WINDOW,
                      .next_window = H2C_WINDOW,
                      .table = NGHTTP2_DEFAULT_HEADER_TABLE_SIZE,
                      .next_table = NGHTTP2_DEFAULT_HEADER_TABLE_SIZE,
                      .send_initial_window = H2C_WINDOW,
                      .streams_max = UINT32_MAX};
    cr_assert_eq(nghttp2_hd_inflate_new(&h->inflater), 0, "out of memory");
    cr_assert_eq(arena_defer(harness_memory(), release, h), 0, "out of memory");
    client_send(client, h2c_preface());
    send_settings(h, settings);
    return h;
}

struct h2c *h2c_open_on(struct client *client, struct str settings)
{
    struct h2c *h = h2c_begin(client, settings);
    struct h2c_frame frame;
    while (!h->settings || !h->acks)
        cr_assert(h2c_read(h, &frame), "the server does not take the preface");
    return h;
}

struct h2c *h2c_open_as(int port, struct str settings)
{
    return h2c_open_on(client_open(port), settings);
}

struct h2c *h2c_open(int port)
{
    return h2c_open_as(port, STR(""));
}

void h2c_set(struct h2c *h, uint16_t id, uint32_t value)
{
    struct h2c_frame frame;
    unsigned acks = h->acks;
    send_settings(h, h2c_setting(id, value));
    while (h->acks == acks && h2c_read(h, &frame))
        ;
}

struct response h2c_answer(struct h2c *h, uint32_t stream)
{
    const struct h2c_stream *s = h2c_stream(h, stream);
    struct h2c_frame frame;
    while (!h2c_stream_is_over(s) && h2c_read(h, &frame))
        ;
    return h2c_stream_response(s);
}

struct response h2c_ask(struct h2c *h, const char *fields)
{
    return h2c_answer(h, h2c_request(h, fields, true));
}

struct response h2c_get(struct h2c *h, const char *path)
{
    return h2c_ask(h, harness_text(H2C_GET("%s"), path));
}

struct response h2c_fetch(int port, const char *path)
{
    struct h2c *h = h2c_open(port);
    struct response r = h2c_get(h, path);
    h2c_close(h);
    return r;
}

void h2c_ping(struct h2c *h)
{
    struct h2c_frame frame;
    unsigned pings = h->pings;
    h2c_send(h, .type = NGHTTP2_PING, .fill = PING_OCTETS);
    while (h->pings == pings && h2c_read(h, &frame))
        ;
}

void h2c_drain(struct h2c *h)
{
    struct h2c_frame frame;
    while (h2c_read(h, &frame))
        ;
}

void h2c_close(struct h2c *h)
{
    client_close(h->client);
}
