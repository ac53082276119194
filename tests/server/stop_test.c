/* The end of the server, and the other signals to its master. */
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

TestSuite(stop, .init = begin, .fini = harness_end);

#define BOTH "127.0.0.1:@PORT@\", \"unix:@DIR@/run/web.sock"

static void assert_nothing_left(const struct server *server)
{
    cr_assert_neq(access(file_path("run/web.sock"), F_OK), 0, "the file of the unix socket stays");
    cr_assert_neq(access(service_control(), F_OK), 0, "the file of the control socket stays");
    cr_assert_neq(access(service_pid_file(), F_OK), 0, "the pid file stays");
    cr_assert(server_refuses(server));
}

static struct server start(const char *more)
{
    struct server server = service_start(.listen = BOTH, .more = more);
    cr_assert(until(access(service_pid_file(), F_OK) == 0));
    cr_assert_str_eq(file_read("run/tern.pid").p, harness_text("%d\n", server.pid));
    return server;
}

Test(stop, each_way_is_orderly)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGQUIT};
    for (size_t i = 0; i <= sizeof signals / sizeof *signals; i++) {
        struct server server = start("timeouts: {grace: 50ms}\n");
        struct client *idle[4], *download = service_download(server.port);
        for (int j = 0; j < 4; j++)
            idle[j] = service_idle(server.port);
        if (i < sizeof signals / sizeof *signals)
            kill(server.pid, signals[i]);
        else
            assert_ctl(0, "drain");
        for (int j = 0; j < 4; j++)
            cr_assert(client_ends(idle[j]) && !idle[j]->reset);
        service_finish_download(download);
        assert_exit(&server, 0);
        assert_nothing_left(&server);
    }
}

Test(stop, what_is_cut_shows_in_the_status)
{
    struct server server = start("timeouts: {shutdown: 200ms}\n");
    struct client *download = service_download(server.port);
    assert_stop(&server, SERVICE_CUT);
    assert_nothing_left(&server);
    struct response r = response_read(download);
    cr_assert_not(r.complete, "a request that was cut looks complete");
}

/* Under load nobody gets half an answer. Refused is who comes later. */
Test(stop, under_load_what_was_received_is_answered)
{
    struct server server = start(NULL);
    struct load *load = service_load(server.port, NULL);
    assert_load_goes_on(load, 200);
    assert_stop(&server, 0);
    struct load_counts counts = load_stop(load);
    cr_assert_eq(counts.cut + counts.raced + counts.wrong + counts.failed + counts.late, 0, "%s", load_text(&counts));
    assert_nothing_left(&server);
}

Test(stop, signals_that_mean_nothing)
{
    static const int signals[] = {SIGWINCH, SIGPIPE};
    struct server server = start(NULL);
    pid_t workers[WORKERS], now[WORKERS];
    server_workers(&server, workers, WORKERS);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        kill(server.pid, signals[i]);
        kill(workers[0], signals[i]);
    }
    for (int i = 0; i < 20; i++)
        assert_status(fetch(server.port, "/hello"), 200);
    server_workers(&server, now, WORKERS);
    cr_assert_arr_eq(now, workers, sizeof now);
    assert_stop(&server, 0);
}

/* What a terminal sends to all of the group is the master's business alone. */
Test(stop, workers_leave_signals_to_the_master)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2};
    struct server server = start(NULL);
    pid_t workers[WORKERS], now[WORKERS];
    server_workers(&server, workers, WORKERS);
    assert_status(fetch(server.port, "/hello"), 200);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        for (int j = 0; j < WORKERS; j++)
            kill(workers[j], signals[i]);
    for (int i = 0; i < 20; i++)
        assert_status(fetch(server.port, "/hello"), 200);
    server_workers(&server, now, WORKERS);
    cr_assert_arr_eq(now, workers, sizeof now);
    assert_stop(&server, 0);
}

/* The watchdog of systemd ends a server by SIGABRT: each worker first says what its green threads are doing. */
Test(stop, abort_lists_green_threads)
{
    struct server server = start(NULL);
    pid_t workers[WORKERS];
    server_workers(&server, workers, WORKERS);
    struct client *upload = client_open(server.port);
    assert_status(ask(upload, "POST /echo HTTP/1.1\r\nHost: localhost\r\n"
                              "Content-Length: 10\r\nExpect: 100-continue\r\n\r\n"),
                  100);
    kill(server.pid, SIGABRT);
    assert_exit(&server, 128 + SIGABRT);
    for (int i = 0; i < WORKERS; i++)
        cr_assert(until(service_is_gone(workers[i])), "worker %d lives on", workers[i]);
    cr_assert(service_logged("connection"), "no green thread of a connection in:\n%s", server_log(&server).p);
    cr_assert(service_logged("accept"), "no green thread that accepts in:\n%s", server_log(&server).p);
}
