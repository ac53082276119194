/* listener.h: listening sockets.
 *
 * The master opens one socket for each worker on the same address (SO_REUSEPORT), so that the kernel spreads new
 * connections over them, and keeps all of them open: what waits in the queue of a worker that died is there for the
 * next one. A unix socket can't be multiplied and is shared by all workers.
 */
#ifndef TERN_NET_LISTENER_H
#define TERN_NET_LISTENER_H

#include "net/addr.h"

/* Opens a non-blocking socket, which listens unless `backlog` is 0: then it is bound, and takes no connections until
 * somebody calls listen(). The descriptor, or -errno. A stale unix socket, one that nobody listens on,
 * is removed first; one that is in use is -EADDRINUSE. */
int listener_open(const struct addr *addr, int backlog) __attribute__((warn_unused_result));

/* Accepts one connection, without waiting: its non-blocking descriptor, or -errno as accept4(). */
int listener_accept(int fd, struct peer *peer) __attribute__((warn_unused_result));

/* Sets the options that tern wants on a socket that somebody else has opened. 0 or -errno. */
int listener_prepare(const struct addr *addr, int fd) __attribute__((warn_unused_result));

/* Removes the file of a unix socket that nobody serves any more; of other addresses nothing is left. */
void listener_remove(const struct addr *addr);

#endif
