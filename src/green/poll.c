/* poll.c: see poll.h.
 *
 * libev can't watch what belongs to others: it takes a descriptor that has been closed before its next poll for a
 * mistake, and ends the process. So these are in an epoll set of our own, made by the first wait, and that set is the
 * one descriptor of them all that libev watches.
 *
 * A descriptor is armed for one event (EPOLLONESHOT) each time that it is waited for, and is never taken out: the
 * number may be another one's by then. So a wait costs one system call, two if it is the descriptor's first, and what
 * was closed but lives on in another process can make one event for nothing, and no more. An event names a number,
 * and wakes who waits for that number now: at worst a thread looks in vain, and waits again.
 */
#include "green/poll.h"

#include <errno.h>
#include <ev.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "green/core.h"

enum {
    BUCKETS = 256,
    FEW = 8,    /* descriptors of a wait whose interests lie on the stack */
    BATCH = 64, /* events that are taken at once; the next pass gets the others */
    KINDS = POLLIN | POLLPRI | POLLOUT | POLLRDNORM | POLLRDBAND | POLLWRNORM | POLLWRBAND | POLLRDHUP,
    ALWAYS = POLLERR | POLLHUP, /* come without being asked for */
};

_Static_assert((int)POLLIN == (int)EPOLLIN && (int)POLLPRI == (int)EPOLLPRI && (int)POLLOUT == (int)EPOLLOUT &&
                   (int)POLLERR == (int)EPOLLERR && (int)POLLHUP == (int)EPOLLHUP && (int)POLLRDHUP == (int)EPOLLRDHUP,
               "poll's events are epoll's");

/* What one thread wants of one descriptor, for as long as it waits. */
struct interest {
    struct list link; /* in the bucket of the number */
    struct green *thread;
    int fd;
    uint32_t events;
};

static struct {
    struct list buckets[BUCKETS];
    int fd; /* of epoll; negative: nobody has waited yet */
    ev_io io;
} set;

static struct list *bucket_of(int fd)
{
    return &set.buckets[(unsigned)fd % BUCKETS];
}

static uint32_t wanted(int fd)
{
    uint32_t events = 0;
    list_each (link, next, bucket_of(fd)) {
        const struct interest *interest = container_of(link, struct interest, link);
        if (interest->fd == fd)
            events |= interest->events;
    }
    return events;
}

enum { ARMED = 0, NOT_WATCHED = 1 };

/* Arms a descriptor for all who wait for it. NOT_WATCHED: it is closed, or of a kind that is always ready. */
static int arm(int fd)
{
    struct epoll_event event = {.events = wanted(fd) | EPOLLONESHOT, .data.fd = fd};
    if (epoll_ctl(set.fd, EPOLL_CTL_MOD, fd, &event) == 0)
        return ARMED;
    if (errno == ENOENT && epoll_ctl(set.fd, EPOLL_CTL_ADD, fd, &event) == 0)
        return ARMED;
    return errno == EBADF || errno == EPERM ? NOT_WATCHED : -errno;
}

/* Wakes who waits for any of these events. True: others still wait for that descriptor. */
static bool wake_those(int fd, uint32_t events, int result)
{
    bool others = false;
    list_each (link, next, bucket_of(fd)) {
        struct interest *interest = container_of(link, struct interest, link);
        if (interest->fd != fd)
            continue;
        if (interest->events & events) {
            list_unlink(&interest->link);
            green_wake(interest->thread, result);
        } else {
            others = true;
        }
    }
    return others;
}

static void on_events(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop, (void)io, (void)events;
    struct epoll_event batch[BATCH];
    int count = epoll_wait(set.fd, batch, BATCH, 0);
    for (int i = 0; i < count; i++) {
        int fd = batch[i].data.fd;
        int result = wake_those(fd, batch[i].events, 0) ? arm(fd) : ARMED;
        if (result != ARMED)
            wake_those(fd, ALWAYS, result < 0 ? result : 0);
    }
}

static int open_set(void)
{
    if (set.fd >= 0)
        return 0;
    set.fd = epoll_create1(EPOLL_CLOEXEC);
    if (set.fd < 0)
        return -errno;
    ev_io_init(&set.io, on_events, set.fd, EV_READ);
    ev_io_start(green_loop(), &set.io);
    return 0;
}

/* ARMED: all of them. */
static int add(struct interest *interests, const struct pollfd *fds, size_t count)
{
    int result = ARMED;
    for (size_t i = 0; i < count; i++) {
        interests[i] = (struct interest){
            .thread = green_self(), .fd = fds[i].fd, .events = ((uint32_t)fds[i].events & KINDS) | ALWAYS};
        list_init(&interests[i].link);
        if (fds[i].fd < 0 || result != ARMED)
            continue;
        list_push_back(bucket_of(fds[i].fd), &interests[i].link);
        result = arm(fds[i].fd);
    }
    return result;
}

int green_poll(const struct pollfd *fds, size_t count, nsec deadline)
{
    struct interest few[FEW], *interests = few;
    int result = open_set();
    if (result)
        return result;
    if (count > FEW && !(interests = calloc(count, sizeof *interests)))
        return -ENOMEM;
    result = add(interests, fds, count);
    if (result == ARMED)
        result = green_suspend_on(GREEN_WAIT_DESCRIPTOR, count == 1 ? fds->fd : -1, deadline);
    else if (result == NOT_WATCHED)
        result = 0;
    for (size_t i = 0; i < count; i++)
        list_unlink(&interests[i].link);
    if (interests != few)
        free(interests);
    return result;
}

void green_poll_init(void)
{
    set.fd = -1;
    for (size_t i = 0; i < BUCKETS; i++)
        list_init(&set.buckets[i]);
}

void green_poll_free(void)
{
    if (set.fd < 0)
        return;
    ev_io_stop(green_loop(), &set.io);
    close(set.fd);
}
