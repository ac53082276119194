/* Deaths: of a worker, which costs its own requests at most, and of the master, after which nothing is left. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "service.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

enum { WORKERS = 2 };

static void begin(void)
{
    harness_begin();
    struct rlimit none = {0};
    setrlimit(RLIMIT_CORE, &none);
}

TestSuite(death, .init = begin, .fini = harness_end);

/* ---- workers ---- */

/* As soon as all workers are alive, and the one that died is not among them. */
static void assert_replaced(const struct server *server, pid_t dead, size_t count)
{
    pid_t workers[SERVER_WORKERS];
    bool there = true;
    nsec deadline = nsec_add(clock_monotonic(), HARNESS_LIMIT);
    while (there && harness_nap(deadline)) {
        server_workers(server, workers, count);
        there = false;
        for (size_t i = 0; i < count; i++)
            there = there || workers[i] == dead;
    }
    cr_assert_not(there, "worker %d lives", dead);
}

/* Stopped, it keeps what it holds: so many requests can be lost, and no more. */
static size_t kill_one(const struct server *server, int turn, size_t idle_sockets)
{
    pid_t workers[WORKERS];
    server_workers(server, workers, WORKERS);
    pid_t victim = workers[turn % WORKERS];
    kill(victim, SIGSTOP);
    cr_assert(until(harness_state(victim) == 'T'));
    size_t held = server_sockets(victim);
    kill(victim, SIGKILL);
    assert_replaced(server, victim, WORKERS);
    return held > idle_sockets ? held - idle_sockets : 0;
}

Test(death, a_killed_worker_costs_its_own_requests_at_most)
{
    enum { DEATHS = 8 /* so few that none has to wait */ };
    struct server server = service_start();
    pid_t workers[WORKERS];
    server_workers(&server, workers, WORKERS);
    size_t idle_sockets = server_sockets(workers[0]), descriptors = service_descriptors(server.pid), held = 0;
    size_t memory = service_memory(server.pid);
    struct load *load = service_load(server.port, NULL);
    for (int i = 0; i < DEATHS; i++) {
        assert_load_goes_on(load, 50);
        held += kill_one(&server, i, idle_sockets);
    }
    assert_load_goes_on(load, 50);
    struct load_counts counts = load_stop(load);
    const char *text = load_text(&counts);
    cr_assert_leq(load_failures(&counts), held, "%zu were theirs: %s", held, text);
    cr_assert_eq(counts.refused + counts.late + counts.wrong + counts.failed, 0, "%s", text);
    cr_assert_leq(service_descriptors(server.pid), descriptors);
    cr_assert_leq(service_memory(server.pid), memory + 256);
    assert_stop(&server, 0);
}

/* What is sent while nobody accepts waits in the sockets that the master holds. */
Test(death, nobody_is_refused_while_there_is_no_worker)
{
    enum { CLIENTS = 20 };
    struct server server = service_start();
    struct client *clients[CLIENTS];
    pid_t workers[WORKERS];
    server_workers(&server, workers, WORKERS);
    kill(server.pid, SIGSTOP);
    for (int i = 0; i < WORKERS; i++) {
        kill(workers[i], SIGKILL);
        cr_assert(until(service_is_gone(workers[i])));
    }
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = client_open(server.port);
        client_printf(clients[i], "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    kill(server.pid, SIGCONT);
    for (int i = 0; i < CLIENTS; i++)
        assert_status(response_read(clients[i]), 200);
    assert_stop(&server, 0);
}

/* One line for each death, with its signal. */
Test(death, the_log_names_the_signal)
{
    static const int signals[] = {
        SIGABRT,
        SIGKILL,
        SIGXCPU,
#ifndef __SANITIZE_ADDRESS__ /* which would report it as a fault of the worker's own */
        SIGSEGV,
#endif
    };
    struct server server = service_start();
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        pid_t workers[WORKERS];
        server_workers(&server, workers, WORKERS);
        kill(workers[0], signals[i]);
        assert_replaced(&server, workers[0], WORKERS);
        const char *line = harness_text("[%d] was ended by signal %d (", workers[0], signals[i]);
        cr_assert(until(service_logged(line)), "'%s' is not in:\n%s", line, server_log(&server).p);
        cr_assert_eq(service_log_count(line), 1);
    }
    assert_stop(&server, 0);
}

/* One that dies again and again, however soon, is not started anew in a busy loop. The others are not touched. */
Test(death, quick_deaths_are_slowed_down)
{
    enum { AT_ONCE = 5, MOST = 12 };
    struct server server = service_start();
    pid_t workers[WORKERS], found[SERVER_WORKERS];
    server_workers(&server, workers, WORKERS);
    pid_t survivor = workers[1];
    pid_t last = 0;
    int deaths = 0;
    nsec end = clock_monotonic() + 2500 * NSEC_MS;
    while (harness_nap(end)) {
        size_t count = harness_children(server.pid, found, SERVER_WORKERS);
        for (size_t i = 0; i < count; i++)
            if (found[i] != survivor && found[i] != last && kill(found[i], SIGKILL) == 0) {
                last = found[i];
                deaths++;
            }
    }
    cr_assert(deaths > AT_ONCE && deaths <= MOST, "%d deaths", deaths);
    cr_assert_neq(harness_state(survivor), 0);
    server_workers(&server, workers, WORKERS);
    cr_assert(workers[0] == survivor || workers[1] == survivor, "the other worker was touched");
    for (int i = 0; i < 20; i++)
        assert_status(fetch(server.port, "/hello"), 200);
    assert_stop(&server, 0);
}

/* Without a process to be had, the others serve on; as soon as there is one, it is there. */
Test(death, a_fork_that_fails_is_tried_again)
{
    struct server server = service_start(.unprivileged = true);
    const char *pid = harness_text("%d", server.pid);
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_NPROC, &limit), 0);
    pid_t workers[WORKERS];
    server_workers(&server, workers, WORKERS);
    struct command none = {.arguments = {"prlimit", "--nproc=1:", "--pid", pid}, .unprivileged = true};
    struct command many = {
        .arguments = {"prlimit", harness_text("--nproc=%llu:", (unsigned long long)limit.rlim_max), "--pid", pid},
        .unprivileged = true};
    cr_assert_eq(command_run(&none).status, 0);
    kill(workers[0], SIGKILL);
    cr_assert(until(service_logged("cannot start worker")), "%s", server_log(&server).p);
    server_workers(&server, workers, 1);
    struct result r = command_run(&many);
    cr_assert_eq(r.status, 0, "%s", r.err.p);
    server_workers(&server, workers, WORKERS);
    for (int i = 0; i < 20; i++)
        assert_status(fetch(server.port, "/hello"), 200);
    assert_stop(&server, 0);
}

/* ---- workers that stand still ---- */

#define WATCHED "timeouts: {stall_kill: 1s}\n"

Test(death, a_worker_that_stands_still_is_replaced)
{
    struct server server = service_start(.more = WATCHED);
    pid_t workers[WORKERS];
    server_workers(&server, workers, WORKERS);
    struct load *load = service_load(server.port, NULL);
    kill(workers[0], SIGSTOP);
    cr_assert(until(service_is_gone(workers[0])), "it stands still for ever:\n%s", server_log(&server).p);
    kill(workers[0], SIGCONT);
    assert_replaced(&server, workers[0], WORKERS);
    assert_load_goes_on(load, 100);
    struct load_counts counts = load_stop(load);
    cr_assert_eq(counts.refused + counts.late + counts.wrong + counts.failed, 0, "%s", load_text(&counts));
    cr_assert_neq(harness_state(workers[1]), 0, "the other worker was touched");
    assert_stop(&server, 0);
}

/* Whoever goes on in time has lost nothing. */
Test(death, a_short_stop_is_forgiven)
{
    struct server server = service_start(.more = "timeouts: {stall_kill: 20s}\n");
    pid_t workers[WORKERS], now[WORKERS];
    server_workers(&server, workers, WORKERS);
    struct load *load = service_load(server.port, NULL);
    for (int i = 0; i < 4; i++) {
        kill(workers[i % WORKERS], SIGSTOP);
        cr_assert(until(harness_state(workers[i % WORKERS]) == 'T'));
        kill(workers[i % WORKERS], SIGCONT);
        assert_load_goes_on(load, 100);
    }
    assert_no_loss(load);
    server_workers(&server, now, WORKERS);
    cr_assert_arr_eq(now, workers, sizeof now);
    assert_stop(&server, 0);
}

/* An old worker that stands still is not waited for by the one who wants to stop. */
Test(death, one_that_stands_still_does_not_hold_up_the_end)
{
    struct server server = service_start(.more = WATCHED);
    pid_t workers[WORKERS];
    server_workers(&server, workers, WORKERS);
    kill(workers[0], SIGSTOP);
    server_terminate(&server);
    int status = server_wait(&server);
    cr_assert(status == 0 || status == SERVICE_CUT, "%d", status);
    cr_assert(until(service_is_gone(workers[0])));
}

/* ---- the master ---- */

/* Workers that have lost their master finish what they have, and are gone. Another server can start at once. */
Test(death, without_its_master_a_worker_finishes_and_ends)
{
    struct server server = service_start(.listen = "127.0.0.1:@PORT@\", \"unix:@DIR@/run/web.sock");
    pid_t workers[WORKERS], now[WORKERS];
    server_workers(&server, workers, WORKERS);
    struct client *download = service_download(server.port), *idle = service_idle(server.port);
    kill(server.pid, SIGKILL);
    assert_exit(&server, 128 + SIGKILL);
    cr_assert(client_ends(idle));
    client_close(idle);
    struct server next = service_start(.listen = "127.0.0.1:@PORT@\", \"unix:@DIR@/run/web.sock", .version = "2");
    server_workers(&next, now, WORKERS);
    for (int i = 0; i < 20; i++)
        assert_body(fetch(next.port, "/version"), STR("2"));
    assert_body(get(client_open_unix(file_path("run/web.sock")), "/version"), STR("2"));
    service_finish_download(download);
    client_close(download);
    for (int i = 0; i < WORKERS; i++)
        cr_assert(until(service_is_gone(workers[i])), "worker %d lives on", workers[i]);
    assert_ctl(0, "reload");
    assert_stop(&next, 0);
}

/* Also those of an old generation, and those that the master had just begun to start. */
Test(death, nothing_is_left_of_a_reload_without_its_master)
{
    for (int i = 0; i < 5; i++) {
        struct server server = service_start();
        struct client *idle = service_idle(server.port);
        pid_t children[64];
        kill(server.pid, SIGHUP);
        usleep((useconds_t)i * 1000);
        kill(server.pid, SIGKILL);
        assert_exit(&server, 128 + SIGKILL);
        client_close(idle);
        cr_assert(until(harness_children(getpid(), children, 64) == 0 || service_is_gone(children[0])));
        cr_assert(until(server_refuses(&server)));
    }
}
