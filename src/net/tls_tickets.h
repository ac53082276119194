/* tls_tickets.h: the keys that session tickets are sealed with.
 *
 * A ticket (RFC 5077; RFC 8446, 4.6.1) is a session that its client keeps, sealed by a key of the server. So that a
 * client can resume with any worker of any generation, all of them share the keys: the master makes them, in memory
 * that its workers inherit, and from time to time puts a new one in front. A key seals for one period, and opens what
 * it has sealed for two more: after that nobody who gets hold of memory can read what was said (forward secrecy).
 *
 * The memory is left out of core dumps.
 */
#ifndef TERN_NET_TLS_TICKETS_H
#define TERN_NET_TLS_TICKETS_H

#include <stdbool.h>
#include <stdint.h>

enum { TLS_TICKET_NAME = 16, TLS_TICKET_SECRET = 32 };

struct tls_ticket_key {
    unsigned char name[TLS_TICKET_NAME]; /* as it stands in a ticket */
    unsigned char cipher[TLS_TICKET_SECRET];
    unsigned char mac[TLS_TICKET_SECRET];
};

/* In the master, once: makes the first key. 0 or -errno; without keys no tickets are given. */
int tls_tickets_open(void) __attribute__((warn_unused_result));

/* In the master: a new key seals from now on. 0 or -errno; then the old one goes on. */
int tls_tickets_rotate(void) __attribute__((warn_unused_result));

/* The key that seals; false: there is none. */
bool tls_tickets_newest(struct tls_ticket_key *key);

/* The key of that name, if it may still open tickets; *old: a newer one seals now. */
bool tls_tickets_find(const unsigned char name[static TLS_TICKET_NAME], struct tls_ticket_key *key, bool *old);

void tls_tickets_close(void);

#endif
