/* Streams of HTTP/2 and their states: what may come when (RFC 9113, 5.1), and windows that are wrong (5.2, 6.9). */
#include "h2_table.h"
#include "harness.h"
#include "harness_h2.h"

#include <criterion/criterion.h>

TestSuite(h2_state, .init = h2_table_begin, .fini = harness_end);

static const struct h2_row idle[] = {
    ROW("5.1", "DATA on a stream that is idle", CONNECTION("PROTOCOL_ERROR"), DATA(1, END, FILL(1))),
    ROW("5.1", "DATA on an even stream", CONNECTION("PROTOCOL_ERROR"), DATA(2, END, FILL(1))),
    ROW("5.1", "DATA on a stream that was left out, and so is closed",
        EITHER("STREAM_CLOSED") "|" CONNECTION("PROTOCOL_ERROR") "|200 +", GET(5), DATA(3, END, FILL(1))),
    ROW("5.1", "WINDOW_UPDATE on a stream that is idle", CONNECTION("PROTOCOL_ERROR"),
        WINDOW_UPDATE(1, START("\0\0\0\1"))),
    ROW("5.1", "WINDOW_UPDATE on an even stream", CONNECTION("PROTOCOL_ERROR"), WINDOW_UPDATE(2, START("\0\0\0\1"))),
    ROW("6.1", "DATA on the connection", CONNECTION("PROTOCOL_ERROR"), DATA(0, 0, FILL(1))),
    ROW("6.1", "padding of all of the payload", CONNECTION("PROTOCOL_ERROR"), POST(1),
        DATA(1, END | PADDED, START("\5"), FILL(4))),
    ROW("6.1", "padding longer than the payload", CONNECTION("PROTOCOL_ERROR"), POST(1),
        DATA(1, END | PADDED, START("\xff"), FILL(4))),
    ROW("6.1", "padded, and nothing there", CONNECTION("PROTOCOL_ERROR") "|" CONNECTION("FRAME_SIZE_ERROR"), POST(1),
        DATA(1, END | PADDED)),
    ROW("6.1", "nothing but padding", ANSWERED, POST(1), DATA(1, END | PADDED, START("\4"), FILL(4))),
    ROW("6.1", "nothing but the length of no padding", ANSWERED, POST(1), DATA(1, END | PADDED, START("\0"))),
    ROW("6.1", "padding that is not zero", EITHER("PROTOCOL_ERROR") "|" ANSWERED, POST(1),
        DATA(1, END | PADDED, START("\3abxyz"))),
};

Test(h2_state, idle)
{
    H2_RUN(idle);
}

/* A request that is complete, and whose answer waits for a window: then the stream is half-closed for sure. */
#define HELD SETTINGS(0, 0, START("\0\4\0\0\0\0")), HEADERS(1, ALL | END, FIELDS(H2C_GET("/probe")))
#define RELEASED SETTINGS(0, 0, START("\0\4\0\0\xff\xff"))
/* The head of the answer may have come. */
#define CLOSED EITHER("STREAM_CLOSED") "|200 RST:STREAM_CLOSED +"

static const struct h2_row half_closed[] = {
    ROW("5.1", "DATA on a half-closed stream", CLOSED, HELD, DATA(1, 0, FILL(1)), RELEASED),
    ROW("5.1", "DATA of nothing on a half-closed stream", CLOSED, HELD, DATA(1, END), RELEASED),
    ROW("5.1", "DATA on a stream that DATA has closed", CLOSED, SETTINGS(0, 0, START("\0\4\0\0\0\0")),
        HEADERS(1, ALL, FIELDS(H2C_POST("/probe"))), DATA(1, END, FILL(1)), DATA(1, END, FILL(1)), RELEASED),
    ROW("5.1", "HEADERS on a half-closed stream", CLOSED, HELD, HEADERS(1, ALL | END, FIELDS("x: y\n")), RELEASED),
    ROW("5.1", "a second request on a half-closed stream", CLOSED, HELD, GET(1), RELEASED),
    ROW("5.1", "CONTINUATION on a half-closed stream", CONNECTION("PROTOCOL_ERROR"), HELD, CONTINUATION(1, ALL),
        RELEASED),
    ROW("5.1", "WINDOW_UPDATE on a half-closed stream", "200 +", HELD, WINDOW_UPDATE(1, START("\0\0\0\1")), RELEASED),
    ROW("5.1", "PRIORITY on a half-closed stream", "200 +", HELD, PRIORITY(1, START("\0\0\0\0\20")), RELEASED),
    ROW("5.1", "RST_STREAM on a half-closed stream", "+|200~ +", HELD, CANCEL(1), RELEASED),
};

Test(h2_state, half_closed)
{
    H2_RUN(half_closed);
}

/* Of frames that come after all, RFC 9113 says that they may be an error, but need not. */
#define LATE GOES_ON "|" EITHER("STREAM_CLOSED")

static const struct h2_row cancelled[] = {
    ROW("5.1", "DATA on a stream that was cancelled", LATE, POST(1), CANCEL(1), DATA(1, END, FILL(1))),
    ROW("5.1", "HEADERS on a stream that was cancelled", LATE "|" CONNECTION("PROTOCOL_ERROR"), POST(1), CANCEL(1),
        HEADERS(1, ALL | END, FIELDS("x: y\n"))),
    ROW("5.1", "WINDOW_UPDATE on a stream that was cancelled", LATE, POST(1), CANCEL(1),
        WINDOW_UPDATE(1, START("\0\0\0\1"))),
    ROW("5.1", "a second RST_STREAM", LATE, POST(1), CANCEL(1), CANCEL(1)),
    ROW("5.1", "CONTINUATION on a stream that was cancelled", CONNECTION("PROTOCOL_ERROR"), POST(1), CANCEL(1),
        CONTINUATION(1, ALL)),
    ROW("5.1", "PRIORITY on a stream that was cancelled", GOES_ON, POST(1), CANCEL(1),
        PRIORITY(1, START("\0\0\0\0\20"))),
};

Test(h2_state, cancelled)
{
    H2_RUN(cancelled);
}

/* What comes on a stream whose answer we have. */
Test(h2_state, closed)
{
    static const struct {
        struct h2c_frame frame;
        bool goes_on; /* it must; else it may end by STREAM_CLOSED, or by PROTOCOL_ERROR for an id that is used up */
    } table[] = {
        {DATA(1, END, FILL(1)), false},
        {GET(1), false},
        {HEADERS(1, ALL | END, FIELDS("x: y\n")), false},
        {WINDOW_UPDATE(1, START("\0\0\0\1")), true},
        {CANCEL(1), true},
        {PRIORITY(1, START("\0\0\0\0\20")), true},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct h2c *h = h2c_open(h2_table_port());
        assert_status(h2c_get(h, "/probe"), 200);
        h2c_send_frames(h, &table[i].frame, 1);
        struct response r = h2c_get(h, "/probe");
        bool by_right = h->error == NGHTTP2_STREAM_CLOSED || h->error == NGHTTP2_PROTOCOL_ERROR;
        cr_expect(r.status == 200 || (!table[i].goes_on && h->goaways && by_right), "row %zu: %d, %s", i, r.status,
                  nghttp2_http2_strerror(h->error));
        h2c_close(h);
    }
    h2_table_assert_workers();
}

/* ---- windows ---- */

#define ALL_WINDOWS "\x7f\xff\xff\xff"

static const struct h2_row windows[] = {
    ROW("6.9", "nothing for the connection", CONNECTION("PROTOCOL_ERROR"), WINDOW_UPDATE(0, FILL(4))),
    ROW("6.9", "nothing for a stream", EITHER("PROTOCOL_ERROR"), POST(1), WINDOW_UPDATE(1, FILL(4)), DATA(1, END)),
    ROW("6.9", "nothing but the reserved bit", CONNECTION("PROTOCOL_ERROR"), WINDOW_UPDATE(0, START("\x80\0\0\0"))),
    ROW("6.9", "three octets", CONNECTION("FRAME_SIZE_ERROR"), WINDOW_UPDATE(0, FILL(3))),
    ROW("6.9", "five octets", CONNECTION("FRAME_SIZE_ERROR"), WINDOW_UPDATE(0, FILL(5))),
    ROW("6.9", "three octets on a stream", CONNECTION("FRAME_SIZE_ERROR"), POST(1), WINDOW_UPDATE(1, FILL(3))),
    ROW("6.9.1", "beyond 2^31 - 1 for the connection", CONNECTION("FLOW_CONTROL_ERROR"),
        WINDOW_UPDATE(0, START(ALL_WINDOWS))),
    ROW("6.9.1", "beyond it by two steps", CONNECTION("FLOW_CONTROL_ERROR"), WINDOW_UPDATE(0, START("\x7f\xff\0\0")),
        WINDOW_UPDATE(0, START("\0\0\0\1"))),
    ROW("6.9.1", "beyond 2^31 - 1 for a stream", EITHER("FLOW_CONTROL_ERROR"), POST(1),
        WINDOW_UPDATE(1, START(ALL_WINDOWS)), DATA(1, END)),
    ROW("6.9.2", "beyond it by the initial window", CONNECTION("FLOW_CONTROL_ERROR"), POST(1),
        WINDOW_UPDATE(1, START("\x7f\xff\0\0")), SETTINGS(0, 0, START("\0\4\0\1\0\0"))),
    ROW("6.9.1", "2^31 - 1 for the connection", GOES_ON, WINDOW_UPDATE(0, START("\x7f\xff\0\0"))),
    ROW("6.9.1", "2^31 - 1 for a stream", ANSWERED, POST(1), WINDOW_UPDATE(1, START("\x7f\xff\0\0")), DATA(1, END)),
    ROW("6.9.2", "a window below nothing", ANSWERED, POST(1), SETTINGS(0, 0, START("\0\4\0\0\0\0")),
        DATA(1, END, FILL(10)), SETTINGS(0, 0, START("\0\4\0\0\xff\xff"))),
};

Test(h2_state, windows)
{
    H2_RUN(windows);
}
