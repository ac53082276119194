/* Pages of `errors`: paths that nobody routes, pages that fail, what a page must not say, and requests that could not
 * be read and have one all the same. */
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define HOST "Host: localhost\r\n"
#define OTHER "Host: other.example\r\n"

static const char config[] =
    "listen: 127.0.0.1:@PORT@\n"
    "workers: 1\n"
    "limits: {header_size: 1k, target_size: 500, header_count: 16, body_size: 10}\n"
    "timeouts: {header: 300ms}\n"
    "sites:\n"
    "  - errors: {4xx: /errors/default.html, 5xx: /errors/default.html}\n"
    "    compress: {min_size: 1}\n"
    "    expires: {'*': 1h}\n"
    "    routes:\n"
    "      - {path: /, files: {root: @DIR@/www}}\n"
    "      - {path: /errors/, files: {root: @DIR@/errors}, headers: {Cache-Control: max-age=60}}\n"
    "      - {exact: /echo, echo: {}}\n"
    "  - hosts: other.example\n"
    "    errors: {4xx: /other.html, 5xx: /other.html}\n"
    "    routes:\n"
    "      - {path: /, files: {root: @DIR@/errors}}\n"
    "      - {exact: /echo, echo: {}}\n"
    "  - hosts: lost.example\n"
    "    errors: {404: /missing.html, 405: /away}\n"
    "    routes: [{path: /, files: {root: @DIR@/www}}, {exact: /away, redirect: {to: /elsewhere}}]\n";

static struct server server;

static void begin(void)
{
    harness_begin();
    file_write("errors/default.html", STR("<h1>the default site's page</h1>"));
    file_write("errors/default.html.gz", STR("<h1>the default site's page</h1>"));
    file_write("errors/other.html", STR("<h1>the other site's page</h1>"));
    file_write("www/style.css", STR("style"));
    server = server_start(config);
}

TestSuite(errors, .init = begin, .fini = harness_end);

/* ---- configurations ---- */

Test(errors, a_page_without_a_route_is_refused)
{
    static const struct {
        const char *site, *message;
    } table[] = {
        {"errors: {404: /x.html}\n    routes: [{path: /a, respond: {}}]\n",
         "wrong.yaml:3:19: error: sites[0].errors.404: no route of this site has this path\n"},
        {"routes: [{exact: /404, respond: {}}]\n    errors:\n      4xx: /404\n      503: /404/\n",
         "wrong.yaml:6:12: error: sites[0].errors.503: no route of this site has this path\n"},
        {"errors: {5xx: /b}\n    routes: [{path: /b/, respond: {}}]\n  - hosts: a\n    routes: [{path: /, respond: "
         "{}}]\n",
         "wrong.yaml:3:19: error: sites[0].errors.5xx: no route of this site has this path\n"},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        file_write("wrong.yaml", str_of(harness_text("listen: 127.0.0.1:1\nsites:\n  - %s", table[i].site)));
        struct result r = run_tern("-t", "-c", "@DIR@/wrong.yaml");
        cr_expect_eq(r.status, 2, "%d for %s", r.status, table[i].site);
        cr_expect_not_null(strstr(r.err.p, table[i].message), "%s: %s", table[i].site, r.err.p);
    }
}

/* ---- pages that fail ---- */

/* The peer is not told why; whoever can put it right is. */
Test(errors, a_page_that_fails_is_logged)
{
    static const char missing[] = "errors: no page for 404: /missing.html is answered with 404";
    struct response r = fetch_raw(server.port, "GET /nothing HTTP/1.1\r\nHost: lost.example\r\n\r\n");
    assert_status(r, 404);
    assert_body(r, STR("404 Not Found\n"));
    const char *first = strstr(server_log(&server).p, missing);
    cr_assert_not_null(first, "%s", server_log(&server).p);
    cr_assert_null(strstr(first + 1, missing), "%s", server_log(&server).p);
    r = fetch_raw(server.port, "POST /style.css HTTP/1.1\r\nHost: lost.example\r\nContent-Length: 0\r\n\r\n");
    assert_status(r, 405);
    assert_no_field(r, "Location");
    assert_body(r, STR("405 Method Not Allowed\n"));
}

/* ---- what a page says of itself ---- */

/* Who asks again with a tag, or for a range, asks for what was asked for, not for the page. */
Test(errors, a_page_has_no_validators)
{
    static const char *const requests[] = {
        "GET /nothing HTTP/1.1\r\n" HOST "\r\n",
        "GET /nothing HTTP/1.1\r\n" HOST "If-None-Match: *\r\nIf-Match: \"x\"\r\n\r\n",
        "GET /nothing HTTP/1.1\r\n" HOST "Range: bytes=0-1\r\n\r\n",
        "GET /nothing HTTP/1.1\r\n" HOST "Accept-Encoding: gzip\r\n\r\n",
        "POST /style.css HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n",
        "BREW /style.css HTTP/1.1\r\n" HOST "\r\n",
        "GET /nothing HTTP/1.1\r\n" OTHER "\r\n",
    };
    static const char *const none[] = {"ETag",          "Last-Modified", "Accept-Ranges", "Content-Range",
                                       "Cache-Control", "Expires",       "Location"};
    for (size_t i = 0; i < COUNT(requests); i++) {
        struct response r = fetch_raw(server.port, requests[i]);
        cr_assert(r.status >= 400 && r.complete, "%d for %s", r.status, requests[i]);
        assert_field(r, "Content-Type", "text/html; charset=utf-8");
        for (size_t k = 0; k < COUNT(none); k++)
            assert_no_field(r, none[k]);
    }
}

/* ---- requests that could not be read ---- */

#define LONG "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define LONGER LONG LONG LONG LONG LONG LONG

static const struct {
    const char *request;
    int status;
    bool other; /* its Host was read */
} unreadable[] = {
    {"bad\r\n\r\n", 400, false},
    {"GET / HTTP/1.1\r\n\r\n", 400, false},
    {"GET / HTTP/1.1\r\n" HOST "X: \x01\r\n\r\n", 400, false},
    {"GET /" LONGER " HTTP/1.1\r\n" HOST "\r\n", 414, false},
    {"GET /" LONGER LONGER, 414, false},
    {"GET / HTTP/1.1\r\n" HOST "X: " LONGER LONGER "\r\n\r\n", 431, false},
    {"GET / HTTP/1.1\r\n" HOST "Expect: wonders\r\n\r\n", 417, false},
    {"GET / HTTP/1.1\r\n" HOST "Expect", 408, false},
    {"BREW / HTTP/1.1\r\n" HOST "\r\n", 501, false},
    {"GET / HTTP/3.0\r\n" HOST "\r\n", 505, false},
    {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 11\r\n\r\n", 413, false},
    {"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n", 501, false},
    {"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nx\r\n", 400, false},
    {"GET / HTTP/1.1\r\n" OTHER "Expect: wonders\r\n\r\n", 417, true},
    {"POST /echo HTTP/1.1\r\n" OTHER "Content-Length: 11\r\n\r\n", 413, true},
    {"POST /echo HTTP/1.1\r\n" OTHER "Transfer-Encoding: gzip\r\n\r\n", 501, true},
    {"POST /echo HTTP/1.1\r\n" OTHER "Transfer-Encoding: chunked\r\n\r\nx\r\n", 400, true},
};

/* The page is that of the site whose Host was read, else the default one's; the connection ends with it. */
Test(errors, requests_that_could_not_be_read)
{
    for (size_t i = 0; i < COUNT(unreadable); i++) {
        struct client *c = client_open(server.port);
        client_printf(c, "%s", unreadable[i].request);
        struct response r = response_read(c);
        cr_expect_eq(r.status, unreadable[i].status, "%d for %s", r.status, unreadable[i].request);
        struct str page = file_read(unreadable[i].other ? "errors/other.html" : "errors/default.html");
        cr_expect(str_eq(r.body, page), "%d for %s: " STR_FMT, r.status, unreadable[i].request, STR_ARG(r.body));
        cr_expect(response_has(&r, "Connection", "close"), STR_FMT, STR_ARG(r.head));
        cr_expect(r.complete && client_ends(c), "%s", unreadable[i].request);
        client_close(c);
    }
}
