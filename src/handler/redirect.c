/* redirect.c: `redirect`: elsewhere; what that means is in http/redirect.h. Here is what a route must not do: send a
 * request back to itself. */
#include <errno.h>

#include "handler/registry.h"
#include "http/redirect.h"
#include "log/log.h"

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

/* A path that the route answers; of a prefix one below it, since others of the site may take a part of what is below.
 * p is NULL: no memory. */
static struct str sample_path(struct arena *arena, const struct http_route *route)
{
    const char *name = route->exact ? "" : str_ends(route->path, STR("/")) ? "~" : "/~";
    return arena_printf(arena, STR_FMT "%s", STR_ARG(route->path), name);
}

/* Whether what is redirected comes back, for ever. Of a URL with a host that is not known: its scheme and its port
 * decide, which a site has several of. 1, 0 or -ENOMEM. */
static int comes_back(struct arena *arena, const struct conf_node *node, const struct http_route *route,
                      const struct http_redirect *redirect)
{
    struct http_uri uri;
    struct str path = sample_path(arena, route), to = STR("");
    if (path.p)
        to = http_redirect_try(arena, redirect, path);
    if (!path.p || !to.p)
        return -ENOMEM;
    if (!str_starts(to, STR("/")) || str_starts(to, STR("//")))
        return 0;
    to.n = str_find(to, '#');
    int error = http_uri_parse(arena, to, &uri);
    if (error)
        return error == -ENOMEM ? error : 0;
    if (route->exact)
        return str_eq(uri.path, route->path);
    return is_below(uri.path, route->path) && !is_taken(node->parent, uri.path, route);
}

/* ---- the handler ---- */

static int prepare(struct conf_reader *r, const struct conf_node *node, const struct http_route *route, void *settings)
{
    struct http_redirect *redirect = settings;
    int error = http_redirect_prepare(r, node, route->path, route->exact, redirect);
    if (error)
        return error;
    int result = comes_back(r->arena, node, route, redirect);
    if (result > 0)
        conf_error(r, conf_find(node, STR("to")), "an endless loop: `" STR_FMT "` is answered by this very route",
                   STR_ARG(redirect->to));
    return result > 0 ? -EINVAL : result;
}

static int serve(struct exchange *x, const void *settings)
{
    const struct http_redirect *redirect = settings;
    int error = http_redirect_send(x, redirect);
    if (error || x->response.status)
        return error;
    log_limited(LOG_LEVEL_WARN, "redirect: an endless loop: `" STR_FMT "` sends the request for " STR_FMT " to itself",
                STR_ARG(redirect->to), STR_ARG(x->request.uri.path));
    return http_send_status(x, 500, STR(""));
}

const struct http_handler handler_redirect = {
    .name = STR_INIT("redirect"),
    .doc = "elsewhere: {to: /new/, status: 301}",
    .table = &http_redirect_table,
    .size = sizeof(struct http_redirect),
    .prepare = prepare,
    .serve = serve,
};
