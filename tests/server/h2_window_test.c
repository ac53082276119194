/* Flow control of HTTP/2, in both directions: no octet beyond a window, and none lost before it (RFC 9113, 5.2). */
#include "harness.h"
#include "harness_file.h"
#include "harness_h2.h"
#include "harness_server.h"

#include <criterion/criterion.h>

#define CONFIG                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 1\n"                                                                                                     \
    "limits: {body_size: 16m}\n"                                                                                       \
    "sites:\n"                                                                                                         \
    "  - routes:\n"                                                                                                    \
    "      - {exact: /hello, respond: {body: hello}}\n"                                                                \
    "      - {exact: /echo, echo: {}}\n"                                                                               \
    "      - {path: /files/, files: {root: @DIR@/www}}\n"

static struct server server;

static void begin(void)
{
    harness_begin();
    server = server_start(CONFIG);
}

TestSuite(h2_window, .init = begin, .fini = harness_end);

static struct h2c *open_with_window(uint32_t window)
{
    return h2c_open_as(server.port, h2c_setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window));
}

/* ---- what is too much ---- */

/* A request whose handler waits to send, and reads nothing: the windows that the server has given for its content run
 * out, and then one octet is one too many. */
Test(h2_window, content_beyond_the_windows)
{
    enum { MUCH = 8 << 20 };
    file_write("www/file", file_pattern(100000));
    struct h2c *h = open_with_window(0);
    uint32_t id = h2c_request(h, H2C_GET("/files/file"), false);
    struct h2c_stream *s = h2c_stream(h, id);
    int64_t left, sent = 0;
    do {
        left = s->send_window < h->send_window ? s->send_window : h->send_window;
        for (int64_t n; left > 0; left -= n) {
            n = left < H2C_FRAME_MAX ? left : H2C_FRAME_MAX;
            h2c_send(h, .type = NGHTTP2_DATA, .stream = id, .fill = (size_t)n);
            s->send_window -= n;
            h->send_window -= n;
            sent += n;
        }
        h2c_ping(h);
        cr_assert_lt(sent, MUCH, "more is taken than anybody reads");
    } while (s->send_window > 0 && h->send_window > 0);
    h2c_send(h, .type = NGHTTP2_DATA, .stream = id, .fill = 1);
    h2c_answer(h, id);
    cr_assert((s->reset && s->error == NGHTTP2_FLOW_CONTROL_ERROR) || h->error == NGHTTP2_FLOW_CONTROL_ERROR,
              "more than the window is taken");
}

/* ---- what is sent ---- */

Test(h2_window, one_octet_at_a_time)
{
    enum { OCTETS = 500 };
    struct str content = file_pattern(OCTETS);
    file_write("www/file", content);
    struct h2c *h = open_with_window(1);
    uint32_t id = h2c_request(h, H2C_GET("/files/file"), true);
    assert_body(h2c_answer(h, id), content);
    cr_assert_geq(h2c_stream(h, id)->frames, OCTETS);
    id = h2c_request(h, H2C_POST("/echo"), false);
    h2c_content(h, id, content);
    assert_body(h2c_answer(h, id), content);
}

Test(h2_window, a_large_echo_through_small_windows)
{
    static const uint32_t windows[] = {1000, 16384, 65535, 1 << 20};
    struct str content = file_pattern(1 << 20);
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        struct h2c *h = open_with_window(windows[i]);
        uint32_t id = h2c_request(h, harness_text(H2C_POST("/echo") "content-length: %zu\n", content.n), false);
        h2c_content(h, id, content);
        assert_body(h2c_answer(h, id), content);
        h2c_close(h);
    }
}

/* All that the server may send has been sent when it answers a PING that comes after the grant, and a while. */
static size_t received(struct h2c *h, uint32_t id, size_t expected)
{
    struct h2c_frame frame;
    const struct h2c_stream *s = h2c_stream(h, id);
    while (s->n < expected && h2c_read(h, &frame))
        ;
    for (int i = 0; i < 3; i++)
        h2c_ping(h);
    return s->n;
}

/* RFC 9113, 6.9.2: a change counts for streams that are there, and may bring a window below nothing. */
Test(h2_window, the_initial_window_changes_in_the_middle)
{
    struct str content = file_pattern(200000);
    file_write("www/file", content);
    struct h2c *h = open_with_window(0);
    h->thrifty = true;
    uint32_t id = h2c_request(h, H2C_GET("/files/file"), true);
    cr_assert_eq(received(h, id, 0), 0);
    h2c_set(h, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1000);
    cr_assert_eq(received(h, id, 1000), 1000);
    h2c_set(h, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 500);
    cr_assert_eq(received(h, id, 1000), 1000);
    h2c_grant(h, id, 400);
    cr_assert_eq(received(h, id, 1000), 1000, "below nothing, and something is sent");
    h2c_grant(h, id, 200);
    cr_assert_eq(received(h, id, 1100), 1100);
    h2c_set(h, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2C_WINDOW_MAX / 2);
    cr_assert_eq(received(h, id, H2C_WINDOW), H2C_WINDOW, "more than the connection's window");
    h2c_grant(h, 0, 1000000);
    assert_body(h2c_answer(h, id), content);
}

/* A stream that waits for its window keeps no other one from being answered. */
Test(h2_window, who_waits_holds_nobody_up)
{
    file_write("www/file", file_pattern(100000));
    struct h2c *h = open_with_window(10);
    h->thrifty = true;
    uint32_t waits = h2c_request(h, H2C_GET("/files/file"), true);
    cr_assert_eq(received(h, waits, 10), 10);
    for (int i = 0; i < 20; i++) {
        struct response r = h2c_get(h, "/hello");
        assert_status(r, 200);
        assert_body(r, STR("hello"));
    }
    h->thrifty = false;
    h2c_grant(h, waits, 100000);
    h2c_grant(h, 0, 100000);
    assert_body(h2c_answer(h, waits), file_pattern(100000));
}

/* ---- what is received ---- */

/* Padding counts, and has to be granted again (RFC 9113, 6.1): here it is far more than all windows together. */
Test(h2_window, padding_is_granted_again)
{
    enum { FRAMES = 6000, PADDING = 255, OCTETS = PADDING + 2 };
    struct str content = file_pattern(FRAMES);
    struct h2c *h = h2c_open(server.port);
    struct h2c_frame frame;
    uint32_t id = h2c_request(h, H2C_POST("/echo"), false);
    struct h2c_stream *s = h2c_stream(h, id);
    for (size_t i = 0; i < FRAMES; i++) {
        while (s->send_window < OCTETS || h->send_window < OCTETS)
            cr_assert(h2c_read(h, &frame), "the end, in the middle of content");
        h2c_send(h, .type = NGHTTP2_DATA, .stream = id, .start = STR("\xff"), .rest = {content.p + i, 1},
                 .fill = PADDING, .flags = NGHTTP2_FLAG_PADDED | (i + 1 == FRAMES ? NGHTTP2_FLAG_END_STREAM : 0));
        s->send_window -= OCTETS;
        h->send_window -= OCTETS;
    }
    assert_body(h2c_answer(h, id), content);
}

/* Content that nobody reads has to be granted again, too, for the sake of the connection. */
Test(h2_window, content_of_cancelled_streams_is_granted_again)
{
    enum { ROUNDS = 40, PIECES = 20, PIECE = 1000 };
    file_write("www/file", file_pattern(100000));
    struct h2c *h = open_with_window(0);
    struct h2c_frame frame;
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t id = h2c_request(h, H2C_GET("/files/file"), false);
        for (int sent = 0; sent < PIECES; sent++) {
            while (h->send_window < PIECE)
                cr_assert(h2c_read(h, &frame), "the end: %s", nghttp2_http2_strerror(h->error));
            h2c_send(h, .type = NGHTTP2_DATA, .stream = id, .fill = PIECE);
            h->send_window -= PIECE;
        }
        h2c_ping(h);
        h2c_send(h, .type = NGHTTP2_RST_STREAM, .stream = id, .start = h2c_u32(NGHTTP2_CANCEL));
    }
    h2c_set(h, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2C_WINDOW);
    assert_status(h2c_get(h, "/hello"), 200);
}

Test(h2_window, uploads_in_turn)
{
    enum { STREAMS = 8, PIECES = 40, PIECE = 1500 };
    struct str content[STREAMS];
    uint32_t ids[STREAMS];
    struct h2c *h = h2c_open(server.port);
    for (size_t i = 0; i < STREAMS; i++) {
        content[i] = str_skip(file_pattern(PIECES * PIECE + 8 * i), 8 * i);
        ids[i] = h2c_request(h, H2C_POST("/echo"), false);
    }
    struct h2c_frame frame;
    for (size_t piece = 0; piece < PIECES; piece++)
        for (size_t i = 0; i < STREAMS; i++) {
            struct h2c_stream *s = h2c_stream(h, ids[i]);
            while (s->send_window < PIECE || h->send_window < PIECE)
                cr_assert(h2c_read(h, &frame));
            h2c_send(h, .type = NGHTTP2_DATA, .stream = ids[i], .start = {content[i].p + piece * PIECE, PIECE},
                     .flags = piece + 1 == PIECES ? NGHTTP2_FLAG_END_STREAM : 0);
            s->send_window -= PIECE;
            h->send_window -= PIECE;
        }
    for (size_t i = 0; i < STREAMS; i++)
        assert_body(h2c_answer(h, ids[i]), content[i]);
}

Test(h2_window, downloads_together)
{
    enum { STREAMS = 30 };
    struct str content = file_pattern(300000);
    file_write("www/file", content);
    struct h2c *h = h2c_open(server.port);
    uint32_t ids[STREAMS];
    for (size_t i = 0; i < STREAMS; i++)
        ids[i] = h2c_request(h, H2C_GET("/files/file"), true);
    for (size_t i = 0; i < STREAMS; i++)
        assert_body(h2c_answer(h, ids[i]), content);
}
