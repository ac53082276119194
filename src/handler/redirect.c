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

static bool is_printable(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= 0x20 || (unsigned char)s.p[i] >= 0x7f || s.p[i] == '\\')
            return false;
    return true;
}

/* Where "scheme://host" or "//host" ends; 0: it is a path, or nothing of the kind. */
static size_t host_end(struct str to, struct str *host)
{
    size_t slashes = 0, end;
    while (slashes < to.n && !strchr("/?#", to.p[slashes]))
        slashes++;
    if (!str_starts(str_skip(to, slashes), STR("//")) || (slashes && to.p[slashes - 1] != ':'))
        return 0;
    for (end = slashes + 2; end < to.n && !strchr("/?#", to.p[end]);)
        end++;
    *host = (struct str){to.p + slashes + 2, end - slashes - 2};
    return end;
}

/* The target is an administrator's, and is written as it is: it must be what a Location field may contain. What is
 * appended to it must not become part of the host's name, so a URL that ends with its host gets a slash. */
static int check_target(struct arena *arena, struct str *to)
{
    struct str host = STR("");
    size_t end = host_end(*to, &host);
    if (!is_printable(*to) || (end ? !http_host_valid(host) : !str_starts(*to, STR("/"))))
        return -EINVAL;
    if (end == to->n)
        *to = arena_printf(arena, STR_FMT "/", STR_ARG(*to));
    return to->p ? 0 : -ENOMEM;
}

static int prepare(struct conf_reader *r, const struct conf_node *node, const struct http_route *route, void *settings)
{
    struct redirect *redirect = settings;
    int error = check_target(r->arena, &redirect->to);
    if (error == -EINVAL)
        conf_error(r, conf_find(node, STR("to")), "not a path that starts with `/`, nor a URL with a host");
    redirect->prefix = route->path.n;
    if (!is_redirect(redirect->status)) {
        conf_error(r, conf_find(node, STR("status")), "must be 301, 302, 303, 307 or 308");
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
    size_t size = redirect->to.n + 3 * rest.n + 3 * uri->query.n + sizeof "Location: ?\r\n";
    char *fields = arena_alloc(&x->arena, size);
    if (!fields)
        return -ENOMEM;
    struct out o = out_on(fields, size);
    out_text(&o, "Location: ");
    out_put(&o, redirect->to);
    (uri->opaque ? http_uri_encode_opaque : http_uri_encode)(&o, rest);
    http_uri_encode_query(&o, uri->query);
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
