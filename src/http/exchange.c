/* exchange.c: see exchange.h. */
#include "http/exchange.h"

#include <errno.h>
#include <stdarg.h>

#include "base/out.h"
#include "http/error_page.h"
#include "http/slow.h"
#include "http/status.h"
#include "log/log.h"

struct str http_shown_line(const struct exchange *x, char room[static HTTP_LINE_SHOWN])
{
    static const size_t most = HTTP_LINE_SHOWN - sizeof "..."; /* a query of one byte is longer when it is masked */
    struct out o = out_on(room, HTTP_LINE_SHOWN);
    struct str line = x->request.line;
    str_mask_query(&o, line.n < most ? line : (struct str){line.p, most});
    return out_str(&o);
}

struct str http_field(const struct http_request *request, struct str name)
{
    for (size_t i = 0; i < request->field_count; i++)
        if (str_eq_nocase(request->fields[i].name, name))
            return request->fields[i].value;
    return (struct str){NULL, 0};
}

ssize_t http_read(struct exchange *x, void *to, size_t n)
{
    return x->ops->read(x, to, n);
}

struct str http_head_field(const struct http_head *head, struct str name)
{
    struct str rest = head->fields;
    while (rest.n) {
        struct str line = str_cut(&rest, '\n'), field = str_cut(&line, ':');
        if (str_eq_nocase(field, name))
            return str_trim((struct str){line.p, line.n - str_ends(line, STR("\r"))});
    }
    return (struct str){NULL, 0};
}

int http_head_put(struct exchange *x, struct http_head *head, struct str fields)
{
    size_t size = head->fields.n + fields.n;
    char *all = arena_alloc(&x->arena, size);
    if (!all)
        return -ENOMEM;
    struct out o = out_on(all, size);
    out_put(&o, head->fields);
    out_put(&o, fields);
    head->fields = out_str(&o);
    return 0;
}

int http_head_add(struct exchange *x, struct http_head *head, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct str fields = arena_vprintf(&x->arena, format, args);
    va_end(args);
    return fields.p ? http_head_put(x, head, fields) : -ENOMEM;
}

/* The policies of the route have their say. */
static int dress(struct exchange *x, struct http_head *head)
{
    const struct http_policies *policies = &x->route->policies;
    int error = 0;
    for (size_t i = 0; i < policies->n && !error; i++)
        if (policies->v[i].policy->dress)
            error = policies->v[i].policy->dress(x, policies->v[i].settings, head);
    return error;
}

int http_head(struct exchange *x, int status, struct str fields, int64_t length)
{
    struct http_head head = {status, fields, length};
    http_slow_mark(x, &x->times.answered);
    int error = x->failure ? http_failure_head(x, &head) : 0;
    struct http_response *response = &x->response;
    response->status = head.status;
    response->no_content = x->request.method == METHOD_HEAD || http_status_bodiless(head.status);
    response->ended = false;
    response->length = length;
    response->given = response->sent = 0;
    if (!error && x->route && x->route->policies.n)
        error = dress(x, &head);
    return error ? error : x->ops->head(x, &head);
}

/* True when n more bytes are not to be sent after all. More than was promised is a handler's mistake: it is dropped,
 * since it would be taken for the next response. */
static bool skip(struct exchange *x, size_t *n)
{
    struct http_response *response = &x->response;
    if (response->length != HTTP_LENGTH_UNKNOWN && *n > (uint64_t)response->length - response->given)
        *n = (size_t)((uint64_t)response->length - response->given);
    return response->no_content || *n == 0;
}

int http_content(struct exchange *x, struct str bytes)
{
    if (skip(x, &bytes.n))
        return 0;
    int error = x->ops->content(x, bytes);
    x->response.given += error ? 0 : bytes.n;
    return error;
}

int http_file(struct exchange *x, int fd, off_t at, size_t n, const struct file_stamp *stamp)
{
    if (skip(x, &n))
        return 0;
    int error = x->ops->file(x, fd, at, n, stamp);
    x->response.given += error ? 0 : n;
    return error;
}

int http_flush(struct exchange *x)
{
    return x->ops->flush(x);
}

int http_end(struct exchange *x)
{
    const struct http_response *response = &x->response;
    if (!response->no_content && response->length != HTTP_LENGTH_UNKNOWN &&
        response->given < (uint64_t)response->length)
        return -EPROTO;
    x->response.ended = true;
    return x->ops->end(x);
}

int http_send(struct exchange *x, int status, struct str fields, struct str content)
{
    int error = http_head(x, status, fields, (int64_t)content.n);
    if (!error)
        error = http_content(x, content);
    return error ? error : http_end(x);
}

int http_send_status(struct exchange *x, int status, struct str fields)
{
    struct str page = http_error_page(x, status);
    if (page.p)
        return http_send_error_page(x, status, fields, page);
    if (x->failure) { /* what the page would have said of itself is not what the peer asked about */
        log_limited(LOG_LEVEL_WARN, "errors: no page for %d: " STR_FMT " is answered with %d", x->failure->status,
                    STR_ARG(x->request.uri.path), status);
        status = x->failure->status;
        fields = STR("");
    }
    struct str text = http_status_text(status);
    struct str line = arena_printf(&x->arena, STR_FMT "\n", STR_ARG(text));
    struct str all = arena_printf(&x->arena, STR_FMT "Content-Type: text/plain\r\n", STR_ARG(fields));
    return http_send(x, status, all.p ? all : fields, line);
}
