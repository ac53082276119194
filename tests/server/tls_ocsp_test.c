/* OCSP stapling: the authority's word on a certificate comes with it, octet for octet, to clients that ask. */
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"
#include "service.h"
#include "tls_service.h"

#include <criterion/criterion.h>

#define BOTH_STAPLED                                                                                                   \
    "workers: 1\n" TLS_CONTROL TLS_LISTEN(TLS_BOTH ", ocsp: [@DIR@/pki/ecdsa.der, @DIR@/pki/rsa.der]") TLS_SITES

TestSuite(tls_ocsp, .init = harness_begin, .fini = harness_end);

static struct server start(void)
{
    pki_ocsp("ecdsa", "ecdsa.der", false);
    pki_ocsp("rsa", "rsa.der", false);
    return tls_serve(BOTH_STAPLED);
}

/* What comes with the certificate; empty: nothing. */
static struct str staple(const struct tls_setup *setup, bool asked)
{
    struct client *c = tls_start_as(setup);
    SSL *ssl = tls_of(c)->ssl;
    const unsigned char *bytes;
    if (asked)
        SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
    cr_assert_eq(tls_shake(c), TLS_FINE);
    long n = SSL_get_tlsext_status_ocsp_resp(ssl, &bytes);
    struct str copy = arena_copy(harness_memory(), (struct str){(const char *)bytes, n > 0 ? (size_t)n : 0});
    assert_hello(get(c, "/hello"));
    client_close(c);
    return copy;
}

Test(tls_ocsp, each_certificate_has_its_own)
{
    static const struct {
        const char *file;
        struct tls_setup setup;
    } table[] = {
        {"pki/ecdsa.der", {.version = TLS1_3_VERSION}},
        {"pki/ecdsa.der", {.version = TLS1_2_VERSION}},
        {"pki/rsa.der", {.version = TLS1_3_VERSION, .sigalgs = "RSA-PSS+SHA256"}},
        {"pki/rsa.der", {.version = TLS1_2_VERSION, .sigalgs = "RSA+SHA256"}},
    };
    struct server server = start();
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct tls_setup setup = table[i].setup;
        setup.port = server.port;
        cr_expect(str_eq(staple(&setup, true), file_read(table[i].file)), "%s", table[i].file);
        cr_expect_eq(staple(&setup, false).n, 0, "%s comes unasked", table[i].file);
    }
    assert_stop(&server, 0);
}

Test(tls_ocsp, where_there_is_none)
{
    struct server server = tls_serve(TLS_USUAL);
    cr_assert_eq(staple(&(struct tls_setup){.port = server.port}, true).n, 0);
    assert_stop(&server, 0);
}

Test(tls_ocsp, a_reload_takes_the_new_one)
{
    struct server server = start();
    struct tls_setup setup = {.port = server.port};
    struct str first = file_read("pki/ecdsa.der");
    cr_assert(str_eq(staple(&setup, true), first));
    pki_ocsp("ecdsa", "ecdsa.der", false);
    cr_assert(str_eq(staple(&setup, true), first), "a file is read without a reload");
    assert_ctl(0, "reload");
    struct str second = file_read("pki/ecdsa.der");
    cr_assert_not(str_eq(first, second));
    cr_assert(str_eq(staple(&setup, true), second));
    assert_stop(&server, 0);
}

/* Another's view of it. */
Test(tls_ocsp, openssl_is_content)
{
    struct server server = start();
    const char *line = harness_text("openssl s_client -connect 127.0.0.1:%d -status -CAfile %s -verify_return_error "
                                    "</dev/null",
                                    server.port, pki_file("root", "pem"));
    struct result r = command_run(&(struct command){.arguments = {"/bin/sh", "-c", line}});
    cr_assert_eq(r.status, 0, "%s", r.err.p);
    cr_assert_not_null(strstr(r.out.p, "OCSP Response Status: successful"), "%s", r.out.p);
    cr_assert_not_null(strstr(r.out.p, "Cert Status: good"), "%s", r.out.p);
    assert_stop(&server, 0);
}
