/* poll.h: waiting for descriptors that this layer does not own, such as those of a library.
 *
 * Nothing has to be said beforehand, and nothing is remembered between two waits: whoever owns a descriptor may close
 * it, and its number may be another one's at the next wait. Any number of threads may wait for the same descriptor.
 * A thread that still waits for one when it is closed is not told, as with poll(2).
 */
#ifndef TERN_GREEN_POLL_H
#define TERN_GREEN_POLL_H

#include <poll.h>

#include "green/green.h"

/* Waits until it is worth looking at one of these descriptors again: as far as can be told here, one of its `events`
 * has come, of any kind that poll(2) knows, or an error or a hang-up, or it can't be waited for, such as a regular
 * file, or a number that is not open. Negative numbers are passed over; `revents` is left alone.
 *
 * 0, -ETIMEDOUT or -ECANCELED; -ENOMEM, -ENOSPC, -EMFILE or another error of epoll_ctl(2): the kernel can't watch it.
 * */
int green_poll(const struct pollfd *fds, size_t count, nsec deadline) GREEN_WAITS;

#endif
