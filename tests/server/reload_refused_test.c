/* Reload: what can't be used changes nothing, and whoever asked is told why. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "service.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WORKERS = 2, REFUSED = 4 /* exit status of ternctl */ };

TestSuite(reload_refused, .init = harness_begin, .fini = harness_end);

static void assert_same_workers(const struct server *server, const pid_t *workers)
{
    pid_t now[WORKERS];
    server_workers(server, now, WORKERS);
    cr_assert_arr_eq(now, workers, sizeof now, "other workers:\n%s", server_log(server).p);
}

/* Asks for a reload, which is refused for this reason, by ternctl and in the log; and everything is as before. */
static void assert_refused(const struct server *server, const char *reason)
{
    pid_t workers[WORKERS];
    server_workers(server, workers, WORKERS);
    size_t descriptors = service_descriptors(server->pid), logged = service_log_count(harness_expand(reason));
    struct str told;
    assert_ctl_tells(&told, REFUSED, "reload");
    cr_assert(strstr(told.p, harness_expand(reason)), "not told '%s', but: %s", harness_expand(reason), told.p);
    cr_assert_gt(service_log_count(harness_expand(reason)), logged, "'%s' is not logged:\n%s", harness_expand(reason),
                 server_log(server).p);
    assert_same_workers(server, workers);
    assert_body(fetch(server->port, "/version"), STR("1"));
    cr_assert(until(service_descriptors(server->pid) <= descriptors), "%zu descriptors, were %zu",
              service_descriptors(server->pid), descriptors);
}

/* After all that was refused, what is good is taken. */
static void assert_taken(const struct server *server)
{
    service_write(.version = "good");
    assert_ctl(0, "reload");
    assert_body(fetch(server->port, "/version"), STR("good"));
}

static void write_config(const char *text)
{
    file_replace("tern.yaml", str_of(harness_expand(text)));
}

#define SITES "sites: [{routes: [{path: /, respond: {body: x}}]}]\n"
#define LISTEN "listen: 127.0.0.1:@PORT@\n"

Test(reload_refused, whatever_is_wrong_with_the_file)
{
    static const struct {
        const char *config, *reason;
    } table[] = {
        {"listen: [\n", "tern.yaml:2:1: "},
        {"", "tern.yaml:"},
        {"# nothing but a comment\n", "tern.yaml:"},
        {LISTEN "no_such_key: 1\n" SITES, "tern.yaml:2:1: error: "},
        {LISTEN "workers: many\n" SITES, "tern.yaml:2:10: error: "},
        {LISTEN, "sites"},
        {LISTEN "include: parts/no_such_file.yaml\n" SITES, "no_such_file.yaml"},
        {LISTEN "mime_types: @DIR@/no/mime.types\n" SITES, "tern.yaml:2:13: error: "},
        {LISTEN "user: no_such_user\n" SITES, "tern.yaml:2:7: error: "},
        {"listen: [\"127.0.0.1:@PORT@\", \"127.0.0.1:@PORT@\"]\n" SITES, "tern.yaml:1:29: error: "},
        {LISTEN "workers: ${TERN_TEST_UNSET}\n" SITES, "TERN_TEST_UNSET"},
        {LISTEN "log: {access: @DIR@/no/access.log}\n" SITES, "@DIR@/no/access.log"},
        {LISTEN "log: {error: @DIR@/no/error.log}\n" SITES, "@DIR@/no/error.log"},
        {"listen: unix:@DIR@/no/web.sock\n" SITES, "unix:@DIR@/no/web.sock"},
        {"listen: 192.0.2.1:@PORT@\n" SITES, "192.0.2.1:@PORT@"},
        {LISTEN "sites: [{routes: [{path: /, files: {root: @DIR@/www}, auth: {file: @DIR@/no/users}}]}]\n",
         "@DIR@/no/users"},
    };
    struct server server = service_start();
    struct load *load = service_load(server.port, NULL);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        write_config(table[i].config);
        assert_refused(&server, table[i].reason);
    }
    assert_taken(&server);
    assert_no_loss(load);
    assert_stop(&server, 0);
}

Test(reload_refused, a_file_that_is_none)
{
    struct server server = service_start();
    file_replace("tern.yaml", (struct str){LISTEN "\0" SITES, sizeof LISTEN + sizeof SITES - 1});
    assert_refused(&server, "tern.yaml:");
    file_replace("tern.yaml", file_fill('#', 20 << 20));
    assert_refused(&server, "tern.yaml: ");
    cr_assert_eq(remove(file_path("tern.yaml")), 0);
    assert_refused(&server, "tern.yaml: ");
    cr_assert_eq(mkfifo(file_path("tern.yaml"), 0644), 0);
    assert_refused(&server, "tern.yaml: ");
    cr_assert_eq(remove(file_path("tern.yaml")), 0);
    file_directory("tern.yaml");
    assert_refused(&server, "tern.yaml: ");
    assert_stop(&server, 0);
}

/* HUP has nobody to tell, but the log. */
Test(reload_refused, hup_logs_the_reason)
{
    struct server server = service_start();
    pid_t workers[WORKERS];
    server_workers(&server, workers, WORKERS);
    write_config(LISTEN "no_such_key: 1\n" SITES);
    kill(server.pid, SIGHUP);
    cr_assert(until(service_logged("tern.yaml:2:1: error: ")), "%s", server_log(&server).p);
    assert_same_workers(&server, workers);
    assert_body(fetch(server.port, "/version"), STR("1"));
    assert_stop(&server, 0);
}

/* A file that its user may not read, and a port that belongs to root. */
Test(reload_refused, what_is_not_permitted)
{
    if (geteuid() != 0)
        harness_skip("needs root");
    struct server server = service_start(.unprivileged = true);
    cr_assert_eq(chmod(file_path("tern.yaml"), 0600), 0);
    assert_refused(&server, "tern.yaml: ");
    file_write("denied/users", STR("a:b\n"));
    cr_assert_eq(chmod(file_path("denied"), 0700), 0);
    service_write(.more = "include: denied/part.yaml\n");
    assert_refused(&server, "denied/part.yaml");
    assert_stop(&server, 0);
}

static int occupy(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    cr_assert(bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0, "%m");
    return fd;
}

/* What was opened before the failure is closed again. */
Test(reload_refused, a_port_in_use)
{
    struct server server = service_start();
    int taken = occupy(harness_port(1));
    struct load *load = service_load(server.port, NULL);
    const char *listen = "127.0.0.1:@PORT@\", \"unix:@DIR@/web.sock\", \"127.0.0.1:@PORT2@\", \"127.0.0.1:@PORT1@";
    service_write(.version = "2", .listen = listen);
    for (int i = 0; i < 5; i++)
        assert_refused(&server, "127.0.0.1:@PORT1@");
    cr_assert(server_refuses(&(struct server){.port = harness_port(2)}), "a port is left open");
    cr_assert_neq(access(file_path("web.sock"), F_OK), 0, "a unix socket is left behind");
    close(taken);
    assert_ctl(0, "reload");
    assert_body(fetch(harness_port(2), "/version"), STR("2"));
    assert_body(fetch(harness_port(1), "/version"), STR("2"));
    assert_no_loss(load);
    assert_stop(&server, 0);
}

/* A user may do this to its own processes; root, in a container, perhaps to no others. */
static void limit(pid_t pid, const char *what, size_t soft, bool unprivileged)
{
    struct command command = {
        .arguments = {"prlimit", harness_text("--%s=%zu:", what, soft), "--pid", harness_text("%d", pid)},
        .unprivileged = unprivileged};
    struct result r = command_run(&command);
    cr_assert_eq(r.status, 0, "prlimit: %s", r.err.p);
}

/* There are descriptors for ternctl's connection and the file, but not for what new workers need. */
Test(reload_refused, no_descriptors)
{
    struct server server = service_start();
    pid_t workers[WORKERS];
    server_workers(&server, workers, WORKERS);
    struct load *load = service_load(server.port, NULL);
    service_write(.version = "2", .listen = "127.0.0.1:@PORT@\", \"127.0.0.1:@PORT1@");
    size_t descriptors = service_descriptors(server.pid);
    limit(server.pid, "nofile", descriptors + 3, false);
    assert_refused(&server, "Too many open files");
    limit(server.pid, "nofile", 1000, false);
    assert_ctl(0, "reload");
    assert_body(fetch(harness_port(1), "/version"), STR("2"));
    assert_no_loss(load);
    assert_stop(&server, 0);
}

/* The master of an unprivileged server may have no further process. */
Test(reload_refused, no_processes)
{
    struct server server = service_start(.unprivileged = true);
    struct load *load = service_load(server.port, NULL);
    service_write(.version = "2");
    struct rlimit most;
    cr_assert_eq(getrlimit(RLIMIT_NPROC, &most), 0);
    limit(server.pid, "nproc", 1, true);
    assert_refused(&server, "Resource temporarily unavailable");
    limit(server.pid, "nproc", most.rlim_max, true);
    assert_ctl(0, "reload");
    assert_body(fetch(server.port, "/version"), STR("2"));
    assert_no_loss(load);
    assert_stop(&server, 0);
}
