/* scoreboard.h: what workers are doing, for whoever asks their master.
 *
 * A board is memory that processes share over fork(): one slot for each worker of a generation, made by the master
 * before it forks them and freed by it when the last one is gone. A slot has one writer, its worker, and lies on cache
 * lines of its own, so counting costs a worker what a counter of its own would: `score->requests++`.
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

struct score {
    /* What is now. */
    _Alignas(128) uint64_t connections; /* open */
    uint64_t idle;                      /* of these: waiting for a request */

    /* What has been; these only grow. */
    uint64_t accepted;    /* connections */
    uint64_t requests;    /* answered, or begun to be */
    uint64_t cut;         /* requests that were ended before their answer was whole */
    uint64_t access_lost; /* lines that the access log could not take */
    uint64_t beat;        /* turns of the worker's loop while it is asked for signs of life */
};

_Static_assert(sizeof(struct score) == 128, "a slot is two cache lines, which processors fetch in pairs");

struct scoreboard {
    struct score *slots;
    size_t count;
};

/* A board of `count` slots, all zero, in memory that is shared over fork(). 0 or -ENOMEM. */
int scoreboard_open(struct scoreboard *board, size_t count) __attribute__((warn_unused_result));

/* Frees this process's view of it; a board that is not open is left alone. Others keep theirs. */
void scoreboard_close(struct scoreboard *board);

/* The slot of a worker, for that worker to count in. */
struct score *scoreboard_slot(const struct scoreboard *board, size_t index);

/* What a slot says at the moment. */
struct score scoreboard_read(const struct scoreboard *board, size_t index);

/* For the master, between the end of a worker and the start of the next one in its place: nothing is open any more, and
 * what was counted stays. */
void scoreboard_inherit(struct scoreboard *board, size_t index);

#endif
