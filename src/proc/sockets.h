/* sockets.h: the listening sockets of all workers, which the master opens and keeps. */
#ifndef TERN_PROC_SOCKETS_H
#define TERN_PROC_SOCKETS_H

#include "proc/config.h"

/* A table with a row for each worker and a column for each `listen`. A unix socket is the same one in all its rows. */
struct sockets {
    const struct config *config;
    size_t workers, count;
    int *fds;
};

/* Opens them all. 0 or -errno; then why has been logged, and none is open. */
int sockets_open(struct sockets *sockets, const struct config *config, size_t workers)
    __attribute__((warn_unused_result));

/* The sockets of one worker: `count` descriptors. */
static inline const int *sockets_of(const struct sockets *sockets, size_t worker)
{
    return sockets->fds + worker * sockets->count;
}

/* In a worker: closes what is not its own. */
void sockets_keep_only(struct sockets *sockets, size_t worker);

/* In the master: closes all, and removes the files of unix sockets. */
void sockets_close(struct sockets *sockets);

#endif
