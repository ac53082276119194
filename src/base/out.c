/* out.c: see out.h. */
#include "base/out.h"

enum { U64_DIGITS = 20 };

void out_u64(struct out *o, uint64_t value)
{
    char digits[U64_DIGITS];
    char *end = digits + sizeof digits, *at = end;
    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    out_bytes(o, at, (size_t)(end - at));
}

void out_hex(struct out *o, uint64_t value)
{
    char digits[16];
    char *end = digits + sizeof digits, *at = end;
    do {
        *--at = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value);
    out_bytes(o, at, (size_t)(end - at));
}

void out_digits(struct out *o, unsigned value, unsigned width)
{
    char digits[U64_DIGITS];
    if (width > sizeof digits)
        width = sizeof digits;
    for (unsigned i = width; i > 0; i--) {
        digits[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
    out_bytes(o, digits, width);
}

void str_mask_query(struct out *o, struct str line)
{
    size_t path = str_find(line, '?');
    if (path < line.n)
        path++;
    out_put(o, (struct str){line.p, path});
    struct str rest = str_skip(line, path);
    size_t query = str_find(rest, ' ');
    if (query)
        out_text(o, "...");
    out_put(o, str_skip(rest, query));
}
