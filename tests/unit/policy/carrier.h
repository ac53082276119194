/* carrier.h: an exchange that is carried nowhere: what a protocol would send is kept, for tests of policies. */
#ifndef TERN_TESTS_POLICY_CARRIER_H
#define TERN_TESTS_POLICY_CARRIER_H

#include "http/route.h"
#include "http/server.h"

enum { CARRIER_FIELDS = 8, CARRIER_ROOM = 4 << 20 };

extern struct carrier {
    struct exchange x;
    struct http_server server;
    struct http_route route;
    struct http_applied applied; /* the one policy of the route */
    struct http_field fields[CARRIER_FIELDS];
    struct http_head head; /* as it was written */
    char content[CARRIER_ROOM];
    size_t n;       /* bytes of content */
    size_t pieces;  /* in which it came */
    size_t flushes; /* that were passed on */
    bool file;      /* some of it was a file */
    bool ended;
    size_t refused; /* content beyond so many bytes fails; 0: none does */
} carrier;

/* Starts a GET over HTTP/1.1 on a route with this policy, or with none (NULL). */
void carrier_start(const struct http_policy *policy, const void *settings);
void carrier_end(void);

/* Adds a field to the request. */
void carrier_ask(struct str name, struct str value);

#endif
