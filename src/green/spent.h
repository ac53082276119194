/* spent.h: where the time of a green thread goes.
 *
 * Accounts are kept when green_run() is told to (green_options.accounts): then every switch reads the clock. Otherwise
 * a switch costs a branch more, and all of this is zero.
 *
 * What is in none of them is time in which the thread was ready and others ran, or waited for something else: another
 * thread, or the clock.
 */
#ifndef TERN_GREEN_SPENT_H
#define TERN_GREEN_SPENT_H

#include "green/green.h"

struct green_spent {
    nsec at;         /* when this was so */
    nsec running;    /* system calls included */
    nsec pool;       /* in green_offload(): waiting for a thread of the pool, and for the job */
    nsec descriptor; /* waiting for a descriptor, or for who is behind one */
};

/* Whether accounts are kept. */
extern bool green_accounts;

/* What the running thread has spent in its life. Lives are long: who wants to know about a part of it, subtracts. */
struct green_spent green_spent(void) __attribute__((cold));

#endif
