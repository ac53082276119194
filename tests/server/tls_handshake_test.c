/* The handshake: versions, ciphers and groups, which certificate is chosen, and ALPN; what is refused, and how. */
#include "harness.h"
#include "harness_file.h"
#include "tls_service.h"

#include <criterion/criterion.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* clang-format off */
/* PORT: both certificates, and sites with their own. PORT1: only sites have some. PORT2: RSA by TLS 1.3 alone. PORT3:
 * ECDSA by TLS 1.2 alone, and two ciphers. */
#define CONFIG                                                                                                         \
    "workers: 1\n"                                                                                                     \
    "listen:\n"                                                                                                        \
    "  - " TLS_PORT("@PORT@", TLS_BOTH) "\n"                                                                           \
    "  - " TLS_PORT("@PORT1@", "") "\n"                                                                                \
    "  - " TLS_PORT("@PORT2@", TLS_PAIR("rsa") ", protocols: [TLSv1.3]") "\n"                                          \
    "  - " TLS_PORT("@PORT3@", TLS_PAIR("ecdsa") ", protocols: [TLSv1.2], ciphers: \"" CIPHERS "\"") "\n"              \
    SITES
#define CIPHERS "ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305"
#define SITES                                                                                                          \
    "sites:\n"                                                                                                         \
    "  - {hosts: [site.test], tls: {" TLS_PAIR("site") "}, " TLS_ROUTES "}\n"                                          \
    "  - {hosts: [\"*.wild.test\"], tls: {" TLS_PAIR("wild") "}, " TLS_ROUTES "}\n"                                    \
    "  - {hosts: [plain.test], " TLS_ROUTES "}\n"                                                                      \
    "  - {" TLS_ROUTES "}\n"
/* clang-format on */

static struct server server;

static void begin(void)
{
    harness_begin();
    server = tls_serve(CONFIG);
}

TestSuite(tls_handshake, .init = begin, .fini = harness_end);

struct offer {
    const char *what;
    struct tls_setup setup; /* port: which of ours */
    int outcome;            /* TLS_FINE, or the alert */
    const char *certificate, *alpn;
};

static void assert_offer(const struct offer *offer)
{
    struct tls_setup setup = offer->setup;
    setup.port = harness_port((unsigned)setup.port);
    struct client *c = tls_start_as(&setup);
    int outcome = tls_shake(c);
    cr_expect_eq(outcome, offer->outcome, "%s: %s, not %s", offer->what, tls_text(outcome), tls_text(offer->outcome));
    if (outcome == TLS_FINE && offer->certificate)
        cr_expect_str_eq(tls_server_name(c), offer->certificate, "%s", offer->what);
    if (outcome == TLS_FINE && offer->alpn)
        cr_expect_str_eq(tls_alpn(c), offer->alpn, "%s", offer->what);
    if (outcome == TLS_FINE && (!offer->alpn || strcmp(offer->alpn, "h2") != 0))
        cr_expect_eq(get(c, "/hello").status, 200, "%s", offer->what);
    client_close(c);
}

static void assert_offers(const struct offer *offers, size_t count)
{
    pid_t worker = tls_worker(&server);
    for (size_t i = 0; i < count; i++)
        assert_offer(&offers[i]);
    cr_assert_eq(tls_worker(&server), worker, "the worker has died");
    cr_assert(tls_serves(server.port));
    assert_stop(&server, 0);
}

/* ---- versions and ciphers ---- */

/* RFC 8996 has done away with what is older than 1.2. */
Test(tls_handshake, versions_that_are_not_spoken)
{
    static const struct offer offers[] = {
        {"TLS 1.0", {.version = TLS1_VERSION}, SSL_AD_PROTOCOL_VERSION, NULL, NULL},
        {"TLS 1.1", {.version = TLS1_1_VERSION}, SSL_AD_PROTOCOL_VERSION, NULL, NULL},
        {"1.2 where it is off", {.port = 2, .version = TLS1_2_VERSION}, SSL_AD_PROTOCOL_VERSION, NULL, NULL},
        {"1.3 where it is off", {.port = 3, .version = TLS1_3_VERSION}, SSL_AD_PROTOCOL_VERSION, NULL, NULL},
        {"1.3 or 1.2 where 1.2 is off", {.port = 2}, TLS_FINE, "rsa", NULL},
        {"1.3 or 1.2 where 1.3 is off", {.port = 3}, TLS_FINE, "ecdsa", NULL},
    };
    assert_offers(offers, COUNT(offers));
}

#define OLD(name)                                                                                                      \
    {                                                                                                                  \
        name, {.version = TLS1_2_VERSION, .ciphers = name ":@SECLEVEL=0"}, SSL_AD_HANDSHAKE_FAILURE, NULL, NULL        \
    }
#define GOOD(name, certificate)                                                                                        \
    {                                                                                                                  \
        name, {.version = TLS1_2_VERSION, .ciphers = name}, TLS_FINE, certificate, NULL                                \
    }

/* What Mozilla's intermediate profile leaves out: no forward secrecy, CBC, no authentication, no encryption. */
Test(tls_handshake, ciphers_that_are_not_spoken)
{
    static const struct offer offers[] = {
        OLD("AES128-SHA"),
        OLD("AES128-GCM-SHA256"),
        OLD("AES256-GCM-SHA384"),
        OLD("AES256-SHA256"),
        OLD("CAMELLIA128-SHA"),
        OLD("ARIA128-GCM-SHA256"),
        OLD("AES128-CCM"),
        OLD("NULL-SHA256"),
        OLD("ECDHE-RSA-NULL-SHA"),
        OLD("ECDHE-ECDSA-NULL-SHA"),
        OLD("AECDH-AES128-SHA"),
        OLD("ADH-AES128-GCM-SHA256"),
        OLD("ECDHE-RSA-AES128-SHA"),
        OLD("ECDHE-RSA-AES256-SHA"),
        OLD("ECDHE-RSA-AES128-SHA256"),
        OLD("ECDHE-RSA-AES256-SHA384"),
        OLD("ECDHE-ECDSA-AES128-SHA"),
        OLD("ECDHE-ECDSA-AES256-SHA384"),
        OLD("ECDHE-ECDSA-AES128-CCM8"),
        OLD("ECDHE-RSA-CAMELLIA128-SHA256"),
        OLD("ECDHE-ARIA128-GCM-SHA256"),
        OLD("DHE-RSA-AES128-SHA"),
        OLD("DHE-RSA-AES256-SHA256"),
    };
    assert_offers(offers, COUNT(offers));
}

Test(tls_handshake, ciphers_that_are_spoken)
{
    static const struct offer offers[] = {
        GOOD("ECDHE-ECDSA-AES128-GCM-SHA256", "ecdsa"),
        GOOD("ECDHE-ECDSA-AES256-GCM-SHA384", "ecdsa"),
        GOOD("ECDHE-ECDSA-CHACHA20-POLY1305", "ecdsa"),
        GOOD("ECDHE-RSA-AES128-GCM-SHA256", "rsa"),
        GOOD("ECDHE-RSA-AES256-GCM-SHA384", "rsa"),
        GOOD("ECDHE-RSA-CHACHA20-POLY1305", "rsa"),
        {"TLS_AES_128_GCM_SHA256",
         {.suites = "TLS_AES_128_GCM_SHA256", .version = TLS1_3_VERSION},
         TLS_FINE,
         NULL,
         NULL},
        {"TLS_AES_256_GCM_SHA384",
         {.suites = "TLS_AES_256_GCM_SHA384", .version = TLS1_3_VERSION},
         TLS_FINE,
         NULL,
         NULL},
        {"CHACHA20", {.suites = "TLS_CHACHA20_POLY1305_SHA256", .version = TLS1_3_VERSION}, TLS_FINE, NULL, NULL},
        {"TLS_AES_128_CCM_SHA256",
         {.suites = "TLS_AES_128_CCM_SHA256", .version = TLS1_3_VERSION},
         SSL_AD_HANDSHAKE_FAILURE,
         NULL,
         NULL},
    };
    assert_offers(offers, COUNT(offers));
}

Test(tls_handshake, ciphers_of_the_configuration)
{
    static const struct offer offers[] = {
        {"a usual one", {.port = 3, .ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"}, SSL_AD_HANDSHAKE_FAILURE, NULL, NULL},
        {"the first", {.port = 3, .ciphers = "ECDHE-ECDSA-AES256-SHA384"}, TLS_FINE, "ecdsa", NULL},
        {"the second", {.port = 3, .ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305"}, TLS_FINE, "ecdsa", NULL},
    };
    assert_offers(offers, COUNT(offers));
}

/* (Without ECDHE ciphers there would be no group to agree on.) */
#define GROUP(name, tls, alert)                                                                                        \
    {                                                                                                                  \
        name, {.groups = name, .ciphers = "ECDHE", .version = (tls)}, alert, NULL, NULL                                \
    }

Test(tls_handshake, groups)
{
    static const struct offer offers[] = {
        GROUP("P-224", TLS1_2_VERSION, SSL_AD_HANDSHAKE_FAILURE),
        GROUP("secp256k1", TLS1_2_VERSION, SSL_AD_HANDSHAKE_FAILURE),
        GROUP("brainpoolP256r1", TLS1_2_VERSION, SSL_AD_HANDSHAKE_FAILURE),
        GROUP("X25519", TLS1_3_VERSION, TLS_FINE),
        GROUP("P-256", TLS1_3_VERSION, TLS_FINE),
        GROUP("P-384", TLS1_3_VERSION, TLS_FINE),
        /* The server asks for another key share (RFC 8446, 4.1.4). */
        GROUP("P-521:X25519", TLS1_3_VERSION, TLS_FINE),
        GROUP("X25519", TLS1_2_VERSION, TLS_FINE),
        GROUP("P-256", TLS1_2_VERSION, TLS_FINE),
        GROUP("P-384", TLS1_2_VERSION, TLS_FINE),
    };
    assert_offers(offers, COUNT(offers));
}

/* ---- which certificate ---- */

Test(tls_handshake, the_certificate_suits_the_client)
{
    static const struct offer offers[] = {
        {"neither", {.sigalgs = "ed25519"}, SSL_AD_HANDSHAKE_FAILURE, NULL, NULL},
        {"neither, 1.2", {.sigalgs = "ed25519", .version = TLS1_2_VERSION}, SSL_AD_HANDSHAKE_FAILURE, NULL, NULL},
        {"both", {.version = TLS1_3_VERSION}, TLS_FINE, "ecdsa", NULL},
        {"both, 1.2", {.version = TLS1_2_VERSION}, TLS_FINE, "ecdsa", NULL},
        {"ECDSA", {.sigalgs = "ECDSA+SHA256"}, TLS_FINE, "ecdsa", NULL},
        {"RSA", {.sigalgs = "RSA-PSS+SHA256:RSA+SHA256"}, TLS_FINE, "rsa", NULL},
        {"RSA, 1.2", {.sigalgs = "RSA+SHA256", .version = TLS1_2_VERSION}, TLS_FINE, "rsa", NULL},
        {"RSA where there is ECDSA alone", {.port = 3, .sigalgs = "RSA+SHA256"}, SSL_AD_HANDSHAKE_FAILURE, NULL, NULL},
        {"ECDSA where there is RSA alone",
         {.port = 2, .sigalgs = "ECDSA+SHA256"},
         SSL_AD_HANDSHAKE_FAILURE,
         NULL,
         NULL},
    };
    assert_offers(offers, COUNT(offers));
}

/* RFC 6066, 3. A name without a site of its own gets what the port has; where that is nothing, an alert. */
Test(tls_handshake, the_certificate_is_that_of_the_name)
{
    static const struct offer offers[] = {
        {"unknown, no certificate", {.port = 1, .name = "unknown.test"}, SSL_AD_UNRECOGNIZED_NAME, NULL, NULL},
        {"unknown, 1.2",
         {.port = 1, .name = "unknown.test", .version = TLS1_2_VERSION},
         SSL_AD_UNRECOGNIZED_NAME,
         NULL,
         NULL},
        {"none, no certificate", {.port = 1}, SSL_AD_UNRECOGNIZED_NAME, NULL, NULL},
        {"a site without certificates", {.port = 1, .name = "plain.test"}, SSL_AD_UNRECOGNIZED_NAME, NULL, NULL},
        {"below no wildcard", {.port = 1, .name = "wild.test"}, SSL_AD_UNRECOGNIZED_NAME, NULL, NULL},
        {"a site", {.port = 1, .name = "site.test"}, TLS_FINE, "site", NULL},
        {"a site, 1.2", {.port = 1, .name = "site.test", .version = TLS1_2_VERSION}, TLS_FINE, "site", NULL},
        {"a site that is shouted", {.port = 1, .name = "SITE.Test"}, TLS_FINE, "site", NULL},
        {"a wildcard", {.port = 1, .name = "a.wild.test"}, TLS_FINE, "wild", NULL},
        {"unknown", {.name = "unknown.test"}, TLS_FINE, "ecdsa", NULL},
        {"none", {.port = 0}, TLS_FINE, "ecdsa", NULL},
        {"an address", {.name = "127.0.0.1"}, TLS_FINE, "ecdsa", NULL},
        {"a site without certificates, on a port with", {.name = "plain.test"}, TLS_FINE, "ecdsa", NULL},
        {"wild.test itself", {.name = "wild.test"}, TLS_FINE, "ecdsa", NULL},
        {"a site, on a port with", {.name = "site.test"}, TLS_FINE, "site", NULL},
        {"a wildcard, on a port with", {.name = "x.wild.test"}, TLS_FINE, "wild", NULL},
    };
    assert_offers(offers, COUNT(offers));
}

/* Chains are complete: a client that knows the root alone is content, and no other is. */
Test(tls_handshake, the_chain_leads_to_the_root)
{
    static const struct offer offers[] = {
        {"another root", {.trusted = "other-root", .name = "localhost"}, TLS_BROKEN, NULL, NULL},
        {"another name", {.trusted = "root", .name = "elsewhere.test"}, TLS_BROKEN, NULL, NULL},
        {"ECDSA", {.trusted = "root", .name = "localhost"}, TLS_FINE, "ecdsa", NULL},
        {"RSA", {.trusted = "root", .name = "localhost", .sigalgs = "RSA-PSS+SHA256"}, TLS_FINE, "rsa", NULL},
        {"a site", {.trusted = "root", .name = "site.test"}, TLS_FINE, "site", NULL},
        {"a wildcard", {.trusted = "root", .name = "a.wild.test"}, TLS_FINE, "wild", NULL},
    };
    assert_offers(offers, COUNT(offers));
}

/* ---- ALPN ---- */

/* RFC 7301, 3.2. */
Test(tls_handshake, protocols_of_the_application)
{
    static const struct offer offers[] = {
        {"nothing in common", {.alpn = "spdy/3"}, SSL_AD_NO_APPLICATION_PROTOCOL, NULL, NULL},
        {"nothing in common, 1.2",
         {.alpn = "spdy/3", .version = TLS1_2_VERSION},
         SSL_AD_NO_APPLICATION_PROTOCOL,
         NULL,
         NULL},
        {"what only looks alike", {.alpn = "h2c,HTTP/1.1,http/1.10,h"}, SSL_AD_NO_APPLICATION_PROTOCOL, NULL, NULL},
        {"nothing in common with a site",
         {.alpn = "nothing", .name = "site.test"},
         SSL_AD_NO_APPLICATION_PROTOCOL,
         NULL,
         NULL},
        {"none", {.port = 0}, TLS_FINE, NULL, ""},
        {"none, 1.2", {.version = TLS1_2_VERSION}, TLS_FINE, NULL, ""},
        {"http/1.1", {.alpn = "http/1.1"}, TLS_FINE, NULL, "http/1.1"},
        {"http/1.1 and others", {.alpn = "spdy/3,http/1.0,http/1.1,x"}, TLS_FINE, NULL, "http/1.1"},
        {"h2", {.alpn = "h2"}, TLS_FINE, NULL, "h2"},
        {"both", {.alpn = "h2,http/1.1"}, TLS_FINE, NULL, "h2"},
        {"both, 1.2", {.alpn = "h2,http/1.1", .version = TLS1_2_VERSION}, TLS_FINE, NULL, "h2"},
        {"both, the other way round", {.alpn = "http/1.1,h2"}, TLS_FINE, NULL, "h2"},
        {"both at a site", {.alpn = "h2,http/1.1", .name = "site.test"}, TLS_FINE, "site", "h2"},
    };
    assert_offers(offers, COUNT(offers));
}

Test(tls_handshake, protocols_without_http2)
{
    static const struct offer offers[] = {
        {"h2", {.alpn = "h2"}, SSL_AD_NO_APPLICATION_PROTOCOL, NULL, NULL},
        {"h2 at a site", {.alpn = "h2", .name = "site.test"}, SSL_AD_NO_APPLICATION_PROTOCOL, NULL, NULL},
        {"both", {.alpn = "h2,http/1.1"}, TLS_FINE, NULL, "http/1.1"},
        {"both at a site", {.alpn = "h2,http/1.1", .name = "site.test"}, TLS_FINE, "site", "http/1.1"},
    };
    assert_stop(&server, 0);
    server = tls_serve("workers: 1\n"
                       "listen: [{address: \"127.0.0.1:@PORT@\", http2: off, tls: {" TLS_BOTH "}}]\n" SITES);
    assert_offers(offers, COUNT(offers));
}
