/* listener_test.c: sockets that can't be opened, those that are left over, and what they accept. */
#include "net/listener.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/tern-listener-XXXXXX", path[64];
static struct addr local, tcp;

static void setup(void)
{
    char text[80];
    cr_assert_not_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/socket", directory);
    snprintf(text, sizeof text, "unix:%s", path);
    cr_assert_eq(addr_parse(str_of(text), &local), 0);
    tcp = (struct addr){.size = sizeof tcp.in, .in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}};
}

static void teardown(void)
{
    unlink(path);
    rmdir(directory);
}

TestSuite(listener, .init = setup, .fini = teardown);

static int connect_to(const struct addr *addr)
{
    int fd = socket(addr->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0);
    cr_assert_eq(connect(fd, &addr->any, addr->size), 0);
    return fd;
}

/* A connection over loopback arrives in a moment. */
static int accept_soon(int listener, struct peer *peer)
{
    struct pollfd wait = {.fd = listener, .events = POLLIN};
    cr_assert_eq(poll(&wait, 1, 5000), 1);
    return listener_accept(listener, peer);
}

static void learn_port(int fd)
{
    cr_assert_eq(getsockname(fd, &tcp.any, &tcp.size), 0);
}

static bool has_flags(int fd)
{
    return fcntl(fd, F_GETFL) & O_NONBLOCK && fcntl(fd, F_GETFD) & FD_CLOEXEC;
}

Test(listener, an_address_that_is_not_ours)
{
    struct addr addr;
    cr_assert_eq(addr_parse(STR("192.0.2.1:80"), &addr), 0);
    cr_expect_eq(listener_open(&addr, 5), -EADDRNOTAVAIL);
    cr_assert_eq(addr_parse(STR("unix:/nowhere/socket"), &addr), 0);
    cr_expect_eq(listener_open(&addr, 5), -ENOENT);
}

Test(listener, a_unix_socket_in_use)
{
    int fd = listener_open(&local, 5);
    cr_assert_geq(fd, 0);
    cr_expect_eq(listener_open(&local, 5), -EADDRINUSE);
    close(connect_to(&local));
    close(fd);
    listener_remove(&local);
    cr_expect_eq(access(path, F_OK), -1, "the file is removed");
}

/* Its queue is full, so a connection attempt fails with another error than that of a server that is gone. */
Test(listener, a_unix_socket_in_use_by_a_busy_server)
{
    int fd = listener_open(&local, 1);
    cr_assert_geq(fd, 0);
    int first = connect_to(&local);
    cr_expect_eq(listener_open(&local, 5), -EADDRINUSE);
    cr_expect_eq(listener_open(&local, 5), -EADDRINUSE);
    close(first);
    close(fd);
    listener_remove(&local);
}

Test(listener, a_unix_socket_that_is_left_over)
{
    int gone = listener_open(&local, 5);
    cr_assert_geq(gone, 0);
    close(gone);
    cr_assert_eq(access(path, F_OK), 0);
    int fd = listener_open(&local, 5);
    cr_expect_geq(fd, 0);
    close(fd);
    listener_remove(&local);
}

Test(listener, a_file_is_not_removed)
{
    int file = open(path, O_CREAT | O_WRONLY, 0600);
    cr_assert_geq(file, 0);
    close(file);
    cr_expect_eq(listener_open(&local, 5), -EADDRINUSE);
    cr_expect_eq(access(path, F_OK), 0);
    unlink(path);
    cr_assert_eq(symlink("/nowhere", path), 0);
    cr_expect_eq(listener_open(&local, 5), -EADDRINUSE);
    struct stat st;
    cr_expect_eq(lstat(path, &st), 0);
}

Test(listener, an_abstract_socket)
{
    struct addr addr;
    char name[64];
    snprintf(name, sizeof name, "unix:@tern-test-%d", (int)getpid());
    cr_assert_eq(addr_parse(str_of(name), &addr), 0);
    int fd = listener_open(&addr, 5);
    cr_assert_geq(fd, 0);
    cr_expect_eq(listener_open(&addr, 5), -EADDRINUSE);
    close(connect_to(&addr));
    close(fd);
    listener_remove(&addr);
}

Test(listener, nobody_to_accept)
{
    struct peer peer;
    int fd = listener_open(&tcp, 5);
    cr_assert_geq(fd, 0);
    cr_expect_eq(listener_accept(fd, &peer), -EAGAIN);
    close(fd);
    listener_remove(&tcp);
    cr_expect_eq(listener_accept(fd, &peer), -EBADF);
}

Test(listener, accepts)
{
    struct peer peer;
    int on = 0;
    int fd = listener_open(&tcp, 5);
    cr_assert_geq(fd, 0);
    cr_expect(has_flags(fd));
    learn_port(fd);
    int client = connect_to(&tcp);
    cr_assert_eq(write(client, "x", 1), 1);
    int server = accept_soon(fd, &peer);
    cr_assert_geq(server, 0);
    cr_expect(has_flags(server));
    cr_expect_eq(getsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, &(socklen_t){sizeof on}), 0);
    cr_expect(on, "handed on by the listener");
    struct sockaddr_in from;
    cr_assert_eq(getsockname(client, (struct sockaddr *)&from, &(socklen_t){sizeof from}), 0);
    char text[PEER_TEXT];
    cr_expect(str_eq(peer_print(&peer, text), STR("127.0.0.1")));
    cr_expect_eq(peer.port, ntohs(from.sin_port));
    close(client);
    close(server);
    close(fd);
    listener_remove(&tcp);
}

Test(listener, a_peer_on_a_unix_socket)
{
    struct peer peer;
    char text[PEER_TEXT];
    int fd = listener_open(&local, 5);
    cr_assert_geq(fd, 0);
    int client = connect_to(&local);
    int server = accept_soon(fd, &peer);
    cr_assert_geq(server, 0);
    cr_expect_eq(peer.family, AF_UNIX);
    cr_expect(str_eq(peer_print(&peer, text), STR("unix:")));
    close(client);
    close(server);
    close(fd);
    listener_remove(&local);
}

/* One socket for each worker. */
Test(listener, several_on_one_address)
{
    int first = listener_open(&tcp, 5);
    cr_assert_geq(first, 0);
    learn_port(first);
    int second = listener_open(&tcp, 5);
    cr_expect_geq(second, 0);
    close(first);
    listener_remove(&tcp);
    close(second);
    listener_remove(&tcp);
}

/* [::] beside 0.0.0.0 is two listeners. */
Test(listener, both_families_on_one_port)
{
    tcp.in.sin_addr.s_addr = htonl(INADDR_ANY);
    int first = listener_open(&tcp, 5);
    cr_assert_geq(first, 0);
    learn_port(first);
    struct addr in6 = {.size = sizeof in6.in6, .in6 = {.sin6_family = AF_INET6, .sin6_port = tcp.in.sin_port}};
    int second = listener_open(&in6, 5);
    if (second == -EAFNOSUPPORT)
        cr_skip_test("no IPv6 here");
    cr_expect_geq(second, 0);
    close(first);
    listener_remove(&tcp);
    close(second);
    listener_remove(&in6);
}
