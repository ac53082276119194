/* conn.h: connections, and what one worker knows of all of them.
 *
 * A connection outlives its green threads. It is always in one of four states:
 *
 *   ACTIVE      a green thread serves requests, and alone decides what comes next.
 *   IDLE        no thread, no stack: this structure is all there is, with a read watcher that stays armed and a
 *               deadline on the wheel. Bytes that arrive start a thread.
 *   BEGUN       the same in the middle of a head, of which the protocol keeps what has come so far: however slow its
 *               peer is, it costs those bytes and no stack.
 *   LINGERING   the last answer is sent, and our side is closed: what the peer still sends is thrown away for a while,
 *               since closing at once would reset the connection, and might destroy the answer on its way (RFC 9112,
 *               9.6). No thread, no stack.
 *
 * Policy about connections (limits, idle timeouts, drain) is here, in one place.
 */
#ifndef TERN_HTTP_CONN_H
#define TERN_HTTP_CONN_H

#include "base/scoreboard.h"
#include "green/sync.h"
#include "green/timer.h"
#include "http/server.h"
#include "net/addr.h"
#include "net/stream.h"

struct conn;

/* What a protocol keeps of a connection while no thread serves it: it starts with this, and is the protocol's own. */
struct conn_kept {
    const struct conn_protocol *protocol;
};

struct conn_protocol {
    void (*serve)(struct conn *conn);    /* goes on with an ACTIVE connection, until it is idle or over */
    void (*drain)(struct conn *conn);    /* the worker drains, and the peer is to be told; NULL: in its next answer */
    void (*farewell)(struct conn *conn); /* it is about to be ended: says so without waiting; NULL: in HTTP/1's words */
    void (*forget)(struct conn_kept *kept); /* frees it: the connection has ended */
};

enum conn_state { CONN_ACTIVE, CONN_IDLE, CONN_BEGUN, CONN_LINGERING, CONN_STATES };

struct conn {
    struct green_task task; /* to become ACTIVE */
    struct green *thread;   /* while ACTIVE */
    struct conns *owner;
    const struct http_endpoint *endpoint; /* where it came in */
    struct conn_kept *kept;               /* NULL: it is between two requests of HTTP/1, or before the first */
    struct wheel_node timer;              /* while not ACTIVE; its deadline is when that state ends */
    struct list link;                     /* in owner->by_state[state] */
    struct peer peer;
    uint32_t requests; /* served on it so far */
    union {
        uint32_t requests_parked; /* when it was parked last */
        uint32_t unwanted;        /* while LINGERING: bytes thrown away */
    };
    uint8_t state;
    uint8_t empty_lines;  /* before the next request */
    struct stream stream; /* last, since streams differ in size */
};

/* The size of an idle connection is a promise of ours: less than four cache lines, with what malloc() adds. */
_Static_assert(offsetof(struct conn, stream) + sizeof(struct stream) <= 232, "an idle connection takes 240 bytes");

/* All connections of a worker. */
struct conns {
    const struct http_server *server;
    struct list by_state[CONN_STATES]; /* who has been in a state for longest stands first */
    size_t count, max;
    bool draining;
    nsec grace;                  /* when idle connections end, while draining */
    bool (*shed)(void);          /* gives up descriptors that can be done without; false: there are none */
    struct green_cond room;      /* a connection has ended, or could be ended for another */
    struct wheel_node log_timer; /* when the access log is to be written */
    uint64_t log_lost;           /* lines of it, as far as they are counted in `score` */
    struct score *score;         /* where they are counted ... */
    struct route_score *routes;  /* ... and requests, by the index of their route */
};

/* `score`, `routes`: where the worker counts. */
void conns_init(struct conns *conns, const struct http_server *server, size_t max, struct score *score,
                struct route_score *routes);

/* Serves an ACTIVE connection until it is idle or over, by the protocol that is spoken on it (protocol.c). */
void conn_serve(struct conn *conn);

/* Takes over a socket that was accepted at an endpoint, and starts serving it. Without memory or a thread for it the
 * peer gets a 503. */
void conn_open(struct conns *conns, int fd, const struct peer *peer, const struct http_endpoint *endpoint);

/* Gives a thread to a connection that has none. */
void conn_start(struct conn *conn);

static inline bool conn_is_secure(const struct conn *conn)
{
    return conn->endpoint->tls != NULL;
}

/* What is known of a connection that is secured; NULL: it is not. */
const struct tls_peer *conn_tls(const struct conn *conn);

/* Ends a connection whose peer speaks HTTP where TLS is spoken, after telling it so. */
void conn_refuse_plain(struct conn *conn);

/* By the thread of an ACTIVE connection, as its last act: waits for the next request without it, as long as it may be
 * idle or until a deadline of the protocol's own; waits for the rest of
 * one that has begun, until the deadline at most: then, too, conn_serve() is called; or ends the connection, at once or
 * after lingering. */
void conn_park(struct conn *conn);
void conn_park_until(struct conn *conn, nsec until);
void conn_park_begun(struct conn *conn, nsec deadline);
void conn_close(struct conn *conn);
void conn_linger(struct conn *conn);

/* Whether the response being made should be the connection's last one. `more`: a further request has come already. */
bool conn_is_last(const struct conn *conn, bool more);

/* Makes sure that there are fewer connections than there may be: by ending one that has no thread, an idle one first,
 * else by waiting. 0 or -ECANCELED. */
int conns_wait_room(struct conns *conns) GREEN_WAITS;

/* Lets all connections end: each answer is the last one of its connection, and says so. One that is idle, because its
 * last answer has promised to wait, is kept for one more request until `grace`: a peer that sends it at this moment
 * would lose it otherwise. What is left at the deadline is cancelled. The number of connections that were cut. */
size_t conns_drain(struct conns *conns, nsec grace, nsec deadline) GREEN_WAITS;

/* Puts the end of that grace earlier, before or while draining. */
void conns_hurry(struct conns *conns, nsec grace);

/* Ends all connections, now. The number of those that were cut. */
size_t conns_cut(struct conns *conns);

/* After the last connection: writes what the access log still holds. */
void conns_end(struct conns *conns);

/* Adds a line to the access log, if there is one, and sees to it that it is written in time. */
void conns_log(struct conns *conns, const struct access_entry *entry);

#endif
