/* patience.h: how long a call may wait for its descriptor, and whether it may at all.
 *
 *     struct patience patience = {.fd = fd, .events = POLLIN};
 *     do
 *         n = ... the call, so that it can't wait ...;
 *     while (n < 0 && errno == EAGAIN && patience_wait(&patience));
 *
 * One lasts for one call, however often that waits. The owner of the descriptor is asked nothing before there is
 * something to wait for, and nothing about it is kept or changed while a wait lasts.
 */
#ifndef TERN_LIBC_PATIENCE_H
#define TERN_LIBC_PATIENCE_H

#include <poll.h>

#include "green/green.h"

struct patience {
    int fd;
    short events;  /* POLLIN or POLLOUT */
    unsigned vain; /* waits since the call last got on; set to 0 by a call that goes on */
    /* private: */
    nsec deadline; /* 0: not asked for yet */
    bool over;     /* it has passed */
};

/* After an attempt that would have had to wait: waits. True: try again. False: errno says why not: EAGAIN: its owner
 * has made it non-blocking, or SO_RCVTIMEO or SO_SNDTIMEO has passed; ECANCELED; EBADF; ENOMEM, ENOSPC, EMFILE. */
bool patience_wait(struct patience *patience) GREEN_WAITS;

/* The same for what no event of the descriptor will tell: waits for a moment, longer each time. */
bool patience_pause(struct patience *patience) GREEN_WAITS;

/* Waits until poll(2) finds it ready, or in error. True: it has. False: as above. */
bool patience_until_ready(struct patience *patience) GREEN_WAITS;

#endif
