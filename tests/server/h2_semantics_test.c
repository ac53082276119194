/* Requests over HTTP/2, and what they mean: the same as over HTTP/1, in other clothes. */
#include "harness.h"
#include "harness_file.h"
#include "harness_h2.h"
#include "harness_server.h"

#include <criterion/criterion.h>

#define CONFIG                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 1\n"                                                                                                     \
    "limits: {body_size: 64k, header_size: 8k, header_count: 20, target_size: 1k}\n"                                   \
    "log: {access: {path: @DIR@/access.log, format: '%m %U %s %B [%{Cookie}i] %V'}}\n"                                 \
    "sites:\n"                                                                                                         \
    "  - compress: {types: [text/plain], min_size: 0}\n"                                                               \
    "    routes:\n"                                                                                                    \
    "      - {exact: /hello, respond: {status: 200, type: text/html, body: hello}}\n"                                  \
    "      - {exact: /nothing, respond: {status: 204}}\n"                                                              \
    "      - {exact: /echo, echo: {}}\n"                                                                               \
    "      - {path: /files/, files: {root: @DIR@/www}}\n"

static struct server server;

static void begin(void)
{
    harness_begin();
    file_write("www/one.bin", STR("one\n"));
    file_write("www/large.bin", file_pattern(1 << 20));
    server = server_start(CONFIG);
}

TestSuite(h2_semantics, .init = begin, .fini = harness_end);

/* ---- limits ---- */

/* Whatever is wrong with a request, the connection goes on, and HPACK's table with it: the field behind each request is
 * of the table that the one before has made. */
static void assert_goes_on(struct h2c *h)
{
    struct response r = h2c_get(h, "/hello");
    assert_status(r, 200);
    assert_body(r, STR("hello"));
}

static const char *fields_of(size_t count)
{
    const char *fields = H2C_GET("/hello");
    for (size_t i = 0; i < count; i++)
        fields = harness_text("%sx-%zu: y\n", fields, i);
    return fields;
}

Test(h2_semantics, limits)
{
    const char *long_value = file_fill('v', 9000).p, *long_path = file_fill('p', 1100).p;
    const struct {
        const char *fields;
        int status;
    } table[] = {
        {harness_text(H2C_GET("/hello") "x: %s\n", long_value), 431},
        {fields_of(30), 431},
        {harness_text(H2C_GET("/%s"), long_path), 414},
        {H2C_POST("/files/one.bin"), 405},
        {H2C_TO("TRACE", "/hello"), 405},
        {H2C_TO("DELETE", "/files/one.bin"), 405},
        {H2C_TO("BREW", "/hello"), 501},
        {H2C_GET("/missing"), 404},
        {H2C_GET("/files/../../tern.yaml"), 404},
        {H2C_GET("/hello") "expect: more\n", 417},
        {fields_of(10), 200},
    };
    struct h2c *h = h2c_open(server.port);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct response r = h2c_ask(h, table[i].fields);
        cr_expect_eq(r.status, table[i].status, "row %zu: %d, not %d", i, r.status, table[i].status);
        cr_expect(r.complete, "row %zu: the answer is cut", i);
        assert_goes_on(h);
    }
}

/* A field of 9,000 octets does not fit into one that goes on; nor does one in many frames. */
Test(h2_semantics, a_header_without_an_end)
{
    struct h2c *h = h2c_open(server.port);
    struct str block = h2c_block(str_of(harness_text(H2C_GET("/hello") "x: %s\n", file_fill('v', 60000).p)));
    uint8_t type = NGHTTP2_HEADERS;
    for (struct str rest = block; rest.n; type = NGHTTP2_CONTINUATION) {
        struct str piece = {rest.p, rest.n < 10000 ? rest.n : 10000};
        rest = str_skip(rest, piece.n);
        h2c_send(h, .type = type, .stream = 1, .start = piece,
                 .flags =
                     (rest.n ? 0 : NGHTTP2_FLAG_END_HEADERS) | (type == NGHTTP2_HEADERS ? NGHTTP2_FLAG_END_STREAM : 0));
    }
    h->next = 3;
    struct response r = h2c_answer(h, 1);
    cr_assert(r.status == 431 || h->error == NGHTTP2_ENHANCE_YOUR_CALM, "%d, %s", r.status,
              nghttp2_http2_strerror(h->error));
}

/* Who is told that the content is too large need not send it, and must not be sent away for having sent it. */
Test(h2_semantics, content_beyond_the_limit)
{
    struct h2c *h = h2c_open(server.port);
    uint32_t announced = h2c_request(h, H2C_POST("/echo") "content-length: 70000\n", false);
    assert_status(h2c_answer(h, announced), 413);
    assert_goes_on(h);

    uint32_t adds_up = h2c_request(h, H2C_POST("/echo"), false);
    h2c_content(h, adds_up, file_pattern(200000));
    h2c_answer(h, adds_up);
    const struct h2c_stream *s = h2c_stream(h, adds_up);
    /* The echo may have begun. */
    cr_assert(s->status == 413 || (s->status == 200 && s->reset), "%d", s->status);
    assert_goes_on(h);

    uint32_t fits = h2c_request(h, H2C_POST("/echo") "content-length: 65536\n", false);
    struct str content = file_pattern(65536);
    h2c_content(h, fits, content);
    assert_body(h2c_answer(h, fits), content);
}

/* An answer that needs none of the content: what still comes belongs to nobody (RFC 9113, 8.1). */
Test(h2_semantics, content_that_nobody_wants)
{
    struct h2c *h = h2c_open(server.port);
    for (int i = 0; i < 20; i++) {
        uint32_t id = h2c_request(h, H2C_POST("/files/one.bin"), false);
        h2c_content(h, id, file_pattern(60000));
        assert_status(h2c_answer(h, id), 405);
        const struct h2c_stream *s = h2c_stream(h, id);
        cr_assert(!s->reset || s->error == NGHTTP2_NO_ERROR, "%s", nghttp2_http2_strerror(s->error));
    }
    assert_goes_on(h);
}

/* ---- answers ---- */

Test(h2_semantics, answers_without_content)
{
    struct h2c *h = h2c_open(server.port);
    struct response whole = h2c_get(h, "/files/one.bin");
    assert_status(whole, 200);
    struct str tag = response_field(&whole, "ETag");
    const struct {
        const char *fields;
        int status;
    } table[] = {
        {H2C_TO("HEAD", "/hello"), 200},
        {H2C_TO("HEAD", "/files/large.bin"), 200},
        {H2C_TO("HEAD", "/missing"), 404},
        {H2C_GET("/nothing"), 204},
        {harness_text(H2C_GET("/files/one.bin") "if-none-match: " STR_FMT "\n", STR_ARG(tag)), 304},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        uint32_t id = h2c_request(h, table[i].fields, true);
        struct response r = h2c_answer(h, id);
        cr_expect_eq(r.status, table[i].status, "row %zu: %d", i, r.status);
        cr_expect(r.complete && h2c_stream(h, id)->frames == 0, "row %zu: DATA, or no end", i);
    }
    struct response head = h2c_ask(h, H2C_TO("HEAD", "/files/large.bin"));
    assert_field(head, "Content-Length", "1048576");
}

Test(h2_semantics, every_answer_has_the_usual_fields)
{
    static const char *const paths[] = {"/hello", "/files/one.bin", "/missing"};
    struct h2c *h = h2c_open(server.port);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct response r = h2c_get(h, paths[i]);
        cr_assert_eq(response_fields(&r, "Date"), 1, STR_FMT, STR_ARG(r.head));
        cr_assert_eq(response_fields(&r, "Content-Length"), 1, STR_FMT, STR_ARG(r.head));
        cr_assert(str_starts(response_field(&r, "Server"), STR("tern")), STR_FMT, STR_ARG(r.head));
        cr_assert_eq(response_fields(&r, "Content-Type"), 1, STR_FMT, STR_ARG(r.head));
    }
}

Test(h2_semantics, files)
{
    struct h2c *h = h2c_open(server.port);
    struct str large = file_pattern(1 << 20);
    for (int i = 0; i < 3; i++) {
        struct response r = h2c_get(h, "/files/large.bin");
        assert_status(r, 200);
        assert_body(r, large);
    }
    struct response r = h2c_ask(h, H2C_GET("/files/large.bin") "range: bytes=1000-70999\n");
    assert_status(r, 206);
    assert_field(r, "Content-Range", "bytes 1000-70999/1048576");
    assert_body(r, ((struct str){large.p + 1000, 70000}));
    r = h2c_ask(h, H2C_GET("/files/large.bin") "range: bytes=0-9,20-29\n");
    assert_status(r, 206);
    cr_assert(str_starts(response_field(&r, "Content-Type"), STR("multipart/byteranges")));
    assert_status(h2c_ask(h, H2C_GET("/files/large.bin") "range: bytes=2000000-\n"), 416);
}

/* An answer whose length nobody knows beforehand. */
Test(h2_semantics, content_without_a_length)
{
    file_write("www/text.txt", file_fill('t', 2 << 20));
    struct h2c *h = h2c_open(server.port);
    struct response r = h2c_ask(h, H2C_GET("/files/text.txt") "accept-encoding: gzip\n");
    assert_status(r, 200);
    assert_field(r, "Content-Encoding", "gzip");
    assert_no_field(r, "Transfer-Encoding");
    assert_no_field(r, "Content-Length");
    cr_assert(r.complete && r.body.n > 0 && r.body.n < 100000, "%zu octets", r.body.n);
}

/* ---- requests ---- */

static struct str last_line(void)
{
    struct str log = file_read("access.log"), line = {NULL, 0};
    while (log.n)
        line = str_cut(&log, '\n');
    return line;
}

#define assert_logged(expected)                                                                                        \
    cr_assert(until(str_eq(last_line(), STR(expected))), "not " expected ", but " STR_FMT, STR_ARG(last_line()))

/* RFC 9113, 8.2.3: a cookie may come in crumbs, which are one field to everybody behind. */
Test(h2_semantics, cookies_are_joined)
{
    struct h2c *h = h2c_open(server.port);
    assert_status(h2c_ask(h, H2C_GET("/hello") "cookie: a=1\nx: y\ncookie: b=2\ncookie: c=3; d=4\n"), 200);
    assert_logged("GET /hello 200 5 [a=1; b=2; c=3; d=4] localhost");
    assert_status(h2c_ask(h, H2C_GET("/nothing") "cookie: alone=1\n"), 204);
    assert_logged("GET /nothing 204 0 [alone=1] localhost");
}

Test(h2_semantics, every_stream_has_its_line)
{
    enum { STREAMS = 20 };
    struct h2c *h = h2c_open(server.port);
    assert_status(h2c_ask(h, ":method: GET\n:scheme: http\n:path: /hello?x\nhost: name.test:80\n"), 200);
    assert_logged("GET /hello 200 5 [-] name.test");
    uint32_t cancelled = h2c_request(h, H2C_POST("/echo"), false);
    h2c_ping(h);
    h2c_send(h, .type = NGHTTP2_RST_STREAM, .stream = cancelled, .start = h2c_u32(NGHTTP2_CANCEL));
    cr_assert(until(str_starts(last_line(), STR("POST /echo "))), STR_FMT, STR_ARG(last_line()));
    for (int i = 0; i < STREAMS; i++)
        h2c_request(h, H2C_GET("/nothing"), true);
    h2c_answer(h, h->next - 2);
    h2c_ping(h);
    assert_stop(&server, 0);
    struct str log = file_read("access.log");
    int lines = 0;
    while (log.n)
        lines += str_eq(str_cut(&log, '\n'), STR("GET /nothing 204 0 [-] localhost"));
    cr_assert_eq(lines, STREAMS);
}

Test(h2_semantics, expect_continue)
{
    struct h2c *h = h2c_open(server.port);
    struct h2c_frame frame;
    uint32_t id = h2c_request(h, H2C_POST("/echo") "expect: 100-continue\n", false);
    while (h2c_stream(h, id)->interim != 100)
        cr_assert(h2c_read(h, &frame), "the end, instead of 100");
    h2c_content(h, id, STR("content"));
    struct response r = h2c_answer(h, id);
    assert_status(r, 200);
    assert_body(r, STR("content"));

    id = h2c_request(h, H2C_POST("/echo") "expect: 100-continue\ncontent-length: 100000\n", false);
    assert_status(h2c_answer(h, id), 413);
    cr_assert_eq(h2c_stream(h, id)->interim, 0, "100, although the content is not wanted");
    id = h2c_request(h, H2C_POST("/files/one.bin") "expect: 100-continue\n", false);
    assert_status(h2c_answer(h, id), 405);
    cr_assert_eq(h2c_stream(h, id)->interim, 0, "100, although the content is not wanted");
}

/* Both protocols at one port; a peer that finishes its side still gets its answer (RFC 9113, 9.1). */
Test(h2_semantics, a_client_that_has_finished_gets_its_answer)
{
    assert_status(fetch(server.port, "/hello"), 200);
    struct h2c *h = h2c_open(server.port);
    uint32_t id = h2c_request(h, H2C_GET("/files/large.bin"), true);
    h2c_grant(h, 0, 1 << 20);
    h2c_grant(h, id, 1 << 20);
    h->thrifty = true;
    client_finish(h->client);
    assert_body(h2c_answer(h, id), file_pattern(1 << 20));
}

Test(h2_semantics, thousands_of_requests_on_one_connection)
{
    enum { ROUNDS = 100, STREAMS = 50 };
    struct h2c *h = h2c_open(server.port);
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t first = h->next;
        for (int i = 0; i < STREAMS; i++)
            h2c_request(h, i % 2 ? H2C_GET("/hello") : H2C_GET("/files/one.bin"), true);
        for (uint32_t id = first; id < h->next; id += 2)
            assert_body(h2c_answer(h, id), (id - first) / 2 % 2 ? STR("hello") : STR("one\n"));
    }
    cr_assert_eq(h->goaways, 0);
}

/* The size of our table is for our own use; the server's encoder has to keep to it (RFC 7541, 4.2). */
Test(h2_semantics, our_table_is_kept_to)
{
    static const uint32_t sizes[] = {0, 4096, 100, 65536, 0};
    struct h2c *h = h2c_open_as(server.port, h2c_setting(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, 0));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        h2c_set(h, NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, sizes[i]);
        for (int j = 0; j < 3; j++)
            assert_status(h2c_get(h, "/files/one.bin"), 200);
    }
}
