/* plain.c: see plain.h. */
#include "ctl/plain.h"

#include "base/utf8.h"

/* Controls, ends of lines, and what turns the direction of the text around it. */
static bool is_hidden(int32_t code)
{
    static const int32_t hidden[][2] = {{0x00, 0x1f},     {0x7f, 0x9f},     {0x61c, 0x61c},
                                        {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069}};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (code >= hidden[i][0] && code <= hidden[i][1])
            return true;
    return false;
}

void plain_put(FILE *f, struct str text)
{
    while (text.n) {
        struct str before = text;
        int32_t code = utf8_next(&text);
        if (code < 0 || is_hidden(code))
            fputc('?', f);
        else
            fwrite(before.p, 1, (size_t)(text.p - before.p), f);
    }
}
