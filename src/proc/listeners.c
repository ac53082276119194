/* listeners.c: see listeners.h. */
#include "proc/listeners.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/listener.h"

enum { TRIES = 20, PAUSE = 100 * NSEC_MS };

void listeners_init(struct listeners *listeners)
{
    *listeners = (struct listeners){0};
    list_init(&listeners->all);
}

/* ---- opening ---- */

static uint16_t port_of(const struct addr *addr)
{
    return addr->any.sa_family == AF_INET6 ? addr->in6.sin6_port : addr->in.sin_port;
}

static bool has_port(const struct addr *addr, uint16_t port)
{
    return !addr_is_unix(addr) && port_of(addr) == port;
}

/* Whether one of our own sockets has this port, if only on another address. */
static bool port_is_ours(const struct listeners *listeners, const struct addr *addr)
{
    const struct passed *passed = &listeners->passed;
    for (size_t i = 0; i < passed->count; i++)
        if (passed->sockets[i].ours && has_port(&passed->sockets[i].addr, port_of(addr)))
            return true;
    list_each (l, next, &listeners->all)
        if (has_port(&container_of(l, struct listener, link)->addr, port_of(addr)))
            return true;
    return false;
}

/* SO_REUSEPORT lets several servers of one user share an address by accident. Binding without it tells: somebody else
 * has the port. Our own sockets would be in the way of that. */
static int probe(const struct listeners *listeners, const struct addr *addr)
{
    if (addr_is_unix(addr) || port_is_ours(listeners, addr))
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

static int add_socket(struct listener *listener, int fd)
{
    int *fds = realloc(listener->fds, (listener->count + 1) * sizeof *fds);
    if (!fds)
        return -ENOMEM;
    listener->fds = fds;
    fds[listener->count++] = fd;
    return 0;
}

/* One socket for each worker, where there can be more than one. Those without a backlog take no connections yet. */
static int grow(struct listener *listener, size_t workers, int64_t backlog)
{
    size_t wanted = listener->passed ? listener->count : addr_is_unix(&listener->addr) ? 1 : workers;
    while (listener->count < wanted) {
        int fd = listener_open(&listener->addr, (int)backlog);
        if (fd < 0)
            return fd;
        int error = add_socket(listener, fd);
        if (error) {
            close(fd);
            return error;
        }
    }
    return 0;
}

static struct listener *make(struct listeners *listeners, const struct addr *addr, struct str name)
{
    struct listener *listener = calloc(1, sizeof *listener + name.n);
    if (!listener)
        return NULL;
    listener->addr = *addr;
    listener->kept = true; /* until we have made it */
    listener->name = (struct str){listener->text, name.n};
    if (name.n > 0)
        memcpy(listener->text, name.p, name.n);
    list_push_back(&listeners->all, &listener->link);
    return listener;
}

/* Takes the sockets that were handed over for this place; of ours there may be several. 0 also when there are none. */
static int adopt(struct listener *listener, struct passed *passed, const struct listen *listen)
{
    struct passed_socket *socket;
    while ((socket = passed_find(passed, listen->name, &listener->addr))) {
        int error = add_socket(listener, socket->fd);
        if (error)
            return error;
        listener->addr = socket->addr;
        listener->passed = !socket->ours;
        error = listener->passed ? listener_prepare(&socket->addr, socket->fd) : 0;
        socket->fd = -1;
        if (error)
            return error;
    }
    return 0;
}

static struct listener *find(const struct listeners *listeners, const struct listen *listen)
{
    list_each (l, next, &listeners->all) {
        struct listener *listener = container_of(l, struct listener, link);
        if (listen->name.n ? str_eq(listen->name, listener->name) : addr_same(&listen->addr, &listener->addr))
            return listener;
    }
    return NULL;
}

/* Opens what is not there yet. A listener without uses is one that did not come about. */
static int open_one(struct listeners *listeners, const struct listen *listen, size_t workers, int64_t backlog,
                    struct listener **opened)
{
    struct passed_socket *passed = passed_find(&listeners->passed, listen->name, &listen->addr);
    if (!passed && listen->name.n)
        return -ENOENT;
    int error = passed ? 0 : probe(listeners, &listen->addr);
    if (error)
        return error;
    struct listener *listener = *opened =
        make(listeners, passed ? &passed->addr : &listen->addr, passed ? passed->name : STR(""));
    if (!listener)
        return -ENOMEM;
    error = adopt(listener, &listeners->passed, listen);
    if (!error)
        error = grow(listener, workers, backlog);
    if (!error && !passed)
        listener->kept = false;
    return error;
}

static const char *reason(const struct listen *listen, int error)
{
    if (listen->name.n && error == -ENOENT)
        return "no socket of this name was passed";
    return error == -EALREADY ? "another `listen` has this socket" : strerror(-error);
}

static bool is_among(struct listener *const *taken, size_t count, const struct listener *listener)
{
    while (count > 0)
        if (taken[--count] == listener)
            return true;
    return false;
}

/* 0 or -errno; *taken is used once more, if it is there. */
static int take(struct listeners *listeners, const struct listen *listen, size_t workers, int64_t backlog,
                struct listener **taken)
{
    struct listener *listener = find(listeners, listen);
    int error = listener ? grow(listener, workers, backlog) : open_one(listeners, listen, workers, backlog, &listener);
    *taken = listener;
    if (listener)
        listener->uses++;
    return error;
}

static int take_patiently(struct listeners *listeners, const struct listen *listen, size_t workers, bool patience,
                          struct listener **taken)
{
    static const struct timespec pause = {.tv_nsec = PAUSE};
    int error, tries = patience ? TRIES : 1;
    while ((error = take(listeners, listen, workers, patience ? listen->backlog : 0, taken)) == -EADDRINUSE &&
           --tries > 0) {
        if (*taken)
            listener_release(*taken);
        *taken = NULL;
        nanosleep(&pause, NULL);
    }
    return error;
}

int listeners_take(struct listeners *listeners, const struct config *config, size_t workers, bool patience,
                   struct listener **taken, FILE *errors)
{
    int error = 0;
    size_t count = 0;
    while (count < config->listen_count && !error) {
        const struct listen *listen = &config->listen[count];
        error = take_patiently(listeners, listen, workers, patience, &taken[count]);
        if (!error && is_among(taken, count, taken[count]))
            error = -EALREADY;
        count += taken[count] != NULL;
        if (error)
            fprintf(errors, "cannot listen on " STR_FMT ": %s\n", STR_ARG(listen->text), reason(listen, error));
    }
    if (error)
        while (count > 0)
            listener_release(taken[--count]);
    return error;
}

/* ---- using ---- */

void listener_release(struct listener *listener)
{
    size_t left = --listener->uses > 0 ? listener->served : 0;
    while (listener->count > left)
        close(listener->fds[--listener->count]);
    if (listener->uses > 0)
        return;
    if (!listener->kept)
        listener_remove(&listener->addr);
    list_unlink(&listener->link);
    free(listener->fds);
    free(listener);
}

void listener_serve(struct listener *listener)
{
    listener->served = listener->count;
}

size_t listener_share(const struct listener *listener, size_t index, size_t workers, int *fds)
{
    size_t count = 0;
    bool shared = listener->passed || addr_is_unix(&listener->addr);
    for (size_t i = shared ? 0 : index; i < listener->count; i += shared ? 1 : workers)
        fds[count++] = listener->fds[i];
    return count;
}

int listeners_gather(const struct listeners *listeners, int **fds, struct str **names)
{
    size_t count = 0, at = 0;
    list_each (l, next, &listeners->all)
        count += container_of(l, struct listener, link)->count;
    *fds = calloc(count + 1, sizeof **fds);
    *names = calloc(count + 1, sizeof **names);
    if (!*fds || !*names) {
        free(*fds);
        free(*names);
        return -ENOMEM;
    }
    list_each (l, next, &listeners->all) {
        const struct listener *listener = container_of(l, struct listener, link);
        for (size_t i = 0; i < listener->count; i++, at++) {
            (*fds)[at] = listener->fds[i];
            (*names)[at] = listener->passed ? listener->name : STR("");
        }
    }
    return (int)count;
}

void listeners_keep_files(struct listeners *listeners)
{
    list_each (l, next, &listeners->all)
        container_of(l, struct listener, link)->kept = true;
}

void listeners_own_files(struct listeners *listeners)
{
    list_each (l, next, &listeners->all) {
        struct listener *listener = container_of(l, struct listener, link);
        listener->kept = listener->passed;
    }
}

void listeners_close_but(struct listeners *listeners, const int *kept, size_t count)
{
    list_each (l, next, &listeners->all) {
        const struct listener *listener = container_of(l, struct listener, link);
        for (size_t i = 0; i < listener->count; i++) {
            bool keep = false;
            for (size_t k = 0; k < count && !keep; k++)
                keep = kept[k] == listener->fds[i];
            if (!keep)
                close(listener->fds[i]);
        }
    }
}
