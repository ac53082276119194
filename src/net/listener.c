/* listener.c: see listener.h. Options are set on the listening socket: Linux hands TCP_NODELAY on to what it accepts,
 * so a connection needs no setsockopt of its own. With TCP_DEFER_ACCEPT it hands connections out when they have said
 * something, a second after they were made at the latest: one that is closed after its first answer then costs accept,
 * recv, send and close, and nothing more (measured: a quarter less than with the poll in between). */
#include "net/listener.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether a unix socket's file is left over from a server that is gone. */
static bool is_stale(const struct addr *addr)
{
    struct stat st;
    if (addr->un.sun_path[0] == '\0' || lstat(addr->un.sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    bool refused = connect(fd, &addr->any, addr->size) < 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

/* Of what is accepted from it. */
static int set_manners(int fd)
{
    static const int on = 1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &on, sizeof on) < 0)
        return -errno;
    return 0;
}

static int set_options(int fd, const struct addr *addr)
{
    static const int on = 1;
    if (addr_is_unix(addr))
        return 0;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0)
        return -errno;
    int error = set_manners(fd);
    if (error)
        return error;
    /* [::]:80 beside 0.0.0.0:80 is two listeners, as it is written. */
    if (addr->any.sa_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0)
        return -errno;
    return 0;
}

int listener_open(const struct addr *addr, int backlog)
{
    int fd = socket(addr->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    int error = set_options(fd, addr);
    if (error)
        goto fail;
    if (addr_is_unix(addr) && is_stale(addr))
        unlink(addr->un.sun_path);
    /* Who may reach a unix socket is up to the folder it is in, as for a port it is up to a packet filter. */
    mode_t mask = umask(0111);
    error = bind(fd, &addr->any, addr->size) < 0 ? -errno : 0;
    umask(mask);
    if (!error && backlog && listen(fd, backlog) < 0)
        error = -errno;
    if (error)
        goto fail;
    return fd;
fail:
    close(fd);
    return error;
}

int listener_prepare(const struct addr *addr, int fd)
{
    return addr_is_unix(addr) ? 0 : set_manners(fd);
}

int listener_accept(int fd, struct peer *peer)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    int connection = accept4(fd, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (connection < 0)
        return -errno;
    peer_from(peer, (struct sockaddr *)&address);
    return connection;
}

void listener_remove(const struct addr *addr)
{
    if (addr_is_unix(addr) && addr->un.sun_path[0] != '\0')
        unlink(addr->un.sun_path);
}
