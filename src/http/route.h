/* route.h: which handler answers, and on which terms: site by host, route by path, policies by both.
 *
 * A site is chosen by the request's host: an exact name first, then the longest `*.` name, then the default site,
 * the one without hosts. Within it an exact path goes first, then the longest prefix by segments, in whatever order
 * they are written: `/a` matches /a and /a/b but not /ab; `/a/` matches /a/ and /a/b but not /a.
 *
 * Hosts and paths are hash tables: a look-up costs as many probes as the path has segments, however many routes; only
 * as much of it is looked at as the longest route has.
 */
#ifndef TERN_HTTP_ROUTE_H
#define TERN_HTTP_ROUTE_H

#include "base/hash.h"
#include "conf/schema.h"
#include "http/exchange.h"

/* What a directive such as `files` stands for: one of these in each file of the handler layer. */
struct http_handler {
    struct str name;                /* the directive */
    const char *doc;                /* one line for the user */
    const struct conf_table *table; /* of its settings */
    size_t size;                    /* of the structure that the table fills */
    uint64_t methods;               /* a bit for each enum method that it answers; 0: any */
    /* Checks settings and computes what can be computed once; problems are reported. May be NULL. */
    int (*prepare)(struct conf_reader *r, const struct conf_node *node, const struct http_route *route, void *settings);
    /* In each process that is to serve, before it does: what can't be done in the master, such as to load code that is
     * not its own. Tried beforehand in a process of its own, for the sake of its errors, which are reported. 0, -EINVAL
     * (reported) or -ENOMEM. May be NULL. */
    int (*start)(struct conf_reader *r, const struct http_route *route, void *settings);
    /* Takes it back, if it has succeeded. May be NULL. */
    void (*stop)(void *settings);
    /* What it is called where its work is told of: in the arena, p is NULL: no memory. NULL: its name says enough. */
    struct str (*label)(struct arena *arena, const void *settings);
    /* Answers a request. 0, or -errno: the connection is broken, or, before a head was sent, what http_read() said. */
    int (*serve)(struct exchange *x, const void *settings);
};

/* What a site or a route asks beside its handler: who may come in, how often, what every response carries. One of these
 * in each file of the policy layer. A route with none of a policy's keys takes what its site says. */
struct http_policy {
    const struct conf_table *table; /* of its keys in a site or route; read when any of them is there */
    size_t size;                    /* of the structure that the table fills */
    bool of_site;                   /* its keys stand in a site alone, and hold for all of its routes */
    bool adds;                      /* what a route says holds beside what its site does, not in place of it */
    /* Checks settings and computes what can be computed once; problems are reported. `node` is the mapping of the whole
     * site or route; `outer`: the site's settings, when these are a route's, or NULL. May be NULL. */
    int (*prepare)(struct conf_reader *r, struct conf_node *node, const void *outer, void *settings);
    /* Whether it needs the accounts of green threads. NULL: it does not. */
    bool (*timed)(const void *settings);
    /* Before the handler. One that answers itself, by http_send_status() say, keeps the handler from being called. 0 or
     * -errno. May be NULL. */
    int (*admit)(struct exchange *x, const void *settings);
    /* Before a head is written. 0 or -errno. May be NULL. */
    int (*dress)(struct exchange *x, const void *settings, struct http_head *head);
};

/* The policies that apply to a route, in the order of the registry. */
struct http_policies {
    struct http_applied {
        const struct http_policy *policy;
        const void *settings;
        const struct conf_node *at; /* the site or route that asks for it */
    } * v;
    size_t n;
};

struct http_route {
    struct hash_node node;         /* by `path` */
    struct http_route *next;       /* of all there are, by `index` */
    struct http_route *next_start; /* of those that are to be started */
    bool started;
    size_t index;             /* among the routes of all sites: where the scoreboard counts its requests */
    nsec slow;                /* a request that takes longer is slow (http/slow.h); 0 or less: none is */
    struct green_label label; /* of a thread that serves it */
    struct str path;
    bool exact;
    const struct http_handler *handler;
    const struct conf_node *at; /* where the handler stands in the configuration */
    void *settings;
    struct http_policies policies;
    const struct http_route *twin; /* the other one of the same path: exact and prefix */
};

struct http_site {
    const struct conf_node *at; /* where it stands in the configuration */
    struct conf_texts hosts;
    struct hash routes;
    size_t longest;                  /* bytes of the longest path of a prefix route */
    uint64_t lengths[2];             /* by `exact`: bit n % 64: the path of some route but the root has n bytes */
    const struct http_route *root;   /* the prefix route "/", which most requests meet; or NULL */
    struct http_route missing;       /* for paths without a route: 404, on the site's terms */
    struct http_error_pages *errors; /* NULL: none */
    struct tls_context *tls;         /* what secures it for clients that ask for its names; NULL: the endpoint's */
};

struct http_sites {
    struct hash exact;          /* of struct site_host, by lower-case name */
    struct hash wildcard;       /* the same, by what follows the `*` */
    struct http_site *fallback; /* the site without hosts, or NULL */
    bool several;               /* there is more than one site */
    struct http_route *routes;  /* all, by their index: `unmet`, then of each site `missing` and what it has */
    struct http_route **last_route;
    size_t route_count;
    struct http_route unmet;   /* of requests that met none, being refused before; index 0 */
    struct http_route *starts; /* routes whose handlers are to be started, the first of the file first */
    struct http_route **last_start;
};

/* The site for a host (without port, any case); NULL: none. */
const struct http_site *http_site_find(const struct http_sites *sites, struct str host);

/* The same as of a TLS handshake: what secures the site of a name; NULL: nothing of its own. */
const struct tls_context *http_sites_choose(const void *sites, struct str name);

/* The route for a normalised path; site->missing when there is none. */
const struct http_route *http_route_find(const struct http_site *site, struct str path);

/* The methods that a handler answers: a bit for each. */
uint64_t http_handler_methods(const struct http_handler *handler);

/* "Allow: GET, HEAD, OPTIONS\r\n" in the exchange's arena (RFC 9110, 10.2.1); empty: no memory. */
struct str http_allow_field(struct exchange *x, uint64_t methods);

/* Whether a request came on a connection that was made for another site, although its own one asks for certificates
 * (421). The exchange has its site. */
bool http_is_misdirected(const struct exchange *x);

/* Finds out who answers, and lets them: policies, then the handler. As a handler's serve. */
int http_serve(struct exchange *x) GREEN_WAITS;

/* Whether any route needs the accounts of green threads (http/times.h), for its `slow` or for a policy. */
bool http_sites_timed(const struct http_sites *sites);

/* Starts the handlers that want to be; stops those that have been. 0, -EINVAL (reported) or -ENOMEM: all have been
 * tried that could be. */
int http_sites_start(struct conf_reader *r, const struct http_sites *sites) __attribute__((warn_unused_result));
void http_sites_stop(const struct http_sites *sites);

/* ---- configuration ---- */

/* The handlers and policies that `sites` may name: the registries of the layers above. Both end in NULL, and are set
 * before sites are read. */
extern const struct http_handler *const *http_handlers;
extern const struct http_policy *const *http_policies;

/* What is in `sites`: a list of these, with whatever the registries have. */
extern const struct conf_table http_site_table;

/* Reads the value of `sites` (a CONF_CUSTOM key). */
int http_sites_read(struct conf_reader *r, struct conf_node *node, void *sites) __attribute__((warn_unused_result));

#endif
