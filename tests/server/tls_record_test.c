/* Records behind the handshake: every cipher both ways, keys that change, and what must not be in a record (RFC 8446,
 * 4.6.3 to 6; RFC 5246, 6). */
#include "harness.h"
#include "harness_file.h"
#include "tls_service.h"

#include <criterion/criterion.h>

enum { CHANGE_CIPHER_SPEC = 20, ALERT, HANDSHAKE, APPLICATION_DATA, LARGE = 300000, RECORD = 16 * 1024 };

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define HOST "Host: localhost\r\n"
#define HELLO "GET /hello HTTP/1.1\r\n" HOST "\r\n"

static struct server server;
static pid_t worker;

static void begin(void)
{
    harness_begin();
    server = tls_serve(TLS_USUAL);
    worker = tls_worker(&server);
}

TestSuite(tls_record, .init = begin, .fini = harness_end);

static void assert_unharmed(void)
{
    cr_assert(tls_serves(server.port));
    cr_assert_eq(tls_worker(&server), worker, "the worker has died:\n%s", server_log(&server).p);
    assert_stop(&server, 0);
}

/* ---- every cipher ---- */

static const struct cipher {
    int version;
    const char *name;
} ciphers[] = {
    {TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256"},        {TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384"},
    {TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256"},  {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384"}, {TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305"},
    {TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256"},   {TLS1_2_VERSION, "ECDHE-RSA-AES256-GCM-SHA384"},
    {TLS1_2_VERSION, "ECDHE-RSA-CHACHA20-POLY1305"},
};

static struct client *open_with(const struct cipher *cipher, SSL_SESSION *session)
{
    bool is13 = cipher->version == TLS1_3_VERSION;
    struct client *c = tls_open(.port = server.port, .version = cipher->version, .session = session,
                                .suites = is13 ? cipher->name : NULL, .ciphers = is13 ? NULL : cipher->name);
    cr_assert_str_eq(SSL_get_cipher_name(tls_of(c)->ssl), cipher->name);
    return c;
}

static void exchange(struct client *c, struct str content)
{
    client_printf(c, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n", content.n);
    client_send(c, content);
    struct response r = response_read(c);
    assert_status(r, 200);
    assert_body(r, content);
}

/* By the first handshake of a session and by one that resumes it, to the announced end. */
Test(tls_record, every_cipher_carries_what_it_should)
{
    struct str content = file_pattern(LARGE);
    for (size_t i = 0; i < COUNT(ciphers); i++) {
        struct client *first = open_with(&ciphers[i], NULL);
        exchange(first, content);
        cr_assert_not_null(tls_session(first), "%s: no session", ciphers[i].name);
        struct client *second = open_with(&ciphers[i], tls_of(first)->session);
        cr_expect(tls_resumed(second), "%s", ciphers[i].name);
        for (int turn = 0; turn < 3; turn++)
            exchange(second, content);
        assert_hello(ask(second, "GET /hello HTTP/1.0\r\n\r\n"));
        cr_expect(client_ends(second) && tls_of(second)->closed, "%s: the end is not announced", ciphers[i].name);
        client_close(first);
        client_close(second);
    }
    assert_unharmed();
}

/* The first octet that is encrypted, one in the middle, and the last one of the seal. */
Test(tls_record, every_cipher_notices_a_change)
{
    for (size_t i = 0; i < COUNT(ciphers); i++)
        for (int place = 0; place < 3; place++) {
            struct client *c = open_with(&ciphers[i], NULL);
            cr_assert_gt(SSL_write(tls_of(c)->ssl, HELLO, sizeof HELLO - 1), 0);
            struct str record = tls_pending(c);
            size_t places[] = {5, record.n / 2, record.n - 1};
            ((char *)record.p)[places[place]] ^= 1;
            client_send(tls_of(c)->raw, record);
            int outcome = tls_outcome(c);
            cr_expect_eq(outcome, SSL_AD_BAD_RECORD_MAC, "%s, %d: %s", ciphers[i].name, place, tls_text(outcome));
            client_close(c);
        }
    assert_unharmed();
}

/* One that comes twice, and one that is left out. */
Test(tls_record, every_cipher_counts)
{
    for (size_t i = 0; i < COUNT(ciphers); i++)
        for (int twice = 0; twice < 2; twice++) {
            struct client *c = open_with(&ciphers[i], NULL);
            cr_assert_gt(SSL_write(tls_of(c)->ssl, "GET /hel", 8), 0);
            struct str record = tls_pending(c);
            if (twice)
                client_send(tls_of(c)->raw, record);
            cr_assert_gt(SSL_write(tls_of(c)->ssl, "lo HTTP/1.1\r\n", 13), 0);
            client_send(tls_of(c)->raw, twice ? record : tls_pending(c));
            int outcome = tls_outcome(c);
            cr_expect_eq(outcome, SSL_AD_BAD_RECORD_MAC, "%s: %s", ciphers[i].name, tls_text(outcome));
            client_close(c);
        }
    assert_unharmed();
}

/* RFC 8446, 4.6.3, in the midst of a request and of its answer. */
Test(tls_record, every_key_gives_way_to_the_next)
{
    struct str content = file_pattern(LARGE), half = {content.p, LARGE / 2};
    for (size_t i = 0; i < COUNT(ciphers) && ciphers[i].version == TLS1_3_VERSION; i++) {
        struct client *c = open_with(&ciphers[i], NULL);
        for (int turn = 0; turn < 6; turn++) {
            int kind = turn % 2 ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED;
            client_printf(c, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n", LARGE);
            client_send(c, half);
            cr_assert_eq(SSL_key_update(tls_of(c)->ssl, kind), 1);
            cr_assert_eq(tls_shake(c), TLS_FINE);
            client_send(c, str_skip(content, half.n));
            assert_body(response_read(c), content);
        }
        client_close(c);
    }
    assert_unharmed();
}

/* ---- what is in a record ---- */

struct inside {
    const char *what;
    unsigned char type;
    struct str content;
    int outcome; /* the alert */
};

static struct client *open_sealed(void)
{
    return open_with(&ciphers[0], NULL);
}

Test(tls_record, what_must_not_be_in_a_record)
{
    struct inside table[] = {
        {"nothing at all", 0, STR_INIT(""), SSL_AD_UNEXPECTED_MESSAGE},
        {"nothing but padding", 0, STR_INIT("\0\0\0\0"), SSL_AD_UNEXPECTED_MESSAGE},
        {"a kind that nobody knows", 99, STR_INIT("hello"), SSL_AD_UNEXPECTED_MESSAGE},
        {"a change of ciphers", CHANGE_CIPHER_SPEC, STR_INIT("\1"), SSL_AD_UNEXPECTED_MESSAGE},
        {"a second Finished", HANDSHAKE, STR_INIT("\x14\0\0\4abcd"), SSL_AD_UNEXPECTED_MESSAGE},
        {"a ticket", HANDSHAKE, STR_INIT("\4\0\0\4abcd"), SSL_AD_UNEXPECTED_MESSAGE},
        {"a certificate unasked", HANDSHAKE, STR_INIT("\x0b\0\0\4\0\0\0\0"), SSL_AD_UNEXPECTED_MESSAGE},
        {"a new key, and something behind it", HANDSHAKE, STR_INIT("\x18\0\0\1\0\x18"), SSL_AD_UNEXPECTED_MESSAGE},
        {"a new key, of no known kind", HANDSHAKE, STR_INIT("\x18\0\0\1\2"), SSL_AD_ILLEGAL_PARAMETER},
        {"an alert that is cut", ALERT, STR_INIT("\1"), SSL_AD_DECODE_ERROR},
        {"an alert that is too long", ALERT, STR_INIT("\1\0\0"), SSL_AD_DECODE_ERROR},
        {"too much", APPLICATION_DATA, file_fill('x', RECORD + 1), SSL_AD_RECORD_OVERFLOW},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct client *c = open_sealed();
        client_send(tls_of(c)->raw, tls_make_record(c, 0, table[i].type, table[i].content));
        int outcome = tls_outcome(c);
        cr_expect_eq(outcome, table[i].outcome, "%s: %s, not %s", table[i].what, tls_text(outcome),
                     tls_text(table[i].outcome));
        client_close(c);
    }
    assert_unharmed();
}

/* Records that are not encrypted, when all have to be. */
Test(tls_record, what_must_be_encrypted)
{
    static const struct {
        const char *what;
        struct str bytes;
    } table[] = {
        {"a change of ciphers", STR_INIT("\x14\3\3\0\1\1")},
        {"a handshake message", STR_INIT("\x16\3\3\0\5\x18\0\0\1\0")},
        {"an alert", STR_INIT("\x15\3\3\0\2\2\x28")},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct client *c = open_sealed();
        assert_hello(get(c, "/hello"));
        client_send(tls_of(c)->raw, table[i].bytes);
        client_send(c, STR(HELLO));
        cr_expect_eq(client_drain(c).n, 0, "%s: what comes next is answered", table[i].what);
        client_close(c);
    }
    assert_unharmed();
}

/* Padding stands behind the type, and is as long as the client likes (RFC 8446, 5.4). */
Test(tls_record, padding)
{
    static const size_t sizes[] = {0, 1, 100, 5000, RECORD - sizeof HELLO + 1};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct client *c = open_sealed();
        char *content = harness_alloc(RECORD + 1);
        size_t n = sizeof HELLO - 1;
        memset(content, 0, RECORD + 1);
        memcpy(content, HELLO, n);
        content[n] = APPLICATION_DATA;
        client_send(tls_of(c)->raw, sizes[i] ? tls_make_record(c, 0, 0, (struct str){content, n + sizes[i]})
                                             : tls_make_record(c, 0, APPLICATION_DATA, STR(HELLO)));
        assert_hello(response_read(c));
        client_close(c);
    }
    assert_unharmed();
}

/* A record as large as it may be, with a request in the middle of which it ends. */
Test(tls_record, a_record_that_is_full)
{
    struct client *c = open_sealed();
    struct str body = file_pattern(2 * RECORD);
    const char *head = harness_text("POST /echo HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n", body.n);
    struct str all = str_of(harness_text("%s" STR_FMT, head, STR_ARG(body)));
    for (uint64_t n = 0; all.n; n++, all = str_skip(all, RECORD)) {
        struct str piece = {all.p, all.n < RECORD ? all.n : RECORD};
        client_send(tls_of(c)->raw, tls_make_record(c, n, APPLICATION_DATA, piece));
    }
    assert_body(response_read(c), body);
    client_close(c);
    assert_unharmed();
}

/* ---- alerts ---- */

/* RFC 8446, 6: what comes behind close_notify is nothing; another alert ends it all; user_canceled means little. */
Test(tls_record, alerts_of_the_client)
{
    static const struct {
        const char *what;
        struct str alert;
        bool goes_on;
    } table[] = {
        {"close_notify", STR_INIT("\1\0"), false},
        {"a fatal close_notify", STR_INIT("\2\0"), false},
        {"internal_error", STR_INIT("\2\x50"), false},
        {"internal_error, as if it were a warning", STR_INIT("\1\x50"), false},
        {"an alert that nobody knows", STR_INIT("\2\xfe"), false},
        {"user_canceled", STR_INIT("\1\x5a"), true},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct client *c = open_sealed();
        client_send(tls_of(c)->raw, tls_make_record(c, 0, ALERT, table[i].alert));
        client_send(tls_of(c)->raw, tls_make_record(c, 1, APPLICATION_DATA, STR(HELLO)));
        int status = response_read(c).status;
        cr_expect_eq(status, table[i].goes_on ? 200 : 0, "%s: %d", table[i].what, status);
        client_close(c);
    }
    assert_unharmed();
}
