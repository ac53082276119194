/* sockets.c: see sockets.h. */
#include "proc/sockets.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log/log.h"
#include "net/listener.h"

/* SO_REUSEPORT lets several servers of one user share an address by accident. A probe without it tells: somebody
 * else has the port. */
static int probe(const struct addr *addr)
{
    if (addr_is_unix(addr))
        return 0;
    static const int on = 1;
    int fd = socket(addr->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int error = 0;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        (addr->any.sa_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0) ||
        bind(fd, &addr->any, addr->size) < 0)
        error = -errno;
    close(fd);
    return error;
}

static void close_some(struct sockets *sockets, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (i < sockets->count || !addr_is_unix(&sockets->config->listen[i % sockets->count].addr))
            listener_close(sockets->fds[i], &sockets->config->listen[i % sockets->count].addr);
}

static int say(const struct listen *listen, int result)
{
    if (result < 0)
        log_error("cannot listen on " STR_FMT ": %s", STR_ARG(listen->text), strerror(-result));
    return result;
}

/* All before the first is opened: our own sockets must not stand in each other's way. */
static int probe_all(const struct config *config)
{
    int error = 0;
    for (size_t i = 0; i < config->listen_count && !error; i++)
        error = say(&config->listen[i], probe(&config->listen[i].addr));
    return error;
}

static int open_one(struct sockets *sockets, size_t i)
{
    const struct listen *listen = &sockets->config->listen[i % sockets->count];
    if (i >= sockets->count && addr_is_unix(&listen->addr))
        return sockets->fds[i % sockets->count];
    return say(listen, listener_open(&listen->addr, (int)listen->backlog));
}

int sockets_open(struct sockets *sockets, const struct config *config, size_t workers)
{
    *sockets = (struct sockets){config, workers, config->listen_count, NULL};
    int error = probe_all(config);
    if (error)
        return error;
    sockets->fds = calloc(workers * sockets->count, sizeof *sockets->fds);
    if (!sockets->fds)
        return -ENOMEM;
    for (size_t i = 0; i < workers * sockets->count; i++) {
        int fd = open_one(sockets, i);
        if (fd < 0) {
            close_some(sockets, i);
            free(sockets->fds);
            return fd;
        }
        sockets->fds[i] = fd;
    }
    return 0;
}

void sockets_keep_only(struct sockets *sockets, size_t worker)
{
    for (size_t i = 0; i < sockets->workers * sockets->count; i++) {
        bool shared = addr_is_unix(&sockets->config->listen[i % sockets->count].addr);
        if (i / sockets->count != worker && !shared)
            close(sockets->fds[i]);
    }
}

void sockets_close(struct sockets *sockets)
{
    close_some(sockets, sockets->workers * sockets->count);
    free(sockets->fds);
}
