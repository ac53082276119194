/* site.h: what the files about routes share: route.c, serve.c, route_conf.c and policy_conf.c. */
#ifndef TERN_HTTP_SITE_H
#define TERN_HTTP_SITE_H

#include "base/list.h"
#include "http/route.h"

enum { SITE_HOST_MAX = 255 }; /* bytes of a host name (RFC 1035, 2.3.4) */

/* A name under which a site is found. */
struct site_host {
    struct hash_node node;
    struct http_site *site;
};

/* Answers for paths that have no route. */
extern const struct http_handler http_missing;

/* Gives the next index to a route whose handler and settings are there, and its label: the handler, and the path as in
 * the configuration; `=/path` for an exact one, and where there are several sites, with the first host of its own, or
 * `*`, in front: example.org/path. The `missing` of a site has the host alone, or nothing. 0 or -ENOMEM. Before the
 * first one: the route of requests that meet none gets its own. */
void http_routes_begin(struct http_sites *sites);
int http_route_number(struct conf_reader *r, struct http_sites *sites, const struct http_site *site,
                      struct http_route *route) __attribute__((warn_unused_result));

/* Reads the policies that the mapping of a site or route asks for; `outer`: the site's, for a route. */
int http_policies_read(struct conf_reader *r, struct conf_node *node, const struct http_policies *outer,
                       struct http_policies *policies) __attribute__((warn_unused_result));

/* Tell key i of all policies that may stand in a site, or in a route (struct conf_table, `others`). */
bool http_site_policy_key(size_t i, struct conf_key *key);
bool http_route_policy_key(size_t i, struct conf_key *key);

#endif
