/* control_socket.c: see control_socket.h. */
#include "proc/control_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BACKLOG = 16 };

static int set_address(struct control_socket *s, struct str path)
{
    s->address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (path.n == 0 || path.n >= sizeof s->address.sun_path)
        return -ENAMETOOLONG;
    memcpy(s->address.sun_path, path.p, path.n);
    return 0;
}

/* Whether there is a socket: 0 or -errno. */
static int look(const struct control_socket *s)
{
    struct stat st;
    if (lstat(s->address.sun_path, &st) < 0)
        return -errno;
    return S_ISSOCK(st.st_mode) ? 0 : -ENOTSOCK;
}

/* 0: nobody listens on the socket that is there. */
static int probe(const struct control_socket *s)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    int error = connect(fd, (const struct sockaddr *)&s->address, sizeof s->address) < 0 ? -errno : 0;
    close(fd);
    /* -EAGAIN: somebody does, and has a full queue. */
    return error == -ECONNREFUSED ? 0 : error == 0 || error == -EAGAIN ? -EADDRINUSE : error;
}

/* Removes a socket that nobody listens on. */
static int make_way(const struct control_socket *s)
{
    int error = look(s);
    if (error)
        return error == -ENOENT ? 0 : error;
    error = probe(s);
    if (!error && unlink(s->address.sun_path) < 0)
        error = -errno;
    return error;
}

/* No mask of ours, but the one that makes the mode right at once. The master has no threads that could mind. */
static int bind_file(const struct control_socket *s)
{
    mode_t before = umask(0117);
    int error = bind(s->fd, (const struct sockaddr *)&s->address, sizeof s->address) < 0 ? -errno : 0;
    umask(before);
    return error;
}

int control_socket_open(struct control_socket *s, struct str path, gid_t group)
{
    int error = set_address(s, path);
    if (!error)
        error = make_way(s);
    if (error)
        return error;
    s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->fd < 0)
        return -errno;
    error = bind_file(s);
    if (error)
        goto close_socket;
    if (lchown(s->address.sun_path, (uid_t)-1, group) < 0 || listen(s->fd, BACKLOG) < 0) {
        error = -errno;
        unlink(s->address.sun_path);
        goto close_socket;
    }
    return 0;
close_socket:
    close(s->fd);
    s->fd = -1;
    return error;
}

static bool is_listening(int fd)
{
    int on = 0;
    socklen_t size = sizeof on;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &size) == 0 && on;
}

int control_socket_adopt(struct control_socket *s, struct str path, int fd)
{
    struct sockaddr_un bound = {.sun_family = AF_UNSPEC};
    socklen_t size = sizeof bound;
    int error = set_address(s, path);
    if (!error)
        error = look(s);
    if (error)
        return error;
    if (getsockname(fd, (struct sockaddr *)&bound, &size) < 0)
        return -errno;
    /* The text of the address; the kernel need not fill what lies behind. */
    if (bound.sun_family != AF_UNIX || strncmp(bound.sun_path, s->address.sun_path, sizeof bound.sun_path) != 0 ||
        !is_listening(fd))
        return -ESTALE;
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return -errno;
    s->fd = fd;
    return 0;
}

void control_socket_listen(const struct control_socket *s)
{
    (void)listen(s->fd, BACKLOG); /* it does already: there is nothing to fail */
}

void control_socket_close(struct control_socket *s, bool remove)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    if (remove)
        (void)!make_way(s);
}

/* ---- who may ask ---- */

/* Whether one of the peer's supplementary groups is this one. */
static bool is_member(int fd, gid_t group)
{
    gid_t first;
    socklen_t size = 0; /* the kernel says how much it takes */
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, &first, &size) == 0 || errno != ERANGE)
        return false;
    gid_t *groups = malloc(size);
    if (!groups)
        return false;
    bool member = false;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == 0)
        for (size_t i = 0; i < size / sizeof *groups; i++)
            member |= groups[i] == group;
    free(groups);
    return member;
}

int control_peer_of(struct control_peer *peer, int fd, uid_t user, gid_t group)
{
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
        return -errno;
    uid_t uid = credentials.uid;
    *peer = (struct control_peer){.pid = credentials.pid, .uid = uid};
    peer->permitted = uid == 0 || uid == geteuid() || uid == user || credentials.gid == group || is_member(fd, group);
    return 0;
}
