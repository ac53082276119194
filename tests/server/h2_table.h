/* h2_table.h: the table of frames: what must be refused, how, and what must not.
 *
 * A row is frames that a client sends behind the preface, and what has to come of them by RFC 9113 (or RFC 7541, or
 * 9110). Rows stand in h2_*_test.c, by topic; in each, what is refused comes first. A request is sent behind the
 * frames, as a probe: it is answered on a connection that goes on.
 *
 * A row is run in two deliveries, in one write and an octet a write, on a connection each. What comes of it must be the
 * same, and the workers must be the same after all of them.
 *
 * An outcome is written in words: what came on each stream, in the order of their ids, and then what became of the
 * connection:
 *
 *   "200"                    the whole answer; "200~": some of it
 *   "RST:PROTOCOL_ERROR"     the stream was reset; "405 RST:NO_ERROR": behind an answer
 *   "+"                      the probe was answered
 *   "GOAWAY:PROTOCOL_ERROR"  the end of the connection, which this announced. What had come on streams does not count
 *   "-"                      the end, without a GOAWAY
 *
 * Routes: "/" echoes (any method), "/probe" is the probe's, "/target" answers 203 without reading anything, and
 * "/files/" has one file, "one.txt". Everything at the host "other.test" is answered with 202. limits.body_size is 64k.
 */
#ifndef TERN_TESTS_SERVER_H2_TABLE_H
#define TERN_TESTS_SERVER_H2_TABLE_H

#include "harness_h2_frame.h"

struct h2_row {
    const char *section;            /* of RFC 9113, or "7541 6.1" */
    const char *name;               /* what the row shows */
    const char *expected;           /* outcomes, with '|' between those that are right */
    const struct h2c_frame *frames; /* what is sent */
    size_t count;
    bool cut; /* and then no probe: a header block or a frame is not complete */
};

/* clang-format off */
#define FRAMES(...) .frames = (const struct h2c_frame[]){__VA_ARGS__}, \
    .count = sizeof((const struct h2c_frame[]){__VA_ARGS__}) / sizeof(struct h2c_frame)
#define ROW(section, name, expected, ...) {section, name, expected, FRAMES(__VA_ARGS__)}
#define CUT_ROW(section, name, expected, ...) {section, name, expected, FRAMES(__VA_ARGS__), .cut = true}

/* Outcomes. A stream error may be made one of the connection (5.4.1), but where there is no need to, the other requests
 * of the connection should not have to pay for it: EITHER marks the rows where we allow it. */
#define GOES_ON "+"
#define ANSWERED "200 +"
#define CONNECTION(code) "GOAWAY:" code
#define STREAM(code) "RST:" code " +"
#define EITHER(code) STREAM(code) "|" CONNECTION(code)
/* A malformed request is a stream error, and may have an answer, too (8.1.1). */
#define MALFORMED STREAM("PROTOCOL_ERROR") "|400 +|400 RST:PROTOCOL_ERROR +|400 RST:NO_ERROR +"

/* Frames. */
#define END NGHTTP2_FLAG_END_STREAM
#define ALL NGHTTP2_FLAG_END_HEADERS
#define PADDED NGHTTP2_FLAG_PADDED
#define PRIORITISED NGHTTP2_FLAG_PRIORITY
#define ACK NGHTTP2_FLAG_ACK
#define FRAME(kind, id, bits, ...) {.type = (kind), .stream = (id), .flags = (bits), __VA_ARGS__}
#define START(octets) .start = STR_INIT(octets)
#define FIELDS(text) .fields = STR_INIT(text)
#define REST(octets) .rest = STR_INIT(octets)
#define FILL(n) .fill = (n)
#define LENGTH(n) .length = (n)
#define HEADERS(id, bits, ...) FRAME(NGHTTP2_HEADERS, id, bits, __VA_ARGS__)
#define DATA(id, bits, ...) FRAME(NGHTTP2_DATA, id, bits, __VA_ARGS__)
#define CONTINUATION(id, bits, ...) FRAME(NGHTTP2_CONTINUATION, id, bits, __VA_ARGS__)
#define SETTINGS(id, bits, ...) FRAME(NGHTTP2_SETTINGS, id, bits, __VA_ARGS__)
#define PING(id, bits, ...) FRAME(NGHTTP2_PING, id, bits, __VA_ARGS__)
#define WINDOW_UPDATE(id, ...) FRAME(NGHTTP2_WINDOW_UPDATE, id, 0, __VA_ARGS__)
#define RST_STREAM(id, ...) FRAME(NGHTTP2_RST_STREAM, id, 0, __VA_ARGS__)
#define PRIORITY(id, ...) FRAME(NGHTTP2_PRIORITY, id, 0, __VA_ARGS__)

/* Whole requests: without content, and one whose content is still to come. */
#define GET(id) HEADERS(id, ALL | END, FIELDS(H2C_GET("/")))
#define POST(id) HEADERS(id, ALL, FIELDS(H2C_POST("/")))
#define CANCEL(id) RST_STREAM(id, START("\0\0\0\10"))
/* clang-format on */

/* The .init of every suite; harness_end is its .fini. */
void h2_table_begin(void);

/* The port of the server. */
int h2_table_port(void);

/* Runs the rows; fails the test for each that does not come out as expected. */
void h2_table_run(const struct h2_row *rows, size_t count);

#define H2_RUN(rows) h2_table_run((rows), sizeof(rows) / sizeof *(rows))

/* Fails the test when a worker has died since the beginning. */
void h2_table_assert_workers(void);

#endif
