/* redirect.c: `redirect` of a site: every request that does not have the URL yet that the site wants it to have.
 *
 *     redirect: {to: "https://$host$uri", status: 308}
 *
 * Over TLS a request is there already, and meets the routes; in the clear it is sent to the same URL with https. The
 * same goes for `https://www.example.org`, where the host may differ.
 *
 * Routes for ACME's challenges (RFC 8555, 8.3) answer whoever asks: who has no certificate yet is not to be sent to
 * where one is needed.
 */
#include <errno.h>

#include "http/redirect.h"
#include "policy/registry.h"

#define CHALLENGES "/.well-known/acme-challenge"

static const struct conf_key keys[] = {
    {"redirect", CONF_MAP, 0, .table = &http_redirect_table,
     .doc = "where whoever has another URL is sent to, before any route: {to: \"https://$host$uri\", status: 308}"},
};

static const struct conf_table table = CONF_TABLE("redirect", keys);

/* ---- loops ---- */

static bool is_host(struct str authority, struct str host)
{
    return authority.n >= host.n && bytes_eq_nocase(authority.p, host.p, host.n) &&
           (authority.n == host.n || authority.p[host.n] == ':');
}

/* Whether a site certainly answers for the host of its target: it is `_`, which is the request's own, or named. */
static bool is_ours(struct conf_node *site, struct str authority)
{
    struct conf_node *hosts = conf_find(site, STR("hosts"));
    if (is_host(authority, STR("_")))
        return true;
    if (hosts)
        conf_each_item (host, hosts)
            if (is_host(authority, host->text))
                return true;
    return false;
}

/* Whether who is sent to the target would be sent on from there. 1, 0 or -ENOMEM. */
static int comes_back(struct arena *arena, struct conf_node *site, const struct http_redirect *redirect)
{
    struct http_uri uri;
    struct str first = http_redirect_try(arena, redirect, STR("/~"));
    if (!first.p)
        return -ENOMEM;
    first.n = str_find(first, '#');
    int error = http_uri_parse(arena, first, &uri);
    if (error || !is_ours(site, uri.host))
        return error == -ENOMEM ? error : 0;
    struct str second = http_redirect_try(arena, redirect, uri.path);
    if (!second.p)
        return -ENOMEM;
    return !str_eq(first, str_cut(&second, '#'));
}

/* ---- the policy ---- */

static int prepare(struct conf_reader *r, struct conf_node *node, const void *outer, void *settings)
{
    (void)outer;
    struct http_redirect *redirect = settings;
    const struct conf_node *map = conf_find(node, STR("redirect")), *to = conf_find(map, STR("to"));
    int error = http_redirect_prepare(r, map, STR("/"), false, redirect);
    if (error)
        return error;
    struct str url = http_redirect_try(r->arena, redirect, STR("/"));
    if (!url.p)
        return -ENOMEM;
    if (!str_starts(url, STR("http://")) && !str_starts(url, STR("https://"))) {
        conf_error(r, to, "must be a URL, such as https://$host$uri: a path would be sent to itself");
        return -EINVAL;
    }
    int result = comes_back(r->arena, node, redirect);
    if (result > 0)
        conf_error(r, to, "an endless loop: what is sent there is sent on by this very site");
    return result > 0 ? -EINVAL : result;
}

static bool is_exempt(const struct http_route *route)
{
    struct str rest = str_skip(route->path, sizeof CHALLENGES - 1);
    return str_starts(route->path, STR(CHALLENGES)) && (rest.n == 0 || rest.p[0] == '/');
}

static int admit(struct exchange *x, const void *settings)
{
    return is_exempt(x->route) ? 0 : http_redirect_send(x, settings);
}

const struct http_policy policy_redirect = {
    .table = &table,
    .size = sizeof(struct http_redirect),
    .of_site = true,
    .prepare = prepare,
    .admit = admit,
};
