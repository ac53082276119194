/* server.h: the configuration of the http layer, and what one worker serves with it.
 *
 * A struct http_server is read-only once it is read: one generation of configuration. Limits and timeouts are
 * those of the contract.
 */
#ifndef TERN_HTTP_SERVER_H
#define TERN_HTTP_SERVER_H

#include "conf/schema.h"
#include "http/route.h"
#include "log/access.h"

struct http_limits {
    int64_t connections; /* a worker's; -1: as many as descriptors allow */
    int64_t green_threads;
    uint64_t header_size;
    int64_t header_count;
    uint64_t target_size;
    uint64_t body_size;
    uint64_t body_rate;              /* bytes a second; 0: no limit */
    int64_t requests_per_connection; /* 0: no limit */
    int64_t streams;                 /* of a connection of HTTP/2, at once */
};

struct http_timeouts {
    nsec handshake, header, body, write, idle, grace, shutdown, stall, stall_kill, ticket_key;
};

/* A place where connections come in, as far as serving them goes. */
struct http_endpoint {
    const struct tls_context *tls; /* what secures them, where no site has a say in it; NULL: nothing does */
    bool http2;                    /* HTTP/2 is spoken, too */
};

struct http_server {
    struct http_limits limits;
    struct http_timeouts timeouts;
    struct http_sites sites;
    struct access_log *access; /* NULL: off */
    nsec access_flush;         /* how long a line may wait in the buffer */
};

struct tls_context;

extern const struct conf_table http_limits_table, http_timeouts_table;

#endif
