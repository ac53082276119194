/* A connection and its requests: how long it lasts, answers in order, and requests that come in pieces. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONFIG                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 1\n"                                                                                                     \
    "sites:\n"                                                                                                         \
    "  - routes:\n"                                                                                                    \
    "      - {exact: /hello, respond: {status: 200, type: text/plain, body: hello}}\n"                                 \
    "      - {exact: /bye, respond: {status: 200, type: text/plain, body: bye}}\n"                                     \
    "      - {exact: /echo, echo: {}}\n"                                                                               \
    "      - {path: /files, files: {root: @DIR@/www}}\n"

#define HOST "Host: localhost\r\n"
#define HELLO "GET /hello HTTP/1.1\r\n" HOST "\r\n"

static struct server server;

static void begin(void)
{
    harness_begin();
    server = server_start(CONFIG);
}

TestSuite(http_connection, .init = begin, .fini = harness_end);

/* Whether the connection lasts, by version and Connection (RFC 9112, 9.3). A name that only looks like one of the
 * options is none. */
Test(http_connection, how_long_it_lasts)
{
    static const struct {
        const char *version, *fields;
        bool lasts;
    } table[] = {
        {"1.0", "", false},
        {"1.0", "Connection: close\r\n", false},
        {"1.0", "Connection: keep-alives\r\n", false},
        {"1.1", "Connection: close\r\n", false},
        {"1.1", "Connection: Close\r\n", false},
        {"1.1", "Connection: close\t\r\n", false},
        {"1.1", "Connection: x,\tclose\r\n", false},
        {"1.1", "Connection: keep-alive, close\r\n", false},
        {"1.1", "Connection: x\r\nConnection: close\r\n", false},
        {"1.1", "", true},
        {"1.1", "Connection: keep-alive\r\n", true},
        {"1.1", "Connection: closed\r\n", true},
        {"1.1", "Proxy-Connection: close\r\n", true},
        {"1.0", "Connection: keep-alive\r\n", true},
        {"1.0", "Connection: Keep-Alive\r\n", true},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct client *c = client_open(server.port);
        struct response r = ask(c, "GET /hello HTTP/%s\r\n" HOST "%s\r\n", table[i].version, table[i].fields);
        assert_status(r, 200);
        assert_body(r, STR("hello"));
        if (table[i].lasts) {
            assert_status(get(c, "/hello"), 200);
            /* An HTTP/1.0 client assumes the end unless it is told otherwise. */
            cr_assert(table[i].version[2] == '1' || response_has(&r, "Connection", "keep-alive"), STR_FMT,
                      STR_ARG(r.head));
        } else {
            cr_assert(table[i].version[2] == '0' || response_has(&r, "Connection", "close"), STR_FMT, STR_ARG(r.head));
            cr_assert(client_ends(c), "the connection lasts after HTTP/%s %s", table[i].version, table[i].fields);
        }
        client_close(c);
    }
}

Test(http_connection, nothing_is_served_after_close)
{
    struct client *c = client_open(server.port);
    client_printf(c, "GET /hello HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n" HELLO HELLO);
    assert_status(response_read(c), 200);
    cr_assert(client_ends(c));
    cr_assert_not(c->reset, "the connection is reset");
}

/* To close a socket with unread requests would be a reset, which destroys the answer that is still on its way. */
Test(http_connection, requests_after_close_do_not_destroy_the_answer)
{
    enum { BEHIND = 20000 };
    struct str content = file_pattern(1 << 20);
    file_write("www/file", content);
    struct client *c = client_open_slow(server.port);
    const char *requests = "GET /files/file HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n";
    while (strlen(requests) < BEHIND)
        requests = harness_text("%s" HELLO, requests);
    client_send(c, str_of(requests));
    struct response r = response_read(c);
    assert_status(r, 200);
    assert_body(r, content);
    cr_assert(client_ends(c), "more is served after the end");
}

Test(http_connection, it_serves_thousands_of_requests)
{
    struct client *c = client_open(server.port);
    for (int i = 0; i < 5000; i++) {
        struct response r = get(c, i % 2 ? "/hello" : "/bye");
        assert_status(r, 200);
        assert_body(r, i % 2 ? STR("hello") : STR("bye"));
    }
}

Test(http_connection, pipelined_requests_are_answered_in_order)
{
    enum { COUNT = 1000 };
    struct client *c = client_open(server.port);
    for (int i = 0; i < COUNT; i++)
        client_printf(c, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\n%04d", i);
    for (int i = 0; i < COUNT; i++) {
        struct response r = response_read(c);
        assert_status(r, 200);
        assert_body(r, str_of(harness_text("%04d", i)));
    }
}

static uint32_t segments_with_data(const struct client *c)
{
    struct tcp_info info;
    socklen_t size = sizeof info;
    cr_assert_eq(getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
    return info.tcpi_data_segs_in;
}

/* The answers to a batch leave in one write. (A few writes are allowed: the batch may arrive in parts.) */
Test(http_connection, a_batch_is_answered_in_few_segments)
{
    enum { BATCH = 16, SEGMENTS = 4 };
    struct client *c = client_open(server.port);
    assert_status(get(c, "/hello"), 200);
    uint32_t before = segments_with_data(c);
    const char *batch = "";
    for (int i = 0; i < BATCH; i++)
        batch = harness_text("%s" HELLO, batch);
    client_send(c, str_of(batch));
    for (int i = 0; i < BATCH; i++)
        assert_status(response_read(c), 200);
    cr_assert_leq(segments_with_data(c) - before, SEGMENTS, "%u segments", segments_with_data(c) - before);
}

/* Long enough that the server reads the first piece alone, most of the time. Neither outcome fails. */
static void pause_a_moment(void)
{
    usleep(500);
}

static void assert_pieces(const char *request, struct str body)
{
    struct client *c = client_open(server.port);
    struct str whole = str_of(request);
    for (size_t cut = 1; cut < whole.n; cut++) {
        client_send(c, (struct str){whole.p, cut});
        pause_a_moment();
        client_send(c, str_skip(whole, cut));
        struct response r = response_read(c);
        assert_status(r, 200);
        assert_body(r, body);
    }
    for (size_t at = 0; at < whole.n; at++) {
        client_send(c, (struct str){whole.p + at, 1});
        pause_a_moment();
    }
    struct response r = response_read(c);
    assert_status(r, 200);
    assert_body(r, body);
}

Test(http_connection, a_request_may_be_split_anywhere)
{
    assert_pieces("GET /hello HTTP/1.1\r\n" HOST "X-Field: value\r\n\r\n", STR("hello"));
    assert_pieces("POST /echo HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n0123456789", STR("0123456789"));
    assert_pieces("POST /echo HTTP/1.1\r\n" HOST
                  "Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0a\r\n0123456789\r\n0\r\n"
                  "Trailer: x\r\n\r\n",
                  STR("abc0123456789"));
}

Test(http_connection, half_a_request_holds_nothing_up)
{
    struct client *half = client_open(server.port), *other = client_open(server.port);
    client_printf(half, HELLO "GET /bye HTTP/1.1\r\nHo");
    struct response first = response_read(half);
    assert_body(first, STR("hello"));
    assert_status(get(other, "/hello"), 200);
    struct response second = ask(half, "st: localhost\r\n\r\n");
    assert_body(second, STR("bye"));
}

Test(http_connection, a_client_that_has_finished_gets_its_answers)
{
    struct client *c = client_open(server.port);
    client_printf(c, HELLO HELLO);
    client_finish(c);
    assert_status(response_read(c), 200);
    assert_status(response_read(c), 200);
    cr_assert(client_ends(c));
}

Test(http_connection, half_a_request_and_the_end_get_no_answer_of_200)
{
    struct client *c = client_open(server.port);
    client_printf(c, "GET /hello HTTP/1.1\r\nHost: local");
    client_finish(c);
    struct response r = response_read(c);
    cr_assert(r.status == 0 || r.status == 400, "%d", r.status);
    cr_assert(client_ends(c));
    assert_status(fetch(server.port, "/hello"), 200);
}

/* A peer that sends requests and takes no answer is not read from without bound, and loses none of them. */
Test(http_connection, answers_wait_for_a_peer_that_does_not_read)
{
    enum { COUNT = 3000 };
    struct client *c = client_open_slow(server.port);
    const char *batch = HELLO HELLO HELLO HELLO HELLO HELLO HELLO HELLO HELLO HELLO;
    for (int i = 0; i < COUNT / 10; i++)
        client_send(c, str_of(batch));
    for (int i = 0; i < COUNT; i++) {
        struct response r = response_read(c);
        assert_status(r, 200);
        assert_body(r, STR("hello"));
    }
}
