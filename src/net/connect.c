/* connect.c: see connect.h.
 *
 * Each attempt at one of several addresses is a thread in a scope: leaving it ends those that are not needed any more.
 */
#include "net/connect.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "green/scope.h"
#include "green/sync.h"
#include "net/resolve.h"

#define HEAD_START (250 * NSEC_MS) /* of one address before the next (RFC 8305, 5 and 8) */
#define FULL_AGAIN (10 * NSEC_MS)  /* when a unix socket's queue of connections is looked at again */

/* ---- places ---- */

/* The host in front of a port, or by itself; brackets are for IPv6. *rest: what follows. Empty: there is none. */
static struct str cut_host(struct str text, struct str *rest)
{
    struct addr ignored;
    bool bracketed = str_starts(text, STR("["));
    size_t n = str_find(text, bracketed ? ']' : ':');
    struct str host = bracketed ? (struct str){text.p + 1, n - 1} : (struct str){text.p, n};
    *rest = str_skip(text, n + bracketed);
    bool good = !bracketed || (n < text.n && str_find(host, ':') < host.n && addr_from_ip(host, 0, &ignored) == 0);
    return good ? host : STR("");
}

int place_parse(struct str text, uint16_t port, struct place *place)
{
    struct addr ignored;
    struct str rest;
    *place = (struct place){.host = text};
    if (str_starts(text, STR("unix:")))
        return addr_parse(text, &ignored);
    place->port = port;
    place->host = cut_host(text, &rest);
    if (place->host.n == 0)
        return -EINVAL;
    if (rest.n == 0)
        return port ? 0 : -EINVAL;
    return str_starts(rest, STR(":")) ? port_parse(str_skip(rest, 1), &place->port) : -EINVAL;
}

/* ---- one address ---- */

/* What has become of a connection that was begun. */
static int await_connected(int fd, nsec deadline)
{
    struct green_fd watched;
    green_fd_init(&watched, fd);
    int error = green_fd_writable(&watched, deadline), result = 0;
    socklen_t size = sizeof result;
    green_fd_release(&watched);
    if (error)
        return error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &result, &size) < 0 ? -errno : -result;
}

/* A unix socket whose queue is full refuses for now, and no event tells when it no longer does. */
static int reach(int fd, const struct addr *addr, nsec deadline)
{
    while (connect(fd, &addr->any, addr->size) < 0) {
        if (errno == EINPROGRESS || errno == EINTR)
            return await_connected(fd, deadline);
        if (errno != EAGAIN || !addr_is_unix(addr))
            return -errno;
        if (green_now() >= deadline)
            return -ETIMEDOUT;
        int error = green_sleep(FULL_AGAIN);
        if (error)
            return error;
    }
    return 0;
}

/* A descriptor, or -errno. */
static int dial(const struct addr *addr, nsec deadline)
{
    static const int on = 1;
    int fd = socket(addr->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int error = 0;
    if (!addr_is_unix(addr) && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0)
        error = -errno;
    if (!error)
        error = reach(fd, addr, deadline);
    if (!error)
        return fd;
    close(fd);
    return error;
}

int connect_addr(struct stream *s, const struct addr *addr, nsec deadline)
{
    int fd = dial(addr, deadline);
    if (fd < 0)
        return fd;
    stream_init(s, &stream_plain, fd);
    return 0;
}

/* ---- several ---- */

struct race {
    const struct resolved *to;
    nsec deadline;
    size_t begun, failed; /* attempts */
    int error;            /* of the one that failed last */
    int fd;               /* of the one that was first; -1: none yet */
    struct green_cond changed;
};

static int attempt(void *arg)
{
    struct race *race = arg;
    int fd = dial(&race->to->addrs[race->begun++], race->deadline);
    if (fd >= 0 && race->fd >= 0) {
        close(fd); /* it comes second */
    } else if (fd >= 0) {
        race->fd = fd;
    } else {
        race->error = fd;
        race->failed++;
    }
    green_cond_signal(&race->changed);
    return 0;
}

/* Waits until one has got through, or all so far have failed. */
static int await_news(struct race *race, size_t so_far, nsec until)
{
    while (race->fd < 0 && race->failed < so_far) {
        int error = green_cond_wait(&race->changed, NULL, until);
        if (error)
            return error;
    }
    return 0;
}

/* One address after the other. Who can have no thread for it tries it itself. */
static int run_race(struct race *race, struct green_scope *scope)
{
    int error = 0;
    for (size_t i = 0; i < race->to->count && race->fd < 0 && !error; i++) {
        bool last = i + 1 == race->to->count;
        nsec until = nsec_add(green_now(), HEAD_START);
        if (last || until > race->deadline)
            until = race->deadline;
        if (green_scope_go(scope, "connect", attempt, race) < 0)
            attempt(race);
        error = await_news(race, i + 1, until);
        if (error == -ETIMEDOUT && until < race->deadline)
            error = 0;
    }
    return error;
}

static int dial_any(const struct resolved *to, nsec deadline)
{
    struct race race = {.to = to, .deadline = deadline, .fd = -1};
    struct green_scope scope;
    green_cond_init(&race.changed);
    green_scope_enter(&scope);
    int error = run_race(&race, &scope);
    green_scope_leave(&scope);
    return race.fd >= 0 ? race.fd : error ? error : race.error;
}

int connect_place(struct stream *s, const struct place *place, nsec deadline, const char **why)
{
    struct resolved to;
    int error = resolve(place->host, place->port, &to, deadline, why);
    if (error)
        return error;
    int fd = to.count == 1 ? dial(&to.addrs[0], deadline) : dial_any(&to, deadline);
    if (fd < 0) {
        *why = strerrordesc_np(-fd);
        return fd;
    }
    stream_init(s, &stream_plain, fd);
    return 0;
}
