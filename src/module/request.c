/* request.c: the request, as a module sees it. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "green/green.h"
#include "log/log.h"
#include "module/caller.h"
#include "module/request.h"
#include "net/addr.h"
#include "net/tls_stream.h"

/* ---- parts ---- */

static struct str find_peer(const struct exchange *x)
{
    static char text[PEER_TEXT];
    return peer_print(x->peer, text);
}

static struct str find_tls(const struct tls_peer *tls, enum tern_part part)
{
    if (!tls)
        return STR("");
    return part == TERN_TLS_VERSION ? str_of(tls->version) : part == TERN_TLS_NAME ? tls->name : tls->subject;
}

static struct str find_part(const struct tern_request *r, enum tern_part part)
{
    const struct exchange *x = r->x;
    const struct http_request *request = &x->request;
    switch (part) {
    case TERN_METHOD:
        return request->method_name;
    case TERN_TARGET:
        return request->target;
    case TERN_PATH:
        return request->uri.path;
    case TERN_REST:
        return str_skip(request->uri.path, r->route.n);
    case TERN_QUERY:
        return request->uri.query;
    case TERN_SCHEME:
        return x->tls ? STR("https") : STR("http");
    case TERN_HOST:
        return request->host;
    case TERN_PEER:
        return find_peer(x);
    case TERN_USER:
        return x->user;
    case TERN_TLS_VERSION:
    case TERN_TLS_NAME:
    case TERN_TLS_SUBJECT:
        return find_tls(x->tls, part);
    default:
        return STR("");
    }
}

const char *tern_get(struct tern_request *r, enum tern_part part)
{
    struct str copy = arena_copy(&r->x->arena, find_part(r, part));
    return copy.p ? copy.p : "";
}

/* ---- fields ---- */

const char *tern_field(struct tern_request *r, const char *name)
{
    struct str value = http_field(&r->x->request, str_of(name));
    return value.p ? arena_copy(&r->x->arena, value).p : NULL;
}

bool tern_field_at(struct tern_request *r, size_t i, const char **name, const char **value)
{
    const struct http_request *request = &r->x->request;
    if (i >= request->field_count)
        return false;
    *name = arena_copy(&r->x->arena, request->fields[i].name).p;
    *value = arena_copy(&r->x->arena, request->fields[i].value).p;
    return *name && *value;
}

/* ---- the query ---- */

static int hex_value(char c)
{
    c = char_lower(c);
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One byte of a form's text, and how many it was written in (WHATWG URL, 5.1). What is no %XX stands for itself, and so
 * does %00, which would end the text. */
static char decode_byte(struct str text, size_t *taken)
{
    *taken = 1;
    if (text.p[0] == '+')
        return ' ';
    int high = text.p[0] == '%' && text.n >= 3 ? hex_value(text.p[1]) : -1;
    int low = high >= 0 ? hex_value(text.p[2]) : -1;
    if (low < 0 || (high | low) == 0)
        return text.p[0];
    *taken = 3;
    return (char)(high << 4 | low);
}

static bool is_named(struct str encoded, const char *name)
{
    size_t taken;
    for (; encoded.n && *name; encoded = str_skip(encoded, taken), name++)
        if (decode_byte(encoded, &taken) != *name)
            return false;
    return encoded.n == 0 && *name == '\0';
}

static const char *decode(struct arena *arena, struct str encoded)
{
    char *text = arena_alloc(arena, encoded.n + 1), *at = text;
    if (!text)
        return NULL;
    for (size_t taken; encoded.n; encoded = str_skip(encoded, taken))
        *at++ = decode_byte(encoded, &taken);
    *at = '\0';
    return text;
}

static const char *find_value(struct arena *arena, struct str rest, const char *name)
{
    while (rest.n) {
        struct str value = str_cut(&rest, '&');
        if (value.n == 0)
            continue;
        struct str key = str_cut(&value, '=');
        if (is_named(key, name))
            return decode(arena, value);
    }
    return NULL;
}

const char *tern_query(struct tern_request *r, const char *name)
{
    return find_value(&r->x->arena, r->x->request.uri.query, name);
}

const char *tern_form(struct tern_request *r, const char *text, const char *name)
{
    return find_value(&r->x->arena, str_of(text), name);
}

/* ---- content ---- */

int64_t tern_length(const struct tern_request *r)
{
    return r->x->request.length;
}

ssize_t tern_read(struct tern_request *r, void *to, size_t n)
{
    if (!module_is_placed(__func__))
        return -EPERM;
    if (r->reading)
        return -EBUSY;
    r->reading = true;
    ssize_t got = http_read(r->x, to, n);
    r->reading = false;
    if (got < 0)
        r->read_error = (int)got;
    return got;
}

/* Content that grows in memory of its own, until its size is known. */
struct content {
    char *bytes;
    size_t n, room;
};

enum { FIRST_ROOM = 4096 };

/* Room for one byte at least; one more than `most` shows that there is more. */
static int grow(struct content *content, size_t most)
{
    size_t room = content->room ? 2 * content->room : FIRST_ROOM;
    room = room > most + 1 ? most + 1 : room;
    char *bytes = realloc(content->bytes, room);
    if (!bytes)
        return -ENOMEM;
    content->bytes = bytes;
    content->room = room;
    return 0;
}

static int read_content(struct tern_request *r, size_t most, struct content *content)
{
    for (;;) {
        int error = content->n == content->room ? grow(content, most) : 0;
        ssize_t got = error ? error : tern_read(r, content->bytes + content->n, content->room - content->n);
        if (got <= 0)
            return (int)got;
        content->n += (size_t)got;
        if (content->n > most) {
            r->x->reason = "content beyond what the handler takes";
            return -EMSGSIZE;
        }
    }
}

int tern_read_all(struct tern_request *r, size_t most, char **bytes, size_t *n)
{
    struct content content = {0};
    most = most > SIZE_MAX / 4 ? SIZE_MAX / 4 : most;
    int error = read_content(r, most, &content);
    if (!error)
        error = arena_defer(&r->x->arena, free, content.bytes);
    if (error) {
        free(content.bytes);
        return error;
    }
    content.bytes[content.n] = '\0'; /* there is room: the end was found by asking for more */
    *bytes = content.bytes;
    *n = content.n;
    return 0;
}

/* ---- memory ---- */

void *tern_alloc(struct tern_request *r, size_t n)
{
    return arena_alloc(&r->x->arena, n);
}

char *tern_copy(struct tern_request *r, const char *text)
{
    return (char *)arena_copy(&r->x->arena, str_of(text)).p;
}

char *tern_format(struct tern_request *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct str text = arena_vprintf(&r->x->arena, format, args);
    va_end(args);
    return (char *)text.p;
}

int tern_defer(struct tern_request *r, void (*fn)(void *arg), void *arg)
{
    return arena_defer(&r->x->arena, fn, arg);
}

struct tern_scope *tern_scope_of(struct tern_request *r)
{
    return &r->scope;
}
