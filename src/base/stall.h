/* stall.h: what workers have been caught at: green threads that did not yield for too long.
 *
 * Records lie in memory that is shared with the master, so that those of a worker that is killed outlive it. A log has
 * one writer, the thread of its worker that watches, and, once that worker is gone, the master; a reader sees a record
 * whole or not at all.
 */
#ifndef TERN_BASE_STALL_H
#define TERN_BASE_STALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { STALLS_KEPT = 8, STALL_TEXT = 256, STALL_TRACE = 3072 };

enum stall_end { STALL_GOES_ON, STALL_YIELDED, STALL_KILLED /* its worker has ended before */ };

struct stall {
    uint64_t number; /* of the stalls of its worker, from 1 on; 0: no record */
    int64_t at;      /* when it was noticed: nanoseconds since 1970 */
    int64_t lasted;  /* nanoseconds: until it was over, or, while it is not, until it was looked at last */
    uint64_t over;   /* enum stall_end */
    uint64_t pid;
    uint64_t thread;  /* its number; 0: it was the loop itself */
    char name[64];    /* of the thread */
    char handler[64]; /* these are empty: nobody has said */
    char route[STALL_TEXT];
    char request[STALL_TEXT]; /* its first line, without the query's values */
    char cause[STALL_TEXT];   /* "CPU", "system call clock_nanosleep", "page fault" ... */
    char trace[STALL_TRACE];  /* the backtrace, innermost first, a line for each frame; empty: there is none */
};

struct stall_log {
    uint64_t count; /* stalls ever */
    struct stall_record {
        uint64_t version; /* odd: being written */
        struct stall stall;
    } records[STALLS_KEPT]; /* the stall of number n is in n % STALLS_KEPT */
};

/* Adds or replaces the record of the stall of that number. */
void stall_write(struct stall_log *log, const struct stall *stall);

/* The process is gone: what it was at when it stalled last is over. */
void stall_end_all(struct stall_log *log, uint64_t pid);

/* A copy of a record; false: there is none of that index, or it is being written. */
bool stall_read(const struct stall_log *log, size_t index, struct stall *stall) __attribute__((warn_unused_result));

#endif
