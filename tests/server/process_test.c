/* The master and its workers: their number, their deaths, how they stop, and the rights they give up. */
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

TestSuite(process, .init = harness_begin, .fini = harness_end);

enum {
    LARGE = 32 << 20, /* more than a socket's buffers hold */
    CUT = 3           /* exit status: stopped with requests cut */
};

#define CONFIG(workers)                                                                                                \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: " workers "\n"                                                                                           \
    "sites:\n"                                                                                                         \
    "  - routes:\n"                                                                                                    \
    "      - {exact: /hello, respond: {status: 200, type: text/plain, body: hello}}\n"                                 \
    "      - {exact: /echo, echo: {}}\n"                                                                               \
    "      - {path: /, files: {root: @DIR@/www}}\n"

static bool is_gone(pid_t pid)
{
    char state = harness_state(pid);
    return state == 0 || state == 'Z';
}

static bool is_replaced(const struct server *server, pid_t dead, size_t count)
{
    pid_t workers[SERVER_WORKERS];
    if (harness_children(server->pid, workers, SERVER_WORKERS) != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (workers[i] == dead || harness_state(workers[i]) == 'Z')
            return false;
    return true;
}

Test(process, there_are_as_many_workers_as_configured)
{
    struct server server = server_start(CONFIG("4"));
    pid_t workers[4];
    server_workers(&server, workers, 4);
    assert_status(fetch(server.port, "/hello"), 200);
    assert_stop(&server, 0);
    for (int i = 0; i < 4; i++)
        cr_assert_eq(harness_state(workers[i]), 0, "worker %d stays", workers[i]);
}

/* Whatever ends a worker, another takes its place and its listening socket; the others never notice. */
Test(process, a_worker_that_dies_is_replaced)
{
    /* Not SIGSEGV: a sanitizer would report it as a fault of the worker's own. */
    static const int signals[] = {SIGKILL, SIGABRT, SIGXCPU, SIGKILL};
    struct server server = server_start(CONFIG("2"));
    pid_t workers[2];
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        server_workers(&server, workers, 2);
        kill(workers[i % 2], signals[i]);
        for (int j = 0; j < 50; j++)
            assert_status(fetch(server.port, "/hello"), 200);
        cr_assert(until(is_replaced(&server, workers[i % 2], 2)), "worker %d is not replaced", workers[i % 2]);
    }
    assert_stop(&server, 0);
}

/* A worker's death costs its own connections only, and its clients learn of it at once. */
Test(process, the_other_workers_connections_survive)
{
    enum { CLIENTS = 32 };
    struct server server = server_start(CONFIG("2"));
    pid_t workers[2];
    server_workers(&server, workers, 2);
    struct client *clients[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = client_open(server.port);
        assert_status(get(clients[i], "/hello"), 200);
    }
    size_t lost = 0, held = server_sockets(workers[0]);
    kill(workers[0], SIGKILL);
    cr_assert(until(is_replaced(&server, workers[0], 2)));
    for (int i = 0; i < CLIENTS; i++) {
        struct response r = get(clients[i], "/hello");
        cr_assert(r.status == 200 || r.status == 0, "%d", r.status);
        lost += r.status == 0;
    }
    cr_assert_lt(lost, CLIENTS, "all connections are lost");
    cr_assert_leq(lost, held, "%zu lost, of %zu sockets", lost, held);
}

static struct client *start_download(const struct server *server)
{
    struct client *c = client_open_slow(server->port);
    client_printf(c, "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    cr_assert_eq(client_peek(c, 1024).n, 1024);
    return c;
}

/* Idle connections end as soon as a worker has begun to stop: that is how a client sees it. */
static void terminate(const struct server *server, struct client *idle)
{
    server_terminate(server);
    cr_assert(client_ends(idle), "an idle connection gets an answer");
    cr_assert_not(idle->reset, "an idle connection is reset");
}

static struct client *open_idle(const struct server *server)
{
    struct client *idle = client_open(server->port);
    assert_status(get(idle, "/hello"), 200);
    return idle;
}

Test(process, term_lets_requests_finish)
{
    struct str content = file_pattern(LARGE);
    file_write("www/large", content);
    struct server server = server_start(CONFIG("1"));
    struct client *idle = open_idle(&server), *download = start_download(&server), *upload = client_open(server.port);
    client_printf(upload, "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n01234");
    assert_status(get(client_open(server.port), "/hello"), 200);

    terminate(&server, idle);
    struct response r = ask(upload, "56789");
    assert_status(r, 200);
    assert_body(r, STR("0123456789"));
    assert_field(r, "Connection", "close");
    r = response_read(download);
    assert_status(r, 200);
    assert_body(r, content);
    cr_assert(client_ends(upload) && client_ends(download));
    assert_exit(&server, 0);
    cr_assert(server_refuses(&server));
}

/* While the last requests finish, new clients are sent away at once, to another server perhaps. */
Test(process, term_refuses_new_connections_at_once)
{
    struct str content = file_pattern(LARGE);
    file_write("www/large", content);
    struct server server = server_start(CONFIG("2"));
    struct client *download = start_download(&server);
    server_terminate(&server);
    cr_assert(until(server_refuses(&server)), "new connections are taken");
    struct response r = response_read(download);
    assert_status(r, 200);
    assert_body(r, content);
    assert_exit(&server, 0);
}

/* What waits to be accepted has been received too: it is answered before the listening sockets are closed. */
Test(process, term_lets_queued_connections_finish)
{
    enum { CLIENTS = 20 };
    struct server server = server_start(CONFIG("1"));
    struct client *clients[CLIENTS];
    pid_t worker;
    server_workers(&server, &worker, 1);
    assert_status(fetch(server.port, "/hello"), 200);
    kill(worker, SIGSTOP);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = client_open(server.port);
        client_printf(clients[i], "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    server_terminate(&server);
    cr_assert(until(memmem(server_log(&server).p, server_log(&server).n, "stopping", 8)));
    kill(worker, SIGCONT);
    for (int i = 0; i < CLIENTS; i++)
        assert_status(response_read(clients[i]), 200);
    assert_exit(&server, 0);
}

Test(process, int_and_quit_stop_as_well)
{
    static const int signals[] = {SIGINT, SIGQUIT};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct server server = server_start(CONFIG("2"));
        assert_status(fetch(server.port, "/hello"), 200);
        kill(server.pid, signals[i]);
        assert_exit(&server, 0);
    }
}

Test(process, a_second_term_ends_at_once)
{
    file_write("www/large", file_pattern(LARGE));
    struct server server = server_start(CONFIG("2"));
    struct client *idle = open_idle(&server), *download = start_download(&server);
    terminate(&server, idle);
    kill(server.pid, SIGTERM);
    assert_exit(&server, CUT);
    struct response r = response_read(download);
    cr_assert_not(r.complete, "a request that was cut looks complete");
}

Test(process, the_shutdown_deadline_ends_what_does_not_finish)
{
    file_write("www/large", file_pattern(LARGE));
    struct server server = server_start("timeouts: {shutdown: 500ms}\n" CONFIG("2"));
    struct client *download = start_download(&server);
    assert_stop(&server, CUT);
    struct response r = response_read(download);
    cr_assert_not(r.complete, "a request that was cut looks complete");
}

Test(process, workers_end_with_a_master_that_was_killed)
{
    struct server server = server_start(CONFIG("3"));
    pid_t workers[3];
    server_workers(&server, workers, 3);
    struct client *idle = open_idle(&server);
    kill(server.pid, SIGKILL);
    for (int i = 0; i < 3; i++)
        cr_assert(until(is_gone(workers[i])), "worker %d lives on", workers[i]);
    cr_assert(client_ends(idle));
    cr_assert(server_refuses(&server));
    assert_exit(&server, 128 + SIGKILL);
}

static const char *status_line(pid_t pid, const char *key)
{
    static char line[256];
    FILE *file = fopen(harness_text("/proc/%d/status", pid), "re");
    cr_assert_not_null(file);
    while (fgets(line, sizeof line, file) && strncmp(line, key, strlen(key)) != 0)
        line[0] = '\0';
    fclose(file);
    return line;
}

Test(process, workers_give_up_the_rights_of_root)
{
    if (geteuid() != 0)
        harness_skip("needs root");
    const struct passwd *nobody = getpwnam("nobody");
    cr_assert_not_null(nobody);
    struct server server = server_start("user: nobody\ngroup: nogroup\n" CONFIG("2"));
    pid_t workers[2];
    server_workers(&server, workers, 2);
    assert_status(fetch(server.port, "/hello"), 200);
    const char *uids = harness_text("Uid:\t%1$d\t%1$d\t%1$d\t%1$d\n", (int)nobody->pw_uid);
    const char *gids = harness_text("Gid:\t%1$d\t%1$d\t%1$d\t%1$d\n", (int)nobody->pw_gid);
    for (int i = 0; i < 2; i++) {
        unsigned groups = 0;
        cr_assert(until(strcmp(status_line(workers[i], "Uid:"), uids) == 0), "%s", status_line(workers[i], "Uid:"));
        cr_assert_str_eq(status_line(workers[i], "Gid:"), gids);
        cr_assert_leq(sscanf(status_line(workers[i], "Groups:"), "Groups: %u", &groups), 1);
        cr_assert(groups == 0 || groups == nobody->pw_gid, "group %u is kept", groups);
        cr_assert_str_eq(status_line(workers[i], "CapEff:"), "CapEff:\t0000000000000000\n");
        cr_assert_str_eq(status_line(workers[i], "CapPrm:"), "CapPrm:\t0000000000000000\n");
    }
    kill(workers[0], SIGKILL);
    cr_assert(until(is_replaced(&server, workers[0], 2)), "a worker without rights is not replaced");
    assert_stop(&server, 0);
}

static rlim_t descriptor_limit(pid_t pid)
{
    FILE *file = fopen(harness_text("/proc/%d/limits", pid), "re");
    char line[256];
    unsigned long soft = 0;
    cr_assert_not_null(file);
    while (fgets(line, sizeof line, file) && sscanf(line, "Max open files %lu", &soft) != 1)
        ;
    fclose(file);
    return soft;
}

Test(process, the_soft_limit_of_descriptors_is_raised)
{
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = 64;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    struct server server = server_start(CONFIG("1"));
    pid_t worker;
    server_workers(&server, &worker, 1);
    cr_assert_eq(descriptor_limit(worker), limit.rlim_max);
}

/* Opens more connections than there are descriptors for, and shows that the server comes back when they end. */
static void exhaust_and_recover(const struct server *server, size_t count)
{
    struct client **clients = harness_alloc(sizeof(struct client *[count]));
    for (size_t i = 0; i < count; i++) {
        clients[i] = client_open(server->port);
        client_printf(clients[i], "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    struct response r = response_read(clients[0]);
    assert_status(r, 200);
    for (size_t i = 0; i < count; i++)
        client_close(clients[i]);
    cr_assert(until(fetch(server->port, "/hello").status == 200), "it does not come back");
}

Test(process, few_descriptors_are_survived)
{
    struct server server = server_start_as(&(struct server_setup){.config = CONFIG("1"), .descriptors = 64});
    pid_t worker;
    server_workers(&server, &worker, 1);
    for (int i = 0; i < 3; i++)
        exhaust_and_recover(&server, 150);
    pid_t same;
    server_workers(&server, &same, 1);
    cr_assert_eq(same, worker, "the worker has died");
    assert_stop(&server, 0);
}

/* A process may lower the limit of another one of the same user, without any rights. */
static void limit_descriptors(pid_t pid, unsigned most)
{
    struct command command = {
        .arguments = {"prlimit", harness_text("--nofile=%1$u:%1$u", most), "--pid", harness_text("%d", pid)},
        .unprivileged = true};
    struct result result = command_run(&command);
    cr_assert_eq(result.status, 0, "prlimit: %s", result.err.p);
    cr_assert_eq(descriptor_limit(pid), most);
}

/* The limit on connections follows from RLIMIT_NOFILE at start. Lowered afterwards, accept meets EMFILE. */
Test(process, no_descriptors_at_all_are_survived)
{
    const char *user = geteuid() == 0 ? "user: nobody\ngroup: nogroup\n" : "";
    struct server server = server_start(harness_text("%s" CONFIG("1"), user));
    pid_t worker, same;
    server_workers(&server, &worker, 1);
    assert_status(fetch(server.port, "/hello"), 200);
    limit_descriptors(worker, 40);
    for (int i = 0; i < 3; i++)
        exhaust_and_recover(&server, 100);
    server_workers(&server, &same, 1);
    cr_assert_eq(same, worker, "the worker has died");
    assert_stop(&server, 0);
}

/* Large files stay open for the requests to come; they make way for what needs their descriptors now. */
Test(process, files_kept_open_leave_descriptors_for_others)
{
    enum { FILES = 300, SIZE = 100000 };
    const char *user = geteuid() == 0 ? "user: nobody\ngroup: nogroup\n" : "";
    struct str content = file_pattern(SIZE);
    for (int i = 0; i < FILES; i++)
        file_write(harness_text("www/%d", i), content);
    struct server server = server_start(harness_text("%s" CONFIG("1"), user));
    pid_t worker, same;
    server_workers(&server, &worker, 1);
    struct client *c = client_open(server.port);
    assert_status(get(c, "/hello"), 200);
    limit_descriptors(worker, 256);
    for (int i = 0; i < FILES; i++) {
        struct response r = get(c, harness_text("/%d", i));
        assert_status(r, 200);
        assert_body(r, content);
    }
    assert_status(fetch(server.port, "/hello"), 200);
    server_workers(&server, &same, 1);
    cr_assert_eq(same, worker, "the worker has died");
    assert_stop(&server, 0);
}

/* A peer that resets, at whatever point, costs the server nothing. */
Test(process, resets_are_survived)
{
    static const char *const requests[] = {"", "GET /la", "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n",
                                           "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nabc"};
    file_write("www/large", file_pattern(LARGE));
    struct server server = server_start(CONFIG("1"));
    pid_t worker, same;
    server_workers(&server, &worker, 1);
    size_t sockets = server_sockets(worker);
    for (int i = 0; i < 400; i++) {
        struct client *c = client_open_slow(server.port);
        client_send(c, str_of(requests[i % 4]));
        client_reset(c);
    }
    cr_assert(until(server_sockets(worker) <= sockets), "%zu sockets stay", server_sockets(worker) - sockets);
    server_workers(&server, &same, 1);
    cr_assert_eq(same, worker, "the worker has died");
    assert_stop(&server, 0);
}
