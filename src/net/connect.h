/* connect.h: streams to others: connections that this side begins.
 *
 * A name may have several addresses, and some of them may be dead. They are tried in their order, each a quarter of a
 * second after the one before it, or as soon as that one has failed; the first that answers is taken, and the others
 * are given up (RFC 8305, "Happy Eyeballs").
 */
#ifndef TERN_NET_CONNECT_H
#define TERN_NET_CONNECT_H

#include "net/addr.h"
#include "net/stream.h"

/* Where to, before anything is resolved. */
struct place {
    struct str host; /* a name, an IP address without brackets, "unix:/path" or "unix:@name" */
    uint16_t port;   /* 0: on a unix socket there is none */
};

/* Reads "example.org:80", "127.0.0.1:80", "[::1]:80", "unix:/path" or "unix:@name". `port`: what is meant where none is
 * written; 0: one has to be. The host points into the text. 0, -EINVAL: it is none of these, -ERANGE: not a port. */
int place_parse(struct str text, uint16_t port, struct place *place) __attribute__((warn_unused_result));

/* Makes a stream, plain, of a new connection to an address. On an error there is none, and nothing to close. 0,
 * -ETIMEDOUT, -ECANCELED, or -errno of socket(2) and connect(2). */
int connect_addr(struct stream *s, const struct addr *addr, nsec deadline) GREEN_WAITS;

/* The same, to a place. *why says, in words for a log, what an error is. As connect_addr(), of the address that failed
 * last, or as resolve(). */
int connect_place(struct stream *s, const struct place *place, nsec deadline, const char **why) GREEN_WAITS;

#endif
