/* harness_h2_frame.c: see harness_h2_frame.h. */
#include "harness_h2_frame.h"

#include "base/out.h"
#include "harness.h"

#include <criterion/criterion.h>

enum { FIELD_MAX_EXTRA = 16 }; /* octets that a field's encoding has beside its name and value, at most */

/* An integer with a prefix of seven bits (RFC 7541, 5.1), which is the length of a string. */
static void put_length(struct out *o, size_t n)
{
    enum { PREFIX = 127, GROUP = 128 };
    out_char(o, (char)(n < PREFIX ? n : PREFIX));
    if (n < PREFIX)
        return;
    for (n -= PREFIX; n >= GROUP; n /= GROUP)
        out_char(o, (char)(n % GROUP + GROUP));
    out_char(o, (char)n);
}

static void put_string(struct out *o, struct str s)
{
    put_length(o, s.n);
    out_put(o, s);
}

/* A name may start with the colon of a pseudo-header field. */
static void put_field(struct out *o, struct str line)
{
    size_t colon = 1 + str_find(str_skip(line, 1), ':');
    cr_assert_lt(colon + 1, line.n, "no field: " STR_FMT, STR_ARG(line));
    out_char(o, 0);
    put_string(o, (struct str){line.p, colon});
    put_string(o, str_skip(line, colon + 2));
}

static void put_fields(struct out *o, struct str fields)
{
    while (fields.n)
        put_field(o, str_cut(&fields, '\n'));
}

static size_t fields_room(struct str fields)
{
    size_t room = fields.n;
    while (fields.n) {
        str_cut(&fields, '\n');
        room += FIELD_MAX_EXTRA;
    }
    return room;
}

struct str h2c_block(struct str fields)
{
    size_t room = fields_room(fields);
    struct out o = out_on(harness_alloc(room), room);
    put_fields(&o, fields);
    return out_str(&o);
}

static void put_u32(struct out *o, uint32_t value)
{
    const unsigned char octets[] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16),
                                    (unsigned char)(value >> 8), (unsigned char)value};
    out_bytes(o, octets, sizeof octets);
}

static void put_frame(struct out *o, const struct h2c_frame *frame)
{
    static const char zeros[1 << 18];
    struct str fields = h2c_block(frame->fields);
    size_t n = frame->start.n + fields.n + frame->rest.n + frame->fill;
    put_u32(o, (uint32_t)(frame->length ? frame->length : n) << 8 | frame->type);
    out_char(o, (char)frame->flags);
    put_u32(o, frame->stream);
    out_put(o, frame->start);
    out_put(o, fields);
    out_put(o, frame->rest);
    out_bytes(o, zeros, frame->fill);
}

struct str h2c_encode(const struct h2c_frame *frames, size_t count)
{
    size_t room = 0;
    for (const struct h2c_frame *f = frames; f < frames + count; f++)
        room += H2C_HEAD + f->start.n + fields_room(f->fields) + f->rest.n + f->fill;
    struct out o = out_on(harness_alloc(room), room);
    for (const struct h2c_frame *f = frames; f < frames + count; f++)
        put_frame(&o, f);
    cr_assert_not(o.full, "a frame with too many zeros");
    return out_str(&o);
}

struct str h2c_u32(uint32_t value)
{
    struct out o = out_on(harness_alloc(sizeof value), sizeof value);
    put_u32(&o, value);
    return out_str(&o);
}

struct str h2c_two_u32(uint32_t first, uint32_t second)
{
    struct out o = out_on(harness_alloc(sizeof first + sizeof second), sizeof first + sizeof second);
    put_u32(&o, first);
    put_u32(&o, second);
    return out_str(&o);
}

struct str h2c_setting(uint16_t id, uint32_t value)
{
    struct out o = out_on(harness_alloc(sizeof id + sizeof value), sizeof id + sizeof value);
    out_char(&o, (char)(id >> 8));
    out_char(&o, (char)id);
    put_u32(&o, value);
    return out_str(&o);
}

uint32_t h2c_get_u32(const void *octets)
{
    const unsigned char *at = octets;
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

struct str h2c_preface(void)
{
    return STR("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
}
