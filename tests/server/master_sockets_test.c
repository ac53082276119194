/* The master's sockets: those of another server are never touched, those of a generation that did not come about are
 * nobody's, and the control socket goes where the configuration says. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "service.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { FAILED = 1, REFUSED = 4 /* exit status of ternctl */ };

TestSuite(master_sockets, .init = harness_begin, .fini = harness_end);

#define UNIX "unix:@DIR@/run/web.sock"
#define LISTEN "listen: 127.0.0.1:@PORT@\nworkers: 2\n"
#define SITES "sites: [{routes: [{exact: /hello, respond: {body: hello}}]}]\n"

static struct stat look(const char *path)
{
    struct stat info;
    cr_assert_eq(lstat(path, &info), 0, "%s: %m", path);
    return info;
}

static void write_config(const char *text)
{
    file_replace("tern.yaml", str_of(harness_expand(text)));
}

/* ---- sockets of others ---- */

static void assert_web_is(ino_t inode)
{
    const char *path = file_path("run/web.sock");
    cr_assert_eq(look(path).st_ino, inode, "the file is another one");
    struct client *c = client_open_unix(path);
    assert_body(get(c, "/hello"), STR("hello"));
    client_close(c);
}

Test(master_sockets, a_second_server_leaves_the_live_socket_alone)
{
    struct server server = service_start(.listen = UNIX);
    ino_t web = look(file_path("run/web.sock")).st_ino;
    file_write("second.yaml", str_of(harness_expand("listen: \"" UNIX "\"\ncontrol: off\n" SITES)));
    struct result r = run_tern("-c", "@DIR@/second.yaml");
    cr_assert_eq(r.status, FAILED, "status %d: %s", r.status, r.err.p);
    cr_assert(strstr(r.err.p, "Address already in use"), "%s", r.err.p);
    assert_web_is(web);
    assert_stop(&server, 0);
}

/* Neither what another server listens on, nor what is no socket at all. */
Test(master_sockets, a_refused_reload_removes_no_file_of_others)
{
    struct server first = service_start(.listen = UNIX);
    ino_t web = look(file_path("run/web.sock")).st_ino;
    file_write("run/notes", STR("not a socket"));
    file_write("second.yaml",
               str_of(harness_expand("listen: 127.0.0.1:@PORT@\ncontrol: @DIR@/run/second.sock\n" SITES)));
    struct server second = {.pid = command_start(&(struct command){
                                .arguments = {service_binary(), "-c", file_path("second.yaml")}, .err = "second.log"}),
                            .port = harness_port(0)};
    cr_assert(until(!server_refuses(&second)));
    static const char *const taken[] = {"web.sock", "notes"};
    for (size_t i = 0; i < 2; i++) {
        const char *listen = harness_text("listen: [127.0.0.1:@PORT@, 127.0.0.1:@PORT1@, \"unix:@DIR@/run/%s\"]\n"
                                          "control: @DIR@/run/second.sock\n" SITES,
                                          taken[i]);
        file_replace("second.yaml", str_of(harness_expand(listen)));
        struct result r = command_run(
            &(struct command){.arguments = {service_ctl_path(), "-S", file_path("run/second.sock"), "reload"}});
        cr_assert_eq(r.status, REFUSED, "status %d: %s", r.status, r.err.p);
        cr_assert(strstr(r.err.p, taken[i]), "%s", r.err.p);
        assert_web_is(web);
        cr_assert(str_eq(file_read("run/notes"), STR("not a socket")));
        cr_assert(server_refuses(&(struct server){.port = harness_port(1)}), "a port is left open");
    }
    assert_body(fetch(second.port, "/hello"), STR("hello"));
    assert_stop(&second, 0);
    assert_stop(&first, 0);
}

/* ---- sockets of a generation that did not come about ---- */

/* A socket that is bound and listened on gets its share of the connections, whether anybody accepts there or not. */
Test(master_sockets, after_a_refused_reload_with_more_workers_no_connection_hangs)
{
    static const char *const refused[] = {"log: {access: @DIR@/no/access.log}\n", "no_such_key: 1\n",
                                          "user: no_such_user\n"};
    enum { CONNECTIONS = 64 };
    struct server server = service_start(.workers = 1);
    size_t sockets = server_sockets(server.pid);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        service_write(.workers = 4, .more = refused[i]);
        assert_ctl(REFUSED, "reload");
        cr_assert(until(server_sockets(server.pid) <= sockets), "sockets are left open: %zu, were %zu",
                  server_sockets(server.pid), sockets);
        for (int j = 0; j < CONNECTIONS; j++)
            assert_body(fetch(server.port, "/hello"), STR("hello"));
    }
    assert_stop(&server, 0);
}

/* ---- what workers inherit ---- */

/* Open descriptors of a process that lead to this path or to what lies below it. */
static size_t descriptors_below(pid_t pid, const char *directory)
{
    size_t count = 0;
    for (int fd = 0; fd < 256; fd++) {
        char target[256];
        ssize_t n = readlink(harness_text("/proc/%d/fd/%d", pid, fd), target, sizeof target);
        count += n > 0 && str_starts((struct str){target, (size_t)n}, str_of(directory));
    }
    return count;
}

Test(master_sockets, workers_keep_nothing_of_older_generations)
{
    static const char route[] = "      - {path: /more/, files: {root: @DIR@/%s}}\n";
    static const char *const roots[] = {"root-1", "root-2", "root-3"};
    for (int i = 0; i < 3; i++)
        file_directory(roots[i]);
    struct server server =
        service_start(.workers = 1, .routes = harness_text(route, roots[0]), .more = "timeouts: {grace: 1h}\n");
    struct client *idle[2];
    pid_t all[3] = {0};
    server_workers(&server, all, 1);
    cr_assert_geq(descriptors_below(all[0], file_path(roots[0])), 1);
    for (int i = 1; i < 3; i++) {
        idle[i - 1] = service_idle(server.port);
        service_write(.workers = 1, .routes = harness_text(route, roots[i]), .more = "timeouts: {grace: 1h}\n");
        assert_ctl(0, "reload");
        server_workers(&server, all, (size_t)i + 1);
    }
    for (int worker = 0; worker < 3; worker++)
        for (int root = 0; root < 3; root++)
            cr_assert_eq(descriptors_below(all[worker], file_path(roots[root])) > 0, worker == root,
                         "worker %d has root %d", worker, root);
    client_close(idle[0]);
    client_close(idle[1]);
    assert_stop(&server, 0);
}

/* ---- the control socket ---- */

static void assert_answers(const char *control, int status)
{
    struct result r = command_run(&(struct command){.arguments = {service_ctl_path(), "-S", control, "status"}});
    cr_assert_eq(r.status, status, "status %d, not %d: %s%s", r.status, status, r.out.p, r.err.p);
}

Test(master_sockets, a_reload_moves_the_control_socket)
{
    enum { NO_SERVER = 7 };
    struct server server = service_start();
    const char *elsewhere = file_path("run/elsewhere.sock");
    write_config(LISTEN "control: @DIR@/no/control.sock\n" SITES);
    assert_ctl(REFUSED, "reload");
    assert_answers(service_control(), 0);

    write_config(LISTEN "control: @DIR@/run/elsewhere.sock\n" SITES);
    assert_ctl(0, "reload");
    assert_answers(elsewhere, 0);
    cr_assert(until(access(service_control(), F_OK) != 0), "the old file stays");
    assert_answers(service_control(), NO_SERVER);

    write_config(LISTEN "control: off\n" SITES);
    kill(server.pid, SIGHUP);
    cr_assert(until(access(elsewhere, F_OK) != 0), "the file stays, though there is to be none");
    assert_answers(elsewhere, NO_SERVER);
    assert_body(fetch(server.port, "/hello"), STR("hello"));

    write_config(LISTEN "control: @DIR@/run/control.sock\n" SITES);
    kill(server.pid, SIGHUP);
    cr_assert(until(access(service_control(), F_OK) == 0), "it does not come back:\n%s", server_log(&server).p);
    assert_answers(service_control(), 0);
    assert_stop(&server, 0);
    cr_assert_neq(access(service_control(), F_OK), 0, "the file of the control socket stays");
}

/* Where another server listens for control, a reload does not go. */
Test(master_sockets, a_reload_takes_no_control_socket_from_another_server)
{
    struct server server = service_start();
    const char *path = file_path("run/others.sock");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path));
    int other = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(bind(other, (struct sockaddr *)&address, sizeof address) == 0 && listen(other, 1) == 0, "%m");
    ino_t inode = look(path).st_ino;
    write_config(LISTEN "control: @DIR@/run/others.sock\n" SITES);
    assert_ctl(REFUSED, "reload");
    cr_assert_eq(look(path).st_ino, inode);
    assert_answers(service_control(), 0);
    close(other);
    assert_stop(&server, 0);
}

/* Without a user, the workers of root are nobody's: that gives nobody else the right to ask. */
Test(master_sockets, without_a_user_the_control_socket_is_root_s)
{
    if (geteuid() != 0)
        harness_skip("needs root");
    struct server server = service_start();
    struct stat info = look(service_control());
    cr_assert(info.st_uid == 0 && info.st_gid == 0, "it belongs to %u:%u", info.st_uid, info.st_gid);
    cr_assert_eq(info.st_mode & 07777, 0660);
    assert_stop(&server, 0);
}
