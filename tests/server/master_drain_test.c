/* Draining: what the old workers still answer, and what makes them end sooner. A grace of an hour stands for one that
 * nobody can wait for: where it is not cut short, a test gives up. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "service.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

TestSuite(master_drain, .init = harness_begin, .fini = harness_end);

#define PATIENT "timeouts: {grace: 1h, shutdown: 1h}\n"
#define HALF_A_REQUEST "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n01234"

static void reload(const char *version, const char *more)
{
    service_write(.workers = 1, .version = version, .more = more);
    assert_ctl(0, "reload");
}

static void assert_closed_by_fin(struct client *c)
{
    cr_assert(client_ends(c), "something comes that nobody has asked for");
    cr_assert_not(c->reset, "the connection is reset");
    client_close(c);
}

/* An idle connection to the generation that serves this version. One that drains may have taken it, too. */
static struct client *idle_on(int port, const char *version)
{
    struct client *c = NULL;
    while (!c) {
        c = client_open(port);
        struct response r = get(c, "/version");
        if (str_eq(r.body, str_of(version)) && !response_fields(&r, "Connection"))
            break;
        client_close(c);
        c = NULL;
    }
    return c;
}

/* ---- what is answered ---- */

Test(master_drain, all_of_several_pipelined_requests_are_answered)
{
    enum { CLIENTS = 8, REQUESTS = 3 };
    struct server server = service_start(.workers = 1, .more = PATIENT);
    struct client *clients[CLIENTS];
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = service_idle(server.port);
    reload("2", PATIENT);
    for (int i = 0; i < CLIENTS; i++) {
        client_send(clients[i], STR("GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n"
                                    "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"
                                    "GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        for (int j = 0; j < REQUESTS; j++) {
            struct response r = response_read(clients[i]);
            assert_status(r, 200);
            assert_body(r, j == 1 ? STR("hello") : STR("1"));
            cr_assert_eq(response_has(&r, "Connection", "close"), j == REQUESTS - 1, "answer %d: " STR_FMT, j,
                         STR_ARG(r.head));
        }
        assert_closed_by_fin(clients[i]);
    }
    assert_stop(&server, 0);
}

static bool has_ended(const struct client *c)
{
    char byte;
    return recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || errno != EAGAIN;
}

/* Each client asks a little later than the one before, so that some meet the very end of the grace. A client that has
 * seen the end does not ask. One that asks is answered, or finds the connection closed, but never reset: then it could
 * not know whether its request was served. */
Test(master_drain, what_comes_at_the_end_of_the_grace_is_not_reset)
{
    enum { ROUNDS = 3, CLIENTS = 60 };
    static const char brief[] = "timeouts: {grace: 60ms}\n";
    struct server server = service_start(.workers = 1, .more = brief);
    int answered = 0, closed = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct client *clients[CLIENTS];
        for (int i = 0; i < CLIENTS; i++)
            clients[i] = service_idle(server.port);
        reload(harness_text("%d", round), brief);
        for (int i = 0; i < CLIENTS; i++) {
            harness_nap(NSEC_NEVER);
            if (!has_ended(clients[i]))
                client_printf(clients[i], "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
        }
        for (int i = 0; i < CLIENTS; i++) {
            struct response r = response_read(clients[i]);
            cr_assert_not(clients[i]->reset, "client %d of round %d is answered by a reset", i, round);
            cr_assert(r.status == 0 || (r.status == 200 && r.complete), "status %d", r.status);
            answered += r.status == 200;
            closed += r.status == 0;
            assert_closed_by_fin(clients[i]);
        }
    }
    cr_assert_eq(answered + closed, ROUNDS * CLIENTS);
    assert_stop(&server, 0);
}

/* ---- what ends it sooner ---- */

static void start_term(const struct server *server)
{
    kill(server->pid, SIGTERM);
}

static void start_quit(const struct server *server)
{
    kill(server->pid, SIGQUIT);
}

static void start_drain(const struct server *server)
{
    (void)server;
    assert_ctl(0, "drain");
}

/* Whoever stops a server waits for no idle connection, whatever generation it belongs to. */
Test(master_drain, a_stop_ends_the_grace_of_all_generations)
{
    static void (*const ways[])(const struct server *server) = {start_term, start_quit, start_drain};
    enum { GENERATIONS = 3 };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct server server = service_start(.workers = 1, .more = PATIENT);
        struct client *idle[GENERATIONS] = {idle_on(server.port, "1")};
        pid_t workers[GENERATIONS];
        for (int j = 1; j < GENERATIONS; j++) {
            const char *version = harness_text("%d", j + 1);
            reload(version, PATIENT);
            idle[j] = idle_on(server.port, version);
        }
        server_workers(&server, workers, GENERATIONS);
        ways[i](&server);
        for (int j = 0; j < GENERATIONS; j++)
            assert_closed_by_fin(idle[j]);
        assert_exit(&server, 0);
    }
}

/* The fourth generation waits for one of the others, which then waits for nobody. */
Test(master_drain, a_reload_ends_the_grace_of_the_oldest)
{
    enum { RELOADS = 4 };
    struct server server = service_start(.workers = 1, .more = PATIENT);
    struct client *idle[RELOADS];
    for (int i = 0; i < RELOADS; i++) {
        idle[i] = idle_on(server.port, harness_text("%d", i + 1));
        reload(harness_text("%d", i + 2), PATIENT);
    }
    for (int i = 0; i < RELOADS - 2; i++)
        assert_closed_by_fin(idle[i]);
    for (int i = RELOADS - 2; i < RELOADS; i++)
        assert_status(get(idle[i], "/hello"), 200);
    assert_stop(&server, 0);
}

/* The successor takes over at once; the requests of the old one go on. */
Test(master_drain, an_upgrade_after_a_reload_ends_the_grace)
{
    struct server server = service_start(.workers = 1, .more = PATIENT);
    struct client *idle = service_idle(server.port);
    service_write(.workers = 1, .version = "2", .more = PATIENT);
    kill(server.pid, SIGHUP);
    cr_assert(until(service_serves(server.port, "2")));
    service_write(.workers = 1, .version = "3", .more = PATIENT);
    kill(server.pid, SIGUSR2);
    cr_assert(until(service_serves(server.port, "3")), "the upgrade waits:\n%s", server_log(&server).p);
    assert_closed_by_fin(idle);
    assert_exit(&server, 0);
    server.pid = (pid_t)service_status("pid");
    assert_stop(&server, 0);
}

/* ---- what is told meanwhile ---- */

static const char *ask_for_status(struct client *control)
{
    client_send(control, STR("status\n"));
    struct str line = client_take_through(control, STR("\n"));
    cr_assert_gt(line.n, 0, "the server does not answer:\n%s", server_log(NULL).p);
    return harness_text(STR_FMT, STR_ARG(line));
}

/* The generation that has served last is gone, while an older one still has a request. */
Test(master_drain, status_is_told_to_the_end)
{
    struct server server = service_start(.workers = 1, .more = PATIENT);
    struct client *control = client_open_unix(service_control()), *upload = client_open(server.port);
    client_printf(upload, HALF_A_REQUEST);
    cr_assert(until(service_status("connections") == 1));
    reload("2", PATIENT);
    cr_assert(strstr(ask_for_status(control), "\"state\":\"serving\""));
    pid_t worker;
    server_terminate(&server);
    server_workers(&server, &worker, 1);
    const char *status = ask_for_status(control);
    cr_assert(strstr(status, "\"state\":\"draining\"") && strstr(status, harness_text("\"pid\":%d,", worker)), "%s",
              status);
    cr_assert(strstr(status, "\"generation\":1,\"state\":\"draining\""), "%s", status);
    assert_ctl(0, "status");
    struct response r = ask(upload, "56789");
    assert_status(r, 200);
    assert_body(r, STR("0123456789"));
    assert_exit(&server, 0);
}

/* The level that was asked for is not that of the configuration, and a reload that changes nothing keeps it. */
Test(master_drain, a_refused_reload_keeps_the_log_level)
{
    enum { REFUSED = 4 };
    static const char *const refused[] = {"no_such_key: 1\n", "log: {level: error, access: @DIR@/no/access.log}\n",
                                          "log: {level: error, error: @DIR@/no/error.log}\n"};
    struct server server = service_start(.workers = 1);
    struct str told;
    assert_ctl(0, "log", "debug");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        service_write(.workers = 1, .more = refused[i]);
        assert_ctl(REFUSED, "reload");
        assert_ctl_tells(&told, 0, "--json", "log");
        cr_assert(strstr(told.p, "\"level\":\"debug\""), "row %zu: %s", i, told.p);
    }
    assert_stop(&server, 0);
}
