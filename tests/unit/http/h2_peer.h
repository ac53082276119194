/* h2_peer.h: a client of HTTP/2, made of nghttp2's, at the other end of a pair; and what the server has to serve.
 *
 * Paths: /hello says hello; /bytes/N is N bytes of a pattern, in one piece; /pieces/N the same in pieces of 1000, its
 * length not known; /echo gives back the request's content; /fields lists its fields; /short promises 10 bytes and
 * gives 5; /file/N is the same as /bytes/N from a file; /wait waits until h2_peer_gate opens; /empty is 204;
 * /late/N is /bytes/N, of no urgency; /flush says hello, flushes, waits until h2_peer_gate opens, and says goodbye.
 */
#ifndef TERN_TESTS_HTTP_H2_PEER_H
#define TERN_TESTS_HTTP_H2_PEER_H

#include "green/sync.h"
#include "pair.h"

struct nghttp2_session;

enum { H2_PEER_STREAMS = 300, H2_PEER_TEXT = 4096 };

struct h2_answer {
    int status, interim;       /* 0: none has come; interim: 100 */
    size_t length;             /* of its content so far */
    uint64_t hash;             /* of that; see h2_peer_hash() */
    bool ended;                /* by END_STREAM */
    unsigned over;             /* the stream is closed, as the first one, the second ... */
    uint32_t code;             /* ... with this error code */
    unsigned frames;           /* of content */
    char text[H2_PEER_TEXT];   /* the start of its content */
    char fields[H2_PEER_TEXT]; /* "name: value\n" each */
};

struct h2_peer {
    struct pair pair;
    struct nghttp2_session *session;
    struct h2_answer answers[H2_PEER_STREAMS]; /* by id / 2 */
    unsigned closed;                           /* streams */
    unsigned goaways, pings;                   /* received; pings: answers to ours */
    uint32_t goaway_code;
    int32_t goaway_last;
    bool deaf; /* nothing is read from the socket */
    bool over; /* the server has closed it */
};

extern struct green_sem h2_peer_gate;
extern unsigned h2_peer_served; /* requests that came to a handler */

/* Opens a connection and greets; `window`: of each stream, 0: the usual. There is one at a time. */
struct h2_peer *h2_peer_open(uint32_t window);
void h2_peer_close(struct h2_peer *peer);

/* A request of a method and a path, with fields "name: value\n", and content, if p is not NULL; its id. */
int32_t h2_peer_ask(struct h2_peer *peer, const char *method, const char *path, const char *fields, struct str content);

/* A POST of which the content never comes. */
int32_t h2_peer_promise(struct h2_peer *peer, const char *path, const char *fields);

int32_t h2_peer_get(struct h2_peer *peer, const char *path);

struct h2_answer *h2_peer_answer(struct h2_peer *peer, int32_t id);

/* Sends and receives what there is. */
void h2_peer_move(struct h2_peer *peer);

/* Moves until the condition has come true, and asserts that it has. */
#define h2_peer_until(peer, condition)                                                                                 \
    do {                                                                                                               \
        nsec until_end = nsec_add(green_now(), PAIR_LIMIT);                                                            \
        h2_peer_move(peer);                                                                                            \
        while (!(condition) && green_now() < until_end) {                                                              \
            cr_assert_eq(green_sleep(NSEC_MS), 0);                                                                     \
            h2_peer_move(peer);                                                                                        \
        }                                                                                                              \
        cr_assert(condition);                                                                                          \
    } while (0)

/* Asks, and waits for the end of the stream. */
struct h2_answer *h2_peer_fetch(struct h2_peer *peer, const char *path);

/* The pattern that /bytes/N serves, and a hash of n bytes. */
struct str h2_peer_bytes(size_t n);
uint64_t h2_peer_hash(uint64_t hash, struct str bytes);

#endif
