/* Bodies of requests: by length and in chunks, announced by Expect, read by a handler or by nobody. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>

#define CONFIG                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 1\n"                                                                                                     \
    "limits: {body_size: 8m}\n"                                                                                        \
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

TestSuite(http_body, .init = begin, .fini = harness_end);

static const size_t sizes[] = {0, 1, 13, 4096, 16383, 16384, 16385, 65536, 65537, 1 << 20, 8 << 20};

Test(http_body, by_length)
{
    struct client *c = client_open(server.port);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct str body = file_pattern(sizes[i]);
        client_printf(c, "POST /echo HTTP/1.1\r\n" HOST "Content-Type: text/x-test\r\nContent-Length: %zu\r\n\r\n",
                      body.n);
        client_send(c, body);
        struct response r = response_read(c);
        assert_status(r, 200);
        assert_body(r, body);
        assert_field(r, "Content-Type", "text/x-test");
    }
}

static void send_chunked(struct client *c, struct str body, size_t chunk)
{
    client_printf(c, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    for (; body.n; body = str_skip(body, chunk)) {
        size_t n = body.n < chunk ? body.n : chunk;
        client_printf(c, "%zx\r\n", n);
        client_send(c, (struct str){body.p, n});
        client_printf(c, "\r\n");
    }
    client_printf(c, "0\r\n\r\n");
}

Test(http_body, in_chunks)
{
    static const size_t chunks[] = {1, 100, 16384, 1 << 20};
    struct client *c = client_open(server.port);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t j = 0; j < sizeof chunks / sizeof *chunks; j++) {
            if (sizes[i] / chunks[j] > 10000)
                continue;
            struct str body = file_pattern(sizes[i]);
            send_chunked(c, body, chunks[j]);
            struct response r = response_read(c);
            assert_status(r, 200);
            assert_body(r, body);
        }
}

/* Extensions and trailers are read and dropped (RFC 9112, 7.1). */
Test(http_body, chunks_with_extensions_and_trailers)
{
    struct client *c = client_open(server.port);
    struct response r = ask(c, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n"
                               "3;name=value\r\nabc\r\n0003;x=\"quoted\"\r\ndef\r\n00;last\r\nX-Trailer: y\r\n\r\n");
    assert_status(r, 200);
    assert_body(r, STR("abcdef"));
    assert_status(get(c, "/hello"), 200);
}

/* A body that the handler has no use for never becomes the next request. */
Test(http_body, nobody_reads_it)
{
    static const char *const targets[] = {"/hello", "/files/one.txt", "/missing"};
    static const char smuggled[] = "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n";
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        struct client *c = client_open(server.port);
        client_printf(c, "GET %s HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n%s", targets[i], sizeof smuggled - 1,
                      smuggled);
        client_printf(c, "GET /hello HTTP/1.1\r\n" HOST "\r\n");
        struct response first = response_read(c), second = response_read(c);
        assert_status(first, i < 2 ? 200 : 404);
        if (response_has(&first, "Connection", "close"))
            cr_assert_eq(second.status, 0, "an answer after the announced end");
        else
            assert_body(second, STR("hello"));
        client_close(c);
    }
}

/* A body that is too long to be read for nothing ends the connection, and the answer says so before it comes. */
Test(http_body, nobody_reads_a_long_one)
{
    struct client *c = client_open(server.port);
    struct response r = ask(c, "POST /hello HTTP/1.1\r\n" HOST "Content-Length: 1000000\r\n\r\n");
    assert_status(r, 200);
    assert_field(r, "Connection", "close");
    assert_body(r, STR("hello"));
    client_send(c, file_fill('x', 1000000));
    cr_assert(client_ends(c), "more comes after the answer");
}

/* RFC 9110, 10.1.1: the client waits with the body until it is asked for it. */
Test(http_body, expect_is_answered_before_the_body)
{
    struct client *c = client_open(server.port);
    for (int i = 0; i < 2; i++) {
        struct response r = ask(c, "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
        assert_status(r, 100);
        r = ask(c, "hello");
        assert_status(r, 200);
        assert_body(r, STR("hello"));
    }
}

Test(http_body, expect_with_the_body_at_hand_gives_one_answer)
{
    struct client *c = client_open(server.port);
    struct response r = ask(c, "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello");
    if (r.status == 100)
        r = response_read(c);
    assert_status(r, 200);
    assert_body(r, STR("hello"));
    r = get(c, "/hello");
    assert_body(r, STR("hello"));
}

/* When the answer is known without the body, it is not asked for. */
Test(http_body, expect_is_refused_when_the_body_is_too_large)
{
    struct client *c = client_open(server.port);
    struct response r =
        ask(c, "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 9999999\r\n\r\n");
    assert_status(r, 413);
    assert_field(r, "Connection", "close");
    cr_assert(client_ends(c));
}

/* A client that is still sending must be able to read why it was refused: no reset destroys the answer. */
Test(http_body, a_refusal_survives_a_client_that_goes_on_sending)
{
    struct client *c = client_open(server.port);
    struct str body = file_fill('x', 12 << 20);
    client_printf(c, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n", body.n);
    client_send(c, body);
    struct response r = response_read(c);
    assert_status(r, 413);
    cr_assert(r.complete);
}

Test(http_body, a_body_that_breaks_off_is_not_answered_as_whole)
{
    static const char *const framings[] = {"Content-Length: 10\r\n\r\nabc",
                                           "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"};
    for (size_t i = 0; i < sizeof framings / sizeof *framings; i++) {
        struct client *c = client_open(server.port);
        client_printf(c, "POST /echo HTTP/1.1\r\n" HOST "%s", framings[i]);
        client_finish(c);
        struct response r = response_read(c);
        cr_assert(r.status == 0 || r.status == 400, "%d", r.status);
        cr_assert(client_ends(c));
        client_close(c);
    }
    assert_status(fetch(server.port, "/hello"), 200);
}
