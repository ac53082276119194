/* json.c: see json.h. */
#include "base/json.h"

#include "base/utf8.h"

static void separate(struct json *j, const char *key)
{
    if (j->comma)
        out_char(j->out, ',');
    j->comma = true;
    if (key) {
        json_string(j->out, str_of(key));
        out_char(j->out, ':');
    }
}

void json_open(struct json *j, const char *key, char bracket)
{
    separate(j, key);
    out_char(j->out, bracket);
    j->comma = false;
}

void json_close(struct json *j, char bracket)
{
    out_char(j->out, bracket);
    j->comma = true;
}

void json_text(struct json *j, const char *key, struct str value)
{
    separate(j, key);
    json_string(j->out, value);
}

void json_u64(struct json *j, const char *key, uint64_t value)
{
    separate(j, key);
    out_u64(j->out, value);
}

void json_bool(struct json *j, const char *key, bool value)
{
    separate(j, key);
    out_put(j->out, value ? STR("true") : STR("false"));
}

/* ---- strings ---- */

enum { REPLACEMENT = 0xfffd }; /* stands for what is no character */

/* Printable ASCII but quote and backslash: most text is nothing else. */
static bool is_plain(char c)
{
    return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

static size_t plain_length(struct str s)
{
    size_t n = 0;
    while (n < s.n && is_plain(s.p[n]))
        n++;
    return n;
}

/* Controls, and what JavaScript once took for the end of a line. */
static bool is_hidden(int32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029;
}

static void put_code(struct out *o, int32_t code)
{
    static const char digits[] = "0123456789abcdef";
    out_text(o, "\\u");
    for (int shift = 12; shift >= 0; shift -= 4)
        out_char(o, digits[code >> shift & 15]);
}

/* One character that is not plain; `bytes` are its own. */
static void put_character(struct out *o, int32_t code, struct str bytes)
{
    static const char named[] = "\"\\\b\t\n\f\r", names[] = "\"\\btnfr";
    const char *name = code > 0 && code < 0x80 ? strchr(named, code) : NULL;
    if (name)
        out_bytes(o, (char[]){'\\', names[name - named]}, 2);
    else if (code < 0)
        put_code(o, REPLACEMENT);
    else if (is_hidden(code))
        put_code(o, code);
    else
        out_put(o, bytes);
}

void json_string(struct out *o, struct str s)
{
    out_char(o, '"');
    while (s.n && !o->full) {
        size_t n = plain_length(s);
        out_bytes(o, s.p, n);
        s = str_skip(s, n);
        if (s.n) {
            struct str before = s;
            int32_t code = utf8_next(&s);
            put_character(o, code, str_range(before.p, s.p));
        }
    }
    out_char(o, '"');
}
