/* out.h: a cursor that writes text into a buffer of fixed size.
 *
 * Nothing is written past the end: the first piece that does not fit sets `full`, and so does every later one, so a
 * caller may write a whole head and look once. out_len() is then what did fit.
 */
#ifndef TERN_BASE_OUT_H
#define TERN_BASE_OUT_H

#include "base/str.h"

struct out {
    char *start, *at, *end;
    bool full;
};

static inline struct out out_on(void *buffer, size_t size)
{
    char *start = buffer;
    return (struct out){.start = start, .at = start, .end = start + size};
}

static inline size_t out_len(const struct out *o)
{
    return (size_t)(o->at - o->start);
}

static inline size_t out_room(const struct out *o)
{
    return o->full ? 0 : (size_t)(o->end - o->at);
}

static inline struct str out_str(const struct out *o)
{
    return str_range(o->start, o->at);
}

static inline void out_bytes(struct out *o, const void *bytes, size_t n)
{
    if (__builtin_expect(n > out_room(o), 0)) {
        o->full = true;
        return;
    }
    memcpy(o->at, bytes, n);
    o->at += n;
}

static inline void out_put(struct out *o, struct str s)
{
    if (s.n)
        out_bytes(o, s.p, s.n);
}

#define out_text(o, literal) out_bytes(o, "" literal, sizeof(literal) - 1)

static inline void out_char(struct out *o, char c)
{
    out_bytes(o, &c, 1);
}

/* Decimal, as short as it gets. */
void out_u64(struct out *o, uint64_t value);

/* Lower-case hexadecimal, as short as it gets. */
void out_hex(struct out *o, uint64_t value);

/* Exactly `width` decimal digits, with leading zeros: the last ones of the value. */
void out_digits(struct out *o, unsigned value, unsigned width);

/* The first line of a request as others than its sender may read it: what stands between a question mark and the next
 * blank, or the end, becomes "...". An empty query stays as it is. */
void str_mask_query(struct out *o, struct str line);

#endif
