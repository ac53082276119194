/* Peers that do to TLS what it allows, and what it does not (F33): what comes of it, what it costs, and that others do
 * not notice. */
#include "harness.h"
#include "harness_file.h"
#include "service.h"
#include "tls_service.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

enum { HANDSHAKE = 22, APPLICATION_DATA = 23, LARGE = 8 << 20, MOST_KIB = 4096 };

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define HOST "Host: localhost\r\n"
#define HELLO "GET /hello HTTP/1.1\r\n" HOST "\r\n"
#define SHORT_HANDSHAKE "timeouts: {handshake: 1s}\n"
#define SEALED .version = TLS1_3_VERSION, .suites = "TLS_AES_128_GCM_SHA256"

static struct server server;
static pid_t worker;

static void start(const char *config)
{
    server = tls_serve(config);
    worker = tls_worker(&server);
}

static void begin(void)
{
    harness_begin();
    start(TLS_USUAL);
}

/* Others are served, by the same worker, and the server ends well. */
static void end(void)
{
    cr_expect(tls_serves(server.port));
    cr_expect_eq(tls_worker(&server), worker, "the worker has died");
    assert_stop(&server, 0);
    harness_end();
}

TestSuite(tls_fault, .init = begin, .fini = end);

static void restart(const char *config)
{
    assert_stop(&server, 0);
    start(config);
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* ---- what is odd, but allowed ---- */

Test(tls_fault, an_octet_a_write)
{
    for (size_t v = 0; v < COUNT(versions); v++) {
        struct client *c = tls_open(.port = server.port, .version = versions[v], .segment = 1);
        assert_hello(get(c, "/hello"));
        assert_body(ask(c, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello"), STR("hello"));
        client_close(c);
    }
}

/* Handshake messages may be cut by the ends of records anywhere (RFC 8446, 5.1). */
Test(tls_fault, a_client_hello_in_small_records)
{
    static const size_t sizes[] = {1, 2, 3, 50};
    for (size_t v = 0; v < COUNT(versions); v++)
        for (size_t i = 0; i < COUNT(sizes); i++) {
            struct client *c = tls_start(.port = server.port, .version = versions[v], .name = "localhost");
            SSL_do_handshake(tls_of(c)->ssl);
            client_send(tls_of(c)->raw, tls_fragment(tls_pending(c), sizes[i]));
            int outcome = tls_shake(c);
            cr_assert_eq(outcome, TLS_FINE, "%zu octets: %s", sizes[i], tls_text(outcome));
            assert_hello(get(c, "/hello"));
            client_close(c);
        }
}

Test(tls_fault, a_large_client_hello)
{
    static const unsigned sizes[] = {4000, 15800, 16384, 16500, 32768, 60000};
    for (size_t v = 0; v < COUNT(versions); v++)
        for (size_t i = 0; i < COUNT(sizes); i++) {
            struct client *c = tls_start(.port = server.port, .version = versions[v], .padding = sizes[i]);
            int outcome = tls_shake(c);
            /* Beyond 16 KiB it may be refused, but not ignored. */
            cr_assert(outcome == TLS_FINE || (sizes[i] > 16384 && outcome >= 0), "%u: %s", sizes[i], tls_text(outcome));
            if (outcome == TLS_FINE)
                assert_hello(get(c, "/hello"));
            client_close(c);
        }
}

Test(tls_fault, records_of_one_octet)
{
    for (size_t v = 0; v < COUNT(versions); v++) {
        struct client *c = tls_open(.port = server.port, .version = versions[v]);
        for (const char *at = HELLO HELLO; *at; at++)
            client_send(c, (struct str){at, 1});
        assert_hello(response_read(c));
        assert_hello(response_read(c));
        client_close(c);
    }
}

static struct str sealed_text(struct client *c, uint64_t n, const char *text)
{
    return tls_seal(c, n, APPLICATION_DATA, str_of(text));
}

/* RFC 8446, 5.1 and 5.4: they hide from others how much is sent. */
Test(tls_fault, records_of_no_octets)
{
    struct client *c = tls_open(.port = server.port, SEALED);
    const char *pieces[] = {"", "GET /hello HT", "", "", "TP/1.1\r\n" HOST, "", "\r\n", ""};
    for (size_t i = 0; i < COUNT(pieces); i++)
        client_send(tls_of(c)->raw, sealed_text(c, i, pieces[i]));
    assert_hello(response_read(c));
    client_send(tls_of(c)->raw, sealed_text(c, COUNT(pieces), HELLO));
    assert_hello(response_read(c));
}

/* ---- floods ---- */

/* Sends what the server takes; it may hang up, or answer. */
static void flood(struct client *raw, struct str bytes)
{
    enum { BLOCKED_MS = 1000 };
    struct pollfd wait = {.fd = raw->fd, .events = POLLOUT};
    while (bytes.n && poll(&wait, 1, BLOCKED_MS) == 1) {
        ssize_t n = send(raw->fd, bytes.p, bytes.n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN)
            return;
        bytes = str_skip(bytes, n > 0 ? (size_t)n : 0);
    }
}

static void assert_memory(size_t before, const char *what)
{
    size_t now = service_memory(worker);
    cr_expect_leq(now, before + MOST_KIB, "%s: %zu KiB, then %zu", what, before, now);
}

/* They are no request and no sign of life: they end, or are ended by the time that a request may take. */
Test(tls_fault, a_flood_of_records_of_no_octets)
{
    enum { RECORDS = 20000 };
    restart("timeouts: {idle: 2s, header: 2s}\n" TLS_USUAL);
    struct client *c = tls_open(.port = server.port, SEALED);
    assert_hello(get(c, "/hello"));
    struct str one = sealed_text(c, 1, "");
    char *all = harness_alloc(RECORDS * one.n);
    for (uint64_t i = 0; i < RECORDS; i++)
        memcpy(all + i * one.n, sealed_text(c, 1 + i, "").p, one.n);
    size_t before = service_memory(worker);
    flood(tls_of(c)->raw, (struct str){all, RECORDS * one.n});
    cr_assert(tls_serves(server.port));
    cr_assert(until(!client_is_held(c)), "the connection stays");
    assert_memory(before, "records of no octets");
}

/* Each asks for an answer, which nobody reads (RFC 8446, 4.6.3). */
Test(tls_fault, a_flood_of_key_updates)
{
    enum { UPDATES = 20000 };
    struct client *c = tls_open(.port = server.port, .version = TLS1_3_VERSION);
    assert_hello(get(c, "/hello"));
    SSL *ssl = tls_of(c)->ssl;
    for (int i = 0; i < UPDATES; i++) {
        cr_assert_eq(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        SSL_do_handshake(ssl);
    }
    size_t before = service_memory(worker);
    flood(tls_of(c)->raw, tls_pending(c));
    cr_assert(tls_serves(server.port));
    assert_memory(before, "updates of keys");
    client_send(c, STR(HELLO));
    struct response r = response_read(c);
    cr_expect(r.status == 200 || r.status == 0, "%d", r.status);
    client_close(c);
    cr_assert(tls_serves(server.port));
}

/* A few are in order, and so is what is sent between them. */
Test(tls_fault, some_key_updates)
{
    struct client *c = tls_open(.port = server.port, .version = TLS1_3_VERSION);
    for (int i = 0; i < 10; i++) {
        int kind = i % 2 ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED;
        cr_assert_eq(SSL_key_update(tls_of(c)->ssl, kind), 1);
        cr_assert_eq(tls_shake(c), TLS_FINE);
        assert_hello(get(c, "/hello"));
    }
}

/* ---- renegotiation ---- */

/* It is gone from TLS 1.3, and was never good for anything here: one handshake a connection (RFC 8446, 4.1.2). */
Test(tls_fault, renegotiation_is_refused)
{
    struct client *c = tls_open(.port = server.port, .version = TLS1_2_VERSION);
    assert_hello(get(c, "/hello"));
    cr_assert_eq(SSL_renegotiate(tls_of(c)->ssl), 1);
    int outcome = tls_shake(c);
    cr_expect(outcome == SSL_AD_NO_RENEGOTIATION || outcome == SSL_AD_HANDSHAKE_FAILURE ||
                  outcome == SSL_AD_UNEXPECTED_MESSAGE || outcome == TLS_ENDED,
              "%s", tls_text(outcome));
    cr_expect_eq(tls_of(c)->handshakes, 1, "a second handshake");
}

/* A second ClientHello by 1.3 is a violation. */
Test(tls_fault, a_second_client_hello)
{
    struct client *c = tls_open(.port = server.port, SEALED);
    struct str hello = tls_hello(.port = server.port);
    client_send(tls_of(c)->raw, tls_seal(c, 0, HANDSHAKE, str_skip(hello, 5)));
    int outcome = tls_outcome(c);
    cr_expect_eq(outcome, SSL_AD_UNEXPECTED_MESSAGE, "%s", tls_text(outcome));
}

/* ---- garbage ---- */

Test(tls_fault, garbage_after_the_handshake)
{
    static const struct {
        const char *what;
        struct str bytes;
    } table[] = {
        {"HTTP in the clear", STR_INIT(HELLO)},
        {"a record that nobody has encrypted", STR_INIT("\x17\x03\x03\x00\x20"
                                                        "0123456789abcdef0123456789abcdef")},
        {"a record of no kind", STR_INIT("\x63\x03\x03\x00\x05hello")},
        {"a record that is too long", STR_INIT("\x17\x03\x03\xff\xff hello")},
        {"a record that is too short", STR_INIT("\x17\x03\x03\x00\x01x")},
        {"another version", STR_INIT("\x17\x09\x09\x00\x05hello")},
        {"an alert in the clear", STR_INIT("\x15\x03\x03\x00\x02\x01\x00")},
    };
    for (size_t v = 0; v < COUNT(versions); v++)
        for (size_t i = 0; i < COUNT(table); i++) {
            struct client *c = tls_open(.port = server.port, .version = versions[v]);
            assert_hello(get(c, "/hello"));
            client_send(tls_of(c)->raw, table[i].bytes);
            client_finish(tls_of(c)->raw);
            cr_expect_eq(client_drain(c).n, 0, "%s is answered", table[i].what);
            client_close(c);
        }
}

/* What was changed on its way is not a request. */
Test(tls_fault, a_record_that_was_changed)
{
    for (size_t v = 0; v < COUNT(versions); v++) {
        struct client *c = tls_open(.port = server.port, .version = versions[v]);
        cr_assert_gt(SSL_write(tls_of(c)->ssl, HELLO, sizeof HELLO - 1), 0);
        struct str record = tls_pending(c);
        ((char *)record.p)[record.n / 2] ^= 1;
        client_send(tls_of(c)->raw, record);
        int outcome = tls_outcome(c);
        cr_expect_eq(outcome, SSL_AD_BAD_RECORD_MAC, "%s", tls_text(outcome));
        client_close(c);
    }
}

/* Every octet of a ClientHello but those of its length, changed: no answer is wrong, and nothing breaks. */
Test(tls_fault, a_client_hello_that_was_changed)
{
    struct str hello = tls_hello(.name = "localhost", .alpn = "http/1.1");
    for (size_t i = 0; i < hello.n; i++) {
        struct client *c = client_open(server.port);
        char *copy = harness_alloc(hello.n);
        memcpy(copy, hello.p, hello.n);
        copy[i] = (char)(copy[i] ^ (i % 2 ? 0xff : 1));
        client_send(c, (struct str){copy, hello.n});
        client_finish(c);
        client_drain(c);
        client_close(c);
    }
}

/* ---- truncation ---- */

/* An end without close_notify may be an attacker's: what was not complete by itself is not a request (RFC 9112, 9.8). */
Test(tls_fault, what_is_cut_off_is_no_request)
{
    static const struct {
        const char *what, *request;
    } table[] = {
        {"a line", "GET /hello HTTP/1.1\r\n"},
        {"fields", "GET /hello HTTP/1.1\r\nHost: localhost\r\n"},
        {"a body", "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\nhello"},
        {"chunks", "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"},
        {"the last chunk", "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"},
    };
    for (size_t v = 0; v < COUNT(versions); v++)
        for (size_t i = 0; i < COUNT(table); i++) {
            struct client *c = tls_open(.port = server.port, .version = versions[v]);
            client_send(c, str_of(table[i].request));
            client_finish(tls_of(c)->raw);
            struct response r = response_read(c);
            cr_expect(r.status == 0 || r.status == 400 || r.status == 408 || !r.complete, "%s: %d", table[i].what,
                      r.status);
            client_close(c);
        }
}

/* Within a record, too. */
Test(tls_fault, a_record_that_is_cut_off)
{
    for (size_t v = 0; v < COUNT(versions); v++) {
        struct client *c = tls_open(.port = server.port, .version = versions[v]);
        cr_assert_gt(SSL_write(tls_of(c)->ssl, HELLO, sizeof HELLO - 1), 0);
        struct str record = tls_pending(c);
        client_send(tls_of(c)->raw, (struct str){record.p, record.n - 1});
        client_finish(tls_of(c)->raw);
        cr_expect_eq(client_drain(c).n, 0, "half a record is answered");
        client_close(c);
    }
}

/* ---- half handshakes ---- */

/* How far they come: nothing, part of a ClientHello, all of it, with the end of a record or without. */
Test(tls_fault, handshakes_that_never_end)
{
    enum { CLIENTS = 500 };
    static struct client *clients[CLIENTS];
    restart(SHORT_HANDSHAKE TLS_USUAL);
    struct str hello = tls_hello(.name = "localhost");
    size_t parts[] = {0, 1, 5, 6, hello.n / 2, hello.n - 1, hello.n};
    cr_assert(tls_serves(server.port));
    size_t sockets = server_sockets(worker), lines = command_lines(server_log(&server));
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = client_open(server.port);
        client_send(clients[i], (struct str){hello.p, parts[(size_t)i % COUNT(parts)]});
        if (i % 50 == 0)
            cr_assert(tls_serves(server.port));
    }
    for (int i = 0; i < CLIENTS; i++) {
        client_drain(clients[i]);
        cr_assert(clients[i]->ended);
        client_close(clients[i]);
    }
    cr_assert(until(server_sockets(worker) <= sockets), "%zu sockets, not %zu", server_sockets(worker), sockets);
    cr_expect_leq(command_lines(server_log(&server)), lines + 20, "%s", server_log(&server).p);
}

/* The time is for all of the handshake: an octet now and then does not buy more. */
Test(tls_fault, a_handshake_that_goes_on_and_on)
{
    restart(SHORT_HANDSHAKE TLS_USUAL);
    struct str hello = tls_hello(.name = "localhost");
    struct client *c = client_open(server.port);
    for (size_t i = 0; i < hello.n && client_is_held(c); i++) {
        client_send(c, (struct str){hello.p + i, 1});
        poll(NULL, 0, 100);
    }
    cr_expect_not(client_is_held(c), "the whole ClientHello came in");
}

/* The other half: it has begun, and the client's last message never comes. Others need not wait for it. */
Test(tls_fault, handshakes_without_a_last_word)
{
    restart(SHORT_HANDSHAKE TLS_USUAL);
    for (size_t v = 0; v < COUNT(versions); v++) {
        struct client *c = tls_start(.port = server.port, .version = versions[v]);
        SSL_do_handshake(tls_of(c)->ssl);
        tls_flush(c);
        cr_assert_gt(client_peek(tls_of(c)->raw, 100).n, 0);
        cr_assert(tls_serves(server.port));
        client_drain(tls_of(c)->raw);
        client_close(c);
    }
}

/* At any point of the handshake, by a reset or by an end. */
Test(tls_fault, handshakes_that_are_given_up)
{
    enum { TURNS = 50 };
    struct str hello = tls_hello(.name = "localhost");
    size_t parts[] = {0, 3, 5, hello.n / 2, hello.n - 1, hello.n};
    cr_assert(tls_serves(server.port));
    size_t before = service_descriptors(worker);
    for (int turn = 0; turn < TURNS; turn++)
        for (size_t i = 0; i < 2 * COUNT(parts); i++) {
            struct client *c = client_open(server.port);
            client_send(c, (struct str){hello.p, parts[i / 2]});
            if (turn % 2 && parts[i / 2] == hello.n)
                client_peek(c, 1);
            if (i % 2)
                client_reset(c);
            else
                client_close(c);
        }
    cr_assert(tls_serves(server.port));
    cr_assert(until(service_descriptors(worker) <= before), "%zu descriptors, not %zu", service_descriptors(worker),
              before);
}

/* And of what comes after it. */
Test(tls_fault, resets_leave_nothing_behind)
{
    static const char *const requests[] = {"", "GET /la", HELLO, "GET /files/large HTTP/1.1\r\n" HOST "\r\n"};
    file_write("www/large", file_pattern(LARGE));
    assert_status(get(tls_open(.port = server.port), "/files/large"), 200);
    size_t before = service_descriptors(worker);
    for (size_t i = 0; i < 50 * COUNT(requests); i++) {
        struct client *c = tls_open(.port = server.port, .version = versions[i % 2], .slow = true);
        client_send(c, str_of(requests[i % COUNT(requests)]));
        client_reset(tls_of(c)->raw);
    }
    cr_assert(tls_serves(server.port));
    cr_assert(until(service_descriptors(worker) <= before), "%zu descriptors, not %zu", service_descriptors(worker),
              before);
}

/* ---- the end of others ---- */

/* Past the limit they wait, or are told so in TLS; never in words that a client of TLS can't read. */
Test(tls_fault, connections_past_the_limit)
{
    enum { LIMIT = 8, CLIENTS = 16 };
    restart("limits: {connections: 8}\n" TLS_USUAL);
    struct client *clients[CLIENTS];
    for (int i = 0; i < LIMIT; i++) {
        clients[i] = tls_open(.port = server.port);
        client_printf(clients[i], "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\na");
    }
    for (int i = LIMIT; i < CLIENTS; i++) {
        clients[i] = tls_start(.port = server.port);
        SSL_do_handshake(tls_of(clients[i])->ssl);
        tls_flush(clients[i]);
    }
    for (int i = 0; i < LIMIT; i++) {
        assert_body(ask(clients[i], "b"), STR("ab"));
        client_close(clients[i]);
    }
    for (int i = LIMIT; i < CLIENTS; i++) {
        int outcome = tls_shake(clients[i]);
        cr_assert(outcome == TLS_FINE || outcome == TLS_ENDED || outcome >= 0, "%s", tls_text(outcome));
        if (outcome == TLS_FINE) {
            int status = get(clients[i], "/hello").status;
            cr_expect(status == 200 || status == 503, "%d", status);
        }
        client_close(clients[i]);
    }
    restart(TLS_USUAL);
}

/* A handshake is no request: it holds up an end for as long as it may take, and is nothing that was cut. */
Test(tls_fault, a_stop_in_the_middle_of_handshakes)
{
    struct str hello = tls_hello(.name = "localhost");
    size_t parts[] = {1, 5, hello.n / 2, hello.n};
    struct client *clients[COUNT(parts)];
    restart("timeouts: {handshake: 1s, shutdown: 1h}\n" TLS_USUAL);
    for (size_t i = 0; i < COUNT(parts); i++) {
        clients[i] = client_open(server.port);
        client_send(clients[i], (struct str){hello.p, parts[i]});
    }
    cr_assert(tls_serves(server.port));
    restart(TLS_USUAL);
    for (size_t i = 0; i < COUNT(parts); i++)
        client_drain(clients[i]);
}

/* What comes after the handshake has the times that it has without TLS. */
Test(tls_fault, a_header_that_never_ends)
{
    restart("timeouts: {header: 1s}\n" TLS_USUAL);
    for (size_t v = 0; v < COUNT(versions); v++) {
        struct client *c = tls_open(.port = server.port, .version = versions[v]);
        client_send(c, STR("GET /hello HTTP/1.1\r\nHost: loc"));
        assert_status(response_read(c), 408);
        cr_expect(client_ends(c) && tls_of(c)->closed);
        client_close(c);
    }
}
