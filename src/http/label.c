/* label.c: http_route_number() of site.h: how a route is called, and which number it has. */
#include <errno.h>

#include "http/site.h"

/* Which route of which site: its path as in the configuration, behind a `=` where it stands for itself alone. The host
 * says something only where there are several, and not of the site without one. */
static struct str route_name(struct arena *arena, const struct http_sites *sites, const struct http_site *site,
                             const struct http_route *route)
{
    struct str host = sites->several && site->hosts.n ? site->hosts.v[0] : STR("");
    return arena_printf(arena, STR_FMT "%s" STR_FMT, STR_ARG(host), route->exact ? "=" : "", STR_ARG(route->path));
}

static struct str handler_name(struct arena *arena, const struct http_route *route)
{
    const struct http_handler *handler = route->handler;
    return handler->label ? handler->label(arena, route->settings) : handler->name;
}

static void append(struct http_sites *sites, struct http_route *route)
{
    route->index = sites->route_count++;
    *sites->last_route = route;
    sites->last_route = &route->next;
}

void http_routes_begin(struct http_sites *sites)
{
    sites->last_route = &sites->routes;
    sites->unmet.handler = &http_missing;
    sites->unmet.label = (struct green_label){STR("none"), STR("")};
    append(sites, &sites->unmet);
}

int http_route_number(struct conf_reader *r, struct http_sites *sites, const struct http_site *site,
                      struct http_route *route)
{
    route->label.handler = handler_name(r->arena, route);
    route->label.route = route_name(r->arena, sites, site, route);
    append(sites, route);
    return route->label.handler.p && route->label.route.p ? 0 : -ENOMEM;
}
