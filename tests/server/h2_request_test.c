/* Requests of HTTP/2: pseudo-header fields, the others, trailers, and the length of content (RFC 9113, 8). */
#include "h2_table.h"
#include "harness.h"

#include <criterion/criterion.h>

TestSuite(h2_request, .init = h2_table_begin, .fini = harness_end);

#define METHOD ":method: GET\n"
#define SCHEME ":scheme: http\n"
#define PATH ":path: /\n"
#define AUTHORITY ":authority: t\n"
#define USUAL METHOD SCHEME PATH AUTHORITY

#define BAD(section, name, text) ROW(section, name, MALFORMED, HEADERS(1, ALL | END, FIELDS(text)))
#define GOOD(section, name, text) ROW(section, name, ANSWERED, HEADERS(1, ALL | END, FIELDS(text)))
#define GIVES(section, name, expected, text) ROW(section, name, expected, HEADERS(1, ALL | END, FIELDS(text)))
/* A field whose name or value no line of text can have. */
#define BAD_RAW(section, name, octets) ROW(section, name, MALFORMED, HEADERS(1, ALL | END, FIELDS(USUAL), REST(octets)))

static const struct h2_row pseudo[] = {
    BAD("8.3.1", "no :method", SCHEME PATH AUTHORITY),
    BAD("8.3.1", "no :scheme", METHOD PATH AUTHORITY),
    BAD("8.3.1", "no :path", METHOD SCHEME AUTHORITY),
    BAD("8.3.1", "none of them", "x: y\n"),
    BAD("8.3", "two :method", METHOD USUAL),
    BAD("8.3", "two :method that differ", ":method: POST\n" USUAL),
    BAD("8.3", "two :scheme", SCHEME USUAL),
    BAD("8.3", "two :path", PATH USUAL),
    BAD("8.3", "two :path that differ", ":path: /probe\n" USUAL),
    BAD("8.3", "two :authority", AUTHORITY USUAL),
    BAD("8.3", "an unknown one", USUAL ":unknown: x\n"),
    BAD("8.3", ":status", USUAL ":status: 200\n"),
    BAD("8441 3", ":protocol, which was not offered", ":method: CONNECT\n:protocol: websocket\n" SCHEME PATH AUTHORITY),
    BAD("8.3", ":method behind a field", SCHEME PATH AUTHORITY "x: y\n" METHOD),
    BAD("8.3", ":authority behind a field", METHOD SCHEME PATH "x: y\n" AUTHORITY),
    BAD("8.3", "all of them behind a field", "x: y\n" USUAL),
    BAD("8.3", "a name in upper case", ":Method: GET\n" SCHEME PATH AUTHORITY),
    BAD("8.3.1", "an empty :method", ":method: \n" SCHEME PATH AUTHORITY),
    BAD("8.3.1", "an empty :scheme", METHOD ":scheme: \n" PATH AUTHORITY),
    BAD("8.3.1", "an empty :path", METHOD SCHEME ":path: \n" AUTHORITY),
    BAD("9110 9.1", "a :method with a space", ":method: GET /\n" SCHEME PATH AUTHORITY),
    BAD("3986 3.1", "a :scheme with a space", METHOD ":scheme: ht tp\n" PATH AUTHORITY),
    BAD("8.3.1", "a :path without its slash", METHOD SCHEME ":path: probe\n" AUTHORITY),
    BAD("8.3.1", "an absolute :path", METHOD SCHEME ":path: http://t/\n" AUTHORITY),
    BAD("8.3.1", "* for GET", METHOD SCHEME ":path: *\n" AUTHORITY),
    BAD("8.3.1", "a :path with a space", METHOD SCHEME ":path: /a b\n" AUTHORITY),
    BAD("8.3.1", "a :path with a fragment", METHOD SCHEME ":path: /a#b\n" AUTHORITY),
    BAD("9112 3", "a :path with a line of HTTP/1", METHOD SCHEME ":path: / HTTP/1.1\r\n" AUTHORITY),
    BAD("3986 2.1", "a :path with half a triplet", METHOD SCHEME ":path: /%4\n" AUTHORITY),
    BAD("8.5", "CONNECT with :scheme and :path", ":method: CONNECT\n" SCHEME PATH AUTHORITY),
    BAD("8.5", "CONNECT with :path", ":method: CONNECT\n" PATH AUTHORITY),
    BAD("8.5", "CONNECT without :authority", ":method: CONNECT\n"),
    GIVES("8.5", "CONNECT", "501 +|501 RST:NO_ERROR +|" MALFORMED, ":method: CONNECT\n:authority: t:80\n"),
    GIVES("9110 9.1", "a method that nobody knows", "501 +", ":method: BREW\n" SCHEME PATH AUTHORITY),
    GIVES("9110 9.1", "a method in lower case", "501 +", ":method: get\n" SCHEME PATH AUTHORITY),
    GIVES("9110 7.4", "https without TLS", "421 +|" ANSWERED, METHOD ":scheme: https\n" PATH AUTHORITY),
    GOOD("8.3.1", "all of them", USUAL),
    GOOD("8.3", "in another order", AUTHORITY PATH METHOD SCHEME),
    GOOD("8.3.1", "a :path with a query", METHOD SCHEME ":path: /?a=b&c\n" AUTHORITY),
    GOOD("8.3.1", "a :path with nothing but a query behind its slash", METHOD SCHEME ":path: /?\n" AUTHORITY),
};

Test(h2_request, pseudo_header_fields)
{
    H2_RUN(pseudo);
}

#define ASKS(text) METHOD SCHEME PATH text
#define OTHER "202 +"

static const struct h2_row authorities[] = {
    BAD("8.3.1", "neither :authority nor Host", ASKS("")),
    BAD("8.3.1", "an empty :authority", ASKS(":authority: \n")),
    BAD("8.3.1", "a user", ASKS(":authority: u@t\n")),
    BAD("8.3.1", "a user and a password", ASKS(":authority: u:p@t\n")),
    BAD("8.3.1", "an empty user", ASKS(":authority: @t\n")),
    BAD("8.3.1", "Host that differs", ASKS(":authority: t\nhost: other.test\n")),
    BAD("8.3.1", "Host that differs in its port", ASKS(":authority: t:1\nhost: t:2\n")),
    BAD("8.3.1", "an empty Host beside :authority", ASKS(":authority: t\nhost: \n")),
    BAD("9110 7.2", "two Host", ASKS("host: t\nhost: t\n")),
    BAD("9110 7.2", "two Host beside :authority", ASKS(":authority: t\nhost: t\nhost: t\n")),
    BAD("9110 7.2", "a bad Host alone", ASKS("host: a/b\n")),
    BAD("3986 3.2.2", "a space in :authority", ASKS(":authority: a b\n")),
    BAD("3986 3.2.2", "a path in :authority", ASKS(":authority: t/x\n")),
    BAD("3986 3.2.2", "a list", ASKS(":authority: t, other.test\n")),
    BAD("3986 3.2.3", "a port of letters", ASKS(":authority: t:x\n")),
    BAD("6335 6", "port 65536", ASKS(":authority: t:65536\n")),
    BAD("3986 3.2.2", "an IPv6 address without brackets", ASKS(":authority: ::1\n")),
    GIVES("8.3.1", ":authority", OTHER, ASKS(":authority: other.test\n")),
    GIVES("8.3.1", ":authority in another case", OTHER, ASKS(":authority: OTHER.Test\n")),
    GIVES("8.3.1", ":authority with a port", OTHER, ASKS(":authority: other.test:8080\n")),
    GIVES("8.3.1", ":authority and the same Host", OTHER, ASKS(":authority: other.test\nhost: other.test\n")),
    GIVES("8.3.1", "Host alone", OTHER, ASKS("host: other.test\n")),
    GIVES("8.3.1", "Host alone, with a port", OTHER, ASKS("host: other.test:80\n")),
    GOOD("3986 3.2.2", "an IPv6 address", ASKS(":authority: [::1]:8080\n")),
};

Test(h2_request, authority)
{
    H2_RUN(authorities);
}

static const struct h2_row fields[] = {
    BAD("8.2.1", "upper case in a name", USUAL "X-Upper: y\n"),
    BAD("8.2.1", "one letter in upper case", USUAL "user-agenT: y\n"),
    BAD("8.2.1", "a space in a name", USUAL "x y: z\n"),
    BAD("8.2.1", "a space behind a name", USUAL "x : z\n"),
    BAD("8.2.1", "a tab in a name", USUAL "x\ty: z\n"),
    BAD("8.2.1", "8 bits in a name", USUAL "caf\xc3\xa9: z\n"),
    BAD("8.2.1", "DEL in a name", USUAL "x\177: z\n"),
    BAD("9110 5.1", "( in a name", USUAL "x(y: z\n"),
    BAD_RAW("8.2.1", "an empty name", "\0\0\1z"),
    BAD_RAW("8.2.1", "a colon in a name", "\0\3x:y\1z"),
    BAD_RAW("8.2.1", "a colon alone", "\0\1:\1z"),
    BAD_RAW("8.2.1", "a colon at the end of a name", "\0\2x:\1z"),
    BAD_RAW("8.2.1", "NUL in a name", "\0\3x\0y\1z"),
    BAD_RAW("8.2.1", "LF in a name", "\0\3x\ny\1z"),
    BAD_RAW("8.2.1", "NUL in a value", "\0\1x\3a\0b"),
    BAD_RAW("8.2.1", "CR in a value", "\0\1x\3a\rb"),
    BAD_RAW("8.2.1", "LF in a value", "\0\1x\3a\nb"),
    BAD_RAW("8.2.1", "a line of HTTP/1 in a value", "\0\1x\15a\r\nhost: evil"),
    BAD_RAW("8.2.1", "LF at the end of a value", "\0\1x\2a\n"),
    BAD("8.2.1", "a space before a value", USUAL "x:  y\n"),
    BAD("8.2.1", "a space behind a value", USUAL "x: y \n"),
    BAD("8.2.1", "a tab behind a value", USUAL "x: y\t\n"),
    BAD("9110 5.5", "a control character in a value", USUAL "x: a\001b\n"),
    BAD("9110 5.5", "DEL in a value", USUAL "x: a\177b\n"),
    BAD("8.2.2", "Connection", USUAL "connection: close\n"),
    BAD("8.2.2", "Connection that names a field", USUAL "connection: x\nx: y\n"),
    BAD("8.2.2", "Keep-Alive", USUAL "keep-alive: timeout=5\n"),
    BAD("8.2.2", "Proxy-Connection", USUAL "proxy-connection: keep-alive\n"),
    BAD("8.2.2", "Transfer-Encoding", USUAL "transfer-encoding: chunked\n"),
    BAD("8.2.2", "Upgrade", USUAL "upgrade: websocket\n"),
    BAD("8.2.2", "TE: gzip", USUAL "te: gzip\n"),
    BAD("8.2.2", "TE: trailers, gzip", USUAL "te: trailers, gzip\n"),
    GOOD("8.2.2", "TE: trailers", USUAL "te: trailers\n"),
    GOOD("9110 5.5", "8 bits in a value", USUAL "x: caf\xc3\xa9\n"),
    GOOD("9110 5.5", "an empty value", USUAL "x: \n"),
    GOOD("9110 5.1", "all characters of a name", USUAL "!#$%&'*+-.^_`|~09az: y\n"),
    GOOD("9110 5.3", "one name twice", USUAL "x: y\nx: z\n"),
    GIVES("9110 10.1.1", "an Expect that nobody knows", "417 +", USUAL "expect: a-miracle\n"),
};

Test(h2_request, field)
{
    H2_RUN(fields);
}

/* What is wrong with content shows when the answer to it may have begun. */
#define MALFORMED_LATER MALFORMED "|200 RST:PROTOCOL_ERROR +"
#define SENDS(text) HEADERS(1, ALL, FIELDS(H2C_POST("/") text))

static const struct h2_row lengths[] = {
    ROW("8.1.1", "a length, and no content", MALFORMED,
        HEADERS(1, ALL | END, FIELDS(H2C_POST("/") "content-length: 5\n"))),
    ROW("8.1.1", "less content", MALFORMED_LATER, SENDS("content-length: 5\n"), DATA(1, END, FILL(4))),
    ROW("8.1.1", "no content in the end", MALFORMED_LATER, SENDS("content-length: 5\n"), DATA(1, END)),
    ROW("8.1.1", "more content", MALFORMED_LATER, SENDS("content-length: 5\n"), DATA(1, END, FILL(6))),
    ROW("8.1.1", "more content, by a second frame", MALFORMED_LATER, SENDS("content-length: 5\n"), DATA(1, 0, FILL(5)),
        DATA(1, END, FILL(1))),
    ROW("8.1.1", "content where none was announced", MALFORMED_LATER, SENDS("content-length: 0\n"),
        DATA(1, END, FILL(1))),
    ROW("8.1.1", "less content, and trailers", MALFORMED_LATER, SENDS("content-length: 5\n"), DATA(1, 0, FILL(4)),
        HEADERS(1, ALL | END, FIELDS("x: y\n"))),
    ROW("9110 8.6", "a length of letters", MALFORMED, SENDS("content-length: x\n"), DATA(1, END)),
    ROW("9110 8.6", "an empty length", MALFORMED, SENDS("content-length: \n"), DATA(1, END)),
    ROW("9110 8.6", "a negative length", MALFORMED, SENDS("content-length: -1\n"), DATA(1, END)),
    ROW("9110 8.6", "a length with a sign", MALFORMED, SENDS("content-length: +1\n"), DATA(1, END, FILL(1))),
    ROW("9110 8.6", "a length beyond 64 bits", MALFORMED, SENDS("content-length: 18446744073709551617\n"),
        DATA(1, END, FILL(1))),
    ROW("9110 8.6", "two lengths that differ", MALFORMED, SENDS("content-length: 1\ncontent-length: 2\n"),
        DATA(1, END, FILL(1))),
    ROW("9110 8.6", "two equal lengths, which may be taken for one", MALFORMED "|" ANSWERED,
        SENDS("content-length: 1\ncontent-length: 1\n"), DATA(1, END, FILL(1))),
    ROW("9110 8.6", "a list of lengths, likewise", MALFORMED "|" ANSWERED, SENDS("content-length: 1, 1\n"),
        DATA(1, END, FILL(1))),
    ROW("8.1.1", "just as much content", ANSWERED, SENDS("content-length: 5\n"), DATA(1, 0, FILL(2)),
        DATA(1, 0, FILL(3)), DATA(1, END)),
    ROW("8.1.1", "as much content, with padding", ANSWERED, SENDS("content-length: 5\n"),
        DATA(1, END | PADDED, START("\3"), FILL(8))),
    ROW("8.1.1", "a length of nothing", ANSWERED, HEADERS(1, ALL | END, FIELDS(H2C_POST("/") "content-length: 0\n"))),
};

Test(h2_request, length_of_content)
{
    H2_RUN(lengths);
}

static const struct h2_row trailers[] = {
    ROW("8.1", "trailers without the end of the stream", MALFORMED_LATER, POST(1), DATA(1, 0, FILL(1)),
        HEADERS(1, ALL, FIELDS("x: y\n"))),
    ROW("8.1", "trailers without the end, and then DATA", MALFORMED_LATER, POST(1), HEADERS(1, ALL, FIELDS("x: y\n")),
        DATA(1, END)),
    ROW("8.1", "a pseudo-header field in trailers", MALFORMED_LATER, POST(1),
        HEADERS(1, ALL | END, FIELDS(":path: /probe\n"))),
    ROW("8.1", "a second request in trailers", MALFORMED_LATER, POST(1), GET(1)),
    ROW("8.2.1", "upper case in trailers", MALFORMED_LATER, POST(1), HEADERS(1, ALL | END, FIELDS("X: y\n"))),
    ROW("8.2.2", "Connection in trailers", MALFORMED_LATER, POST(1),
        HEADERS(1, ALL | END, FIELDS("connection: close\n"))),
    ROW("8.1", "trailers", ANSWERED, POST(1), DATA(1, 0, FILL(1)), HEADERS(1, ALL | END, FIELDS("x: y\n"))),
    ROW("8.1", "trailers without content", ANSWERED, POST(1), HEADERS(1, ALL | END, FIELDS("x: y\n"))),
    ROW("8.1", "trailers in two frames", ANSWERED, POST(1), HEADERS(1, END, START("\0\1x")),
        CONTINUATION(1, ALL, START("\1y"))),
    ROW("8.1", "trailers of nothing", ANSWERED, POST(1), HEADERS(1, ALL | END)),
};

Test(h2_request, trailers)
{
    H2_RUN(trailers);
}

/* Who answers without the content lets the rest be kept back, by NO_ERROR (8.1). */
#define WITHOUT "203 +|203 RST:NO_ERROR +"

static const struct h2_row answers[] = {
    ROW("8.1", "content that is not read", WITHOUT, HEADERS(1, ALL, FIELDS(H2C_POST("/target"))),
        DATA(1, END, FILL(9000))),
    ROW("8.1", "content that does not come", "203 RST:NO_ERROR +", HEADERS(1, ALL, FIELDS(H2C_POST("/target")))),
    ROW("8.1", "content that goes on behind the answer", WITHOUT, HEADERS(1, ALL, FIELDS(H2C_POST("/target"))),
        DATA(1, 0, FILL(9000)), DATA(1, 0, FILL(9000)), DATA(1, END, FILL(9000))),
    ROW("8.1", "a method that is not allowed", "405 +|405 RST:NO_ERROR +",
        HEADERS(1, ALL, FIELDS(H2C_POST("/files/one.txt"))), DATA(1, END, FILL(9000))),
    ROW("8.1", "a request that is answered and cancelled", "200 200 +|200~ 200 +|200 +", GET(1), CANCEL(1), GET(3)),
    GIVES("9110 9.3.1", "a file", "200 +", METHOD SCHEME ":path: /files/one.txt\n" AUTHORITY),
    GIVES("9110 15.5.5", "a file that is not there", "404 +", METHOD SCHEME ":path: /files/two.txt\n" AUTHORITY),
};

Test(h2_request, answer)
{
    H2_RUN(answers);
}
