/* HTTP/1 over TLS: what is the same as without it, ends that are announced, and HTTP that comes without TLS. */
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"
#include "tls_service.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdlib.h>

enum { LARGE = 24 << 20, RECORD = 16 * 1024 };

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define HOST "Host: localhost\r\n"

static struct server server;

static void begin(void)
{
    harness_begin();
    server = tls_serve("timeouts: {write: 5s}\nlimits: {body_size: 64m}\n" TLS_USUAL);
}

TestSuite(tls_http, .init = begin, .fini = harness_end);

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* ---- without TLS ---- */

/* A browser that was sent to http:// gets something to read, on a connection that ends. */
Test(tls_http, plain_http_on_a_port_of_tls)
{
    static const char *const requests[] = {
        "GET / HTTP/1.1\r\n" HOST "\r\n",
        "GET /hello HTTP/1.0\r\n\r\n",
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello",
        "HEAD / HTTP/1.1\r\n" HOST "\r\n",
        "OPTIONS * HTTP/1.1\r\n" HOST "\r\n",
        "PROPFIND / HTTP/1.1\r\n" HOST "\r\n",
        "GET / HTTP/1.1\r\n" HOST "\r\nGET / HTTP/1.1\r\n" HOST "\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    };
    for (size_t i = 0; i < COUNT(requests); i++) {
        struct client *c = client_open(server.port);
        client_send(c, str_of(requests[i]));
        struct response r = str_starts(str_of(requests[i]), STR("HEAD")) ? response_read_head(c) : response_read(c);
        cr_expect_eq(r.status, 400, "%s: %d", requests[i], r.status);
        cr_expect(r.complete && response_has(&r, "Connection", "close"), "%s: " STR_FMT, requests[i], STR_ARG(r.head));
        cr_expect(str_starts(response_field(&r, "Content-Type"), STR("text/plain")), STR_FMT, STR_ARG(r.head));
        cr_expect(memmem(client_drain(c).p, c->n, "HTTP/", 5) == NULL, "%s: a second answer", requests[i]);
        cr_expect(str_starts(str_of(requests[i]), STR("HEAD")) || memmem(r.body.p, r.body.n, "TLS", 3) ||
                      memmem(r.body.p, r.body.n, "https", 5),
                  "%s: " STR_FMT, requests[i], STR_ARG(r.body));
        client_close(c);
    }
    cr_assert(tls_serves(server.port));
    assert_stop(&server, 0);
}

/* Other protocols, and what is none. */
Test(tls_http, nonsense_on_a_port_of_tls)
{
    static const struct str table[] = {STR_INIT("\0"),
                                       STR_INIT("SSH-2.0-OpenSSH_9.2\r\n"),
                                       STR_INIT("\x16\x03\x01\xff\xff"),
                                       STR_INIT("\x16\x03\x01\x00\x00"),
                                       STR_INIT("\x16\x03\x01\x00\x04\x01\x00\x00\x00"),
                                       STR_INIT("\x16\x03\x01\x00\x04\x02\x00\x00\x00"),
                                       STR_INIT("\x17\x03\x03\x00\x05hello"),
                                       STR_INIT("\x15\x03\x03\x00\x02\x02\x28"),
                                       STR_INIT("\x14\x03\x03\x00\x01\x01"),
                                       STR_INIT("\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10"), /* SSL 2.0 */
                                       STR_INIT("\r\n\r\n"),
                                       STR_INIT("get / http/1.1\r\n\r\n")};
    pid_t worker = tls_worker(&server);
    for (size_t i = 0; i < COUNT(table); i++) {
        struct client *c = client_open(server.port);
        client_send(c, table[i]);
        client_finish(c);
        cr_expect_lt(client_drain(c).n, 1000, "row %zu", i);
        client_close(c);
    }
    cr_assert_eq(tls_worker(&server), worker, "the worker has died");
    cr_assert(tls_serves(server.port));
    assert_stop(&server, 0);
}

/* TLS on a port without it is a bad request. */
Test(tls_http, tls_on_a_plain_port)
{
    struct str hello = tls_hello(.port = server.port);
    assert_stop(&server, 0);
    server = server_start("listen: 127.0.0.1:@PORT@\n" TLS_SITES);
    struct client *c = client_open(server.port);
    client_send(c, hello);
    client_finish(c);
    struct response r = response_read(c);
    cr_expect(r.status == 400 || r.status == 0, "%d", r.status);
    assert_hello(fetch(server.port, "/hello"));
    assert_stop(&server, 0);
}

/* ---- requests and answers ---- */

Test(tls_http, many_requests_on_a_connection)
{
    for (size_t v = 0; v < COUNT(versions); v++) {
        struct client *c = tls_open(.port = server.port, .version = versions[v]);
        for (int i = 0; i < 300; i++)
            assert_hello(get(c, "/hello"));
        cr_expect_eq(tls_of(c)->handshakes, 1);
        client_close(c);
    }
    assert_stop(&server, 0);
}

/* Requests that share a record, and those that are cut by the ends of records. */
Test(tls_http, pipelined_requests)
{
    enum { REQUESTS = 100 };
    static const size_t sizes[] = {1, 7, 64, 100000};
    struct str all = STR("");
    for (int i = 0; i < REQUESTS; i++)
        all = str_of(
            harness_text(STR_FMT "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\n%04d", STR_ARG(all), i));
    for (size_t v = 0; v < COUNT(versions); v++)
        for (size_t s = 0; s < COUNT(sizes); s++) {
            struct client *c = tls_open(.port = server.port, .version = versions[v]);
            for (struct str rest = all; rest.n; rest = str_skip(rest, sizes[s]))
                client_send(c, (struct str){rest.p, rest.n < sizes[s] ? rest.n : sizes[s]});
            for (int i = 0; i < REQUESTS; i++)
                assert_body(response_read(c), str_of(harness_text("%04d", i)));
            client_close(c);
        }
    assert_stop(&server, 0);
}

/* Around the sizes of records, of their batches, and of what is sent in small ones. */
Test(tls_http, bodies_of_all_sizes)
{
    static const size_t sizes[] = {0,          1,     1399,  1400,  1401,       RECORD - 1, RECORD,
                                   RECORD + 1, 65535, 65536, 65537, 4 * RECORD, 100000,     1 << 20};
    for (size_t i = 0; i < COUNT(sizes); i++)
        file_write(harness_text("www/%zu", sizes[i]), file_pattern(sizes[i]));
    for (size_t v = 0; v < COUNT(versions); v++) {
        struct client *c = tls_open(.port = server.port, .version = versions[v]);
        for (size_t i = 0; i < COUNT(sizes); i++) {
            struct str content = file_pattern(sizes[i]);
            assert_body(get(c, harness_text("/files/%zu", sizes[i])), content);
            client_printf(c, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n", content.n);
            client_send(c, content);
            assert_body(response_read(c), content);
        }
        client_close(c);
    }
    assert_stop(&server, 0);
}

Test(tls_http, a_large_file)
{
    struct str content = file_pattern(LARGE);
    file_write("www/large", content);
    for (size_t v = 0; v < COUNT(versions); v++) {
        struct client *c = tls_open(.port = server.port, .version = versions[v]);
        assert_body(get(c, "/files/large"), content);
        struct response part = ask(c, "GET /files/large HTTP/1.1\r\n" HOST "Range: bytes=1000000-5999999\r\n\r\n");
        assert_status(part, 206);
        assert_body(part, ((struct str){content.p + 1000000, 5000000}));
        assert_hello(get(c, "/hello"));
        client_close(c);
    }
    assert_stop(&server, 0);
}

Test(tls_http, a_large_body_both_ways)
{
    struct str content = file_pattern(LARGE);
    for (size_t v = 0; v < COUNT(versions); v++) {
        struct client *c = tls_open(.port = server.port, .version = versions[v]);
        client_printf(c, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n", content.n);
        client_send(c, content);
        struct response r = response_read(c);
        assert_status(r, 200);
        assert_body(r, content);
        client_close(c);
    }
    assert_stop(&server, 0);
}

/* Chunks, in records that have nothing to do with them. */
Test(tls_http, a_chunked_body)
{
    struct str content = file_pattern(300000);
    struct client *c = tls_open(.port = server.port);
    client_printf(c, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    for (struct str rest = content; rest.n; rest = str_skip(rest, 7777)) {
        size_t n = rest.n < 7777 ? rest.n : 7777;
        client_printf(c, "%zx\r\n", n);
        client_send(c, (struct str){rest.p, n});
        client_printf(c, "\r\n");
    }
    assert_body(ask(c, "0\r\n\r\n"), content);
    assert_hello(get(c, "/hello"));
    assert_stop(&server, 0);
}

/* An answer that stays in OpenSSL while nobody reads, and comes whole when somebody does. */
Test(tls_http, a_slow_reader)
{
    struct str content = file_pattern(LARGE / 4);
    file_write("www/large", content);
    for (size_t v = 0; v < COUNT(versions); v++) {
        struct client *c = tls_open(.port = server.port, .version = versions[v], .slow = true);
        client_printf(c, "GET /files/large HTTP/1.1\r\n" HOST "\r\n");
        for (size_t n = 1000; n < 200000; n += 20000) {
            cr_assert_eq(client_peek(c, n).n, n);
            poll(NULL, 0, 20);
            cr_assert(tls_serves(server.port));
        }
        assert_body(response_read(c), content);
        assert_hello(get(c, "/hello"));
        client_close(c);
    }
    assert_stop(&server, 0);
}

/* Nobody takes it at all: the timeout does what it does without TLS. */
Test(tls_http, a_reader_who_does_not_read)
{
    file_write("www/large", file_pattern(LARGE));
    struct client *c = tls_open(.port = server.port, .slow = true);
    client_printf(c, "GET /files/large HTTP/1.1\r\n" HOST "\r\n");
    cr_assert_eq(client_peek(c, 1000).n, 1000);
    cr_assert(until(!client_is_held(c)), "the connection stays");
    cr_assert_not(response_read(c).complete, "an answer that stood still was finished");
    assert_stop(&server, 0);
}

/* ---- the end ---- */

/* close_notify tells that nothing was cut off (RFC 8446, 6.1; RFC 9112, 9.8). */
Test(tls_http, an_end_is_announced)
{
    static const char *const requests[] = {
        "GET /hello HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n",           "GET /hello HTTP/1.0\r\n\r\n",
        "GET /nothing HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n",         "bad request\r\n\r\n",
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 99999999999\r\n\r\n",
    };
    for (size_t v = 0; v < COUNT(versions); v++)
        for (size_t i = 0; i < COUNT(requests); i++) {
            struct client *c = tls_open(.port = server.port, .version = versions[v]);
            struct response r = ask(c, "%s", requests[i]);
            cr_expect(r.status && r.complete, "%s: %d", requests[i], r.status);
            cr_expect(client_ends(c), "%s: more comes", requests[i]);
            cr_expect(tls_of(c)->closed && !c->reset, "%s: the end is not announced", requests[i]);
            client_close(c);
        }
    assert_stop(&server, 0);
}

/* However slowly it takes the last octets, which fill the buffers of the socket. */
Test(tls_http, an_end_is_announced_to_a_slow_reader)
{
    enum { SIZE = 3000000 };
    for (size_t v = 0; v < COUNT(versions); v++)
        for (size_t n = SIZE; n < SIZE + 100000; n += 9973) {
            struct str content = file_pattern(n);
            file_replace(harness_text("www/%zu", n), content);
            struct client *c = tls_open(.port = server.port, .version = versions[v], .slow = true);
            client_printf(c, "GET /files/%zu HTTP/1.0\r\n\r\n", n);
            cr_assert_eq(client_peek(c, 1000).n, 1000);
            poll(NULL, 0, 20);
            assert_body(response_read(c), content);
            cr_expect(client_ends(c) && tls_of(c)->closed && !c->reset, "%zu octets: the end is not announced", n);
            client_close(c);
        }
    assert_stop(&server, 0);
}

Test(tls_http, an_idle_connection_ends_in_good_order)
{
    assert_stop(&server, 0);
    server = tls_serve("timeouts: {idle: 1s}\n" TLS_USUAL);
    struct client *c = tls_open(.port = server.port), *silent = tls_open(.port = server.port);
    assert_hello(get(c, "/hello"));
    cr_assert(client_ends(c) && tls_of(c)->closed);
    cr_assert(client_ends(silent) && tls_of(silent)->closed);
    assert_stop(&server, 0);
}

Test(tls_http, a_stop_ends_idle_connections_in_good_order)
{
    struct client *c = tls_open(.port = server.port);
    assert_hello(get(c, "/hello"));
    server_terminate(&server);
    cr_assert(client_ends(c));
    cr_assert(tls_of(c)->closed, "the end is not announced");
    assert_exit(&server, 0);
}

/* A client that says that it is done gets the whole answer (F26). */
Test(tls_http, half_a_close)
{
    struct str content = file_pattern(1 << 20);
    file_write("www/file", content);
    for (size_t v = 0; v < COUNT(versions); v++) {
        struct client *c = tls_open(.port = server.port, .version = versions[v]);
        client_printf(c, "GET /files/file HTTP/1.1\r\n" HOST "\r\n");
        client_finish(c);
        client_finish(tls_of(c)->raw);
        assert_body(response_read(c), content);
        cr_expect(client_ends(c));
        client_close(c);
    }
    assert_stop(&server, 0);
}

/* The end of what a client sends may come with its last request: nothing else will tell of it. */
Test(tls_http, an_end_that_comes_with_a_request)
{
    assert_stop(&server, 0);
    server = tls_serve("timeouts: {idle: 1h}\n" TLS_USUAL);
    for (size_t v = 0; v < COUNT(versions); v++) {
        struct client *c = tls_open(.port = server.port, .version = versions[v]);
        static const char request[] = "GET /hello HTTP/1.1\r\n" HOST "\r\n";
        assert_hello(get(c, "/hello"));
        cr_assert_gt(SSL_write(tls_of(c)->ssl, request, sizeof request - 1), 0);
        client_finish(c);
        assert_hello(response_read(c));
        cr_expect(client_ends(c) && tls_of(c)->closed);
        cr_expect(until(!client_is_held(tls_of(c)->raw)), "the connection stays");
        client_close(c);
    }
    assert_stop(&server, 0);
}

/* Another's view of it. */
Test(tls_http, curl_is_content)
{
    static const char *const limits[] = {"1.2", "1.3"};
    file_write("www/file", file_pattern(3 << 20));
    for (size_t i = 0; i < COUNT(limits); i++) {
        const char *url = harness_text("https://localhost:%d/files/file", server.port);
        struct command command = {.arguments = {"curl", "-sS", "--http1.1", "--cacert", pki_file("root", "pem"),
                                                "--tls-max", limits[i], "--resolve",
                                                harness_text("localhost:%d:127.0.0.1", server.port), "-o",
                                                file_path("got"), "-w", "%{http_code} %{ssl_verify_result}", url}};
        struct result r = command_run(&command);
        cr_assert_eq(r.status, 0, "%s", r.err.p);
        cr_assert_str_eq(r.out.p, "200 0");
        cr_assert(str_eq(file_read("got"), file_read("www/file")));
    }
    assert_stop(&server, 0);
}
