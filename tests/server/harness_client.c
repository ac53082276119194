/* harness_client.c: see harness_client.h. */
#include "harness_client.h"

#include "harness.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST_ROOM = 16 * 1024, SLOW_BUFFER = 4096, BLOCKED_MS = 500, LIMIT_MS = HARNESS_LIMIT / NSEC_MS };

static void release(void *arg)
{
    struct client *c = arg;
    client_close(c);
    free(c->bytes);
}

static struct client *client_make(struct client content)
{
    struct client *c = harness_alloc(sizeof *c);
    *c = content;
    cr_assert_eq(arena_defer(harness_memory(), release, c), 0, "out of memory");
    return c;
}

struct client *client_above(const struct client *lower, const struct client_layer *layer, void *secret)
{
    return client_make((struct client){.fd = lower->fd, .layer = layer, .secret = secret});
}

static struct client *client_connect(const struct sockaddr *address, socklen_t size, int buffer)
{
    struct client *c = client_make((struct client){.fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0)});
    cr_assert_geq(c->fd, 0, "socket: %m");
    if (buffer)
        cr_assert_eq(setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer), 0);
    int one = 1;
    if (address->sa_family != AF_UNIX)
        cr_assert_eq(setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one), 0);
    cr_assert_eq(connect(c->fd, address, size), 0, "cannot connect: %m");
    return c;
}

static struct client *client_open_ipv4(const char *text, int port, int buffer)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    cr_assert_eq(inet_pton(AF_INET, text, &address.sin_addr), 1);
    return client_connect((struct sockaddr *)&address, sizeof address, buffer);
}

struct client *client_open(int port)
{
    return client_open_ipv4("127.0.0.1", port, 0);
}

struct client *client_open_slow(int port)
{
    return client_open_ipv4("127.0.0.1", port, SLOW_BUFFER);
}

struct client *client_open_at(const char *address, int port)
{
    return client_open_ipv4(address, port, 0);
}

struct client *client_open_ipv6(int port)
{
    struct sockaddr_in6 address = {
        .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_addr = in6addr_loopback};
    return client_connect((struct sockaddr *)&address, sizeof address, 0);
}

struct client *client_open_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return client_connect((struct sockaddr *)&address, sizeof address, 0);
}

void client_close(struct client *c)
{
    if (c->layer)
        c->layer->close(c);
    else if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

void client_reset(struct client *c)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    cr_assert_eq(setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    client_close(c);
}

bool client_is_held(const struct client *c)
{
    struct sockaddr_in here, there;
    socklen_t size = sizeof here;
    cr_assert_eq(getsockname(c->fd, (struct sockaddr *)&here, &size), 0);
    if (getpeername(c->fd, (struct sockaddr *)&there, &size) != 0)
        return false; /* it was reset */
    FILE *file = fopen("/proc/net/tcp", "re");
    cr_assert_not_null(file);
    char line[256];
    unsigned local, remote, state;
    bool held = false;
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "%*d: %*x:%x %*x:%x %x", &local, &remote, &state) == 3 && local == ntohs(there.sin_port) &&
            remote == ntohs(here.sin_port))
            held = state == TCP_ESTABLISHED;
    fclose(file);
    return held;
}

static void make_room(struct client *c)
{
    if (c->n < c->size)
        return;
    c->size = c->size ? 2 * c->size : FIRST_ROOM;
    c->bytes = realloc(c->bytes, c->size);
    cr_assert_not_null(c->bytes, "out of memory");
}

void client_append(struct client *c, struct str bytes)
{
    while (bytes.n) {
        make_room(c);
        size_t n = c->size - c->n < bytes.n ? c->size - c->n : bytes.n;
        memcpy(c->bytes + c->n, bytes.p, n);
        c->n += n;
        bytes = str_skip(bytes, n);
    }
}

/* Receives what has come, and waits for it first. False at the end of the connection. */
static bool receive(struct client *c)
{
    struct pollfd wait = {.fd = c->fd, .events = POLLIN};
    if (c->ended)
        return false;
    if (c->layer)
        return c->layer->receive(c);
    make_room(c);
    cr_assert_eq(poll(&wait, 1, LIMIT_MS), 1, "the server sends nothing; last: " STR_FMT,
                 (int)(c->n < 200 ? c->n : 200), c->bytes);
    ssize_t n = recv(c->fd, c->bytes + c->n, c->size - c->n, 0);
    c->reset = n < 0;
    c->ended = n <= 0;
    c->n += n > 0 ? (size_t)n : 0;
    return n > 0;
}

void client_send(struct client *c, struct str bytes)
{
    if (c->layer) {
        c->layer->send(c, bytes);
        return;
    }
    while (bytes.n && !c->ended) {
        struct pollfd wait = {.fd = c->fd, .events = POLLIN | POLLOUT};
        cr_assert_eq(poll(&wait, 1, LIMIT_MS), 1, "the server does not read");
        ssize_t n = wait.revents & POLLOUT ? send(c->fd, bytes.p, bytes.n, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;
        if (n < 0 && errno != EAGAIN)
            return;
        bytes = str_skip(bytes, n > 0 ? (size_t)n : 0);
        if (wait.revents & POLLIN)
            receive(c);
    }
}

size_t client_send_unread(const struct client *c, struct str bytes)
{
    struct pollfd wait = {.fd = c->fd, .events = POLLOUT};
    size_t sent = 0;
    while (sent < bytes.n && poll(&wait, 1, BLOCKED_MS) == 1) {
        ssize_t n = send(c->fd, bytes.p + sent, bytes.n - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN)
            break;
        sent += n > 0 ? (size_t)n : 0;
    }
    return sent;
}

void client_vprintf(struct client *c, const char *format, va_list arguments)
{
    char *text;
    int n = vasprintf(&text, format, arguments);
    cr_assert_geq(n, 0, "out of memory");
    client_send(c, (struct str){text, (size_t)n});
    free(text);
}

void client_printf(struct client *c, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    client_vprintf(c, format, arguments);
    va_end(arguments);
}

void client_finish(struct client *c)
{
    if (c->layer)
        c->layer->finish(c);
    else
        shutdown(c->fd, SHUT_WR);
}

struct str client_take(struct client *c, size_t n)
{
    struct str taken = arena_copy(harness_memory(), (struct str){c->bytes, n});
    cr_assert_not_null(taken.p, "out of memory");
    c->n -= n;
    if (c->n)
        memmove(c->bytes, c->bytes + n, c->n);
    return taken;
}

struct str client_peek(struct client *c, size_t n)
{
    while (c->n < n && receive(c))
        ;
    return (struct str){c->bytes, c->n < n ? c->n : n};
}

bool client_has(struct client *c, size_t n, nsec deadline)
{
    while (c->n < n && !c->ended) {
        struct pollfd wait = {.fd = c->fd, .events = POLLIN};
        bool pending = c->layer && c->layer->pending(c);
        nsec left = deadline - clock_monotonic();
        if (!pending && (left <= 0 || poll(&wait, 1, (int)(left / NSEC_MS) + 1) < 1))
            return false;
        receive(c);
    }
    return c->n >= n;
}

struct str client_drain(struct client *c)
{
    while (receive(c))
        ;
    return client_take(c, c->n);
}

bool client_ends(struct client *c)
{
    while (c->n == 0 && receive(c))
        ;
    return c->n == 0;
}

struct str client_take_through(struct client *c, struct str mark)
{
    size_t looked_at = 0;
    do {
        char *found = c->n ? memmem(c->bytes + looked_at, c->n - looked_at, mark.p, mark.n) : NULL;
        if (found)
            return client_take(c, (size_t)(found - c->bytes) + mark.n);
        looked_at = c->n < mark.n ? 0 : c->n - mark.n + 1;
    } while (receive(c));
    return (struct str){NULL, 0};
}
