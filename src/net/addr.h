/* addr.h: addresses of listeners and of peers. */
#ifndef TERN_NET_ADDR_H
#define TERN_NET_ADDR_H

#include <netinet/in.h>
#include <sys/un.h>

#include "base/out.h"

/* Where a listener is bound, or a peer is to be found. */
struct addr {
    socklen_t size; /* of the member that is in use */
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    };
};

/* Reads "127.0.0.1:8080", "[::1]:8080", ":8080" (every IPv4 address), "unix:/path" or "unix:@name" (abstract). Names
 * are not resolved. 0, -EINVAL: not an address, -ERANGE: not a port, -ENAMETOOLONG: a path beyond 107 bytes. */
int addr_parse(struct str text, struct addr *addr) __attribute__((warn_unused_result));

/* Reads an IP address alone, without brackets: "127.0.0.1" or "::1". 0, or -EINVAL: it is none. */
int addr_from_ip(struct str text, uint16_t port, struct addr *addr) __attribute__((warn_unused_result));

/* Reads "80". 0, -EINVAL, or -ERANGE: not a port. */
int port_parse(struct str text, uint16_t *port) __attribute__((warn_unused_result));

/* Of an IP address; one of another kind has none, and stays as it is. */
void addr_set_port(struct addr *addr, uint16_t port);

/* The same text again. */
void addr_print(const struct addr *addr, struct out *o);

static inline bool addr_is_unix(const struct addr *addr)
{
    return addr->any.sa_family == AF_UNIX;
}

/* Whether both name the same place. */
bool addr_same(const struct addr *a, const struct addr *b);

/* The other end of a connection, in a quarter of the room: every idle connection keeps one. */
struct peer {
    uint16_t family; /* AF_INET, AF_INET6 or AF_UNIX */
    uint16_t port;   /* in host order */
    unsigned char ip[16];
};

enum { PEER_TEXT = INET6_ADDRSTRLEN };

void peer_from(struct peer *peer, const struct sockaddr *address);

/* The address without the port, NUL-terminated; "unix:" for a peer on a unix socket. IPv4 peers of an IPv6 listener
 * are written as IPv4. */
struct str peer_print(const struct peer *peer, char text[static PEER_TEXT]);

#endif
