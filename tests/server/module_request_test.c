/* Requests as a module sees them, whatever carries them: parts, fields, the query, and content of every kind. */
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"
#include "harness_pki.h"
#include "harness_server.h"
#include "harness_tls.h"
#include "module_service.h"

#include <criterion/criterion.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define INSPECT(handler) MODULE_ROUTE("/" handler "/", "inspect.so", handler, "")

/* clang-format off */
#define CONFIG                                                                                                         \
    MODULE_LISTEN MODULES                                                                                              \
    "workers: 1\n"                                                                                                     \
    "limits: {body_size: 64k}\n"                                                                                       \
    "timeouts: {body: 300ms, write: 5s}\n"                                                                             \
    "sites:\n"                                                                                                         \
    "  - errors: {413: /pages/413.html}\n"                                                                             \
    "    routes:\n"                                                                                                    \
    "      - {path: /pages/, files: {root: @DIR@/www}}\n"                                                              \
    INSPECT("parts") INSPECT("fields") INSPECT("query") INSPECT("echo") INSPECT("unread") INSPECT("late")              \
    INSPECT("forgiving")                                                                                               \
    MODULE_ROUTE("/all/", "inspect.so", "all", "")                                                                     \
    MODULE_ROUTE("/few/", "inspect.so", "all", "most: 10")                                                             \
    "      - path: /secret/\n"                                                                                         \
    "        auth: {realm: Tern, file: @DIR@/users}\n"                                                                 \
    "        module: {file: inspect.so, handler: parts}\n"
/* clang-format on */

enum { BODY_SIZE = 64 * 1024 };

static struct server server;

/* alice:secret, as `openssl passwd -5` makes it. */
static void write_users(void)
{
    struct result made = command_run(&(struct command){
        .arguments = {"openssl", "passwd", "-5", "-salt", "tern", "secret"}, .out = "hash.out", .err = "hash.err"});
    cr_assert_eq(made.status, 0, "%s", made.err.p);
    file_write("users", str_of(harness_text("alice:%s", made.out.p)));
}

static void begin(void)
{
    harness_begin();
    pki_make("ecdsa", "root", "client");
    module_install("inspect");
    write_users();
    file_write("www/413.html", STR("<p>too much\n"));
    server = server_start(CONFIG);
}

TestSuite(module_request, .init = begin, .fini = harness_end);

/* ---- parts ---- */

static const char *body_text(const struct response *r)
{
    return harness_text("\n" STR_FMT, STR_ARG(r->body));
}

static const char *part(const struct response *r, const char *name)
{
    const char *body = body_text(r), *mark = harness_text("\n%s=", name);
    const char *at = strstr(body, mark);
    cr_assert_not_null(at, "no %s in: %s", name, body);
    at += strlen(mark);
    return harness_text("%.*s", (int)strcspn(at, "\n"), at);
}

#define assert_part(carrier, r, name, expected)                                                                        \
    cr_assert_str_eq(part(&(r), (name)), (expected), "%s: %s is %s, not %s", carrier_name(carrier), (name),            \
                     part(&(r), (name)), (expected))

Test(module_request, parts)
{
    for (enum carrier by = 0; by < CARRIERS; by++) {
        struct response r = ask_by(by, .path = "/parts/%61%20b/./c/../d?e=f&g%20=%2B");
        bool secured = by == HTTPS_1_1 || by == HTTPS_2;
        assert_status(r, 200);
        assert_part(by, r, "method", "GET");
        assert_part(by, r, "target", "/parts/%61%20b/./c/../d?e=f&g%20=%2B");
        assert_part(by, r, "path", "/parts/a b/d");
        assert_part(by, r, "rest", "a b/d");
        assert_part(by, r, "query", "e=f&g%20=%2B");
        assert_part(by, r, "scheme", secured ? "https" : "http");
        assert_part(by, r, "host", "localhost");
        assert_part(by, r, "peer", "127.0.0.1");
        assert_part(by, r, "user", "");
        assert_part(by, r, "tls", secured ? "TLSv1.3" : "");
        assert_part(by, r, "sni", secured ? "localhost" : "");
        assert_part(by, r, "subject", "");
        assert_part(by, r, "length", "0");
        assert_field(r, "Content-Type", "text/plain; charset=utf-8");
    }
}

Test(module_request, parts_of_a_client_that_is_known)
{
    for (enum carrier by = 0; by < CARRIERS; by++) {
        bool secured = by == HTTPS_1_1 || by == HTTPS_2;
        struct response r = ask_by(by, .method = "POST", .path = "/secret/", .certificate = "client",
                                   .fields = "authorization: Basic YWxpY2U6c2VjcmV0\n", .content = STR("12345"));
        assert_status(r, 200);
        assert_part(by, r, "method", "POST");
        assert_part(by, r, "user", "alice");
        assert_part(by, r, "length", "5");
        assert_part(by, r, "rest", "");
        assert_part(by, r, "subject", secured ? "CN=Alice,O=Tern" : "");
        assert_status(ask_by(by, .path = "/secret/"), 401);
    }
}

/* Of methods that the server does not know the handler hears nothing, nor of those that are not for it. */
Test(module_request, methods)
{
    static const struct {
        const char *method;
        int status;
    } table[] = {{"POST", 200},     {"PUT", 200},   {"DELETE", 200},  {"PATCH", 200},
                 {"PROPFIND", 200}, {"TRACE", 405}, {"OPTIONS", 200}, {"HEAD", 200}};
    for (size_t i = 0; i < COUNT(table); i++)
        for (enum carrier by = 0; by < CARRIERS; by++) {
            struct response r = ask_by(by, .method = table[i].method, .path = "/parts/");
            assert_status(r, table[i].status);
            if (table[i].status == 200 && strcmp(table[i].method, "HEAD") != 0)
                assert_part(by, r, "method", table[i].method);
        }
}

Test(module_request, fields)
{
    for (enum carrier by = 0; by < CARRIERS; by++) {
        struct response r =
            ask_by(by, .path = "/fields/?name=X-TWICE", .fields = "x-twice: 1\naccept: */*\nx-twice: 2\nx-empty: \n");
        assert_status(r, 200);
        cr_assert(strstr(body_text(&r), "x-twice: 1\naccept: */*\nx-twice: 2\nx-empty: \n"), STR_FMT, STR_ARG(r.body));
        cr_assert(str_ends(r.body, STR("\n1\n")), STR_FMT, STR_ARG(r.body));
        cr_assert_null(strstr(body_text(&r), ":method"), STR_FMT, STR_ARG(r.body));
        r = ask_by(by, .path = "/fields/?name=x-none");
        cr_assert(str_ends(r.body, STR("\n(none)\n")), STR_FMT, STR_ARG(r.body));
        r = ask_by(by, .path = "/fields/?name=x-empty", .fields = "x-empty: \n");
        cr_assert(str_ends(r.body, STR("\n\n")), STR_FMT, STR_ARG(r.body));
    }
}

Test(module_request, queries)
{
    static const struct {
        const char *query, *value;
    } table[] = {
        {"", "(none)"},
        {"?", "(none)"},
        {"?q", ""},
        {"?q=", ""},
        {"?p=1&q=2", "2"},
        {"?q=1&q=2", "1"},
        {"?q=a+b%20c", "a b c"},
        {"?q=a=b", "a=b"},
        {"?%71=x", "x"},
        {"?qq=1&Q=2", "(none)"},
        {"?&&q=1&", "1"},
        {"?=q", "(none)"},
        {"?q=%C3%A9", "\xc3\xa9"},
        {"?q=%00x", "%00x"},
        {"?q=%26%3D", "&="},
        {"?q=%2B", "+"},
        {"?q;q=1", "(none)"},
    };
    for (size_t i = 0; i < COUNT(table); i++)
        assert_everywhere(200, str_of(table[i].value), .path = harness_text("/query/%s", table[i].query));
}

/* What is no %XX is no URI, and never comes to a handler. */
Test(module_request, queries_that_are_malformed)
{
    static const char *const queries[] = {"?q=%2", "?q=%zz", "?q=%", "?%q=1"};
    for (size_t i = 0; i < COUNT(queries); i++)
        for (enum carrier by = 0; by < CARRIERS; by++)
            assert_status(ask_by(by, .path = harness_text("/query/%s", queries[i])), 400);
}

/* ---- content ---- */

Test(module_request, content_comes_back)
{
    static const size_t sizes[] = {0, 1, 999, 1000, 1001, 8192, 20000, BODY_SIZE};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct str content = file_pattern(sizes[i]);
        content.p = content.p ? content.p : "";
        assert_everywhere(200, content, .method = "POST", .path = "/echo/", .content = content);
        assert_everywhere(200, content, .method = "PUT", .path = "/echo/", .content = content, .chunked = true);
        assert_everywhere(200, content, .method = "POST", .path = "/all/", .content = content);
        assert_everywhere(200, content, .method = "POST", .path = "/all/", .content = content, .chunked = true);
    }
    assert_everywhere(200, STR(""), .path = "/echo/");
    assert_everywhere(200, STR(""), .path = "/all/");
}

Test(module_request, the_length_is_told_when_it_is_known)
{
    for (enum carrier by = 0; by < CARRIERS; by++) {
        struct request request = {.method = "POST", .path = "/parts/", .content = file_fill('x', 3000)};
        struct response r = ask_by_as(by, &request);
        assert_part(by, r, "length", "3000");
        request.chunked = true;
        r = ask_by_as(by, &request);
        assert_part(by, r, "length", by == HTTP_1_0 ? "3000" : "-1");
    }
}

/* It waits for what it asks for, and a client that wants to be told to go on is told so. */
Test(module_request, expect_100_continue)
{
    struct client *c = client_open(server.port);
    client_printf(c, "POST /echo/ HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    assert_status(response_read(c), 100);
    client_printf(c, "hello");
    struct response r = response_read(c);
    assert_body(r, STR("hello"));
    client_printf(c, "POST /unread/ HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    r = response_read(c);
    assert_status(r, 200);
    assert_field(r, "Connection", "close");
    cr_assert(client_ends(c));
}

/* ---- too much of it ---- */

/* With the page that the site has for it. */
Test(module_request, more_than_body_size)
{
    struct str content = file_fill('x', BODY_SIZE + 1), page = STR("<p>too much\n");
    assert_everywhere(413, page, .method = "POST", .path = "/echo/", .content = content);
    assert_everywhere(413, page, .method = "POST", .path = "/all/", .content = content);
    assert_everywhere(413, page, .method = "POST", .path = "/all/", .content = content, .chunked = true);
}

/* It has begun to answer when it turns out to be too much. */
Test(module_request, more_than_body_size_of_what_comes_back)
{
    static const enum carrier carriers[] = {HTTP_1_1, HTTP_2, HTTPS_1_1, HTTPS_2};
    for (size_t i = 0; i < COUNT(carriers); i++) {
        struct call call = call_begin(carriers[i], .method = "POST", .path = "/echo/", .chunked = true,
                                      .content = file_fill('x', BODY_SIZE + 1));
        struct response r = call_answer(&call);
        assert_status(r, 200);
        cr_assert(call_is_cut(&call, &r), "%s: taken for the whole", carrier_name(carriers[i]));
        call_leave(&call);
    }
}

Test(module_request, more_than_the_handler_wants)
{
    struct str few = STR("0123456789"), page = STR("<p>too much\n");
    assert_everywhere(200, few, .method = "POST", .path = "/few/", .content = few);
    for (size_t n = 11; n <= 5000; n *= 3) {
        struct str more = file_fill('x', n);
        assert_everywhere(413, page, .method = "POST", .path = "/few/", .content = more);
        assert_everywhere(413, page, .method = "POST", .path = "/few/", .content = more, .chunked = true);
    }
}

/* What it does not read is skipped, and the connection goes on. */
Test(module_request, content_that_nobody_reads)
{
    struct client *c = client_open(server.port);
    for (int i = 0; i < 3; i++) {
        client_printf(c, "POST /unread/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n%s",
                      file_fill('x', 5000).p);
        struct response r = response_read(c);
        assert_body(r, STR("unread\n"));
    }
    assert_everywhere(200, STR("unread\n"), .method = "POST", .path = "/unread/", .content = file_fill('x', 60000));
}

/* ---- too slow, or broken ---- */

struct fault {
    const char *sent; /* of the content, behind a head that promises more */
    int status;
    const char *error; /* what the handler is told */
};

static const struct fault faults[] = {
    {"Content-Length: 10\r\n\r\nabc", 408, "Connection timed out"},
    {"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", 408, "Connection timed out"},
    {"Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n", 400, "Bad message"},
    {"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400, "Bad message"},
    {"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nbad trailer\r\n\r\n", 400, "Bad message"},
};

static struct client *send_fault(const char *path, const struct fault *fault)
{
    struct client *c = client_open(server.port);
    client_printf(c, "POST %s HTTP/1.1\r\nHost: localhost\r\n%s", path, fault->sent);
    return c;
}

Test(module_request, content_that_is_too_slow_or_broken)
{
    static const char *const paths[] = {"/echo/", "/all/"};
    for (size_t i = 0; i < COUNT(faults); i++)
        for (size_t k = 0; k < COUNT(paths); k++) {
            struct client *c = send_fault(paths[k], &faults[i]);
            struct response r = response_read(c);
            assert_status(r, faults[i].status);
            assert_field(r, "Connection", "close");
            cr_assert(client_ends(c), "%s: more comes", faults[i].sent);
        }
}

/* Before its own head it may answer as it likes; after it, the client must not take what came for the whole. */
Test(module_request, a_handler_may_know_better)
{
    for (size_t i = 0; i < COUNT(faults); i++) {
        struct client *c = send_fault("/forgiving/", &faults[i]);
        struct response r = response_read(c);
        assert_status(r, 202);
        assert_body(r, str_of(harness_text("read until: %s\n", faults[i].error)));
        assert_field(r, "Connection", "close");
        c = send_fault("/late/", &faults[i]);
        r = response_read(c);
        assert_status(r, 200);
        cr_assert_not(r.complete, "%s: taken for the whole", faults[i].sent);
        cr_assert(client_ends(c));
    }
}

Test(module_request, h2_content_that_is_too_slow_or_cut)
{
    static const enum carrier carriers[] = {HTTP_2, HTTPS_2};
    for (size_t i = 0; i < COUNT(carriers); i++) {
        struct call call = call_begin(carriers[i], .path = "/unread/");
        const char *fields = H2C_POST("/echo/") "content-length: 10\n";
        assert_body(call_answer(&call), STR("unread\n"));
        uint32_t slow = h2c_request(
            call.h2,
            carriers[i] == HTTP_2
                ? fields
                : harness_text(
                      ":method: POST\n:scheme: https\n:path: /echo/\n:authority: localhost\ncontent-length: 10\n"),
            false);
        assert_status(h2c_answer(call.h2, slow), 408);
        call = call_along(&call, &(struct request){.path = "/unread/"});
        assert_body(call_answer(&call), STR("unread\n"));
        call_leave(&call);
    }
}

/* A client that leaves in the middle: the next one is served. */
Test(module_request, a_client_that_leaves_while_it_sends)
{
    for (int i = 0; i < 5; i++) {
        struct client *c = client_open(server.port);
        client_printf(c, "POST /echo/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");
        (i % 2 ? client_reset : client_close)(c);
    }
    assert_everywhere(200, STR("unread\n"), .path = "/unread/");
    assert_stop(&server, 0);
}

/* ---- several requests on one connection ---- */

Test(module_request, pipelined)
{
    enum { REQUESTS = 40 };
    struct client *c = client_open(server.port);
    const char *all = "";
    for (int i = 0; i < REQUESTS; i++)
        all = harness_text("%sPOST /echo/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n%03d"
                           "GET /query/?q=%d HTTP/1.1\r\nHost: localhost\r\n\r\n",
                           all, i, i);
    client_send(c, str_of(all));
    for (int i = 0; i < REQUESTS; i++) {
        assert_body(response_read(c), str_of(harness_text("%03d", i)));
        assert_body(response_read(c), str_of(harness_text("%d", i)));
    }
    client_close(c);
    assert_stop(&server, 0);
}

Test(module_request, many_streams_at_once)
{
    enum { STREAMS = 60 };
    struct call calls[STREAMS];
    calls[0] = call_begin(HTTP_2, .path = "/query/?q=0");
    for (int i = 1; i < STREAMS; i++)
        calls[i] = call_along(&calls[0], &(struct request){.path = harness_text("/query/?q=%d", i)});
    for (int i = STREAMS; i-- > 0;)
        assert_body(call_answer(&calls[i]), str_of(harness_text("%d", i)));
    call_leave(&calls[0]);
    assert_stop(&server, 0);
}
