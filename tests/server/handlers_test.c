/* The handlers that need no files: respond, redirect, echo. */
#include "harness.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>

#define CONFIG                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 1\n"                                                                                                     \
    "sites:\n"                                                                                                         \
    "  - routes:\n"                                                                                                    \
    "      - {exact: /text, respond: {status: 200, type: text/plain, body: \"ok\\n\"}}\n"                              \
    "      - {exact: /teapot, respond: {status: 418, type: text/html, body: \"<p>short\"}}\n"                          \
    "      - {exact: /nothing, respond: {status: 204}}\n"                                                              \
    "      - {exact: /empty, respond: {status: 200}}\n"                                                                \
    "      - {path: /old/, redirect: {to: \"/new/\", status: 301}}\n"                                                  \
    "      - {path: /away, redirect: {to: \"https://example.org/base\", status: 308}}\n"                               \
    "      - {exact: /moved, redirect: {to: \"/here\"}}\n"                                                             \
    "      - {path: /all, redirect: {to: \"/\", status: 302}}\n"                                                       \
    "      - {path: /echo, echo: {}}\n"

static struct server server;

static void begin(void)
{
    harness_begin();
    server = server_start(CONFIG);
}

TestSuite(handlers, .init = begin, .fini = harness_end);

/* Nothing of a request ends up as a field, or a host, of its own in the answer. */
Test(handlers, a_redirect_cannot_be_abused)
{
    static const char *const targets[] = {
        "/old/%0d%0aX-Injected:%20yes",   "/old/x%0aX-Injected:%20yes", "/old/%00",
        "/old/?a%0d%0aX-Injected:%20yes", "/all//evil.example/",        "/all/%2fevil.example/",
        "/all/%5cevil.example/",          "/all/../all//evil.example",  "/all/.//evil.example"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        struct response r = fetch(server.port, targets[i]);
        struct str location = response_field(&r, "Location");
        cr_assert((r.status == 400 && !location.p) || (r.status >= 300 && r.status < 400 && location.n), "%d for %s",
                  r.status, targets[i]);
        assert_no_field(r, "X-Injected");
        cr_assert_not(str_starts(location, STR("//")), "%s leads to " STR_FMT, targets[i], STR_ARG(location));
        cr_assert_not(str_starts(location, STR("/\\")), "%s leads to " STR_FMT, targets[i], STR_ARG(location));
    }
}

Test(handlers, redirect_appends_what_follows_the_prefix)
{
    static const struct {
        const char *target, *location;
        int status;
    } table[] = {
        {"/old/", "/new/", 301},
        {"/old/a/b", "/new/a/b", 301},
        {"/old/a?b=c&d", "/new/a?b=c&d", 301},
        {"/old/?q", "/new/?q", 301},
        {"/old/a%20b%C3%A4", "/new/a%20b%C3%A4", 301},
        {"/away", "https://example.org/base", 308},
        {"/away/x/y?z", "https://example.org/base/x/y?z", 308},
    };
    struct client *c = client_open(server.port);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct response r = get(c, table[i].target);
        assert_status(r, table[i].status);
        assert_field(r, "Location", table[i].location);
        r = ask(c, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", table[i].target);
        assert_status(r, table[i].status);
    }
    struct response r = get(c, "/moved");
    cr_assert(r.status >= 301 && r.status <= 308, "%d", r.status);
    assert_field(r, "Location", "/here");
}

Test(handlers, respond)
{
    struct client *c = client_open(server.port);
    for (int i = 0; i < 2; i++) {
        struct response r = get(c, "/text");
        assert_status(r, 200);
        assert_field(r, "Content-Type", "text/plain");
        assert_body(r, STR("ok\n"));
        r = get(c, "/teapot");
        assert_status(r, 418);
        assert_field(r, "Content-Type", "text/html");
        assert_body(r, STR("<p>short"));
        r = get(c, "/empty");
        assert_status(r, 200);
        assert_field(r, "Content-Length", "0");
        r = get(c, "/nothing");
        assert_status(r, 204);
        assert_no_field(r, "Content-Length"); /* RFC 9110, 8.6 */
    }
}

Test(handlers, echo_takes_any_method)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"};
    struct client *c = client_open(server.port);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        const char *body = harness_text("%s\n\r\n\"body\"", methods[i]);
        struct response r =
            ask(c, "%s /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: a/b; c=d\r\nContent-Length: %zu\r\n\r\n%s",
                methods[i], strlen(body), body);
        assert_status(r, 200);
        assert_body(r, str_of(body));
        assert_field(r, "Content-Type", "a/b; c=d");
    }
    struct response r = get(c, "/echo");
    assert_status(r, 200);
    assert_body(r, STR(""));
    client_printf(c, "HEAD /echo HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_status(response_read_head(c), 200);
    r = get(c, "/text");
    assert_body(r, STR("ok\n"));
}
