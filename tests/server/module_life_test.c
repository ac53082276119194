/* Modules and the processes that they live in: what is called when, what a reload and an upgrade take, and what becomes
 * of a worker whose module crashes. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "module_service.h"
#include "service.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>

enum { WORKERS = 2, LINES = 16 };

TestSuite(module_life, .init = harness_begin, .fini = harness_end);

#define LIFE(path, name) MODULE_ROUTE(path, name ".so", "life", "name: " name)

/* ---- hooks ---- */

/* What the modules of a process have said, one behind the other. */
static const char *said_by(pid_t pid)
{
    const char *mark = harness_text("[%d] module: ", pid), *all = "";
    for (struct str rest = server_log(NULL); rest.n;) {
        struct str line = str_cut(&rest, '\n');
        const char *copy = harness_text(STR_FMT, STR_ARG(line)), *at = strstr(copy, mark);
        if (at)
            all = harness_text("%s%s; ", all, at + strlen(mark));
    }
    return all;
}

#define assert_said(pid, expected)                                                                                     \
    do {                                                                                                               \
        cr_assert(until(strcmp(said_by(pid), (expected)) == 0), "[%d] has said %s\nnot %s\n%s", (pid), said_by(pid),   \
                  (expected), server_log(NULL).p);                                                                     \
    } while (0)

#define BEGUN "life: start; "
#define ENDED "life: retire, stopping; life: thread cancelled; life: stop; life: close; "

Test(module_life, hooks_are_called_once_in_each_worker_in_their_order)
{
    pid_t first[WORKERS], second[WORKERS];
    module_install("life");
    struct server server = service_start(.more = MODULES, .routes = LIFE("/life", "life"));
    server_workers(&server, first, WORKERS);
    for (size_t i = 0; i < WORKERS; i++)
        assert_said(first[i], BEGUN);
    assert_ctl(0, "reload");
    for (size_t i = 0; i < WORKERS; i++)
        assert_said(first[i], BEGUN ENDED);
    server_workers(&server, second, WORKERS);
    for (size_t i = 0; i < WORKERS; i++)
        assert_said(second[i], BEGUN);
    assert_stop(&server, 0);
    for (size_t i = 0; i < WORKERS; i++)
        assert_said(second[i], BEGUN ENDED);
    cr_assert_eq(service_log_count("life: start"), (size_t)2 * WORKERS, "%s", server_log(NULL).p);
}

/* In the order of the configuration, and back. Each route is closed, also the second one of a module. */
Test(module_life, several_modules)
{
    pid_t worker;
    module_install_as("life", "a");
    module_install_as("life", "b");
    struct server server =
        service_start(.workers = 1, .more = MODULES, .routes = LIFE("/a", "a") LIFE("/b", "b") LIFE("/b2", "b"));
    server_workers(&server, &worker, 1);
    assert_said(worker, "a: start; b: start; ");
    assert_stop(&server, 0);
    assert_said(worker, "a: start; b: start; a: retire, stopping; b: retire, stopping; a: thread cancelled; "
                        "b: thread cancelled; b: stop; a: stop; a: close; b: close; b: close; ");
}

/* Those that have started are stopped again. */
Test(module_life, one_of_several_does_not_start)
{
    module_install_as("life", "a");
    module_install_as("life", "b");
    struct server server = service_start(.more = MODULES);
    service_write(.workers = 1, .more = MODULES,
                  .routes = LIFE("/a", "a") MODULE_ROUTE("/b", "b.so", "life", "name: b, fails: on"));
    assert_ctl(4, "reload");
    static const char *const order[] = {"a: start",        "b: start", "a: thread",
                                        "module: a: stop", "a: close", "the start of module life failed"};
    const char *at = server_log(NULL).p;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        at = strstr(at, order[i]);
        cr_assert_not_null(at, "no `%s`, or too early:\n%s", order[i], server_log(NULL).p);
    }
    cr_assert_not(service_logged("b: stop"), "%s", server_log(NULL).p);
    assert_stop(&server, 0);
}

/* ---- another file ---- */

/* The module, with another version in it. */
static struct str life_of_version(char version)
{
    struct str module = module_read("life");
    char *at = memmem(module.p, module.n, "version 1", 9);
    cr_assert_not_null(at);
    at[8] = version;
    return module;
}

/* On several connections, so that each worker is asked. */
static bool all_say(int port, const char *version)
{
    for (int i = 0; i < 4 * WORKERS; i++)
        if (!str_eq(fetch(port, "/life").body, str_of(version)))
            return false;
    return true;
}

Test(module_life, a_reload_takes_a_file_that_was_put_in_the_place_of_the_old_one)
{
    module_install("life");
    struct server server = service_start(.more = MODULES, .routes = LIFE("/life", "life"));
    for (int version = '1'; version <= '4'; version++) {
        file_replace("modules/life.so", life_of_version(version));
        assert_ctl(0, "reload");
        cr_assert(all_say(server.port, harness_text("version %c", version)), "not version %c", version);
    }
    assert_stop(&server, 0);
}

/* A process that has loaded a file sees what is written into it. So the old workers may answer anything or crash; but
 * whatever they do, the next ones are sound. */
Test(module_life, a_reload_after_a_file_was_written_over)
{
    module_install("life");
    struct server server = service_start(.more = MODULES, .routes = LIFE("/life", "life"));
    file_overwrite("modules/life.so", life_of_version('2'));
    assert_ctl(0, "reload");
    cr_assert(all_say(server.port, "version 2"));
    assert_stop(&server, 0);
}

/* A request that is under way ends with the code that it began with. */
Test(module_life, a_request_outlives_its_modules_file)
{
    module_install("respond");
    struct server server = service_start(.more = MODULES, .routes = MODULE_ROUTE("/r/", "respond.so", "respond", ""));
    struct call halves = call_begin(HTTP_1_1, .path = "/r/halves");
    cr_assert(call_shows(&halves, "first"));
    module_install_as("life", "respond");
    service_write(.version = "2", .more = MODULES, .routes = LIFE("/r/", "respond"));
    assert_ctl(0, "reload");
    struct response r = call_answer(&halves);
    assert_status(r, 200);
    assert_body(r, STR("first half, second half\n"));
    assert_body(fetch(server.port, "/r/"), STR("version 1"));
    assert_stop(&server, 0);
}

Test(module_life, an_upgrade_goes_on_with_modules)
{
    module_install("life");
    struct server server = service_start(.more = MODULES, .routes = LIFE("/life", "life"));
    file_replace("modules/life.so", life_of_version('2'));
    service_install();
    assert_ctl(0, "upgrade");
    cr_assert(all_say(server.port, "version 2"));
    cr_assert(until(service_log_count("life: close") == WORKERS), "%s", server_log(NULL).p);
    assert_ctl(0, "drain");
}

/* ---- crashes ---- */

struct crash {
    const char *path, *report; /* in the log; NULL: nothing about the request */
    const char *end;           /* as the master tells it */
    bool plain;                /* not under a sanitizer, which would tell of it by its own means */
};

/* Two workers: one has a request under way and is not to be disturbed. Which one a connection meets is chance, so the
 * crash is tried until it meets the other. */
static void assert_one_worker_ends(const struct server *server, const struct crash *crash)
{
    pid_t before[WORKERS], after[WORKERS];
    server_workers(server, before, WORKERS);
    struct client *c = client_open(server->port);
    client_printf(c, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", crash->path);
    struct response r = response_read(c);
    cr_assert_eq(r.status, 0, "%s: %d", crash->path, r.status);
    for (int i = 0; i < 10; i++)
        assert_body(fetch(server->port, "/hello"), STR("hello"));
    server_workers(server, after, WORKERS);
    int same = (before[0] == after[0] || before[0] == after[1]) + (before[1] == after[0] || before[1] == after[1]);
    cr_assert_eq(same, 1, "%s: %d workers are the same:\n%s", crash->path, same, server_log(server).p);
    if (crash->report)
        cr_assert(until(service_logged(crash->report)), "no `%s`:\n%s", crash->report, server_log(server).p);
    cr_assert(until(service_logged(crash->end)), "no `%s`:\n%s", crash->end, server_log(server).p);
}

Test(module_life, a_crash_costs_one_worker)
{
    static const struct crash crashes[] = {
        {"/crash/null", "in: GET /crash/null HTTP/1.1 (module crash, route /crash/)", "was ended by signal 11", true},
        {"/crash/abort", "in: GET /crash/abort HTTP/1.1", "was ended by signal 6", false},
        {"/crash/blocking",
         "on a thread of the pool, for green thread 'connection' in: GET /crash/blocking HTTP/1.1 (module crash, route "
         "/crash/)",
         "was ended by signal 11", true},
        {"/crash/blocking", " write_nowhere_too+0x", "was ended by signal 11", true},
        {"/crash/overflow", "in: GET /crash/overflow HTTP/1.1", "was ended by signal 11", true},
        {"/crash/exit", "ends the process in: GET /crash/exit HTTP/1.1", "ended with status 0", true},
    };
    module_install("crash");
    struct server server = service_start(.more = MODULES, .routes = MODULE_ROUTE("/crash/", "crash.so", "crash", ""));
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
        if (!crashes[i].plain || !harness_is_sanitized())
            assert_one_worker_ends(&server, &crashes[i]);
    assert_stop(&server, 0);
}

/* The report of an abort names the other requests, too, whose answers are lost with it. */
Test(module_life, others_in_a_worker_that_aborts)
{
    module_install("crash");
    struct server server =
        service_start(.workers = 1, .more = MODULES, .routes = MODULE_ROUTE("/crash/", "crash.so", "crash", ""));
    struct client *waiting = client_open(server.port);
    client_printf(waiting, "GET /crash/wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
    cr_assert(until(service_status("requests") >= 1));
    assert_status(fetch(server.port, "/crash/abort"), 0);
    cr_assert(client_ends(waiting));
    cr_assert(service_logged("is waiting with "), "%s", server_log(&server).p);
    cr_assert(service_logged("in: GET /crash/wait HTTP/1.1"), "%s", server_log(&server).p);
    assert_body(fetch(server.port, "/hello"), STR("hello"));
    assert_stop(&server, 0);
}

Test(module_life, a_handler_that_never_comes_back_is_replaced_after_stall_kill)
{
    static const struct crash loop = {"/crash/loop", "in: GET /crash/loop HTTP/1.1", "has shown no sign of life",
                                      false};
    module_install("crash");
    struct server server = service_start(.more = MODULES "timeouts: {stall_kill: 500ms}\n",
                                         .routes = MODULE_ROUTE("/crash/", "crash.so", "crash", ""));
    assert_one_worker_ends(&server, &loop);
    assert_stop(&server, 0);
}

/* Such a worker is started anew, more and more slowly, until its file is there again; connections that have come to it
 * wait for that. */
Test(module_life, a_file_that_is_gone_when_a_worker_is_replaced)
{
    pid_t workers[WORKERS];
    module_install("life");
    struct server server = service_start(.more = MODULES, .routes = LIFE("/life", "life"));
    server_workers(&server, workers, WORKERS);
    cr_assert_eq(rename(file_path("modules/life.so"), file_path("modules/away.so")), 0);
    kill(workers[0], SIGKILL);
    cr_assert(until(service_log_count("cannot start its handlers") >= 2), "%s", server_log(&server).p);
    cr_assert(service_logged("tern.yaml:"), "%s", server_log(&server).p);
    cr_assert_eq(rename(file_path("modules/away.so"), file_path("modules/life.so")), 0);
    cr_assert(until(service_log_count("life: start") >= 1 + WORKERS), "%s", server_log(&server).p);
    cr_assert(all_say(server.port, "version 1"));
    assert_stop(&server, 0);
}
