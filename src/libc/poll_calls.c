/* poll_calls.c: poll() and epoll_wait(). */
#include "green/green.h"
#include "libc/look.h"
#include "libc/real.h"
#include "libc/timeout.h"

/* ---- poll ---- */

static int look_by_poll(struct watch *watch)
{
    return real_ppoll(watch->fds, watch->count, &(struct timespec){0}, watch->mask);
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
    if (!green_here())
        return real_poll(fds, count, timeout);
    return look_until(deadline_of_msec(timeout), look_by_poll, &(struct watch){.fds = fds, .count = count});
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
    if (!green_here() || (timeout && !timespec_fits(timeout)))
        return real_ppoll(fds, count, timeout, mask);
    struct watch watch = {.fds = fds, .count = count, .mask = mask};
    return look_until(deadline_of_timespec(timeout), look_by_poll, &watch);
}

/* ---- epoll_wait ---- */

static int look_by_epoll(struct watch *watch)
{
    return real_epoll_pwait(watch->fds->fd, watch->events, watch->room, 0, watch->mask);
}

static int wait_by_epoll(int fd, struct epoll_event *events, int room, int timeout, const sigset_t *mask)
{
    struct pollfd set = {.fd = fd, .events = POLLIN};
    struct watch watch = {.fds = &set, .count = 1, .mask = mask, .events = events, .room = room};
    return look_until(deadline_of_msec(timeout), look_by_epoll, &watch);
}

int epoll_wait(int fd, struct epoll_event *events, int room, int timeout)
{
    return green_here() ? wait_by_epoll(fd, events, room, timeout, NULL) : real_epoll_wait(fd, events, room, timeout);
}

int epoll_pwait(int fd, struct epoll_event *events, int room, int timeout, const sigset_t *mask)
{
    return green_here() ? wait_by_epoll(fd, events, room, timeout, mask)
                        : real_epoll_pwait(fd, events, room, timeout, mask);
}
