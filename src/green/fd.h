/* fd.h: waiting for descriptors.
 *
 * A green_fd belongs to whoever opened the descriptor and lives as long as it. It holds the one watcher that the
 * descriptor ever has, so that waiting costs a system call only when it must:
 *   - READ is armed by the first wait and stays armed: waiting again costs nothing;
 *   - an event that nobody awaits is not watched for any longer, and is remembered in `readable` (lazy disarm);
 *   - WRITE is armed when a send would block, and dropped as soon as nobody waits for it.
 *
 * A parked descriptor has no thread: a connection between two requests, say. When it turns readable, its callback is
 * called on the loop's stack; it may start a thread, and must not wait.
 *
 * At most one thread waits for each direction; one that owns both may wait for either in one wait, which others may
 * interrupt.
 */
#ifndef TERN_GREEN_FD_H
#define TERN_GREEN_FD_H

#include "green/green.h"

struct green_fd {
    union {
        void *align;
        char bytes[48];
    } watcher; /* libev's ev_io: nobody outside this layer sees libev */
    struct green *reader, *writer;
    void (*on_readable)(struct green_fd *fd); /* while parked */
    int fd;
    bool readable; /* an event came that nobody awaited */
    bool client;   /* it is the connection of a client: waits for it are on the client's account */
};

/* Takes over a non-blocking descriptor. */
void green_fd_init(struct green_fd *fd, int number);

/* Waits until a read, or a write, is worth trying. 0, -ETIMEDOUT, -ECANCELED, -EBADF: closed meanwhile, or -ENOMEM: the
 * kernel has no room to watch it. */
int green_fd_readable(struct green_fd *fd, nsec deadline) GREEN_WAITS;
int green_fd_writable(struct green_fd *fd, nsec deadline) GREEN_WAITS;

enum { GREEN_READABLE = 1, GREEN_WRITABLE = 2 };

/* Waits for whichever of these directions is ready first, which may be none: then for an interrupt alone. Returns the
 * ones that are; -EINTR: green_fd_interrupt() was called; otherwise as above. Nobody else may wait when it begins; who
 * waits to write from then on takes that direction over. */
int green_fd_ready(struct green_fd *fd, int directions, nsec deadline) GREEN_WAITS;

/* Ends the wait of the thread in green_fd_ready(), if one is. What it is to find there, it looks for before it waits:
 * an interrupt that finds nobody is not remembered. */
void green_fd_interrupt(struct green_fd *fd);

/* Parks a socket: on_readable(fd) is called once, as soon as it is readable. */
void green_fd_park(struct green_fd *fd, void (*on_readable)(struct green_fd *fd));

/* Parks it no longer: nobody is called. */
static inline void green_fd_unpark(struct green_fd *fd)
{
    fd->on_readable = NULL;
}

/* Stops watching; the descriptor goes back to the caller. */
void green_fd_release(struct green_fd *fd);

/* Stops watching, then closes: in this order, since the number may be another descriptor's right afterwards. The
 * green_fd itself must stay until those who waited for it have run. */
void green_fd_close(struct green_fd *fd);

#endif
