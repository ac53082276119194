/* site.h: what route.c and route_conf.c share. */
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

#endif
