/* access_format.c: see access_format.h. */
#include "log/access_format.h"

#include <errno.h>

#include "log/access_variable.h"

enum {
    VALUE_MAX = 8 * 1024, /* bytes of a wide value */
    VALUE_MIN = 256,      /* if a format leaves less room for each, it is too long */
    VALUE_EXTRA = 5,      /* what a wide value may have around it: quotes, and "..." */
};

struct access_format {
    bool json;
    unsigned needs;
    size_t most; /* bytes of a wide value */
    struct access_piece pieces[];
};

static const struct preset {
    struct str name, text;
    bool json;
} presets[] = {
    {STR_INIT("combined"), STR_INIT("%h - %u %t \"%r\" %>s %B \"%{Referer}i\" \"%{User-Agent}i\""), false},
    {STR_INIT("json"),
     STR_INIT("{\"time\":%{iso}t,\"client\":%h,\"user\":%u,\"host\":%v,\"method\":%m,\"target\":%{target}r,"
              "\"protocol\":%H,\"status\":%s,\"bytes\":%B,\"referer\":%{Referer}i,\"user_agent\":%{User-Agent}i,"
              "\"total_us\":%D,\"header_us\":%{header}D,\"queue_us\":%{queue}D,\"cpu_us\":%{cpu}D,\"pool_us\":%{pool}D,"
              "\"upstream_us\":%{upstream}D,\"client_us\":%{client}D,\"reason\":%E,\"tls_version\":%{SSL_PROTOCOL}x,"
              "\"tls_cipher\":%{SSL_CIPHER}x,\"tls_subject\":%{SSL_CLIENT_S_DN}x}"),
     true},
};

/* ---- compiling ---- */

static bool is_named(const struct access_variable *variable, struct str name)
{
    if (!variable->name)
        return name.n == 0;
    return str_eq(str_of(variable->name), STR(ACCESS_ANY_NAME)) ? name.n > 0 : str_eq(str_of(variable->name), name);
}

static const struct access_variable *find_variable(char letter, struct str name)
{
    for (const struct access_variable *v = access_variables; v->letter; v++)
        if (v->letter == letter && is_named(v, name))
            return v;
    return NULL;
}

/* Takes a variable off the front of *rest, which starts with '%'. NULL: there is none of that kind; *rest is behind it
 * all the same. `>`, and `<`, the status of the last response, and of the first, have one meaning: there is one. */
static const struct access_variable *take_variable(struct str *rest, struct str *name)
{
    *rest = str_skip(*rest, 1);
    if (str_starts(*rest, STR(">")) || str_starts(*rest, STR("<")))
        *rest = str_skip(*rest, 1);
    *name = STR("");
    if (str_starts(*rest, STR("{"))) {
        *rest = str_skip(*rest, 1);
        *name = str_cut(rest, '}');
    }
    char letter = rest->n ? rest->p[0] : '\0';
    *rest = str_skip(*rest, 1);
    return find_variable(letter, *name);
}

static int compile_pieces(struct access_piece *piece, struct str text, struct str *wrong)
{
    while (text.n) {
        struct str rest = str_skip(text, str_find(text, '%'));
        piece->text = str_range(text.p, rest.p);
        text = rest;
        if (text.n == 0)
            break;
        piece->variable = take_variable(&rest, &piece->name);
        if (!piece->variable) {
            *wrong = str_range(text.p, rest.p);
            return -EINVAL;
        }
        text = rest;
        piece++;
    }
    return 0;
}

/* What all variables together need, and how long the values of the wide ones may be, so that every line fits. */
static int sum_up(struct access_format *format)
{
    size_t wide = 0, fixed = sizeof "\n";
    for (const struct access_piece *piece = format->pieces;; piece++) {
        fixed += piece->text.n;
        if (!piece->variable)
            break;
        format->needs |= piece->variable->needs;
        wide += piece->variable->wide;
        fixed += piece->variable->wide ? VALUE_EXTRA : ACCESS_VALUE_MAX;
    }
    if (fixed + wide * VALUE_MIN > ACCESS_LINE_MAX)
        return -E2BIG;
    format->most = wide ? (ACCESS_LINE_MAX - fixed) / wide : VALUE_MAX;
    if (format->most > VALUE_MAX)
        format->most = VALUE_MAX;
    return 0;
}

static size_t count_char(struct str s, char c)
{
    size_t count = 0;
    for (size_t i = 0; i < s.n; i++)
        count += s.p[i] == c;
    return count;
}

static bool has_controls(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t') || s.p[i] == 0x7f)
            return true;
    return false;
}

static int compile(const struct access_format **made, struct arena *arena, struct str text, bool json,
                   struct str *wrong)
{
    struct access_format *format =
        arena_zalloc(arena, sizeof *format + (count_char(text, '%') + 1) * sizeof *format->pieces);
    if (!format)
        return -ENOMEM;
    format->json = json;
    int error = compile_pieces(format->pieces, text, wrong);
    if (!error)
        error = sum_up(format);
    if (!error)
        *made = format;
    return error;
}

int access_format_compile(const struct access_format **format, struct arena *arena, struct str text, struct str *wrong)
{
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++)
        if (str_eq(presets[i].name, text))
            return compile(format, arena, presets[i].text, presets[i].json, wrong);
    if (has_controls(text))
        return -EBADMSG;
    return str_find(text, '%') == text.n ? -ENOMSG : compile(format, arena, text, false, wrong);
}

void access_format_variables(struct out *o)
{
    for (const struct access_variable *v = access_variables; v->letter; v++) {
        bool any = v->name && str_eq(str_of(v->name), STR(ACCESS_ANY_NAME));
        if (v != access_variables)
            out_char(o, ' ');
        out_char(o, '%');
        if (v->name) {
            out_char(o, '{');
            out_put(o, any ? STR("Name") : str_of(v->name));
            out_char(o, '}');
        }
        out_char(o, v->letter);
    }
}

unsigned access_format_needs(const struct access_format *format)
{
    return format->needs;
}

/* ---- writing ---- */

static void read_clock(struct access_clock *clock, int64_t second)
{
    struct tm tm;
    time_t t = (time_t)second;
    size_t n = localtime_r(&t, &tm) ? strftime(clock->text[0], sizeof clock->text[0], "%d/%b/%Y:%H:%M:%S %z", &tm) : 0;
    clock->local = (struct str){clock->text[0], n};
    n = gmtime_r(&t, &tm) ? strftime(clock->text[1], sizeof clock->text[1], "%Y-%m-%dT%H:%M:%S", &tm) : 0;
    clock->utc = (struct str){clock->text[1], n};
    clock->second = second;
}

void access_format_write(const struct access_format *format, struct access_clock *clock,
                         const struct access_entry *entry, struct out *o)
{
    if (entry->time != clock->second)
        read_clock(clock, entry->time);
    struct access_line line = {.out = o, .entry = entry, .clock = clock, .most = format->most, .json = format->json};
    const struct access_piece *piece = format->pieces;
    for (; piece->variable; piece++) {
        out_put(o, piece->text);
        piece->variable->write(&line, piece);
    }
    out_put(o, piece->text);
    out_char(o, '\n');
}
