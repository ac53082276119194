/* h2_scan.c: see h2_scan.h. */
#include "http/h2_scan.h"

enum {
    PREFACE = 24, /* octets */
    HEAD = 9,
    REMEMBERED = 64, /* ids */
    PADDED = 0x8,    /* flags */
    END_STREAM = 0x1,
};

/* RFC 9113, 6; RFC 9218, 7.1. */
enum type {
    DATA = 0x0,
    HEADERS = 0x1,
    PRIORITY = 0x2,
    RST_STREAM = 0x3,
    SETTINGS = 0x4,
    PING = 0x6,
    WINDOW_UPDATE = 0x8,
    CONTINUATION = 0x9,
    PRIORITY_UPDATE = 0x10,
};

struct frame {
    uint32_t length, id;
    uint8_t type, flags;
    const unsigned char *payload; /* the octets of it that matter, if it has them */
};

static uint32_t get_u32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* How many of the payload's first octets matter. */
static size_t looked_at(const struct frame *frame)
{
    size_t most = frame->type == PRIORITY_UPDATE ? 4 : frame->type == DATA && frame->flags & PADDED ? 1 : 0;
    return frame->length < most ? frame->length : most;
}

static bool read_head(struct frame *frame, struct str bytes)
{
    if (bytes.n < HEAD)
        return false;
    const unsigned char *at = (const unsigned char *)bytes.p;
    *frame = (struct frame){get_u32(at) >> 8, get_u32(at + 5) & INT32_MAX, at[3], at[4], at + HEAD};
    return bytes.n >= HEAD + looked_at(frame);
}

/* ---- what is judged ---- */

static enum h2_finding cost(struct h2_scan *scan, enum h2_event event)
{
    scan->event = event;
    return H2_FOUND_COST;
}

/* Padding alone moves nothing, whatever its length. */
static enum h2_finding judge_data(struct h2_scan *scan, const struct frame *frame)
{
    uint32_t padding = frame->flags & PADDED && frame->length ? 1 + (uint32_t)frame->payload[0] : 0;
    bool empty = frame->length <= padding && !(frame->flags & END_STREAM);
    return empty ? cost(scan, H2_EMPTY_DATA) : H2_FOUND_NOTHING;
}

/* RFC 9113, 5.1.1: an id below another one's that was used can't be used any more. On one that was, this may be a
 * trailer section, which nghttp2 knows how to judge; and so is left an id that was passed long ago. */
static enum h2_finding judge_headers(struct h2_scan *scan, const struct frame *frame)
{
    uint32_t half = frame->id / 2;
    if (frame->id % 2 == 0)
        return H2_FOUND_NOTHING; /* nghttp2 refuses it */
    if (half < scan->next) {
        uint32_t distance = scan->next - 1 - half;
        return distance < REMEMBERED && !(scan->opened >> distance & 1) ? H2_FOUND_ERROR : H2_FOUND_NOTHING;
    }
    uint32_t step = half - scan->next + 1;
    scan->opened = step < REMEMBERED ? scan->opened << step | 1 : 1;
    scan->next = half + 1;
    return H2_FOUND_NOTHING;
}

/* RFC 9113, 6.3. */
static enum h2_finding judge_priority(struct h2_scan *scan, const struct frame *frame)
{
    return frame->id ? cost(scan, H2_PRIORITY) : H2_FOUND_ERROR;
}

/* RFC 9218, 7.1: the stream that it is about. */
static enum h2_finding judge_priority_update(struct h2_scan *scan, const struct frame *frame)
{
    bool of_none = frame->length >= 4 && (get_u32(frame->payload) & INT32_MAX) == 0;
    return of_none ? H2_FOUND_ERROR : cost(scan, H2_PRIORITY);
}

static enum h2_finding judge(struct h2_scan *scan, const struct frame *frame)
{
    static const struct {
        enum h2_event event;
        enum h2_finding (*judge)(struct h2_scan *scan, const struct frame *frame);
    } rules[] = {
        [DATA] = {.judge = judge_data},
        [HEADERS] = {.judge = judge_headers},
        [PRIORITY] = {.judge = judge_priority},
        [RST_STREAM] = {.event = H2_RST_STREAM},
        [SETTINGS] = {.event = H2_SETTINGS},
        [PING] = {.event = H2_PING},
        [WINDOW_UPDATE] = {.event = H2_WINDOW_UPDATE},
        [CONTINUATION] = {.event = H2_CONTINUATION},
        [PRIORITY_UPDATE] = {.judge = judge_priority_update},
    };
    if (frame->type >= sizeof rules / sizeof *rules)
        return cost(scan, H2_OTHER);
    return rules[frame->type].judge ? rules[frame->type].judge(scan, frame) : cost(scan, rules[frame->type].event);
}

/* ---- from head to head ---- */

void h2_scan_init(struct h2_scan *scan)
{
    *scan = (struct h2_scan){.left = PREFACE};
}

enum h2_finding h2_scan(struct h2_scan *scan, struct str bytes, size_t *sound)
{
    enum h2_finding found = H2_FOUND_NOTHING;
    struct frame frame;
    size_t at = 0;
    while (!found) {
        size_t passed = bytes.n - at < scan->left ? bytes.n - at : scan->left;
        at += passed;
        scan->left -= (uint32_t)passed;
        if (scan->left || !read_head(&frame, str_skip(bytes, at)))
            break;
        scan->left = HEAD + frame.length;
        found = judge(scan, &frame);
    }
    *sound = at;
    return found;
}

void h2_scan_keep(struct h2_scan *scan, struct str rest)
{
    scan->kept = rest.n;
    memcpy(scan->bytes, rest.p, rest.n);
}

size_t h2_scan_kept(const struct h2_scan *scan, char to[static H2_SCAN_KEPT])
{
    memcpy(to, scan->bytes, scan->kept);
    return scan->kept;
}
