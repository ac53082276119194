/* Requests that are refused or cut: each whose head was read has one line, which says why. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/socket.h>

enum {
    LARGE = 32 << 20, /* more than a socket's buffers hold */
    CUT = 3           /* exit status: stopped with requests cut */
};

#define CONFIG                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 1\n"                                                                                                     \
    "limits: {body_size: 1k, header_size: 2k, header_count: 10}\n"                                                     \
    "timeouts: {header: 500ms, body: 500ms, write: 500ms, shutdown: 500ms}\n"                                          \
    "log: {access: {path: @DIR@/log/access.log, format: '%>s %m %B %E'}}\n"                                            \
    "sites:\n"                                                                                                         \
    "  - routes:\n"                                                                                                    \
    "      - {exact: /hello, respond: {status: 200, type: text/plain, body: hello}}\n"                                 \
    "      - {exact: /echo, echo: {}}\n"                                                                               \
    "      - {path: /, files: {root: @DIR@/www}}\n"

static const char log_file[] = "log/access.log";

static void begin(void)
{
    harness_begin();
    file_directory("log");
}

TestSuite(log_reason, .init = begin, .fini = harness_end);

static void assert_line(struct server *server, int status, const char *line)
{
    assert_stop(server, status);
    cr_assert_str_eq(file_read(log_file).p, line);
}

/* ---- refused ---- */

#define POST(fields, content) "POST /echo HTTP/1.1\r\nHost: x\r\n" fields "\r\n" content

Test(log_reason, refused)
{
    static const struct {
        const char *request, *line;
    } table[] = {
        {"x\r\n\r\n", "400 x 0 a malformed request line\n"},
        {"GET /hello HTTP/1.1\r\n\r\n", "400 GET 16 no Host\n"},
        {"GET /hello HTTP/1.1\r\nHost: x\r\n y\r\n\r\n", "400 GET 16 white space at the start of a line\n"},
        {POST("Content-Length: 2000\r\n", ""), "413 POST 22 a Content-Length beyond limits.body_size\n"},
        {POST("Transfer-Encoding: chunked\r\n", "800\r\n"), "413 POST 22 content beyond limits.body_size\n"},
        {POST("Transfer-Encoding: chunked\r\n", "zz\r\n"), "400 POST 16 malformed chunks\n"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct server server = server_start(CONFIG);
        struct response r = fetch_raw(server.port, table[i].request);
        cr_expect_geq(r.status, 400);
        const char *line = table[i].line;
        if (i == 0)
            line = harness_text("400 x %zu a malformed request line\n", r.body.n);
        assert_line(&server, 0, line);
        cr_assert_eq(remove(file_path(log_file)), 0);
    }
}

Test(log_reason, a_header_that_takes_too_long)
{
    struct server server = server_start(CONFIG);
    assert_status(fetch_raw(server.port, "GET /hello HTTP/1.1\r\nHost:"), 408);
    assert_line(&server, 0, "408 GET 20 the header took longer than timeouts.header\n");
}

Test(log_reason, content_that_takes_too_long)
{
    struct server server = server_start(CONFIG);
    assert_status(fetch_raw(server.port, POST("Content-Length: 5\r\n", "abc")), 408);
    assert_line(&server, 0, "408 POST 20 content too slow\n");
}

/* ---- cut ---- */

static bool is_logged(void)
{
    return file_read(log_file).n > 0;
}

/* The bytes that had gone out by then, which nobody knows before. */
static void assert_cut_line(const char *reason)
{
    struct str line = file_read(log_file), all = line;
    uint64_t bytes;
    cr_assert(str_eq(str_cut(&line, ' '), STR("200")), STR_FMT, STR_ARG(all));
    cr_assert(str_eq(str_cut(&line, ' '), STR("GET")), STR_FMT, STR_ARG(all));
    cr_assert_eq(str_to_u64(str_cut(&line, ' '), &bytes), 0, STR_FMT, STR_ARG(all));
    cr_expect(bytes > 0 && bytes < LARGE, STR_FMT, STR_ARG(all));
    cr_expect_str_eq(line.p, reason);
}

static struct client *begin_download(const struct server *server)
{
    file_write("www/large", file_pattern(LARGE));
    struct client *c = client_open_slow(server->port);
    client_printf(c, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    client_peek(c, 1);
    return c;
}

Test(log_reason, a_client_that_goes_away_in_the_middle_of_a_response)
{
    struct server server = server_start(CONFIG);
    client_reset(begin_download(&server));
    cr_assert(until(is_logged()));
    assert_stop(&server, 0);
    assert_cut_line("the client is gone\n");
}

Test(log_reason, a_client_that_takes_nothing)
{
    struct server server = server_start(CONFIG);
    begin_download(&server);
    cr_assert(until(is_logged()));
    assert_stop(&server, 0);
    assert_cut_line("the client took nothing for timeouts.write\n");
}

Test(log_reason, a_server_that_stops_at_its_deadline)
{
    struct server server = server_start("listen: 127.0.0.1:@PORT@\n"
                                        "workers: 1\n"
                                        "timeouts: {shutdown: 500ms}\n"
                                        "log: {access: {path: @DIR@/log/access.log, format: '%>s %m %B %E'}}\n"
                                        "sites: [{routes: [{path: /, files: {root: @DIR@/www}}]}]\n");
    begin_download(&server);
    assert_stop(&server, CUT);
    assert_cut_line("the server has stopped\n");
}

Test(log_reason, a_client_that_goes_away_before_its_answer)
{
    struct server server = server_start(CONFIG);
    struct client *c = client_open(server.port);
    client_printf(c, POST("Content-Length: 5\r\n", "abc"));
    client_finish(c);
    client_drain(c);
    assert_line(&server, 0, "- POST 0 the client is gone\n");
}

/* ---- no request at all ---- */

Test(log_reason, what_has_begun_has_a_line)
{
    static const char *const bytes[] = {"", "\r\n", "GET", "GET /hello HTTP/1.1\r\nHost: x\r\n"};
    struct server server = server_start(CONFIG);
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
        struct client *c = client_open(server.port);
        client_printf(c, "%s", bytes[i]);
        client_finish(c);
        client_drain(c);
        client_close(c);
    }
    assert_line(&server, 0, "- GET 0 the client is gone\n- GET 0 the client is gone\n");
}

Test(log_reason, what_went_well_has_none)
{
    struct server server = server_start(CONFIG);
    assert_status(fetch(server.port, "/hello"), 200);
    assert_status(fetch(server.port, "/nothing"), 404);
    assert_line(&server, 0, "200 GET 5 -\n404 GET 14 -\n");
}

/* ---- never read ---- */

/* There is no thread to read its request with. */
Test(log_reason, a_connection_that_is_refused_unread)
{
    enum { THREADS = 16, CLIENTS = 40 };
    size_t refused = 0, lines = 0;
    struct client *clients[CLIENTS];
    struct server server = server_start(
        "listen: 127.0.0.1:@PORT@\nworkers: 1\nlimits: {green_threads: 16}\ntimeouts: {body: 20s, shutdown: 500ms}\n"
        "log: {access: {path: @DIR@/log/access.log, format: '%>s %m %B %E %{Referer}i'}}\n"
        "sites: [{routes: [{exact: /echo, echo: {}}]}]\n");
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = client_open(server.port);
        client_send(clients[i], STR("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"));
    }
    for (size_t i = 0; i < CLIENTS; i++)
        refused += str_starts(client_peek(clients[i], i < THREADS / 2 ? 0 : 12), STR("HTTP/1.1 503"));
    for (size_t i = 0; i < CLIENTS; i++)
        client_close(clients[i]);
    server_terminate(&server);
    (void)server_wait(&server);
    struct str log = file_read(log_file);
    while (log.n)
        lines += str_eq(str_cut(&log, '\n'), STR("503 - 0 limits.green_threads reached -"));
    cr_assert_geq(refused, CLIENTS - THREADS);
    cr_assert_eq(lines, refused, "%zu lines for %zu refusals", lines, refused);
}
