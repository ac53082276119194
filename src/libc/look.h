/* look.h: looking and waiting in turn, for the calls that wait for several descriptors. */
#ifndef TERN_LIBC_LOOK_H
#define TERN_LIBC_LOOK_H

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>

#include "base/clock.h"

/* What is looked at, and with what. */
struct watch {
    struct pollfd *fds; /* what to wait for between two looks */
    nfds_t count;
    const sigset_t *mask;       /* of signals, while it looks; NULL: as it is */
    struct epoll_event *events; /* of epoll_wait() alone */
    int room;
};

/* How many are ready; 0: none; or -1 and errno. Must not wait. */
typedef int look_fn(struct watch *watch);

/* Looks, and, as long as it finds nothing, waits and looks again; then the result is that of the last look. A deadline
 * of 0: looks once. -1: the look's error, or ECANCELED, ENOMEM, ENOSPC, EMFILE. */
int look_until(nsec deadline, look_fn *look, struct watch *watch);

#endif
