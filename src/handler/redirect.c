/* redirect.c: `redirect`: elsewhere, with what follows the route's prefix appended. */
#include <errno.h>

#include "handler/registry.h"

struct redirect {
    struct str to;
    int64_t status;
    size_t prefix; /* bytes of the path that are replaced */
};

static const struct conf_key keys[] = {
    {"to", CONF_TEXT, offsetof(struct redirect, to), .required = true,
     .doc = "where to: a path or a URL; what follows the prefix is appended"},
    {"status", CONF_INT, offsetof(struct redirect, status), .fallback = "302", .min = 301, .max = 308,
     .doc = "301, 302, 303, 307 or 308"},
};

static const struct conf_table table = CONF_TABLE("redirect", keys);

static bool is_redirect(int64_t status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* The target is an administrator's, and is written as it is: it must be what a Location field may contain. */
static bool is_location(struct str to)
{
    for (size_t i = 0; i < to.n; i++)
        if ((unsigned char)to.p[i] <= 0x20 || (unsigned char)to.p[i] >= 0x7f)
            return false;
    return to.n > 0;
}

static int prepare(struct conf_reader *r, const struct conf_node *node, const struct http_route *route, void *settings)
{
    struct redirect *redirect = settings;
    int error = 0;
    redirect->prefix = route->path.n;
    if (!is_redirect(redirect->status)) {
        conf_error(r, conf_find(node, STR("status")), "must be 301, 302, 303, 307 or 308");
        error = -EINVAL;
    }
    if (!is_location(redirect->to)) {
        conf_error(r, conf_find(node, STR("to")), "not a path or URL: printable ASCII without spaces is");
        error = -EINVAL;
    }
    return error;
}

/* What the peer chose is encoded anew, so that no byte of it can end the field, and `to: /` can't become `//host`. */
static int serve(struct exchange *x, const void *settings)
{
    const struct redirect *redirect = settings;
    const struct http_uri *uri = &x->request.uri;
    struct str rest = str_skip(uri->path, redirect->prefix);
    if (str_ends(redirect->to, STR("/")))
        while (str_starts(rest, STR("/")))
            rest = str_skip(rest, 1);
    size_t size = redirect->to.n + 3 * rest.n + uri->query.n + sizeof "Location: ?\r\n";
    char *fields = arena_alloc(&x->arena, size);
    if (!fields)
        return -ENOMEM;
    struct out o = out_on(fields, size);
    out_text(&o, "Location: ");
    out_put(&o, redirect->to);
    http_uri_encode(&o, rest);
    if (uri->query.p) {
        out_char(&o, '?');
        out_put(&o, uri->query);
    }
    out_text(&o, "\r\n");
    return http_send_status(x, (int)redirect->status, out_str(&o));
}

const struct http_handler handler_redirect = {
    .name = STR_INIT("redirect"),
    .table = &table,
    .size = sizeof(struct redirect),
    .prepare = prepare,
    .serve = serve,
};
