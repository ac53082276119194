/* Upgrade: another binary takes over, with the same sockets, or fails to and changes nothing. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "service.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WORKERS = 2, REFUSED = 4 /* exit status of ternctl */ };

TestSuite(upgrade, .init = harness_begin, .fini = harness_end);

#define UNIX "unix:@DIR@/run/web.sock"
#define BOTH "127.0.0.1:@PORT@\", \"" UNIX

static pid_t written_pid(void)
{
    return atoi(harness_text(STR_FMT, STR_ARG(file_read("run/tern.pid"))));
}

/* Waits for the end of the old master, which has nothing to complain of; `server` is the new one afterwards. */
static void assert_succession(struct server *server)
{
    pid_t old = server->pid;
    assert_exit(server, 0);
    cr_assert(until(written_pid() > 0 && written_pid() != old), "the pid file still says %d", old);
    server->pid = written_pid();
    cr_assert_eq(service_status("pid"), server->pid);
    pid_t workers[WORKERS];
    server_workers(server, workers, WORKERS);
}

/* ---- what works ---- */

Test(upgrade, usr2_under_load_loses_nothing)
{
    struct server server = service_start();
    struct load *load = service_load(server.port, NULL);
    for (int i = 0; i < 10; i++) {
        service_install();
        assert_load_goes_on(load, 50);
        kill(server.pid, SIGUSR2);
        assert_succession(&server);
    }
    assert_load_goes_on(load, 50);
    assert_no_loss(load);
    assert_stop(&server, 0);
    cr_assert(server_refuses(&server));
}

static ino_t inode(const char *path)
{
    struct stat info;
    cr_assert_eq(stat(path, &info), 0, "%s: %m", path);
    return info.st_ino;
}

static ino_t running_binary(pid_t pid)
{
    return inode(harness_text("/proc/%d/exe", pid));
}

/* There and back again: it is the file on disk that runs in the end. */
Test(upgrade, the_binary_on_disk_takes_over)
{
    struct server server = service_start();
    const char *kept = file_path("bin/tern.old");
    cr_assert_eq(link(service_binary(), kept), 0);
    ino_t old = running_binary(server.pid);
    service_install();
    cr_assert_neq(inode(service_binary()), old);
    assert_ctl(0, "upgrade");
    assert_succession(&server);
    cr_assert_eq(running_binary(server.pid), inode(service_binary()));

    cr_assert_eq(rename(kept, service_binary()), 0);
    assert_ctl(0, "upgrade");
    assert_succession(&server);
    cr_assert_eq(running_binary(server.pid), old);
    assert_stop(&server, 0);
}

/* ternctl comes back when the new one serves; its answer says who that is. */
Test(upgrade, ternctl_tells_the_new_pid)
{
    struct server server = service_start();
    struct str told;
    assert_ctl_tells(&told, 0, "--json", "upgrade");
    const char *pid = strstr(told.p, "\"pid\":");
    cr_assert(pid, "%s", told.p);
    assert_succession(&server);
    cr_assert_eq(atoi(pid + strlen("\"pid\":")), server.pid, "%s", told.p);
    assert_stop(&server, 0);
}

Test(upgrade, the_new_one_reads_the_new_configuration)
{
    struct server server = service_start();
    struct load *load = service_load(server.port, NULL);
    service_write(.listen = "127.0.0.1:@PORT@\", \"127.0.0.1:@PORT1@", .version = "2");
    assert_ctl(0, "upgrade");
    assert_body(fetch(harness_port(1), "/version"), STR("2"));
    assert_succession(&server);
    assert_body(fetch(server.port, "/version"), STR("2"));
    service_write(.version = "3");
    assert_ctl(0, "upgrade");
    assert_succession(&server);
    cr_assert(until(server_refuses(&(struct server){.port = harness_port(1)})), "a listener stays that nobody wants");
    assert_no_loss(load);
    assert_stop(&server, 0);
}

/* After it the server can do all that it could before, and leaves nothing behind in the end. */
Test(upgrade, sockets_and_files_are_those_of_the_new_one)
{
    struct server server = service_start(.listen = BOTH);
    const char *path = file_path("run/web.sock");
    struct load *load = service_load(0, path);
    ino_t web = inode(path), control = inode(service_control());
    for (int i = 0; i < 3; i++) {
        assert_ctl(0, "upgrade");
        assert_succession(&server);
        cr_assert_eq(inode(path), web);
        cr_assert_eq(inode(service_control()), control);
        service_write(.listen = BOTH, .version = harness_text("reloaded %d", i));
        assert_ctl(0, "reload");
        cr_assert(service_serves(server.port, harness_text("reloaded %d", i)));
    }
    assert_no_loss(load);
    assert_stop(&server, 0);
    cr_assert_neq(access(path, F_OK), 0, "the file of the unix socket stays");
    cr_assert_neq(access(service_control(), F_OK), 0, "the file of the control socket stays");
    cr_assert_neq(access(service_pid_file(), F_OK), 0, "the pid file stays");
}

Test(upgrade, descriptors_do_not_grow)
{
    enum { WARM_UP = 2, UPGRADES = 8 };
    struct server server = service_start(.listen = BOTH);
    size_t descriptors = 0;
    for (int i = 0; i < UPGRADES; i++) {
        if (i == WARM_UP)
            descriptors = service_descriptors(server.pid);
        assert_ctl(0, "upgrade");
        assert_succession(&server);
    }
    cr_assert(until(service_descriptors(server.pid) <= descriptors), "%zu descriptors, were %zu",
              service_descriptors(server.pid), descriptors);
    assert_stop(&server, 0);
}

/* The old master stays for what is under way, and no longer. */
Test(upgrade, a_download_is_complete)
{
    struct server server = service_start(.more = "timeouts: {grace: 30s}\n");
    struct client *download = service_download(server.port), *idle = service_idle(server.port);
    service_write(.version = "2");
    assert_ctl(0, "upgrade");
    cr_assert_not(service_is_gone(server.pid), "the old master has left its workers");
    assert_body(fetch(server.port, "/version"), STR("2"));
    struct response r = get(idle, "/version");
    assert_status(r, 200);
    assert_body(r, STR("1"));
    assert_field(r, "Connection", "close");
    client_close(idle);
    service_finish_download(download);
    client_close(download);
    assert_succession(&server);
    assert_stop(&server, 0);
}

/* ---- what fails ---- */

static void install(const char *content, mode_t mode)
{
    file_replace("bin/tern", str_of(content));
    cr_assert_eq(chmod(service_binary(), mode), 0);
}

/* The server stays who it is, and says why; and then another upgrade may succeed. */
static void assert_refused(const struct server *server, const char *reason)
{
    pid_t workers[WORKERS], now[WORKERS];
    server_workers(server, workers, WORKERS);
    size_t descriptors = service_descriptors(server->pid), logged = service_log_count(reason);
    struct str told;
    assert_ctl_tells(&told, REFUSED, "upgrade");
    cr_assert(strstr(told.p, reason), "not told '%s', but: %s", reason, told.p);
    cr_assert_gt(service_log_count(reason), logged, "'%s' is not logged:\n%s", reason, server_log(server).p);
    server_workers(server, now, WORKERS);
    cr_assert_arr_eq(now, workers, sizeof now, "other workers:\n%s", server_log(server).p);
    cr_assert_eq(written_pid(), server->pid);
    cr_assert_eq(service_status("pid"), server->pid);
    cr_assert(until(service_descriptors(server->pid) <= descriptors), "%zu descriptors, were %zu",
              service_descriptors(server->pid), descriptors);
}

Test(upgrade, a_binary_that_cannot_start)
{
    static const struct {
        const char *content;
        mode_t mode;
        const char *reason;
    } table[] = {
        {"#!/bin/sh\nexit 1\n", 0755, "the new binary ended without a word"},
        {"#!/bin/sh\nexit 0\n", 0755, "the new binary ended without a word"},
        {"#!/bin/sh\nkill -9 $$\n", 0755, "the new binary ended without a word"},
        {"#!/bin/sh\nexit 1\n", 0644, "Permission denied"},
        {"this is no program\n", 0755, "Exec format error"},
        {"#!/no/such/interpreter\n", 0755, "No such file"},
    };
    struct server server = service_start(.listen = BOTH);
    struct load *load = service_load(server.port, NULL);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        install(table[i].content, table[i].mode);
        assert_refused(&server, table[i].reason);
    }
    cr_assert_eq(remove(service_binary()), 0);
    assert_refused(&server, "No such file");
    service_install();
    assert_ctl(0, "upgrade");
    assert_succession(&server);
    assert_no_loss(load);
    assert_body(get(client_open_unix(file_path("run/web.sock")), "/hello"), STR("hello"));
    assert_stop(&server, 0);
}

/* The old one does not read the file: what is wrong with it, the new one finds. */
Test(upgrade, a_configuration_that_cannot_be_used)
{
    struct server server = service_start();
    struct load *load = service_load(server.port, NULL);
    file_replace("tern.yaml", str_of(harness_expand("listen: 127.0.0.1:@PORT@\nno_such_key: 1\n"
                                                    "sites: [{routes: [{path: /, respond: {body: x}}]}]\n")));
    assert_refused(&server, "tern.yaml:2:1: ");
    file_replace("tern.yaml", str_of(harness_expand("listen: 192.0.2.1:@PORT@\n"
                                                    "sites: [{routes: [{path: /, respond: {body: x}}]}]\n")));
    assert_refused(&server, "192.0.2.1");
    service_write(.version = "2");
    assert_ctl(0, "upgrade");
    assert_succession(&server);
    assert_no_loss(load);
    assert_body(fetch(server.port, "/version"), STR("2"));
    assert_stop(&server, 0);
}

static bool hangs(void)
{
    return access(file_path("run/hanging"), F_OK) == 0;
}

static void start_one_that_hangs(const struct server *server)
{
    install(harness_expand("#!/bin/sh\necho $$ > @DIR@/run/hanging.new\n"
                           "mv @DIR@/run/hanging.new @DIR@/run/hanging\nexec sleep 1000\n"),
            0755);
    kill(server->pid, SIGUSR2);
    cr_assert(until(hangs()), "it is not started");
}

/* While it is waited for, the server is whole. */
Test(upgrade, one_that_hangs_stops_nobody)
{
    struct server server = service_start();
    struct load *load = service_load(server.port, NULL);
    start_one_that_hangs(&server);
    pid_t hanging = atoi(file_read("run/hanging").p);
    assert_load_goes_on(load, 100);
    cr_assert_eq(service_status("pid"), server.pid);
    assert_no_loss(load);
    assert_stop(&server, 0);
    cr_assert(until(service_is_gone(hanging)), "what hung lives on");
    cr_assert(server_refuses(&server));
}

/* What cannot be had at once is had one after the other. */
Test(upgrade, reload_and_upgrade_at_once)
{
    struct server server = service_start();
    struct load *load = service_load(server.port, NULL);
    for (int i = 0; i < 5; i++) {
        const char *version = harness_text("%d", i);
        service_write(.version = version);
        kill(server.pid, i % 2 ? SIGHUP : SIGUSR2);
        kill(server.pid, i % 2 ? SIGUSR2 : SIGHUP);
        assert_succession(&server);
        cr_assert(until(service_serves(server.port, version)));
    }
    assert_no_loss(load);
    assert_stop(&server, 0);
}

/* Each of two requests is answered by an upgrade, the same one or the next. */
Test(upgrade, two_at_once)
{
    struct server server = service_start();
    struct load *load = service_load(server.port, NULL);
    for (int i = 0; i < 3; i++) {
        kill(server.pid, SIGUSR2);
        kill(server.pid, SIGUSR2);
        assert_succession(&server);
        kill(server.pid, SIGUSR2);
        assert_succession(&server);
    }
    assert_no_loss(load);
    assert_stop(&server, 0);
}
