/* offload.h: the blocking pool: OS threads for calls that block.
 *
 *     struct cold_read job = {...};
 *     int error = green_offload(read_cold_file, &job, deadline);
 *
 * The green thread waits while fn(arg) runs on a thread of the pool; the loop and all other green threads go on. The
 * job lies on the waiter's stack, which can't go away meanwhile. fn must touch nothing but its argument and what
 * libc says is safe for threads; it must not call anything of the green layer.
 */
#ifndef TERN_GREEN_OFFLOAD_H
#define TERN_GREEN_OFFLOAD_H

#include "green/green.h"

/* Runs fn(arg) on the pool. 0: it has run. -EAGAIN: the queue is full. -ETIMEDOUT, -ECANCELED: it has NOT run: these
 * end only the wait for a thread of the pool; a job that has started is always waited for. */
int green_offload(void (*fn)(void *arg), void *arg, nsec deadline) GREEN_WAITS;

/* The threads that the pool may have. */
size_t green_offload_threads(void);

#endif
