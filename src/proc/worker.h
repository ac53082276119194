/* worker.h: a process that serves. */
#ifndef TERN_PROC_WORKER_H
#define TERN_PROC_WORKER_H

#include "proc/sockets.h"

/* What the master and a worker say to each other: single bytes over a socket pair. The end of it is a message too: the
 * other one is gone. */
enum {
    WORKER_READY = 'R', /* worker: it serves */
    WORKER_DRAIN = 'D', /* master: take no new connections, finish, end */
    WORKER_CUT = 'C',   /* master: end now */
};

/* How a worker ends. */
enum {
    EXIT_FINE = 0,
    EXIT_FAILED = 1, /* something that it needs was not to be had */
    EXIT_USAGE = 2,
    EXIT_CUT = 3, /* it stopped with requests cut */
};

struct worker {
    const struct config *config;
    struct sockets *sockets;
    size_t index;
    int master;         /* our end of the socket pair */
    size_t descriptors; /* that it may have */
};

/* Serves until the master says or its end of the pair closes. The exit status. */
int worker_run(struct worker *worker);

#endif
