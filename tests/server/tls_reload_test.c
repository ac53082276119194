/* Certificates that change while the server runs: what is broken is refused and changes nothing; what is good is served
 * to new connections, and old ones live on. */
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"
#include "service.h"
#include "tls_service.h"

#include <criterion/criterion.h>
#include <unistd.h>

enum { REFUSED = 4 /* exit status of ternctl */, LARGE = 12 << 20 };

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* A line of each file, that messages can be told apart by. */
#define CONFIG                                                                                                         \
    "workers: 1\n" TLS_CONTROL "listen:\n"                                                                             \
    "  - address: 127.0.0.1:@PORT@\n"                                                                                  \
    "    tls:\n"                                                                                                       \
    "      certificate: @DIR@/pki/ecdsa.pem\n"                                                                         \
    "      key: @DIR@/pki/ecdsa.key\n"                                                                                 \
    "sites:\n"                                                                                                         \
    "  - hosts: [site.test]\n"                                                                                         \
    "    tls:\n"                                                                                                       \
    "      certificate: @DIR@/pki/site.pem\n"                                                                          \
    "      key: @DIR@/pki/site.key\n"                                                                                  \
    "    " TLS_ROUTES "\n"                                                                                             \
    "  - " TLS_ROUTES "\n"

TestSuite(tls_reload, .init = harness_begin, .fini = harness_end);

static struct str half(const char *name, const char *kind)
{
    struct str whole = pki_read(name, kind);
    return (struct str){whole.p, whole.n / 2};
}

static struct str joined(struct str a, struct str b, struct str c)
{
    return str_of(harness_text(STR_FMT STR_FMT STR_FMT, STR_ARG(a), STR_ARG(b), STR_ARG(c)));
}

static struct str missing(void)
{
    return (struct str){NULL, 0};
}

static struct str empty(void)
{
    return STR("");
}

static struct str garbage(void)
{
    return STR("-----BEGIN NOTHING-----\nAAAA\n-----END NOTHING-----\n");
}

static struct str half_key(void)
{
    return half("ecdsa", "key");
}

static struct str half_certificate(void)
{
    return half("ecdsa", "leaf.pem");
}

/* The certificate is whole, and its issuer's is not. */
static struct str half_chain(void)
{
    return joined(pki_read("ecdsa", "leaf.pem"), half("inter", "leaf.pem"), STR(""));
}

static struct str key_of_another(void)
{
    return pki_read("next", "key");
}

static struct str key_of_another_kind(void)
{
    return pki_read("rsa", "key");
}

static struct str encrypted_key(void)
{
    pki_encrypt("ecdsa", "encrypted.key");
    return file_read("pki/encrypted.key");
}

static struct str key_alone(void)
{
    return pki_read("ecdsa", "key");
}

static struct str certificate_alone(void)
{
    return pki_read("ecdsa", "pem");
}

static struct str issuer_first(void)
{
    return joined(pki_read("inter", "leaf.pem"), pki_read("ecdsa", "leaf.pem"), STR(""));
}

static struct str root_before_issuer(void)
{
    return joined(pki_read("ecdsa", "leaf.pem"), pki_read("root", "leaf.pem"), pki_read("inter", "leaf.pem"));
}

static struct str stranger_behind(void)
{
    return joined(pki_read("ecdsa", "leaf.pem"), pki_read("other-root", "leaf.pem"), STR(""));
}

static const struct breakage {
    const char *what, *file;
    struct str (*content)(void);
} breakages[] = {
    {"a key that is missing", "key", missing},
    {"an empty key", "key", empty},
    {"a key that is none", "key", garbage},
    {"a key cut in the middle", "key", half_key},
    {"the key of another certificate", "key", key_of_another},
    {"a key of another kind", "key", key_of_another_kind},
    {"an encrypted key", "key", encrypted_key},
    {"a certificate for a key", "key", certificate_alone},
    {"a certificate that is missing", "pem", missing},
    {"an empty certificate", "pem", empty},
    {"a certificate that is none", "pem", garbage},
    {"a certificate cut in the middle", "pem", half_certificate},
    {"a chain cut in the middle", "pem", half_chain},
    {"a key for a certificate", "pem", key_alone},
    {"the issuer before the certificate", "pem", issuer_first},
    {"the root before the issuer", "pem", root_before_issuer},
    {"a chain that goes nowhere", "pem", stranger_behind},
};

static void assert_refused(const struct server *server, pid_t worker, const char *what)
{
    struct str told;
    assert_ctl_tells(&told, REFUSED, "reload");
    cr_expect_not_null(strstr(told.p, file_path("tern.yaml:")), "%s: %s", what, told.p);
    cr_expect_not_null(strstr(told.p, ": error: "), "%s: %s", what, told.p);
    cr_expect_null(strstr(told.p, "error:0"), "%s is told in OpenSSL's words: %s", what, told.p);
    cr_assert_eq(tls_worker(server), worker, "%s: another worker", what);
    cr_assert_str_eq(tls_served_name(server->port), "ecdsa", "%s is served", what);
}

/* F09: and nothing is lost, neither connections nor what the next ones get. */
Test(tls_reload, what_is_broken_changes_nothing)
{
    struct server server = tls_serve(CONFIG);
    pid_t worker = tls_worker(&server);
    struct client *kept = tls_open(.port = server.port);
    assert_hello(get(kept, "/hello"));
    size_t descriptors = service_descriptors(server.pid);
    for (size_t i = 0; i < COUNT(breakages); i++) {
        const char *path = pki_file("ecdsa", breakages[i].file);
        struct str good = file_read(path), bad = breakages[i].content();
        if (bad.p)
            file_replace(path, bad);
        else
            cr_assert_eq(unlink(path), 0);
        assert_refused(&server, worker, breakages[i].what);
        assert_hello(get(kept, "/hello"));
        file_replace(path, good);
    }
    cr_assert_leq(service_descriptors(server.pid), descriptors);
    pki_replace("ecdsa", "next");
    assert_ctl(0, "reload");
    cr_assert_str_eq(tls_served_name(server.port), "next");
    assert_stop(&server, 0);
}

/* A site's are loaded with the rest. */
Test(tls_reload, what_is_broken_at_a_site)
{
    struct server server = tls_serve(CONFIG);
    pid_t worker = tls_worker(&server);
    file_replace("pki/site.key", pki_read("next", "key"));
    assert_refused(&server, worker, "a site's key");
    struct client *c = tls_open(.port = server.port, .name = "site.test");
    cr_assert_str_eq(tls_server_name(c), "site");
    pki_replace("site", "next");
    assert_ctl(0, "reload");
    c = tls_open(.port = server.port, .name = "site.test");
    cr_assert_str_eq(tls_server_name(c), "next");
    cr_assert_str_eq(tls_served_name(server.port), "ecdsa");
    assert_stop(&server, 0);
}

/* A server that starts with a broken pair does not start. */
Test(tls_reload, what_is_broken_does_not_start)
{
    pki_make_for(CONFIG);
    file_write("tern.yaml", str_of(harness_expand(CONFIG)));
    file_directory("run");
    file_directory("www");
    for (size_t i = 0; i < COUNT(breakages); i++) {
        const char *path = pki_file("ecdsa", breakages[i].file);
        struct str good = file_read(path), bad = breakages[i].content();
        if (bad.p)
            file_replace(path, bad);
        else
            cr_assert_eq(unlink(path), 0);
        int line = strcmp(breakages[i].file, "key") == 0 ? 7 : 6;
        const char *place = harness_text("tern.yaml:%d:", line);
        struct result test = run_tern("-t", "-c", "@DIR@/tern.yaml"), start = run_tern("-c", "@DIR@/tern.yaml");
        cr_expect(test.status != 0 && start.status != 0, "%s: %d, %d", breakages[i].what, test.status, start.status);
        cr_expect(strstr(test.err.p, place) || strstr(test.err.p, "tern.yaml:6:"), "%s: %s", breakages[i].what,
                  test.err.p);
        cr_expect_not_null(strstr(start.err.p, "tern.yaml:"), "%s: %s", breakages[i].what, start.err.p);
        file_replace(path, good);
    }
    cr_assert_eq(run_tern("-t", "-c", "@DIR@/tern.yaml").status, 0);
}

/* ---- what is good ---- */

/* A file that changes is nothing until somebody says so. */
Test(tls_reload, a_new_certificate_is_served_when_it_is_told)
{
    struct server server = tls_serve(CONFIG);
    pki_replace("ecdsa", "next");
    cr_assert_str_eq(tls_served_name(server.port), "ecdsa");
    assert_ctl(0, "reload");
    for (int i = 0; i < 20; i++)
        cr_assert_str_eq(tls_served_name(server.port), "next");
    assert_stop(&server, 0);
}

Test(tls_reload, old_connections_live_on)
{
    file_write("www/large", file_pattern(LARGE));
    struct server server = tls_serve(CONFIG);
    struct client *kept = tls_open(.port = server.port), *busy = tls_open(.port = server.port, .slow = true);
    struct client *half_way = tls_start(.port = server.port);
    assert_hello(get(kept, "/hello"));
    client_printf(busy, "GET /files/large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    cr_assert_eq(client_peek(busy, 1000).n, 1000);
    SSL_do_handshake(tls_of(half_way)->ssl);
    tls_flush(half_way);
    cr_assert_gt(client_peek(tls_of(half_way)->raw, 1).n, 0);
    pki_replace("ecdsa", "next");
    assert_ctl(0, "reload");
    assert_hello(get(kept, "/hello"));
    cr_assert_eq(tls_shake(half_way), TLS_FINE);
    cr_assert_str_eq(tls_server_name(half_way), "ecdsa");
    assert_hello(get(half_way, "/hello"));
    struct response r = response_read(busy);
    assert_status(r, 200);
    assert_body(r, file_read("www/large"));
    assert_stop(&server, 0);
}

/* Handshakes without a pause while certificates come and go: each gets one of them. */
Test(tls_reload, no_handshake_fails_meanwhile)
{
    static const char *const names[] = {"next", "site"};
    struct server server = tls_serve(CONFIG);
    for (int i = 0; i < 10; i++) {
        pki_replace("ecdsa", names[i % 2]);
        pid_t ctl = service_ctl_start((const char *const[]){"reload", NULL});
        do
            cr_assert(tls_serves(server.port));
        while (!service_is_gone(ctl));
        cr_assert_eq(command_wait(ctl), 0, "%s", file_read("ctl.err").p);
        cr_assert_str_eq(tls_served_name(server.port), names[i % 2]);
    }
    assert_stop(&server, 0);
}

/* A port that was plain becomes a TLS port, and one again that is not. */
Test(tls_reload, a_port_changes_its_kind)
{
    static const char plain[] = "workers: 1\n" TLS_CONTROL "listen: 127.0.0.1:@PORT@\n" TLS_SITES;
    struct server server = tls_serve(plain);
    struct client *old = client_open(server.port);
    assert_hello(get(old, "/hello"));
    tls_write(TLS_USUAL);
    assert_ctl(0, "reload");
    cr_assert(tls_serves(server.port));
    assert_hello(get(old, "/hello"));
    tls_write(plain);
    assert_ctl(0, "reload");
    assert_hello(fetch(server.port, "/hello"));
    assert_stop(&server, 0);
}
