/* harness_peer.h: servers of others that a handler talks to: PostgreSQL and Redis, real ones.
 *
 * Each has its data in the test's directory and listens on 127.0.0.1 alone, on a port of the test's: a configuration
 * names them as @PORT2@ and @PORT3@. They run as nobody when we are root (PostgreSQL refuses to be root), keep nothing
 * for longer than the test, and end with it, or when it crashes.
 */
#ifndef TERN_TESTS_SERVER_HARNESS_PEER_H
#define TERN_TESTS_SERVER_HARNESS_PEER_H

#include "harness_client.h"

#include <sys/types.h>

/* Which of the harness's ports they have. */
enum { PEER_POSTGRES = 2, PEER_REDIS = 3 };

/* Clients that either of them takes at once. */
enum { PEER_CLIENTS = 600 };

/* The user and the database of PostgreSQL; no password is asked for. */
#define PEER_USER "postgres"

struct peer {
    pid_t pid;
    int port;
};

/* Starts one, and comes back when it answers. One of each kind in a test. */
struct peer peer_postgres(void);
struct peer peer_redis(void);

/* A connection on which PostgreSQL has let us in, and what it says next has not been taken; NULL: it has not, yet. */
struct client *peer_postgres_login(int port);

/* Whether Redis answers a PING. */
bool peer_redis_answers(int port);

/* Ends one: it closes its connections and its port. */
void peer_stop(const struct peer *peer);

#endif
