/* Sockets that somebody else has opened, as systemd does (sd_listen_fds(3)): they are found by address or by name, all
 * workers share them, and they outlive the server. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "service.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { WORKERS = 2, FAILED = 1, USAGE = 2 };

TestSuite(activation, .init = harness_begin, .fini = harness_end);

/* ---- sockets to pass ---- */

static int open_tcp(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    cr_assert(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1024) == 0, "%m");
    return fd;
}

static int open_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    cr_assert(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1024) == 0, "%m");
    return fd;
}

/* What the environment of a server says that is started with sockets. */
struct passing {
    const int *fds;
    int count;
    const char *names;   /* LISTEN_FDNAMES; NULL: there is none */
    const char *for_pid; /* LISTEN_PID; NULL: the server's */
};

/* A shell puts the sockets where they belong, since there the descriptors are its own; and the id of its process is
 * the one that the server will have. */
static pid_t start_with(const struct passing *passing, const char *config)
{
    const char *script = "set -e;";
    for (int i = 0; i < passing->count; i++)
        script = harness_text("%s exec %d<&%d %d<&-;", script, 3 + i, passing->fds[i], passing->fds[i]);
    if (passing->names)
        script = harness_text("%s export LISTEN_FDNAMES='%s';", script, passing->names);
    script = harness_text("%s export LISTEN_FDS=%d LISTEN_PID=%s; exec \"$0\" \"$@\"", script, passing->count,
                          passing->for_pid ? passing->for_pid : "$$");
    file_directory("run");
    file_directory("www");
    service_install();
    file_write("tern.yaml", str_of(harness_expand(config)));
    return command_start(&(struct command){.arguments = {"bash", "-c", script, service_binary(), "-c",
                                                         file_path("tern.yaml"), "--pid", service_pid_file()},
                                           .err = "tern.log"});
}

static struct server serve_with(const struct passing *passing, const char *config)
{
    struct server server = {.pid = start_with(passing, config), .port = harness_port(0)};
    cr_assert(until(service_is_ready(server.pid) || service_is_gone(server.pid)) && !service_is_gone(server.pid),
              "not all workers are ready:\n%s", server_log(&server).p);
    return server;
}

/* Descriptors that are out of the way of those that are passed. */
static int moved(int fd)
{
    int high = fcntl(fd, F_DUPFD, 50);
    cr_assert_geq(high, 0, "%m");
    close(fd);
    return high;
}

#define CONFIG(listen)                                                                                                 \
    "listen: [" listen "]\n"                                                                                           \
    "workers: 2\n"                                                                                                     \
    "control: @DIR@/run/control.sock\n"                                                                                \
    "sites:\n"                                                                                                         \
    "  - routes:\n"                                                                                                    \
    "      - {exact: /hello, respond: {body: hello}}\n"                                                                \
    "      - {exact: /echo, echo: {}}\n"                                                                               \
    "      - {path: /files/, files: {root: @DIR@/www}}\n"

/* How many sockets of this kind a process holds: the number of its descriptors that are the same socket as `fd`. */
static size_t holds(pid_t pid, int fd)
{
    char own[64], other[64];
    size_t count = 0;
    ssize_t n = readlink(harness_text("/proc/self/fd/%d", fd), own, sizeof own);
    for (int i = 0; i < 200; i++) {
        ssize_t m = readlink(harness_text("/proc/%d/fd/%d", pid, i), other, sizeof other);
        count += n > 0 && m == n && memcmp(own, other, (size_t)n) == 0;
    }
    return count;
}

/* ---- what is taken ---- */

Test(activation, sockets_are_found_by_address_and_by_name)
{
    static const struct {
        const char *config, *names;
    } table[] = {
        {CONFIG("\"127.0.0.1:@PORT@\""), "web"},  {CONFIG("\"127.0.0.1:@PORT@\""), NULL},
        {CONFIG("\"127.0.0.1:@PORT@\""), ""},     {CONFIG("\"fd:web\""), "web"},
        {CONFIG("{address: \"fd:web\"}"), "web"},
    };
    int fd = moved(open_tcp(harness_port(0)));
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct server server =
            serve_with(&(struct passing){.fds = &fd, .count = 1, .names = table[i].names}, table[i].config);
        pid_t workers[WORKERS];
        server_workers(&server, workers, WORKERS);
        for (int j = 0; j < WORKERS; j++)
            cr_assert_eq(holds(workers[j], fd), 1, "row %zu: worker %d has not got it", i, j);
        for (int j = 0; j < 10; j++)
            assert_body(fetch(server.port, "/hello"), STR("hello"));
        assert_stop(&server, 0);
    }
}

Test(activation, several_of_all_kinds)
{
    const char *path = file_path("activated.sock");
    int fds[] = {moved(open_tcp(harness_port(0))), moved(open_unix(path)), moved(open_tcp(harness_port(1))),
                 moved(open_tcp(harness_port(2)))};
    struct server server =
        serve_with(&(struct passing){.fds = fds, .count = 4, .names = "one:two:many:many"},
                   CONFIG("\"127.0.0.1:@PORT@\", \"unix:@DIR@/activated.sock\", \"fd:many\", \"127.0.0.1:@PORT3@\""));
    for (unsigned i = 0; i < 4; i++)
        assert_body(fetch(harness_port(i), "/hello"), STR("hello"));
    assert_body(get(client_open_unix(path), "/hello"), STR("hello"));
    assert_stop(&server, 0);
    cr_assert_eq(access(path, F_OK), 0, "the file of a unix socket that belongs to somebody else is removed");
}

/* A socket unit with two addresses gives both sockets its own name. */
Test(activation, one_name_for_different_sockets)
{
    const char *path = file_path("activated.sock");
    int fds[] = {moved(open_tcp(harness_port(0))), moved(open_unix(path))};
    struct server server =
        serve_with(&(struct passing){.fds = fds, .count = 2, .names = "web:web"}, CONFIG("\"fd:web\""));
    for (int i = 0; i < 10; i++) {
        struct client *c = client_open_unix(path);
        assert_body(fetch(server.port, "/hello"), STR("hello"));
        assert_body(get(c, "/hello"), STR("hello"));
        client_close(c);
    }
    assert_stop(&server, 0);
    cr_assert_eq(access(path, F_OK), 0, "the file of a unix socket that belongs to somebody else is removed");
}

/* What is left over is not left open: clients would wait there for ever. */
Test(activation, what_nobody_wants_is_reported_and_closed)
{
    int fds[] = {moved(open_tcp(harness_port(0))), moved(open_tcp(harness_port(1)))};
    struct server server =
        serve_with(&(struct passing){.fds = fds, .count = 2, .names = "web:other"}, CONFIG("\"fd:web\""));
    cr_assert(until(service_logged(harness_text("127.0.0.1:%d", harness_port(1)))), "%s", server_log(&server).p);
    cr_assert(service_logged("other"));
    pid_t workers[WORKERS];
    server_workers(&server, workers, WORKERS);
    cr_assert_eq(holds(server.pid, fds[1]) + holds(workers[0], fds[1]) + holds(workers[1], fds[1]), 0);
    assert_body(fetch(server.port, "/hello"), STR("hello"));
    assert_stop(&server, 0);
}

Test(activation, what_is_no_listening_socket_is_reported_and_closed)
{
    int datagrams = socket(AF_INET, SOCK_DGRAM, 0), file = open("/dev/null", O_RDONLY);
    int fds[] = {moved(file), moved(open_tcp(harness_port(0))), moved(datagrams)};
    struct server server =
        serve_with(&(struct passing){.fds = fds, .count = 3, .names = "file:web:datagrams"}, CONFIG("\"fd:web\""));
    cr_assert(service_logged("`file`") && service_logged("`datagrams`"), "%s", server_log(&server).p);
    cr_assert_eq(holds(server.pid, fds[2]), 0);
    assert_body(fetch(server.port, "/hello"), STR("hello"));
    assert_stop(&server, 0);
}

/* ---- what is not ---- */

/* An environment that was meant for another process is none. */
Test(activation, sockets_of_somebody_else_are_ignored)
{
    int fd = moved(open_tcp(harness_port(1)));
    struct server server = serve_with(&(struct passing){.fds = &fd, .count = 1, .names = "web", .for_pid = "1"},
                                      CONFIG("\"127.0.0.1:@PORT@\""));
    pid_t workers[WORKERS];
    server_workers(&server, workers, WORKERS);
    cr_assert_not(service_logged("web"), "%s", server_log(&server).p);
    assert_body(fetch(server.port, "/hello"), STR("hello"));
    assert_stop(&server, 0);
}

Test(activation, a_name_that_was_not_passed)
{
    int fd = moved(open_tcp(harness_port(0)));
    pid_t pid = start_with(&(struct passing){.fds = &fd, .count = 1, .names = "web"}, CONFIG("\"fd:wob\""));
    cr_assert_eq(command_wait(pid), FAILED, "%s", server_log(NULL).p);
    cr_assert(service_logged("fd:wob"), "%s", server_log(NULL).p);
    struct result r = run_tern("-t", "-c", "@DIR@/tern.yaml");
    cr_assert_eq(r.status, 0, "what is passed is not known to -t: %s", r.err.p);
    file_write("tern.yaml", str_of(harness_expand(CONFIG("\"fd:web\", \"fd:web\""))));
    r = run_tern("-t", "-c", "@DIR@/tern.yaml");
    cr_assert_eq(r.status, USAGE, "%s", r.err.p);
}

/* Two items of `listen` would share it, and the second one would be without a socket after a reload. */
Test(activation, one_socket_by_its_address_and_by_its_name)
{
    int fd = moved(open_tcp(harness_port(0)));
    pid_t pid = start_with(&(struct passing){.fds = &fd, .count = 1, .names = "web"},
                           CONFIG("\"127.0.0.1:@PORT@\", \"fd:web\""));
    cr_assert_eq(command_wait(pid), FAILED, "%s", server_log(NULL).p);
    cr_assert(service_logged("cannot listen on fd:web: another `listen` has this socket"), "%s", server_log(NULL).p);
}

/* ---- what follows ---- */

/* The socket is kept by who opened it; between the two servers, clients wait and are served. */
Test(activation, a_restart_refuses_nobody)
{
    int fd = moved(open_tcp(harness_port(0)));
    struct passing passing = {.fds = &fd, .count = 1, .names = "web"};
    struct server server = serve_with(&passing, CONFIG("\"fd:web\""));
    struct load *load = service_load(server.port, NULL);
    for (int i = 0; i < 5; i++) {
        assert_load_goes_on(load, 50);
        assert_stop(&server, 0);
        server = serve_with(&passing, CONFIG("\"fd:web\""));
    }
    assert_load_goes_on(load, 50);
    assert_no_loss(load);
    assert_stop(&server, 0);
}

/* Passed sockets survive reloads and upgrades, and the addition of others. */
Test(activation, reload_and_upgrade_keep_the_sockets)
{
    int fd = moved(open_tcp(harness_port(0)));
    struct server server = serve_with(&(struct passing){.fds = &fd, .count = 1, .names = "web"}, CONFIG("\"fd:web\""));
    struct load *load = service_load(server.port, NULL);
    for (int i = 0; i < 3; i++) {
        file_replace("tern.yaml", str_of(harness_expand(CONFIG("\"fd:web\", \"127.0.0.1:@PORT1@\""))));
        assert_ctl(0, "reload");
        assert_body(fetch(harness_port(1), "/hello"), STR("hello"));
        assert_ctl(0, "upgrade");
        assert_exit(&server, 0);
        server.pid = (pid_t)service_status("pid");
        cr_assert_eq(holds(server.pid, fd), 1);
        assert_load_goes_on(load, 50);
        file_replace("tern.yaml", str_of(harness_expand(CONFIG("\"fd:web\""))));
        assert_ctl(0, "reload");
    }
    assert_no_loss(load);
    assert_stop(&server, 0);
}

/* Whoever passes sockets need not name them: the successor still knows that they are not the server's own. */
Test(activation, an_upgrade_keeps_sockets_without_names)
{
    const char *path = file_path("activated.sock");
    int fds[] = {moved(open_tcp(harness_port(0))), moved(open_unix(path))};
    struct server server = serve_with(&(struct passing){.fds = fds, .count = 2},
                                      CONFIG("\"127.0.0.1:@PORT@\", \"unix:@DIR@/activated.sock\""));
    for (int i = 0; i < 2; i++) {
        assert_ctl(0, "upgrade");
        assert_exit(&server, 0);
        server.pid = (pid_t)service_status("pid");
        cr_assert_eq(holds(server.pid, fds[0]), 1);
        cr_assert_eq(holds(server.pid, fds[1]), 1);
        assert_body(fetch(server.port, "/hello"), STR("hello"));
    }
    assert_stop(&server, 0);
    cr_assert_eq(access(path, F_OK), 0, "the file of a unix socket that belongs to somebody else is removed");
}

Test(activation, the_tool_of_systemd)
{
    if (access("/usr/bin/systemd-socket-activate", X_OK) != 0)
        harness_skip("there is no systemd-socket-activate");
    service_install();
    file_directory("run");
    file_directory("www");
    file_write("tern.yaml", str_of(harness_expand(CONFIG("\"fd:web\", \"127.0.0.1:@PORT1@\""))));
    struct command command = {.arguments = {"systemd-socket-activate", "-l", harness_expand("127.0.0.1:@PORT@"), "-l",
                                            harness_expand("127.0.0.1:@PORT1@"), "--fdname=web:other", "-E",
                                            "ASAN_OPTIONS", "-E", "UBSAN_OPTIONS", service_binary(), "-c",
                                            file_path("tern.yaml")},
                              .err = "tern.log"};
    struct server server = {.pid = command_start(&command), .port = harness_port(0)};
    cr_assert(until(!server_refuses(&server)));
    /* The tool starts the server at the first connection, which it finds in its queue. */
    assert_body(fetch(server.port, "/hello"), STR("hello"));
    assert_body(fetch(harness_port(1), "/hello"), STR("hello"));
    pid_t workers[WORKERS];
    server_workers(&server, workers, WORKERS);
    cr_assert_not(service_logged("is in no `listen`"), "%s", server_log(&server).p);
    assert_stop(&server, 0);
}
