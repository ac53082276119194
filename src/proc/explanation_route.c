/* explanation_route.c: the site and the route of a request, and the routes that it might have met instead. */
#include "http/site.h"
#include "proc/explanation.h"

enum { NEAREST = 3, PLACE = 1024 };

void explanation_put_place(struct json *j, const struct conf_node *at)
{
    char text[PLACE];
    struct out o = out_on(text, sizeof text);
    if (!at)
        return;
    out_put(&o, at->file);
    if (!str_eq(at->file, STR("default"))) {
        out_char(&o, ':');
        out_u64(&o, at->key.n ? at->key_line : at->line);
    }
    json_text(j, "at", out_str(&o));
}

/* ---- the site ---- */

/* Which of its names the site was found by: the host itself, or the longest end of it. p is NULL: by none. */
static struct str find_name(const struct http_site *site, struct str host)
{
    struct str best = {NULL, 0};
    host.n -= str_ends(host, STR("."));
    for (size_t i = 0; i < site->hosts.n; i++) {
        struct str name = site->hosts.v[i], tail = str_skip(name, 1);
        if (str_eq_nocase(name, host))
            return name;
        if (str_starts(name, STR("*.")) && host.n > tail.n && name.n > best.n &&
            str_eq_nocase(str_skip(host, host.n - tail.n), tail))
            best = name;
    }
    return best;
}

void explanation_put_site(struct json *j, const struct explanation *e)
{
    const struct http_site *site = e->x.site;
    if (!site)
        return;
    struct str name = find_name(site, e->x.request.host);
    json_open(j, "site", '{');
    json_text(j, "by", !name.p ? STR("default") : str_starts(name, STR("*.")) ? STR("wildcard") : STR("name"));
    if (name.p)
        json_text(j, "name", name);
    explanation_put_place(j, site->at);
    json_close(j, '}');
}

/* ---- routes ---- */

struct candidate {
    const struct conf_node *at; /* the route's `path` or `exact` */
    size_t likeness;            /* bytes that it shares with the request's path */
};

static const struct conf_node *path_of(const struct conf_node *route)
{
    const struct conf_node *exact = conf_find(route, STR("exact"));
    return exact ? exact : conf_find(route, STR("path"));
}

static bool is_exact(const struct conf_node *path)
{
    return str_eq(path->key, STR("exact"));
}

static bool fits(const struct conf_node *candidate, struct str path)
{
    struct str prefix = candidate->text;
    if (is_exact(candidate) || !str_starts(path, prefix))
        return str_eq(path, prefix);
    return path.n == prefix.n || str_ends(prefix, STR("/")) || path.p[prefix.n] == '/';
}

static size_t likeness(struct str a, struct str b)
{
    size_t n = 0;
    while (n < a.n && n < b.n && a.p[n] == b.p[n])
        n++;
    return n;
}

static void put_candidate(struct json *j, const struct conf_node *path)
{
    json_open(j, NULL, '{');
    json_text(j, "kind", path->key);
    json_text(j, "path", path->text);
    explanation_put_place(j, path);
    json_close(j, '}');
}

/* The others that the path would have met, if it were not for this one. */
static void put_others(struct json *j, const struct conf_node *routes, const struct conf_node *own, struct str path)
{
    json_open(j, "others", '[');
    conf_each (route, routes) {
        const struct conf_node *other = path_of(route);
        if (other != own && fits(other, path))
            put_candidate(j, other);
    }
    json_close(j, ']');
}

/* Keeps the best ones, the best of them first. */
static void consider(struct candidate best[static NEAREST], struct candidate c)
{
    for (size_t i = 0; i < NEAREST; i++)
        if (!best[i].at || c.likeness > best[i].likeness) {
            struct candidate worse = best[i];
            best[i] = c;
            c = worse;
            if (!c.at)
                return;
        }
}

static void put_nearest(struct json *j, const struct conf_node *routes, struct str path)
{
    struct candidate best[NEAREST] = {{.at = NULL}};
    conf_each (route, routes)
        consider(best, (struct candidate){path_of(route), likeness(path_of(route)->text, path)});
    json_open(j, "nearest", '[');
    for (size_t i = 0; i < NEAREST && best[i].at; i++)
        put_candidate(j, best[i].at);
    json_close(j, ']');
}

void explanation_put_route(struct json *j, const struct explanation *e)
{
    const struct http_route *route = e->x.route;
    if (!route)
        return;
    const struct conf_node *routes = conf_find(e->x.site->at, STR("routes"));
    if (route->handler == &http_missing) {
        put_nearest(j, routes, e->x.request.uri.path);
        return;
    }
    const struct conf_node *own = path_of(route->at->parent);
    json_open(j, "route", '{');
    json_text(j, "kind", own->key);
    json_text(j, "path", route->path);
    explanation_put_place(j, own);
    put_others(j, routes, own, e->x.request.uri.path);
    json_close(j, '}');
}
