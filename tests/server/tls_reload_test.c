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

/* What is in a file that is broken: pieces of others, one behind the other. */
struct piece {
    const char *name, *kind; /* as harness_pki.h has them */
    bool half;               /* the first half of it */
};

static const struct breakage {
    const char *what, *file; /* which of the pair */
    struct piece pieces[3];  /* none: it is empty */
    bool missing;
} breakages[] = {
    {"a key that is missing", "key", .missing = true},
    {"an empty key", "key", .missing = false},
    {"a key that is none", "key", {{"ecdsa", "conf", false}}, false},
    {"a key cut in the middle", "key", {{"ecdsa", "key", true}}, false},
    {"the key of another certificate", "key", {{"next", "key", false}}, false},
    {"a key of another kind", "key", {{"rsa", "key", false}}, false},
    {"an encrypted key", "key", {{"ecdsa", "encrypted", false}}, false},
    {"a certificate for a key", "key", {{"ecdsa", "leaf.pem", false}}, false},
    {"a certificate that is missing", "pem", .missing = true},
    {"an empty certificate", "pem", .missing = false},
    {"a certificate that is none", "pem", {{"ecdsa", "conf", false}}, false},
    {"a certificate cut in the middle", "pem", {{"ecdsa", "leaf.pem", true}}, false},
    {"a chain cut in the middle", "pem", {{"ecdsa", "leaf.pem", false}, {"inter", "leaf.pem", true}}, false},
    {"a key for a certificate", "pem", {{"ecdsa", "key", false}}, false},
    {"the issuer before the certificate", "pem", {{"inter", "leaf.pem", false}, {"ecdsa", "leaf.pem", false}}, false},
    {"the root before the issuer",
     "pem",
     {{"ecdsa", "leaf.pem", false}, {"root", "leaf.pem", false}, {"inter", "leaf.pem", false}},
     false},
    {"a chain that goes nowhere", "pem", {{"ecdsa", "leaf.pem", false}, {"other-root", "leaf.pem", false}}, false},
};

static struct str content_of(const struct breakage *b)
{
    const char *text = "";
    for (size_t i = 0; i < COUNT(b->pieces) && b->pieces[i].name; i++) {
        struct str whole = pki_read(b->pieces[i].name, b->pieces[i].kind);
        cr_assert_gt(whole.n, 0);
        text = harness_text("%s%.*s", text, (int)(b->pieces[i].half ? whole.n / 2 : whole.n), whole.p);
    }
    return str_of(text);
}

/* Breaks the file of the pair "ecdsa"; gives what was in it. */
static struct str break_file(const struct breakage *b)
{
    struct str good = pki_read("ecdsa", b->file);
    pki_encrypt("ecdsa", "ecdsa.encrypted");
    if (b->missing)
        cr_assert_eq(unlink(pki_file("ecdsa", b->file)), 0);
    else
        file_replace(pki_file("ecdsa", b->file), content_of(b));
    return good;
}

static void mend_file(const struct breakage *b, struct str good)
{
    file_replace(harness_text("pki/ecdsa.%s", b->file), good);
}

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
        struct str good = break_file(&breakages[i]);
        assert_refused(&server, worker, breakages[i].what);
        assert_hello(get(kept, "/hello"));
        mend_file(&breakages[i], good);
    }
    pki_replace("ecdsa", "outdated");
    assert_refused(&server, worker, "a pair that has expired");
    assert_hello(get(kept, "/hello"));
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
        struct str good = break_file(&breakages[i]);
        int line = strcmp(breakages[i].file, "key") == 0 ? 7 : 6;
        const char *place = harness_text("tern.yaml:%d:", line);
        struct result test = run_tern("-t", "-c", "@DIR@/tern.yaml"), start = run_tern("-c", "@DIR@/tern.yaml");
        cr_expect(test.status != 0 && start.status != 0, "%s: %d, %d", breakages[i].what, test.status, start.status);
        cr_expect(strstr(test.err.p, place) || strstr(test.err.p, "tern.yaml:6:"), "%s: %s", breakages[i].what,
                  test.err.p);
        cr_expect_not_null(strstr(start.err.p, "tern.yaml:"), "%s: %s", breakages[i].what, start.err.p);
        mend_file(&breakages[i], good);
    }
    cr_assert_eq(run_tern("-t", "-c", "@DIR@/tern.yaml").status, 0);
}

/* A date that has passed keeps nobody from starting again after a crash; but -t tells of it. */
Test(tls_reload, what_has_expired_starts)
{
    file_directory("www");
    pki_make_for(CONFIG);
    pki_replace("ecdsa", "outdated");
    file_write("tern.yaml", str_of(harness_expand(CONFIG)));
    struct result test = run_tern("-t", "-c", "@DIR@/tern.yaml");
    cr_expect_neq(test.status, 0);
    cr_expect_not_null(strstr(test.err.p, "expired"), "%s", test.err.p);
    struct server server = tls_serve(CONFIG);
    cr_expect_str_eq(tls_served_name(server.port), "outdated");
    cr_expect(tls_serves(server.port));
    assert_stop(&server, 0);
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
