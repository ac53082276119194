/* call.c: see call.h. */
#include "ctl/call.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/protocol.h"

enum { ROOM_FIRST = 4096 };

static nsec deadline_in(nsec timeout)
{
    return nsec_add(clock_monotonic(), timeout);
}

/* A connect() waits while the server's queue is full; the time that a send may take bounds it. */
static int limit_connect(int fd, nsec timeout)
{
    struct timeval limit = {.tv_sec = timeout / NSEC_SEC, .tv_usec = timeout % NSEC_SEC / 1000 + 1};
    if (timeout != NSEC_NEVER && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0)
        return -errno;
    return 0;
}

int call_open(struct call *call, const char *path, nsec timeout)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path));
    *call = (struct call){.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (call->fd < 0)
        return -errno;
    int error = limit_connect(call->fd, timeout);
    if (!error && connect(call->fd, (struct sockaddr *)&address, sizeof address) < 0)
        error = errno == EAGAIN ? -ETIMEDOUT : -errno;
    if (error)
        call_close(call);
    return error;
}

void call_close(struct call *call)
{
    if (call->fd >= 0)
        close(call->fd);
    free(call->text);
    *call = (struct call){.fd = -1};
}

pid_t call_peer(const struct call *call)
{
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    if (getsockopt(call->fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
        return -errno;
    return credentials.pid > 0 ? credentials.pid : -ESRCH;
}

static int await(const struct call *call, short events, nsec deadline)
{
    static const nsec longest = 3600 * NSEC_SEC;
    struct pollfd polled = {.fd = call->fd, .events = events};
    for (;;) {
        nsec left = deadline - clock_monotonic();
        if (left <= 0)
            return -ETIMEDOUT;
        int found = poll(&polled, 1, (int)((left < longest ? left : longest) / NSEC_MS) + 1);
        if (found > 0)
            return 0;
        if (found < 0 && errno != EINTR)
            return -errno;
    }
}

/* A server that won't listen may have said why: what it said is read in any case. */
static int send_line(const struct call *call, struct str line, nsec deadline)
{
    while (line.n) {
        ssize_t n = send(call->fd, line.p, line.n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
            return 0;
        int error = n >= 0 || errno == EINTR ? 0 : errno == EAGAIN ? await(call, POLLOUT, deadline) : -errno;
        if (error)
            return error;
        line = str_skip(line, n > 0 ? (size_t)n : 0);
    }
    return 0;
}

static int grow(struct call *call)
{
    if (call->n < call->room)
        return 0;
    if (call->room >= CTL_ANSWER_MAX)
        return -EMSGSIZE;
    size_t room = call->room ? 2 * call->room : ROOM_FIRST;
    char *text = realloc(call->text, room);
    if (!text)
        return -ENOMEM;
    call->text = text;
    call->room = room;
    return 0;
}

/* Receives once. 1: a line has come. What follows it answers nothing that was asked. */
static int receive(struct call *call, struct str *line)
{
    int error = grow(call);
    if (error)
        return error;
    ssize_t n = recv(call->fd, call->text + call->n, call->room - call->n, MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : errno == ECONNRESET ? -ENODATA : -errno;
    const char *end = memchr(call->text + call->n, '\n', (size_t)n);
    call->n += (size_t)n;
    if (end)
        *line = str_range(call->text, end);
    return n == 0 ? -ENODATA : end != NULL;
}

int call_ask(struct call *call, struct str line, nsec timeout, struct str *answer)
{
    nsec deadline = deadline_in(timeout);
    int error = send_line(call, line, deadline);
    *answer = (struct str){.n = 0};
    call->n = 0;
    while (!error) {
        error = await(call, POLLIN, deadline);
        if (!error)
            error = receive(call, answer);
    }
    return error < 0 ? error : 0;
}

const char *call_reason(int error)
{
    switch (-error) {
    case ECONNREFUSED:
        return "nobody listens there";
    case EACCES:
    case EPERM:
        return "permission denied: it is for root, and for the user and the group of the server";
    case ETIMEDOUT:
        return "no answer in time";
    case ENODATA:
        return "the connection was closed without an answer";
    case EMSGSIZE:
        return "the answer has no end";
    default:
        return strerror(-error);
    }
}
