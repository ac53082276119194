/* Workers that crash, hang, or lose their master: what they say, and that they end. */
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>

TestSuite(crash, .init = harness_begin, .fini = harness_end);

enum { UPLOADS = 5 };

#define CONFIG                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 1\n"                                                                                                     \
    "log: {error: @DIR@/error.log}\n"                                                                                  \
    "sites:\n"                                                                                                         \
    "  - routes:\n"                                                                                                    \
    "      - {exact: /hello, respond: {status: 200, type: text/plain, body: hello}}\n"                                 \
    "      - {path: /, echo: {}}\n"

/* Handlers that wait for bodies whose end never comes. */
static void start_uploads(const struct server *server)
{
    for (int i = 0; i < UPLOADS; i++) {
        struct client *c = client_open(server->port);
        client_printf(c,
                      "POST /upload-%d HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
                      "Content-Length: 10\r\n\r\n",
                      i);
        struct response r = response_read(c);
        assert_status(r, 100);
    }
}

static bool is_replaced(const struct server *server, pid_t dead)
{
    pid_t workers[SERVER_WORKERS];
    return harness_children(server->pid, workers, SERVER_WORKERS) == 1 && workers[0] != dead;
}

static bool is_said(const char *text)
{
    struct str log = file_read("error.log");
    return log.n && strstr(log.p, text);
}

#define assert_said(...)                                                                                               \
    do {                                                                                                               \
        const char *text = harness_text(__VA_ARGS__);                                                                  \
        cr_assert(until(is_said(text)), "no `%s` in:\n%s", text, file_read("error.log").p);                            \
    } while (0)

Test(crash, a_worker_told_to_abort_lists_its_requests_and_is_replaced)
{
    pid_t worker;
    struct server server = server_start(CONFIG);
    server_workers(&server, &worker, 1);
    start_uploads(&server);
    kill(worker, SIGABRT);
    cr_assert(until(is_replaced(&server, worker)));
    for (int i = 0; i < UPLOADS; i++)
        assert_said(" in: POST /upload-%d", i);
    assert_said("tern[%d]: green thread 'main' is waiting", worker);
    assert_said("tern[%d]: crash: ", worker);
    assert_said("worker 0 [%d] was ended by signal 6", worker);
    assert_status(fetch(server.port, "/hello"), 200);
    assert_stop(&server, 0);
}

static bool is_gone(pid_t pid)
{
    char state = harness_state(pid);
    return state == 0 || state == 'Z';
}

/* It learns of its master's end when it goes on. */
Test(crash, a_stopped_worker_whose_master_is_gone_ends)
{
    pid_t worker;
    struct server server = server_start(CONFIG);
    server_workers(&server, &worker, 1);
    kill(worker, SIGSTOP);
    cr_assert(until(harness_state(worker) == 'T'));
    kill(server.pid, SIGKILL);
    assert_exit(&server, 128 + SIGKILL);
    cr_assert_eq(harness_state(worker), 'T');
    kill(worker, SIGCONT);
    cr_assert(until(is_gone(worker)), "worker %d lives on", worker);
    cr_assert(server_refuses(&server));
}

/* A service manager's TERM goes to the whole group, and so reaches workers that have requests to finish. */
Test(crash, a_term_to_a_worker_means_nothing_while_its_master_lives)
{
    pid_t worker, later;
    struct server server = server_start(CONFIG);
    server_workers(&server, &worker, 1);
    kill(worker, SIGTERM);
    for (int i = 0; i < 20; i++)
        assert_status(fetch(server.port, "/hello"), 200);
    server_workers(&server, &later, 1);
    cr_assert_eq(worker, later);
    assert_stop(&server, 0);
}

static long oom_score(pid_t pid)
{
    long score = 0;
    FILE *f = fopen(harness_text("/proc/%d/oom_score_adj", pid), "r");
    cr_assert(f && fscanf(f, "%ld", &score) == 1);
    fclose(f);
    return score;
}

/* What the master has lost it cannot replace; a worker it can. */
Test(crash, when_memory_runs_out_a_worker_goes_before_its_master)
{
    pid_t worker;
    struct server server = server_start(CONFIG);
    server_workers(&server, &worker, 1);
    cr_assert(until(oom_score(worker) > oom_score(server.pid)), "%ld, master %ld", oom_score(worker),
              oom_score(server.pid));
    assert_stop(&server, 0);
}
