/* patience.c: see patience.h. */
#include "libc/patience.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "green/poll.h"
#include "libc/real.h"
#include "libc/timeout.h"

/* Some descriptors call themselves ready when they are not, such as a datagram socket of the Unix domain whose receiver
 * has no room. So after a few waits in vain the next ones are preceded by pauses: of a millisecond, and up to 2 to the
 * power of DOUBLINGS of them. */
enum { VAIN_FREELY = 2, DOUBLINGS = 5 };

/* When a wait for this descriptor has to end; what is no socket has no timeout. */
static nsec deadline_of(const struct patience *patience)
{
    struct timeval timeout = {0};
    socklen_t size = sizeof timeout;
    int option = patience->events & POLLIN ? SO_RCVTIMEO : SO_SNDTIMEO;
    if (getsockopt(patience->fd, SOL_SOCKET, option, &timeout, &size) < 0 || timeval_nsec(&timeout) == 0)
        return NSEC_NEVER;
    return deadline_after(timeval_nsec(&timeout));
}

static bool may_wait(struct patience *patience)
{
    if (patience->over) {
        errno = EAGAIN;
        return false;
    }
    if (patience->deadline)
        return true;
    int flags = fcntl(patience->fd, F_GETFL);
    if (flags < 0)
        return false;
    if (flags & O_NONBLOCK) {
        errno = EAGAIN;
        return false;
    }
    patience->deadline = deadline_of(patience);
    return true;
}

/* After a wait. What came in the last moment counts: the deadline still allows one attempt. */
static bool may_try(struct patience *patience, int result)
{
    patience->over = result == -ETIMEDOUT;
    if (result == 0 || patience->over)
        return true;
    if (result == -ECANCELED)
        green_give_way();
    errno = -result;
    return false;
}

static int rest(const struct patience *patience, unsigned doublings)
{
    nsec left = patience->deadline - clock_monotonic();
    nsec pause = NSEC_MS << (doublings < DOUBLINGS ? doublings : DOUBLINGS);
    return left <= 0 ? -ETIMEDOUT : green_sleep(pause < left ? pause : left);
}

bool patience_pause(struct patience *patience)
{
    return may_wait(patience) && may_try(patience, rest(patience, patience->vain++));
}

bool patience_wait(struct patience *patience)
{
    if (!may_wait(patience))
        return false;
    int result = patience->vain < VAIN_FREELY ? 0 : rest(patience, patience->vain - VAIN_FREELY);
    patience->vain++;
    if (result == 0)
        result = green_poll(&(struct pollfd){.fd = patience->fd, .events = patience->events}, 1, patience->deadline);
    return may_try(patience, result);
}

bool patience_until_ready(struct patience *patience)
{
    struct pollfd fd = {.fd = patience->fd, .events = patience->events};
    while (real_poll(&fd, 1, 0) == 0)
        if (!patience_wait(patience))
            return false;
    return true;
}
