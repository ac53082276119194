/* tls_cache.h: sessions that the server keeps, for clients without tickets.
 *
 * Such a client names a session by its id (RFC 5246, 7.4.1.2), and may come back to any worker of any generation. So
 * the sessions lie in memory that the master makes and its workers inherit. The memory is left out of core dumps.
 *
 * It is a cache: a session may be gone at any time, and its client then shakes hands in full. Ids are random, so they
 * are their own hash; of the few places that a session may be in, the oldest makes room. Nobody ever waits for anybody
 * else: a place that another process writes to at this moment is passed over, and what was changed while it was read is
 * not used. A worker that dies in the middle of writing costs one place.
 */
#ifndef TERN_NET_TLS_CACHE_H
#define TERN_NET_TLS_CACHE_H

#include "base/clock.h"
#include "base/str.h"

enum {
    TLS_SESSION_ID = 32,     /* bytes of an id, at most */
    TLS_SESSION_SIZE = 2000, /* bytes of a session: more, with a chain of client certificates, is not kept */
};

/* In the master, once. 0 or -errno; without it nothing is kept. */
int tls_cache_open(void) __attribute__((warn_unused_result));

/* Keeps a session until a point of the monotonic clock. */
void tls_cache_put(struct str id, struct str session, nsec until);

/* Copies a session to `to`: its size; 0: it is not there, or no longer. */
size_t tls_cache_get(struct str id, char to[static TLS_SESSION_SIZE]);

/* Forgets a session, because something was wrong with its connection. */
void tls_cache_remove(struct str id);

void tls_cache_close(void);

#endif
