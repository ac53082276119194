/* redirect.c: `redirect`: elsewhere, with what follows the route's prefix appended, and then the query. */
#include <errno.h>

#include "handler/registry.h"

struct redirect {
    struct str to;
    int64_t status;
    size_t prefix;              /* bytes of the path that are replaced */
    struct str query, fragment; /* taken off `to`; the fragment with its '#' */
};

static const struct conf_key keys[] = {
    {"to", CONF_TEXT, offsetof(struct redirect, to), .required = true, .takes = "a path or a URL",
     .pattern = "^[!-~]+$", .doc = "where to; what follows the route's `path` is appended, and then the query"},
    {"status", CONF_INT, offsetof(struct redirect, status), .fallback = "302", .min = 301, .max = 308,
     .takes = "301, 302, 303, 307 or 308", .doc = "status of the answer; 307 and 308 keep the method"},
};

static const struct conf_table table = CONF_TABLE("redirect", keys);

/* ---- the target ---- */

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

/* Only an exact route has nothing to append to a path that a query or a fragment follows. */
static int split_target(struct redirect *redirect, bool exact)
{
    struct str to = redirect->to;
    size_t query = str_find(to, '?'), fragment = str_find(to, '#');
    if (!exact && (query < to.n || fragment < to.n))
        return -EINVAL;
    redirect->fragment = str_skip(to, fragment);
    redirect->to = (struct str){to.p, query < fragment ? query : fragment};
    if (query < fragment)
        redirect->query = str_range(to.p + query + 1, to.p + fragment);
    return 0;
}

/* ---- loops ---- */

static bool is_below(struct str path, struct str prefix)
{
    return str_starts(path, prefix) && (path.n == prefix.n || str_ends(prefix, STR("/")) || path.p[prefix.n] == '/');
}

/* Whether another `path` of the site is nearer to this path than the route is. */
static bool is_taken(const struct conf_node *route_node, struct str path, const struct http_route *route)
{
    if (!route_node || !route_node->parent)
        return false;
    conf_each (other, route_node->parent) {
        const struct conf_node *prefix = conf_find(other, STR("path"));
        if (prefix && prefix->text.n > route->path.n && is_below(path, prefix->text))
            return true;
    }
    return false;
}

/* Whether what is redirected comes back, for ever. Of a route with a prefix, a path below it is tried, since others of
 * the site may take a part of what is below. 1, 0 or -ENOMEM. */
static int comes_back(struct arena *arena, const struct conf_node *node, const struct http_route *route, struct str to)
{
    bool joined = route->exact || str_ends(route->path, STR("/")) || str_ends(to, STR("/"));
    struct str target = arena_printf(arena, STR_FMT "%s%s", STR_ARG(to), joined ? "" : "/", route->exact ? "" : "~");
    struct http_uri uri;
    int error = target.p ? http_uri_parse(arena, target, &uri) : -ENOMEM;
    if (error)
        return error == -ENOMEM ? error : 0;
    if (route->exact)
        return str_eq(uri.path, route->path);
    return is_below(uri.path, route->path) && !is_taken(node->parent, uri.path, route);
}

/* ---- the handler ---- */

static int check_loop(struct conf_reader *r, const struct conf_node *node, const struct http_route *route,
                      const struct redirect *redirect)
{
    bool local = str_starts(redirect->to, STR("/")) && !str_starts(redirect->to, STR("//"));
    int result = local ? comes_back(r->arena, node, route, redirect->to) : 0;
    if (result > 0)
        conf_error(r, conf_find(node, STR("to")), "an endless loop: `" STR_FMT "` is answered by this very route",
                   STR_ARG(redirect->to));
    return result > 0 ? -EINVAL : result;
}

static int read_target(struct conf_reader *r, const struct conf_node *node, const struct http_route *route,
                       struct redirect *redirect)
{
    const struct conf_node *to = conf_find(node, STR("to"));
    int error = check_target(r->arena, &redirect->to);
    if (error == -EINVAL)
        conf_error(r, to, "not a path that starts with `/`, nor a URL with a host");
    if (error)
        return error;
    error = split_target(redirect, route->exact);
    if (error)
        conf_error(r, to, "has a `?` or `#`, but what follows the route's `path` is appended; use `exact`");
    return error ? error : check_loop(r, node, route, redirect);
}

static int prepare(struct conf_reader *r, const struct conf_node *node, const struct http_route *route, void *settings)
{
    struct redirect *redirect = settings;
    int error = read_target(r, node, route, redirect);
    redirect->prefix = route->path.n;
    if (!is_redirect(redirect->status)) {
        conf_error(r, conf_find(node, STR("status")), "must be 301, 302, 303, 307 or 308");
        error = -EINVAL;
    }
    return error;
}

/* The target's query, and the request's. */
static void put_query(struct out *o, struct str own, struct str asked)
{
    char *joint = o->at;
    if (own.n) {
        out_char(o, '?');
        out_put(o, own);
        joint = o->at;
    }
    if (asked.n || !own.n)
        http_uri_encode_query(o, asked);
    if (asked.n && own.n)
        *joint = '&';
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
    size_t own = redirect->to.n + redirect->query.n + redirect->fragment.n;
    size_t size = own + 3 * rest.n + 3 * uri->query.n + sizeof "Location: ?&\r\n";
    char *fields = arena_alloc(&x->arena, size);
    if (!fields)
        return -ENOMEM;
    struct out o = out_on(fields, size);
    out_text(&o, "Location: ");
    out_put(&o, redirect->to);
    (uri->opaque ? http_uri_encode_opaque : http_uri_encode)(&o, rest);
    put_query(&o, redirect->query, uri->query);
    out_put(&o, redirect->fragment);
    out_text(&o, "\r\n");
    return http_send_status(x, (int)redirect->status, out_str(&o));
}

const struct http_handler handler_redirect = {
    .name = STR_INIT("redirect"),
    .doc = "elsewhere: {to: /new/, status: 301}",
    .table = &table,
    .size = sizeof(struct redirect),
    .prepare = prepare,
    .serve = serve,
};
