/* scoreboard.h: what workers are doing, for whoever asks their master.
 *
 * A board is memory that processes share over fork(): one slot for each worker of a generation, made by the master
 * before it forks them and freed by it when the last one is gone. A slot has one writer, its worker, and lies on pages
 * of its own, so counting costs a worker what a counter of its own would: `score->requests++`.
 *
 * No lock and no atomic instruction is needed:
 *   - each word is 64 bits and aligned: x86-64 and AArch64 store it whole, so a reader sees an old value or a new one,
 *     never half of each;
 *   - nobody else stores to it, so a load, an addition and a store lose no count;
 *   - a compiler can't keep a store back past a call that it can't see through, and a worker makes one at every wait;
 *   - no word means anything about another one: readers need no order among them. A copy may show a connection that has
 *     been accepted and is not open yet, and must not be used to conclude anything from such a difference.
 */
#ifndef TERN_BASE_SCOREBOARD_H
#define TERN_BASE_SCOREBOARD_H

#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"
#include "base/stall.h"

struct score {
    /* What is now. */
    uint64_t connections; /* open */
    uint64_t idle;        /* of these: waiting for a request */
    uint64_t threads;     /* green ones, as of the last turn of the loop */
    uint64_t waiting;     /* of these: for something */
    uint64_t ready;       /* of these: for their turn */

    /* What has been; these only grow. */
    uint64_t accepted;        /* connections */
    uint64_t requests;        /* answered, or begun to be */
    uint64_t cut;             /* requests that were ended before their answer was whole */
    uint64_t access_lost;     /* lines that the access log could not take */
    uint64_t beat;            /* turns of the worker's loop while it is asked for signs of life */
    uint64_t stalls;          /* threads that did not yield for too long */
    uint64_t slow;            /* requests that took longer than `slow` */
    uint64_t restarts;        /* processes that had this slot before, and ended */
    struct histogram latency; /* of requests, from their first byte to the end of their answer */
    struct histogram lag;     /* of turns of the loop: how long after a poll the last thread of its burst was done */
};

/* The same for a route. Bounds of its buckets are in scoreboard_bounds. */
enum { ROUTE_CLASSES = 6, ROUTE_BOUNDS = 15 };

struct route_score {
    uint64_t classes[ROUTE_CLASSES]; /* requests by the first digit of their status; 0: none was sent */
    uint64_t bytes;                  /* of content that were sent */
    uint64_t sum;                    /* of the time that they took, in microseconds */
    uint64_t buckets[ROUTE_BOUNDS + 1];
};

/* In microseconds, growing: what takes as long as a bound, or less, is in its bucket; what takes longer than the last,
 * in one more. */
extern const uint32_t scoreboard_bounds[ROUTE_BOUNDS];

struct scoreboard {
    char *memory;
    size_t count, routes;
    size_t slot; /* bytes for each worker */
};

/* A board for `count` workers, each with `routes` routes, all zero, in memory that is shared over fork(). 0 or
 * -ENOMEM. */
int scoreboard_open(struct scoreboard *board, size_t count, size_t routes) __attribute__((warn_unused_result));

/* Frees this process's view of it; a board that is not open is left alone. Others keep theirs. */
void scoreboard_close(struct scoreboard *board);

/* The slot of a worker, for that worker to count in; its stalls; its routes, as many as there are. */
struct score *scoreboard_slot(const struct scoreboard *board, size_t index);
struct stall_log *scoreboard_stalls(const struct scoreboard *board, size_t index);
struct route_score *scoreboard_routes(const struct scoreboard *board, size_t index);

/* What a slot says at the moment, and what one says of a route. */
void scoreboard_read(const struct scoreboard *board, size_t index, struct score *score);
void scoreboard_read_route(const struct scoreboard *board, size_t index, size_t route, struct route_score *score);

/* Counts a request of a route. SCOREBOARD_UNTIMED: nobody knows how long it took, so it is in no bucket. */
#define SCOREBOARD_UNTIMED INT64_MIN
void scoreboard_count(struct route_score *score, unsigned status, uint64_t bytes, nsec duration);

/* For the master, between the end of a worker and the start of the next one in its place: nothing is open any more,
 * what was counted stays, and the restart is counted. */
void scoreboard_inherit(struct scoreboard *board, size_t index);

#endif
