/* tls_client_test.c: handshakes of a client: servers that are not who they should be, that speak something else, or
 * nothing at all; then those that are good. */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/tls_core.h"
#include "tls_server.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define LONG 60000 /* milliseconds */

TestSuite(tls_client, .init = tls_server_setup, .fini = tls_server_teardown);

static const char *why;

/* ---- contexts ---- */

static void put_text(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

Test(tls_client, authorities_that_are_none)
{
    static const struct {
        const char *file;
        int error;
        const char *why;
    } table[] = {
        {"none.pem", -ENOENT, "No such file or directory"},
        {"empty", -EINVAL, "no certificate or crl found"},
        {"text", -EINVAL, "no certificate or crl found"},
        {"broken", -EINVAL, NULL},
        {".", -EINVAL, NULL},
    };
    put_text("empty", "");
    put_text("text", "Nothing of the kind.\n");
    put_text("broken", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    for (size_t i = 0; i < COUNT(table); i++) {
        struct tls_client_context *context = NULL;
        struct tls_client_settings settings = {.ca = table[i].file};
        int error = tls_client_context_new(&context, &settings, &why);
        cr_expect_eq(error, table[i].error, "%s: %d", table[i].file, error);
        cr_expect(why && (!table[i].why || strcmp(why, table[i].why) == 0), "%s: %s", table[i].file, why);
        cr_expect_null(context);
        cr_expect_eq(ERR_peek_error(), 0, "%s: an error is left", table[i].file);
    }
    unlink("empty");
    unlink("text");
    unlink("broken");
}

/* What is agreed on is sealed by us afterwards. */
Test(tls_client, ciphers_that_we_speak)
{
    struct tls_stream *t = calloc(1, sizeof *t);
    cr_assert_eq(tls_bio_attach(t, *(SSL_CTX **)tls_server_trust(false)), 0);
    const STACK_OF(SSL_CIPHER) *ciphers = SSL_get_ciphers(t->ssl);
    cr_expect_eq(sk_SSL_CIPHER_num(ciphers), 3 + 9);
    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(ciphers, i);
        cr_expect_not_null(tls_suite_find(SSL_CIPHER_get_protocol_id(cipher)), "%s", SSL_CIPHER_get_name(cipher));
    }
    tls_handshake_end(t);
    free(t);
}

/* ---- terms ---- */

GreenTest(tls_client, terms_that_are_none)
{
    static char long_name[257], long_list[256];
    memset(long_name, 'a', sizeof long_name);
    memset(long_list, 'b', sizeof long_list);
    const struct tls_client_terms table[] = {
        {.name = STR("")},
        {.name = STR(".")},
        {.name = STR("site.test\0")},
        {.name = STR("\0site.test")},
        {.name = {long_name, sizeof long_name}},
        {.name = STR("site.test"), .protocols = STR(",")},
        {.name = STR("site.test"), .protocols = STR(",h2")},
        {.name = STR("site.test"), .protocols = STR("h2,,http/1.1")},
        {.name = STR("site.test"), .protocols = {long_list, sizeof long_list}},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct tls_server server = {.certificate = "good"};
        struct stream *s = tls_server_start(&server);
        cr_expect_eq(tls_client_handshake(s, tls_server_trust(false), &table[i], NSEC_NEVER, &why), -EINVAL, "%zu", i);
        cr_expect_str_eq(why, "Invalid argument");
        cr_expect_eq(ERR_peek_error(), 0, "%zu", i);
        tls_server_end();
        cr_expect(!server.accepted);
    }
}

/* ---- servers that are not who they should be ---- */

struct imposter {
    const char *certificate, *name, *why;
    const char *told; /* to the server */
};

static const struct imposter imposters[] = {
    {"expired", "site.test", "certificate has expired", "sslv3 alert certificate expired"},
    {"self", "site.test", "self-signed certificate", "tlsv1 alert unknown ca"},
    {"foreign", "site.test", "unable to get local issuer certificate", "tlsv1 alert unknown ca"},
    {"client", "site.test", "unsuitable certificate purpose", "sslv3 alert unsupported certificate"},
    {"good", "other.test", "hostname mismatch", "sslv3 alert bad certificate"},
    {"good", "site.test.other", "hostname mismatch", "sslv3 alert bad certificate"},
    {"good", "a.site.test", "hostname mismatch", "sslv3 alert bad certificate"},
    {"good", "wild.test", "hostname mismatch", "sslv3 alert bad certificate"},
    {"good", "a.b.wild.test", "hostname mismatch", "sslv3 alert bad certificate"},
    {"good", "foo.part.test", "hostname mismatch", "sslv3 alert bad certificate"},
    {"good", "192.0.2.2", "IP address mismatch", "sslv3 alert bad certificate"},
    {"good", "2001:db8::2", "IP address mismatch", "sslv3 alert bad certificate"},
    {"nameless", "192.0.2.1", "IP address mismatch", "sslv3 alert bad certificate"},
};

GreenTest(tls_client, imposters)
{
    static const int versions[] = {TLS1_3_VERSION, TLS1_2_VERSION};
    for (size_t i = 0; i < COUNT(imposters) * COUNT(versions); i++) {
        const struct imposter *imposter = &imposters[i / COUNT(versions)];
        struct tls_server server = {.certificate = imposter->certificate, .version = versions[i % COUNT(versions)]};
        struct stream *s = tls_server_start(&server);
        int error = tls_server_shake(imposter->name, run_in(LONG), &why);
        cr_expect_eq(error, -EKEYREJECTED, "%s as %s: %d", imposter->certificate, imposter->name, error);
        cr_expect(why && strcmp(why, imposter->why) == 0, "%s as %s: %s", imposter->certificate, imposter->name, why);
        cr_expect_eq(ERR_peek_error(), 0);
        cr_expect_null(tls_peer_of(s));
        char byte;
        cr_expect_eq(stream_read(s, &byte, 1, NSEC_NEVER), -ECONNABORTED);
        tls_server_end();
        cr_expect(!server.accepted, "%s", imposter->certificate);
        cr_expect_str_eq(server.error, imposter->told, "%s as %s: %s", imposter->certificate, imposter->name,
                         server.error);
    }
}

/* ---- servers that speak something else ---- */

static void speak_http(int fd)
{
    char byte;
    (void)!read(fd, &byte, 1);
    (void)!write(fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
    while (read(fd, &byte, 1) > 0)
        ;
}

static void speak_nonsense(int fd)
{
    char byte;
    (void)!write(fd, "\x16\3\3\0\5nonsense", 13);
    while (read(fd, &byte, 1) > 0)
        ;
}

static void leave(int fd)
{
    char byte;
    (void)!read(fd, &byte, 1);
}

static void leave_at_once(int fd)
{
    shutdown(fd, SHUT_RDWR);
}

GreenTest(tls_client, servers_that_speak_something_else)
{
    static const struct {
        const char *what;
        struct tls_server server;
        int error;
        const char *why; /* NULL: any */
    } table[] = {
        {"plain HTTP", {.instead = speak_http}, -EPROTO, "the server does not speak TLS"},
        {"nonsense", {.instead = speak_nonsense}, -EPROTO, NULL},
        {"goes away", {.instead = leave}, -ECONNRESET, "the server has left"},
        {"is gone", {.instead = leave_at_once}, -ECONNRESET, "the server has left"},
        {"TLS 1.1", {.certificate = "good", .version = TLS1_1_VERSION}, -EPROTO, "tlsv1 alert protocol version"},
        {"CBC",
         {.certificate = "good", .version = TLS1_2_VERSION, .cipher = "ECDHE-ECDSA-AES128-SHA"},
         -EPROTO,
         "sslv3 alert handshake failure"},
        {"CCM",
         {.certificate = "good", .version = TLS1_3_VERSION, .cipher = "TLS_AES_128_CCM_SHA256"},
         -EPROTO,
         "sslv3 alert handshake failure"},
        {"no ECDHE",
         {.certificate = "rsa", .version = TLS1_2_VERSION, .cipher = "AES128-GCM-SHA256"},
         -EPROTO,
         "sslv3 alert handshake failure"},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct tls_server server = table[i].server;
        tls_server_start(&server);
        if (server.instead == leave_at_once)
            cr_assert_eq(green_sleep(20 * NSEC_MS), 0);
        int error = tls_server_shake("site.test", run_in(LONG), &why);
        cr_expect_eq(error, table[i].error, "%s: %d", table[i].what, error);
        cr_expect(why && (!table[i].why || strcmp(why, table[i].why) == 0), "%s: %s", table[i].what, why);
        cr_expect_eq(ERR_peek_error(), 0);
        tls_server_end();
        cr_expect(!server.accepted, "%s", table[i].what);
    }
}

GreenTest(tls_client, a_protocol_that_the_server_refuses)
{
    struct tls_server server = {.certificate = "good", .protocols = "\x02h2"};
    struct tls_client_terms terms = {.name = STR("site.test"), .protocols = STR("http/1.1")};
    struct stream *s = tls_server_start(&server);
    cr_expect_eq(tls_client_handshake(s, tls_server_trust(false), &terms, run_in(LONG), &why), -EPROTO);
    cr_expect_str_eq(why, "tlsv1 alert no application protocol");
    tls_server_end();
}

/* ---- servers that stall ---- */

static void read_only(int fd)
{
    char bytes[4096];
    while (read(fd, bytes, sizeof bytes) > 0)
        ;
}

/* The head of a record that never ends. */
static void begin_to_speak(int fd)
{
    (void)!write(fd, "\x16\3\3\0\x7a\2\0\0\x76\3\3", 11);
    read_only(fd);
}

static int shake(void *server)
{
    (void)server;
    return tls_server_shake("site.test", NSEC_NEVER, &why);
}

GreenTest(tls_client, servers_that_stall)
{
    void (*const stalls[])(int) = {read_only, begin_to_speak};
    for (size_t i = 0; i < COUNT(stalls); i++) {
        struct tls_server server = {.instead = stalls[i]};
        tls_server_start(&server);
        cr_expect_eq(tls_server_shake("site.test", run_in(20), &why), -ETIMEDOUT);
        cr_expect_str_eq(why, "Connection timed out");
        tls_server_end();
        tls_server_start(&server);
        struct green *thread = run_spawn(shake, &server);
        cr_assert_eq(green_sleep(5 * NSEC_MS), 0);
        green_cancel(thread);
        cr_expect_eq(run_join(thread), -ECANCELED);
        tls_server_end();
    }
}

/* Not even our first word finds room. */
GreenTest(tls_client, a_server_that_takes_nothing)
{
    static const char filling[4096];
    struct tls_client_terms terms = {.name = STR("site.test")};
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    while (send(ends[0], filling, sizeof filling, 0) > 0)
        ;
    struct stream *s = malloc(stream_tls.size);
    stream_init(s, &stream_plain, ends[0]);
    cr_expect_eq(tls_client_handshake(s, tls_server_trust(false), &terms, run_in(20), &why), -ETIMEDOUT);
    stream_close(s);
    free(s);
    close(ends[1]);
}

/* ---- servers that are good ---- */

static void expect_hello(struct stream *s, const char *what)
{
    char got[16];
    cr_expect_eq(stream_read(s, got, sizeof got, run_in(LONG)), 5, "%s", what);
    cr_expect_eq(memcmp(got, "hello", 5), 0, "%s", what);
    cr_expect_eq(stream_read(s, got, sizeof got, run_in(LONG)), 0, "%s", what);
}

static void say_hello(SSL *ssl, void *arg)
{
    (void)arg;
    SSL_write(ssl, "hello", 5);
    SSL_shutdown(ssl);
}

GreenTest(tls_client, every_cipher)
{
    static const struct {
        int version;
        const char *certificate, *cipher, *name;
    } table[] = {
        {TLS1_3_VERSION, "good", "TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"},
        {TLS1_3_VERSION, "good", "TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384"},
        {TLS1_3_VERSION, "rsa", "TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256"},
        {TLS1_2_VERSION, "good", "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"},
        {TLS1_2_VERSION, "good", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384"},
        {TLS1_2_VERSION, "good", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-CHACHA20-POLY1305"},
        {TLS1_2_VERSION, "rsa", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"},
        {TLS1_2_VERSION, "rsa", "DHE-RSA-AES256-GCM-SHA384", "DHE-RSA-AES256-GCM-SHA384"},
        {0, "good", NULL, "TLS_AES_256_GCM_SHA384"},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct tls_server server = {.certificate = table[i].certificate,
                                    .version = table[i].version,
                                    .cipher = table[i].cipher,
                                    .serve = say_hello};
        struct stream *s = tls_server_start(&server);
        int error = tls_server_shake("site.test", run_in(LONG), &why);
        cr_assert_eq(error, 0, "%s: %d: %s", table[i].name, error, why);
        const struct tls_peer *peer = tls_peer_of(s);
        cr_assert_not_null(peer);
        cr_expect_str_eq(peer->cipher, table[i].name);
        cr_expect_str_eq(peer->version, table[i].version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3");
        cr_expect_null(peer->endpoint);
        expect_hello(s, table[i].name);
        tls_server_end();
        cr_expect(server.accepted);
    }
}

/* What is in the certificate, and what the server is asked for. */
GreenTest(tls_client, names)
{
    static const struct {
        const char *certificate, *name, *asked;
    } table[] = {
        {"good", "site.test", "site.test"},
        {"good", "SITE.test", "SITE.test"},
        {"good", "site.test.", "site.test"},
        {"good", "a.wild.test", "a.wild.test"},
        {"good", "192.0.2.1", ""},
        {"good", "2001:db8::1", ""},
        {"good", "2001:DB8:0:0:0:0:0:1", ""},
        {"nameless", "site.test", "site.test"},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct tls_server server = {.certificate = table[i].certificate, .serve = say_hello};
        struct stream *s = tls_server_start(&server);
        int error = tls_server_shake(table[i].name, run_in(LONG), &why);
        cr_assert_eq(error, 0, "%s: %d: %s", table[i].name, error, why);
        cr_expect(str_eq(tls_peer_of(s)->name, (struct str){table[i].name, strlen(table[i].name) - (i == 2)}));
        expect_hello(s, table[i].name);
        tls_server_end();
        cr_expect_str_eq(server.name, table[i].asked);
    }
}

GreenTest(tls_client, whoever_it_is)
{
    static const char *const certificates[] = {"expired", "self", "foreign", "client", "good"};
    static const struct str names[] = {STR_INIT(""), STR_INIT("other.test"), STR_INIT("192.0.2.2")};
    for (size_t i = 0; i < COUNT(certificates) * COUNT(names); i++) {
        struct tls_server server = {.certificate = certificates[i % COUNT(certificates)], .serve = say_hello};
        struct tls_client_terms terms = {.name = names[i / COUNT(certificates)]};
        struct stream *s = tls_server_start(&server);
        int error = tls_client_handshake(s, tls_server_trust(true), &terms, run_in(LONG), &why);
        cr_assert_eq(error, 0, "%s: %d: %s", server.certificate, error, why);
        expect_hello(s, server.certificate);
        tls_server_end();
    }
}

/* Even then an error is told as what it is. */
GreenTest(tls_client, whoever_it_is_who_speaks_something_else)
{
    struct tls_server server = {.certificate = "self", .protocols = "\x02h2"};
    struct tls_client_terms terms = {.protocols = STR("http/1.1")};
    struct stream *s = tls_server_start(&server);
    cr_expect_eq(tls_client_handshake(s, tls_server_trust(true), &terms, run_in(LONG), &why), -EPROTO);
    cr_expect_str_eq(why, "tlsv1 alert no application protocol");
    tls_server_end();
}

GreenTest(tls_client, protocols)
{
    static const struct {
        struct str offered;
        const char *spoken;
        struct str chosen;
    } table[] = {
        {STR_INIT(""), NULL, STR_INIT("")},
        {STR_INIT(""), "\x02h2", STR_INIT("")},
        {STR_INIT("h2"), NULL, STR_INIT("")},
        {STR_INIT("h2"), "\x02h2", STR_INIT("h2")},
        {STR_INIT("h2,http/1.1"), "\x08http/1.1", STR_INIT("http/1.1")},
        {STR_INIT("h2,http/1.1"), "\x08http/1.1\x02h2", STR_INIT("http/1.1")},
        {STR_INIT("h2,http/1.1"), "\x02h2\x08http/1.1", STR_INIT("h2")},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct tls_server server = {.certificate = "good", .protocols = table[i].spoken, .serve = say_hello};
        struct tls_client_terms terms = {.name = STR("site.test"), .protocols = table[i].offered};
        struct stream *s = tls_server_start(&server);
        cr_assert_eq(tls_client_handshake(s, tls_server_trust(false), &terms, run_in(LONG), &why), 0, "%zu", i);
        cr_expect(str_eq(tls_protocol(s), table[i].chosen), "%zu: " STR_FMT, i, STR_ARG(tls_protocol(s)));
        expect_hello(s, "hello");
        tls_server_end();
    }
}

/* The system's own trust nobody here. */
GreenTest(tls_client, authorities_of_the_system)
{
    struct tls_client_context *context;
    struct tls_client_settings settings = {.ca = NULL};
    struct tls_server server = {.certificate = "good"};
    struct tls_client_terms terms = {.name = STR("site.test")};
    cr_assert_eq(tls_client_context_new(&context, &settings, &why), 0);
    struct stream *s = tls_server_start(&server);
    cr_expect_eq(tls_client_handshake(s, context, &terms, run_in(LONG), &why), -EKEYREJECTED);
    cr_expect_str_eq(why, "unable to get local issuer certificate");
    tls_server_end();
    tls_client_context_free(context);
}
