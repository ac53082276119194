/* Formats of the access log: what is refused and where, variables, JSON, and where the time went. */
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SITES                                                                                                          \
    "sites:\n"                                                                                                         \
    "  - routes:\n"                                                                                                    \
    "      - {exact: /hello, respond: {status: 200, type: text/plain, body: hello}}\n"                                 \
    "      - {exact: /echo, echo: {}}\n"                                                                               \
    "      - {path: /private, respond: {}, auth: {users: {bob: '" HASH "'}}}\n"                                        \
    "      - {path: /files, files: {root: @DIR@/www}}\n"
/* of no password that is used here; a cheap one */
#define HASH "$2y$04$abcdefghijklmnopqrstuuqzvpmXBmLcUxFV3YyBzTiBaZDX9gVlG"

static const char log_file[] = "log/access.log";

static void begin(void)
{
    harness_begin();
    file_directory("log");
    file_directory("www");
    setenv("TZ", "UTC", 1);
}

TestSuite(log_format, .init = begin, .fini = harness_end);

/* ---- what is refused ---- */

static struct result test_access(const char *access)
{
    file_write("tern.yaml", str_of(harness_expand(harness_text("listen: 127.0.0.1:@PORT@\n"
                                                               "log:\n"
                                                               "  access: %s\n" SITES,
                                                               access))));
    return run_tern("-t", "-c", "@DIR@/tern.yaml");
}

Test(log_format, what_is_refused)
{
    static const struct {
        const char *access, *error;
    } table[] = {
        {"on", "3:11: error: log.access: `on` is no path; write off, or the path of the file, such as ./on"},
        {"yes", "3:11: error: log.access: `yes` is no path"},
        {"True", "3:11: error: log.access: `True` is no path"},
        {"\"\"", "3:11: error: log.access: `` is no path"},
        {"[a, b]", "3:11: error: log.access: "},
        {"{}", "3:11: error: log.access: lacks `path`"},
        {"{format: json}", "3:11: error: log.access: lacks `path`"},
        {"{buffer: 64k, flush: 1s}", "3:11: error: log.access: lacks `path`"},
        {"{path: off}", "3:18: error: log.access.path: `off` is no path"},
        {"{path: a.log, format: common}", "3:33: error: log.access.format: `common` is neither `combined` nor `json`"},
        {"{path: a.log, format: ''}", "3:33: error: log.access.format: `` is neither"},
        {"{path: a.log, format: '%h %{x}D %s'}", "3:33: error: log.access.format: there is no variable `%{x}D`; "},
        {"{path: a.log, format: '%h %'}", "3:33: error: log.access.format: there is no variable `%`; there are %% %a"},
        {"{path: a.log, format: \"%h\\n\"}", "3:33: error: log.access.format: a line has no line ends"},
        {"{path: a.log, format: {json: on}}", "error: log.access.format: "},
        {"{path: a.log, buffer: 1k}", "error: log.access.buffer: "},
        {"{path: a.log, flush: 1ms}", "error: log.access.flush: "},
        {"{path: a.log, formt: json}", "error: log.access.formt: unknown key in access; did you mean `format`?"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct result r = test_access(table[i].access);
        cr_expect_eq(r.status, 2, "%s", table[i].access);
        cr_expect(memmem(r.err.p, r.err.n, table[i].error, strlen(table[i].error)), "%s: %s", table[i].access, r.err.p);
        cr_expect_eq(command_lines(r.err), 1, "%s: %s", table[i].access, r.err.p);
    }
}

Test(log_format, what_is_taken)
{
    static const char *const table[] = {
        "off",
        "access.log",
        "./on",
        "{path: ./off}",
        "{path: a.log, format: json, buffer: 128k, flush: 100ms}",
        "{path: a.log, format: combined}",
        "{path: a.log, format: \"%h\\t%{X-Request-ID}i\"}",
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        cr_expect_eq(test_access(table[i]).status, 0, "%s: %s", table[i], test_access(table[i]).err.p);
}

/* ---- lines ---- */

static struct server start(const char *format)
{
    return server_start(harness_text("listen: 127.0.0.1:@PORT@\nworkers: 1\n"
                                     "log: {access: {path: @DIR@/log/access.log, format: %s}}\n" SITES,
                                     format));
}

/* What is logged for a request. */
static const char *logged(const char *format, const char *request)
{
    struct server server = start(format);
    struct client *c = client_open(server.port);
    client_printf(c, "%s", request);
    client_finish(c);
    client_drain(c);
    client_close(c);
    assert_stop(&server, 0);
    struct str log = file_read(log_file), line = str_cut(&log, '\n');
    cr_assert_eq(log.n, 0, "more than one line for: %s", request);
    cr_assert_eq(remove(file_path(log_file)), 0);
    return harness_text(STR_FMT, STR_ARG(line));
}

#define GET "GET /hello?a=b HTTP/1.1\r\nHost: Example.org:80\r\n"

Test(log_format, variables)
{
    static const struct {
        const char *format, *request, *line;
    } table[] = {
        {"'%h %a %l %u'", GET "\r\n", "127.0.0.1 127.0.0.1 - -"},
        {"'%m %U %q %H <%r>'", GET "\r\n", "GET /hello ?a=b HTTP/1.1 <GET /hello?a=b HTTP/1.1>"},
        {"'%v %V %p %>s %s %B %b'", GET "\r\n", "Example.org Example.org @PORT@ 200 200 5 5"},
        {"'%{Referer}i %{host}i %{X-None}i'", GET "REFERER: a b\r\n\r\n", "a b Example.org:80 -"},
        {"'%b %B'", "HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n", "- 0"},
        {"'%E|%>s'", "GET /hello HTTP/1.1\r\n\r\n", "no Host|400"},
        {"'%u %>s'", "GET /private HTTP/1.1\r\nHost: x\r\nAuthorization: Basic Ym9iOndyb25n\r\n\r\n", "- 401"},
        {"'100%% \\'", GET "\r\n", "100% \\"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        cr_expect_str_eq(logged(table[i].format, table[i].request), harness_expand(table[i].line));
}

/* Whether Python takes it for one JSON object that has these keys and nothing else. */
static void assert_json(const char *line, const char *keys)
{
    static const char program[] = "import json, sys\n"
                                  "line = open(sys.argv[1], 'rb').read().decode('utf-8')\n"
                                  "print(' '.join(json.loads(line)), end='')\n";
    file_write("line.json", str_of(line));
    struct command command = {
        .arguments = {"python3", "-c", program, file_path("line.json")}, .out = "out", .err = "err"};
    struct result r = command_run(&command);
    cr_assert_eq(r.status, 0, "%s: %s", r.err.p, line);
    cr_assert_str_eq(r.out.p, keys);
}

Test(log_format, json)
{
    static const char keys[] = "time client user host method target protocol status bytes referer user_agent total_us "
                               "header_us queue_us cpu_us pool_us upstream_us client_us reason tls_version tls_cipher "
                               "tls_subject";
    static const char *const requests[] = {
        GET "\r\n",
        GET "User-Agent: \"\\\t\x80\xff\xc3\xa4\xc3\r\nReferer: \xf0\x9f\x90\xa6\r\n\r\n",
        "GET /\xff\"\\ HTTP/1.1\r\nHost: x\r\n\r\n",
        "\x01\x02\x03\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        assert_json(logged("json", requests[i]), keys);
    const char *line = logged("json", GET "\r\n");
    cr_expect_not_null(strstr(line,
                              "\"client\":\"127.0.0.1\",\"user\":null,\"host\":\"Example.org\",\"method\":\"GET\","
                              "\"target\":\"/hello?a=b\",\"protocol\":\"HTTP/1.1\",\"status\":200,\"bytes\":5,"
                              "\"referer\":null,\"user_agent\":null,\"total_us\":"),
                       "%s", line);
    cr_expect_not_null(strstr(line,
                              "\"pool_us\":0,\"upstream_us\":0,\"client_us\":0,\"reason\":null,\"tls_version\":null,"
                              "\"tls_cipher\":null,\"tls_subject\":null}"),
                       "%s", line);
}

/* ---- times ---- */

struct times {
    unsigned long long total, header, cpu, pool, client;
};

#define TIMES "'%D %{header}D %{cpu}D %{pool}D %{client}D'"

static struct times times_of(const struct server *server)
{
    struct times t;
    cr_assert(until(file_read(log_file).n > 0));
    const char *line = file_read(log_file).p;
    cr_assert_eq(sscanf(line, "%llu %llu %llu %llu %llu\n", &t.total, &t.header, &t.cpu, &t.pool, &t.client), 5, "%s",
                 line);
    cr_assert_leq(t.header + t.cpu + t.pool + t.client, t.total + 4, "each is rounded down: %s", line);
    assert_stop(server, 0);
    return t;
}

enum { PAUSE = 300 * 1000 }; /* microseconds for which the peer is silent */

Test(log_format, a_slow_header)
{
    struct server server = start(TIMES);
    struct client *c = client_open(server.port);
    for (int i = 0; i < 3; i++) {
        client_printf(c, "%s", i ? "X: y\r\n" : GET);
        usleep(PAUSE);
    }
    client_printf(c, "\r\n");
    assert_status(response_read(c), 200);
    struct times t = times_of(&server);
    cr_expect_geq(t.header, 2 * PAUSE);
    cr_expect_eq(t.client, 0);
}

Test(log_format, a_slow_body)
{
    struct server server = start(TIMES);
    struct client *c = client_open(server.port);
    client_printf(c, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n");
    for (int i = 0; i < 3; i++) {
        usleep(PAUSE);
        client_printf(c, "x");
    }
    assert_status(response_read(c), 200);
    struct times t = times_of(&server);
    cr_expect_geq(t.client, 2 * PAUSE);
    cr_expect_eq(t.pool, 0);
}

Test(log_format, a_slow_reader)
{
    struct server server = start(TIMES);
    file_write("www/large", file_pattern(16 << 20));
    struct client *c = client_open_slow(server.port);
    client_printf(c, "GET /files/large HTTP/1.1\r\nHost: x\r\n\r\n");
    client_peek(c, 1);
    usleep(PAUSE);
    cr_expect(response_read(c).complete);
    struct times t = times_of(&server);
    cr_expect_geq(t.client, PAUSE / 2);
}

/* A password is checked on the pool, which takes its time. */
Test(log_format, the_pool)
{
    struct server server = start(TIMES);
    assert_status(fetch_raw(server.port, "GET /private HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                         "Authorization: Basic Ym9iOndyb25n\r\n\r\n"),
                  401);
    struct times t = times_of(&server);
    cr_expect_gt(t.pool, 0);
    cr_expect_lt(t.cpu, t.total);
}

/* The next request begins when its bytes come, not when the one before it did. */
Test(log_format, requests_of_one_connection)
{
    struct server server = start("'%D'");
    struct client *c = client_open(server.port);
    nsec begun = clock_monotonic();
    for (int i = 0; i < 3; i++) {
        assert_status(get(c, "/hello"), 200);
        usleep(PAUSE);
    }
    client_printf(c, GET "\r\n" GET "\r\n");
    assert_status(response_read(c), 200);
    assert_status(response_read(c), 200);
    uint64_t elapsed = (uint64_t)(clock_monotonic() - begun) * 1000 / NSEC_MS, sum = 0, total;
    assert_stop(&server, 0);
    struct str log = file_read(log_file);
    for (int i = 0; i < 5; i++, sum += total)
        cr_assert_eq(str_to_u64(str_cut(&log, '\n'), &total), 0);
    cr_expect_leq(sum + 3 * PAUSE, elapsed, "no request has a pause in it");
}
