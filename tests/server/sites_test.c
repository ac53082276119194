/* What sites and routes ask of every response: `headers`, `expires`, pages of `errors`; and which methods there are. */
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define HOST "Host: localhost\r\n"

#define LISTEN                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 1\n"                                                                                                     \
    "limits: {body_size: 1k}\n"

static const char config[] = LISTEN
    "sites:\n"
    "  - headers: {X-Site: one, X-Both: site}\n"
    "    expires: {text/css: 7d, 'image/*': 2h, '*': 1h}\n"
    "    routes:\n"
    "      - {path: /, files: {root: @DIR@/www}}\n"
    "      - {exact: /hello, respond: {type: text/html, body: hello}}\n"
    "      - {path: /own, files: {root: @DIR@/www}, headers: {x-both: route, X-Own: 'a, b'}, expires: {'*': 0}}\n"
    "      - {exact: /echo, echo: {}}\n"
    "      - {exact: /moved, redirect: {to: /hello}}\n"
    "      - {exact: /cached, respond: {type: text/css}, headers: {Cache-Control: no-store}}\n"
    "  - hosts: pages.example\n"
    "    errors: {4xx: /errors/any.html, 404: /errors/404.html, 405: /errors/405, 413: /errors/missing.html,\n"
    "             429: /errors/any.html, 416: /errors/any.html, 403: /moved}\n"
    "    headers: {X-Site: two}\n"
    "    routes:\n"
    "      - {path: /, files: {root: @DIR@/www}, headers: {X-Route: files}}\n"
    "      - {path: /errors/, files: {root: @DIR@/errors}, headers: {X-Route: errors}, expires: {'*': 1h}}\n"
    "      - {exact: /errors/405, respond: {status: 200, type: text/html, body: not so}}\n"
    "      - {exact: /echo, echo: {}}\n"
    "      - {exact: /limited, respond: {body: x}, limit: {requests: 1/h, burst: 1}}\n"
    "      - {exact: /closed, respond: {body: x}, deny: all}\n"
    "      - {exact: /moved, redirect: {to: /hello}}\n"
    "      - {exact: /teapot, respond: {status: 418, body: short and stout}}\n"
    "  - hosts: bare.example\n"
    "    headers: {X-Site: three}\n"
    "    routes: [{exact: /only, respond: {body: only}}]\n";

static struct server server;

static void begin(void)
{
    harness_begin();
    file_write("www/index.html", STR("index"));
    file_write("www/style.css", STR("style"));
    file_write("www/image.png", STR("image"));
    file_write("errors/404.html", STR("<h1>not here</h1>"));
    file_write("errors/any.html", STR("<h1>something else</h1>"));
    server = server_start(config);
}

TestSuite(sites, .init = begin, .fini = harness_end);

/* A request to one of the sites on a connection of its own, whose end of lines and Host are added. */
static struct response send_to(const char *host, const char *line, const char *fields)
{
    return fetch_raw(server.port, harness_text("%s HTTP/1.1\r\nHost: %s\r\n%s\r\n", line, host, fields));
}

static struct response head_of(const char *host, const char *path)
{
    struct client *c = client_open(server.port);
    client_printf(c, "HEAD %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host);
    return response_read_head(c);
}

/* ---- configurations ---- */

struct mistake {
    const char *site, *message;
};

static const struct mistake mistakes[] = {
    {"headers: x", "sites[0].headers: takes a mapping"},
    {"headers: {A: \"b\\nc\"}", "sites[0].headers.A: a value with a control character"},
    {"headers: {Connection: close}", "sites[0].headers.Connection: a field that the server writes itself"},
    {"expires: 1h", "sites[0].expires: takes a mapping"},
    {"expires: {css: 1h}", "sites[0].expires.css: not a media type"},
    {"errors: [/404.html]", "sites[0].errors: takes a mapping"},
    {"errors: {200: /x}", "sites[0].errors.200: not a status"},
    {"errors: {404: 404.html}", "sites[0].errors.404: not a path of this site"},
    {"header: {A: b}", "sites[0].header: unknown key in a site; did you mean `headers`?"},
};

/* Each is reported as what it is, whatever else there is. */
Test(sites, mistakes_are_told)
{
    for (size_t i = 0; i < COUNT(mistakes); i++) {
        const char *text = "sites: [{%s, routes: [{path: /, respond: {}, headers: {A: b}, expires: {'*': 1h}}]}]\n";
        file_write("wrong.yaml", str_of(harness_text(text, mistakes[i].site)));
        struct result r = run_tern("-t", "-c", "@DIR@/wrong.yaml");
        cr_expect_eq(r.status, 2, "%d for %s", r.status, mistakes[i].site);
        cr_expect_not_null(strstr(r.err.p, mistakes[i].message), "%s: %s", mistakes[i].site, r.err.p);
    }
}

Test(sites, errors_are_a_sites)
{
    file_write("wrong.yaml", STR("sites: [{routes: [{path: /, respond: {}, errors: {404: /x}}]}]\n"));
    struct result r = run_tern("-t", "-c", "@DIR@/wrong.yaml");
    cr_expect_eq(r.status, 2);
    cr_expect_not_null(strstr(r.err.p, "errors: unknown key in a route"), "%s", r.err.p);
}

/* ---- headers ---- */

struct answer {
    const char *line, *fields;
    int status;
};

/* Whatever the answer is, it has the site's fields. */
Test(sites, every_answer_has_the_sites_headers)
{
    static const struct answer table[] = {
        {"GET /missing", "", 404},
        {"POST /style.css", "Content-Length: 0\r\n", 405},
        {"TRACE /hello", "", 405},
        {"POST /echo", "Transfer-Encoding: chunked\r\n\r\nx\r\n", 400},
        {"POST /echo", "Transfer-Encoding: chunked\r\n\r\n500\r\n", 413},
        {"GET /style.css", "Range: bytes=9-\r\n", 416},
        {"GET /style.css", "If-Match: \"x\"\r\n", 412},
        {"GET /moved", "", 302},
        {"GET /style.css", "If-None-Match: *\r\n", 304},
        {"GET /style.css", "Range: bytes=0-1\r\n", 206},
        {"OPTIONS /style.css", "", 200},
        {"GET /hello", "", 200},
        {"GET /", "", 200},
        {"POST /echo", "Content-Length: 2\r\n\r\nab", 200},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct response r = send_to("localhost", table[i].line, table[i].fields);
        assert_status(r, table[i].status);
        cr_assert(r.complete, "%s", table[i].line);
        assert_field(r, "X-Site", "one");
        assert_field(r, "X-Both", "site");
        cr_assert_eq(response_fields(&r, "X-Site"), 1, STR_FMT, STR_ARG(r.head));
    }
    struct response r = head_of("localhost", "/missing");
    assert_field(r, "X-Site", "one");
}

Test(sites, a_routes_headers_are_added_to_its_sites)
{
    static const char *const targets[] = {"/own/style.css", "/own/missing", "/own/"};
    for (size_t i = 0; i < COUNT(targets); i++) {
        struct response r = fetch(server.port, targets[i]);
        assert_field(r, "X-Site", "one");
        assert_field(r, "X-Both", "route");
        assert_field(r, "X-Own", "a, b");
        cr_assert_eq(response_fields(&r, "X-Both"), 1, STR_FMT, STR_ARG(r.head));
    }
    struct response r = fetch(server.port, "/hello");
    assert_no_field(r, "X-Own");
}

/* What could not be read is answered on the terms of the default one. */
Test(sites, each_site_has_its_own)
{
    struct response r = send_to("pages.example", "GET /style.css", "");
    assert_field(r, "X-Site", "two");
    assert_field(r, "X-Route", "files");
    assert_no_field(r, "X-Both");
    r = send_to("bare.example", "GET /missing", "");
    assert_field(r, "X-Site", "three");
    r = fetch_raw(server.port, "GET /hello HTTP/1.1\r\n\r\n");
    assert_status(r, 400);
    assert_field(r, "X-Site", "one");
}

/* ---- expires ---- */

static void assert_lifetime(const struct response *r, const char *lifetime, const char *what)
{
    cr_assert_eq(response_fields(r, "Cache-Control"), lifetime ? 1 : 0, "%s: " STR_FMT, what, STR_ARG(r->head));
    cr_assert_eq(response_fields(r, "Expires"), lifetime ? 1 : 0, "%s: " STR_FMT, what, STR_ARG(r->head));
    cr_assert(!lifetime || response_has(r, "Cache-Control", lifetime), "%s: " STR_FMT, what, STR_ARG(r->head));
}

Test(sites, how_long_a_response_may_be_kept)
{
    static const struct {
        const char *line, *fields, *lifetime; /* NULL: nothing is said */
    } table[] = {
        {"GET /missing", "", NULL},
        {"GET /style.css", "Range: bytes=9-\r\n", NULL},
        {"GET /style.css", "If-Match: \"x\"\r\n", NULL},
        {"POST /style.css", "", NULL},
        {"GET /moved", "", NULL},
        {"GET /style.css", "", "max-age=604800"},
        {"GET /style.css", "If-None-Match: *\r\n", "max-age=604800"},
        {"GET /style.css", "Range: bytes=0-1\r\n", "max-age=604800"},
        {"GET /image.png", "", "max-age=7200"},
        {"GET /", "", "max-age=3600"},
        {"GET /hello", "", "max-age=3600"},
        {"GET /own/style.css", "", "max-age=0"},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct response r = send_to("localhost", table[i].line, table[i].fields);
        assert_lifetime(&r, table[i].lifetime, table[i].line);
    }
    struct response r = head_of("localhost", "/style.css");
    assert_lifetime(&r, "max-age=604800", "HEAD");
}

Test(sites, what_headers_say_of_caches_counts)
{
    struct response r = fetch(server.port, "/cached");
    assert_status(r, 200);
    assert_field(r, "Cache-Control", "no-store");
    cr_assert_eq(response_fields(&r, "Cache-Control"), 1, STR_FMT, STR_ARG(r.head));
    assert_no_field(r, "Expires");
}

/* ---- errors ---- */

/* The status and what explains it stay; the content, and what describes it, are the page's. */
Test(sites, an_error_has_the_sites_page)
{
    static const struct {
        const char *line, *fields;
        int status;
        const char *body, *type;
    } table[] = {
        {"GET /missing", "", 404, "<h1>not here</h1>", "text/html; charset=utf-8"},
        {"POST /missing", "Content-Length: 3\r\n\r\nabc", 405, "not so", "text/html"},
        {"GET /missing", "Range: bytes=0-1\r\nIf-None-Match: *\r\n", 404, "<h1>not here</h1>", NULL},
        {"GET /missing", "Accept-Encoding: gzip, br\r\n", 404, "<h1>not here</h1>", NULL},
        {"PUT /style.css", "Content-Length: 0\r\n", 405, "not so", "text/html"},
        {"GET /style.css", "If-Match: \"x\"\r\n", 412, "<h1>something else</h1>", NULL},
        {"GET /style.css", "Range: bytes=9-\r\n", 416, "<h1>something else</h1>", NULL},
        {"POST /echo", "Transfer-Encoding: chunked\r\n\r\nx\r\n", 400, "<h1>something else</h1>", NULL},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct response r = send_to("pages.example", table[i].line, table[i].fields);
        assert_status(r, table[i].status);
        assert_body(r, str_of(table[i].body));
        if (table[i].type)
            assert_field(r, "Content-Type", table[i].type);
        cr_assert_eq(response_fields(&r, "Content-Type"), 1, STR_FMT, STR_ARG(r.head));
        cr_assert_eq(response_fields(&r, "Content-Length"), 1, STR_FMT, STR_ARG(r.head));
        assert_field(r, "X-Site", "two");
    }
}

Test(sites, what_explains_an_error_stays)
{
    struct response r = send_to("pages.example", "PUT /style.css", "");
    assert_status(r, 405);
    assert_field(r, "Allow", "GET, HEAD, OPTIONS");
    r = send_to("pages.example", "GET /style.css", "Range: bytes=9-\r\n");
    assert_status(r, 416);
    assert_field(r, "Content-Range", "bytes */5");
    assert_status(send_to("pages.example", "GET /limited", ""), 200);
    for (int i = 0; i < 3 && (r = send_to("pages.example", "GET /limited", "")).status == 200; i++)
        ;
    assert_status(r, 429);
    assert_body(r, STR("<h1>something else</h1>"));
    cr_assert_gt(response_field(&r, "Retry-After").n, 0, STR_FMT, STR_ARG(r.head));
}

/* Then it is as it would be without one. */
Test(sites, a_page_that_cannot_be_had)
{
    static const struct {
        const char *host, *line, *fields;
        int status;
        const char *body;
    } table[] = {
        /* it is missing itself */
        {"pages.example", "POST /echo", "Transfer-Encoding: chunked\r\n\r\n500\r\n", 413, "413 Content Too Large\n"},
        /* it is somewhere else */
        {"pages.example", "GET /closed", "", 403, "403 Forbidden\n"},
        /* there is no page for it, or no site */
        {"localhost", "GET /missing", "", 404, "404 Not Found\n"},
        {"bare.example", "GET /missing", "", 404, "404 Not Found\n"},
        {"pages.example", "BREW /missing", "", 501, "501 Not Implemented\n"},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct response r = send_to(table[i].host, table[i].line, table[i].fields);
        assert_status(r, table[i].status);
        assert_body(r, str_of(table[i].body));
        assert_field(r, "Content-Type", "text/plain");
        assert_no_field(r, "Location");
    }
}

/* A handler's own answer is no failure, whatever status it has. */
Test(sites, an_answer_that_was_asked_for_is_left_alone)
{
    struct response r = send_to("pages.example", "GET /teapot", "");
    assert_status(r, 418);
    assert_body(r, STR("short and stout"));
    r = send_to("pages.example", "GET /errors/404.html", "");
    assert_status(r, 200);
    assert_field(r, "X-Route", "errors");
}

/* What holds for a page that is asked for itself does not hold where it explains a failure. */
Test(sites, a_page_is_on_the_terms_of_what_failed)
{
    struct response r = send_to("pages.example", "GET /missing", "");
    assert_status(r, 404);
    assert_field(r, "X-Route", "files");
    assert_no_field(r, "Cache-Control");
    assert_no_field(r, "Expires");
}

Test(sites, head_of_an_error_has_no_page)
{
    struct client *c = client_open(server.port);
    for (int i = 0; i < 2; i++) {
        client_printf(c, "HEAD /missing HTTP/1.1\r\nHost: pages.example\r\n\r\n");
        struct response r = response_read_head(c);
        assert_status(r, 404);
        assert_field(r, "Content-Length", "17");
        assert_field(r, "Content-Type", "text/html; charset=utf-8");
        r = ask(c, "GET /style.css HTTP/1.1\r\nHost: pages.example\r\n\r\n");
        assert_status(r, 200);
        assert_body(r, STR("style"));
    }
}

/* The connection goes on after a page as after any answer, and the next request is nobody's but the peer's. */
Test(sites, a_connection_goes_on_after_a_page)
{
    struct client *c = client_open(server.port);
    for (int i = 0; i < 50; i++) {
        struct response r = ask(c, "POST /missing HTTP/1.1\r\nHost: pages.example\r\nContent-Length: 5\r\n\r\nGET /");
        assert_status(r, 405);
        r = ask(c, "GET /style.css HTTP/1.1\r\nHost: pages.example\r\nRange: bytes=1-2\r\n\r\n");
        assert_status(r, 206);
        assert_body(r, STR("ty"));
    }
}

/* ---- methods ---- */

static bool lists(const struct response *r, const char *method)
{
    struct str allow = response_field(r, "Allow");
    while (allow.n)
        if (str_eq(str_trim(str_cut(&allow, ',')), str_of(method)))
            return true;
    return false;
}

/* RFC 9110, 9.3.8: it would give away what a client sent, cookies and all. */
Test(sites, trace_is_refused_everywhere)
{
    static const char *const targets[] = {"/style.css", "/hello", "/echo", "/moved", "/missing", "/"};
    for (size_t i = 0; i < COUNT(targets); i++) {
        struct response r =
            send_to("localhost", harness_text("TRACE %s", targets[i]), "Cookie: secret\r\nMax-Forwards: 0\r\n");
        assert_status(r, 405);
        cr_assert_not(lists(&r, "TRACE"), STR_FMT, STR_ARG(r.head));
        cr_assert_null(memmem(r.body.p, r.body.n, "secret", 6), "%s", targets[i]);
    }
}

Test(sites, options_of_a_resource)
{
    struct response r = send_to("localhost", "OPTIONS /style.css", "");
    assert_status(r, 200);
    assert_field(r, "Allow", "GET, HEAD, OPTIONS");
    assert_body(r, STR(""));
    r = send_to("localhost", "OPTIONS /no/such/file", "");
    assert_status(r, 200);
    assert_field(r, "Allow", "GET, HEAD, OPTIONS");
    r = send_to("bare.example", "OPTIONS /lost", "");
    assert_status(r, 404);
}

/* RFC 9110, 9.3.7: the server as a whole, whatever host is named. */
Test(sites, options_of_the_server)
{
    static const char *const hosts[] = {"localhost", "pages.example", "nobody.example", ""};
    for (size_t i = 0; i < COUNT(hosts); i++) {
        struct response r = send_to(hosts[i], "OPTIONS *", "");
        assert_status(r, 200);
        assert_field(r, "Content-Length", "0");
        cr_assert(lists(&r, "GET") && lists(&r, "OPTIONS") && !lists(&r, "TRACE"), STR_FMT, STR_ARG(r.head));
    }
    assert_status(send_to("localhost", "GET *", ""), 400);
    struct client *c = client_open(server.port);
    assert_status(ask(c, "OPTIONS * HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nGET /"), 200);
    assert_status(get(c, "/hello"), 200);
}
