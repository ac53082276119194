/* select_calls.c: select(), which is poll() of what is in its sets. */
#include <errno.h>
#include <stdlib.h>

#include "green/green.h"
#include "libc/look.h"
#include "libc/real.h"
#include "libc/timeout.h"

enum {
    FEW = 32, /* descriptors that are kept on the stack */
    KINDS = 3,
};

/* The sets, and which events of poll() put a descriptor into each: as the kernel has it. */
struct sets {
    fd_set *of[KINDS];
};

static const struct {
    short asked, told;
} kinds[KINDS] = {
    {POLLIN, POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR},
    {POLLOUT, POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR},
    {POLLPRI, POLLPRI},
};

/* By hand, since FD_ISSET() ends at FD_SETSIZE, and libc's select() does not. */
static fd_mask *word_of(fd_set *set, int fd)
{
    fd_mask *words = set->fds_bits;
    return words + fd / NFDBITS;
}

static fd_mask bit_of(int fd)
{
    return (fd_mask)(1UL << (fd % NFDBITS));
}

static short asked_of(const struct sets *sets, int fd)
{
    short events = 0;
    for (int kind = 0; kind < KINDS; kind++)
        if (sets->of[kind] && *word_of(sets->of[kind], fd) & bit_of(fd))
            events |= kinds[kind].asked;
    return events;
}

/* Stores what is asked for; returns how many descriptors that are. `fds` may be NULL. */
static nfds_t list_asked(const struct sets *sets, int end, struct pollfd *fds)
{
    nfds_t count = 0;
    for (int fd = 0; fd < end; fd++) {
        short events = asked_of(sets, fd);
        if (events && fds)
            fds[count] = (struct pollfd){.fd = fd, .events = events};
        count += events != 0;
    }
    return count;
}

static bool is_ready(const struct pollfd *fd, int kind)
{
    return fd->events & kinds[kind].asked && fd->revents & kinds[kind].told;
}

static int count_ready(const struct pollfd *fd)
{
    int count = 0;
    for (int kind = 0; kind < KINDS; kind++)
        count += is_ready(fd, kind);
    return count;
}

/* A hang-up is nothing to who asks for room or urgent data only, and ends neither its wait nor that of the others: the
 * descriptor is passed over from then on, as the complement of its number. */
static int look_by_select(struct watch *watch)
{
    int found = real_ppoll(watch->fds, watch->count, &(struct timespec){0}, watch->mask), ready = 0;
    for (nfds_t i = 0; found > 0 && i < watch->count; i++) {
        struct pollfd *fd = &watch->fds[i];
        if (fd->revents & POLLNVAL) {
            errno = EBADF;
            return -1;
        }
        int count = count_ready(fd);
        if (fd->revents && !count)
            fd->fd = ~fd->fd;
        ready += count;
    }
    return found < 0 ? -1 : ready;
}

/* Takes out of the sets what is not ready. */
static void answer(const struct sets *sets, const struct watch *watch)
{
    for (nfds_t i = 0; i < watch->count; i++) {
        const struct pollfd *asked = &watch->fds[i];
        int fd = asked->fd < 0 ? ~asked->fd : asked->fd;
        for (int kind = 0; kind < KINDS; kind++)
            if (sets->of[kind] && !is_ready(asked, kind))
                *word_of(sets->of[kind], fd) &= ~bit_of(fd);
    }
}

static int select_until(int end, const struct sets *sets, nsec deadline, const sigset_t *mask)
{
    struct pollfd few[FEW], *fds = few;
    nfds_t count = list_asked(sets, end, NULL);
    if (count > FEW && !(fds = calloc(count, sizeof *fds))) {
        errno = ENOMEM;
        return -1;
    }
    struct watch watch = {.fds = fds, .count = list_asked(sets, end, fds), .mask = mask};
    int ready = look_until(deadline, look_by_select, &watch);
    if (ready >= 0)
        answer(sets, &watch);
    if (fds != few)
        free(fds);
    return ready;
}

/* As the kernel does on Linux, it stores in the timeout what is left of it. */
int select(int end, fd_set *in, fd_set *out, fd_set *urgent, struct timeval *timeout)
{
    if (!green_here() || end < 0 || (timeout && (timeout->tv_sec < 0 || timeout->tv_usec < 0)))
        return real_select(end, in, out, urgent, timeout);
    nsec deadline = timeout ? deadline_after(timeval_nsec(timeout)) : NSEC_NEVER;
    int ready = select_until(end, &(struct sets){{in, out, urgent}}, deadline, NULL);
    if (timeout) {
        nsec left = deadline - clock_monotonic();
        *timeout = timeval_of(left > 0 ? left : 0);
    }
    return ready;
}

int pselect(int end, fd_set *in, fd_set *out, fd_set *urgent, const struct timespec *timeout, const sigset_t *mask)
{
    if (!green_here() || end < 0 || (timeout && !timespec_fits(timeout)))
        return real_pselect(end, in, out, urgent, timeout, mask);
    return select_until(end, &(struct sets){{in, out, urgent}}, deadline_of_timespec(timeout), mask);
}
