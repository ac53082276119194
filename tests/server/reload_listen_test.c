/* Reload: listeners that come, stay, change and go. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "service.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { WORKERS = 2 };

TestSuite(reload_listen, .init = harness_begin, .fini = harness_end);

#define FIRST "127.0.0.1:@PORT@"
#define BOTH FIRST "\", \"127.0.0.1:@PORT1@"
#define UNIX "unix:@DIR@/run/web.sock"

static void reload(const char *listen, const char *version)
{
    service_write(.listen = listen, .version = version);
    assert_ctl(0, "reload");
}

static bool is_refused(int port)
{
    return server_refuses(&(struct server){.port = port});
}

static bool is_there(const char *path)
{
    return access(file_path(path), F_OK) == 0;
}

static void assert_unix_serves(const char *version)
{
    struct client *c = client_open_unix(file_path("run/web.sock"));
    assert_body(get(c, "/version"), str_of(version));
    client_close(c);
}

Test(reload_listen, one_that_is_added_and_removed)
{
    struct server server = service_start();
    struct load *load = service_load(server.port, NULL);
    size_t descriptors = service_descriptors(server.pid);
    for (int i = 0; i < 3; i++) {
        reload(BOTH, "both");
        assert_body(fetch(harness_port(1), "/version"), STR("both"));
        assert_body(fetch(server.port, "/version"), STR("both"));
        reload(FIRST, "first");
        cr_assert(until(is_refused(harness_port(1))), "it is still served");
        assert_body(fetch(server.port, "/version"), STR("first"));
    }
    assert_no_loss(load);
    pid_t workers[WORKERS];
    server_workers(&server, workers, WORKERS);
    cr_assert(until(service_descriptors(server.pid) <= descriptors), "%zu descriptors, were %zu",
              service_descriptors(server.pid), descriptors);
    assert_stop(&server, 0);
}

/* All of them at once, for others. The requests that have come on the old ones are answered. */
Test(reload_listen, all_can_change)
{
    struct server server = service_start();
    struct client *idle = service_idle(server.port), *download = service_download(server.port);
    reload("127.0.0.1:@PORT1@\", \"" UNIX, "2");
    assert_body(fetch(harness_port(1), "/version"), STR("2"));
    assert_unix_serves("2");
    cr_assert(until(is_refused(server.port)), "the old one is still served");
    assert_status(get(idle, "/hello"), 200);
    client_close(idle);
    service_finish_download(download);
    client_close(download);
    reload(FIRST, "3");
    assert_body(fetch(server.port, "/version"), STR("3"));
    cr_assert(until(!is_there("run/web.sock")), "the file of the unix socket stays");
    cr_assert(until(is_refused(harness_port(1))));
    assert_stop(&server, 0);
}

/* Requests that wait on a listener when it goes are answered; only who comes later is refused. */
Test(reload_listen, what_has_come_on_a_removed_one_is_answered)
{
    enum { CLIENTS = 20 };
    struct server server = service_start(.listen = BOTH);
    pid_t workers[WORKERS];
    struct client *clients[CLIENTS];
    server_workers(&server, workers, WORKERS);
    for (int i = 0; i < WORKERS; i++)
        kill(workers[i], SIGSTOP);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = client_open(harness_port(1));
        client_printf(clients[i], "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    service_write(.listen = FIRST, .version = "2");
    kill(server.pid, SIGHUP);
    for (int i = 0; i < WORKERS; i++)
        kill(workers[i], SIGCONT);
    for (int i = 0; i < CLIENTS; i++)
        assert_status(response_read(clients[i]), 200);
    cr_assert(until(is_refused(harness_port(1))));
    assert_stop(&server, 0);
}

Test(reload_listen, unix_sockets_live_on)
{
    const char *path = file_path("run/web.sock");
    struct server server = service_start(.listen = FIRST "\", \"" UNIX);
    struct load *load = service_load(0, path);
    struct stat before, after;
    cr_assert_eq(stat(path, &before), 0);
    for (int i = 0; i < 8; i++) {
        const char *version = harness_text("%d", i);
        reload(FIRST "\", \"" UNIX, version);
        assert_unix_serves(version);
        assert_load_goes_on(load, 50);
    }
    assert_no_loss(load);
    cr_assert_eq(stat(path, &after), 0);
    cr_assert_eq(after.st_ino, before.st_ino, "it is another socket");
    assert_stop(&server, 0);
    cr_assert_not(is_there("run/web.sock"), "the file of the unix socket stays");
}

/* A listening socket of another process, by the address that it is bound to; -1: it can't be had here. */
static int borrow_listener(pid_t pid, int port)
{
    int process = (int)syscall(SYS_pidfd_open, pid, 0);
    for (int fd = 0; process >= 0 && fd < 100; fd++) {
        struct sockaddr_in address;
        socklen_t size = sizeof address, one_size = sizeof(int);
        int listens = 0, copy = (int)syscall(SYS_pidfd_getfd, process, fd, 0);
        if (copy < 0 && errno != EBADF)
            break;
        if (copy >= 0 && getsockname(copy, (struct sockaddr *)&address, &size) == 0 && address.sin_family == AF_INET &&
            ntohs(address.sin_port) == port && getsockopt(copy, SOL_SOCKET, SO_ACCEPTCONN, &listens, &one_size) == 0 &&
            listens) {
            close(process);
            return copy;
        }
        close(copy);
    }
    close(process);
    return -1;
}

/* Of a listening socket the kernel gives its longest queue here. */
static unsigned backlog_of(int listener)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    cr_assert_eq(getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
    return info.tcpi_sacked;
}

static void write_backlog(unsigned backlog)
{
    const char *text = "listen: [{address: \"127.0.0.1:@PORT@\", backlog: %u}]\n"
                       "control: @DIR@/run/control.sock\n"
                       "sites: [{routes: [{path: /, respond: {body: x}}]}]\n";
    file_replace("tern.yaml", str_of(harness_expand(harness_text(text, backlog))));
}

Test(reload_listen, the_backlog_changes)
{
    struct server server = service_start();
    int listener = borrow_listener(server.pid, server.port);
    if (listener < 0)
        harness_skip("the descriptors of another process can't be had");
    static const unsigned lengths[] = {100, 7, 300};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        write_backlog(lengths[i]);
        assert_ctl(0, "reload");
        cr_assert_eq(backlog_of(listener), lengths[i]);
        assert_status(fetch(server.port, "/hello"), 200);
    }
    close(listener);
    assert_stop(&server, 0);
}
