/* connect_calls.c: connect() and accept(), which take no flag that would keep them from waiting. */
#include <errno.h>
#include <fcntl.h>

#include "libc/patience.h"
#include "libc/real.h"

/* ---- connect ---- */

/* The description is non-blocking for the time of the call alone, during which no other green thread runs. */
static int connect_at_once(int fd, int flags, const struct sockaddr *to, socklen_t size)
{
    if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -1;
    int result = real_connect(fd, to, size), error = errno;
    fcntl(fd, F_SETFL, flags);
    errno = error;
    return result;
}

/* A connection that is on its way is asked about by connecting again, which tells its outcome once. One of the Unix
 * domain has not even begun while its listener's queue is full; no event tells when it is not. */
static int connect_patiently(int fd, int flags, const struct sockaddr *to, socklen_t size)
{
    struct patience patience = {.fd = fd, .events = POLLOUT};
    for (bool begun = false;;) {
        int result = connect_at_once(fd, flags, to, size), error = errno;
        if (result == 0 || (begun && error == EISCONN))
            return 0;
        bool on_its_way = error == EINPROGRESS || error == EALREADY;
        if (!on_its_way && (error != EAGAIN || to->sa_family != AF_UNIX))
            return -1;
        if (on_its_way ? patience_wait(&patience) : patience_pause(&patience)) {
            begun = on_its_way;
            continue;
        }
        if (on_its_way && errno == EAGAIN)
            errno = EINPROGRESS; /* SO_SNDTIMEO has passed */
        return -1;
    }
}

int connect(int fd, const struct sockaddr *to, socklen_t size)
{
    if (!green_here())
        return real_connect(fd, to, size);
    int before = errno, flags = fcntl(fd, F_GETFL), result;
    if (flags < 0)
        return -1;
    if (flags & O_NONBLOCK)
        result = real_connect(fd, to, size);
    else
        result = connect_patiently(fd, flags, to, size);
    if (result == 0)
        errno = before;
    return result;
}

/* ---- accept ---- */

static bool listens(int fd)
{
    int yes = 0;
    socklen_t size = sizeof yes;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &size) == 0 && yes;
}

/* Waits for a connection, and is back right before libc's call takes it. False: errno says why there is none. What does
 * not listen is left to libc's call, too. */
static bool await_connection(int fd)
{
    int before = errno;
    struct patience patience = {.fd = fd, .events = POLLIN};
    if (listens(fd) && !patience_until_ready(&patience))
        return false;
    errno = before;
    return true;
}

int accept(int fd, struct sockaddr *from, socklen_t *size)
{
    return green_here() && !await_connection(fd) ? -1 : real_accept(fd, from, size);
}

int accept4(int fd, struct sockaddr *from, socklen_t *size, int flags)
{
    return green_here() && !await_connection(fd) ? -1 : real_accept4(fd, from, size, flags);
}
