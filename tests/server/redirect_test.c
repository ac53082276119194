/* Where requests in the clear are sent: by a site, by a route with variables, and where that ends. */
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>

TestSuite(redirect_variables, .init = harness_begin, .fini = harness_end);

#define CONFIG                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 1\n"                                                                                                     \
    "log: {access: {path: @DIR@/access.log, format: '%s %E|%{SSL_PROTOCOL}x|%{SSL_TLS_SNI}x'}}\n"                      \
    "sites:\n"                                                                                                         \
    "  - hosts: secure.example.org\n"                                                                                  \
    "    redirect: {to: 'https://$host$uri', status: 308}\n"                                                           \
    "    hsts: 1y\n"                                                                                                   \
    "    deny: '::/0'\n"                                                                                               \
    "    routes:\n"                                                                                                    \
    "      - {path: /, respond: {body: never}}\n"                                                                      \
    "      - {path: /.well-known/acme-challenge/, respond: {body: token}}\n"                                           \
    "  - hosts: [www.example.org, example.org]\n"                                                                      \
    "    redirect: {to: 'http://www.example.org'}\n"                                                                   \
    "    routes:\n"                                                                                                    \
    "      - {path: /, respond: {body: here}}\n"                                                                       \
    "      - {path: /old/, redirect: {to: '/new/$method/', status: 301}}\n"                                            \
    "  - redirect: {to: 'https://$host$uri'}\n"                                                                        \
    "    routes: [{path: /, respond: {body: never}}]\n"                                                                \
    "  - hosts: routes\n"                                                                                              \
    "    headers: {X-Uri: '$uri', X-Host: '$host', X-User: $user, X-Tls: $tls_subject}\n"                              \
    "    routes:\n"                                                                                                    \
    "      - {path: /, redirect: {to: 'https://$host$uri'}}\n"                                                         \
    "      - {path: /loop, redirect: {to: '$scheme://$host$uri'}}\n"                                                   \
    "      - {path: /braces, redirect: {to: '$${scheme}s://$${host}.$$$$/$${method}'}}\n"

struct mistake {
    const char *lines, *message;
};

static const struct mistake mistakes[] = {
    {"redirect: {to: https://$hots$uri}", "tern.yaml:4:20: error: sites[0].redirect.to: there is no variable $hots; "
                                          "there are $host $uri "},
    {"redirect: {to: 'https://${nope}$uri'}", "the environment variable nope is not set\n"},
    {"redirect: {to: /x}", "sites[0].redirect.to: must be a URL"},
    {"redirect: {to: https://$host/x$uri}", "sites[0].redirect.to: an endless loop"},
    {"headers: {A: b, X-Client: $tls_sbject}", "sites[0].headers.X-Client: there is no variable $tls_sbject; "},
    {"hsts: 1year", "tern.yaml:4:11: error: sites[0].hsts: `1year` is not a duration"},
    {"hsts: {max_age: 1y, preload: on}", "sites[0].hsts.preload: wants `subdomains: on`"},
};

Test(redirect_variables, mistakes_are_found_before_anything_runs)
{
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        const char *config = harness_text("listen: 127.0.0.1:@PORT@\nworkers: 1\nsites:\n  - %s\n"
                                          "    routes: [{path: /, respond: {}}]\n",
                                          mistakes[i].lines);
        file_write("tern.yaml", str_of(harness_expand(config)));
        struct result r = run_tern("-t", "-c", "@DIR@/tern.yaml");
        cr_expect_eq(r.status, 2, "%s", mistakes[i].lines);
        cr_expect(strstr(r.err.p, mistakes[i].message), "%s: %s", mistakes[i].lines, r.err.p);
    }
}

struct journey {
    const char *host, *target;
    int status;
    const char *location; /* NULL: none */
};

static const struct journey journeys[] = {
    /* what a peer may try */
    {"secure.example.org", "/%0d%0aX-Evil:%20a?%0d%0aX-Evil:b", 308,
     "https://secure.example.org/%0D%0AX-Evil:%20a?%0d%0aX-Evil:b"},
    {"secure.example.org", "//evil.example/..%2f", 308, "https://secure.example.org/evil.example/..%2F"},
    {"evil.example", "/", 302, "https://evil.example/"},
    {"", "/", 400, NULL},
    {"routes", "/braces?$host", 302, "https://routes.$$/GET?$host"},
    {"routes", "/loop/x", 500, NULL},
    {"routes", "/loop/x%0d%0aX-Evil:a", 500, NULL},
    /* to https */
    {"secure.example.org", "/", 308, "https://secure.example.org/"},
    {"secure.example.org:8080", "/a%22b?c", 308, "https://secure.example.org/a%22b?c"},
    {"secure.example.org", "/.well-known/", 308, "https://secure.example.org/.well-known/"},
    {"secure.example.org", "/.well-known/acme-challenge/x", 200, NULL},
    {"routes", "/a?b", 302, "https://routes/a?b"},
    /* to the host that is meant, and then the routes */
    {"example.org", "/a?b", 302, "http://www.example.org/a?b"},
    {"WWW.example.org:80", "/a?b", 200, NULL},
    {"www.example.org", "/old/a?b", 301, "/new/GET/a?b"},
    {"example.org", "/old/a?b", 302, "http://www.example.org/old/a?b"},
};

Test(redirect_variables, where_to)
{
    struct server server = server_start(CONFIG);
    struct client *c = client_open(server.port);
    for (size_t i = 0; i < sizeof journeys / sizeof *journeys; i++) {
        const struct journey *j = &journeys[i];
        struct response r = ask(c, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", j->target, j->host);
        struct str location = response_field(&r, "Location");
        cr_expect_eq(r.status, j->status, "%s%s: %d", j->host, j->target, r.status);
        cr_expect(str_eq(location, str_of(j->location)), "%s%s: " STR_FMT, j->host, j->target, STR_ARG(location));
        assert_no_field(r, "X-Evil");
        assert_no_field(r, "Strict-Transport-Security"); /* RFC 6797, 7.2 */
    }
    struct response r = ask(c, "POST /x HTTP/1.1\r\nHost: secure.example.org\r\nContent-Length: 3\r\n\r\nabc");
    assert_status(r, 308);
    r = ask(c, "OPTIONS * HTTP/1.1\r\nHost: secure.example.org\r\n\r\n");
    assert_status(r, 200);
}

/* In the clear there is nothing to tell of TLS, and the log says why somebody was not redirected. */
Test(redirect_variables, in_the_access_log)
{
    struct server server = server_start(CONFIG);
    struct client *c = client_open(server.port);
    assert_status(ask(c, "GET / HTTP/1.1\r\nHost: \r\n\r\n"), 400);
    assert_status(ask(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 302);
    assert_stop(&server, 0);
    cr_expect_str_eq(file_read("access.log").p, "400 no host to be redirected to|-|-\n302 -|-|-\n");
}

Test(redirect_variables, fields)
{
    struct server server = server_start(CONFIG);
    struct client *c = client_open(server.port);
    struct response r = ask(c, "GET /a%%0d%%0ab?\"$uri HTTP/1.1\r\nHost: Routes:1\r\n\r\n");
    assert_field(r, "X-Uri", "/a%0D%0Ab?%22$uri");
    assert_field(r, "X-Host", "Routes");
    assert_no_field(r, "X-User");
    assert_no_field(r, "X-Tls");
}
