/* metrics_test.c: the handler `metrics`, on a board that the test has filled. */
#include <criterion/criterion.h>

#include "../green/run.h"
#include "answer.h"
#include "handler/metrics_text.h"
#include "handler/registry.h"
#include "http/inspect.h"
#include "http/server.h"
#include "http/site.h"

enum { WORKERS = 2, ROUTES = 6 };

static struct scoreboard board;
static struct http_server server;
static const struct http_handler some; /* that is not the one of what is missing */

/* Of two sites. */
static struct http_route routes[ROUTES] = {
    {.label = {STR_INIT("none"), STR_INIT("")}, .handler = &http_missing},
    {.label = {STR_INIT("files"), STR_INIT("example.org/a\"b\\")}, .handler = &some},
    {.label = {STR_INIT("missing"), STR_INIT("example.org")}, .handler = &http_missing},
    {.label = {STR_INIT("module x"), STR_INIT("=/c")}, .handler = &some},
    {.label = {STR_INIT("echo"), STR_INIT("/d")}, .handler = &some},
    {.label = {STR_INIT("missing"), STR_INIT("")}, .handler = &http_missing},
};
static struct answer answer;

static void setup(void)
{
    cr_assert_eq(scoreboard_open(&board, WORKERS, ROUTES), 0);
    http_inspection = (struct http_inspection){.board = &board, .generation = 7, .started = clock_monotonic()};
    for (size_t i = 1; i < ROUTES; i++)
        routes[i].index = i;
    for (size_t i = 1; i + 1 < ROUTES; i++)
        routes[i].next = &routes[i + 1];
    server.sites.unmet = routes[0];
    server.sites.unmet.next = &routes[1];
    server.sites.routes = &server.sites.unmet;
}

static void teardown(void)
{
    scoreboard_close(&board);
    answer_end(&answer);
}

TestSuite(metrics, .init = setup, .fini = teardown);

/* int64_t is the setting's type: see metrics.c. */
static void ask(enum method method, int64_t most)
{
    answer_end(&answer);
    answer_begin(&answer, method, "/metrics", NULL, NULL);
    answer.x.server = &server;
    answer.x.response.no_content = method == METHOD_HEAD;
    cr_assert_eq(handler_metrics.size, sizeof most);
    cr_assert_eq(handler_metrics.serve(&answer.x, &most), 0);
    cr_assert_eq(answer.status, 200);
    cr_assert(answer.ended);
}

#define expect_line(line) cr_expect_eq(answer_times(&answer, "\n" line "\n"), 1, "not once: %s", line)

GreenTest(metrics, what_workers_have_counted, .stack = 256 * 1024)
{
    struct score *score = scoreboard_slot(&board, 1);
    *score = (struct score){.connections = 5,
                            .idle = 2,
                            .threads = 9,
                            .waiting = 6,
                            .ready = 3,
                            .accepted = 11,
                            .requests = 12,
                            .cut = 13,
                            .access_lost = 14,
                            .stalls = 15,
                            .slow = 16,
                            .restarts = 17};
    histogram_add(&score->latency, 70 * 1000);
    histogram_add(&score->lag, 3 * NSEC_SEC);
    ask(METHOD_GET, 200);
    cr_expect(answer_has_field(&answer, "Content-Type: text/plain; version=0.0.4; charset=utf-8"));
    expect_line("tern_generation 7");
    expect_line("tern_connections{worker=\"1\",state=\"idle\"} 2");
    expect_line("tern_connections{worker=\"1\",state=\"active\"} 3");
    expect_line("tern_green_threads{worker=\"1\",state=\"waiting\"} 6");
    expect_line("tern_green_threads{worker=\"1\",state=\"ready\"} 3");
    cr_expect_not(answer_has(&answer, "state=\"running\""));
    expect_line("tern_worker_restarts_total{worker=\"1\"} 17");
    expect_line("tern_connections_accepted_total{worker=\"1\"} 11");
    expect_line("tern_worker_requests_total{worker=\"1\"} 12");
    expect_line("tern_requests_cut_total{worker=\"1\"} 13");
    expect_line("tern_access_log_lost_total{worker=\"1\"} 14");
    expect_line("tern_stalls_total{worker=\"1\"} 15");
    expect_line("tern_requests_slow_total{worker=\"1\"} 16");
    expect_line("tern_requests_slow_total{worker=\"0\"} 0");
    expect_line("tern_worker_request_duration_seconds_bucket{worker=\"1\",le=\"0.000064\"} 0");
    expect_line("tern_worker_request_duration_seconds_bucket{worker=\"1\",le=\"0.000128\"} 1");
    expect_line("tern_worker_request_duration_seconds_sum{worker=\"1\"} 0.00007");
    expect_line("tern_loop_lag_seconds_count{worker=\"1\"} 1");
    expect_line("tern_loop_lag_seconds_sum{worker=\"1\"} 3");
}

/* A copy of a board may have more idle connections than there are. */
GreenTest(metrics, no_rest_is_below_none, .stack = 256 * 1024)
{
    *scoreboard_slot(&board, 0) = (struct score){.connections = 1, .idle = 2, .threads = 2, .waiting = 3};
    ask(METHOD_GET, 200);
    expect_line("tern_connections{worker=\"0\",state=\"active\"} 0");
    expect_line("tern_green_threads{worker=\"0\",state=\"ready\"} 0");
}

GreenTest(metrics, routes_are_summed_over_workers, .stack = 256 * 1024)
{
    scoreboard_count(&scoreboard_routes(&board, 0)[1], 200, 100, 50 * 1000);
    scoreboard_count(&scoreboard_routes(&board, 1)[1], 206, 20, 300 * NSEC_MS);
    scoreboard_count(&scoreboard_routes(&board, 1)[1], 404, 3, 60 * NSEC_SEC);
    scoreboard_count(&scoreboard_routes(&board, 1)[0], 0, 0, 0);
    ask(METHOD_GET, 200);
#define FILES "route=\"example.org/a\\\"b\\\\\",handler=\"files\""
    expect_line("tern_requests_total{" FILES ",class=\"2xx\"} 2");
    expect_line("tern_requests_total{" FILES ",class=\"4xx\"} 1");
    expect_line("tern_requests_total{" FILES ",class=\"5xx\"} 0");
    expect_line("tern_requests_total{route=\"\",handler=\"none\",class=\"none\"} 1");
    expect_line("tern_response_bytes_total{" FILES "} 123");
    expect_line("tern_response_bytes_total{route=\"=/c\",handler=\"module x\"} 0");
    expect_line("tern_request_duration_seconds_bucket{" FILES ",le=\"0.0001\"} 1");
    expect_line("tern_request_duration_seconds_bucket{" FILES ",le=\"0.5\"} 2");
    expect_line("tern_request_duration_seconds_bucket{" FILES ",le=\"+Inf\"} 3");
    expect_line("tern_request_duration_seconds_sum{" FILES "} 60.30005");
    expect_line("tern_request_duration_seconds_count{" FILES "} 3");
    cr_expect_not(answer_has(&answer, "other"));
}

/* Of requests with 200: those of each route that is told of, and of the others. Requests that met none stay apart. */
GreenTest(metrics, further_routes_are_one, .stack = 256 * 1024)
{
    static const struct {
        int64_t most;
        size_t series;
        const char *others; /* NULL: there are none */
    } table[] = {{0, 3, "26"}, {1, 4, "24"}, {2, 5, "16"}, {3, 5, NULL}, {10000, 5, NULL}};
    for (size_t i = 0; i < ROUTES; i++)
        for (size_t k = 0; k < 1U << i; k++)
            scoreboard_count(&scoreboard_routes(&board, k % WORKERS)[i], 200, 0, 0);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        ask(METHOD_GET, table[i].most);
        char line[128];
        snprintf(line, sizeof line, "\ntern_requests_total{route=\"other\",handler=\"other\",class=\"2xx\"} %s\n",
                 table[i].others ? table[i].others : "");
        cr_expect_eq(answer_times(&answer, line), table[i].others != NULL, "%lld", (long long)table[i].most);
        cr_expect_eq(answer_times(&answer, "\ntern_response_bytes_total{"), table[i].series);
        expect_line("tern_requests_total{route=\"\",handler=\"none\",class=\"2xx\"} 1");
        expect_line("tern_requests_total{route=\"\",handler=\"missing\",class=\"2xx\"} 36");
    }
}

GreenTest(metrics, head_has_no_content, .stack = 256 * 1024)
{
    ask(METHOD_HEAD, 200);
    cr_expect_eq(answer.n, 0);
}
