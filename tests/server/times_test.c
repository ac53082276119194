/* Where the time of requests goes, by the real binary: in the log, in lines about slow ones, in Server-Timing. */
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"
#include "harness_h2.h"
#include "harness_response.h"
#include "harness_server.h"
#include "module_service.h"

#include <criterion/criterion.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* of no password that is used here; a cheap one */
#define HASH "$2y$04$abcdefghijklmnopqrstuuqzvpmXBmLcUxFV3YyBzTiBaZDX9gVlG"
#define FORMAT "'%U %D %{header}D %{queue}D %{cpu}D %{pool}D %{upstream}D %{client}D'"

/* The server is its own upstream: /fan waits for /sleep, three times at once. */
#define ROUTES(site)                                                                                                   \
    MODULES "workers: 1\n"                                                                                             \
            "sites:\n"                                                                                                 \
            "  - " site "\n"                                                                                           \
            "    routes:\n"                                                                                            \
            "      - {exact: /hello, respond: {body: hello}}\n"                                                        \
            "      - {exact: /quiet, respond: {body: hello}, slow: off, server_timing: off}\n"                         \
            "      - {exact: /echo, echo: {}}\n"                                                                       \
            "      - {path: /private, respond: {}, auth: {users: {bob: '" HASH                                         \
            "'}}}\n" MODULE_ROUTE("/sleep", "sleep.so", "sleep", "time: 200ms")                                        \
                MODULE_ROUTE("/fan", "fanout.so", "fanout",                                                            \
                             "to: [\"http://127.0.0.1:@PORT@/sleep/1\", \"http://127.0.0.1:@PORT@/sleep/2\", "         \
                             "\"http://127.0.0.1:@PORT@/sleep/3\"], within: 1m") "      - {path: /drowsy, slow: off, " \
                                                                                 "module: {file: sleep.so, handler: "  \
                                                                                 "sleep, settings: {time: 200ms}}}\n"

enum { SLEEP = 200 * 1000, PAUSE = 300 * 1000 }; /* microseconds */

static void begin(void)
{
    harness_begin();
    file_directory("log");
    module_install("sleep");
    module_install("fanout");
}

TestSuite(times, .init = begin, .fini = harness_end);

/* ---- what is refused ---- */

static const struct {
    const char *top, *site, *route, *error;
} refused[] = {
    {"timings: maybe", "slow: 1s", "", "2:10: error: timings: `maybe` is not on or off"},
    {"timings: 1s", "slow: 1s", "", "2:10: error: timings: `1s` is not on or off"},
    {"timings: {}", "slow: 1s", "", "error: timings: takes a single value"},
    {"log: {slow: on}", "slow: 1s", "", "2:13: error: log.slow: `on` is not a duration"},
    {"log: {slow: 0}", "slow: 1s", "", "2:13: error: log.slow: 0 is out of range (1ms to 1y)"},
    {"log: {slow: [1s]}", "slow: 1s", "", "2:13: error: log.slow: takes a single value"},
    {"timings: on", "slow: never", "", "4:11: error: sites[0].slow: `never` is not a duration"},
    {"timings: on", "slow: 1s", ", slow: 1us", "error: sites[0].routes[0].slow: `1us` is not a duration"},
    {"timings: on", "slow: 1s", ", slow: -1s", "error: sites[0].routes[0].slow: `-1s` is not a duration"},
    {"timings: on", "server_timing: all", "", "4:20: error: sites[0].server_timing: `all` is not on or off"},
    {"timings: on", "slow: 1s", ", server_timing: 1", "error: sites[0].routes[0].server_timing: `1` is not on or off"},
    {"timings: on", "timings: on", "", "4:5: error: sites[0].timings: unknown key in a site"},
    {"slow: 1s", "slow: 1s", "", "2:1: error: slow: unknown key"},
};

Test(times, what_is_refused)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const char *config = harness_text("listen: 127.0.0.1:@PORT@\n"
                                          "%s\n"
                                          "sites:\n"
                                          "  - %s\n"
                                          "    routes: [{path: /, respond: {}%s}]\n",
                                          refused[i].top, refused[i].site, refused[i].route);
        file_write("tern.yaml", str_of(harness_expand(config)));
        struct result r = run_tern("-t", "-c", "@DIR@/tern.yaml");
        cr_expect_eq(r.status, 2, "%s", config);
        cr_expect(memmem(r.err.p, r.err.n, refused[i].error, strlen(refused[i].error)), "%s: %s", refused[i].error,
                  r.err.p);
        cr_expect_eq(command_lines(r.err), 1, "%s", r.err.p);
    }
}

/* ---- in the access log ---- */

struct times {
    unsigned long long total, header, queue, cpu, pool, upstream, client;
};

#define LISTEN "listen: 127.0.0.1:@PORT@\n"
#define LOGGED LISTEN "log: {access: {path: @DIR@/log/access.log, format: " FORMAT "}}\n"

/* Those of the request for a path. Each is a part of the total, but that of a handler which waits for several things at
 * once. */
static struct times times_of(const char *path)
{
    struct times t = {0};
    struct str log = {NULL, 0}, line = {NULL, 0}, start = str_of(harness_text("%s ", path));
    cr_assert(until((log = file_read("log/access.log"), memmem(log.p, log.n, start.p, start.n))));
    while (log.n && !str_starts(line, start))
        line = str_cut(&log, '\n');
    cr_assert_eq(sscanf(harness_text(STR_FMT, STR_ARG(str_skip(line, start.n))), "%llu %llu %llu %llu %llu %llu %llu",
                        &t.total, &t.header, &t.queue, &t.cpu, &t.pool, &t.upstream, &t.client),
                 7, STR_FMT, STR_ARG(line));
    return t;
}

static unsigned long long others(const struct times *t)
{
    unsigned long long sum = t->header + t->queue + t->cpu + t->pool + t->upstream + t->client;
    cr_expect_leq(sum, t->total, "%llu in all, of %llu", sum, t->total);
    return t->total - sum;
}

static const enum carrier carriers[] = {HTTP_1_1, HTTP_2};

#define each_carrier(c)                                                                                                \
    for (size_t c##_i = 0; c##_i < 2; c##_i++)                                                                         \
        for (enum carrier c = carriers[c##_i], *once = &c; once; once = NULL)

Test(times, a_handler_that_sleeps_waits_for_something_else)
{
    struct server server = server_start(LOGGED ROUTES("slow: off"));
    each_carrier(c)
    {
        const char *path = harness_text("/sleep/%d", (int)c);
        assert_status(ask_by(c, .path = path), 200);
        struct times t = times_of(path);
        cr_expect_geq(others(&t), SLEEP / 2, "%s", carrier_name(c));
        cr_expect_eq(t.pool + t.upstream + t.client, 0, "%s", carrier_name(c));
    }
    assert_stop(&server, 0);
}

/* It has asked three at once, and joined the threads that did. */
Test(times, a_handler_waits_for_its_upstreams)
{
    struct server server = server_start(LOGGED ROUTES("slow: off"));
    each_carrier(c)
    {
        const char *path = harness_text("/fan/%d", (int)c);
        assert_status(ask_by(c, .path = path), 200);
        struct times t = times_of(path);
        cr_expect_geq(t.upstream, 3 * SLEEP / 2, "%s", carrier_name(c));
        cr_expect_geq(t.total, SLEEP / 2);
        cr_expect_lt(t.pool + t.client, SLEEP / 2, "%s", carrier_name(c));
    }
    assert_stop(&server, 0);
}

/* A password is checked there. */
Test(times, the_pool)
{
    struct server server = server_start(LOGGED ROUTES("slow: off"));
    each_carrier(c)
    {
        const char *path = harness_text("/private/%d", (int)c);
        assert_status(ask_by(c, .path = path, .fields = "authorization: Basic Ym9iOndyb25n\n"), 401);
        struct times t = times_of(path);
        others(&t);
        cr_expect_gt(t.pool, 0, "%s", carrier_name(c));
        cr_expect_eq(t.upstream + t.client, 0, "%s", carrier_name(c));
    }
    assert_stop(&server, 0);
}

Test(times, content_that_comes_late_by_http2)
{
    struct server server = server_start(LOGGED ROUTES("slow: off"));
    struct h2c *h = h2c_open(server.port);
    uint32_t stream = h2c_request(h, H2C_POST("/echo"), false);
    usleep(PAUSE);
    h2c_content(h, stream, STR("x"));
    assert_status(h2c_answer(h, stream), 200);
    h2c_close(h);
    struct times t = times_of("/echo");
    others(&t);
    cr_expect_geq(t.client, PAUSE / 2);
    cr_expect_eq(t.pool + t.upstream, 0);
    assert_stop(&server, 0);
}

/* What the first one takes is not the second one's time, whose bytes wait meanwhile. */
Test(times, a_pipeline)
{
    struct server server = server_start(LOGGED ROUTES("slow: off"));
    struct client *c = client_open(server.port);
    client_printf(c, "GET /sleep/1 HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_status(response_read(c), 200);
    assert_status(response_read(c), 200);
    client_close(c);
    struct times first = times_of("/sleep/1"), second = times_of("/hello");
    cr_expect_geq(others(&first), SLEEP / 2);
    others(&second);
    cr_expect_lt(second.total, first.total);
    cr_expect_eq(second.header, 0);
    assert_stop(&server, 0);
}

/* ---- slow ones ---- */

static bool matches(const char *text, const char *pattern)
{
    regex_t regex;
    cr_assert_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB | REG_NEWLINE), 0);
    bool found = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return found;
}

static size_t told(const struct server *server, const char *text)
{
    size_t count = 0;
    for (const char *p = server_log(server).p; (p = strstr(p, text)); p++)
        count++;
    return count;
}

#define MS "[0-9]+\\.[0-9]"
#define ACCOUNTS                                                                                                       \
    "header " MS ", queue " MS ", cpu " MS ", pool " MS ", upstream " MS ", client " MS ", other " MS " ms; "

static void expect_slow_lines(const char *config)
{
    struct server server = server_start(config);
    each_carrier(c)
    {
        assert_status(ask_by(c, .path = "/sleep?secret=1"), 200);
        assert_status(ask_by(c, .path = "/drowsy?secret=1"), 200);
        assert_status(ask_by(c, .path = "/hello?secret=1"), 200);
    }
    assert_stop(&server, 0);
    const char *log = server_log(&server).p;
    cr_expect_eq(told(&server, "slow: "), 2, "%s", log);
    cr_expect_eq(told(&server, "secret"), 0, "%s", log);
    for (int version = 1; version <= 2; version++)
        cr_expect(matches(log, harness_text("warn \\[[0-9]+\\] slow: GET /sleep\\?\\.\\.\\. HTTP/%d\\.[01] "
                                            "\\(module sleep, route /sleep\\) took [0-9]+\\.[0-9]{3} s: head \\+" MS
                                            " ms, handler \\+" MS " ms, answer \\+" MS " ms, end \\+" MS
                                            " ms; " ACCOUNTS "200, 13 bytes$",
                                            version)),
                  "HTTP/%d: %s", version, log);
}

Test(times, what_is_slow_by_the_log)
{
    expect_slow_lines(LISTEN "log: {slow: 100ms}\n" ROUTES("hosts: [\"localhost\", \"127.0.0.1\", \"x\"]"));
}

/* Who asks for it need not switch anything on. */
Test(times, what_is_slow_by_the_site)
{
    expect_slow_lines(LISTEN "timings: off\n" ROUTES("slow: 100ms"));
}

/* A head that takes its time is slow without a handler, and without a route. */
Test(times, a_slow_head)
{
    struct server server = server_start(LISTEN "log: {slow: 100ms}\n" ROUTES("slow: 100ms"));
    struct client *c = client_open(server.port);
    client_printf(c, "GET /hello?a HTTP/1.1\r\n");
    usleep(PAUSE);
    client_close(c);
    cr_assert(until(told(&server, "slow: ")));
    cr_expect(matches(server_log(&server).p, "slow: GET /hello\\?\\.\\.\\. HTTP/1\\.1 \\(none\\) took 0\\.[0-9]{3} s: "
                                             "end \\+" MS " ms; " ACCOUNTS "0, 0 bytes$"),
              "%s", server_log(&server).p);
    assert_stop(&server, 0);
}

/* ---- Server-Timing ---- */

#define DUR ";dur=" MS
#define SERVER_TIMING                                                                                                  \
    "^header" DUR ", queue" DUR ", cpu" DUR ", pool" DUR ", upstream" DUR ", client" DUR ", total" DUR "$"

static void expect_server_timing(const char *config)
{
    struct server server = server_start(config);
    each_carrier(c)
    {
        struct response r = ask_by(c, .path = "/sleep"), none = ask_by(c, .path = "/none"),
                        quiet = ask_by(c, .path = "/quiet");
        const char *field = harness_text(STR_FMT, STR_ARG(response_field(&r, "Server-Timing")));
        cr_expect(matches(field, SERVER_TIMING), "%s: %s", carrier_name(c), field);
        cr_assert_not_null(strstr(field, "total;dur="), "%s", field);
        cr_expect_geq(strtod(strstr(field, "total;dur=") + 10, NULL), 100);
        cr_expect_eq(response_fields(&none, "Server-Timing"), 1, "%s: an error, too", carrier_name(c));
        assert_no_field(quiet, "Server-Timing");
    }
    assert_stop(&server, 0);
}

Test(times, browsers_are_told)
{
    expect_server_timing(LISTEN ROUTES("server_timing: on"));
    expect_server_timing(LISTEN "timings: off\n" ROUTES("server_timing: on"));
}

Test(times, browsers_are_not_told_unasked)
{
    struct server server = server_start(LISTEN ROUTES("slow: off"));
    each_carrier(c)
    {
        struct response r = ask_by(c, .path = "/hello");
        assert_no_field(r, "Server-Timing");
    }
    assert_stop(&server, 0);
}
