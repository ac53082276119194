/* utf8.c: see utf8.h. */
#include "base/utf8.h"

#include <errno.h>

/* How long a character with this first byte is; 0: none begins so. */
static size_t length_of(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* The character of that length at the front of s. */
static int32_t decode(struct str s, size_t length)
{
    static const int32_t least[] = {[2] = 0x80, [3] = 0x800, [4] = 0x10000};
    if (length == 0 || length > s.n)
        return -EILSEQ;
    int32_t code = (unsigned char)s.p[0] & (length == 1 ? 0x7f : 0x7f >> length);
    for (size_t i = 1; i < length; i++) {
        unsigned char byte = (unsigned char)s.p[i];
        if ((byte & 0xc0) != 0x80)
            return -EILSEQ;
        code = (code << 6) | (byte & 0x3f);
    }
    bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return code < least[length] || code > 0x10ffff || surrogate ? -EILSEQ : code;
}

int32_t utf8_next(struct str *rest)
{
    size_t length = length_of((unsigned char)rest->p[0]);
    int32_t code = decode(*rest, length);
    *rest = str_skip(*rest, code < 0 ? 1 : length);
    return code;
}
