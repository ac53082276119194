/* lookup.c: see lookup.h.
 *
 * libc reads files and asks servers in its own way, and has to be given an OS thread for that. Lookups that hang must
 * not take the whole pool: a few may have a thread of it (green/pool_share.h), and the others wait for a turn.
 * One that has begun is waited for even by a thread that is cancelled, since libc can't give up.
 */
#include "libc/lookup.h"

#include <errno.h>

#include "green/pool_share.h"

#define PAUSE (10 * NSEC_MS) /* while the queue of the pool is full */
#define PATIENCE (10 * NSEC_SEC)

static void run(void *arg)
{
    struct lookup *lookup = arg;
    errno = 0;
    lookup->run(lookup);
    lookup->error = errno;
}

static int run_in_turn(struct lookup *lookup)
{
    nsec end = nsec_add(clock_monotonic(), PATIENCE);
    int error;
    while ((error = green_offload(run, lookup, NSEC_NEVER)) == -EAGAIN && clock_monotonic() < end)
        if ((error = green_sleep(PAUSE)) < 0)
            break;
    return error;
}

int lookup_run(struct lookup *lookup, bool at_once)
{
    if (at_once) {
        run(lookup);
        return 0;
    }
    int error = green_cancelled() ? -ECANCELED : green_sem_wait(pool_turns_of_names(), NSEC_NEVER);
    if (error == -ECANCELED)
        green_give_way();
    if (error)
        return error;
    error = run_in_turn(lookup);
    green_sem_post(pool_turns_of_names());
    return error;
}
