/* Frames of HTTP/2: their sizes, the streams they belong to, and what is to be ignored. */
#include "h2_table.h"
#include "harness.h"
#include "harness_client.h"
#include "harness_h2.h"

#include <criterion/criterion.h>

TestSuite(h2_frame, .init = h2_table_begin, .fini = harness_end);

static const struct h2_row sizes[] = {
    ROW("4.2", "DATA beyond SETTINGS_MAX_FRAME_SIZE", EITHER("FRAME_SIZE_ERROR"), POST(1), DATA(1, END, FILL(16385))),
    ROW("4.2", "HEADERS beyond it", CONNECTION("FRAME_SIZE_ERROR"),
        HEADERS(1, ALL | END, FIELDS(H2C_GET("/")), FILL(16385))),
    ROW("4.2", "an unknown frame beyond it", CONNECTION("FRAME_SIZE_ERROR"), FRAME(H2C_RESERVED, 0, 0, FILL(16385))),
    ROW("4.2", "SETTINGS beyond it", CONNECTION("FRAME_SIZE_ERROR"), SETTINGS(0, 0, FILL(16386))),
    CUT_ROW("4.2", "a length of 2^24 - 1", CONNECTION("FRAME_SIZE_ERROR"), POST(1), DATA(1, 0, LENGTH(0xffffff))),
    ROW("4.2", "DATA of just that size", ANSWERED, POST(1), DATA(1, END, FILL(16384))),
    ROW("4.2", "an unknown frame of just that size", GOES_ON, FRAME(H2C_RESERVED, 0, 0, FILL(16384))),
    ROW("6.1", "DATA of nothing", ANSWERED, POST(1), DATA(1, 0), DATA(1, 0), DATA(1, END)),
};

Test(h2_frame, size)
{
    H2_RUN(sizes);
}

#define ENABLE_PUSH(value) START("\0\2\0\0\0" value)
#define INITIAL_WINDOW(value) START("\0\4" value)
#define MAX_FRAME(value) START("\0\5" value)

static const struct h2_row settings[] = {
    ROW("6.5", "SETTINGS on a stream", CONNECTION("PROTOCOL_ERROR"), SETTINGS(1, 0)),
    ROW("6.5", "SETTINGS on a stream that is open", CONNECTION("PROTOCOL_ERROR"), POST(1), SETTINGS(1, 0)),
    ROW("6.5", "an acknowledgement with a payload", CONNECTION("FRAME_SIZE_ERROR"), SETTINGS(0, ACK, FILL(6))),
    ROW("6.5", "an acknowledgement with one octet", CONNECTION("FRAME_SIZE_ERROR"), SETTINGS(0, ACK, FILL(1))),
    ROW("6.5", "one octet", CONNECTION("FRAME_SIZE_ERROR"), SETTINGS(0, 0, FILL(1))),
    ROW("6.5", "five octets", CONNECTION("FRAME_SIZE_ERROR"), SETTINGS(0, 0, FILL(5))),
    ROW("6.5", "a setting and an octet", CONNECTION("FRAME_SIZE_ERROR"), SETTINGS(0, 0, ENABLE_PUSH("\0"), FILL(1))),
    ROW("6.5.2", "ENABLE_PUSH of 2", CONNECTION("PROTOCOL_ERROR"), SETTINGS(0, 0, ENABLE_PUSH("\2"))),
    ROW("6.5.2", "ENABLE_PUSH of 2^32 - 1", CONNECTION("PROTOCOL_ERROR"),
        SETTINGS(0, 0, START("\0\2\xff\xff\xff\xff"))),
    ROW("6.5.2", "INITIAL_WINDOW_SIZE of 2^31", CONNECTION("FLOW_CONTROL_ERROR"),
        SETTINGS(0, 0, INITIAL_WINDOW("\x80\0\0\0"))),
    ROW("6.5.2", "INITIAL_WINDOW_SIZE of 2^32 - 1", CONNECTION("FLOW_CONTROL_ERROR"),
        SETTINGS(0, 0, INITIAL_WINDOW("\xff\xff\xff\xff"))),
    ROW("6.5.2", "MAX_FRAME_SIZE of 0", CONNECTION("PROTOCOL_ERROR"), SETTINGS(0, 0, MAX_FRAME("\0\0\0\0"))),
    ROW("6.5.2", "MAX_FRAME_SIZE of 2^14 - 1", CONNECTION("PROTOCOL_ERROR"), SETTINGS(0, 0, MAX_FRAME("\0\0\x3f\xff"))),
    ROW("6.5.2", "MAX_FRAME_SIZE of 2^24", CONNECTION("PROTOCOL_ERROR"), SETTINGS(0, 0, MAX_FRAME("\1\0\0\0"))),
    ROW("6.5.3", "a bad one behind a good one", CONNECTION("PROTOCOL_ERROR"),
        SETTINGS(0, 0, MAX_FRAME("\0\0\x40\0"), REST("\0\2\0\0\0\2"))),
    ROW("6.5.2", "MAX_FRAME_SIZE of 2^14", GOES_ON, SETTINGS(0, 0, MAX_FRAME("\0\0\x40\0"))),
    ROW("6.5.2", "MAX_FRAME_SIZE of 2^24 - 1", GOES_ON, SETTINGS(0, 0, MAX_FRAME("\0\xff\xff\xff"))),
    ROW("6.5.2", "ENABLE_PUSH of 0, then 1", GOES_ON, SETTINGS(0, 0, ENABLE_PUSH("\0")),
        SETTINGS(0, 0, ENABLE_PUSH("\1"))),
    ROW("6.5.2", "INITIAL_WINDOW_SIZE of 2^31 - 1", GOES_ON, SETTINGS(0, 0, INITIAL_WINDOW("\x7f\xff\xff\xff"))),
    ROW("6.5.2", "MAX_CONCURRENT_STREAMS of 0 is about pushes", GOES_ON, SETTINGS(0, 0, START("\0\3\0\0\0\0"))),
    ROW("6.5.2", "a HEADER_TABLE_SIZE of 2^32 - 1", GOES_ON, SETTINGS(0, 0, START("\0\1\xff\xff\xff\xff"))),
    ROW("6.5.2", "settings that nobody knows", GOES_ON, SETTINGS(0, 0, START("\xff\xff\0\0\0\1\0\0\xff\xff\xff\xff"))),
    ROW("6.5.3", "no settings at all", GOES_ON, SETTINGS(0, 0)),
    ROW("6.5.3", "one setting twice", GOES_ON, SETTINGS(0, 0, MAX_FRAME("\0\0\x40\0"), REST("\0\5\0\0\x50\0"))),
    ROW("6.5", "flags that are not defined", GOES_ON, SETTINGS(0, 0xfe, ENABLE_PUSH("\0"))),
};

Test(h2_frame, settings)
{
    H2_RUN(settings);
}

static const struct h2_row pings[] = {
    ROW("6.7", "PING of seven octets", CONNECTION("FRAME_SIZE_ERROR"), PING(0, 0, FILL(7))),
    ROW("6.7", "PING of nine octets", CONNECTION("FRAME_SIZE_ERROR"), PING(0, 0, FILL(9))),
    ROW("6.7", "PING of nothing", CONNECTION("FRAME_SIZE_ERROR"), PING(0, 0)),
    ROW("6.7", "an acknowledgement of seven octets", CONNECTION("FRAME_SIZE_ERROR"), PING(0, ACK, FILL(7))),
    ROW("6.7", "PING on a stream", CONNECTION("PROTOCOL_ERROR"), PING(1, 0, FILL(8))),
    ROW("6.7", "PING on a stream that is open", CONNECTION("PROTOCOL_ERROR"), POST(1), PING(1, 0, FILL(8))),
    ROW("6.7", "an acknowledgement of no PING", GOES_ON, PING(0, ACK, FILL(8))),
    ROW("6.7", "flags that are not defined", GOES_ON, PING(0, 0xfe, FILL(8))),
    ROW("6.8", "GOAWAY of seven octets", CONNECTION("FRAME_SIZE_ERROR"), FRAME(NGHTTP2_GOAWAY, 0, 0, FILL(7))),
    ROW("6.8", "GOAWAY on a stream", CONNECTION("PROTOCOL_ERROR"), FRAME(NGHTTP2_GOAWAY, 1, 0, FILL(8))),
};

Test(h2_frame, ping_and_goaway)
{
    H2_RUN(pings);
}

static const struct h2_row others[] = {
    ROW("6.3", "PRIORITY of four octets", EITHER("FRAME_SIZE_ERROR"), POST(1), PRIORITY(1, FILL(4)), DATA(1, END)),
    ROW("6.3", "PRIORITY of six octets", EITHER("FRAME_SIZE_ERROR"), POST(1), PRIORITY(1, FILL(6)), DATA(1, END)),
    ROW("6.3", "PRIORITY on the connection", CONNECTION("PROTOCOL_ERROR"), PRIORITY(0, FILL(5))),
    ROW("5.3.1 of 7540", "PRIORITY of a stream that depends on itself", EITHER("PROTOCOL_ERROR") "|" ANSWERED, POST(1),
        PRIORITY(1, START("\0\0\0\1\20")), DATA(1, END)),
    ROW("6.3", "PRIORITY of a stream that is idle", GOES_ON, PRIORITY(7, START("\0\0\0\0\20"))),
    ROW("6.3", "PRIORITY of a stream that is closed", ANSWERED, GET(1), PRIORITY(1, START("\0\0\0\0\20"))),
    ROW("6.4", "RST_STREAM of three octets", CONNECTION("FRAME_SIZE_ERROR"), POST(1), RST_STREAM(1, FILL(3))),
    ROW("6.4", "RST_STREAM of five octets", CONNECTION("FRAME_SIZE_ERROR"), POST(1), RST_STREAM(1, FILL(5))),
    ROW("6.4", "RST_STREAM on the connection", CONNECTION("PROTOCOL_ERROR"), CANCEL(0)),
    ROW("6.4", "RST_STREAM on a stream that is idle", CONNECTION("PROTOCOL_ERROR"), CANCEL(1)),
    ROW("6.4", "RST_STREAM with an error that nobody knows", GOES_ON, POST(1),
        RST_STREAM(1, START("\xff\xff\xff\xff"))),
    ROW("6.6", "PUSH_PROMISE of a client", CONNECTION("PROTOCOL_ERROR"), POST(1),
        FRAME(NGHTTP2_PUSH_PROMISE, 1, ALL, START("\0\0\0\2"), FIELDS(H2C_GET("/")))),
    ROW("6.6", "PUSH_PROMISE of a client on no stream", CONNECTION("PROTOCOL_ERROR"),
        FRAME(NGHTTP2_PUSH_PROMISE, 0, ALL, START("\0\0\0\2"), FIELDS(H2C_GET("/")))),
};

Test(h2_frame, priority_reset_and_push)
{
    H2_RUN(others);
}

static const struct h2_row ignored[] = {
    ROW("4.1", "an unknown frame on the connection", GOES_ON, FRAME(H2C_RESERVED, 0, 0, FILL(8))),
    ROW("4.1", "an unknown frame on a stream that is idle", GOES_ON, FRAME(H2C_RESERVED, 9, 0xff, FILL(8))),
    ROW("4.1", "an unknown frame of nothing", GOES_ON, FRAME(H2C_RESERVED, 0, 0xff)),
    ROW("5.5", "unknown frames in the middle of content", ANSWERED, POST(1), FRAME(H2C_RESERVED, 1, 0xff, FILL(100)),
        DATA(1, 0, FILL(10)), FRAME(H2C_RESERVED, 0, 0), DATA(1, END)),
    ROW("5.5", "all types between those that are known and the last one", GOES_ON, FRAME(0x0b, 0, 0, FILL(3)),
        FRAME(0x0d, 0, 0, FILL(3)), FRAME(0x0e, 0, 0, FILL(3)), FRAME(0x0f, 0, 0, FILL(3)), FRAME(0x11, 0, 0, FILL(3)),
        FRAME(0x40, 0, 0, FILL(3))),
    ROW("7838 4", "ALTSVC of a client", GOES_ON, FRAME(NGHTTP2_ALTSVC, 0, 0, START("\0\0h2"))),
    ROW("8336 2.1", "ORIGIN of a client", GOES_ON, FRAME(NGHTTP2_ORIGIN, 0, 0, START("\0\1x"))),
    ROW("4.1", "the reserved bit of a stream", ANSWERED, HEADERS(1 | 1u << 31, ALL | END, FIELDS(H2C_GET("/")))),
    ROW("4.1", "the reserved bit of PING", GOES_ON, PING(1u << 31, 0, FILL(8))),
    ROW("6.9", "the reserved bit of an increment", GOES_ON, WINDOW_UPDATE(0, START("\x80\0\0\1"))),
    ROW("4.1", "flags of HEADERS that are not defined", ANSWERED, HEADERS(1, ALL | END | 0xd2, FIELDS(H2C_GET("/")))),
    ROW("4.1", "flags of DATA that are not defined", ANSWERED, POST(1), DATA(1, END | 0xf6, FILL(5))),
    ROW("4.1", "flags of WINDOW_UPDATE", GOES_ON, FRAME(NGHTTP2_WINDOW_UPDATE, 0, 0xff, START("\0\0\0\1"))),
    ROW("4.1", "flags of RST_STREAM", GOES_ON, POST(1), FRAME(NGHTTP2_RST_STREAM, 1, 0xff, START("\0\0\0\10"))),
};

Test(h2_frame, ignored)
{
    H2_RUN(ignored);
}

/* ---- the preface ---- */

/* What is no preface is answered as HTTP/1, by a refusal, or ends by GOAWAY, or without a word (3.4). */
static bool is_refused(struct str answer)
{
    if (answer.n == 0 || str_starts(answer, STR("HTTP/1.1 4")) || str_starts(answer, STR("HTTP/1.1 5")))
        return true;
    uint8_t last = NGHTTP2_SETTINGS;
    for (size_t n; answer.n >= H2C_HEAD && last != NGHTTP2_GOAWAY; answer = str_skip(answer, H2C_HEAD + n)) {
        n = h2c_get_u32(answer.p) >> 8;
        last = (uint8_t)answer.p[3];
    }
    return last == NGHTTP2_GOAWAY && answer.n == 0;
}

Test(h2_frame, preface)
{
    static const struct str table[] = {
        STR_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\10\6\0\0\0\0\0xxxxxxxx"), /* PING is not SETTINGS */
        STR_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\1\0\0\0\0"),          /* nor is an acknowledgement */
        STR_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
        STR_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\1\5\0\0\0\1"),
        STR_INIT("PRI * HTTP/2.0\r\n\r\nSM\r\r\r\n\0\0\0\4\0\0\0\0\0"),
        STR_INIT("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n\0\0\0\4\0\0\0\0\0"),
        STR_INIT("PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"),
        STR_INIT("PRI / HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"),
        STR_INIT("PRI * HTTP/2.0\r\nHost: x\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"),
        STR_INIT("\0\0\0\4\0\0\0\0\0"),
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct client *c = client_open(h2_table_port());
        client_send(c, table[i]);
        client_finish(c);
        struct str answer = client_drain(c);
        cr_expect(is_refused(answer), "row %zu: " STR_FMT, i, STR_ARG(answer));
        client_close(c);
    }
    assert_status(fetch(h2_table_port(), "/probe"), 200);
    assert_status(h2c_fetch(h2_table_port(), "/probe"), 200);
    h2_table_assert_workers();
}

/* A request of HTTP/1 on a connection that has spoken it before is not taken for a preface. */
Test(h2_frame, preface_behind_a_request)
{
    struct client *c = client_open(h2_table_port());
    assert_status(get(c, "/probe"), 200);
    client_send(c, h2c_preface());
    struct response r = response_read(c);
    cr_assert(r.status >= 400, "%d", r.status);
    cr_assert(client_ends(c));
}

/* A preface that comes in two parts, wherever it is cut, is one. */
Test(h2_frame, preface_in_two_parts)
{
    struct str preface = h2c_preface();
    for (size_t cut = 1; cut < preface.n; cut++) {
        struct client *c = client_open(h2_table_port());
        client_send(c, (struct str){preface.p, cut});
        harness_nap(NSEC_NEVER);
        client_send(c, str_skip(preface, cut));
        const struct h2c_frame frames[] = {SETTINGS(0, 0), GET(1)};
        client_send(c, h2c_encode(frames, 2));
        struct str first = client_peek(c, H2C_HEAD);
        cr_assert(first.n == H2C_HEAD && first.p[3] == NGHTTP2_SETTINGS, "cut after %zu octets", cut);
        client_close(c);
    }
    h2_table_assert_workers();
}

/* RFC 9113 has done away with the upgrade from HTTP/1: who asks for it is answered in HTTP/1 (3.1). */
Test(h2_frame, an_upgrade_is_not_taken_up)
{
    struct client *c = client_open(h2_table_port());
    struct response r = ask(c, "GET /probe HTTP/1.1\r\nHost: t\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                               "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n");
    assert_status(r, 200);
    assert_body(r, STR("probe"));
    assert_status(get(c, "/probe"), 200);
}
