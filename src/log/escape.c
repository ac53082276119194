/* escape.c: see escape.h. */
#include "log/escape.h"

enum { UNPRINTABLE = 1, QUOTING = 2 };

static const unsigned char special[256] = {
    [0 ... 0x1f] = UNPRINTABLE, [0x7f ... 0xff] = UNPRINTABLE, ['"'] = QUOTING, ['\\'] = QUOTING};

#define EACH_BYTE(value) (0x0101010101010101 * (uint64_t)(value))

/* The high bit of a byte is set if it is zero; perhaps also if one below it is. */
static inline uint64_t zero_bytes(uint64_t word)
{
    return (word - EACH_BYTE(1)) & ~word;
}

/* Whether eight bytes may have a special one among them; most text has none, and goes by eight at a time. */
static inline bool is_suspicious(const char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof word);
    uint64_t control = (word - EACH_BYTE(' ')) & ~word, not_ascii = word | (word + EACH_BYTE(1));
    uint64_t quote = zero_bytes(word ^ EACH_BYTE('"')), backslash = zero_bytes(word ^ EACH_BYTE('\\'));
    return (control | not_ascii | quote | backslash) & EACH_BYTE(0x80);
}

/* How many bytes at the start of s stand for themselves. */
static size_t plain_length(struct str s, unsigned char mask)
{
    size_t n = 0;
    while (n + 8 <= s.n && !is_suspicious(s.p + n))
        n += 8;
    while (n < s.n && !(special[(unsigned char)s.p[n]] & mask))
        n++;
    return n;
}

void log_escape(struct out *o, struct str s, bool quoted)
{
    static const char digits[] = "0123456789ABCDEF";
    unsigned char mask = quoted ? UNPRINTABLE | QUOTING : UNPRINTABLE;
    while (s.n && !o->full) {
        size_t n = plain_length(s, mask), room = out_room(o);
        out_bytes(o, s.p, n < room ? n : room);
        o->full |= n > room;
        s = str_skip(s, n);
        if (s.n) {
            unsigned char byte = (unsigned char)s.p[0];
            out_bytes(o, (char[]){'\\', 'x', digits[byte >> 4], digits[byte & 15]}, 4);
            s = str_skip(s, 1);
        }
    }
}
