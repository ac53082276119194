/* Requests and their answers: what is malformed, which versions and methods there are, and what every answer has. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>

#define CONFIG                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 1\n"                                                                                                     \
    "sites:\n"                                                                                                         \
    "  - routes:\n"                                                                                                    \
    "      - {exact: /hello, respond: {status: 200, type: text/plain, body: hello}}\n"                                 \
    "      - {exact: /echo, echo: {}}\n"                                                                               \
    "      - {path: /files, files: {root: @DIR@/www}}\n"

#define HOST "Host: localhost\r\n"

static struct server server;

static void begin(void)
{
    harness_begin();
    file_write("www/one.txt", STR("one\n"));
    server = server_start(CONFIG);
}

TestSuite(http, .init = begin, .fini = harness_end);

struct refusal {
    const char *request;
    int status;
};

/* After a refusal nothing of the same connection is served. */
static void assert_refusals(const struct refusal *table, size_t rows)
{
    for (size_t i = 0; i < rows; i++) {
        struct client *c = client_open(server.port);
        client_printf(c, "%sGET /hello HTTP/1.1\r\n" HOST "\r\n", table[i].request);
        struct response r = response_read(c);
        cr_expect_eq(r.status, table[i].status, "%d, not %d, for: %s", r.status, table[i].status, table[i].request);
        cr_expect(response_has(&r, "Connection", "close"), "the end is not announced for: %s", table[i].request);
        cr_expect(r.complete, "the answer is cut for: %s", table[i].request);
        cr_expect(client_ends(c), "more is served after: %s", table[i].request);
        client_close(c);
    }
    assert_status(fetch(server.port, "/hello"), 200);
}

#define assert_all_refused(table) assert_refusals((table), sizeof(table) / sizeof *(table))

Test(http, malformed_heads_are_refused)
{
    static const struct refusal table[] = {
        {"GET\r\n\r\n", 400},
        {"GET /hello\r\n\r\n", 400},
        {"GET /hello \r\n\r\n", 400},
        {"GET /hello FTP/1.1\r\n" HOST "\r\n", 400},
        {"GET hello HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET /hel\001lo HTTP/1.1\r\n" HOST "\r\n", 400},
        {"\026\003\001\002", 400}, /* the start of a TLS handshake */
        {"G\"ET /hello HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET /hello HTTP/1.1\r\n" HOST "no colon\r\n\r\n", 400},
        {"GET /hello HTTP/1.1\r\n" HOST ": no name\r\n\r\n", 400},
        {"GET /hello HTTP/1.1\r\n" HOST "X: a\001b\r\n\r\n", 400},
        {"GET /hello HTTP/1.1\r\n" HOST "X: a\177b\r\n\r\n", 400},
        {"GET /hello HTTP/1.1\r\n" HOST "X: a\rb\r\n\r\n", 400},
        {"GET /hello HTTP/1.1\r\n" HOST "X(y): z\r\n\r\n", 400},
        {"GET /%zz HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET /%4 HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET /%00 HTTP/1.1\r\n" HOST "\r\n", 400},
    };
    assert_all_refused(table);
}

Test(http, a_nul_in_a_head_is_refused)
{
    static const struct str table[] = {STR_INIT("GET /hello HTTP/1.1\r\nHost: local\0host\r\n\r\n"),
                                       STR_INIT("GET /hel\0lo HTTP/1.1\r\n" HOST "\r\n"),
                                       STR_INIT("GET /hello HTTP/1.1\r\n" HOST "X\0: y\r\n\r\n")};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct client *c = client_open(server.port);
        client_send(c, table[i]);
        assert_status(response_read(c), 400);
        cr_assert(client_ends(c));
    }
}

Test(http, host_is_required)
{
    static const struct refusal table[] = {
        {"GET /hello HTTP/1.1\r\n\r\n", 400},
        {"GET /hello HTTP/1.1\r\nX-Host: localhost\r\n\r\n", 400},
        {"GET /hello HTTP/1.1\r\n" HOST "Host: other\r\n\r\n", 400},
    };
    assert_all_refused(table);
    assert_status(fetch_raw(server.port, "GET /hello HTTP/1.0\r\n\r\n"), 200);
}

Test(http, unknown_versions_are_refused)
{
    static const struct refusal table[] = {
        {"GET /hello HTTP/2.0\r\n" HOST "\r\n", 505},
        {"GET /hello HTTP/9.9\r\n" HOST "\r\n", 505},
    };
    assert_all_refused(table);
}

/* A higher minor version is served as the highest one known (RFC 9110, 2.5). */
Test(http, a_higher_minor_version_is_served)
{
    struct client *c = client_open(server.port);
    for (int i = 0; i < 2; i++) {
        struct response r = ask(c, "GET /hello HTTP/1.2\r\n" HOST "\r\n");
        assert_status(r, 200);
        cr_assert(str_starts(r.head, STR("HTTP/1.1 ")));
    }
}

Test(http, framing_that_contradicts_itself_is_refused)
{
    static const struct refusal table[] = {
        {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400},
        {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", 400},
        {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\na", 400},
        {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\na", 400},
        {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1 1\r\n\r\na", 400},
        {"POST /echo HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", 400},
        {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n", 400},
        {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nx\r\n", 400},
        {"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n-1\r\n", 400},
        {"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n", 400},
        {"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", 400},
    };
    assert_all_refused(table);
}

/* RFC 9110, 9.1: a method that is known but not allowed here is 405; one that nobody knows is 501. */
Test(http, methods_that_cannot_be_served)
{
    struct client *c = client_open(server.port);
    static const char *const methods[] = {"POST", "PUT", "DELETE", "PATCH"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        struct response r = ask(c, "%s /files/one.txt HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", methods[i]);
        assert_status(r, 405);
        assert_field(r, "Allow", "GET, HEAD, OPTIONS");
    }
    static const char *const unknown[] = {"BREW", "get", "GETS", "G"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_status(fetch_raw(server.port, harness_text("%s /hello HTTP/1.1\r\n" HOST "\r\n", unknown[i])), 501);
    assert_status(get(c, "/files/one.txt"), 200);
}

/* A target without a path comes after a head that was moved to a larger buffer: nothing of that one is looked at. */
Test(http, a_target_without_a_path_after_a_large_head)
{
    static const struct {
        const char *line;
        int status;
    } table[] = {{"CONNECT x:1", 501}, {"GET *", 400}};
    struct str fill = file_fill('x', 6000);
    pid_t worker, same;
    server_workers(&server, &worker, 1);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct client *c = client_open(server.port);
        struct response r =
            ask(c, "GET http://h/hello HTTP/1.1\r\nHost: h\r\nX-Fill: " STR_FMT "\r\n\r\n", STR_ARG(fill));
        assert_status(r, 200);
        r = ask(c, "%s HTTP/1.1\r\nHost: h\r\n\r\n", table[i].line);
        assert_status(r, table[i].status);
        cr_assert(client_ends(c));
    }
    assert_status(fetch(server.port, "/hello"), 200);
    server_workers(&server, &same, 1);
    cr_assert_eq(same, worker, "the worker has died");
}

Test(http, what_is_not_there)
{
    struct client *c = client_open(server.port);
    static const char *const targets[] = {"/", "/hello/", "/hell", "/files/two.txt", "/?/hello"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        assert_status(get(c, targets[i]), 404);
    assert_status(get(c, "/hello?query"), 200);
}

static bool is_date(struct str text)
{
    struct tm time;
    const char *end = text.n == 29 ? strptime(text.p, "%a, %d %b %Y %H:%M:%S GMT", &time) : NULL;
    return end == text.p + 29;
}

Test(http, every_answer_has_date_and_server)
{
    static const char *const requests[] = {"GET /hello HTTP/1.1\r\n" HOST "\r\n",
                                           "GET /files/one.txt HTTP/1.1\r\n" HOST "\r\n",
                                           "GET /missing HTTP/1.1\r\n" HOST "\r\n",
                                           "GET /hello HTTP/1.0\r\n\r\n",
                                           "POST /files/one.txt HTTP/1.1\r\n" HOST "\r\n",
                                           "bad\r\n\r\n",
                                           "GET /hello HTTP/1.1\r\n\r\n",
                                           "GET / HTTP/7.0\r\n\r\n"};
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct response r = fetch_raw(server.port, requests[i]);
        struct str date = response_field(&r, "Date"), name = response_field(&r, "Server");
        cr_assert_eq(response_fields(&r, "Date"), 1, STR_FMT, STR_ARG(r.head));
        cr_assert(is_date(date), STR_FMT, STR_ARG(date));
        cr_assert(str_starts(name, STR("tern")), STR_FMT, STR_ARG(r.head));
        cr_assert_eq(response_fields(&r, "Content-Length"), 1, STR_FMT, STR_ARG(r.head));
    }
}

Test(http, head_is_get_without_its_body)
{
    static const char *const targets[] = {"/hello", "/files/one.txt", "/missing"};
    struct client *c = client_open(server.port);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        client_printf(c, "HEAD %s HTTP/1.1\r\n" HOST "\r\n", targets[i]);
        struct response head = response_read_head(c), whole = get(c, targets[i]);
        cr_assert_eq(head.status, whole.status);
        static const char *const fields[] = {"Content-Length", "Content-Type", "ETag", "Last-Modified"};
        for (size_t field = 0; field < sizeof fields / sizeof *fields; field++)
            cr_assert(str_eq(response_field(&head, fields[field]), response_field(&whole, fields[field])),
                      "%s of %s differs: " STR_FMT, fields[field], targets[i], STR_ARG(head.head));
    }
}

/* Field names in any case, values with any white space around them, an absolute target (RFC 9112, 3.2.2). */
Test(http, legal_oddities_are_served)
{
    static const char *const requests[] = {
        "GET /hello HTTP/1.1\r\nhOST:localhost\r\n\r\n",
        "GET /hello HTTP/1.1\r\nHost: \t localhost \t\r\n\r\n",
        "\r\nGET /hello HTTP/1.1\r\n" HOST "\r\n",
        "GET /hello HTTP/1.1\r\n" HOST "X-Empty:\r\nX-8bit: \xc3\xa9\r\n\r\n",
        "GET http://localhost/hello HTTP/1.1\r\n" HOST "\r\n",
        "GET /%68ell%6F HTTP/1.1\r\n" HOST "\r\n",
        "GET /x/../hello HTTP/1.1\r\n" HOST "\r\n",
    };
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        struct response r = fetch_raw(server.port, requests[i]);
        cr_assert_eq(r.status, 200, "%d for %s", r.status, requests[i]);
        assert_body(r, STR("hello"));
    }
}
