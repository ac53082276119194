/* events.c: server-sent events (WHATWG HTML, 9.2). */
#include <errno.h>

#include "module/request.h"

/* Content that has no end would keep who wants none of it from his next request, and nothing that is sent would tell
 * that he has left. */
int tern_events(struct tern_request *r)
{
    if (r->started || out_len(&r->gathered))
        return -EALREADY;
    int error = tern_header(r, "Content-Type", "text/event-stream");
    if (!error)
        error = tern_header(r, "Cache-Control", "no-cache");
    if (!error)
        error = tern_flush(r);
    if (error || !r->x->response.no_content)
        return error;
    error = tern_end(r);
    return error ? error : -EPIPE;
}

static int put_line(struct tern_request *r, const char *name, struct str value)
{
    int error = tern_write(r, name, strlen(name));
    if (!error)
        error = tern_write(r, value.p, value.n);
    return error ? error : tern_write(r, "\n", 1);
}

/* Each line of it has a field of its own; a lone CR ends one, too. */
static int put_lines(struct tern_request *r, const char *name, const char *text)
{
    int error;
    do {
        size_t n = strcspn(text, "\r\n");
        error = put_line(r, name, (struct str){text, n});
        text += n;
        text += text[0] == '\r' && text[1] == '\n' ? 2 : *text != '\0';
    } while (!error && *text);
    return error;
}

static bool is_line(const char *text)
{
    return !text || !text[strcspn(text, "\r\n")];
}

int tern_event(struct tern_request *r, const char *id, const char *name, const char *data)
{
    if (!is_line(id) || !is_line(name))
        return -EINVAL;
    int error = id ? put_line(r, "id: ", str_of(id)) : 0;
    if (!error && name)
        error = put_line(r, "event: ", str_of(name));
    if (!error)
        error = data ? put_lines(r, "data: ", data) : put_line(r, ":", STR(""));
    if (!error)
        error = tern_write(r, "\n", 1);
    return error ? error : tern_flush(r);
}
