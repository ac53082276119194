/* What can't be meant, or can't be used, in `tls`: each is refused by -t at its place, before anything is served. */
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"
#include "tls_service.h"

#include <criterion/criterion.h>

enum { REFUSED = 2 };

#define COUNT(table) (sizeof(table) / sizeof *(table))

static void begin(void)
{
    harness_begin();
    file_directory("www");
    pki_make("ecdsa", "rsa", "next", "site", "other-root");
    pki_encrypt("ecdsa", "encrypted.key");
    pki_ocsp("ecdsa", "ecdsa.der", false);
    file_write("pki/garbage.pem", STR("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
    file_write("pki/empty.pem", STR(""));
    file_write("pki/both.pem", str_of(harness_text("%s%s", pki_read("ecdsa", "key").p, pki_read("ecdsa", "pem").p)));
}

TestSuite(tls_conf, .init = begin, .fini = harness_end);

static struct result test_config(const char *text)
{
    file_write("tern.yaml", str_of(harness_expand(text)));
    return run_tern("-t", "-c", "@DIR@/tern.yaml");
}

struct mistake {
    const char *tls;   /* what is in the mapping */
    const char *place; /* line and column of the message; `tls:` is line 3, what is in it lines 4 and on */
    const char *about; /* what the message speaks of */
};

/* One message, at the place. */
static void assert_mistake(const char *config, const struct mistake *m)
{
    struct result r = test_config(config);
    const char *start = harness_text("%s:%s: error: ", file_path("tern.yaml"), m->place);
    cr_expect_eq(r.status, REFUSED, "%s: status %d", m->tls, r.status);
    cr_expect(str_starts(r.err, str_of(start)), "%s: not at %s: %s", m->tls, m->place, r.err.p);
    cr_expect_not_null(strstr(r.err.p, harness_expand(m->about)), "%s: nothing of '%s': %s", m->tls, m->about, r.err.p);
    cr_expect_null(strstr(r.err.p, "error:0"), "%s is told in OpenSSL's words: %s", m->tls, r.err.p);
    cr_expect_eq(command_lines(r.err), 1, "%s: %s", m->tls, r.err.p);
}

static const char *listener(const char *tls)
{
    return harness_text("listen:\n  - address: 127.0.0.1:@PORT@\n    tls:\n%s" TLS_SITES, tls);
}

#define CERTIFICATE(file) "      certificate: @DIR@/pki/" file "\n"
#define KEY(file) "      key: @DIR@/pki/" file "\n"
#define GOOD CERTIFICATE("ecdsa.pem") KEY("ecdsa.key")

Test(tls_conf, files)
{
    static const struct mistake mistakes[] = {
        {CERTIFICATE("none.pem") KEY("ecdsa.key"), "4:20", "@DIR@/pki/none.pem"},
        {CERTIFICATE("empty.pem") KEY("ecdsa.key"), "4:20", "@DIR@/pki/empty.pem"},
        {CERTIFICATE("garbage.pem") KEY("ecdsa.key"), "4:20", "@DIR@/pki/garbage.pem"},
        {CERTIFICATE("ecdsa.key") KEY("ecdsa.key"), "4:20", "@DIR@/pki/ecdsa.key"},
        {CERTIFICATE("") KEY("ecdsa.key"), "4:20", "@DIR@/pki"},
        {CERTIFICATE("ecdsa.pem") KEY("none.key"), "5:12", "@DIR@/pki/none.key"},
        {CERTIFICATE("ecdsa.pem") KEY("empty.pem"), "5:12", "@DIR@/pki/empty.pem"},
        {CERTIFICATE("ecdsa.pem") KEY("ecdsa.pem"), "5:12", "@DIR@/pki/ecdsa.pem"},
        {CERTIFICATE("ecdsa.pem") KEY("next.key"), "5:12", "@DIR@/pki/next.key"},
        {CERTIFICATE("ecdsa.pem") KEY("rsa.key"), "5:12", "@DIR@/pki/rsa.key"},
        {CERTIFICATE("ecdsa.pem") KEY("encrypted.key"), "5:12", "passphrase"},
        {CERTIFICATE("ecdsa.pem"), "4:20", "key"},
        {"      certificate:\n        - @DIR@/pki/ecdsa.pem\n        - @DIR@/pki/rsa.pem\n"
         "      key:\n        - @DIR@/pki/ecdsa.key\n        - @DIR@/pki/next.key\n",
         "9:11", "@DIR@/pki/next.key"},
        {GOOD "      client_ca: @DIR@/pki/none.pem\n", "6:18", "@DIR@/pki/none.pem"},
        {GOOD "      client_ca: @DIR@/pki/garbage.pem\n", "6:18", "@DIR@/pki/garbage.pem"},
        {GOOD "      client_ca: @DIR@/pki/empty.pem\n", "6:18", "@DIR@/pki/empty.pem"},
        {GOOD "      ocsp: @DIR@/pki/none.der\n", "6:13", "@DIR@/pki/none.der"},
        {GOOD "      ocsp: @DIR@/pki/ecdsa.pem\n", "6:13", "@DIR@/pki/ecdsa.pem"},
        {GOOD "      ocsp: @DIR@/pki/empty.pem\n", "6:13", "@DIR@/pki/empty.pem"},
    };
    for (size_t i = 0; i < COUNT(mistakes); i++)
        assert_mistake(listener(mistakes[i].tls), &mistakes[i]);
}

Test(tls_conf, values)
{
    static const struct mistake mistakes[] = {
        {"      []\n", "4:7", "tls"},
        {"      certificate: []\n", "4:20", "certificate"},
        {"      key: @DIR@/pki/ecdsa.key\n", "4:12", "certificate"},
        {"      certificat: @DIR@/pki/ecdsa.pem\n", "4:7", "did you mean `certificate`?"},
        {GOOD "      protocols: []\n", "6:18", "protocols"},
        {GOOD "      protocols: [TLSv1.1]\n", "6:19", "TLSv1.2"},
        {GOOD "      protocols: [TLSv1.3, SSLv3]\n", "6:28", "TLSv1.2"},
        {GOOD "      protocols: tls1.3\n", "6:18", "TLSv1.2"},
        {GOOD "      ciphers: NO-SUCH-CIPHER\n", "6:16", "ciphers"},
        {GOOD "      ciphers: \"\"\n", "6:16", "ciphers"},
        {GOOD "      client_verify: perhaps\n", "6:22", "optional"},
        {GOOD "      client_verify: on\n", "6:22", "client_ca"},
        {GOOD "      client_verify: optional\n", "6:22", "client_ca"},
        {GOOD "      session_tickets: sometimes\n", "6:24", "session_tickets"},
        {GOOD "      ocsp: [@DIR@/pki/ecdsa.der, @DIR@/pki/ecdsa.der]\n", "6:13", "certificate"},
        {"      certificate: [@DIR@/pki/ecdsa.pem, @DIR@/pki/rsa.pem]\n" KEY("ecdsa.key"), "5:12", "certificate"},
        {CERTIFICATE("ecdsa.pem") "      key: [@DIR@/pki/ecdsa.key, @DIR@/pki/rsa.key]\n", "5:12", "certificate"},
    };
    for (size_t i = 0; i < COUNT(mistakes); i++)
        assert_mistake(listener(mistakes[i].tls), &mistakes[i]);
}

/* Chains that no client could follow, whatever it makes of them. */
Test(tls_conf, chains)
{
    static const struct {
        const char *what, *files[4];
    } table[] = {
        {"the issuer first", {"inter", "ecdsa"}},
        {"the root before the issuer", {"ecdsa", "root", "inter"}},
        {"a stranger behind", {"ecdsa", "other-root"}},
        {"another leaf behind", {"ecdsa", "next", "inter"}},
    };
    static const struct mistake mistake = {CERTIFICATE("chain.pem") KEY("ecdsa.key"), "4:20", "@DIR@/pki/chain.pem"};
    for (size_t i = 0; i < COUNT(table); i++) {
        file_write("pki/chain.pem", STR(""));
        for (size_t j = 0; table[i].files[j]; j++)
            file_append("pki/chain.pem", pki_read(table[i].files[j], "leaf.pem"));
        assert_mistake(listener(mistake.tls), &mistake);
    }
}

/* Nobody could be served there. */
Test(tls_conf, a_port_without_any_certificate)
{
    struct result r = test_config("listen: [{address: \"127.0.0.1:@PORT@\", tls: {}}]\n" TLS_SITES);
    cr_expect_eq(r.status, REFUSED, "%d", r.status);
    cr_expect(str_starts(r.err, str_of(harness_text("%s:1:", file_path("tern.yaml")))), "%s", r.err.p);
    cr_expect_not_null(strstr(r.err.p, "certificate"), "%s", r.err.p);
}

Test(tls_conf, sites)
{
    static const struct mistake mistakes[] = {
        {CERTIFICATE("none.pem") KEY("site.key"), "5:20", "@DIR@/pki/none.pem"},
        {CERTIFICATE("site.pem") KEY("next.key"), "6:12", "@DIR@/pki/next.key"},
        {"      {}\n", "5:7", "certificate"},
        {CERTIFICATE("site.pem") KEY("site.key") "      client_verify: on\n", "7:22", "client_ca"},
    };
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        const char *head =
            "listen: [" TLS_PORT("@PORT@", TLS_PAIR("ecdsa")) "]\nsites:\n  - hosts: [site.test]\n    tls:\n";
        const char *tail = "    " TLS_ROUTES "\n";
        assert_mistake(harness_text("%s%s%s", head, mistakes[i].tls, tail), &mistakes[i]);
    }
}

Test(tls_conf, other_keys)
{
    static const struct mistake mistakes[] = {
        {"timeouts: {handshake: never}\n", "1:23", "handshake"},
        {"timeouts: {handshake: -1s}\n", "1:23", "handshake"},
        {"timeouts: {handshake: 0}\n", "1:23", "handshake"},
        {"timeouts: {handshakes: 1s}\n", "1:12", "did you mean `handshake`?"},
    };
    for (size_t i = 0; i < COUNT(mistakes); i++)
        assert_mistake(harness_text("%s" TLS_LISTEN(TLS_PAIR("ecdsa")) TLS_SITES, mistakes[i].tls), &mistakes[i]);
}

Test(tls_conf, what_is_taken)
{
    static const char *const table[] = {
        GOOD,
        CERTIFICATE("both.pem"),
        "      certificate: [@DIR@/pki/ecdsa.pem, @DIR@/pki/rsa.pem]\n"
        "      key: [@DIR@/pki/ecdsa.key, @DIR@/pki/rsa.key]\n",
        "      certificate: [@DIR@/pki/ecdsa.pem]\n"
        "      key: [@DIR@/pki/ecdsa.key]\n"
        "      ocsp: [@DIR@/pki/ecdsa.der]\n",
        CERTIFICATE("ecdsa.leaf.pem") KEY("ecdsa.key"),
        GOOD "      protocols: TLSv1.3\n",
        GOOD "      protocols: [TLSv1.3, TLSv1.2]\n",
        GOOD "      ciphers: \"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256\"\n",
        GOOD "      client_ca: @DIR@/pki/root.pem\n",
        GOOD "      client_ca: @DIR@/pki/root.pem\n      client_verify: off\n",
        GOOD "      client_ca: @DIR@/pki/root.pem\n      client_verify: optional\n",
        GOOD "      client_verify: off\n",
        GOOD "      session_tickets: off\n",
        GOOD "      ocsp: @DIR@/pki/ecdsa.der\n",
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct result r = test_config(listener(table[i]));
        cr_expect_eq(r.status, 0, "%s: %s", table[i], r.err.p);
    }
    struct result r = test_config("listen: [" TLS_PORT("@PORT@", "") "]\n"
                                                                     "sites: [{hosts: [site.test], tls: {" TLS_PAIR(
                                                                         "site") "}, " TLS_ROUTES "}]\n");
    cr_expect_eq(r.status, 0, "%s", r.err.p);
}
