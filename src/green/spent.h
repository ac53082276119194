/* spent.h: where the time of a green thread goes.
 *
 * Accounts are kept when green_run() is told to (green_options.accounts): then every switch reads the clock. Otherwise
 * a switch costs a branch more, and all of this is zero.
 *
 * What is in none of them is time in which the thread waited for something else: another thread, or the clock.
 */
#ifndef TERN_GREEN_SPENT_H
#define TERN_GREEN_SPENT_H

#include "green/green.h"

struct green_spent {
    nsec at;       /* when this was so */
    nsec running;  /* system calls included */
    nsec queue;    /* ready to run, while others ran */
    nsec pool;     /* in green_offload(): waiting for a thread of the pool, and for the job */
    nsec client;   /* waiting for the connection of the client that is being served */
    nsec upstream; /* waiting for any other descriptor */
};

/* Whether accounts are kept. */
extern bool green_accounts;

/* What the running thread has spent in its life, which began with the task that it runs, if it runs one. Who wants to
 * know about a part of it, subtracts. Reads the clock. A task should ask as its last act, if it asks at all: the next
 * one on its thread then begins at that moment, and the clock need not be read again. */
struct green_spent green_spent(void);

/* The same as of the last time that the clock was read for this: when the thread got its turn, or by green_spent(). */
struct green_spent green_spent_before(void);

/* Since when the running thread, or its task, had been ready before it got the turn that it has. */
nsec green_ready_since(void);

#endif
