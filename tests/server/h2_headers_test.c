/* HEADERS and CONTINUATION as frames, and what HPACK makes of their octets (RFC 7541). */
#include "h2_table.h"
#include "harness.h"

#include <criterion/criterion.h>

TestSuite(h2_headers, .init = h2_table_begin, .fini = harness_end);

/* A request in a few octets: GET / of t, from the static table. */
#define INDEXED "\x82\x86\x84\1\1t"
#define BLOCK(octets) HEADERS(1, ALL | END, START(octets))

static const struct h2_row streams[] = {
    ROW("6.2", "HEADERS on the connection", CONNECTION("PROTOCOL_ERROR"), GET(0)),
    ROW("5.1.1", "an even id", CONNECTION("PROTOCOL_ERROR"), GET(2)),
    ROW("5.1.1", "an even id behind a request", CONNECTION("PROTOCOL_ERROR"), GET(1), GET(2)),
    ROW("5.1.1", "an id lower than the one before", CONNECTION("PROTOCOL_ERROR") "|" CONNECTION("STREAM_CLOSED"),
        GET(5), GET(3)),
    ROW("5.1.1", "an id lower than one that was cancelled",
        CONNECTION("PROTOCOL_ERROR") "|" CONNECTION("STREAM_CLOSED"), POST(5), CANCEL(5), GET(3)),
    ROW("5.1.1", "ids that are left out", "200 200 +", GET(7), GET(51)),
};

Test(h2_headers, stream)
{
    H2_RUN(streams);
}

/* Of a payload that has no room for what the flags announce, the RFC speaks twice (4.2, 6.2). */
#define TOO_SHORT CONNECTION("PROTOCOL_ERROR") "|" CONNECTION("FRAME_SIZE_ERROR")
/* Priorities of streams are gone since RFC 9113; a server may know them still. */
#define SELF_DEPENDENT EITHER("PROTOCOL_ERROR") "|" ANSWERED

static const struct h2_row payloads[] = {
    ROW("6.2", "padding of all of the payload", CONNECTION("PROTOCOL_ERROR"),
        HEADERS(1, ALL | END | PADDED, START("\7" INDEXED))),
    ROW("6.2", "padding longer than the payload", CONNECTION("PROTOCOL_ERROR"),
        HEADERS(1, ALL | END | PADDED, START("\xff" INDEXED))),
    ROW("6.2", "padding longer than what is left behind the priority", CONNECTION("PROTOCOL_ERROR"),
        HEADERS(1, ALL | END | PADDED | PRIORITISED, START("\3\0\0\0\0\20\x82\x86"))),
    ROW("6.2", "padded, and nothing there", TOO_SHORT, HEADERS(1, ALL | END | PADDED)),
    ROW("6.2", "a priority, and nothing there", TOO_SHORT, HEADERS(1, ALL | END | PRIORITISED)),
    ROW("6.2", "a priority of four octets", TOO_SHORT, HEADERS(1, ALL | END | PRIORITISED, FILL(4))),
    ROW("6.2", "padded, a priority, and five octets", TOO_SHORT, HEADERS(1, ALL | END | PADDED | PRIORITISED, FILL(5))),
    ROW("5.3.1 of 7540", "a stream that depends on itself", SELF_DEPENDENT,
        HEADERS(1, ALL | END | PRIORITISED, START("\0\0\0\1\20" INDEXED))),
    ROW("8.3.1", "no fields at all", MALFORMED, HEADERS(1, ALL | END)),
    ROW("8.3.1", "no fields but padding", MALFORMED, HEADERS(1, ALL | END | PADDED, START("\3\0\0\0"))),
    ROW("6.2", "padding that is not zero", EITHER("PROTOCOL_ERROR") "|" ANSWERED,
        HEADERS(1, ALL | END | PADDED, START("\3" INDEXED "xyz"))),
    ROW("6.2", "padding", ANSWERED, HEADERS(1, ALL | END | PADDED, START("\xff" INDEXED), FILL(255))),
    ROW("6.2", "padding of nothing", ANSWERED, HEADERS(1, ALL | END | PADDED, START("\0" INDEXED))),
    ROW("5.3.2", "a priority", ANSWERED, HEADERS(1, ALL | END | PRIORITISED, START("\x80\0\0\3\20" INDEXED))),
    ROW("6.2", "padding and a priority", ANSWERED,
        HEADERS(1, ALL | END | PADDED | PRIORITISED, START("\2\0\0\0\0\20" INDEXED), FILL(2))),
};

Test(h2_headers, payload)
{
    H2_RUN(payloads);
}

#define BEGUN HEADERS(1, END, START("\x82\x86"))
#define REMAINDER CONTINUATION(1, ALL, START("\x84\1\1t"))

static const struct h2_row continuations[] = {
    ROW("6.10", "CONTINUATION first of all", CONNECTION("PROTOCOL_ERROR"), CONTINUATION(1, ALL, START(INDEXED))),
    ROW("6.10", "CONTINUATION on the connection", CONNECTION("PROTOCOL_ERROR"), BEGUN, CONTINUATION(0, ALL)),
    ROW("6.10", "CONTINUATION behind a whole block", CONNECTION("PROTOCOL_ERROR"), POST(1), CONTINUATION(1, ALL)),
    ROW("6.10", "CONTINUATION behind a whole block in two frames", CONNECTION("PROTOCOL_ERROR"), BEGUN, REMAINDER,
        CONTINUATION(1, ALL)),
    ROW("6.10", "CONTINUATION behind DATA", CONNECTION("PROTOCOL_ERROR"), POST(1), DATA(1, 0, FILL(1)),
        CONTINUATION(1, ALL)),
    ROW("6.10", "CONTINUATION of another stream", CONNECTION("PROTOCOL_ERROR"), BEGUN,
        CONTINUATION(3, ALL, START("\x84\1\1t"))),
    ROW("6.2", "DATA in a block", CONNECTION("PROTOCOL_ERROR"), HEADERS(1, 0, START("\x82")), DATA(1, END), REMAINDER),
    ROW("6.2", "HEADERS in a block", CONNECTION("PROTOCOL_ERROR"), BEGUN, HEADERS(1, ALL, START("\x84\1\1t"))),
    ROW("6.2", "HEADERS of another stream in a block", CONNECTION("PROTOCOL_ERROR"), BEGUN, GET(3), REMAINDER),
    ROW("6.2", "PING in a block", CONNECTION("PROTOCOL_ERROR"), BEGUN, PING(0, 0, FILL(8)), REMAINDER),
    ROW("6.2", "SETTINGS in a block", CONNECTION("PROTOCOL_ERROR"), BEGUN, SETTINGS(0, 0), REMAINDER),
    ROW("6.2", "WINDOW_UPDATE in a block", CONNECTION("PROTOCOL_ERROR"), BEGUN, WINDOW_UPDATE(0, START("\0\0\0\1")),
        REMAINDER),
    ROW("6.2", "PRIORITY in a block", CONNECTION("PROTOCOL_ERROR"), BEGUN, PRIORITY(1, FILL(5)), REMAINDER),
    ROW("6.2", "RST_STREAM in a block", CONNECTION("PROTOCOL_ERROR"), BEGUN, CANCEL(1), REMAINDER),
    ROW("5.5", "an unknown frame in a block", CONNECTION("PROTOCOL_ERROR"), BEGUN, FRAME(H2C_RESERVED, 0, 0),
        REMAINDER),
    ROW("5.5", "an unknown frame of the same stream in a block", CONNECTION("PROTOCOL_ERROR"), BEGUN,
        FRAME(H2C_RESERVED, 1, 0), REMAINDER),
    ROW("6.10", "two frames", ANSWERED, BEGUN, REMAINDER),
    ROW("6.10", "a field cut by its frames", ANSWERED, HEADERS(1, END, START("\x82\x86\x84\1\4t")),
        CONTINUATION(1, 0, START("es")), CONTINUATION(1, ALL, START("t"))),
    ROW("6.10", "frames of nothing", ANSWERED, HEADERS(1, END), CONTINUATION(1, 0), CONTINUATION(1, 0),
        CONTINUATION(1, ALL, START(INDEXED))),
};

Test(h2_headers, continuation)
{
    H2_RUN(continuations);
}

/* ---- HPACK ---- */

#define BAD(section, name, octets) ROW(section, name, CONNECTION("COMPRESSION_ERROR"), BLOCK(octets))
#define GOOD(section, name, octets) ROW(section, name, ANSWERED, BLOCK(octets))

static const struct h2_row indices[] = {
    BAD("7541 6.1", "index 0", INDEXED "\x80"),
    BAD("7541 2.3.3", "an index beyond both tables", INDEXED "\xbe"),
    BAD("7541 2.3.3", "an index far beyond", INDEXED "\xff\xff\x7f"),
    BAD("7541 2.3.3", "a name beyond both tables", INDEXED "\x0f\x2f\1x"),
    BAD("7541 5.1", "an integer that does not end", INDEXED "\xff\x80\x80"),
    BAD("7541 5.1", "an integer beyond 32 bits", INDEXED "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"),
    BAD("7541 5.1", "an integer of ten zeros", INDEXED "\xff\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\0"),
    BAD("7541 5.2", "a name that is cut", INDEXED "\0\5ab"),
    BAD("7541 5.2", "a value that is cut", INDEXED "\0\1a\5b"),
    BAD("7541 5.2", "a value of which there is nothing", INDEXED "\0\1a"),
    BAD("7541 5.2", "a length beyond 32 bits", INDEXED "\0\x7f\xff\xff\xff\xff\xff\x7f"),
    GOOD("7541 6.2.2", "a literal", INDEXED "\0\1a\1b"),
    GOOD("7541 6.2.2", "an empty value", INDEXED "\0\1a\0"),
    GOOD("7541 6.2.3", "a literal that is never indexed", INDEXED "\x10\1a\1b"),
    GOOD("7541 6.2.1", "a literal that is indexed, and its index", INDEXED "\x40\1a\1b\xbe\xbe"),
    GOOD("7541 5.1", "an integer with zeros at its end",
         "\x82\x86\x84\1\x7f\x81\x80\0"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
};

Test(h2_headers, index)
{
    H2_RUN(indices);
}

/* In Huffman's code `a` is 00011, and the end of a string has thirty ones. */
static const struct h2_row huffman[] = {
    BAD("7541 5.2", "the end of a string within it", INDEXED "\0\1a\x84\xff\xff\xff\xff"),
    BAD("7541 5.2", "padding of eight bits and more", INDEXED "\0\1a\x82\x1f\xff"),
    BAD("7541 5.2", "padding alone", INDEXED "\0\1a\x81\xff"),
    BAD("7541 5.2", "padding of zeros", INDEXED "\0\1a\x81\x18"),
    BAD("7541 5.2", "a code that is cut in a name", INDEXED "\0\x81\xfe\1b"),
    GOOD("7541 5.2", "a name and a value", INDEXED "\0\x81\x1f\x81\x1f"),
    GOOD("7541 5.2", "an empty one", INDEXED "\0\1a\x80"),
};

Test(h2_headers, huffman)
{
    H2_RUN(huffman);
}

static const struct h2_row tables[] = {
    BAD("7541 6.3", "a table larger than we have offered", "\x3f\xe2\x1f" INDEXED),
    BAD("7541 6.3", "a table of 2^32 and more", "\x3f\xe1\xff\xff\xff\x7f" INDEXED),
    BAD("7541 4.2", "another size behind the fields", INDEXED "\x20"),
    BAD("7541 4.2", "another size between fields", "\x82\x20\x86\x84\1\1t"),
    BAD("7541 4.3", "what has gone with the size", "\x20\x82\x86\x84\x41\1t\xbe"),
    ROW("7541 4.3", "what went before, in another block", CONNECTION("COMPRESSION_ERROR"),
        HEADERS(1, ALL | END, START("\x82\x86\x84\x41\1t")), HEADERS(3, ALL | END, START("\x20\x82\x86\x84\xbe"))),
    ROW("7541 4.1", "an error in trailers", CONNECTION("COMPRESSION_ERROR"), POST(1),
        HEADERS(1, ALL | END, START("\x80"))),
    ROW("4.3", "an error in the second frame of a block", CONNECTION("COMPRESSION_ERROR"), BEGUN,
        CONTINUATION(1, ALL, START("\x84\1\1t\x80"))),
    GOOD("7541 6.3", "a table of the size that we have offered", "\x3f\xe1\x1f" INDEXED),
    GOOD("7541 4.2", "a table of nothing, and then another", "\x20\x3f\xe1\x1f" INDEXED),
    GOOD("7541 4.4", "what is larger than the table", "\x21" INDEXED "\x40\1a\1b"),
    ROW("7541 2.2", "a table lasts from block to block", "200 200 +",
        HEADERS(1, ALL | END, START("\x82\x86\x84\x41\1t")), HEADERS(3, ALL | END, START("\x82\x86\x84\xbe"))),
    ROW("4.3", "a table lasts beyond a malformed request", "RST:PROTOCOL_ERROR 200 +|400 200 +|400 RST:NO_ERROR 200 +",
        HEADERS(1, ALL | END, START("\x82\x86\x84\x41\1t\0\1A\1b")), HEADERS(3, ALL | END, START("\x82\x86\x84\xbe"))),
    ROW("4.3", "a table lasts beyond one with fields behind the bad one",
        "RST:PROTOCOL_ERROR 200 +|400 200 +|400 RST:NO_ERROR 200 +",
        HEADERS(1, ALL | END, START("\0\1A\1b\x82\x86\x84\x41\1t")), HEADERS(3, ALL | END, START("\x82\x86\x84\xbe"))),
    ROW("4.3", "a table lasts beyond one that is cancelled", "200 +", HEADERS(1, ALL, START("\x83\x86\x84\x41\1t")),
        CANCEL(1), HEADERS(3, ALL | END, START("\x82\x86\x84\xbe"))),
};

Test(h2_headers, table)
{
    H2_RUN(tables);
}
