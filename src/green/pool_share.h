/* pool_share.h: how much of the blocking pool a kind of work may have that is long and can wait. */
#ifndef TERN_GREEN_POOL_SHARE_H
#define TERN_GREEN_POOL_SHARE_H

#include "green/offload.h"
#include "green/sync.h"

/* Two threads, if that leaves one to those who wait for the disk. */
static inline size_t pool_share(void)
{
    return green_offload_threads() > 2 ? 2 : 1;
}

/* The turns of such a work; they are made when they are first asked for. */
static inline struct green_sem *pool_turns(struct green_sem *turns)
{
    if (!turns->waiting.next)
        green_sem_init(turns, pool_share());
    return turns;
}

/* The turns of looking up names: of all who do, whether for the server or by way of libc. */
struct green_sem *pool_turns_of_names(void);

#endif
