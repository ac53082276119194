/* Workers that do not get on: each is reported with request, handler, cause and backtrace, and none is disturbed. */
#include "base/clock.h"
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "module_service.h"
#include "service.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "../naps.h"

TestSuite(stall, .init = harness_begin, .fini = harness_end);

#define STALL_ROUTE(time) MODULE_ROUTE("/stall/", "stall.so", "stall", "time: " time)

#define assert_logged(...)                                                                                             \
    do {                                                                                                               \
        const char *line = harness_text(__VA_ARGS__);                                                                  \
        cr_assert(until(service_logged(line)), "no `%s` in:\n%s", line, server_log(NULL).p);                           \
    } while (0)

static struct server start(const char *more)
{
    module_install("stall");
    return service_start(.workers = 1, .more = more, .routes = STALL_ROUTE("400ms"));
}

/* ---- what is reported ---- */

struct cause {
    const char *act;
    const char *said;                 /* by the handler */
    const char *cause, *functions[4]; /* in the order of the backtrace; NULL ends them */
};

static void assert_reported(const struct cause *cause)
{
    assert_logged("stall: GET /stall/%s?... HTTP/1.1 (module stall, route /stall/) has not yielded for ", cause->act);
    assert_logged(" ms: %s", cause->cause);
    assert_logged("stall: GET /stall/%s?... HTTP/1.1 (module stall, route /stall/) has yielded after ", cause->act);
    const char *at = strstr(server_log(NULL).p, cause->cause);
    for (const char *const *function = cause->functions; *function; function++) {
        const char *frame = harness_text(" %s+0x", *function);
        at = strstr(at, frame);
        cr_assert_not_null(at, "no `%s`, or not there, in:\n%s", frame, server_log(NULL).p);
    }
    cr_assert_not(service_logged("secret"), "the query is told:\n%s", server_log(NULL).p);
}

static void assert_caught(const struct cause *cause)
{
    struct server server = start(MODULES);
    struct response r = fetch(server.port, harness_text("/stall/%s?secret=1", cause->act));
    if (r.status == 501)
        cr_skip_test("this kernel has no userfaultfd");
    assert_status(r, 200);
    assert_body(r, str_of(harness_text("%s\n", cause->said)));
    assert_reported(cause);
    assert_stop(&server, 0);
}

Test(stall, a_handler_that_computes)
{
    static const struct cause cause = {"compute", "computed", "CPU", {"compute_on", "http_answer", "run", NULL}};
    assert_caught(&cause);
}

/* It sleeps as long as it wants to: nothing interrupts it. */
Test(stall, a_handler_that_sleeps_in_the_kernel)
{
    static const struct cause cause = {
        "sleep", "slept", "system call nanosleep; use tern_blocking()", {"sleep_raw", "sleep_in_kernel", "run", NULL}};
    assert_caught(&cause);
}

/* Memory of a file on a slow disk comes as late as that of userfaultfd(2), and a test can have the latter. */
Test(stall, a_handler_that_waits_for_a_page)
{
    static const struct cause cause = {"fault", "q", "page fault", {"touch", "fault", "run", NULL}};
    assert_caught(&cause);
}

Test(stall, who_waits_as_one_should_is_not_reported)
{
    struct server server = start(MODULES);
    for (int i = 0; i < 20; i++)
        assert_body(fetch(server.port, "/stall/pass"), STR("passed\n"));
    cr_assert_not(service_logged("stall: "), "%s", server_log(&server).p);
    assert_stop(&server, 0);
}

Test(stall, nobody_is_watched_with_a_stall_of_0)
{
    struct server server = start(MODULES "timeouts: {stall: 0}\n");
    assert_body(fetch(server.port, "/stall/compute"), STR("computed\n"));
    assert_stop(&server, 0);
    cr_assert_not(service_logged("stall: "), "%s", server_log(&server).p);
}

Test(stall, the_limit_is_that_of_the_configuration)
{
    struct server server = start(MODULES "timeouts: {stall: 10s}\n");
    assert_body(fetch(server.port, "/stall/compute"), STR("computed\n"));
    assert_stop(&server, 0);
    cr_assert_not(service_logged("stall: "), "%s", server_log(&server).p);
}

/* ---- what it costs ---- */

/* The master does not ask for signs of life here, which would wake the loop. */
Test(stall, in_an_idle_worker_nothing_wakes_up)
{
    struct server server = start(MODULES "timeouts: {stall_kill: 0}\n");
    pid_t worker;
    server_workers(&server, &worker, 1);
    assert_body(fetch(server.port, "/stall/pass"), STR("passed\n"));
    cr_assert_geq(naps(worker, "monitor"), 0);
    long before, after = -1;
    do { /* until it has gone to sleep after that request */
        before = after;
        usleep(1500000);
        after = naps(worker, "monitor");
    } while (after != before);
    usleep(2000000);
    cr_assert_eq(naps(worker, "monitor"), after);
    assert_body(fetch(server.port, "/stall/compute"), STR("computed\n"));
    assert_logged("has yielded after ");
    assert_stop(&server, 0);
}

/* ---- an end of it ---- */

/* Requests that a worker takes which does not get on are lost with it; those that others take are not. */
Test(stall, past_stall_kill_the_worker_is_replaced_and_others_serve_on)
{
    enum { REQUESTS = 200 };
    pid_t workers[2], now[2];
    module_install("stall");
    struct server server =
        service_start(.workers = 2, .more = MODULES "timeouts: {stall_kill: 1s}\n", .routes = STALL_ROUTE("60s"));
    server_workers(&server, workers, 2);
    struct client *stuck = client_open(server.port);
    client_printf(stuck, "GET /stall/compute HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_logged("has not yielded for ");
    pid_t victim = service_logged(harness_text("warn [%d] stall: ", workers[0])) ? workers[0] : workers[1];
    pid_t other = victim == workers[0] ? workers[1] : workers[0];
    struct client *kept = NULL;
    while (!kept) { /* a connection that the other one has */
        struct client *c = client_open(server.port);
        client_printf(c, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
        if (client_has(c, 1, nsec_add(clock_monotonic(), 200 * NSEC_MS)))
            kept = c;
        else
            client_close(c);
    }
    assert_status(response_read(kept), 200);
    for (int i = 1; i < REQUESTS; i++) {
        client_printf(kept, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_status(response_read(kept), 200);
    }
    assert_logged("[%d] has shown no sign of life for ", victim);
    assert_logged("tern[%d]: crash: green thread 'connection' was stopped by signal 6 in: GET /stall/compute HTTP/1.1 "
                  "(module stall, route /stall/)",
                  victim);
    assert_logged("tern[%d]: crash:   #", victim);
    cr_assert(client_ends(stuck));
    cr_assert(until(service_is_gone(victim)));
    server_workers(&server, now, 2);
    cr_assert(now[0] == other || now[1] == other, "the other worker was touched");
    client_printf(kept, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_status(response_read(kept), 200);
    struct str told = service_ctl((const char *const[]){"stalls", NULL}).out;
    cr_assert(strstr(told.p, " until its worker was ended, CPU") && !strstr(told.p, "still, for"), "%s", told.p);
    assert_stop(&server, 0);
}
