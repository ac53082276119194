/* harness_faults.h: a server whose system calls and allocations fail when the test says so; see preload/faults.h.
 *
 * What is ordered concerns the worker alone, which serves. Counting starts anew with each order.
 */
#ifndef TERN_TESTS_SERVER_HARNESS_FAULTS_H
#define TERN_TESTS_SERVER_HARNESS_FAULTS_H

#include "../preload/faults.h"
#include "harness_server.h"

#include <limits.h>

enum { FAULT_EVER = UINT_MAX };

/* A server with one worker, whose configuration has to say so. Nothing fails yet. */
struct server faults_start(const char *config);

/* The worker that serves now is the one that is meant from here on. */
pid_t faults_follow(const struct server *server);

/* From here on, these calls fail: the first-th to the last-th, `step` apart. */
void faults_order(enum fault_call call, int error, unsigned first, unsigned last, unsigned step);

/* From here on, such a call moves so many bytes at most. */
void faults_shorten(enum fault_call call, size_t most);

/* Both at once. */
struct fault_row {
    enum fault_call call;
    int error;     /* 0: none fails */
    unsigned step; /* of so many, one fails */
    size_t most;   /* bytes; 0: as many as it is asked to */
};
void faults_order_row(const struct fault_row *row);

/* From here on, such a call does not return; false: it does again. */
void faults_hold(enum fault_call call, bool held);

/* Nothing fails any more. */
void faults_end(void);

/* Calls of this kind since the last order, and how many of them have failed. */
unsigned faults_made(enum fault_call call);
unsigned faults_met(enum fault_call call);

/* The time of day is wrong by so many seconds, for every process of the server. */
void faults_shift_clock(int64_t seconds);

/* Skips a test of memory that can't be had: a sanitizer has an allocator of its own, which never fails. */
void faults_need_malloc(void);

/* Whether the worker's loop turns round and round: it should sleep. */
bool faults_spins(void);

#endif
