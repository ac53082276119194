/* echo.c: `echo`: any method: 200 with the request's content and its Content-Type. For tests.
 *
 * The content is read to its end before the answer starts: a peer that only reads once it has sent everything would
 * otherwise wait for us while we wait for it. limits.body_size bounds what is held.
 */
#include <errno.h>
#include <stdlib.h>

#include "handler/registry.h"

struct echo {
    char unused;
};

struct content {
    char *bytes;
    size_t n, room;
};

static const struct conf_table table = {.what = "echo"};

enum { FIRST_ROOM = 16 * 1024 };

static void free_content(void *content)
{
    free(((struct content *)content)->bytes);
}

static int grow(struct content *content)
{
    size_t room = content->room ? 2 * content->room : FIRST_ROOM;
    char *bytes = realloc(content->bytes, room);
    if (!bytes)
        return -ENOMEM;
    content->bytes = bytes;
    content->room = room;
    return 0;
}

static int read_all(struct exchange *x, struct content *content)
{
    for (;;) {
        int error = content->n == content->room ? grow(content) : 0;
        if (error)
            return error;
        ssize_t got = http_read(x, content->bytes + content->n, content->room - content->n);
        if (got <= 0)
            return (int)got;
        content->n += (size_t)got;
    }
}

/* What comes back is a field of ours: it may be any media type, but no bytes that only look like one. */
static bool is_printable(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < ' ' || s.p[i] > '~')
            return false;
    return s.n > 0;
}

static int serve(struct exchange *x, const void *settings)
{
    (void)settings;
    struct content *content = arena_zalloc(&x->arena, sizeof *content);
    if (!content || arena_defer(&x->arena, free_content, content) < 0)
        return -ENOMEM;
    int error = read_all(x, content);
    if (error)
        return error;
    struct str type = http_field(&x->request, STR("Content-Type")), fields = STR("");
    if (is_printable(type))
        fields = arena_printf(&x->arena, "Content-Type: " STR_FMT "\r\n", STR_ARG(type));
    return http_send(x, 200, fields, (struct str){content->bytes, content->n});
}

const struct http_handler handler_echo = {
    .name = STR_INIT("echo"),
    .doc = "the request's own content back, whatever the method: {}; for tests",
    .table = &table,
    .size = sizeof(struct echo),
    .serve = serve,
};
