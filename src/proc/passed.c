/* passed.c: see passed.h. */
#include "proc/passed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log/log.h"

enum { FIRST = 3, MOST = 16384 };

static uint64_t number_of(const char *variable)
{
    uint64_t value;
    return str_to_u64(str_of(getenv(variable)), &value) == 0 ? value : 0;
}

static bool listens(int fd)
{
    int type = 0, accepts = 0;
    socklen_t size = sizeof type;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
        return false;
    size = sizeof accepts;
    return type == SOCK_STREAM && getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &size) == 0 && accepts;
}

/* Where it is bound, if tern can serve it there. */
static int read_socket(struct passed_socket *socket, int fd)
{
    *socket = (struct passed_socket){.fd = fd, .addr.size = sizeof socket->addr.un};
    if (!listens(fd))
        return -EINVAL;
    if (getsockname(fd, &socket->addr.any, &socket->addr.size) < 0)
        return -errno;
    int family = socket->addr.any.sa_family;
    if (family != AF_INET && family != AF_INET6 && family != AF_UNIX)
        return -EAFNOSUPPORT;
    if (socket->addr.size > sizeof socket->addr.un)
        socket->addr.size = sizeof socket->addr.un;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return -errno;
    return 0;
}

static void forget(void)
{
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
}

int passed_read(struct passed *passed, bool inherited)
{
    *passed = (struct passed){0};
    uint64_t count = number_of("LISTEN_PID") == (uint64_t)getpid() ? number_of("LISTEN_FDS") : 0;
    const char *names = getenv("LISTEN_FDNAMES");
    if (count > MOST)
        count = 0;
    passed->names = strdup(names ? names : "");
    passed->sockets = calloc(count + 1, sizeof *passed->sockets);
    forget();
    if (!passed->names || !passed->sockets)
        return -ENOMEM;
    struct str rest = str_of(passed->names);
    for (uint64_t i = 0; i < count; i++) {
        struct passed_socket *socket = &passed->sockets[passed->count];
        struct str name = str_cut(&rest, ':');
        bool ours = inherited && name.n == 0;
        if (name.n == 0 && !ours)
            name = STR("unknown"); /* as sd_listen_fds_with_names(3) */
        int error = read_socket(socket, FIRST + (int)i);
        if (error) {
            log_warn("descriptor %d, which was passed as `" STR_FMT "`, is not a socket that listens for streams",
                     FIRST + (int)i, STR_ARG(name));
            close(FIRST + (int)i);
            continue;
        }
        socket->name = name;
        socket->ours = ours;
        passed->count++;
    }
    return 0;
}

struct passed_socket *passed_find(struct passed *passed, struct str name, const struct addr *addr)
{
    for (size_t i = 0; i < passed->count; i++) {
        struct passed_socket *socket = &passed->sockets[i];
        bool wanted = name.n ? str_eq(name, socket->name) : addr_same(addr, &socket->addr);
        if (socket->fd >= 0 && wanted)
            return socket;
    }
    return NULL;
}

void passed_close(struct passed *passed)
{
    for (size_t i = 0; i < passed->count; i++) {
        const struct passed_socket *socket = &passed->sockets[i];
        char text[160];
        struct out o = out_on(text, sizeof text);
        if (socket->fd < 0)
            continue;
        addr_print(&socket->addr, &o);
        if (!socket->ours)
            log_warn("socket " STR_FMT ", which was passed as `" STR_FMT "`, is wanted by no `listen`: closed",
                     STR_ARG(out_str(&o)), STR_ARG(socket->name));
        close(socket->fd);
    }
    free(passed->sockets);
    free(passed->names);
    *passed = (struct passed){0};
}

/* ---- handing on ---- */

/* The names between colons, in memory of its own. */
static char *join(const struct str *names, size_t count)
{
    size_t size = 1;
    for (size_t i = 0; i < count; i++)
        size += names[i].n + 1;
    char *text = malloc(size);
    if (!text)
        return NULL;
    struct out o = out_on(text, size);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            out_char(&o, ':');
        out_put(&o, names[i]);
    }
    out_char(&o, '\0');
    return text;
}

static int tell(const struct str *names, size_t count)
{
    char pid[24], number[24];
    char *joined = join(names, count);
    if (!joined)
        return -ENOMEM;
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    snprintf(number, sizeof number, "%zu", count);
    int failed = setenv("LISTEN_PID", pid, 1) | setenv("LISTEN_FDS", number, 1) | setenv("LISTEN_FDNAMES", joined, 1);
    free(joined);
    return failed ? -ENOMEM : 0;
}

/* Above the places where they are to go, so that none is overwritten before it has moved. */
static int move_aside(const int *fds, int *aside, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        aside[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, FIRST + (int)count);
        if (aside[i] < 0)
            return -errno;
    }
    return 0;
}

int passed_on(const int *fds, const struct str *names, size_t count)
{
    int *aside = calloc(count + 1, sizeof *aside);
    if (!aside)
        return -ENOMEM;
    int error = move_aside(fds, aside, count);
    for (size_t i = 0; i < count && !error; i++)
        if (dup2(aside[i], FIRST + (int)i) < 0)
            error = -errno;
    free(aside);
    return error ? error : tell(names, count);
}
