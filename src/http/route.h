/* route.h: which handler answers: site by host, route by path.
 *
 * A site is chosen by the request's host: an exact name first, then the longest `*.` name, then the default site,
 * the one without hosts. Within it an exact path goes first, then the longest prefix by segments, in whatever order
 * they are written: `/a` matches /a and /a/b but not /ab; `/a/` matches /a/ and /a/b but not /a.
 *
 * Hosts and paths are hash tables: a look-up costs as many probes as the path has segments, however many routes.
 */
#ifndef TERN_HTTP_ROUTE_H
#define TERN_HTTP_ROUTE_H

#include "base/hash.h"
#include "conf/schema.h"
#include "http/exchange.h"

/* What a directive such as `files` stands for: one of these in each file of the handler layer. */
struct http_handler {
    struct str name;                /* the directive */
    const struct conf_table *table; /* of its settings */
    size_t size;                    /* of the structure that the table fills */
    /* Checks settings and computes what can be computed once; problems are reported. May be NULL. */
    int (*prepare)(struct conf_reader *r, const struct conf_node *node, const struct http_route *route, void *settings);
    /* Answers a request. 0, or -errno: the connection is broken, or, before a head was sent, what http_read() said. */
    int (*serve)(struct exchange *x, const void *settings);
};

struct http_route {
    struct hash_node node; /* by `path` */
    struct str path;
    bool exact;
    const struct http_handler *handler;
    void *settings;
    const struct http_route *twin; /* the other one of the same path: exact and prefix */
};

struct http_site {
    struct conf_texts hosts;
    struct hash routes;
    uint64_t lengths[2];           /* by `exact`: bit n % 64: the path of some route but the root has n bytes */
    const struct http_route *root; /* the prefix route "/", which most requests meet; or NULL */
};

struct http_sites {
    struct hash exact;          /* of struct site_host, by lower-case name */
    struct hash wildcard;       /* the same, by what follows the `*` */
    struct http_site *fallback; /* the site without hosts, or NULL */
};

/* The route for a host (without port, any case) and a normalised path; NULL: none. */
const struct http_route *http_route_find(const struct http_sites *sites, struct str host, struct str path);

/* ---- configuration ---- */

/* The handlers that `sites` may name: the registry of the handler layer. Ends in NULL. Set before sites are read. */
extern const struct http_handler *const *http_handlers;

/* Reads the value of `sites` (a CONF_CUSTOM key). */
int http_sites_read(struct conf_reader *r, struct conf_node *node, void *sites) __attribute__((warn_unused_result));

#endif
