/* exchange.c: see exchange.h. */
#include "http/exchange.h"

#include <errno.h>

#include "http/status.h"

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

int http_head(struct exchange *x, int status, struct str fields, int64_t length)
{
    x->response = (struct http_response){.status = status, .length = length};
    x->response.no_content = x->request.method == METHOD_HEAD || http_status_bodiless(status);
    return x->ops->head(x, status, fields, length);
}

/* True when n more bytes are not to be sent after all. More than was promised is a handler's mistake: it is dropped,
 * since it would be taken for the next response. */
static bool skip(struct exchange *x, size_t *n)
{
    struct http_response *response = &x->response;
    if (response->length != HTTP_LENGTH_UNKNOWN && *n > (uint64_t)response->length - response->sent)
        *n = (size_t)((uint64_t)response->length - response->sent);
    return response->no_content || *n == 0;
}

int http_content(struct exchange *x, struct str bytes)
{
    if (skip(x, &bytes.n))
        return 0;
    int error = x->ops->content(x, bytes);
    x->response.sent += error ? 0 : bytes.n;
    return error;
}

int http_file(struct exchange *x, int fd, off_t at, size_t n, const struct file_stamp *stamp)
{
    if (skip(x, &n))
        return 0;
    int error = x->ops->file(x, fd, at, n, stamp);
    x->response.sent += error ? 0 : n;
    return error;
}

int http_end(struct exchange *x)
{
    const struct http_response *response = &x->response;
    if (!response->no_content && response->length != HTTP_LENGTH_UNKNOWN && response->sent < (uint64_t)response->length)
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
    struct str text = http_status_text(status);
    struct str line = arena_printf(&x->arena, STR_FMT "\n", STR_ARG(text));
    struct str all = arena_printf(&x->arena, STR_FMT "Content-Type: text/plain\r\n", STR_ARG(fields));
    return http_send(x, status, all.p ? all : fields, line);
}
