/* fd.c: see fd.h. Rules of libev 4.33 on epoll that shape it: starting and stopping a watcher makes no system call
 * before the next poll; ev_io_set() forces one epoll_ctl each time, so it is called once for each descriptor;
 * ev_io_modify() changes the direction. */
#include "green/fd.h"

#include <errno.h>
#include <ev.h>
#include <sys/socket.h>
#include <unistd.h>

#include "green/core.h"

_Static_assert((int)GREEN_READABLE == (int)EV_READ && (int)GREEN_WRITABLE == (int)EV_WRITE, "directions are libev's");
_Static_assert(sizeof(ev_io) <= sizeof((struct green_fd *)0)->watcher, "struct green_fd has room for an ev_io");

static ev_io *io_of(struct green_fd *fd)
{
    return (ev_io *)(void *)fd->watcher.bytes;
}

static int watched(struct green_fd *fd)
{
    return ev_is_active(io_of(fd)) ? io_of(fd)->events & (EV_READ | EV_WRITE) : 0;
}

/* Watches for these events and no others. */
static void watch(struct green_fd *fd, int events)
{
    if (watched(fd) == events)
        return;
    ev_io_stop(green_loop(), io_of(fd));
    if (events == 0)
        return;
    ev_io_modify(io_of(fd), events);
    ev_io_start(green_loop(), io_of(fd));
}

static void on_read_event(struct green_fd *fd, int result)
{
    if (fd->reader) {
        green_wake(fd->reader, result);
    } else if (fd->on_readable) {
        void (*on_readable)(struct green_fd *) = fd->on_readable;
        fd->on_readable = NULL;
        on_readable(fd);
    } else {
        fd->readable = true;
        watch(fd, watched(fd) & ~EV_READ);
    }
}

/* epoll had no memory for it, and libev has stopped the watcher: the next start is to be a real try again. A parked
 * descriptor has nobody to tell; its next read finds an end, instead of coming back here for ever. */
static void on_refused(struct green_fd *fd)
{
    ev_io_set(io_of(fd), fd->fd, EV_READ);
    if (fd->on_readable)
        shutdown(fd->fd, SHUT_RDWR);
}

static void on_event(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop;
    struct green_fd *fd = container_of(io, struct green_fd, watcher);
    int result = events & EV_ERROR ? -ENOMEM : events & (EV_READ | EV_WRITE);
    if (result < 0)
        on_refused(fd);
    if (fd->writer && fd->reader == fd->writer) {
        green_wake(fd->reader, result);
        return;
    }
    if (events & EV_WRITE) {
        if (fd->writer)
            green_wake(fd->writer, result);
        else
            watch(fd, watched(fd) & ~EV_WRITE);
    }
    if (events & EV_READ)
        on_read_event(fd, result); /* last: it may end fd */
}

void green_fd_init(struct green_fd *fd, int number)
{
    *fd = (struct green_fd){.fd = number};
    ev_io_init(io_of(fd), on_event, number, EV_READ);
}

static int suspend(const struct green_fd *fd, nsec deadline)
{
    return green_suspend_on(fd->client ? GREEN_WAIT_CLIENT : GREEN_WAIT_DESCRIPTOR, fd->fd, deadline);
}

/* Waits as the one who reads, or writes. */
static int await(const struct green_fd *fd, struct green **slot, nsec deadline)
{
    *slot = green_self();
    int result = suspend(fd, deadline);
    *slot = NULL;
    return result < 0 ? result : 0;
}

int green_fd_readable(struct green_fd *fd, nsec deadline)
{
    if (fd->fd < 0)
        return -EBADF;
    if (fd->readable) {
        fd->readable = false;
        return 0;
    }
    watch(fd, watched(fd) | EV_READ);
    return await(fd, &fd->reader, deadline);
}

int green_fd_writable(struct green_fd *fd, nsec deadline)
{
    if (fd->fd < 0)
        return -EBADF;
    watch(fd, watched(fd) | EV_WRITE);
    return await(fd, &fd->writer, deadline);
}

int green_fd_ready(struct green_fd *fd, int directions, nsec deadline)
{
    if (fd->fd < 0)
        return -EBADF;
    if (fd->readable && directions & GREEN_READABLE) {
        fd->readable = false;
        return GREEN_READABLE;
    }
    watch(fd, directions); /* nothing else: an end that nobody reads would be an event for ever */
    struct green *self = fd->reader = fd->writer = green_self();
    int result = suspend(fd, deadline);
    fd->reader = NULL;
    if (fd->writer == self)
        fd->writer = NULL;
    return result;
}

void green_fd_interrupt(struct green_fd *fd)
{
    if (fd->reader && fd->reader == fd->writer)
        green_wake(fd->reader, -EINTR);
}

void green_fd_park(struct green_fd *fd, void (*on_readable)(struct green_fd *fd))
{
    watch(fd, EV_READ);
    fd->readable = false;
    fd->on_readable = on_readable;
}

void green_fd_release(struct green_fd *fd)
{
    ev_io_stop(green_loop(), io_of(fd));
    if (fd->reader)
        green_wake(fd->reader, -EBADF);
    if (fd->writer)
        green_wake(fd->writer, -EBADF);
}

void green_fd_close(struct green_fd *fd)
{
    green_fd_release(fd);
    close(fd->fd);
    fd->fd = -1;
}
