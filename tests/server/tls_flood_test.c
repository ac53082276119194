/* What one peer can make a worker do by TLS with little: memory that it costs, and changes of keys. */
#include "harness.h"
#include "harness_file.h"
#include "service.h"
#include "tls_service.h"

#include <criterion/criterion.h>

enum { MOST_KIB = 4096 };

#define HOST "Host: localhost\r\n"

static struct server server;
static pid_t worker;

static void begin(void)
{
    harness_begin();
    server = tls_serve("limits: {body_size: 64m}\n" TLS_USUAL);
    worker = tls_worker(&server);
}

TestSuite(tls_flood, .init = begin, .fini = harness_end);

static void assert_unharmed(void)
{
    cr_assert(tls_serves(server.port));
    cr_assert_eq(tls_worker(&server), worker, "the worker has died:\n%s", server_log(&server).p);
    assert_stop(&server, 0);
}

/* ---- memory ---- */

enum { CLIENTS = 200 };

/* So many clients that say this and no more; the memory of the worker when it has seen them all. */
static size_t memory_with(struct str said)
{
    struct client *clients[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = client_open(server.port);
        client_send(clients[i], said);
    }
    cr_assert(tls_serves(server.port));
    size_t memory = service_memory(worker);
    for (int i = 0; i < CLIENTS; i++)
        client_close(clients[i]);
    return memory;
}

/* A record with the start of a ClientHello of 131072 octets, or of another message, costs no more than that of a
 * ClientHello of the usual size (RFC 8446, 4 and 5.1). */
Test(tls_flood, messages_that_claim_to_be_large)
{
    static const struct str claims[] = {
        STR_INIT("\x16\x03\x01\x00\x05\x01\x02\x00\x00\x03"),
        STR_INIT("\x16\x03\x01\x00\x05\x01\x01\xff\xff\x03"),
        STR_INIT("\x16\x03\x01\x00\x04\x0b\x02\x00\x00"),
    };
    size_t usual = memory_with(STR("\x16\x03\x01\x00\x05\x01\x00\x01\x00\x03"));
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        size_t memory = memory_with(claims[i]);
        cr_expect(harness_is_sanitized() || memory <= usual + MOST_KIB, "claim %zu: %zu KiB, not %zu", i, memory,
                  usual);
    }
    assert_unharmed();
}

/* ---- work ---- */

/* The head of an upload of so many octets, and each of them in a record of its own, after so many changes of keys. */
static struct str records_of(struct client *c, int octets, int updates)
{
    SSL *ssl = tls_of(c)->ssl;
    const char *head = harness_text("POST /echo HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n", octets);
    cr_assert_gt(SSL_write(ssl, head, (int)strlen(head)), 0);
    for (int i = 0; i < octets; i++) {
        for (int k = 0; k < updates; k++) {
            cr_assert_eq(SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
            SSL_do_handshake(ssl);
        }
        cr_assert_eq(SSL_write(ssl, "o", 1), 1);
    }
    return tls_pending(c);
}

/* Sends what goes now, and nothing when nothing goes; what is left. */
static struct str send_some(const struct client *raw, struct str bytes)
{
    return str_skip(bytes, bytes.n ? client_send_unread(raw, bytes) : 0);
}

/* A change of keys before each octet is nothing that anybody needs (RFC 8446, 4.6.3): it ends, and is told why. */
Test(tls_flood, changes_of_keys_before_each_octet)
{
    enum { OCTETS = 2000, UPDATES = 20 };
    struct client *c = tls_open(.port = server.port, .version = TLS1_3_VERSION);
    struct str records = records_of(c, OCTETS, UPDATES);
    while (records.n && client_is_held(tls_of(c)->raw)) {
        records = send_some(tls_of(c)->raw, records);
        cr_assert(tls_serves(server.port));
    }
    int outcome = tls_outcome(c);
    cr_expect_geq(outcome, 0, "%s", tls_text(outcome));
    assert_unharmed();
}
