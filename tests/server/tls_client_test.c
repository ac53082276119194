/* Certificates of clients: who is let in, who is told what, whom the log names, and that no other site opens a door. */
#include "harness.h"
#include "harness_file.h"
#include "tls_service.h"

#include <criterion/criterion.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* clang-format off */
/* PORT demands a certificate, PORT1 would like one, PORT2 does not ask, and PORT3 is where sites decide. */
#define CA ", client_ca: @DIR@/pki/root.pem"
#define CONFIG                                                                                                         \
    "workers: 1\n"                                                                                                     \
    "listen:\n"                                                                                                        \
    "  - " TLS_PORT("@PORT@", TLS_PAIR("ecdsa") CA) "\n"                                                               \
    "  - " TLS_PORT("@PORT1@", TLS_PAIR("ecdsa") CA ", client_verify: optional") "\n"                                  \
    "  - " TLS_PORT("@PORT2@", TLS_PAIR("ecdsa") CA ", client_verify: off") "\n"                                       \
    "  - " TLS_PORT("@PORT3@", TLS_PAIR("ecdsa")) "\n"                                                                 \
    "sites:\n"                                                                                                         \
    "  - {hosts: [open.test], tls: {" TLS_PAIR("site") "}, " TLS_ROUTES "}\n"                                          \
    "  - {hosts: [secret.test], tls: {" TLS_PAIR("wild") CA "}, " TLS_ROUTES "}\n"                                     \
    "  - {hosts: [plain.test], " TLS_ROUTES "}\n"                                                                      \
    "  - {" TLS_ROUTES "}\n"
#define LOG                                                                                                            \
    "log:\n"                                                                                                           \
    "  access:\n"                                                                                                      \
    "    path: @DIR@/access.log\n"                                                                                     \
    "    flush: 100ms\n"                                                                                               \
    "    format: '%{SSL_PROTOCOL}x|%{SSL_CIPHER}x|%{SSL_CLIENT_S_DN}x|%{SSL_TLS_SNI}x|%>s'\n"
/* clang-format on */

static struct server server;

static void begin(void)
{
    harness_begin();
    server = tls_serve(CONFIG);
}

TestSuite(tls_client, .init = begin, .fini = harness_end);

struct visitor {
    const char *what, *certificate;
    int port;                /* which of ours */
    const char *name;        /* SNI */
    int outcome_12, outcome; /* by TLS 1.2, and by 1.3 */
};

static void assert_visitor(const struct visitor *v, int version, int expected)
{
    int outcome = tls_try(.port = harness_port((unsigned)v->port), .version = version, .name = v->name,
                          .certificate = v->certificate);
    cr_expect_eq(outcome, expected, "%s, %s: %s, not %s", v->what, version == TLS1_2_VERSION ? "1.2" : "1.3",
                 tls_text(outcome), tls_text(expected));
}

static void assert_visitors(const struct visitor *visitors, size_t count)
{
    pid_t worker = tls_worker(&server);
    for (size_t i = 0; i < count; i++) {
        assert_visitor(&visitors[i], TLS1_2_VERSION, visitors[i].outcome_12);
        assert_visitor(&visitors[i], TLS1_3_VERSION, visitors[i].outcome);
    }
    cr_assert_eq(tls_worker(&server), worker, "the worker has died");
    assert_stop(&server, 0);
}

/* ---- who is let in ---- */

Test(tls_client, visitors_who_are_turned_away)
{
    enum {
        MISSING_12 = SSL_AD_HANDSHAKE_FAILURE,
        MISSING = SSL_AD_CERTIFICATE_REQUIRED,
        STRANGER = SSL_AD_UNKNOWN_CA,
        OVER = SSL_AD_CERTIFICATE_EXPIRED,
        UNFIT = SSL_AD_UNSUPPORTED_CERTIFICATE
    };
    static const struct visitor visitors[] = {
        {"none", NULL, 0, NULL, MISSING_12, MISSING},
        {"none, and a name", NULL, 0, "unknown.test", MISSING_12, MISSING},
        {"none, and a site that has no say in it", NULL, 0, "plain.test", MISSING_12, MISSING},
        {"of another authority", "other", 0, NULL, STRANGER, STRANGER},
        {"signed by itself", "self", 0, NULL, STRANGER, STRANGER},
        {"expired", "expired", 0, NULL, OVER, OVER},
        {"a server's", "ecdsa", 0, NULL, UNFIT, UNFIT},
        {"optional, but of another authority", "other", 1, NULL, STRANGER, STRANGER},
        {"optional, but expired", "expired", 1, NULL, OVER, OVER},
        {"none at a site that demands one", NULL, 3, "secret.test", MISSING_12, MISSING},
        {"another's at a site that demands one", "other", 3, "secret.test", STRANGER, STRANGER},
        {"none at such a site on another port", NULL, 2, "secret.test", MISSING_12, MISSING},
    };
    assert_visitors(visitors, COUNT(visitors));
}

Test(tls_client, visitors_who_are_welcome)
{
    static const struct visitor visitors[] = {
        {"of the authority", "client", 0, NULL, TLS_FINE, TLS_FINE},
        {"optional, and none", NULL, 1, NULL, TLS_FINE, TLS_FINE},
        {"optional, of the authority", "client", 1, NULL, TLS_FINE, TLS_FINE},
        {"off, and none", NULL, 2, NULL, TLS_FINE, TLS_FINE},
        {"off, and of another authority", "other", 2, NULL, TLS_FINE, TLS_FINE},
        {"at a site that demands one", "client", 3, "secret.test", TLS_FINE, TLS_FINE},
        {"none at one that does not", NULL, 3, "open.test", TLS_FINE, TLS_FINE},
        {"none at none", NULL, 3, NULL, TLS_FINE, TLS_FINE},
    };
    assert_visitors(visitors, COUNT(visitors));
}

/* The list of authorities helps a client to choose (RFC 8446, 4.2.4; RFC 5246, 7.4.4). */
Test(tls_client, the_authorities_are_named)
{
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct client *c = tls_open(.port = server.port, .version = version, .certificate = "client");
        const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(tls_of(c)->ssl);
        cr_assert_eq(sk_X509_NAME_num(names), 1);
        char *name = X509_NAME_oneline(sk_X509_NAME_value(names, 0), NULL, 0);
        cr_expect_str_eq(name, "/CN=Tern test root");
        OPENSSL_free(name);
        client_close(c);
    }
}

/* ---- the log ---- */

static void start_with_log(void)
{
    assert_stop(&server, 0);
    server = tls_serve(LOG CONFIG);
}

static const char *logged(void)
{
    cr_assert(until(file_read("access.log").n > 0), "nothing is logged");
    struct str log = file_read("access.log"), line = str_cut(&log, '\n');
    cr_assert_eq(log.n, 0, "more than one line: %s", file_read("access.log").p);
    file_write("access.log", STR(""));
    return harness_text(STR_FMT, STR_ARG(line));
}

Test(tls_client, the_log_tells_of_the_connection)
{
    static const struct {
        struct tls_setup setup;
        const char *line;
    } table[] = {
        {{.port = 0, .certificate = "client", .version = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"},
         "TLSv1.2|ECDHE-ECDSA-AES128-GCM-SHA256|CN=Alice,O=Tern|-|200"},
        {{.port = 0, .certificate = "client", .version = TLS1_3_VERSION, .suites = "TLS_CHACHA20_POLY1305_SHA256"},
         "TLSv1.3|TLS_CHACHA20_POLY1305_SHA256|CN=Alice,O=Tern|-|200"},
        {{.port = 1, .name = "unknown.test", .suites = "TLS_AES_128_GCM_SHA256"},
         "TLSv1.3|TLS_AES_128_GCM_SHA256|-|unknown.test|200"},
        {{.port = 2, .certificate = "other", .suites = "TLS_AES_128_GCM_SHA256"},
         "TLSv1.3|TLS_AES_128_GCM_SHA256|-|-|200"},
        {{.port = 3, .certificate = "client", .name = "secret.test", .suites = "TLS_AES_256_GCM_SHA384"},
         "TLSv1.3|TLS_AES_256_GCM_SHA384|CN=Alice,O=Tern|secret.test|200"},
    };
    start_with_log();
    for (size_t i = 0; i < COUNT(table); i++) {
        struct tls_setup setup = table[i].setup;
        setup.port = harness_port((unsigned)setup.port);
        struct client *c = tls_open_as(&setup);
        const char *host = setup.name ? setup.name : "localhost";
        assert_hello(ask(c, "GET /hello HTTP/1.1\r\nHost: %s\r\n\r\n", host));
        client_close(c);
        cr_expect_str_eq(logged(), table[i].line);
    }
}

/* A resumed session is still that of the client who made it. */
Test(tls_client, the_log_names_the_client_of_a_resumed_session)
{
    start_with_log();
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct client *c = tls_open(.port = server.port, .version = version, .certificate = "client");
        SSL_SESSION *session = tls_session(c);
        cr_assert_not_null(session);
        client_close(c);
        logged();
        c = tls_open(.port = server.port, .version = version, .session = session);
        cr_expect(tls_resumed(c));
        assert_hello(get(c, "/hello"));
        client_close(c);
        const char *line = logged();
        cr_expect(strstr(line, "|CN=Alice,O=Tern|"), "%s", line);
    }
}

/* ---- one site's door is not another's ---- */

struct door {
    const char *name, *certificate; /* of the handshake */
    const char *request;            /* line and Host */
    int status;
};

/* RFC 9110, 7.4 and 15.5.20. */
Test(tls_client, a_request_for_a_site_that_would_have_asked_for_more)
{
    static const struct door doors[] = {
        {"open.test", NULL, "GET /hello HTTP/1.1\r\nHost: secret.test", 421},
        {"open.test", NULL, "GET /hello HTTP/1.1\r\nHost: SECRET.test:443", 421},
        {"open.test", NULL, "GET /no/such/file HTTP/1.1\r\nHost: secret.test", 421},
        {"open.test", NULL, "GET https://secret.test/hello HTTP/1.1\r\nHost: secret.test", 421},
        {"open.test", NULL, "GET https://secret.test/hello HTTP/1.1\r\nHost: open.test", 421},
        {"open.test", NULL, "GET /hello HTTP/1.0\r\nHost: secret.test", 421},
        {"open.test", "client", "GET /hello HTTP/1.1\r\nHost: secret.test", 421},
        {"plain.test", NULL, "GET /hello HTTP/1.1\r\nHost: secret.test", 421},
        {"unknown.test", NULL, "GET /hello HTTP/1.1\r\nHost: secret.test", 421},
        {NULL, NULL, "GET /hello HTTP/1.1\r\nHost: secret.test", 421},
        {NULL, NULL, "GET /hello HTTP/1.1\r\nHost: open.test", 200},
        {"open.test", NULL, "GET /hello HTTP/1.1\r\nHost: open.test", 200},
        {"open.test", NULL, "GET /hello HTTP/1.1\r\nHost: plain.test", 200},
        {"secret.test", "client", "GET /hello HTTP/1.1\r\nHost: secret.test", 200},
        {"secret.test", "client", "GET /hello HTTP/1.1\r\nHost: open.test", 200},
    };
    int port = harness_port(3);
    for (size_t i = 0; i < COUNT(doors); i++) {
        const struct door *door = &doors[i];
        struct client *c = tls_open(.port = port, .name = door->name, .certificate = door->certificate);
        struct response r = ask(c, "%s\r\n\r\n", door->request);
        cr_expect_eq(r.status, door->status, "%s, %s: %d", door->name, door->request, r.status);
        client_close(c);
    }
    assert_stop(&server, 0);
}

/* A session that was made without a certificate is no ticket to where one is demanded: neither at another port, nor at
 * another site. */
Test(tls_client, a_session_opens_no_other_door)
{
    static const struct {
        int from, to;
        const char *from_name, *to_name;
    } table[] = {
        {2, 0, NULL, NULL},
        {1, 0, NULL, NULL},
        {1, 0, "unknown.test", "unknown.test"},
        {3, 3, NULL, "secret.test"},
        {3, 3, "open.test", "secret.test"},
        {2, 2, "open.test", "secret.test"},
        {2, 3, NULL, "secret.test"},
    };
    for (size_t i = 0; i < COUNT(table); i++)
        for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
            struct client *c =
                tls_open(.port = harness_port((unsigned)table[i].from), .name = table[i].from_name, .version = version);
            SSL_SESSION *session = tls_session(c);
            cr_assert_not_null(session);
            int outcome = tls_try(.port = harness_port((unsigned)table[i].to), .name = table[i].to_name,
                                  .version = version, .session = session);
            cr_expect(outcome == SSL_AD_HANDSHAKE_FAILURE || outcome == SSL_AD_CERTIFICATE_REQUIRED, "row %zu, %x: %s",
                      i, (unsigned)version, tls_text(outcome));
            client_close(c);
        }
    assert_stop(&server, 0);
}

/* ---- a second ClientHello ---- */

/* What a client says by its second hello, and how many it has sent. */
struct change_of_mind {
    const char *name;
    int hellos;
};

static void on_message(int sent, int version, int type, const void *bytes, size_t n, SSL *ssl, void *arg)
{
    struct change_of_mind *change = arg;
    (void)version;
    if (type != SSL3_RT_HANDSHAKE || n == 0)
        return;
    int kind = *(const unsigned char *)bytes;
    change->hellos += sent && kind == SSL3_MT_CLIENT_HELLO;
    if (!sent && kind == SSL3_MT_SERVER_HELLO && change->hellos == 1)
        SSL_set_tlsext_host_name(ssl, change->name);
}

/* The status of a request after a handshake in which the name was changed; 0: there is no such answer. */
static int status_of_two(int port, const char *first, const char *second, const char *host)
{
    struct change_of_mind change = {.name = second};
    struct client *c = tls_start(.port = port, .version = TLS1_3_VERSION, .name = first, .groups = "P-521:X25519");
    SSL_set_msg_callback(tls_of(c)->ssl, on_message);
    SSL_set_msg_callback_arg(tls_of(c)->ssl, &change);
    int status = tls_shake(c) == TLS_FINE ? ask(c, "GET /hello HTTP/1.1\r\nHost: %s\r\n\r\n", host).status : 0;
    cr_expect_eq(change.hellos, 2, "%s, %s: the server has asked for no other key", first, second);
    client_close(c);
    return status;
}

/* A client that is asked for another key (RFC 8446, 4.1.4) may not go by the terms of the name it has dropped. */
Test(tls_client, a_second_hello_opens_no_other_door)
{
    static const struct {
        int port;
        const char *first, *second, *host;
        bool served;
    } table[] = {
        {0, "open.test", NULL, "localhost", false},
        {0, "open.test", NULL, "open.test", false},
        {0, "open.test", "plain.test", "plain.test", false},
        {0, "open.test", "unknown.test", "localhost", false},
        {3, "open.test", "secret.test", "secret.test", false},
        {3, "open.test", NULL, "secret.test", false},
        {3, NULL, "secret.test", "secret.test", false},
        {3, "secret.test", NULL, "secret.test", false},
        {3, "secret.test", "open.test", "secret.test", false},
        {0, "open.test", "open.test", "open.test", true},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        int status =
            status_of_two(harness_port((unsigned)table[i].port), table[i].first, table[i].second, table[i].host);
        cr_expect(table[i].served ? status == 200 : status == 0 || status == 421, "%s, then %s, for %s: %d",
                  table[i].first, table[i].second, table[i].host, status);
    }
    assert_stop(&server, 0);
}

/* ---- in the clear ---- */

/* Where nobody can show a certificate, nobody is let in; but who may be sent on to where it can be shown, is. */
Test(tls_client, a_site_that_demands_one_in_the_clear)
{
    static const char config[] =
        "workers: 1\n"
        "listen: [\"127.0.0.1:@PORT@\", " TLS_PORT(
            "@PORT1@", TLS_PAIR("ecdsa")) "]\n"
                                          "sites:\n"
                                          "  - {hosts: [secret.test], tls: {" TLS_PAIR("wild") CA
        "}, " TLS_ROUTES "}\n"
        "  - {hosts: [sent.test], redirect: {to: \"https://sent.test\", status: 308}, tls: {" TLS_PAIR("wild") CA
        "}, " TLS_ROUTES "}\n"
        "  - {hosts: [off.test], tls: {" TLS_PAIR("wild") CA ", client_verify: off}, " TLS_ROUTES "}\n"
                                                             "  - {" TLS_ROUTES "}\n";
    static const struct door doors[] = {
        {.name = "secret.test", .request = "GET /hello HTTP/1.1", .status = 403},
        {.name = "secret.test", .request = "GET /no/such/file HTTP/1.1", .status = 403},
        {.name = "SECRET.test:80", .request = "POST /echo HTTP/1.1\r\nContent-Length: 0", .status = 403},
        {.name = "localhost", .request = "GET http://secret.test/hello HTTP/1.1", .status = 403},
        {.name = "sent.test", .request = "GET /hello HTTP/1.1", .status = 308},
        {.name = "off.test", .request = "GET /hello HTTP/1.1", .status = 200},
        {.name = "localhost", .request = "GET /hello HTTP/1.1", .status = 200},
    };
    assert_stop(&server, 0);
    server = tls_serve(config);
    for (size_t i = 0; i < COUNT(doors); i++) {
        struct client *c = client_open(server.port);
        struct response r = ask(c, "%s\r\nHost: %s\r\n\r\n", doors[i].request, doors[i].name);
        cr_expect_eq(r.status, doors[i].status, "%s of %s: %d", doors[i].request, doors[i].name, r.status);
        client_close(c);
    }
    assert_stop(&server, 0);
}
