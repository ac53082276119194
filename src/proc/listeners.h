/* listeners.h: the places where connections come in, and their sockets, which the master opens and keeps.
 *
 * A listener outlives the generations of workers that serve it. On a port of TCP it has a socket for each worker, so
 * that the kernel spreads connections over them (SO_REUSEPORT), and never fewer than it once had: what waits in the
 * queue of a socket would be reset if that were closed. So every socket is served by some worker, whatever their number
 * is. A unix socket, and one that was passed to us, can't be multiplied and is shared by all workers.
 *
 * A listener ends when no generation uses it any more and the last worker that did has closed it: only then are new
 * connections refused.
 */
#ifndef TERN_PROC_LISTENERS_H
#define TERN_PROC_LISTENERS_H

#include "base/list.h"
#include "proc/config.h"
#include "proc/passed.h"

struct listener {
    struct list link; /* in listeners.all */
    struct addr addr;
    struct str name; /* under which it was passed; empty: opened by tern */
    bool passed;
    bool kept;     /* its file, that of a unix socket, is not ours to remove (yet, or any more) */
    unsigned uses; /* generations */
    int *fds;
    size_t count, served; /* sockets; of them: those that the workers of a generation that was ready have */
    char text[];          /* of the name */
};

struct listeners {
    struct list all;
    struct passed passed; /* until the first generation has taken what it wants */
};

void listeners_init(struct listeners *listeners);

/* Finds or opens a listener for each `listen` of the configuration, with sockets for so many workers: taken[i] for the
 * i-th. With `patience` an address that is in use may become free within two seconds: the workers of a master that was
 * killed have it until they notice. New sockets take connections at once with `patience`; else when a worker calls
 * listen(), so that none waits for a generation that does not come about. What goes wrong is told to `errors`. 0 or
 * -errno; then all is as it was. */
int listeners_take(struct listeners *listeners, const struct config *config, size_t workers, bool patience,
                   struct listener **taken, FILE *errors) __attribute__((warn_unused_result));

/* Gives up one use of a listener. Sockets that were opened for it, and that nobody serves, are closed. After the last
 * one our sockets are closed, and the file of a unix socket is gone. */
void listener_release(struct listener *listener);

/* A generation serves all its sockets now. */
void listener_serve(struct listener *listener);

/* The sockets that worker `index` of `workers` serves, of which there may be `count` at most. Their number. */
size_t listener_share(const struct listener *listener, size_t index, size_t workers, int *fds);

/* All sockets with the names to pass them on by: arrays that the caller frees. The number of them, or -ENOMEM. */
int listeners_gather(const struct listeners *listeners, int **fds, struct str **names)
    __attribute__((warn_unused_result));

/* Who removes the files of unix sockets in the end: somebody else, or we. */
void listeners_keep_files(struct listeners *listeners);
void listeners_own_files(struct listeners *listeners);

/* In a worker: closes all sockets but `kept`. */
void listeners_close_but(struct listeners *listeners, const int *kept, size_t count);

#endif
