/* The handler `metrics`: what Prometheus would read, by a reader that is as strict as its tools (metrics.py). */
#include "harness.h"
#include "harness_file.h"
#include "harness_pki.h"
#include "module_service.h"
#include "service.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>

enum { REFUSED = 2, WORKERS = 2 };

#define COUNT(table) (sizeof(table) / sizeof *(table))

#define CONFIG                                                                                                         \
    MODULE_LISTEN "workers: 2\n"                                                                                       \
                  "control: @DIR@/run/control.sock\n"                                                                  \
                  "sites:\n"                                                                                           \
                  "  - compress: on\n"                                                                                 \
                  "    routes:\n"                                                                                      \
                  "      - {path: /metrics, metrics: {}}\n"                                                            \
                  "      - {path: /few, metrics: {routes: 2}}\n"                                                       \
                  "      - {exact: '/a\"b\\c', respond: {body: 'ok'}}\n"                                               \
                  "      - {path: /teapot, respond: {status: 418}}\n"                                                  \
                  "      - {path: /teapot/, respond: {status: 500}}\n"

static struct server server;

static void begin(void)
{
    harness_begin();
    pki_make("ecdsa", "root");
    file_directory("run");
    server = server_start(CONFIG);
}

TestSuite(metrics, .init = begin, .fini = harness_end, .timeout = 120);

/* All samples of an answer, in lines, which must be faultless. */
static struct str samples_in(struct str text)
{
    file_write("metrics", text);
    struct command command = {.arguments = {"python3", "tests/server/metrics.py", file_path("metrics")}};
    struct result r = command_run(&command);
    cr_assert_eq(r.status, 0, "%s", r.err.p);
    return r.out;
}

static struct str samples(const char *path)
{
    struct response r = fetch(server.port, path);
    assert_status(r, 200);
    cr_assert(r.complete);
    return samples_in(r.body);
}

/* The value of a series; -1: there is none. */
static double value_of(const char *path, const char *series)
{
    struct str all = samples(path), start = str_of(harness_text("%s ", series));
    while (all.n) {
        struct str line = str_cut(&all, '\n');
        if (str_starts(line, start))
            return strtod(line.p + start.n, NULL);
    }
    return -1;
}

/* ---- what is refused ---- */

Test(metrics, settings)
{
    static const char *const wrong[] = {"on", "[]", "{routes: -1}", "{routes: 10001}", "{routes: many}", "{route: 1}"};
    static const char *const right[] = {"{}", "{routes: 0}", "{routes: 10000}"};
    for (size_t i = 0; i < COUNT(wrong) + COUNT(right); i++) {
        const char *settings = i < COUNT(wrong) ? wrong[i] : right[i - COUNT(wrong)];
        file_write("other.yaml", str_of(harness_text("listen: 127.0.0.1:1\n"
                                                     "sites: [{routes: [{path: /, metrics: %s}]}]\n",
                                                     settings)));
        cr_expect_eq(run_tern("-t", "-c", "@DIR@/other.yaml").status, i < COUNT(wrong) ? REFUSED : 0, "%s", settings);
    }
}

Test(metrics, methods)
{
    static const char *const methods[] = {"POST", "PUT", "DELETE", "PATCH"};
    for (enum carrier by = 0; by < CARRIERS; by++) {
        for (size_t i = 0; i < COUNT(methods); i++) {
            struct response r = ask_by(by, .method = methods[i], .path = "/metrics");
            assert_status(r, 405);
            assert_field(r, "Allow", "GET, HEAD, OPTIONS");
        }
        struct response r = ask_by(by, .method = "HEAD", .path = "/metrics");
        assert_status(r, 200);
        assert_body(r, STR(""));
    }
}

/* ---- what is told ---- */

Test(metrics, by_every_carrier)
{
    for (enum carrier by = 0; by < CARRIERS; by++) {
        struct response r = ask_by(by, .path = "/metrics");
        assert_status(r, 200);
        assert_field(r, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
        cr_assert(r.complete);
        cr_assert_gt(command_lines(samples_in(r.body)), 100);
    }
}

/* Any worker tells of all of them: who asks anew each time meets either. */
Test(metrics, requests_are_counted_by_route_and_class)
{
    enum { ROUNDS = 10 };
    for (int i = 0; i < ROUNDS; i++) {
        assert_status(fetch(server.port, "/a%22b%5Cc"), 200);
        assert_status(fetch(server.port, "/teapot"), 418);
        assert_status(fetch(server.port, "/teapot/x"), 500);
        assert_status(fetch(server.port, "/nowhere"), 404);
        assert_status(fetch_raw(server.port, "GET / HTTP/1.1\r\n\r\n"), 400);
    }
    static const struct {
        const char *series;
        double value;
    } table[] = {
        {"tern_requests_total{route=\"=/a\\\"b\\\\c\",handler=\"respond\",class=\"2xx\"}", ROUNDS},
        {"tern_requests_total{route=\"/teapot\",handler=\"respond\",class=\"4xx\"}", ROUNDS},
        {"tern_requests_total{route=\"/teapot/\",handler=\"respond\",class=\"5xx\"}", ROUNDS},
        {"tern_requests_total{route=\"\",handler=\"missing\",class=\"4xx\"}", ROUNDS},
        {"tern_requests_total{route=\"\",handler=\"none\",class=\"4xx\"}", ROUNDS},
        {"tern_request_duration_seconds_count{route=\"/teapot\",handler=\"respond\"}", ROUNDS},
        {"tern_response_bytes_total{route=\"=/a\\\"b\\\\c\",handler=\"respond\"}", 2 * ROUNDS},
        {"tern_build_info{version=\"0.1.0\"}", 1},
        {"tern_generation", 1},
    };
    for (size_t i = 0; i < COUNT(table); i++)
        cr_expect(until(value_of("/metrics", table[i].series) == table[i].value), "%s is %g", table[i].series,
                  value_of("/metrics", table[i].series));
}

Test(metrics, further_routes_are_told_of_as_one)
{
    assert_status(fetch(server.port, "/teapot"), 418);
    assert_status(fetch(server.port, "/teapot/"), 500);
    static const char other[] = "tern_requests_total{route=\"other\",handler=\"other\",class=\"%s\"}";
    cr_expect(until(value_of("/few", harness_text(other, "4xx")) == 1));
    cr_expect(until(value_of("/few", harness_text(other, "5xx")) == 1));
    cr_expect_eq(value_of("/few", "tern_response_bytes_total{route=\"/teapot\",handler=\"respond\"}"), -1);
    cr_expect_neq(value_of("/few", "tern_response_bytes_total{route=\"/metrics\",handler=\"metrics\"}"), -1);
    cr_expect_neq(value_of("/few", "tern_response_bytes_total{route=\"/few\",handler=\"metrics\"}"), -1);
}

/* ---- how long it counts ---- */

#define TEAPOTS "tern_requests_total{route=\"/teapot\",handler=\"respond\",class=\"4xx\"}"

Test(metrics, a_worker_that_is_replaced_keeps_its_counts)
{
    pid_t before[WORKERS], after[WORKERS];
    for (int i = 0; i < 20; i++)
        assert_status(fetch(server.port, "/teapot"), 418);
    cr_assert(until(value_of("/metrics", TEAPOTS) == 20));
    server_workers(&server, before, WORKERS);
    for (int i = 0; i < WORKERS; i++)
        cr_assert_eq(kill(before[i], SIGKILL), 0);
    do
        server_workers(&server, after, WORKERS);
    while (after[0] == before[0] || after[0] == before[1] || after[1] == before[0] || after[1] == before[1]);
    cr_assert(until(value_of("/metrics", TEAPOTS) == 20));
    for (int i = 0; i < WORKERS; i++)
        cr_expect_eq(value_of("/metrics", harness_text("tern_worker_restarts_total{worker=\"%d\"}", i)), 1);
}

Test(metrics, a_generation_begins_anew)
{
    double started = value_of("/metrics", "tern_start_time_seconds");
    assert_status(fetch(server.port, "/teapot"), 418);
    cr_assert(until(value_of("/metrics", TEAPOTS) == 1));
    assert_ctl(0, "reload");
    cr_assert(until(value_of("/metrics", "tern_generation") == 2));
    cr_expect_eq(value_of("/metrics", TEAPOTS), 0);
    double now = value_of("/metrics", "tern_start_time_seconds");
    cr_expect(now >= started - 1 && now <= started + 1, "%g, was %g", now, started);
}
