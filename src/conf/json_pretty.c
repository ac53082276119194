/* json_pretty.c: see json_pretty.h. */
#include "conf/json_pretty.h"

#include <errno.h>

enum { INDENT = 2 };

/* The string or the one character that the text starts with. */
static struct str first_token(struct str text)
{
    size_t n = 1;
    if (text.p[0] != '"')
        return (struct str){text.p, 1};
    while (n < text.n && text.p[n] != '"')
        n += text.p[n] == '\\' ? 2 : 1;
    return (struct str){text.p, n < text.n ? n + 1 : text.n};
}

/* Bytes of the object or array that the text starts with, if no other one is in it; else 0. */
static size_t flat_size(struct str text)
{
    struct str rest = str_skip(text, 1);
    while (rest.n && !strchr("{[]}", rest.p[0]))
        rest = str_skip(rest, first_token(rest).n);
    return rest.n && strchr("]}", rest.p[0]) ? (size_t)(rest.p + 1 - text.p) : 0;
}

static void put_flat(FILE *f, struct str text)
{
    while (text.n) {
        struct str token = first_token(text);
        fwrite(token.p, 1, token.n, f);
        if (token.p[0] == ':' || token.p[0] == ',')
            fputc(' ', f);
        text = str_skip(text, token.n);
    }
}

static void break_line(FILE *f, int depth)
{
    fprintf(f, "\n%*s", depth * INDENT, "");
}

int json_pretty(FILE *f, struct str text)
{
    int depth = 0;
    while (text.n) {
        struct str token = first_token(text);
        bool opens = strchr("{[", token.p[0]), closes = strchr("]}", token.p[0]);
        size_t flat = opens ? flat_size(text) : 0;
        if (closes)
            break_line(f, --depth);
        if (flat)
            token.n = flat;
        if (flat || token.p[0] == ':')
            put_flat(f, token);
        else
            fwrite(token.p, 1, token.n, f);
        if (opens && !flat)
            break_line(f, ++depth);
        else if (token.p[0] == ',')
            break_line(f, depth);
        text = str_skip(text, token.n);
    }
    fputc('\n', f);
    return ferror(f) ? -EIO : 0;
}
