/* cidr.h: networks, and which of many an address is in.
 *
 * There is one space of 128-bit addresses. IPv4 is the block ::ffff:0:0/96 of it (RFC 4291, 2.5.5.2), so a peer that an
 * IPv6 listener sees there is the IPv4 peer that it is. In turn no network of IPv6 has a say over that block: ::/0 is
 * all of IPv6, and no IPv4.
 *
 * A struct cidr_map answers for any number of networks in one binary search: networks are nested or apart, never
 * across, so they are flattened once into ranges side by side, each with the value of the longest prefix.
 */
#ifndef TERN_NET_CIDR_H
#define TERN_NET_CIDR_H

#include "base/arena.h"
#include "net/addr.h"

typedef unsigned __int128 cidr_ip; /* an address as a number; of IPv4, 0xffff and then its 32 bits */

struct cidr {
    cidr_ip ip;    /* the first address */
    unsigned bits; /* of the prefix, 0 to 128; of IPv4, 96 more than are written */
};

/* Every address of IPv4, and the number of bits before those that are written. */
#define CIDR_IPV4 ((struct cidr){(cidr_ip)0xffff << 32, 96})

/* Reads "10.0.0.0/8", "2001:db8::/32", or a single address (RFC 4632, 3.1; RFC 4291, 2.3). 0; -EINVAL: not a network;
 * -ERANGE: the prefix is longer than an address; -EDOM: bits beyond the prefix are set, and *cidr is the network
 * without them. */
int cidr_parse(struct str text, struct cidr *cidr) __attribute__((warn_unused_result));

/* The same text again; a prefix is always written. */
void cidr_print(const struct cidr *cidr, struct out *o);

/* A peer's address; not for a peer on a unix socket, who has none. */
cidr_ip cidr_ip_of(const struct peer *peer);

static inline bool cidr_is_ipv4(cidr_ip ip)
{
    return ip >> 32 == 0xffff;
}

/* 127.0.0.0/8 and ::1. */
static inline bool cidr_is_loopback(cidr_ip ip)
{
    return ip == 1 || ip >> 24 == 0xffff7f;
}

/* Who counts as one client: an address; of IPv6 its first 64 bits, since whoever has one address there has them all
 * (RFC 6177); and whoever comes through a unix socket, as a number that no address has. */
cidr_ip cidr_client_of(const struct peer *peer);

/* ---- many of them ---- */

struct cidr_rule {
    struct cidr cidr;
    unsigned char value; /* greater than 0; of two rules for the same network, the greater counts */
};

struct cidr_map {
    const cidr_ip *from;         /* where each range begins, ascending; the first is 0, each ends before the next */
    const unsigned char *values; /* what holds there; 0: no rule does */
    size_t n;
};

/* Flattens n rules, which may come in any order. The map lives in the arena. 0 or -ENOMEM. */
int cidr_map_make(struct cidr_map *map, struct arena *arena, const struct cidr_rule *rules, size_t n)
    __attribute__((warn_unused_result));

/* The value of the longest prefix that an address has among the rules; 0: none. */
unsigned cidr_map_find(const struct cidr_map *map, cidr_ip ip) __attribute__((pure));

#endif
