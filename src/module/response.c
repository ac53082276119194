/* response.c: the response, as a module writes it. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/status.h"
#include "http/token.h"
#include "log/log.h"
#include "module/caller.h"
#include "module/request.h"

enum { FIRST_ROOM = 512, GROWTH = 4 }; /* bytes of the buffer, and by what it grows */

#define DEFAULT_TYPE "text/plain; charset=utf-8"

void module_request_init(struct tern_request *r, struct exchange *x, const char *module, struct str route)
{
    r->x = x;
    r->module = module;
    r->route = route;
    module_scope_init(&r->scope);
    r->status = 200;
    r->type = r->fields = STR("");
    r->promised = HTTP_LENGTH_UNKNOWN;
    r->gathered = (struct out){0};
    r->started = r->reading = r->sending = false;
    r->read_error = r->send_error = 0;
}

struct exchange *module_send_begin(struct tern_request *r)
{
    r->sending = true;
    return r->x;
}

int module_send_end(struct tern_request *r, int error)
{
    r->sending = false;
    if (error < 0)
        r->send_error = error;
    return error;
}

/* ---- the head ---- */

int tern_status(struct tern_request *r, int status)
{
    if (r->started)
        return -EALREADY;
    if (status < 200 || status > 599)
        return -EINVAL;
    r->status = status;
    return 0;
}

int tern_promise(struct tern_request *r, int64_t length)
{
    if (r->started)
        return -EALREADY;
    if (length < 0)
        return -EINVAL;
    r->promised = length;
    return 0;
}

/* What frames the content, or is written by the server anyway. */
static bool is_reserved(struct str name)
{
    static const struct str names[] = {STR_INIT("Content-Length"), STR_INIT("Transfer-Encoding"),
                                       STR_INIT("Connection"),     STR_INIT("Keep-Alive"),
                                       STR_INIT("Upgrade"),        STR_INIT("Proxy-Connection"),
                                       STR_INIT("Trailer"),        STR_INIT("TE"),
                                       STR_INIT("Date"),           STR_INIT("Server")};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq_nocase(names[i], name))
            return true;
    return false;
}

static int add_field(struct tern_request *r, struct str name, struct str value)
{
    if (str_eq_nocase(name, STR("Content-Type"))) {
        r->type = value;
        return 0;
    }
    struct str fields = arena_printf(&r->x->arena, STR_FMT STR_FMT ": " STR_FMT "\r\n", STR_ARG(r->fields),
                                     STR_ARG(name), STR_ARG(value));
    if (!fields.p)
        return -ENOMEM;
    r->fields = fields;
    return 0;
}

int tern_header(struct tern_request *r, const char *name, const char *format, ...)
{
    if (r->started)
        return -EALREADY;
    va_list args;
    va_start(args, format);
    struct str value = arena_vprintf(&r->x->arena, format, args);
    va_end(args);
    if (!value.p)
        return -ENOMEM;
    value = str_trim(value);
    if (!http_is_token(str_of(name)) || !http_is_field_value(value) || is_reserved(str_of(name)))
        return -EINVAL;
    return add_field(r, str_of(name), value);
}

/* Where there is no content there is no type of it to be assumed: a cache would take that of a 304 for the type of what
 * it has (RFC 9111, 3.2). */
static int put_fields(struct tern_request *r, struct str *fields)
{
    struct str type = r->type.n || http_status_bodiless(r->status) ? r->type : STR(DEFAULT_TYPE);
    *fields = r->fields;
    if (type.n)
        *fields =
            arena_printf(&r->x->arena, "Content-Type: " STR_FMT "\r\n" STR_FMT, STR_ARG(type), STR_ARG(r->fields));
    return fields->p ? 0 : -ENOMEM;
}

static int start(struct tern_request *r, int64_t length)
{
    struct str fields;
    int error = put_fields(r, &fields);
    if (error)
        return error;
    r->started = true;
    return module_send_end(r, http_head(module_send_begin(r), r->status, fields, length));
}

/* ---- content ---- */

int module_pass_on(struct tern_request *r)
{
    if (r->sending)
        return -EBUSY;
    int error = r->x->response.ended ? -EALREADY : r->started ? 0 : start(r, r->promised);
    struct str content = out_str(&r->gathered);
    r->gathered.at = r->gathered.start;
    if (!error && content.n)
        error = module_send_end(r, http_content(module_send_begin(r), content));
    return error;
}

/* Makes room for n more bytes, of the buffer as it is or a larger one. False: it may not become that large. */
static bool make_room(struct tern_request *r, size_t n)
{
    struct out *o = &r->gathered;
    size_t used = out_len(o), room = o->start ? (size_t)(o->end - o->start) : FIRST_ROOM;
    if (o->start && n <= out_room(o))
        return true;
    while (room - used < n && room < MODULE_GATHERED)
        room *= GROWTH;
    room = room < MODULE_GATHERED ? room : MODULE_GATHERED;
    char *bytes = room - used >= n ? arena_alloc(&r->x->arena, room) : NULL;
    if (!bytes)
        return false;
    if (o->start)
        memcpy(bytes, o->start, used);
    *o = (struct out){.start = bytes, .at = bytes + used, .end = bytes + room};
    return true;
}

int tern_write(struct tern_request *r, const void *bytes, size_t n)
{
    if (!module_is_placed(__func__))
        return -EPERM;
    if (r->x->response.ended)
        return -EALREADY;
    if (r->sending || r->send_error)
        return r->sending ? -EBUSY : r->send_error;
    if (make_room(r, n)) {
        out_put(&r->gathered, (struct str){bytes, n});
        return 0;
    }
    int error = module_pass_on(r);
    if (error)
        return error;
    if (make_room(r, n)) {
        out_put(&r->gathered, (struct str){bytes, n});
        return 0;
    }
    return module_send_end(r, http_content(module_send_begin(r), (struct str){bytes, n}));
}

static int write_long(struct tern_request *r, const char *format, va_list args)
{
    char *text;
    int n = vasprintf(&text, format, args);
    if (n < 0)
        return -ENOMEM;
    int error = tern_write(r, text, (size_t)n);
    free(text);
    return error;
}

int tern_printf(struct tern_request *r, const char *format, ...)
{
    char text[256];
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(text, sizeof text, format, args), error = -EINVAL;
    if (n >= 0)
        error = (size_t)n < sizeof text ? tern_write(r, text, (size_t)n) : write_long(r, format, again);
    va_end(again);
    va_end(args);
    return error;
}

int tern_flush(struct tern_request *r)
{
    if (!module_is_placed(__func__))
        return -EPERM;
    int error = r->send_error ? r->send_error : module_pass_on(r);
    return error ? error : module_send_end(r, http_flush(module_send_begin(r)));
}

int tern_end(struct tern_request *r)
{
    if (!module_is_placed(__func__))
        return -EPERM;
    struct str content = out_str(&r->gathered), fields;
    if (r->sending)
        return -EBUSY;
    if (r->x->response.ended || r->send_error)
        return r->send_error;
    int error = r->started || r->promised != HTTP_LENGTH_UNKNOWN ? module_pass_on(r) : put_fields(r, &fields);
    if (error)
        return error;
    if (r->started)
        return module_send_end(r, http_end(module_send_begin(r)));
    r->started = true;
    return module_send_end(r, http_send(module_send_begin(r), r->status, fields, content));
}

int tern_fail(struct tern_request *r, int status)
{
    if (!module_is_placed(__func__))
        return -EPERM;
    if (r->started)
        return -EALREADY;
    if (status < 400 || status > 599)
        return -EINVAL;
    r->started = true;
    return module_send_end(r, http_send_status(module_send_begin(r), status, r->fields));
}

/* ---- the end ---- */

/* What a handler's failure is to the client, where the client has no part in it. */
static const struct {
    int error, status;
} failures[] = {
    {-EACCES, 403},       {-ENOENT, 404},     {-ENOTDIR, 404},      {-EISDIR, 404},       {-EMSGSIZE, 413},
    {-ECONNREFUSED, 502}, {-ECONNRESET, 502}, {-EPIPE, 502},        {-EHOSTUNREACH, 502}, {-ENETUNREACH, 502},
    {-EREMOTEIO, 502},    {-EPROTO, 502},     {-EKEYREJECTED, 502}, {-EAGAIN, 503},       {-ENOMEM, 503},
    {-EMFILE, 503},       {-ENFILE, 503},     {-ENOBUFS, 503},      {-EBUSY, 503},        {-ETIMEDOUT, 504},
};

enum { FAILURES = sizeof failures / sizeof *failures, OTHER_STATUS = 500 };

/* Its row; FAILURES: it has none. */
static size_t failure_of(int error)
{
    size_t i = 0;
    while (i < FAILURES && failures[i].error != error)
        i++;
    return i;
}

/* By its name: what it means to a handler may be something else than what libc says of it. Each kind has a measure of
 * its own, so that none hides another. */
static void say_failed(const struct tern_request *r, int error, size_t failure)
{
    static struct log_limit limits[FAILURES + 1];
    const char *name = error < 0 ? strerrorname_np(-error) : NULL;
    char shown[HTTP_LINE_SHOWN];
    struct str line = http_shown_line(r->x, shown);
    if (name)
        log_limited_at(&limits[failure], LOG_LEVEL_ERROR, "%s: it returned -%s (%s): " STR_FMT, r->module, name,
                       strerror(-error), STR_ARG(line));
    else
        log_limited_at(&limits[failure], LOG_LEVEL_ERROR, "%s: it returned %d: " STR_FMT, r->module, error,
                       STR_ARG(line));
}

/* Its fields were meant for what it would have answered. */
static int fail(struct tern_request *r, int error)
{
    if (error == r->read_error || error == r->send_error || (error == -ECANCELED && green_cancelled()))
        return error;
    if (error == -EPIPE && r->x->response.ended && r->x->response.no_content)
        return 0; /* events that nobody wanted */
    size_t failure = failure_of(error);
    say_failed(r, error, failure);
    if (r->x->response.ended)
        return 0;
    r->fields = STR("");
    return r->started ? -EPROTO : tern_fail(r, failure < FAILURES ? failures[failure].status : OTHER_STATUS);
}

int module_request_finish(struct tern_request *r, int result)
{
    module_scope_end(&r->scope);
    if (result)
        return fail(r, result);
    result = tern_end(r);
    if (result == -EPROTO)
        log_limited(LOG_LEVEL_ERROR, "%s: it promised %lld bytes, and gave %llu: " STR_FMT, r->module,
                    (long long)r->x->response.length, (unsigned long long)r->x->response.given,
                    STR_ARG(r->x->request.line));
    return result;
}
