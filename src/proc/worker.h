/* worker.h: a process that serves. */
#ifndef TERN_PROC_WORKER_H
#define TERN_PROC_WORKER_H

#include "base/scoreboard.h"
#include "proc/forked.h"

/* How a worker ends, and the server. */
enum {
    EXIT_FINE = 0,
    EXIT_FAILED = 1, /* something that it needs was not to be had */
    EXIT_USAGE = 2,
    EXIT_CUT = 3, /* it stopped with requests cut */
};

struct worker {
    struct config *config;
    const int *listeners;                         /* its sockets, which it closes ... */
    const struct http_endpoint *const *endpoints; /* ... what they are for ... */
    const int *backlogs; /* ... and how many connections may wait there; 0: that is somebody else's affair */
    size_t listener_count;
    const struct forked *self;
    int queue;                      /* for jobs, see module/compute.h; -1: there is none */
    size_t descriptors;             /* that it may have */
    const struct scoreboard *board; /* of its generation; it counts in the slot of its index ... */
    struct score *score;            /* ... which this is */
    unsigned generation;
    nsec started; /* the master */
};

/* How many connections a worker may have at once, with so many descriptors. */
size_t worker_connections(const struct config *config, size_t descriptors);

/* Serves until the master says or its end of the pair closes. The exit status. */
int worker_run(struct worker *worker);

#endif
