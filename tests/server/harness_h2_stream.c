/* harness_h2_stream.c: see harness_h2_stream.h. */
#include "harness_h2_stream.h"

#include "base/out.h"
#include "harness.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { FIELDS_MAX = 32 * 1024 };

static void release(void *arg)
{
    struct h2c_stream *s = arg;
    free(s->body);
}

struct h2c_stream *h2c_stream_new(uint32_t id, int64_t window, int64_t send_window)
{
    struct h2c_stream *s = harness_alloc(sizeof *s);
    *s = (struct h2c_stream){.id = id, .window = window, .send_window = send_window};
    cr_assert_eq(arena_defer(harness_memory(), release, s), 0, "out of memory");
    return s;
}

/* ---- header blocks ---- */

static struct str name_of(const nghttp2_nv *nv)
{
    return (struct str){(const char *)nv->name, nv->namelen};
}

static struct str value_of(const nghttp2_nv *nv)
{
    return (struct str){(const char *)nv->value, nv->valuelen};
}

/* What a message of HTTP/2 must not have (RFC 9113, 8.2). */
static const char *problem_of_field(struct str name, struct str value)
{
    static const struct str of_connections[] = {STR_INIT("connection"), STR_INIT("keep-alive"),
                                                STR_INIT("proxy-connection"), STR_INIT("transfer-encoding"),
                                                STR_INIT("upgrade")};
    for (size_t i = 0; i < sizeof of_connections / sizeof *of_connections; i++)
        if (str_eq_nocase(name, of_connections[i]))
            return "a field that is about a connection of HTTP/1";
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] <= ' ' || name.p[i] > '~' || name.p[i] == ':' || char_lower(name.p[i]) != name.p[i])
            return "a field whose name is none";
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)value.p[i] < ' ' && value.p[i] != '\t')
            return "a field whose value has control characters";
    return str_eq(value, str_trim(value)) ? NULL : "a field with white space around its value";
}

/* Appends a field to the lines in `o`; `status` gets the one that may stand before all others. */
static const char *take_field(struct out *o, int *status, const nghttp2_nv *nv)
{
    struct str name = name_of(nv), value = value_of(nv);
    uint64_t number;
    if (name.n && name.p[0] == ':') {
        if (!str_eq(name, STR(":status")) || *status || out_len(o))
            return "a pseudo-header field that is not :status, once, before the others";
        if (value.n != 3 || str_to_u64(value, &number) || number < 100)
            return "a :status that is none";
        *status = (int)number;
        return NULL;
    }
    out_put(o, name);
    out_text(o, ": ");
    out_put(o, value);
    out_text(o, "\r\n");
    return o->full ? "more fields than anybody expects" : problem_of_field(name, value);
}

static const char *inflate(struct out *o, int *status, nghttp2_hd_inflater *inflater, struct str block)
{
    const char *problem = NULL;
    for (int flags = 0; !problem && !(flags & NGHTTP2_HD_INFLATE_FINAL);) {
        nghttp2_nv nv;
        flags = 0;
        ssize_t n = nghttp2_hd_inflate_hd2(inflater, &nv, &flags, (const uint8_t *)block.p, block.n, 1);
        if (n < 0)
            return "a header block that can't be decoded";
        block = str_skip(block, (size_t)n);
        if (flags & NGHTTP2_HD_INFLATE_EMIT)
            problem = take_field(o, status, &nv);
    }
    nghttp2_hd_inflate_end_headers(inflater);
    return problem;
}

static struct str keep(const struct out *o)
{
    struct str kept = arena_copy(harness_memory(), out_str(o));
    cr_assert_not_null(kept.p, "out of memory");
    return kept;
}

/* Content has the length that was announced, and only where there is any (RFC 9110, 8.6; RFC 9113, 8.1.1). */
static const char *problem_of_end(const struct h2c_stream *s)
{
    struct response r = h2c_stream_response(s);
    struct str length = response_field(&r, "content-length");
    uint64_t announced;
    bool without = s->to_head || s->status == 204 || s->status == 304;
    if (without)
        return s->n ? "content where there is none" : NULL;
    if (!length.p)
        return NULL;
    return !str_to_u64(length, &announced) && announced == s->n ? NULL : "content of another length than announced";
}

static const char *end(struct h2c_stream *s)
{
    s->ended = true;
    return s->status ? problem_of_end(s) : "the end before a final status";
}

const char *h2c_stream_block(struct h2c_stream *s, nghttp2_hd_inflater *inflater, struct str block, bool last)
{
    static char text[FIELDS_MAX];
    struct out o = out_on(text, sizeof text);
    int status = 0;
    const char *problem = inflate(&o, &status, inflater, block);
    if (problem)
        return problem;
    if (h2c_stream_is_over(s))
        return "fields behind the end";
    if (s->status) {
        if (status || !last)
            return "trailers with a status, or without the end";
        s->trailers = keep(&o);
    } else if (status >= 200) {
        s->status = status;
        s->head = str_of(harness_text("HTTP/2 %d\r\n" STR_FMT "\r\n", status, STR_ARG(keep(&o))));
    } else {
        s->interim = status;
        if (!status || status == 101 || last)
            return "fields without a status, or an interim answer that ends";
    }
    return last ? end(s) : NULL;
}

/* ---- the others ---- */

const char *h2c_stream_data(struct h2c_stream *s, struct str octets, bool last)
{
    if (!s->status || h2c_stream_is_over(s))
        return "DATA before the fields, or behind the end";
    if (s->n + octets.n > s->room) {
        s->room = 2 * (s->n + octets.n);
        s->body = realloc(s->body, s->room);
        cr_assert_not_null(s->body, "out of memory");
    }
    if (octets.n)
        memcpy(s->body + s->n, octets.p, octets.n);
    s->n += octets.n;
    s->frames++;
    return last ? end(s) : NULL;
}

const char *h2c_stream_reset(struct h2c_stream *s, uint32_t error)
{
    bool again = s->reset;
    s->reset = true;
    s->error = error;
    return again ? "a second reset" : NULL;
}

struct response h2c_stream_response(const struct h2c_stream *s)
{
    return (struct response){.status = s->status, .head = s->head, .body = {s->body, s->n}, .complete = s->ended};
}
