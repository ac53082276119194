/* wire_conn.h: a whole connection over a wire, for fuzzers: it is served until it ends. */
#ifndef TERN_TESTS_FUZZ_WIRE_CONN_H
#define TERN_TESTS_FUZZ_WIRE_CONN_H

#include <stdlib.h>

#include "../wire.h"
#include "http/conn.h"

static inline void wire_serve(const struct http_server *server, const struct http_endpoint *endpoint, struct str input,
                              size_t piece)
{
    static const struct peer peer = {.family = AF_UNIX};
    static struct score score;
    static struct route_score routes[1];
    struct conns conns;
    conns_init(&conns, server, 1, &score, routes);
    conn_open(&conns, wire_start(input, piece), &peer, endpoint);
    container_of(conns.by_state[CONN_ACTIVE].next, struct conn, link)->stream.ops = &wire_ops;
    while (conns.count)
        if (green_cond_wait(&conns.room, NULL, NSEC_NEVER) < 0)
            abort();
    conns_end(&conns);
}

#endif
