/* explain_test.c: what a request would meet in a configuration, and what is no question. */
#include "../conf/folder.h"
#include "../net/tls_keys.h"
#include "ctl/answer.h"
#include "proc/explain.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define HASH "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"

static const char main_file[] = "listen:\n"
                                "  - '127.0.0.1:8080'\n"
                                "  - {address: '*:8443', tls: {certificate: cert.pem, key: key.pem}}\n"
                                "  - 'unix:web.sock'\n"
                                "limits:\n"
                                "  header_size: 64k\n"
                                "  target_size: 100\n"
                                "timeouts: {idle: 5s}\n"
                                "include: [sites.d/*.yaml]\n"
                                "sites: []\n"
                                "log: {slow: 3s}\n";

static const char site_file[] = "sites:\n"
                                "  - hosts: [example.org, '*.example.org', '*.a.example.org']\n"
                                "    headers: {X-Frame-Options: DENY}\n"
                                "    limit: {requests: 5/s}\n"
                                "    redirect: {to: 'https://$host$uri', status: 308}\n"
                                "    routes:\n"
                                "      - path: /.well-known/acme-challenge/\n"
                                "        files: {root: www}\n"
                                "      - path: /\n"
                                "        limit: off\n"
                                "        files:\n"
                                "          root: www\n"
                                "  - hosts: [secret.test, 127.0.0.3]\n"
                                "    tls: {certificate: cert.pem, key: key.pem, client_ca: cert.pem}\n"
                                "    routes: [{path: /, echo: {}}]\n"
                                "  - routes:\n"
                                "      - {path: /api, respond: {status: 200, type: text/plain, body: 'a, b'}}\n"
                                "      - {path: /api/v1/, echo: {}}\n"
                                "      - {exact: /api/v1/x, auth: {users: {alice: '" HASH "'}}, echo: {}}\n"
                                "      - {path: /old/, redirect: {to: /new/, status: 301}}\n"
                                "      - {path: /gone, redirect: {to: 'https://$host$uri', status: 308}}\n"
                                "  - hosts: [closed.test]\n"
                                "    deny: 10.9.0.0/16\n"
                                "    headers: {X-A: site}\n"
                                "    limit: {requests: 5/s}\n"
                                "    routes:\n"
                                "      - {path: /, allow: 10.0.0.0/8, limit: {requests: 9/s}, headers: {X-B: route}, "
                                "echo: {}}\n"
                                "  - hosts: [nobody.test]\n"
                                "    deny: [10.0.0.0/8, all]\n"
                                "    slow: 2s\n"
                                "    redirect: {to: 'https://$host$uri', status: 308}\n"
                                "    routes:\n"
                                "      - {path: /, echo: {}}\n"
                                "      - {path: /some, allow: 10.0.0.0/8, slow: off, echo: {}}\n"
                                "  - hosts: [half.test]\n"
                                "    routes:\n"
                                "      - {path: /, deny: all, allow: 10.0.0.0/8, echo: {}}\n"
                                "      - {path: /none, deny: all, echo: {}}\n";

static struct config *config;

static void write_certificate(void)
{
    EVP_PKEY *key = tls_keys_make("EC");
    X509 *x509 = tls_keys_certify(key, "example.org", NULL, key, 1);
    FILE *cert = fopen("cert.pem", "w"), *secret = fopen("key.pem", "w");
    cr_assert(cert && secret);
    cr_assert(PEM_write_X509(cert, x509) && PEM_write_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL));
    fclose(cert);
    fclose(secret);
    X509_free(x509);
    EVP_PKEY_free(key);
}

static void load(void)
{
    static const struct config_options options = {.file = "main.yaml"};
    folder_enter();
    folder_write("main.yaml", main_file);
    folder_write("sites.d/1.yaml", site_file);
    folder_write("www/index.html", "hello");
    cr_assert_eq(chmod("www", 0755), 0); /* for workers, who are not root */
    write_certificate();
    config = config_load(&options, stderr);
    cr_assert_not_null(config);
}

static void unload(void)
{
    config_free(config);
    folder_leave();
}

TestSuite(explain, .init = load, .fini = unload);

static char text[EXPLAIN_SIZE], reason[256];

static int ask(const char *question, size_t room)
{
    struct out o = out_on(text, room - 1), why = out_on(reason, sizeof reason - 1);
    int error = explain(config, str_of(question), &o, &why);
    *o.at = *why.at = '\0';
    return error;
}

/* ---- what is no question ---- */

Test(explain, rejects)
{
    static const char *const table[][2] = {
        {"", "a URL begins with "},
        {"example.org", "a URL begins with "},
        {"example.org/", "a URL begins with "},
        {"ftp://example.org/", "a URL begins with "},
        {"http:/example.org/", "a URL begins with "},
        {"GET", "a URL begins with "},
        {"GET example.org", "a URL begins with "},
        {"GET / HTTP/1.1", "a question is [METHOD] URL"},
        {"#x", "a URL begins with "},
        {"http://", "the URL has no host"},
        {"http:///x", "the URL has no host"},
        {"https://:443/", "the URL has no host"},
        {"http://?x", "the URL has no host"},
        {"http://user:pw@example.org/", "has no user and no password"},
        {"http://user@example.org:99999/", "has no user and no password"},
        {"http://example.org:99999/", "the port of the URL is none"},
        {"http://example.org:0/", "the port of the URL is none"},
        {"http://example.org:80x/", "the port of the URL is none"},
        {"http://[::1]:99999/", "the port of the URL is none"},
        {"http://exa|mple.org/", "the host of the URL is malformed"},
        {"http://[::1/", "the host of the URL is malformed"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        cr_expect_eq(ask(table[i][0], sizeof text), -EINVAL, "%s: %s", table[i][0], text);
        cr_expect(strstr(reason, table[i][1]), "%s: %s", table[i][0], reason);
    }
}

Test(explain, an_answer_that_does_not_fit)
{
    cr_expect_eq(ask("/", 100), -EMSGSIZE);
}

/* ---- what is met ---- */

struct row {
    const char *question;
    const char *parts[8];
};

static void expect_parts(const struct row *row)
{
    cr_expect_eq(ask(row->question, sizeof text), 0, "%s: %s", row->question, reason);
    for (size_t i = 0; row->parts[i]; i++) {
        bool absent = row->parts[i][0] == '!';
        cr_expect_eq(strstr(text, row->parts[i] + absent) != NULL, !absent, "%s: %s in %s", row->question,
                     row->parts[i], text);
    }
    struct answer *answer = answer_read(str_of(text));
    cr_expect_not_null(answer, "%s: no JSON: %s", row->question, text);
    answer_free(answer);
}

static void expect_all(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect_parts(&rows[i]);
}

#define EXPECT_ALL(rows) expect_all(rows, sizeof(rows) / sizeof *(rows))
#define STATUS(n) "\"outcome\":{\"status\":" n ","
#define DEAF "\"outcome\":{\"why\":\"connection: refused, nothing listens on "
#define NO_OUTCOME "!\"outcome\""
#define PLAIN                                                                                                          \
    "\"listeners\":[{\"address\":\"127.0.0.1:8080\",\"tls\":false,\"http2\":true,\"certain\":true,\"at\":\"main.yaml:" \
    "2\"}]"
#define SECURE                                                                                                         \
    "\"listeners\":[{\"address\":\"*:8443\",\"tls\":true,\"http2\":true,\"certain\":true,\"at\":\"main.yaml:3\"}]"
#define NONE "\"listeners\":[]"

Test(explain, requests_that_are_refused_before_they_are_routed)
{
    static char long_url[128] = "/";
    memset(long_url + 1, 'x', 100);
    const struct row rows[] = {
        {"FOO /", {STATUS("501"), PLAIN, "!\"site\""}},
        {"G(T /", {STATUS("400")}},
        {"get /", {STATUS("501")}},
        {"CONNECT example.org:80", {STATUS("501")}},
        {"CONNECT /", {STATUS("400")}},
        {"GET *", {STATUS("400")}},
        {"/%zz", {STATUS("400"), "a malformed target"}},
        {"/%00", {STATUS("400")}},
        {"http://127.0.0.1:8080/%zz", {STATUS("400"), PLAIN}},
        {long_url, {STATUS("414"), "limits.target_size"}},
    };
    EXPECT_ALL(rows);
}

Test(explain, where_it_comes_in)
{
    static const struct row rows[] = {
        {"/api", {PLAIN, "!\"port\""}},
        {"http://any:8080/api", {PLAIN, "\"port\":8080", NO_OUTCOME}},
        {"HTTP://127.0.0.1:8080/api", {PLAIN}},
        {"http://any:8080", {PLAIN, "\"path\":\"/\""}},
        {"http://127.0.0.2:8080/api",
         {NONE, "\"port\":8080", "\"route\"", DEAF "this address and port 8080\",\"fields\":[]}"}},
        {"http://[::1]:8080/api", {NONE, DEAF "this address and port 8080\""}},
        {"FOO http://any:1/%zz", {NONE, DEAF "port 1\"", "!\"status\""}},
        {"https://127.0.0.2:8443/api", {SECURE, NO_OUTCOME}},
        {"http://any/api", {NONE, "\"port\":80,", "\"route\"", DEAF "port 80\""}},
        {"http://any:/api", {NONE, DEAF "port 80\""}},
        {"https://any/api", {NONE, "\"port\":443,", DEAF "port 443\""}},
        {"http://any:8443/api", {SECURE, STATUS("400"), "a plain HTTP request on a port of TLS"}},
        {"https://any:8080/api", {PLAIN, "\"outcome\":{\"why\":\"the handshake of TLS fails"}},
    };
    EXPECT_ALL(rows);
}

Test(explain, which_site)
{
    static const struct row rows[] = {
        {"/api", {"\"site\":{\"by\":\"default\",\"at\":\"sites.d/1.yaml:16\"}"}},
        {"http://example.com:8080/api", {"\"by\":\"default\""}},
        {"https://Example.Org:8443/",
         {"\"site\":{\"by\":\"name\",\"name\":\"example.org\",\"at\":\"sites.d/1.yaml:2\"}"}},
        {"https://example.org.:8443/", {"\"name\":\"example.org\""}},
        {"https://b.example.org:8443/", {"\"by\":\"wildcard\",\"name\":\"*.example.org\""}},
        {"https://b.a.example.org:8443/", {"\"name\":\"*.a.example.org\""}},
    };
    EXPECT_ALL(rows);
}

#define API "{\"kind\":\"path\",\"path\":\"/api\",\"at\":\"sites.d/1.yaml:17\"}"
#define V1 "{\"kind\":\"path\",\"path\":\"/api/v1/\",\"at\":\"sites.d/1.yaml:18\"}"
#define OLD "{\"kind\":\"path\",\"path\":\"/old/\",\"at\":\"sites.d/1.yaml:20\"}"

Test(explain, which_route)
{
    static const struct row rows[] = {
        {"/api/v1/x",
         {"\"route\":{\"kind\":\"exact\",\"path\":\"/api/v1/x\",\"at\":\"sites.d/1.yaml:19\",\"others\":[" API "," V1
          "]}"}},
        {"/api/v1/y", {"\"path\":\"/api/v1/\",\"at\":\"sites.d/1.yaml:18\",\"others\":[" API "]", NO_OUTCOME}},
        {"/x/..//api/./v1/%79#top", {"\"path\":\"/api/v1/y\",\"normalised\":true", "\"others\":[" API "]"}},
        {"/api?/v1/", {"\"path\":\"/api\",\"normalised\":false", "\"others\":[]"}},
        {"/apix", {STATUS("404"), "\"nearest\":[" API "," V1 ",", "!\"route\"", "!\"handler\""}},
        {"/ol", {STATUS("404"), "\"nearest\":[" OLD ","}},
        {"/api%2Fv1/", {STATUS("404"), "\"path\":\"/api%2Fv1/\""}},
    };
    EXPECT_ALL(rows);
}

Test(explain, on_which_terms)
{
    static const struct row rows[] = {
        {"https://example.org:8443/a",
         {"\"name\":\"headers\",\"value\":\"X-Frame-Options: DENY\",\"of\":\"site\",\"answers\":false,"
          "\"at\":\"sites.d/1.yaml:3\"",
          "\"name\":\"limit\",\"value\":\"off\",\"of\":\"route\",\"answers\":false,\"at\":\"sites.d/1.yaml:10\"",
          "\"handler\":{\"name\":\"files\",\"at\":\"sites.d/1.yaml:11\",\"settings\":[{\"name\":\"root\","
          "\"value\":\"www\",\"at\":\"sites.d/1.yaml:12\"}",
          "\"value\":\"index.html\",\"at\":\"default\"", NO_OUTCOME}},
        {"https://example.org:8443/.well-known/acme-challenge/x",
         {"\"name\":\"limit\",\"value\":\"requests: 5/s, by: client\",\"of\":\"site\",\"answers\":true,"
          "\"at\":\"sites.d/1.yaml:4\""}},
        {"/api/v1/x", {"\"value\":\"users: {alice: \\\"***\\\"}, realm: Restricted\"", "!" HASH}},
        {"/api", {"\"name\":\"body\",\"value\":\"\\\"a, b\\\"\"", "\"policies\":[]"}},
        {"/",
         {"\"limits\":[{\"name\":\"header_size\",\"value\":\"64k\",\"at\":\"main.yaml:6\"}",
          "\"name\":\"body_size\",\"value\":\"16m\",\"at\":\"default\"",
          "\"timeouts\":[{\"name\":\"idle\",\"value\":\"5s\",\"at\":\"main.yaml:8\"}"}},
    };
    EXPECT_ALL(rows);
}

/* Lists of networks, and fields, of a site hold for a route that has its own, too; other policies of the site do not.
 * */
Test(explain, what_a_route_adds_to_its_site)
{
    static const struct row rows[] = {
        {"http://closed.test:8080/",
         {"{\"name\":\"deny\",\"value\":\"10.9.0.0/16\",\"of\":\"site\",\"answers\":true,\"at\":\"sites.d/1.yaml:23\"},"
          "{\"name\":\"allow\",\"value\":\"10.0.0.0/8\",\"of\":\"route\",\"answers\":true,\"at\":\"sites.d/"
          "1.yaml:27\"}",
          "\"value\":\"X-A: site\",\"of\":\"site\",\"answers\":false,\"at\":\"sites.d/1.yaml:24\"},"
          "{\"name\":\"headers\",\"value\":\"X-B: route\",\"of\":\"route\"",
          "9/s", "!5/s"}},
    };
    EXPECT_ALL(rows);
}

#define ALWAYS "\"answers\":true,\"always\":true"

/* `deny: all` is refined by an `allow` beside it alone: a route does not open what its site closes. */
Test(explain, who_lets_nobody_in)
{
    static const struct row rows[] = {
        {"http://nobody.test:8080/", {STATUS("403"), "always refused", ALWAYS ",\"at\":\"sites.d/1.yaml:29\""}},
        {"http://nobody.test:8080/some", {STATUS("403"), ALWAYS}},
        {"http://half.test:8080/none", {STATUS("403"), ALWAYS}},
        {"http://half.test:8080/", {NO_OUTCOME, "!\"always\""}},
        {"http://closed.test:8080/", {NO_OUTCOME, "!\"always\""}},
    };
    EXPECT_ALL(rows);
}

Test(explain, what_is_slow)
{
    static const struct row rows[] = {
        {"/api", {"\"slow\":{\"value\":\"3s\",\"of\":\"log\",\"at\":\"main.yaml:11\"}"}},
        {"/nowhere", {"\"slow\":{\"value\":\"3s\",\"of\":\"log\""}},
        {"http://nobody.test:8080/", {"\"slow\":{\"value\":\"2s\",\"of\":\"site\",\"at\":\"sites.d/1.yaml:30\"}"}},
        {"http://nobody.test:8080/some",
         {"\"slow\":{\"value\":\"off\",\"of\":\"route\",\"at\":\"sites.d/1.yaml:34\"}"}},
        {"OPTIONS *", {"!\"slow\""}},
    };
    EXPECT_ALL(rows);
}

Test(explain, what_answers_instead_of_the_handler)
{
    static const struct row rows[] = {
        {"http://example.org:8080/a%20b?c",
         {STATUS("308"), "the site redirects", "\"fields\":[\"Location: https://example.org/a%20b?c\"]", "\"files\""}},
        {"http://example.org:8080/.well-known/acme-challenge/x", {NO_OUTCOME}},
        {"https://example.org:8443/.well-known/acme-challenge/x", {NO_OUTCOME}},
        {"/old/x?y", {STATUS("301"), "\"fields\":[\"Location: /new/x?y\"]"}},
        {"/gone", {"\"outcome\":{\"why\":\"the redirect needs a host: give the whole URL\",\"fields\":[]}"}},
        {"http://x:8080/gone", {STATUS("308"), "Location: https://x/gone"}},
        {"POST https://example.org:8443/", {STATUS("405"), "\"fields\":[\"Allow: GET, HEAD, OPTIONS\"]"}},
        {"OPTIONS https://example.org:8443/", {STATUS("200"), "Allow: GET, HEAD, OPTIONS"}},
        {"OPTIONS *", {STATUS("200"), "!\"route\""}},
        {"http://secret.test:8080/", {STATUS("403"), "demands certificates"}},
        {"https://secret.test:8443/", {NO_OUTCOME}},
        {"https://127.0.0.3:8443/", {STATUS("421"), "made for another"}},
        {"POST /api/v1/y", {NO_OUTCOME}},
        {"TRACE /api/v1/y", {STATUS("405")}},
    };
    EXPECT_ALL(rows);
}
