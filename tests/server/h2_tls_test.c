/* HTTP/2 over TLS, by ALPN (RFC 9113, 3.2), and what is the same with it and without. */
#include "harness.h"
#include "harness_file.h"
#include "harness_h2.h"
#include "service.h"
#include "tls_service.h"

#include <criterion/criterion.h>

#define CONFIG                                                                                                         \
    "workers: 1\n" TLS_CONTROL "listen:\n"                                                                             \
    "  - 127.0.0.1:@PORT@\n"                                                                                           \
    "  - " TLS_PORT("@PORT1@",                                                                                         \
                    TLS_PAIR("ecdsa")) "\n"                                                                            \
                                       "  - {address: '127.0.0.1:@PORT2@', http2: off, tls: {" TLS_PAIR(               \
                                           "ecdsa") "}}\n"                                                             \
                                                    "limits: {body_size: 16m, header_size: 8k, streams: 40}\n"         \
                                                    "timeouts: {grace: 1h, shutdown: 1h}\n" TLS_SITES

#define TO(method, path) ":method: " method "\n:scheme: https\n:path: " path "\n:authority: localhost\n"
#define GET_OF(path) TO("GET", path)
#define POST_TO(path) TO("POST", path)

enum { STREAMS = 40, LARGE = 6 << 20 };

static struct server server;

static void begin(void)
{
    harness_begin();
    server = tls_serve(CONFIG);
    file_write("www/large", file_pattern(LARGE));
}

TestSuite(h2_tls, .init = begin, .fini = harness_end);

static struct client *open_tls(int version)
{
    struct client *c = tls_open(.port = harness_port(1), .alpn = "h2,http/1.1", .version = version);
    cr_assert_str_eq(tls_alpn(c), "h2");
    return c;
}

static struct h2c *open_with(struct str settings)
{
    return h2c_open_on(open_tls(0), settings);
}

static struct h2c *open_with_window(uint32_t window)
{
    return open_with(h2c_setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window));
}

static void finish(struct h2c *h)
{
    cr_assert_eq(h->goaways, 0);
    cr_assert_eq(tls_of(h->client)->alert, TLS_FINE, "%s", tls_text(tls_of(h->client)->alert));
    h2c_close(h);
    assert_stop(&server, 0);
}

/* ---- who speaks it ---- */

/* Without ALPN, or with another protocol, a preface is no more than a bad request. */
Test(h2_tls, who_has_not_asked_for_it)
{
    static const struct {
        int port;
        const char *asked, *got;
    } table[] = {{1, NULL, ""}, {1, "http/1.1", "http/1.1"}, {2, NULL, ""}, {2, "h2,http/1.1", "http/1.1"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        int port = harness_port(table[i].port);
        struct client *c = tls_open(.port = port, .alpn = table[i].asked);
        cr_expect_str_eq(tls_alpn(c), table[i].got, "row %zu", i);
        assert_hello(get(c, "/hello"));
        client_close(c);
        c = tls_open(.port = port, .alpn = table[i].asked);
        client_send(c, h2c_preface());
        struct response r = response_read(c);
        cr_expect_geq(r.status, 400, "row %zu: %d", i, r.status);
        client_close(c);
    }
    assert_stop(&server, 0);
}

/* And who has asked for it speaks nothing else. */
Test(h2_tls, http_1_where_h2_was_agreed_on)
{
    struct client *c = open_tls(0);
    client_send(c, STR("GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    struct str answer = client_drain(c);
    cr_assert_geq(answer.n, H2C_HEAD);
    cr_assert_eq(answer.p[3], NGHTTP2_SETTINGS);
    cr_assert_null(memmem(answer.p, answer.n, "HTTP/1", 6));
    assert_stop(&server, 0);
}

Test(h2_tls, both_versions_of_tls)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        struct h2c *h = h2c_open_on(open_tls(versions[i]), STR(""));
        assert_hello(h2c_ask(h, GET_OF("/hello")));
        assert_status(h2c_ask(h, TO("HEAD", "/files/large")), 200);
        h2c_close(h);
    }
    assert_stop(&server, 0);
}

/* ---- limits ---- */

Test(h2_tls, limits_of_requests)
{
    const struct {
        const char *fields;
        int status;
    } table[] = {
        {harness_text(GET_OF("/hello") "x: %s\n", file_fill('v', 9000).p), 431},
        {H2C_GET("/hello"), 421},
        {GET_OF("/missing"), 404},
        {TO("BREW", "/hello"), 501},
        {POST_TO("/echo") "content-length: 100000000\n", 413},
        {POST_TO("/files/large"), 405},
    };
    struct h2c *h = open_with(STR(""));
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        uint32_t id = h2c_request(h, table[i].fields, table[i].status != 413);
        struct response r = h2c_answer(h, id);
        cr_expect_eq(r.status, table[i].status, "row %zu: %d", i, r.status);
        assert_hello(h2c_ask(h, GET_OF("/hello")));
    }
    finish(h);
}

Test(h2_tls, streams_before_the_limit_is_known)
{
    enum { BEYOND = 10 };
    struct h2c *h = h2c_begin(open_tls(0), STR(""));
    for (int i = 0; i < STREAMS + BEYOND; i++)
        h2c_request(h, POST_TO("/echo"), false);
    for (uint32_t id = 2 * STREAMS + 1; id < h->next; id += 2)
        assert_reset(h, id, NGHTTP2_REFUSED_STREAM);
    for (uint32_t id = 1; id < 2 * STREAMS; id += 2) {
        h2c_content(h, id, STR("content"));
        assert_body(h2c_answer(h, id), STR("content"));
    }
    finish(h);
}

/* ---- content ---- */

Test(h2_tls, a_large_file)
{
    static const uint32_t windows[] = {5000, H2C_WINDOW, H2C_WINDOW_MAX};
    struct str content = file_pattern(LARGE);
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        struct h2c *h = open_with_window(windows[i]);
        struct response r = h2c_ask(h, GET_OF("/files/large"));
        assert_status(r, 200);
        assert_body(r, content);
        h2c_close(h);
    }
    assert_stop(&server, 0);
}

/* Both directions wait for each other: an octet is echoed when there is a window for it. */
Test(h2_tls, an_upload_with_slow_windows)
{
    static const uint32_t windows[] = {100, 16384};
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        struct str content = file_pattern(windows[i] * 500 < LARGE ? windows[i] * 500 : LARGE);
        struct h2c *h = open_with_window(windows[i]);
        uint32_t id = h2c_request(h, POST_TO("/echo"), false);
        h2c_content(h, id, content);
        assert_body(h2c_answer(h, id), content);
        h2c_close(h);
    }
    assert_stop(&server, 0);
}

/* Frames and records end where they like. */
Test(h2_tls, octets_that_come_one_by_one)
{
    struct client *c = tls_open(.port = harness_port(1), .alpn = "h2", .segment = 1);
    struct h2c *h = h2c_open_on(c, STR(""));
    const struct h2c_frame frames[] = {
        {.type = NGHTTP2_HEADERS, .stream = 1, .fields = str_of(POST_TO("/echo"))},
        {.type = NGHTTP2_CONTINUATION, .stream = 1, .flags = NGHTTP2_FLAG_END_HEADERS},
        {.type = NGHTTP2_DATA, .stream = 1, .flags = NGHTTP2_FLAG_PADDED, .start = STR("\3abcxyz")},
        {.type = NGHTTP2_DATA, .stream = 1, .flags = NGHTTP2_FLAG_END_STREAM, .start = STR("def")},
    };
    struct str octets = h2c_encode(frames, sizeof frames / sizeof *frames);
    h2c_expect(h, frames, sizeof frames / sizeof *frames);
    for (; octets.n; octets = str_skip(octets, 1))
        client_send(c, (struct str){octets.p, 1}); /* a record each */
    assert_body(h2c_answer(h, 1), STR("abcdef"));
    h->next = 3;
    assert_hello(h2c_ask(h, GET_OF("/hello")));
    finish(h);
}

Test(h2_tls, several_streams)
{
    struct str content = file_pattern(LARGE / 4), upload = file_pattern(100000);
    struct h2c *h = open_with(STR(""));
    file_write("www/file", content);
    for (int i = 0; i < STREAMS; i++)
        h2c_request(h, i % 2 ? POST_TO("/echo") : GET_OF("/files/file"), i % 2 == 0);
    for (uint32_t id = 3; id < h->next; id += 4)
        h2c_content(h, id, upload);
    for (uint32_t id = 1; id < h->next; id += 2)
        assert_body(h2c_answer(h, id), id / 2 % 2 ? upload : content);
    finish(h);
}

/* ---- the end ---- */

/* What was begun is finished, by who began it, and the end is announced, in both languages. */
Test(h2_tls, a_reload_loses_nothing)
{
    struct h2c *h = open_with_window(1000);
    struct h2c_frame frame;
    h->thrifty = true;
    uint32_t download = h2c_request(h, GET_OF("/files/large"), true), upload = h2c_request(h, POST_TO("/echo"), false);
    h2c_send(h, .type = NGHTTP2_DATA, .stream = upload, .start = STR("first "));
    h2c_ping(h);
    assert_ctl(0, "reload");
    while (h->goaways == 0)
        cr_assert(h2c_read(h, &frame), "the end, without a GOAWAY");
    uint32_t late = h2c_request(h, GET_OF("/hello"), true);
    while (h->goaways == 1)
        cr_assert(h2c_read(h, &frame), "the end, without a second GOAWAY");
    cr_assert_eq(h->last_id, late);
    assert_hello(h2c_answer(h, late));
    h->thrifty = false;
    h2c_grant(h, 0, 1000);
    h2c_grant(h, download, 1000);
    h2c_content(h, upload, STR("second"));
    assert_body(h2c_answer(h, upload), STR("first second"));
    assert_body(h2c_answer(h, download), file_pattern(LARGE));
    assert_goaway(h, NGHTTP2_NO_ERROR);
    cr_assert(tls_of(h->client)->closed && !h->client->reset, "no close_notify, or a reset");
    cr_assert(tls_serves(harness_port(1)));
    assert_stop(&server, 0);
}

Test(h2_tls, an_error_is_announced)
{
    struct h2c *h = open_with(STR(""));
    h2c_send(h, .type = NGHTTP2_PRIORITY, .fill = 5);
    assert_goaway(h, NGHTTP2_PROTOCOL_ERROR);
    cr_assert(tls_of(h->client)->closed && !h->client->reset, "no close_notify, or a reset");
    assert_stop(&server, 0);
}

/* ---- with TLS and without ---- */

static const struct way {
    bool tls;
    const char *post;
} ways[] = {{false, H2C_POST("/echo")}, {true, POST_TO("/echo")}};

#define each_way(way) for (const struct way *way = ways; way < ways + sizeof ways / sizeof *ways; way++)

static struct h2c *open_way(const struct way *way)
{
    return way->tls ? open_with(STR("")) : h2c_open(server.port);
}

static void echo_with_trailers(struct h2c *h, uint32_t id, struct str content)
{
    h2c_content_and_trailers(h, id, content, "x-sum: 1\n");
    struct response r = h2c_answer(h, id);
    assert_status(r, 200);
    assert_body(r, content);
}

Test(h2_tls, an_upload_that_ends_with_trailers)
{
    struct str content = file_pattern(LARGE);
    each_way(way)
    {
        struct h2c *h = open_way(way);
        for (int i = 0; i < 2; i++) {
            uint32_t id = h2c_request(h, harness_text("%strailer: x-sum\n", way->post), false);
            echo_with_trailers(h, id, content);
        }
        cr_assert_eq(h->goaways, 0);
        h2c_close(h);
    }
    assert_stop(&server, 0);
}

/* Behind an answer that needed none of the content, they are nobody's, and no mistake (RFC 9113, 5.1). */
Test(h2_tls, trailers_of_a_stream_that_was_reset)
{
    each_way(way)
    {
        struct h2c *h = open_way(way);
        uint32_t id = h2c_request(h, harness_text("%scontent-length: 100000000\n", way->post), false);
        uint32_t after = h2c_request(h, way->post, false);
        assert_status(h2c_answer(h, id), 413);
        h2c_send(h, .type = NGHTTP2_DATA, .stream = id, .fill = 1000);
        h2c_send(h, .type = NGHTTP2_HEADERS, .stream = id, .fields = STR("x-sum: 1\n"),
                 .flags = NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM);
        h2c_content(h, after, STR("content"));
        assert_body(h2c_answer(h, after), STR("content"));
        cr_assert_eq(h->goaways, 0);
        h2c_close(h);
    }
    assert_stop(&server, 0);
}

Test(h2_tls, an_upload_that_waits_for_100)
{
    struct str content = file_pattern(LARGE);
    struct h2c_frame frame;
    each_way(way)
    {
        struct h2c *h = open_way(way);
        uint32_t id =
            h2c_request(h, harness_text("%sexpect: 100-continue\ncontent-length: %zu\n", way->post, content.n), false);
        while (h2c_stream(h, id)->interim != 100)
            cr_assert(h2c_read(h, &frame), "the end, instead of 100");
        echo_with_trailers(h, id, content);
        cr_assert_eq(h->goaways, 0);
        h2c_close(h);
    }
    assert_stop(&server, 0);
}
