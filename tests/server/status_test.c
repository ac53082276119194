/* The handler `status`: its files, its stream of events, and the page in a browser (status_browser.py). */
#include "documentation.h"
#include "harness.h"
#include "harness_file.h"
#include "harness_pki.h"
#include "module_service.h"
#include "service.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { REFUSED = 2, VIEWERS = 16, BROWSER_LIMITS = 5 /* it ends by itself before */ };

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* A drain that waited for a viewer would take longer than a test may. */
#define CONFIG(workers)                                                                                                \
    MODULE_LISTEN "workers: " workers "\n"                                                                             \
                  "control: @DIR@/run/control.sock\n"                                                                  \
                  "timeouts: {shutdown: 1h}\n"                                                                         \
                  "sites:\n"                                                                                           \
                  "  - compress: on\n"                                                                                 \
                  "    routes:\n"                                                                                      \
                  "      - {path: /_tern/, status: {}}\n"                                                              \
                  "      - {path: /bare, status: {}}\n"                                                                \
                  "      - {exact: /hello, respond: {body: 'Hello, world'}}\n"

static struct server server;

static void begin(void)
{
    harness_begin();
    pki_make("ecdsa", "root");
    module_install("sleep");
    file_directory("run");
}

TestSuite(status, .init = begin, .fini = harness_end, .timeout = 120);

/* ---- files ---- */

Test(status, settings)
{
    static const char *const wrong[] = {"path: /, status: on", "path: /, status: {a: b}", "exact: /x, status: {}",
                                        "exact: /, status: {}"};
    static const char *const right[] = {"path: /, status: {}", "path: /x, status: {}", "path: /a/b/, status: {}"};
    for (size_t i = 0; i < COUNT(wrong) + COUNT(right); i++) {
        const char *route = i < COUNT(wrong) ? wrong[i] : right[i - COUNT(wrong)];
        file_write("tern.yaml", str_of(harness_text("listen: 127.0.0.1:1\nsites: [{routes: [{%s}]}]\n", route)));
        cr_expect_eq(run_tern("-t", "-c", "@DIR@/tern.yaml").status, i < COUNT(wrong) ? REFUSED : 0, "%s", route);
    }
}

Test(status, requests)
{
    static const struct {
        const char *method, *path;
        int status;
    } table[] = {
        {"POST", "/_tern/", 405},       {"POST", "/_tern/events", 405},  {"PUT", "/_tern/app.js", 405},
        {"GET", "/_tern/x", 404},       {"GET", "/_tern/a%2fb", 404},    {"GET", "/_tern/index.html", 404},
        {"GET", "/_tern/app.js/", 404}, {"GET", "/_tern/events/x", 404}, {"GET", "/_tern", 404},
        {"GET", "/_tern/", 200},        {"GET", "/_tern/?x", 200},       {"GET", "/_tern/x/../app.js", 200},
        {"HEAD", "/_tern/", 200},       {"HEAD", "/_tern/events", 200},  {"OPTIONS", "/_tern/", 200},
        {"GET", "/bare", 301},          {"GET", "/bare/", 200},          {"GET", "/bare/style.css", 200},
    };
    server = server_start(CONFIG("1"));
    for (enum carrier by = 0; by < CARRIERS; by++)
        for (size_t i = 0; i < COUNT(table); i++) {
            struct response r = ask_by(by, .method = table[i].method, .path = table[i].path);
            cr_expect_eq(r.status, table[i].status, "%s %s by %s: %d", table[i].method, table[i].path, carrier_name(by),
                         r.status);
        }
    struct response r = fetch(server.port, "/bare?a=b");
    assert_field(r, "Location", "/bare/?a=b");
}

/* ---- events ---- */

static const enum carrier carriers[] = {HTTP_1_1, HTTP_2, HTTPS_1_1, HTTPS_2};

static struct call watch(enum carrier by)
{
    struct call call = call_begin(by, .path = "/_tern/events", .fields = "accept-encoding: gzip, br, zstd\n");
    cr_assert(call_shows(&call, "event: sample\ndata: {\"version\""), "%s", carrier_name(by));
    return call;
}

/* None waits in a compressor. */
Test(status, samples_come_as_they_are)
{
    server = server_start(CONFIG("1"));
    for (size_t i = 0; i < COUNT(carriers); i++) {
        struct call call = watch(carriers[i]);
        assert_status(fetch(server.port, "/hello"), 200);
        cr_assert(call_shows(&call, harness_text("\"accepted\":%zu,", 2 * i + 2)), "%s has no second sample",
                  carrier_name(carriers[i]));
        struct str head =
            call.h2 ? h2c_stream(call.h2, call.stream)->head : client_take_through(call.client, STR("\r\n\r\n"));
        struct response r = {.head = head};
        assert_field(r, "Content-Type", "text/event-stream");
        assert_field(r, "Cache-Control", "no-store");
        assert_no_field(r, "Content-Encoding");
        assert_no_field(r, "Content-Length");
        call_leave(&call);
    }
    assert_stop(&server, 0);
}

/* Those who leave make room, and their descriptors are free again. */
Test(status, more_viewers_than_may_be)
{
    struct call viewers[VIEWERS];
    pid_t worker;
    server = server_start(CONFIG("1"));
    server_workers(&server, &worker, 1);
    assert_status(fetch(server.port, "/_tern/x"), 404);
    size_t before = service_descriptors(worker);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < VIEWERS; i++)
            viewers[i] = watch(carriers[i % COUNT(carriers)]);
        for (size_t i = 0; i < COUNT(carriers); i++) {
            struct response r = ask_by(carriers[i], .path = "/_tern/events");
            assert_status(r, 503);
            assert_field(r, "Retry-After", "10");
        }
        assert_status(fetch(server.port, "/_tern/"), 200);
        for (size_t i = 0; i < VIEWERS; i++)
            call_leave(&viewers[i]);
        cr_assert(until(service_descriptors(worker) <= before), "%zu descriptors, were %zu",
                  service_descriptors(worker), before);
    }
    assert_stop(&server, 0);
}

Test(status, a_reload_lets_viewers_go)
{
    struct call viewers[COUNT(carriers)];
    server = server_start(CONFIG("2"));
    for (size_t i = 0; i < COUNT(carriers); i++)
        viewers[i] = watch(carriers[i]);
    assert_ctl(0, "reload");
    for (size_t i = 0; i < COUNT(carriers); i++)
        call_assert_ended(&viewers[i]);
    cr_assert(until(service_logged("has ended")), "%s", server_log(&server).p);
    assert_stop(&server, 0);
}

Test(status, a_stop_does_not_wait_for_viewers)
{
    struct call viewers[COUNT(carriers)];
    server = server_start(CONFIG("2"));
    for (size_t i = 0; i < COUNT(carriers); i++)
        viewers[i] = watch(carriers[i]);
    assert_stop(&server, 0);
    for (size_t i = 0; i < COUNT(carriers); i++)
        call_assert_ended(&viewers[i]);
}

/* ---- the page ---- */

Test(status, in_a_browser, .timeout = 240)
{
    if (access("/usr/bin/chromedriver", X_OK) < 0 || access("/usr/bin/chromium", X_OK) < 0)
        harness_skip("chromium or chromium-driver is not installed");
    module_install("stall");
    server = server_start(harness_text("%s" MODULE_ROUTE("/stall/", "stall.so", "stall", ""),
                                       document_read("tests/server/status_browser.yaml").p));
    struct command command = {.arguments = {"python3", "tests/server/status_browser.py",
                                            harness_text("http://127.0.0.1:%d/_tern/", server.port), "--stall",
                                            "/stall/compute", "--reload", service_ctl_path(), "-S", service_control(),
                                            "reload"},
                              .out = "browser.out",
                              .err = "browser.err",
                              .ends_by = SIGTERM};
    pid_t browser = command_start(&command);
    for (int limits = 0; limits < BROWSER_LIMITS && !until(service_is_gone(browser)); limits++)
        ;
    int status = command_wait(browser);
    cr_assert_eq(status, 0, "status %d: %s%s", status, file_read("browser.out").p, file_read("browser.err").p);
    assert_stop(&server, 0);
}
