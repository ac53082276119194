/* accept.c: see accept.h. */
#include "http/accept.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "log/log.h"
#include "net/listener.h"

enum { BATCH = 16 }; /* connections taken before those taken are served */
#define PAUSE (100 * NSEC_MS)

static int open_spare(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void acceptor_init(struct acceptor *acceptor, struct conns *conns, const struct http_endpoint *endpoint, int listener)
{
    acceptor->conns = conns;
    acceptor->endpoint = endpoint;
    acceptor->spare = open_spare();
    green_fd_init(&acceptor->listener, listener);
}

static bool lacks_descriptor(int error)
{
    return error == -EMFILE || error == -ENFILE;
}

static bool is_exhausted(int error)
{
    return lacks_descriptor(error) || error == -ENOBUFS || error == -ENOMEM;
}

/* With the spare descriptor we can tell the first peer in the queue, by closing, instead of leaving it to time out. */
static void turn_away(struct acceptor *acceptor)
{
    if (acceptor->spare >= 0) {
        struct peer peer;
        close(acceptor->spare);
        int fd = listener_accept(acceptor->listener.fd, &peer);
        if (fd >= 0)
            close(fd);
    }
    acceptor->spare = open_spare();
}

/* Something has run out. The queue would wake us at once again, so we wait. */
static int on_exhausted(struct acceptor *acceptor, int error)
{
    if (lacks_descriptor(error) && acceptor->conns->shed())
        return 0;
    log_limited(LOG_LEVEL_ERROR, "cannot accept: %s; new connections wait", strerror(-error));
    if (lacks_descriptor(error))
        turn_away(acceptor);
    return green_sleep(PAUSE);
}

/* At the limit room is made only once there is somebody to make it for. */
static int wait_room(struct acceptor *acceptor)
{
    if (acceptor->conns->count < acceptor->conns->max)
        return 0;
    int error = green_fd_readable(&acceptor->listener, NSEC_NEVER);
    return error ? error : conns_wait_room(acceptor->conns);
}

/* Takes up to a batch. 0: the queue may hold more; -EAGAIN: it is empty; -ECANCELED. One call may fail for what its
 * peer has done; a whole batch that does so would go on for ever. */
static int accept_batch(struct acceptor *acceptor)
{
    bool any = false;
    for (int i = 0; i < BATCH; i++) {
        struct peer peer;
        int error = wait_room(acceptor);
        if (error)
            return error;
        int fd = listener_accept(acceptor->listener.fd, &peer);
        if (fd == -EAGAIN)
            return fd;
        if (is_exhausted(fd))
            return on_exhausted(acceptor, fd);
        if (fd >= 0)
            conn_open(acceptor->conns, fd, &peer, acceptor->endpoint);
        else if (fd != -EINTR && fd != -ECONNABORTED)
            log_limited(LOG_LEVEL_WARN, "cannot accept: %s", strerror(-fd));
        any = any || fd >= 0;
    }
    return any ? 0 : green_sleep(PAUSE);
}

static void accept_rest(struct acceptor *acceptor)
{
    struct peer peer;
    struct conns *conns = acceptor->conns;
    for (int fd; conns->count < conns->max && (fd = listener_accept(acceptor->listener.fd, &peer)) >= 0;)
        conn_open(conns, fd, &peer, acceptor->endpoint);
}

int acceptor_run(void *arg)
{
    struct acceptor *acceptor = arg;
    int error = 0;
    while (error == 0) {
        error = accept_batch(acceptor);
        if (error == 0)
            error = green_yield();
        else if (error == -EAGAIN)
            error = green_fd_readable(&acceptor->listener, NSEC_NEVER);
        if (error == -ENOMEM) /* to watch the queue with */
            error = on_exhausted(acceptor, error);
    }
    accept_rest(acceptor);
    green_fd_release(&acceptor->listener);
    /* Who else has the socket serves it on. If nobody does, this ends it, and new peers are refused at once. */
    close(acceptor->listener.fd);
    if (acceptor->spare >= 0)
        close(acceptor->spare);
    return 0;
}
