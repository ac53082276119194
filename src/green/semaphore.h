/* semaphore.h: POSIX semaphores between OS threads, with our clock: sync.h has those of green threads. Private to the
 * green layer. */
#ifndef TERN_GREEN_SEMAPHORE_H
#define TERN_GREEN_SEMAPHORE_H

#include <errno.h>
#include <semaphore.h>

#include "base/clock.h"

/* Takes one, within `patience`; false: there was none. A signal that comes meanwhile changes nothing. */
static inline bool semaphore_take(sem_t *semaphore, nsec patience)
{
    nsec deadline = nsec_add(clock_monotonic(), patience);
    struct timespec until = {deadline / NSEC_SEC, deadline % NSEC_SEC};
    int status;
    while ((status = sem_clockwait(semaphore, CLOCK_MONOTONIC, &until)) < 0 && errno == EINTR)
        ;
    return status == 0;
}

#endif
