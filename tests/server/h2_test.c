/* HTTP/2 by the real binary and by clients that are not ours: curl, nghttp and h2load. */
#include "harness.h"
#include "harness_client.h"
#include "harness_command.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define CONFIG                                                                                                         \
    "listen:\n"                                                                                                        \
    "  - 127.0.0.1:@PORT@\n"                                                                                           \
    "  - {address: '127.0.0.1:@PORT1@', http2: off}\n"                                                                 \
    "workers: 1\n"                                                                                                     \
    "control: @DIR@/control.sock\n"                                                                                    \
    "limits: {streams: 20}\n"                                                                                          \
    "timeouts: {grace: 100ms}\n"                                                                                       \
    "log: {access: @DIR@/access.log}\n"                                                                                \
    "sites:\n"                                                                                                         \
    "  - hosts: [other.example]\n"                                                                                     \
    "    routes: [{path: /, respond: {body: other}}]\n"                                                                \
    "  - routes:\n"                                                                                                    \
    "      - {exact: /hello, respond: {type: text/plain, body: hello}}\n"                                              \
    "      - {exact: /echo, echo: {}}\n"                                                                               \
    "      - {exact: /moved, redirect: {to: /hello, status: 301}}\n"                                                   \
    "      - {path: /, files: {root: @DIR@/www}}\n"

enum { LARGE = 3000000 };

static struct server server;

static void begin(void)
{
    harness_begin();
    server = server_start(CONFIG);
    file_write("www/small.bin", file_pattern(1024));
    file_write("www/large.bin", file_pattern(LARGE));
}

TestSuite(h2, .init = begin, .fini = harness_end);

static const char *url(const char *path)
{
    return harness_text("http://127.0.0.1:%d%s", server.port, path);
}

/* What curl writes; it fails the test if curl does. */
static struct str curl_with(const char *option, const char *value, const char *path)
{
    struct command command = {
        .arguments = {"curl", "-sS", "--max-time", "20", "--http2-prior-knowledge", option, value, url(path)},
        .out = "curl.out",
        .err = "curl.err"};
    struct result result = command_run(&command);
    cr_assert_eq(result.status, 0, "curl: %d, %s", result.status, result.err.p);
    return result.out;
}

#define FORMAT "\n%{http_version} %{http_code}"

Test(h2, curl_gets_what_it_would_get_by_http_1)
{
    static const struct {
        const char *path, *tail;
    } table[] = {
        {"/hello", "hello\n2 200"},
        {"/nothing", "\n2 404"},
        {"/moved", "\n2 301"},
        {"/%00", "\n2 400"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct str out = curl_with("-w", FORMAT, table[i].path);
        cr_expect(str_ends(out, str_of(table[i].tail)), "%s: %s", table[i].path, out.p);
    }
    cr_expect(str_eq(curl_with("-H", "Host: other.example", "/"), STR("other")));
    cr_expect(str_eq(curl_with("-r", "10-19", "/small.bin"), (struct str){file_pattern(1024).p + 10, 10}));
}

Test(h2, files_and_content_are_whole)
{
    cr_expect(str_eq(curl_with("-o", "-", "/large.bin"), file_pattern(LARGE)));
    file_write("content", file_pattern(LARGE));
    const char *content = harness_text("@%s", file_path("content"));
    cr_expect(str_eq(curl_with("--data-binary", content, "/echo"), file_pattern(LARGE)));
}

Test(h2, each_request_has_its_line_in_the_log)
{
    curl_with("-o", "-", "/hello");
    curl_with("-o", "-", "/nothing");
    assert_stop(&server, 0);
    struct str log = file_read("access.log");
    cr_expect_eq(command_lines(log), 2);
    cr_expect(strstr(log.p, "\"GET /hello HTTP/2.0\" 200 5 "), "%s", log.p);
    cr_expect(strstr(log.p, "\"GET /nothing HTTP/2.0\" 404 "), "%s", log.p);
}

Test(h2, where_it_is_off_it_is_not_spoken)
{
    struct command command = {.arguments = {"curl", "-sS", "--max-time", "20", "--http2-prior-knowledge",
                                            harness_text("http://127.0.0.1:%d/hello", harness_port(1))},
                              .out = "curl.out",
                              .err = "curl.err"};
    cr_expect_neq(command_run(&command).status, 0);
    assert_status(fetch(harness_port(1), "/hello"), 200);
}

/* h2load's own count of answers by status. */
static unsigned long succeeded(struct str out)
{
    const char *at = strstr(out.p, "status codes: ");
    return at ? strtoul(at + sizeof "status codes: " - 1, NULL, 10) : 0;
}

static pid_t start_load(const char *requests, const char *connections)
{
    struct command command = {.arguments = {"h2load", "-t1", "-n", requests, "-c", connections, "-m", "16",
                                            url("/small.bin"), url("/hello"), url("/large.bin")},
                              .out = "load.out",
                              .err = "load.err"};
    return command_start(&command);
}

Test(h2, many_connections_with_many_streams_each)
{
    cr_assert_eq(command_wait(start_load("3000", "30")), 0);
    struct str out = file_read("load.out");
    cr_expect_eq(succeeded(out), 3000, "%s", out.p);
}

/* What was asked before the client knew of the end is answered by who was asked. */
Test(h2, a_reload_loses_no_request)
{
    struct command command = {.arguments = {"h2load", "-t1", "-D", "3", "-c", "10", "-m", "10", url("/small.bin")},
                              .out = "load.out",
                              .err = "load.err"};
    pid_t load = command_start(&command);
    pid_t before, after;
    server_workers(&server, &before, 1);
    cr_assert(until(file_read("access.log").n > 0 || harness_state(load) == 'Z'));
    kill(server.pid, SIGHUP);
    cr_expect(until((server_workers(&server, &after, 1), after != before)));
    command_wait(load);
    struct str out = file_read("load.out"), log = server_log(&server);
    cr_expect(strstr(out.p, " 0 3xx, 0 4xx, 0 5xx"), "%s", out.p);
    cr_expect_not(strstr(log.p, "cut"), "%s", log.p);
    assert_status(fetch(server.port, "/hello"), 200);
}

Test(h2, nghttp_is_told_what_there_may_be)
{
    struct command command = {.arguments = {"nghttp", "-nv", url("/hello"), url("/small.bin"), url("/large.bin")},
                              .out = "nghttp.out",
                              .err = "nghttp.err"};
    struct result result = command_run(&command);
    cr_assert_eq(result.status, 0, "%s", result.err.p);
    cr_expect(strstr(result.out.p, "[SETTINGS_MAX_CONCURRENT_STREAMS(0x03):20]"), "%s", result.out.p);
    cr_expect_not(strstr(result.out.p, "RST_STREAM"), "%s", result.out.p);
}
