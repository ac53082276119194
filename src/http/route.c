/* route.c: see route.h; what finds. route_conf.c reads. */
#include "http/route.h"

#include "http/site.h"

static const struct http_site *find_wildcard(const struct http_sites *sites, struct str host)
{
    /* "*.example.org" is kept as ".example.org": probed from the longest tail to the shortest. */
    for (size_t dot = str_find(host, '.'); dot < host.n;) {
        host = str_skip(host, dot);
        const struct hash_node *found = hash_find(&sites->wildcard, host);
        if (found)
            return container_of(found, struct site_host, node)->site;
        dot = 1 + str_find(str_skip(host, 1), '.');
    }
    return NULL;
}

const struct http_site *http_site_find(const struct http_sites *sites, struct str host)
{
    char lower[SITE_HOST_MAX];
    host.n -= str_ends(host, STR(".")); /* of the root of all names: the same host */
    if (sites->exact.count + sites->wildcard.count == 0 || host.n == 0 || host.n > sizeof lower)
        return sites->fallback;
    for (size_t i = 0; i < host.n; i++)
        lower[i] = char_lower(host.p[i]);
    struct str name = {lower, host.n};
    const struct hash_node *found = hash_find(&sites->exact, name);
    if (found)
        return container_of(found, struct site_host, node)->site;
    const struct http_site *site = find_wildcard(sites, name);
    return site ? site : sites->fallback;
}

const struct tls_context *http_sites_choose(const void *sites, struct str name)
{
    const struct http_site *site = http_site_find(sites, name);
    return site ? site->tls : NULL;
}

/* Of the two routes that a path may have, the one of that kind. Most lengths need no look. */
static const struct http_route *probe(const struct http_site *site, struct str path, bool exact)
{
    if (!(site->lengths[exact] >> (path.n % 64) & 1))
        return NULL;
    const struct hash_node *found = hash_find(&site->routes, path);
    if (!found)
        return NULL;
    const struct http_route *route = container_of(found, struct http_route, node);
    return route->exact == exact ? route : route->twin;
}

const struct http_route *http_route_find(const struct http_site *site, struct str path)
{
    const struct http_route *route = probe(site, path, true);
    /* Prefixes that end at a segment's end, the longest first: /a/b, /a/, /a for the path /a/b; then the root. */
    for (size_t n = path.n < site->longest ? path.n : site->longest; n > 1 && !route; n--)
        if (n == path.n || path.p[n] == '/' || path.p[n - 1] == '/')
            route = probe(site, (struct str){path.p, n}, false);
    if (!route)
        route = site->root;
    return route ? route : &site->missing;
}

static bool is_timed(const struct http_route *route)
{
    bool timed = route->slow > 0;
    for (size_t i = 0; i < route->policies.n && !timed; i++) {
        const struct http_applied *applied = &route->policies.v[i];
        timed = applied->policy->timed && applied->policy->timed(applied->settings);
    }
    return timed;
}

bool http_sites_timed(const struct http_sites *sites)
{
    for (const struct http_route *route = sites->routes; route; route = route->next)
        if (is_timed(route))
            return true;
    return false;
}
