/* h1_parse_test.c: heads that are refused, with which status and why; and what the others mean. */
#include "http/h1.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

static const struct http_server server = {
    .limits = {.header_size = 1 << 20, .header_count = 100, .target_size = 64, .body_size = 1000},
};

static struct conns conns = {.server = &server};
static struct conn conn = {.owner = &conns};
static struct h1 h;

static void setup(void)
{
    h.conn = &conn;
    h.x.server = &server;
    arena_init(&h.x.arena, h.frame_arena, sizeof h.frame_arena);
}

static void teardown(void)
{
    arena_clear(&h.x.arena);
}

TestSuite(h1_parse, .init = setup, .fini = teardown);

struct parsed {
    struct str head;
    int status;
};

static int parse_on_a_thread(void *arg)
{
    struct parsed *parsed = arg;
    arena_clear(&h.x.arena);
    char *copy = arena_alloc(&h.x.arena, parsed->head.n);
    cr_assert_not_null(copy);
    memcpy(copy, parsed->head.p, parsed->head.n);
    parsed->status = h1_parse(&h, copy, parsed->head.n);
    return 0;
}

/* Only what the scan lets through comes to the parser. */
static int parse(struct str head)
{
    struct h1_scan scan = {0};
    struct parsed parsed = {.head = head};
    cr_assert_eq(h1_scan(&scan, head.p, head.n), (ssize_t)head.n, "\"" STR_FMT "\"", STR_ARG(head));
    cr_assert_eq(green_run(&(struct green_options){.stack = 256 * 1024}, parse_on_a_thread, &parsed), 0);
    return parsed.status;
}

struct refusal {
    int status;
    const char *head;
};

static void expect_refusals(const struct refusal *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        h.keep_alive = true;
        int status = parse(str_of(table[i].head));
        cr_expect_eq(status, table[i].status, "%d instead of %d: %s", status, table[i].status, table[i].head);
        cr_expect(status == 0 || !h.keep_alive, "%s", table[i].head);
    }
}

#define HOST "Host: a\r\n"
#define END "\r\n"
#define LONG "0123456789012345678901234567890123456789012345678901234567890123"

/* RFC 9112, 3: method SP request-target SP HTTP-version */
static const struct refusal lines[] = {
    {400, "\r\n\r\n"},
    {400, "GET\r\n" HOST END},
    {400, "GET /\r\n" HOST END},
    {400, "GET / \r\n" HOST END},
    {400, " GET / HTTP/1.1\r\n" HOST END},
    {400, "GET  / HTTP/1.1\r\n" HOST END},
    {400, "GET /  HTTP/1.1\r\n" HOST END},
    {400, "GET / HTTP/1.1 \r\n" HOST END},
    {400, "GET / x HTTP/1.1\r\n" HOST END},
    {400, "GET HTTP/1.1\r\n" HOST END},
    {400, "/ HTTP/1.1\r\n" HOST END},
    /* 2.3: HTTP-version, which is case-sensitive */
    {400, "GET / HTTP/1\r\n" HOST END},
    {400, "GET / HTTP/1.\r\n" HOST END},
    {400, "GET / HTTP/1.10\r\n" HOST END},
    {400, "GET / HTTP/01.1\r\n" HOST END},
    {400, "GET / HTTP/1,1\r\n" HOST END},
    {400, "GET / HTTP/1.x\r\n" HOST END},
    {400, "GET / HTTP/x.1\r\n" HOST END},
    {400, "GET / http/1.1\r\n" HOST END},
    {400, "GET / HTTPS/1.1\r\n" HOST END},
    {400, "GET / HTTP /1.1\r\n" HOST END},
    {400, "SOURCE / ICE/1.1\r\n" HOST END},
    {505, "GET / HTTP/0.9\r\n" HOST END},
    {505, "GET / HTTP/2.0\r\n" HOST END},
    {505, "PRI * HTTP/2.0\r\n\r\n"},
    {505, "GET / HTTP/9.9\r\n" HOST END},
    /* RFC 9110, 9.1: a method is a token, case-sensitive; 501 for one that is not known */
    {501, "get / HTTP/1.1\r\n" HOST END},
    {501, "GETX / HTTP/1.1\r\n" HOST END},
    {501, "GE / HTTP/1.1\r\n" HOST END},
    {501, "BREW / HTTP/1.1\r\n" HOST END},
    {501, "G!#$%&'*+-.^_`|~9 / HTTP/1.1\r\n" HOST END},
    {400, "G\"T / HTTP/1.1\r\n" HOST END},
    {400, "G(T) / HTTP/1.1\r\n" HOST END},
    {400, "G/T / HTTP/1.1\r\n" HOST END},
    {400, "GET: / HTTP/1.1\r\n" HOST END},
    {400, "G\x80T / HTTP/1.1\r\n" HOST END},
    /* 3.2: the forms of a target and the methods they belong to */
    {400, "GET a HTTP/1.1\r\n" HOST END},
    {400, "GET *x HTTP/1.1\r\n" HOST END},
    {400, "GET * HTTP/1.1\r\n" HOST END},
    {400, "POST * HTTP/1.1\r\n" HOST END},
    {400, "OPTIONS *x HTTP/1.1\r\n" HOST END},
    {400, "GET a:80 HTTP/1.1\r\n" HOST END},
    {501, "CONNECT a:80 HTTP/1.1\r\n" HOST END},
    {400, "CONNECT / HTTP/1.1\r\n" HOST END},
    {400, "GET /#a HTTP/1.1\r\n" HOST END},
    {400, "GET /%zz HTTP/1.1\r\n" HOST END},
    {400, "GET /\x80 HTTP/1.1\r\n" HOST END},
    {400, "GET ftp://a/ HTTP/1.1\r\n" HOST END},
    {400, "GET http:///x HTTP/1.1\r\n" HOST END},
    {400, "GET http://u@a/ HTTP/1.1\r\n" HOST END},
    /* 3: a target that is too long */
    {414, "GET /" LONG " HTTP/1.1\r\n" HOST END},
    {414, "GET /" LONG LONG " HTTP/7\r\n" HOST END},
};

Test(h1_parse, request_lines_refused)
{
    expect_refusals(lines, COUNT(lines));
}

#define GET "GET / HTTP/1.1\r\n"
#define POST "POST / HTTP/1.1\r\n" HOST

static const struct refusal fields[] = {
    /* RFC 9112, 5: field-name ":" OWS field-value OWS; 5.1: no white space before the colon */
    {400, GET HOST ": b\r\n" END},
    {400, GET HOST "b\r\n" END},
    {400, GET HOST "a : b\r\n" END},
    {400, GET HOST "a\t: b\r\n" END},
    {400, GET "Host : a\r\n" END},
    {400, GET HOST "a b: c\r\n" END},
    {400, GET HOST "\"a\": c\r\n" END},
    {400, GET HOST "(a): c\r\n" END},
    {400, GET HOST "a\x80: c\r\n" END},
    {400, GET HOST "a@b: c\r\n" END},
    /* 3.2: Host, exactly once, and valid */
    {400, GET END},
    {400, GET "X: Host: a\r\n" END},
    {400, GET HOST HOST END},
    {400, GET HOST "host: b\r\n" END},
    {400, GET "Host: a b\r\n" END},
    {400, GET "Host: a, b\r\n" END},
    {400, GET "Host: u@a\r\n" END},
    {400, GET "Host: a/b\r\n" END},
    {400, GET "Host: a:x\r\n" END},
    {400, GET "Host: http://a\r\n" END},
    {400, "GET / HTTP/1.0\r\n" HOST HOST END},
    {400, "GET http://a/ HTTP/1.1\r\n" END},
    {400, "GET http://a/ HTTP/1.1\r\nHost: b\\\r\n" END},
    /* 6.3: Content-Length */
    {400, POST "Content-Length:\r\n" END},
    {400, POST "Content-Length: -1\r\n" END},
    {400, POST "Content-Length: +1\r\n" END},
    {400, POST "Content-Length: 0x1\r\n" END},
    {400, POST "Content-Length: 1x\r\n" END},
    {400, POST "Content-Length: 1 1\r\n" END},
    {400, POST "Content-Length: 1.0\r\n" END},
    {400, POST "Content-Length: 1e1\r\n" END},
    {400, POST "Content-Length: 1, 1\r\n" END},
    {400, POST "Content-Length: 1,\r\n" END},
    {400, POST "Content-Length: \"1\"\r\n" END},
    {400, POST "Content-Length: chunked\r\n" END},
    {400, POST "Content-Length: 1\r\nContent-Length: 1\r\n" END},
    {400, POST "Content-Length: 1\r\nContent-Length: 2\r\n" END},
    {400, POST "Content-Length: 0\r\ncontent-length: 0\r\n" END},
    {413, POST "Content-Length: 1001\r\n" END},
    {413, POST "Content-Length: 9223372036854775808\r\n" END},
    /* 6.1: Transfer-Encoding */
    {501, POST "Transfer-Encoding: gzip\r\n" END},
    {501, POST "Transfer-Encoding: gzip, chunked\r\n" END},
    {501, POST "Transfer-Encoding: identity\r\n" END},
    {501, POST "Transfer-Encoding: chunkedx\r\n" END},
    {501, POST "Transfer-Encoding: xchunked\r\n" END},
    {400, POST "Transfer-Encoding: \"chunked\"\r\n" END},
    {400, POST "Transfer-Encoding: chunked;a=b\r\n" END},
    {400, POST "Transfer-Encoding:\r\n" END},
    {400, POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" END},
    {400, POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n" END},
    {400, POST "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n" END},
    {400, POST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n" END},
    {400, POST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n" END},
    {400, POST "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n" END},
    {400, "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n" END},
    /* RFC 9110, 10.1.1: Expect */
    {417, POST "Expect: 200-ok\r\nContent-Length: 1\r\n" END},
    {417, POST "Expect: 100-continue, x\r\nContent-Length: 1\r\n" END},
};

Test(h1_parse, fields_refused)
{
    expect_refusals(fields, COUNT(fields));
}

/* RFC 9110, 5.6.2 */
static bool is_tchar(int c)
{
    return c &&
           (strchr("!#$%&'*+-.^_`|~", c) || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
}

Test(h1_parse, a_field_name_is_a_token)
{
    for (int byte = 0x20; byte < 256; byte++) {
        char head[64];
        snprintf(head, sizeof head, GET HOST "a%cb: c\r\n\r\n", byte);
        if (byte == 0x7f || byte == ':')
            continue;
        cr_expect_eq(parse(str_of(head)), is_tchar(byte) ? 0 : 400, "byte %#x", byte);
        snprintf(head, sizeof head, GET HOST "%c: c\r\n\r\n", byte);
        if (byte != ' ')
            cr_expect_eq(parse(str_of(head)), is_tchar(byte) ? 0 : 400, "byte %#x alone", byte);
    }
}

Test(h1_parse, a_field_value_keeps_every_byte)
{
    for (int byte = 0x20; byte < 256; byte++) {
        char head[64];
        snprintf(head, sizeof head, GET HOST "A: b%cc\r\n\r\n", byte);
        if (byte == 0x7f)
            continue;
        cr_assert_eq(parse(str_of(head)), 0, "byte %#x", byte);
        struct str value = http_field(&h.x.request, STR("a"));
        cr_expect(value.n == 3 && value.p[1] == (char)byte, "byte %#x", byte);
    }
}

struct framing {
    const char *head;
    enum h1_framing framing;
    int64_t length;
    bool keep_alive, expects;
};

#define OLD "GET / HTTP/1.0\r\n"

static const struct framing framings[] = {
    {GET HOST END, H1_NO_BODY, 0, true, false},
    {GET "Host:\r\n" END, H1_NO_BODY, 0, true, false},
    {OLD END, H1_NO_BODY, 0, false, false},
    {OLD HOST END, H1_NO_BODY, 0, false, false},
    {"GET / HTTP/1.9\r\n" HOST END, H1_NO_BODY, 0, true, false},
    {POST "Content-Length: 0\r\n" END, H1_NO_BODY, 0, true, false},
    {POST "Content-Length: 5\r\n" END, H1_LENGTH, 5, true, false},
    {POST "content-length:   0005  \r\n" END, H1_LENGTH, 5, true, false},
    {POST "Content-Length: 1000\r\n" END, H1_LENGTH, 1000, true, false},
    {GET HOST "Content-Length: 5\r\n" END, H1_LENGTH, 5, true, false},
    {POST "Transfer-Encoding: chunked\r\n" END, H1_CHUNKED, HTTP_LENGTH_UNKNOWN, true, false},
    {POST "TRANSFER-ENCODING:CHUNKED \r\n" END, H1_CHUNKED, HTTP_LENGTH_UNKNOWN, true, false},
    /* names that only begin alike */
    {POST "Transfer-Encoding-X: chunked\r\n" END, H1_NO_BODY, 0, true, false},
    {POST "Transfer-Encoding-X: y\r\nContent-Length: 5\r\n" END, H1_LENGTH, 5, true, false},
    {POST "Content-Length-X: 5\r\n" END, H1_NO_BODY, 0, true, false},
    {POST "X-Content-Length: 5\r\n" END, H1_NO_BODY, 0, true, false},
    {POST "Content_Length: 5\r\n" END, H1_NO_BODY, 0, true, false},
    /* RFC 9112, 9.3 */
    {GET HOST "Connection: close\r\n" END, H1_NO_BODY, 0, false, false},
    {GET HOST "Connection: Close\t\r\n" END, H1_NO_BODY, 0, false, false},
    {GET HOST "Connection: x,\tclose ,y\r\n" END, H1_NO_BODY, 0, false, false},
    {GET HOST "Connection: x\r\nConnection: close\r\n" END, H1_NO_BODY, 0, false, false},
    {GET HOST "Connection: keep-alive, close\r\n" END, H1_NO_BODY, 0, false, false},
    {GET HOST "Connection: closed, x-close\r\n" END, H1_NO_BODY, 0, true, false},
    {GET HOST "Connection:\r\n" END, H1_NO_BODY, 0, true, false},
    {GET HOST "Proxy-Connection: close\r\n" END, H1_NO_BODY, 0, true, false},
    {OLD "Connection: keep-alive\r\n" END, H1_NO_BODY, 0, true, false},
    {OLD "Connection: Keep-Alive, close\r\n" END, H1_NO_BODY, 0, false, false},
    {OLD "Connection: x\r\n" END, H1_NO_BODY, 0, false, false},
    /* RFC 9110, 10.1.1: none from 1.0; 7.8: an upgrade may be ignored */
    {POST "Expect: 100-Continue\r\nContent-Length: 5\r\n" END, H1_LENGTH, 5, true, true},
    {"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n" END, H1_LENGTH, 5, false, false},
    {"POST / HTTP/1.0\r\nExpect: x\r\nContent-Length: 5\r\n" END, H1_LENGTH, 5, false, false},
    {GET HOST "Upgrade: h2c\r\nConnection: upgrade\r\n" END, H1_NO_BODY, 0, true, false},
};

Test(h1_parse, framing_and_persistence)
{
    for (size_t i = 0; i < COUNT(framings); i++) {
        const struct framing *f = &framings[i];
        cr_expect_eq(parse(str_of(f->head)), 0, "%s", f->head);
        cr_expect_eq(h.body.framing, f->framing, "%s", f->head);
        cr_expect_eq(h.x.request.length, f->length, "%s", f->head);
        cr_expect_eq(h.body.ended, f->framing == H1_NO_BODY, "%s", f->head);
        cr_expect_eq(h.keep_alive, f->keep_alive, "%s", f->head);
        cr_expect_eq(h.body.expects, f->expects, "%s", f->head);
    }
}

struct host_case {
    const char *head, *host, *path;
};

static const struct host_case hosts[] = {
    {GET HOST END, "a", "/"},
    {GET "Host: a:80\r\n" END, "a", "/"},
    {GET "Host: A.example:\r\n" END, "A.example", "/"},
    {GET "Host: [::1]:80\r\n" END, "[::1]", "/"},
    {GET "Host: [::1]\r\n" END, "[::1]", "/"},
    {GET "Host: \r\n" END, "", "/"},
    {OLD END, "", "/"},
    {"GET http://b:81/x HTTP/1.1\r\n" HOST END, "b", "/x"},
    {"GET http://b HTTP/1.0\r\n" END, "b", "/"},
    {"OPTIONS * HTTP/1.1\r\n" HOST END, "a", "*"},
};

Test(h1_parse, the_host_without_its_port)
{
    for (size_t i = 0; i < COUNT(hosts); i++) {
        cr_expect_eq(parse(str_of(hosts[i].head)), 0, "%s", hosts[i].head);
        const struct http_request *request = &h.x.request;
        cr_expect(str_eq(request->host, str_of(hosts[i].host)), "%s: " STR_FMT, hosts[i].head, STR_ARG(request->host));
        cr_expect(str_eq(request->uri.path, str_of(hosts[i].path)), "%s", hosts[i].head);
    }
}

Test(h1_parse, the_parts_lie_in_the_head)
{
    struct str head = STR("DELETE /x?y HTTP/1.1\r\nHost: a\r\nX-One:  1 \t\r\nx-two:\r\nX-One: 2\r\n\r\n");
    cr_assert_eq(parse(head), 0);
    const struct http_request *request = &h.x.request;
    cr_expect_eq(request->method, METHOD_DELETE);
    cr_expect(str_eq(request->method_name, STR("DELETE")));
    cr_expect(str_eq(request->target, STR("/x?y")));
    cr_expect(str_eq(request->line, STR("DELETE /x?y HTTP/1.1")));
    cr_expect_eq(request->minor, 1);
    cr_expect_eq(request->field_count, 4);
    cr_expect(str_eq(http_field(request, STR("X-ONE")), STR("1")), "of several, the first");
    cr_expect(str_eq(http_field(request, STR("X-Two")), STR("")));
    cr_expect_not_null(http_field(request, STR("X-Two")).p);
    cr_expect_null(http_field(request, STR("X-Three")).p);
    cr_expect_eq(request->fields[1].value.p - request->line.p, strstr(head.p, "1 \t") - head.p);
}

static struct str make_head(size_t count, size_t value)
{
    static char bytes[1 << 20];
    size_t n = (size_t)sprintf(bytes, GET HOST);
    for (size_t i = 1; i < count; i++)
        n += (size_t)sprintf(bytes + n, "X-%zu: %0*zu\r\n", i, (int)value, i);
    n += (size_t)sprintf(bytes + n, "\r\n");
    return (struct str){bytes, n};
}

Test(h1_parse, as_many_fields_as_there_may_be)
{
    cr_expect_eq(parse(make_head(101, 1)), 431);
    cr_expect_eq(parse(make_head(100, 1)), 0);
    cr_expect_eq(h.x.request.field_count, 100);
    cr_expect(str_eq(http_field(&h.x.request, STR("x-99")), STR("99")));
    cr_expect_eq(parse(make_head(H1_FIELDS + 1, 1)), 0);
    cr_expect(str_eq(h.x.request.fields[0].name, STR("Host")));
}

/* http-parser has a limit of its own. */
Test(h1_parse, a_head_as_large_as_the_limit_allows)
{
    struct str head = make_head(100, 10000);
    cr_assert_gt(head.n, 900000);
    cr_expect_eq(parse(head), 0);
    cr_expect_eq(h.x.request.field_count, 100);
    cr_expect_eq(http_field(&h.x.request, STR("X-99")).n, 10000);
}
