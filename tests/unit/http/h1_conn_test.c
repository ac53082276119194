/* h1_conn_test.c: whole connections: what goes in, and what comes out. */
#include "http/h1.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../wire.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static int serve_path(struct exchange *x, const void *settings);

static const struct http_handler handler = {.name = STR_INIT("test"), .serve = serve_path};
static struct http_route route = {.path = STR_INIT("/"), .handler = &handler};
static struct http_site site = {.root = &route};

static struct http_server server = {
    .limits = {.header_size = 8192, .header_count = 100, .target_size = 5000, .body_size = 10000},
    .timeouts = {.header = 10 * NSEC_SEC, .body = 10 * NSEC_SEC, .write = 10 * NSEC_SEC, .idle = 10 * NSEC_SEC},
    .sites = {.fallback = &site},
};

static char handled[1024]; /* the paths, in their order */

/* "/read" reads the content, "/ignore" too, whatever that comes to; "/short" breaks its promise, "/nothing" makes no
 * response, "/error" fails. */
static int serve_path(struct exchange *x, const void *settings)
{
    (void)settings;
    struct str path = x->request.uri.path;
    char content[64];
    ssize_t got = 0;
    strncat(handled, path.p, path.n < 16 ? path.n : 16);
    if (str_eq(path, STR("/read")) || str_eq(path, STR("/ignore")))
        while ((got = http_read(x, content, sizeof content)) > 0)
            ;
    if (got < 0 && !str_eq(path, STR("/ignore")))
        return (int)got;
    if (str_eq(path, STR("/nothing")))
        return 0;
    if (str_eq(path, STR("/error")))
        return -ENOMEM;
    int error = http_head(x, 200, STR(""), (int64_t)path.n);
    if (!error && !str_eq(path, STR("/short")))
        error = http_content(x, path);
    return error ? error : http_end(x);
}

static struct conns conns;

struct connection {
    struct str input;
    size_t piece;
};

static struct score score;
static struct route_score routes[1];

static int connect_and_wait(void *arg)
{
    const struct connection *c = arg;
    struct peer peer = {.family = AF_UNIX};
    conns_init(&conns, &server, 10, &score, routes);
    int fd = wire_start(c->input, c->piece);
    static const struct http_endpoint endpoint;
    conn_open(&conns, fd, &peer, &endpoint);
    container_of(conns.by_state[CONN_ACTIVE].next, struct conn, link)->stream.ops = &wire_ops;
    while (conns.count)
        cr_assert_eq(green_cond_wait(&conns.room, NULL, NSEC_NEVER), 0);
    conns_end(&conns);
    return 0;
}

/* Everything that a peer that sends this and then ends its side gets. */
static const char *converse(struct str input, size_t piece)
{
    static char output[1 << 16];
    struct connection c = {input, piece};
    handled[0] = '\0';
    cr_assert_eq(green_run(&(struct green_options){0}, connect_and_wait, &c), 0);
    struct str all = wire_output();
    cr_assert_lt(all.n, sizeof output);
    memcpy(output, all.p, all.n);
    output[all.n] = '\0';
    return output;
}

/* "200 200 400": the responses' statuses. */
static const char *statuses(const char *output)
{
    static char list[256];
    list[0] = '\0';
    while ((output = strstr(output, "HTTP/1.1 "))) {
        output += sizeof "HTTP/1.1 " - 1;
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%.3s", list[0] ? " " : "", output);
    }
    return list;
}

struct conversation {
    const char *input, *statuses, *handled;
};

static void expect_conversation(const struct conversation *c)
{
    struct str input = str_of(c->input);
    for (size_t piece = 0; piece <= input.n; piece++) {
        const char *output = converse(input, piece);
        cr_expect_str_eq(statuses(output), c->statuses, "by %zu: %s\n%s", piece, c->input, output);
        cr_expect_str_eq(handled, c->handled, "by %zu: %s\n%s", piece, c->input, output);
    }
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(path, fields, content) "POST " path " HTTP/1.1\r\nHost: a\r\n" fields "\r\n" content

static const struct conversation refused[] = {
    /* RFC 9112, 2.2 to 3: 400, and nothing that follows is looked at */
    {"GET /a\r\n\r\n" GET("/b"), "400", ""},
    {"GET /a HTTP/1.1\r\n\r\n" GET("/b"), "400", ""},
    {"GET /a HTTP/1.1\nHost: a\n\n" GET("/b"), "400", ""},
    {"\x16\x03\x01 a TLS hello", "400", ""},
    {GET("/a") "GET /b HTTP/3.0\r\n\r\n" GET("/c"), "200 505", "/a"},
    /* 6.3: nor is anything behind content whose end is not known */
    {POST("/read", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n") GET("/b"), "400", ""},
    {POST("/read", "Transfer-Encoding: chunked\r\n", "5\r\nhelloX\r\n") GET("/b"), "400", "/read"},
    {POST("/read", "Transfer-Encoding: chunked\r\n", "2711\r\n") GET("/b"), "413", "/read"},
    {POST("/read", "Content-Length: 10001\r\n", "") GET("/b"), "413", ""},
    {"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n" GET("/b"), "501", ""},
};

Test(h1_conn, refusals_are_the_last)
{
    for (size_t i = 0; i < COUNT(refused); i++) {
        expect_conversation(&refused[i]);
        cr_expect_not_null(strstr(converse(str_of(refused[i].input), 0), "Connection: close\r\n"), "%s",
                           refused[i].input);
    }
}

static const struct conversation failing[] = {
    /* the peer ends in the middle: the requests before that are answered */
    {"", "", ""},
    {"GET / HTTP/1.1\r\nHost", "", ""},
    {GET("/a") "GET /b HT", "200", "/a"},
    {GET("/a") POST("/read", "Content-Length: 9\r\n", "short"), "200", "/a/read"},
    {GET("/a") POST("/read", "Transfer-Encoding: chunked\r\n", "5\r\nhel"), "200", "/a/read"},
    /* content that nobody wants is broken: the answer was on its way */
    {POST("/a", "Transfer-Encoding: chunked\r\n", "x\r\n") GET("/b"), "200", "/a"},
    /* it is broken, and the handler does not mind: where the next request begins is not known all the same */
    {POST("/ignore", "Transfer-Encoding: chunked\r\n", "x\r\n") GET("/b"), "200", "/ignore"},
    {POST("/ignore", "Transfer-Encoding: chunked\r\n", "0\r\nX\r\n") GET("/b"), "200", "/ignore"},
    {POST("/ignore", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\nX y: z\r\n\r\n") GET("/b"), "200",
     "/ignore"},
    /* a handler fails */
    {GET("/a") GET("/short") GET("/b"), "200 200", "/a/short"},
    {GET("/a") GET("/nothing") GET("/b"), "200", "/a/nothing"},
    {GET("/a") GET("/error") GET("/b"), "200 503", "/a/error"},
};

Test(h1_conn, a_failure_does_not_concern_earlier_requests)
{
    for (size_t i = 0; i < COUNT(failing); i++)
        expect_conversation(&failing[i]);
}

static const struct conversation served[] = {
    {GET("/"), "200", "/"},
    {GET("/a") GET("/b") GET("/c"), "200 200 200", "/a/b/c"},
    {"\r\n\r\n\r\n\r\n" GET("/a") "\r\n" GET("/b") "\r\n", "200 200", "/a/b"},
    {"GET /a HTTP/1.0\r\n\r\n" GET("/b"), "200", "/a"},
    {"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" GET("/b"), "200 200", "/a/b"},
    {"GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" GET("/b"), "200", "/a"},
    /* content that is read, and content that nobody wants */
    {POST("/read", "Content-Length: 5\r\n", "GET /") GET("/b"), "200 200", "/read/b"},
    {POST("/a", "Content-Length: 5\r\n", "GET /") GET("/b"), "200 200", "/a/b"},
    {POST("/read", "Transfer-Encoding: chunked\r\n", "5\r\nGET /\r\n0\r\nX: y\r\n\r\n") GET("/b"), "200 200",
     "/read/b"},
    {POST("/a", "Transfer-Encoding: chunked\r\n", "5\r\nGET /\r\n0\r\nX: y\r\n\r\n") GET("/b"), "200 200", "/a/b"},
    {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n" GET("/b"), "200 200", "/b"},
    {"GET /a HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n" GET("/b"), "200 200", "/a/b"},
};

Test(h1_conn, requests_in_their_order)
{
    for (size_t i = 0; i < COUNT(served); i++)
        expect_conversation(&served[i]);
}

static struct str filled(const char *before, size_t fill, const char *after)
{
    static char bytes[1 << 16];
    int n = snprintf(bytes, sizeof bytes, "%s%0*d%s", before, (int)fill, 0, after);
    cr_assert_lt(n, (int)sizeof bytes);
    return (struct str){bytes, (size_t)n};
}

#define END "\r\n\r\n" GET("/b")

/* The fill that makes a head of `size` bytes with these bytes around it. */
static void expect_head_of(size_t size, const char *before, const char *expected)
{
    size_t fill = size - strlen(before) - 4;
    for (size_t piece = 0; piece < 10000; piece = piece ? 3 * piece + 1 : 1) {
        const char *output = converse(filled(before, fill, END), piece);
        cr_expect_str_eq(statuses(output), expected, "a head of %zu by %zu", size, piece);
    }
}

Test(h1_conn, heads_up_to_the_limit)
{
    static const size_t limits[] = {1024, 4095, 4096, 4097, 8192, 20000};
    for (size_t i = 0; i < COUNT(limits); i++) {
        server.limits.header_size = limits[i];
        expect_head_of(limits[i], "GET / HTTP/1.1\r\nHost: a\r\nX: ", "200 200");
        expect_head_of(limits[i] + 1, "GET / HTTP/1.1\r\nHost: a\r\nX: ", "431");
    }
}

Test(h1_conn, a_request_line_beyond_the_limit)
{
    server.limits.header_size = 1024;
    for (size_t piece = 1; piece < 1000; piece *= 3)
        cr_expect_str_eq(statuses(converse(filled("GET /", 1500, " HTTP/1.1" END), piece)), "414", "by %zu", piece);
}

/* Content behind a head that fills the frame, so that it continues elsewhere; and then the next request. */
Test(h1_conn, content_behind_a_large_head)
{
    for (size_t size = H1_IN_SIZE - 40; size <= H1_IN_SIZE; size++) {
        static char after[256];
        const char *before = "POST /read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nX: ";
        snprintf(after, sizeof after, "\r\n\r\n5;ext\r\nhello\r\n0\r\nTrailer: x\r\n\r\n%s", GET("/b") GET("/c"));
        struct str input = filled(before, size - strlen(before) - 4, after);
        for (size_t piece = 0; piece < 5000; piece = piece ? 3 * piece : 1)
            cr_expect_str_eq(statuses(converse(input, piece)), "200 200 200", "a head of %zu by %zu", size, piece);
    }
}

Test(h1_conn, many_requests_at_once)
{
    static char input[200 * 64];
    for (int i = 0; i < 200; i++)
        strcat(input, GET("/"));
    const char *output = converse(str_of(input), 0);
    cr_expect_eq(strlen(handled), 200);
    cr_expect_eq(score.requests, 200);
    cr_expect_null(strstr(output, "Connection: close"));
    server.limits.requests_per_connection = 3;
    output = converse(str_of(input), 0);
    cr_expect_str_eq(statuses(output), "200 200 200");
    cr_expect_not_null(strstr(output, "Connection: close"), "no planned close is unannounced");
}
