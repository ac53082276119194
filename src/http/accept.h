/* accept.h: the threads that take new connections, one for each listening socket of a worker. */
#ifndef TERN_HTTP_ACCEPT_H
#define TERN_HTTP_ACCEPT_H

#include "http/conn.h"

struct acceptor {
    struct conns *conns;
    const struct http_endpoint *endpoint;
    struct green_fd listener;
    int spare; /* a descriptor in reserve, for when there are no others */
};

/* Takes over a listening socket of an endpoint. */
void acceptor_init(struct acceptor *acceptor, struct conns *conns, const struct http_endpoint *endpoint, int listener);

/* Accepts until it is cancelled: a green_fn for a struct acceptor *. What the kernel has queued by then is accepted
 * too; then the socket is closed. */
int acceptor_run(void *acceptor);

#endif
