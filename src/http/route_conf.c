/* route_conf.c: reads `sites` into the tables that route.c searches. */
#include <errno.h>

#include "http/error_page.h"
#include "http/site.h"
#include "http/slow.h"
#include "http/uri.h"
#include "net/tls_context.h"

const struct http_handler *const *http_handlers;

struct route_settings {
    struct str exact, path;
    nsec slow;
};

static const struct conf_key route_keys[] = {
    {"exact", CONF_TEXT, offsetof(struct route_settings, exact), .choice = "path", .takes = "a path", .pattern = "^/",
     .doc = "this path and no other; it goes before any `path`"},
    {"path", CONF_TEXT, offsetof(struct route_settings, path), .choice = "path", .takes = "a path", .pattern = "^/",
     .doc = "this path and what is below it; the longest one that fits a request counts"},
    {"slow", CONF_CUSTOM, offsetof(struct route_settings, slow), .read = http_slow_read, .single = &http_slow_key,
     .doc = "a request that takes longer is told to the error log, instead of what the site says; off: none is"},
};

static bool handler_or_policy_key(size_t i, struct conf_key *key)
{
    for (const struct http_handler *const *h = http_handlers; *h; h++)
        if (i-- == 0) {
            *key = (struct conf_key){
                .name = (*h)->name.p, .kind = CONF_MAP, .choice = "handler", .table = (*h)->table, .doc = (*h)->doc};
            return true;
        }
    return http_route_policy_key(i, key);
}

static const struct conf_table route_table = {
    .what = "a route",
    .keys = route_keys,
    .count = sizeof route_keys / sizeof *route_keys,
    .others = handler_or_policy_key,
};

static void free_hash(void *hash)
{
    hash_free(hash);
}

/* An empty map that ends with the reader's arena. */
static int make_hash(struct conf_reader *r, struct hash *h)
{
    int error = hash_init(h, 16);
    if (!error && arena_defer(r->arena, free_hash, h) < 0) {
        hash_free(h);
        error = -ENOMEM;
    }
    return error;
}

/* The handler that a route names, and its settings. NULL: it names none. */
static const struct http_handler *find_handler(const struct conf_node *node, struct conf_node **settings)
{
    for (const struct http_handler *const *h = http_handlers; *h; h++)
        if ((*settings = conf_find(node, (*h)->name)))
            return *h;
    return NULL;
}

static int read_path(struct conf_reader *r, struct conf_node *node, const struct route_settings *s,
                     struct http_route *route)
{
    const struct conf_node *exact = conf_find(node, STR("exact"));
    route->exact = exact != NULL;
    route->path = exact ? s->exact : s->path;
    if (http_path_is_normal(route->path))
        return 0;
    conf_error(r, exact ? exact : conf_find(node, STR("path")),
               "not a path as it is looked up: it starts with `/`, is not percent-encoded, and "
               "has no `//`, `/./` or `/../`");
    return -EINVAL;
}

static int add_route(struct conf_reader *r, const struct conf_node *node, struct http_site *site,
                     struct http_route *route)
{
    if (!route->exact && route->path.n > site->longest)
        site->longest = route->path.n;
    if (!route->exact && route->path.n == 1)
        site->root = route;
    else
        site->lengths[route->exact] |= 1ULL << (route->path.n % 64);
    route->node.key = route->path;
    struct hash_node *found = hash_find(&site->routes, route->path);
    if (!found)
        return hash_insert(&site->routes, &route->node);
    struct http_route *other = container_of(found, struct http_route, node);
    if (other->exact == route->exact || other->twin) {
        conf_error(r, node, "a second route for `" STR_FMT "`", STR_ARG(route->path));
        return -EINVAL;
    }
    other->twin = route;
    return 0;
}

/* In the order of the file, so that errors are told in it. */
static void add_start(struct http_sites *sites, struct http_route *route)
{
    *sites->last_start = route;
    sites->last_start = &route->next_start;
}

static int read_settings(struct conf_reader *r, struct conf_node *node, struct http_route *route)
{
    const struct http_handler *h = route->handler;
    route->settings = arena_zalloc(r->arena, h->size);
    if (!route->settings)
        return -ENOMEM;
    int error = conf_read_map(r, node, h->table, route->settings);
    if (!error && h->prepare && route->path.n) /* else the route is refused already */
        error = h->prepare(r, node, route, route->settings);
    return error;
}

static int read_route(struct conf_reader *r, struct conf_node *node, struct http_sites *sites, struct http_site *site)
{
    struct route_settings s = {0};
    struct conf_node *settings;
    struct http_route *route = arena_zalloc(r->arena, sizeof *route);
    if (!route)
        return -ENOMEM;
    int error = conf_read_map(r, node, &route_table, &s);
    route->slow = s.slow ? s.slow : site->missing.slow;
    if (!error)
        error = read_path(r, node, &s, route);
    route->handler = find_handler(node, &settings);
    route->at = settings;
    int settings_error = route->handler ? read_settings(r, settings, route) : 0;
    int policies_error = http_policies_read(r, node, &site->missing.policies, &route->policies);
    error = error ? error : settings_error ? settings_error : policies_error;
    if (!error)
        error = http_route_number(r, sites, site, route);
    if (!error && route->handler->start)
        add_start(sites, route);
    return error ? error : add_route(r, node, site, route);
}

static int read_routes(struct conf_reader *r, struct conf_node *node, struct http_sites *sites, struct http_site *site)
{
    int first = 0;
    if (node->kind != CONF_SEQUENCE) {
        conf_error(r, node, "must be a list of routes");
        return -EINVAL;
    }
    conf_each (route, node) {
        int error = read_route(r, route, sites, site);
        first = first ? first : error;
    }
    return first;
}

static bool has_port(struct str host)
{
    return host.p[host.n - 1] != ']' && str_find(host, ':') < host.n;
}

/* The table of a host name, and the name as it is kept there. */
static int classify_host(struct conf_reader *r, const struct conf_node *node, struct http_sites *sites,
                         struct str *name, struct hash **table)
{
    bool wildcard = str_starts(*name, STR("*."));
    *table = wildcard ? &sites->wildcard : &sites->exact;
    *name = arena_copy(r->arena, str_skip(*name, wildcard));
    if (!name->p)
        return -ENOMEM;
    for (size_t i = 0; i < name->n; i++)
        ((char *)name->p)[i] = char_lower(name->p[i]);
    struct str host = str_skip(*name, wildcard);
    if (host.n == 0 || name->n > SITE_HOST_MAX || !http_host_valid(host) || str_find(host, '*') < host.n ||
        has_port(host)) {
        conf_error(r, node, "not a host name; it stands without a port");
        return -EINVAL;
    }
    return 0;
}

static int add_host(struct conf_reader *r, const struct conf_node *node, struct http_sites *sites,
                    struct http_site *site, struct str name)
{
    struct hash *table;
    int error = classify_host(r, node, sites, &name, &table);
    if (error)
        return error;
    struct site_host *host = arena_zalloc(r->arena, sizeof *host);
    if (!host)
        return -ENOMEM;
    host->site = site;
    host->node.key = name;
    error = hash_insert(table, &host->node);
    if (error == -EEXIST) {
        conf_error(r, node, "another site has this host already");
        error = -EINVAL;
    }
    return error;
}

static int add_site(struct conf_reader *r, struct conf_node *node, struct http_sites *sites, struct http_site *site)
{
    struct conf_node *hosts = conf_find(node, STR("hosts"));
    if (site->hosts.n == 0 && sites->fallback) {
        conf_error(r, node, "a second site without hosts; only one can be the default");
        return -EINVAL;
    }
    if (site->hosts.n == 0)
        sites->fallback = site;
    int first = 0;
    size_t i = 0;
    if (hosts)
        conf_each_item (item, hosts) {
            int error = add_host(r, item, sites, site, site->hosts.v[i++]);
            first = first ? first : error;
        }
    return first;
}

/* `routes` comes last, wherever it stands: what the site says holds for them. */
static int read_later(struct conf_reader *r, struct conf_node *value, void *field)
{
    (void)r, (void)value, (void)field;
    return 0;
}

/* Who asks for a site by its name gets its certificate, so there must be one. */
static int read_tls(struct conf_reader *r, struct conf_node *node, void *field)
{
    int error = tls_context_read(r, node, field);
    if (error || tls_context_has_certificate(*(struct tls_context **)field))
        return error;
    conf_error(r, node, "lacks `certificate`");
    return -EINVAL;
}

static const struct conf_key site_keys[] = {
    {"hosts", CONF_TEXTS, offsetof(struct http_site, hosts), .min = 1, .takes = "a host name",
     .pattern = "^(\\*\\.)?([^ :/*\\[\\]]+|\\[[^ /*\\[\\]]+\\])$",
     .doc = "names it answers to, such as example.org or *.example.org; without any it is the default site"},
    {"tls", CONF_CUSTOM, offsetof(struct http_site, tls), .read = read_tls, .table = &tls_conf_table,
     .doc = "its own certificate, for clients that ask for its names (SNI)"},
    {"errors", CONF_CUSTOM, offsetof(struct http_site, errors), .read = http_errors_read, .entry = &http_error_entry,
     .pattern = "^([45][0-9][0-9]|[45]xx)$", .doc = "pages for errors, by status: {404: /404.html, 5xx: /sorry.html}"},
    {"slow", CONF_CUSTOM, offsetof(struct http_site, missing.slow), .read = http_slow_read, .single = &http_slow_key,
     .doc = "a request that takes longer is told to the error log, instead of what `log` says; off: none is"},
    {"routes", CONF_CUSTOM, .required = true, .read = read_later, .many = CONF_LIST, .table = &route_table,
     .doc = "which handler answers for which path, in whatever order"},
};

const struct conf_table http_site_table = {
    .what = "a site",
    .keys = site_keys,
    .count = sizeof site_keys / sizeof *site_keys,
    .others = http_site_policy_key,
};

static int read_site_keys(struct conf_reader *r, struct conf_node *node, struct http_sites *sites,
                          struct http_site *site)
{
    int error = conf_read_map(r, node, &http_site_table, site);
    int policies_error = http_policies_read(r, node, NULL, &site->missing.policies);
    if (!error)
        error = http_route_number(r, sites, site, &site->missing);
    struct conf_node *routes = conf_find(node, STR("routes"));
    int routes_error = routes && !conf_is_null(routes) ? read_routes(r, routes, sites, site) : 0;
    struct conf_node *errors = conf_find(node, STR("errors"));
    if (!error && !routes_error && errors)
        error = http_errors_check(r, errors, site);
    return error ? error : policies_error ? policies_error : routes_error;
}

static int read_site(struct conf_reader *r, struct conf_node *node, struct http_sites *sites)
{
    struct http_site *site = arena_zalloc(r->arena, sizeof *site);
    if (!site)
        return -ENOMEM;
    int error = make_hash(r, &site->routes);
    if (error)
        return error;
    site->at = node;
    site->missing.handler = &http_missing;
    if (node->kind != CONF_MAPPING) {
        conf_error(r, node, "takes a mapping, not %s", conf_kind_name(node));
        return -EINVAL;
    }
    error = read_site_keys(r, node, sites, site);
    bool named = !conf_find(node, STR("hosts")) || site->hosts.n; /* else that is reported already */
    int hosts_error = named ? add_site(r, node, sites, site) : 0;
    return error ? error : hosts_error;
}

int http_sites_read(struct conf_reader *r, struct conf_node *node, void *target)
{
    struct http_sites *sites = target;
    sites->last_start = &sites->starts;
    int first = make_hash(r, &sites->exact);
    if (!first)
        first = make_hash(r, &sites->wildcard);
    if (first)
        return first;
    if (node->kind != CONF_SEQUENCE || !node->first) {
        conf_error(r, node, "must be a list of sites, of at least one");
        return -EINVAL;
    }
    http_routes_begin(sites);
    sites->several = node->first->next != NULL;
    conf_each (site, node) {
        int error = read_site(r, site, sites);
        first = first ? first : error;
    }
    return first;
}
