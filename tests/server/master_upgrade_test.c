/* Upgrades: which sockets the successor takes and which it lets go, what a failure gives back, and whom a signal or an
 * order reaches while two masters live. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "service.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { REFUSED = 4 /* exit status of ternctl */ };

TestSuite(master_upgrade, .init = harness_begin, .fini = harness_end);

#define UNIX "unix:@DIR@/run/web.sock"
#define SITES                                                                                                          \
    "sites: [{routes: [{exact: /hello, respond: {body: hello}}, {exact: /version, respond: {body: \"2\"}},"            \
    " {exact: /echo, echo: {}}]}]\n"

static void write_config(const char *text)
{
    file_replace("tern.yaml", str_of(harness_expand(text)));
}

static ino_t inode(const char *path)
{
    struct stat info;
    cr_assert_eq(stat(path, &info), 0, "%s: %m", path);
    return info.st_ino;
}

static pid_t written_pid(void)
{
    return atoi(harness_text(STR_FMT, STR_ARG(file_read("run/tern.pid"))));
}

/* The end of the old master; `server` is the new one afterwards. */
static void assert_succession(struct server *server)
{
    pid_t old = server->pid;
    assert_exit(server, 0);
    cr_assert(until(written_pid() > 0 && written_pid() != old), "the pid file still says %d", old);
    server->pid = written_pid();
}

/* Whether a connection is refused, at once. Where nobody accepts, it hangs instead as soon as the queue is full. */
static bool refuses(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)harness_port(port))};
    static const struct timeval patience = {.tv_sec = 1};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    bool refused = connect(fd, (struct sockaddr *)&address, sizeof address) < 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

/* A request that a worker serves, and whose content it waits for. */
static struct client *begin_upload(int port)
{
    struct client *c = client_open(port);
    assert_status(ask(c, "POST /echo?slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n"
                         "Expect: 100-continue\r\n\r\n"),
                  100);
    return c;
}

/* Starts the binary of this name once more, with what it was started with before. */
static pid_t start_as(const char *program)
{
    return command_start(&(struct command){
        .arguments = {program, "-c", file_path("tern.yaml"), "--pid", service_pid_file()}, .err = "tern.log"});
}

/* ---- which sockets live on ---- */

Test(master_upgrade, a_port_that_is_dropped_refuses)
{
    struct server server = service_start(.listen = "127.0.0.1:@PORT@\", \"127.0.0.1:@PORT1@\", \"" UNIX);
    assert_body(fetch(harness_port(1), "/hello"), STR("hello"));
    service_write(.version = "2");
    assert_ctl(0, "upgrade");
    assert_succession(&server);
    cr_assert(until(refuses(1)), "a port is open that nobody serves");
    cr_assert(service_serves(server.port, "2"));
    assert_stop(&server, 0);
}

/* The address is another one, and the port is in use: by ourselves. */
Test(master_upgrade, an_address_may_become_narrower_and_wider)
{
    static const char *const listen[] = {"127.0.0.1:@PORT@", "0.0.0.0:@PORT@"};
    struct server server = service_start(.listen = "0.0.0.0:@PORT@");
    for (int i = 0; i < 4; i++) {
        const char *version = harness_text("%d", i);
        service_write(.listen = listen[i % 2], .version = version);
        assert_ctl(0, "upgrade");
        assert_succession(&server);
        cr_assert(until(service_serves(server.port, version)));
    }
    assert_stop(&server, 0);
}

/* A connection to the place where it was: 0 or an error number. */
static int try_control(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, service_control(), strlen(service_control()));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int error = connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ? errno : 0;
    close(fd);
    return error;
}

/* What the old one listened on for control is held by nobody then: who connects is not kept waiting. */
Test(master_upgrade, without_a_control_socket_the_old_one_refuses)
{
    struct server server = service_start();
    struct client *upload = begin_upload(server.port);
    write_config("listen: 127.0.0.1:@PORT@\nworkers: 2\ncontrol: off\n" SITES);
    assert_ctl(0, "upgrade");
    cr_assert_neq(try_control(), 0, "somebody listens, who has handed over");
    assert_status(ask(upload, "0123456789"), 200);
    assert_succession(&server);
    cr_assert_neq(try_control(), 0, "somebody listens, who is to have no control socket");
    assert_body(fetch(server.port, "/version"), STR("2"));
    assert_stop(&server, 0);
}

/* The name is that of the file to be run, not that of the file it led to when the server was started. */
Test(master_upgrade, a_link_that_points_elsewhere_is_followed)
{
    struct server server = service_start();
    assert_stop(&server, 0);
    const char *link = file_path("bin/current"), *next = file_path("bin/tern-next");
    file_write("bin/tern-next", file_read("bin/tern"));
    cr_assert_eq(chmod(next, 0755), 0);
    cr_assert_eq(symlink("tern", link), 0);
    server.pid = start_as(link);
    cr_assert(until(service_is_ready(server.pid)), "%s", server_log(&server).p);
    cr_assert_eq(inode(harness_text("/proc/%d/exe", server.pid)), inode(service_binary()));

    cr_assert_eq(unlink(link), 0);
    cr_assert_eq(symlink("tern-next", link), 0);
    kill(server.pid, SIGUSR2);
    assert_succession(&server);
    cr_assert_eq(inode(harness_text("/proc/%d/exe", server.pid)), inode(next), "the old target runs");
    assert_body(fetch(server.port, "/hello"), STR("hello"));
    assert_stop(&server, 0);
}

/* ---- what a failure gives back ---- */

static void assert_web_serves(const char *version)
{
    struct client *c = client_open_unix(file_path("run/web.sock"));
    assert_body(get(c, "/version"), str_of(version));
    client_close(c);
}

static int occupy(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)harness_port(port))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    cr_assert(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0, "%m");
    return fd;
}

Test(master_upgrade, a_port_in_use_is_told_and_costs_nothing)
{
    struct server server = service_start(.listen = "127.0.0.1:@PORT@\", \"" UNIX);
    const char *path = file_path("run/web.sock");
    ino_t web = inode(path), control = inode(service_control());
    int taken = occupy(1);
    struct str told;
    service_write(.listen = "127.0.0.1:@PORT@\", \"" UNIX "\", \"unix:@DIR@/run/more.sock\", \"127.0.0.1:@PORT1@",
                  .version = "2");
    assert_ctl_tells(&told, REFUSED, "upgrade");
    cr_assert(strstr(told.p, harness_expand("cannot listen on 127.0.0.1:@PORT1@: Address already in use")), "%s",
              told.p);
    cr_assert(inode(path) == web && inode(service_control()) == control, "a socket's file is another one");
    cr_assert_neq(access(file_path("run/more.sock"), F_OK), 0, "a socket is left behind");
    assert_web_serves("1");
    assert_body(fetch(server.port, "/version"), STR("1"));
    cr_assert_eq(service_status("pid"), server.pid);

    close(taken);
    assert_ctl(0, "upgrade");
    assert_succession(&server);
    assert_web_serves("2");
    assert_stop(&server, 0);
}

/* ---- when it is asked for ---- */

static unsigned long long blocked_signals(pid_t pid)
{
    unsigned long long blocked = 0;
    char line[256];
    FILE *file = fopen(harness_text("/proc/%d/status", pid), "re");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "SigBlk: %llx", &blocked) == 1)
            break;
    if (file)
        fclose(file);
    return blocked;
}

/* How often an upgrade has begun, once everything that was asked for has been done. */
static size_t upgrades_after_reload(struct server *server)
{
    enum { WORKERS = 2 };
    pid_t workers[WORKERS];
    for (int i = 0; i < 2; i++) {
        service_write(.version = "reloaded");
        assert_ctl(0, "reload");
        server_workers(server, workers, WORKERS);
    }
    cr_assert_eq(service_status("pid"), server->pid, "another server has taken over:\n%s", server_log(server).p);
    return service_log_count("upgrade: starting ");
}

/* While the server waits for its port, it is asked: then it is replaced as soon as it serves, and not once more when
 * somebody reloads it, hours later. */
Test(master_upgrade, asked_for_during_the_start_it_is_no_surprise_later)
{
    struct server server = service_start();
    assert_stop(&server, 0);
    int taken = occupy(0);
    server.pid = start_as(service_binary());
    cr_assert(until(blocked_signals(server.pid) >> (SIGUSR2 - 1) & 1));
    kill(server.pid, SIGUSR2);
    close(taken);
    assert_succession(&server);
    cr_assert_eq(upgrades_after_reload(&server), 1, "%s", server_log(&server).p);
    assert_stop(&server, 0);
}

static void install_one_that_fails_when_told(void)
{
    file_replace("bin/tern", str_of(harness_expand("#!/bin/sh\n: > @DIR@/run/started\n"
                                                   "while [ ! -e @DIR@/run/fail ]; do sleep 0.02; done\nexit 1\n")));
    cr_assert_eq(chmod(service_binary(), 0755), 0);
}

/* Who asks while one is on its way has asked for that one, and its failure is the answer to both. */
Test(master_upgrade, two_requests_are_answered_by_one_failure)
{
    struct server server = service_start();
    install_one_that_fails_when_told();
    pid_t first = service_ctl_start((const char *const[]){"upgrade", NULL});
    cr_assert(until(access(file_path("run/started"), F_OK) == 0));
    kill(server.pid, SIGUSR2);
    struct client *second = client_open_unix(service_control());
    client_send(second, STR("upgrade\n"));
    assert_ctl(0, "status"); /* now the master has heard it */
    file_write("run/fail", STR(""));
    cr_assert_eq(command_wait(first), REFUSED);
    struct str answer = client_take_through(second, STR("\n"));
    cr_assert(str_starts(answer, STR("{\"ok\":false")), STR_FMT, STR_ARG(answer));
    service_install();
    cr_assert_eq(upgrades_after_reload(&server), 1, "%s", server_log(&server).p);
    assert_stop(&server, 0);
}

/* ---- while two masters live ---- */

#define LOGS "log: {access: @DIR@/run/access.log}\n"

static bool is_in(const char *name, const char *text)
{
    struct str content = file_read(name);
    return content.n && memmem(content.p, content.n, text, strlen(text));
}

/* Where an upload and its line in the log are the old server's, and all else the new one's. */
static struct client *upgrade_with_an_upload(struct server *server)
{
    struct client *upload = begin_upload(server->port);
    service_write(.version = "2", .more = LOGS);
    assert_ctl(0, "upgrade");
    cr_assert_not(service_is_gone(server->pid), "the old master has left its workers");
    return upload;
}

Test(master_upgrade, logs_are_reopened_by_both)
{
    struct server server = service_start(.more = LOGS);
    struct client *upload = upgrade_with_an_upload(&server);
    cr_assert_eq(rename(file_path("run/access.log"), file_path("run/access.old")), 0);
    assert_ctl(0, "reopen");
    assert_status(fetch(server.port, "/hello?new"), 200);
    assert_status(ask(upload, "0123456789"), 200);
    assert_succession(&server);
    assert_stop(&server, 0);
    cr_assert(is_in("run/access.log", "/echo?slow"), "the old server still writes to the old file");
    cr_assert(is_in("run/access.log", "/hello?new"));
    cr_assert_not(is_in("run/access.old", "/echo?slow") || is_in("run/access.old", "/hello?new"));
}

/* Who knows the old one's id only, reaches the new one. */
Test(master_upgrade, a_signal_to_the_old_one_reaches_the_new_one)
{
    struct server server = service_start(.more = LOGS);
    struct client *upload = upgrade_with_an_upload(&server);
    service_write(.version = "3", .more = LOGS);
    kill(server.pid, SIGHUP);
    cr_assert(until(service_serves(server.port, "3")), "%s", server_log(&server).p);
    cr_assert_eq(rename(file_path("run/access.log"), file_path("run/access.old")), 0);
    kill(server.pid, SIGUSR1);
    cr_assert(until(access(file_path("run/access.log"), F_OK) == 0), "the logs are not reopened");
    assert_status(ask(upload, "0123456789"), 200);
    assert_succession(&server);
    assert_stop(&server, 0);
}

static bool pidfile_is_of(pid_t pid)
{
    return str_eq(file_read(service_pid_file()), str_of(harness_text("%d\n", (int)pid)));
}

/* Whether the old one has ended by then or not. */
Test(master_upgrade, the_pid_file_goes_with_the_new_one)
{
    struct server server = service_start(.more = LOGS);
    struct client *upload = upgrade_with_an_upload(&server);
    pid_t heir = (pid_t)service_status("pid");
    cr_assert_neq(heir, server.pid);
    cr_assert(until(pidfile_is_of(heir)));
    kill(heir, SIGTERM);
    cr_assert(until(service_is_gone(heir)));
    cr_assert_lt(access(service_pid_file(), F_OK), 0, "it is left behind");
    assert_status(ask(upload, "0123456789"), 200);
    assert_exit(&server, 0);
}
