/* rights.h: descriptors that go from process to process along with a message (unix(7), SCM_RIGHTS).
 *
 * Sockets are pairs of SOCK_SEQPACKET: a message is whole or not there. Who sends descriptors keeps its own; those that
 * arrive are the receiver's to close.
 */
#ifndef TERN_NET_RIGHTS_H
#define TERN_NET_RIGHTS_H

#include <stddef.h>
#include <sys/types.h>

enum { RIGHTS_MAX = 2 }; /* descriptors with a message */

/* Sends a message with `count` descriptors, without waiting. 0 or -errno; -EAGAIN: the queue is full. */
int rights_send(int socket, const void *bytes, size_t n, const int *fds, size_t count)
    __attribute__((warn_unused_result));

/* Takes the next message, with MSG_DONTWAIT among the flags without waiting. Of its descriptors the first `count` are
 * stored, closed on exec, and -1 where there are fewer; the kernel closes the rest. The bytes of the message, more than
 * `n` if it was longer and has been cut; 0: the other end is gone; or -errno. */
ssize_t rights_receive(int socket, void *bytes, size_t n, int *fds, size_t count, int flags)
    __attribute__((warn_unused_result));

/* Closes those that are not -1, and makes them -1. */
void rights_close(int *fds, size_t count);

#endif
