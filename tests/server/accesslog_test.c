/* The access log: a line for each request, in the combined format, whatever the request holds. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>
#include <regex.h>
#include <stdio.h>

#define SITES                                                                                                          \
    "sites:\n"                                                                                                         \
    "  - routes:\n"                                                                                                    \
    "      - {exact: /hello, respond: {status: 200, type: text/plain, body: hello}}\n"                                 \
    "      - {path: /files, files: {root: @DIR@/www}}\n"
#define CONFIG "listen: 127.0.0.1:@PORT@\nworkers: 2\nlog: {access: @DIR@/log/access.log}\n" SITES

static const char log_file[] = "log/access.log";

static void begin(void)
{
    harness_begin();
    file_directory("log");
}

TestSuite(accesslog, .init = begin, .fini = harness_end);

static void assert_line(struct str line, const char *rest)
{
    static const char start[] =
        "^127\\.0\\.0\\.1 - - \\[[0-3][0-9]/[A-Z][a-z]{2}/[0-9]{4}(:[0-9]{2}){3} [+-][0-9]{4}\\] ";
    const char *text = harness_text(STR_FMT, STR_ARG(line));
    regex_t regex;
    regmatch_t match;
    cr_assert_eq(regcomp(&regex, start, REG_EXTENDED), 0);
    cr_assert_eq(regexec(&regex, text, 1, &match, 0), 0, "no combined line: %s", text);
    cr_assert_str_eq(text + match.rm_eo, rest);
    regfree(&regex);
}

static void ask_and_close(int port, const char *request)
{
    struct client *c = client_open(port);
    client_printf(c, "%s", request);
    client_finish(c);
    client_drain(c);
    client_close(c);
}

static void assert_logged(const char *request, const char *rest)
{
    struct server server = server_start(CONFIG);
    ask_and_close(server.port, request);
    assert_stop(&server, 0);
    struct str log = file_read(log_file), line = str_cut(&log, '\n');
    assert_line(line, rest);
    cr_assert_eq(log.n, 0, "more than one line for: %s", request);
    cr_assert_eq(remove(file_path(log_file)), 0);
}

/* Nobody forges a line, or ends a quoted field, from outside. */
Test(accesslog, what_a_client_sends_is_escaped)
{
    static const struct {
        const char *request, *rest;
    } table[] = {
        {"GET /hello HTTP/1.1\r\nHost: x\r\nUser-Agent: say \"hi\" \\ \xc3\xa4\r\n\r\n",
         "\"GET /hello HTTP/1.1\" 200 5 \"-\" \"say \\x22hi\\x22 \\x5C \\xC3\\xA4\""},
        {"GET /hello HTTP/1.1\r\nHost: x\r\nReferer: \" 200 0 \"\tx\r\n\r\n",
         "\"GET /hello HTTP/1.1\" 200 5 \"\\x22 200 0 \\x22\\x09x\" \"-\""},
        {"GET /hello?%0a%22 HTTP/1.1\r\nHost: x\r\n\r\n", "\"GET /hello?%0a%22 HTTP/1.1\" 200 5 \"-\" \"-\""},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_logged(table[i].request, table[i].rest);
}

Test(accesslog, refusals_are_logged)
{
    static const struct {
        const char *request, *status;
    } table[] = {{"GET / FTP/1.0\r\n\r\n", "\" 400 "},
                 {"GET /hello HTTP/1.1\r\n\r\n", "\" 400 "},
                 {"GET /hello HTTP/3.0\r\n\r\n", "\" 505 "},
                 {"GET /\001\n\"forged\" HTTP/1.1\r\nHost: x\r\n\r\n", "\" 400 "}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct server server = server_start(CONFIG);
        ask_and_close(server.port, table[i].request);
        assert_stop(&server, 0);
        struct str log = file_read(log_file), line = str_cut(&log, '\n');
        cr_assert_not_null(memmem(line.p, line.n, table[i].status, strlen(table[i].status)), STR_FMT, STR_ARG(line));
        cr_assert_eq(log.n, 0, "more than one line: %s", log.p);
        cr_assert_eq(remove(file_path(log_file)), 0);
    }
}

Test(accesslog, combined_lines)
{
    static const struct {
        const char *request, *rest;
    } table[] = {
        {"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n", "\"GET /hello HTTP/1.1\" 200 5 \"-\" \"-\""},
        {"GET /hello?a=b HTTP/1.0\r\nReferer: http://r/\r\nUser-Agent: agent/1 (x; y)\r\n\r\n",
         "\"GET /hello?a=b HTTP/1.0\" 200 5 \"http://r/\" \"agent/1 (x; y)\""},
        {"HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n", "\"HEAD /hello HTTP/1.1\" 200 0 \"-\" \"-\""},
        {"GET /files/1000 HTTP/1.1\r\nHost: x\r\n\r\n", "\"GET /files/1000 HTTP/1.1\" 200 1000 \"-\" \"-\""},
        {"GET /files/1000000 HTTP/1.1\r\nHost: x\r\n\r\n", "\"GET /files/1000000 HTTP/1.1\" 200 1000000 \"-\" \"-\""},
        {"GET /files/1000 HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\n\r\n",
         "\"GET /files/1000 HTTP/1.1\" 304 0 \"-\" \"-\""},
    };
    file_write("www/1000", file_pattern(1000));
    file_write("www/1000000", file_pattern(1000000));
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_logged(table[i].request, table[i].rest);
}

/* Two workers write to one file: no line is lost, torn or doubled, and a stop writes what is still buffered. */
Test(accesslog, every_request_has_its_line)
{
    enum { CLIENTS = 16, REQUESTS = 250 };
    struct server server = server_start(CONFIG);
    struct client *clients[CLIENTS];
    unsigned seen[CLIENTS][REQUESTS] = {0};
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = client_open(server.port);
    for (int j = 0; j < REQUESTS; j++)
        for (int i = 0; i < CLIENTS; i++)
            assert_status(get(clients[i], harness_text("/hello?client=%d&request=%d", i, j)), 200);
    assert_stop(&server, 0);

    struct str log = file_read(log_file);
    while (log.n) {
        struct str text = str_cut(&log, '\n');
        const char *line = harness_text(STR_FMT, STR_ARG(text));
        const char *query = strchr(line, '?');
        int i, j, end = 0;
        cr_assert(query && sscanf(query, "?client=%d&request=%d HTTP/1.1\" 200 5 \"-\" \"-\"%n", &i, &j, &end) == 2 &&
                      end > 0 && query[end] == '\0' && i >= 0 && i < CLIENTS && j >= 0 && j < REQUESTS,
                  "a torn line: %s", line);
        seen[i][j]++;
    }
    for (int i = 0; i < CLIENTS; i++)
        for (int j = 0; j < REQUESTS; j++)
            cr_assert_eq(seen[i][j], 1, "request %d of client %d has %u lines", j, i, seen[i][j]);
}

Test(accesslog, lines_come_without_waiting_for_a_full_buffer)
{
    struct server server = server_start(CONFIG);
    struct client *c = client_open(server.port);
    assert_status(get(c, "/hello"), 200);
    cr_assert(until(file_read(log_file).n > 0), "the line does not come");
}

Test(accesslog, an_old_log_is_continued)
{
    file_write(log_file, STR("an old line\n"));
    struct server server = server_start(CONFIG);
    assert_status(fetch(server.port, "/hello"), 200);
    assert_stop(&server, 0);
    struct str log = file_read(log_file), first = str_cut(&log, '\n');
    cr_assert(str_eq(first, STR("an old line")));
    assert_line(str_cut(&log, '\n'), "\"GET /hello HTTP/1.1\" 200 5 \"-\" \"-\"");
}

/* A log that can't be written loses lines, never requests. */
Test(accesslog, a_full_disk_stops_nothing)
{
    struct server server = server_start("listen: 127.0.0.1:@PORT@\nworkers: 2\nlog: {access: /dev/full}\n" SITES);
    struct client *c = client_open(server.port);
    for (int i = 0; i < 2000; i++)
        assert_status(get(c, harness_text("/hello?%s", file_fill('x', 100).p)), 200);
    assert_stop(&server, 0);
    cr_assert(memmem(server_log(&server).p, server_log(&server).n, "/dev/full", 9), "no error says so: %s",
              server_log(&server).p);
}
