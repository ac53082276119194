/* tls_context_test.c: files that a context is made of, and everything that can be wrong with them. */
#include "net/tls_context.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "../conf/run.h"
#include "net/tls_core.h"
#include "tls_keys.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static char directory[] = "/tmp/tern-context-XXXXXX";
static struct conf_run run;
static struct tls_context *context;
static bool must_start; /* as of the reader */

/* ---- files ---- */

static FILE *open_new(const char *name)
{
    FILE *file = fopen(name, "w");
    cr_assert_not_null(file, "%s", name);
    return file;
}

static void put_text(const char *name, const char *text)
{
    FILE *file = open_new(name);
    fputs(text, file);
    fclose(file);
}

static void put_key(const char *name, EVP_PKEY *key, const char *passphrase)
{
    FILE *file = open_new(name);
    const EVP_CIPHER *cipher = passphrase ? EVP_aes_128_cbc() : NULL;
    cr_assert(PEM_write_PrivateKey(file, key, cipher, (const unsigned char *)passphrase,
                                   passphrase ? (int)strlen(passphrase) : 0, NULL, NULL));
    fclose(file);
}

/* Certificates, one after the other, up to NULL. */
static void put_chain(const char *name, ...)
{
    FILE *file = open_new(name);
    va_list chain;
    va_start(chain, name);
    for (X509 *x509; (x509 = va_arg(chain, X509 *));)
        cr_assert(PEM_write_X509(file, x509));
    va_end(chain);
    fclose(file);
}

/* What an authority says of a certificate that it has signed, or of none. */
struct word {
    X509 *authority;
    EVP_PKEY *key;
    X509 *certificate;
    int status; /* V_OCSP_CERTSTATUS_... */
    int days;   /* for which it holds */
};

static OCSP_BASICRESP *make_word(const struct word *word)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(NULL, word->certificate, word->authority);
    ASN1_TIME *since = X509_gmtime_adj(NULL, -86400), *until = X509_gmtime_adj(NULL, word->days * 86400L);
    ASN1_TIME *end = word->status == V_OCSP_CERTSTATUS_REVOKED ? since : NULL;
    cr_assert(OCSP_basic_add1_status(basic, id, word->status, 0, end, since, until));
    cr_assert(OCSP_basic_sign(basic, word->authority, word->key, EVP_sha256(), NULL, 0));
    ASN1_TIME_free(since);
    ASN1_TIME_free(until);
    OCSP_CERTID_free(id);
    return basic;
}

static void put_ocsp(const char *name, const struct word *word)
{
    OCSP_BASICRESP *basic = word ? make_word(word) : NULL;
    OCSP_RESPONSE *response =
        OCSP_response_create(word ? OCSP_RESPONSE_STATUS_SUCCESSFUL : OCSP_RESPONSE_STATUS_TRYLATER, basic);
    unsigned char *bytes = NULL;
    int n = i2d_OCSP_RESPONSE(response, &bytes);
    cr_assert_gt(n, 0);
    FILE *file = open_new(name);
    fwrite(bytes, 1, (size_t)n, file);
    fclose(file);
    OPENSSL_free(bytes);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
}

static void copy_together(const char *name, const char *first, const char *second)
{
    FILE *to = open_new(name);
    for (int i = 0; i < 2; i++) {
        FILE *from = fopen(i ? second : first, "r");
        cr_assert_not_null(from);
        for (int c; (c = getc(from)) != EOF;)
            putc(c, to);
        fclose(from);
    }
    fclose(to);
}

static void put_files(void)
{
    EVP_PKEY *root = tls_keys_make("EC"), *ec = tls_keys_make("EC"), *rsa = tls_keys_make("RSA");
    X509 *root_x509 = tls_keys_certify(root, "root", NULL, NULL, 10);
    X509 *ec_x509 = tls_keys_certify(ec, "site", "root", root, 10),
         *rsa_x509 = tls_keys_certify(rsa, "r", NULL, NULL, 10);
    X509 *old_x509 = tls_keys_certify(ec, "site", "root", root, -1);
    put_key("ec.key", ec, NULL);
    put_key("rsa.key", rsa, NULL);
    put_key("root.key", root, NULL);
    put_key("sealed.key", ec, "secret");
    put_chain("ec.pem", ec_x509, root_x509, NULL);
    put_chain("alone.pem", ec_x509, NULL);
    put_chain("rsa.pem", rsa_x509, NULL);
    put_chain("root.pem", root_x509, NULL);
    put_chain("reversed.pem", root_x509, ec_x509, NULL);
    put_chain("strange.pem", ec_x509, rsa_x509, NULL);
    put_chain("old.pem", old_x509, NULL);
    copy_together("both.pem", "ec.key", "ec.pem");
    put_text("empty", "");
    put_text("text", "Nothing of the kind.\n");
    put_text("broken.tail", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    copy_together("broken.pem", "alone.pem", "broken.tail");
    put_text("cut.tail", "-----BEGIN CERTIFICATE-----\nAAAA\n");
    copy_together("cut.pem", "alone.pem", "cut.tail");
    put_ocsp("good.der", &(struct word){root_x509, root, ec_x509, V_OCSP_CERTSTATUS_GOOD, 5});
    put_ocsp("late.der", &(struct word){root_x509, root, ec_x509, V_OCSP_CERTSTATUS_GOOD, -1});
    put_ocsp("revoked.der", &(struct word){root_x509, root, ec_x509, V_OCSP_CERTSTATUS_REVOKED, 5});
    put_ocsp("other.der", &(struct word){root_x509, root, old_x509, V_OCSP_CERTSTATUS_GOOD, 5});
    put_ocsp("later.der", NULL);
    X509_free(root_x509);
    X509_free(ec_x509);
    X509_free(rsa_x509);
    X509_free(old_x509);
    EVP_PKEY_free(root);
    EVP_PKEY_free(ec);
    EVP_PKEY_free(rsa);
}

static void setup(void)
{
    cr_assert_not_null(mkdtemp(directory));
    cr_assert_eq(chdir(directory), 0);
    put_files();
}

static void teardown(void)
{
    static const char *const names[] = {
        "ec.key",     "rsa.key",      "root.key", "sealed.key",  "ec.pem",   "rsa.pem",     "alone.pem",   "root.pem",
        "old.pem",    "reversed.pem", "both.pem", "strange.pem", "empty",    "text",        "broken.tail", "cut.tail",
        "broken.pem", "cut.pem",      "good.der", "later.der",   "late.der", "revoked.der", "other.der"};
    for (size_t i = 0; i < COUNT(names); i++)
        unlink(names[i]);
    cr_expect_eq(rmdir(directory), 0);
}

TestSuite(tls_context, .init = setup, .fini = teardown);

static int read_text(const char *text)
{
    conf_run_start(&run, str_of(text));
    cr_assert_eq(run.status, 0, "%s: %s", text, conf_run_errors(&run));
    context = NULL;
    run.reader.must_start = must_start;
    int error = tls_context_read(&run.reader, run.root, &context);
    cr_expect_eq(error != 0, conf_failed(&run.reader), "%s: %d: %s", text, error, conf_run_errors(&run));
    return error;
}

#define PAIR "certificate: ec.pem\nkey: ec.key\n"

Test(tls_context, what_is_refused)
{
    static const struct {
        const char *text, *message; /* how all that is said begins */
    } table[] = {
        {"text\n", "t:1:1: error: takes a mapping such as {certificate: cert.pem, key: key.pem}, not"},
        {"[certificate]\n", "t:1:1: error: takes a mapping"},
        {"certificate: none.pem\nkey: ec.key\n", "t:1:14: error: certificate: none.pem: No such file or directory\n"},
        {"certificate: ec.pem\nkey: none.key\n", "t:2:6: error: key: none.key: No such file or directory\n"},
        {"certificate: .\nkey: ec.key\n", "t:1:14: error: certificate: .: Is a directory\n"},
        {"certificate: empty\nkey: ec.key\n", "t:1:14: error: certificate: empty: no certificate in it\n"},
        {"certificate: text\nkey: ec.key\n", "t:1:14: error: certificate: text: no certificate in it\n"},
        {"certificate: ec.key\nkey: ec.key\n", "t:1:14: error: certificate: ec.key: no certificate in it\n"},
        {"certificate: broken.pem\nkey: ec.key\n", "t:1:14: error: certificate: broken.pem: a certificate in it is br"},
        {"certificate: cut.pem\nkey: ec.key\n", "t:1:14: error: certificate: cut.pem: a certificate in it is broken\n"},
        {"certificate: reversed.pem\nkey: ec.key\n", "t:1:14: error: certificate: reversed.pem: the certificates are "},
        {"certificate: strange.pem\nkey: ec.key\n", "t:1:14: error: certificate: strange.pem: the certificates are i"},
        {"certificate: old.pem\nkey: ec.key\n", "t:1:14: error: certificate: old.pem: the certificate has expired\n"},
        {"certificate: ec.pem\nkey: empty\n", "t:2:6: error: key: empty: no private key in it\n"},
        {"certificate: ec.pem\nkey: text\n", "t:2:6: error: key: text: no private key in it\n"},
        {"certificate: ec.pem\nkey: ec.pem\n", "t:2:6: error: key: ec.pem: no private key in it\n"},
        {"certificate: ec.pem\n", "t:1:14: error: certificate: ec.pem: no private key in it\n"},
        {"certificate: ec.pem\nkey: sealed.key\n", "t:2:6: error: key: sealed.key: the key has a passphrase"},
        {"certificate: ec.pem\nkey: root.key\n", "t:2:6: error: key: root.key: the key does not belong to the certifi"},
        {"certificate: ec.pem\nkey: rsa.key\n", "t:2:6: error: key: rsa.key: the key does not belong to the certifi"},
        {"certificate: [rsa.pem, ec.pem]\nkey: [ec.key, rsa.key]\n", "t:2:7: error: key"},
        {"certificate: [ec.pem, alone.pem]\nkey: [ec.key, ec.key]\n", "t:2:15: error: key"},
        {PAIR "ciphers: NONE\n", "t:3:10: error: ciphers: has no cipher of TLS 1.2 that is known\n"},
        {PAIR "ciphers: \"\"\n", "t:3:10: error: ciphers: "},
        {PAIR "ciphers: ECDHE-ECDSA-AES128-SHA256\n", "t:3:10: error: ciphers: ECDHE-ECDSA-AES128-SHA256 is not spo"},
        {PAIR "ciphers: ECDHE-ECDSA-AES128-CCM\n", "t:3:10: error: ciphers: ECDHE-ECDSA-AES128-CCM is not spoken"},
        {PAIR "client_ca: none.pem\n", "t:3:12: error: client_ca: none.pem: No such file or directory\n"},
        {PAIR "client_ca: text\n", "t:3:12: error: client_ca: text: no certificate in it\n"},
        {PAIR "client_ca: broken.pem\n", "t:3:12: error: client_ca: broken.pem: a certificate in it is broken\n"},
        {PAIR "ocsp: none.der\n", "t:3:7: error: ocsp: none.der: No such file or directory\n"},
        {PAIR "ocsp: text\n", "t:3:7: error: ocsp: text: not an OCSP response in DER\n"},
        {PAIR "ocsp: empty\n", "t:3:7: error: ocsp: empty: not an OCSP response in DER\n"},
        {PAIR "ocsp: later.der\n", "t:3:7: error: ocsp: later.der: an OCSP response that says no more"},
        {PAIR "ocsp: revoked.der\n", "t:3:7: error: ocsp: revoked.der: an OCSP response that says that the certif"},
        {PAIR "ocsp: other.der\n", "t:3:7: error: ocsp: other.der: an OCSP response for another certificate\n"},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        cr_expect_eq(read_text(table[i].text), -EINVAL, "%s", table[i].text);
        const char *errors = conf_run_errors(&run);
        cr_expect_eq(strncmp(errors, table[i].message, strlen(table[i].message)), 0, "%s: %s", table[i].text, errors);
        cr_expect_eq(ERR_peek_error(), 0, "%s: an error is left", table[i].text);
        conf_run_end(&run);
    }
}

/* A mistake in one file does not hide those in others. */
Test(tls_context, every_mistake_is_told)
{
    static const char text[] =
        "certificate: [none.pem, text]\nkey: [ec.key, rsa.key]\nciphers: NONE\nclient_ca: empty\n";
    cr_expect_eq(read_text(text), -EINVAL);
    cr_expect_eq(run.reader.failed, 4, "%s", conf_run_errors(&run));
    conf_run_end(&run);
}

/* ---- what is made ---- */

static void expect_good(const char *text)
{
    cr_assert_eq(read_text(text), 0, "%s: %s", text, conf_run_errors(&run));
    cr_assert_not_null(context);
    cr_expect_eq(ERR_peek_error(), 0, "%s: an error is left", text);
}

Test(tls_context, certificates)
{
    static const struct {
        const char *text;
        size_t count;
        bool ecdsa, rsa;
    } table[] = {
        {"{}", 0, false, false},
        {PAIR, 1, true, false},
        {"certificate: both.pem\n", 1, true, false},
        {"certificate: alone.pem\nkey: ec.key\n", 1, true, false},
        {"certificate: rsa.pem\nkey: rsa.key\n", 1, false, true},
        {"certificate: [ec.pem, rsa.pem]\nkey: [ec.key, rsa.key]\n", 2, true, true},
        {"certificate: [rsa.pem, ec.pem]\nkey: [rsa.key, both.pem]\n", 2, true, true},
        {PAIR "ciphers: ECDHE-ECDSA-AES256-GCM-SHA384\n", 1, true, false},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        expect_good(table[i].text);
        cr_expect_eq(context->count, table[i].count, "%s", table[i].text);
        cr_expect_eq(tls_context_has_certificate(context), table[i].count > 0, "%s", table[i].text);
        cr_expect_eq(context->has_ecdsa, table[i].ecdsa, "%s", table[i].text);
        cr_expect_eq(context->has_rsa, table[i].rsa, "%s", table[i].text);
        conf_run_end(&run);
    }
}

Test(tls_context, versions)
{
    static const struct {
        const char *text;
        int least, most;
    } table[] = {
        {PAIR, TLS1_2_VERSION, TLS1_3_VERSION},
        {PAIR "protocols: [TLSv1.3, TLSv1.2]\n", TLS1_2_VERSION, TLS1_3_VERSION},
        {PAIR "protocols: TLSv1.2\n", TLS1_2_VERSION, TLS1_2_VERSION},
        {PAIR "protocols: [TLSv1.3, TLSv1.3]\n", TLS1_3_VERSION, TLS1_3_VERSION},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        expect_good(table[i].text);
        cr_expect_eq(SSL_CTX_get_min_proto_version(context->ssl), table[i].least, "%s", table[i].text);
        cr_expect_eq(SSL_CTX_get_max_proto_version(context->ssl), table[i].most, "%s", table[i].text);
        conf_run_end(&run);
    }
}

Test(tls_context, what_clients_are_asked_for)
{
    static const struct {
        const char *text;
        bool asks;
    } table[] = {
        {PAIR, false},
        {PAIR "client_ca: root.pem\n", true},
        {PAIR "client_ca: root.pem\nclient_verify: optional\n", true},
        {PAIR "client_ca: root.pem\nclient_verify: off\n", false},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        expect_good(table[i].text);
        cr_expect_eq(tls_context_asks(context), table[i].asks, "%s", table[i].text);
        conf_run_end(&run);
    }
}

Test(tls_context, an_ocsp_response)
{
    expect_good(PAIR "ocsp: good.der\n");
    cr_expect_gt(context->certificates[0].ocsp.n, 0);
    conf_run_end(&run);
}

/* It would be taken worse than none. */
Test(tls_context, an_ocsp_response_that_is_out_of_date)
{
    expect_good(PAIR "ocsp: late.der\n");
    cr_expect_eq(context->certificates[0].ocsp.n, 0);
    conf_run_end(&run);
}

/* A certificate that has expired keeps no server from starting, but a reload that would bring it is refused. */
Test(tls_context, an_old_certificate_at_a_start)
{
    static const char text[] = "certificate: old.pem\nkey: ec.key\n";
    cr_expect_eq(read_text(text), -EINVAL);
    conf_run_end(&run);
    must_start = true;
    expect_good(text);
    conf_run_end(&run);
}

/* Sessions go over from one context to another only if clients get in on the same terms. */
Test(tls_context, terms_of_sessions)
{
    static const struct {
        const char *text;
        bool same;
    } table[] = {
        {PAIR, true},
        {PAIR "protocols: TLSv1.3\nciphers: ECDHE-ECDSA-AES256-GCM-SHA384\n", true},
        {"certificate: ec.pem\nkey: both.pem\n", true},
        {"certificate: alone.pem\nkey: ec.key\n", false},
        {"certificate: [ec.pem, rsa.pem]\nkey: [ec.key, rsa.key]\n", false},
        {PAIR "client_ca: root.pem\n", false},
        {PAIR "client_ca: root.pem\nclient_verify: off\n", false},
    };
    unsigned char first[32];
    for (size_t i = 0; i < COUNT(table); i++) {
        expect_good(table[i].text);
        if (i == 0)
            memcpy(first, context->id, sizeof first);
        cr_expect_eq(memcmp(first, context->id, sizeof first) == 0, table[i].same, "%s", table[i].text);
        conf_run_end(&run);
    }
}
