/* connect_calls_test.c: connect() and accept() on green threads. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/un.h>

#include "peers.h"

enum { THREADS = 5 };

/* ---- addresses ---- */

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_un un;
};

/* Of a name that the kernel makes up: a zero and five digits, unix(7). */
static socklen_t size_of(const union address *address)
{
    return address->any.sa_family == AF_INET ? sizeof address->in : sizeof(sa_family_t) + 6;
}

/* A listener on loopback, or on a name that the kernel makes up. */
static int listener_open(int family, int backlog, union address *address)
{
    *address = (union address){.any.sa_family = (sa_family_t)family};
    if (family == AF_INET)
        address->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = family == AF_INET ? sizeof address->in : sizeof(sa_family_t);
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(fd, &address->any, size), 0);
    size = sizeof *address;
    cr_assert_eq(getsockname(fd, &address->any, &size), 0);
    cr_assert_eq(listen(fd, backlog), 0);
    return fd;
}

static int socket_open(int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0);
    return fd;
}

/* ---- connect ---- */

static int connect_to(const union address *address, int fd)
{
    return ours.connect(fd, &address->any, size_of(address));
}

GreenTest(connect_calls, where_nobody_listens_it_is_refused)
{
    union address address;
    close(listener_open(AF_INET, 1, &address));
    int fd = socket_open(AF_INET);
    expect_error(connect_to(&address, fd), ECONNREFUSED);
    expect_error(connect_to(&address, fd), ECONNREFUSED);
    cr_expect_not(fcntl(fd, F_GETFL) & O_NONBLOCK, "its flags are as they were");
    close(fd);
    expect_error(connect_to(&address, fd), EBADF);
    fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    expect_error(connect_to(&address, fd), ENOTSOCK);
    close(fd);
}

GreenTest(connect_calls, a_non_blocking_one_is_on_its_way)
{
    union address address;
    int listener = listener_open(AF_INET, 1, &address), fd = socket_open(AF_INET);
    set_nonblocking(fd);
    expect_error(connect_to(&address, fd), EINPROGRESS);
    cr_expect(fcntl(fd, F_GETFL) & O_NONBLOCK);
    close(fd), close(listener);
}

GreenTest(connect_calls, one_that_is_connected_says_so)
{
    union address address;
    int listener = listener_open(AF_INET, 1, &address), fd = socket_open(AF_INET);
    errno = EXDEV;
    cr_expect_eq(connect_to(&address, fd), 0);
    cr_expect_eq(errno, EXDEV, "errno is left alone");
    expect_error(connect_to(&address, fd), EISCONN);
    cr_expect_eq(ours.send(fd, "x", 1, 0), 1);
    close(fd), close(listener);
}

/* A queue of connections that is full, which none leaves. */
static int full_listener(union address *address, int family, int *waiting, size_t count)
{
    int listener = listener_open(family, 0, address);
    for (size_t i = 0; i < count; i++) {
        waiting[i] = socket_open(family);
        set_nonblocking(waiting[i]);
        (void)!connect(waiting[i], &address->any, size_of(address));
    }
    return listener;
}

static void close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        close(fds[i]);
}

struct errand {
    union address address;
    int fd;
};

static int run_errand(void *arg)
{
    const struct errand *errand = arg;
    int result = connect_to(&errand->address, errand->fd);
    run_note('c');
    return result < 0 ? errno : 0;
}

GreenTest(connect_calls, who_does_not_answer_is_waited_for_until_the_timeout_or_a_cancel)
{
    static const struct {
        int family, timed_out;
    } rows[] = {{AF_INET, EINPROGRESS}, {AF_UNIX, EAGAIN}};
    for (size_t i = 0; i < 2; i++) {
        int waiting[THREADS];
        struct errand errand;
        int listener = full_listener(&errand.address, rows[i].family, waiting, THREADS);
        errand.fd = socket_open(rows[i].family);
        expect_cancellable(run_errand, &errand);
        close(errand.fd);
        errand.fd = socket_open(rows[i].family);
        set_timeout(errand.fd, SO_SNDTIMEO, 5);
        cr_expect_eq(run_errand(&errand), rows[i].timed_out);
        cr_expect_not(fcntl(errand.fd, F_GETFL) & O_NONBLOCK);
        close(errand.fd), close(listener);
        close_all(waiting, THREADS);
        run_noted();
    }
}

GreenTest(connect_calls, it_succeeds_as_soon_as_there_is_room_in_the_queue)
{
    int waiting[THREADS];
    struct errand errand;
    int listener = full_listener(&errand.address, AF_UNIX, waiting, THREADS);
    errand.fd = socket_open(AF_UNIX);
    struct green *thread = run_spawn(run_errand, &errand);
    settle();
    cr_expect_str_eq(run_noted(), "");
    close(ours.accept(listener, NULL, NULL));
    cr_expect_eq(run_join(thread), 0);
    close(errand.fd), close(listener);
    close_all(waiting, THREADS);
}

/* ---- accept ---- */

GreenTest(connect_calls, what_does_not_listen_accepts_nothing)
{
    struct ends pair = ends_open(SOCK_STREAM);
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    expect_error(ours.accept(pair.here, NULL, NULL), EINVAL);
    expect_error(ours.accept4(pair.here, NULL, NULL, SOCK_CLOEXEC), EINVAL);
    expect_error(ours.accept(file, NULL, NULL), ENOTSOCK);
    close(file);
    expect_error(ours.accept(file, NULL, NULL), EBADF);
    ends_close(&pair);
}

static int accept_one(void *arg)
{
    errno = EXDEV;
    int fd = ours.accept4(*(int *)arg, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0)
        return errno;
    cr_expect_eq(errno, EXDEV, "errno is left alone");
    cr_expect(fcntl(fd, F_GETFL) & O_NONBLOCK, "the flag is for the new one");
    run_note('a');
    close(fd);
    return 0;
}

GreenTest(connect_calls, nobody_comes_to_a_non_blocking_listener_or_within_the_timeout_or_before_a_cancel)
{
    union address address;
    int listener = listener_open(AF_INET, 1, &address);
    expect_cancellable(accept_one, &listener);
    set_timeout(listener, SO_RCVTIMEO, 3);
    cr_expect_eq(accept_one(&listener), EAGAIN);
    set_timeout(listener, SO_RCVTIMEO, 0);
    set_nonblocking(listener);
    cr_expect_eq(accept_one(&listener), EAGAIN);
    close(listener);
}

GreenTest(connect_calls, of_those_who_wait_one_gets_each_connection)
{
    union address address;
    int listener = listener_open(AF_INET, THREADS, &address), fds[THREADS];
    struct green *threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        threads[i] = run_spawn(accept_one, &listener);
    for (int i = 0; i < THREADS; i++) {
        settle();
        cr_expect_str_eq(run_noted(), i ? "a" : "");
        fds[i] = socket_open(AF_INET);
        cr_expect_eq(connect_to(&address, fds[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        cr_expect_eq(run_join(threads[i]), 0);
    close_all(fds, THREADS);
    close(listener);
}

GreenTest(connect_calls, the_peer_is_named)
{
    union address address, peer;
    socklen_t size = sizeof peer;
    int listener = listener_open(AF_INET, 1, &address), fd = socket_open(AF_INET);
    cr_expect_eq(connect_to(&address, fd), 0);
    int accepted = ours.accept(listener, &peer.any, &size);
    cr_expect_eq(size, sizeof peer.in);
    cr_expect_eq(peer.in.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    close(accepted), close(fd), close(listener);
}
