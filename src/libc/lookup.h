/* lookup.h: turns on the pool for calls of libc that look names up. */
#ifndef TERN_LIBC_LOOKUP_H
#define TERN_LIBC_LOOKUP_H

#include <stdbool.h>

#include "green/green.h"

/* A call: the first member of a structure with its arguments, which `run` makes with its result stored in that. */
struct lookup {
    void (*run)(struct lookup *lookup);
    int error; /* errno after it */
};

/* Makes the call on a thread of the pool, or here, if it has nothing to look up (`at_once`). 0: it has been made;
 * -ECANCELED, -EAGAIN: the pool had no room for long, or another error: it has not. */
int lookup_run(struct lookup *lookup, bool at_once) GREEN_WAITS;

#endif
