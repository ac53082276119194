/* strict.h: the table of raw requests: what must be refused, and what must not.
 *
 * A row is the bytes of a request and what has to come of them, by RFC 9110, 9112 or 3986. The rows stand in
 * strict_*_test.c, by topic; in each what is refused comes first. Behind the bytes a probe is sent, so that a request
 * whose end the server sees elsewhere than we do shows. Then the client ends its side, and reads to the end.
 *
 * A row is run in three deliveries: in one write, a byte a write, and a line a write. What comes of it must be the
 * same in each, and the workers must be the same after all of them.
 *
 * Routes of the default site: "/" echoes (any method), "/probe" is the probe's, "/target" answers 203 without reading
 * anything, "/old/" redirects to "/new/", and "/files/" has one file, "one.txt", beside a "secret.txt" that is out of
 * its root. Everything at the host "other.test" is answered with 202. limits.body_size is 64k.
 */
#ifndef TERN_TESTS_SERVER_STRICT_H
#define TERN_TESTS_SERVER_STRICT_H

#include "base/str.h"

struct strict_row {
    const char *section;  /* of the RFC, as "9112 2.2" */
    const char *name;     /* what the row shows */
    const char *expected; /* outcomes, as in strict_outcome.h, with '|' between those that are right */
    struct str bytes;     /* what is sent ... */
    struct str unit;      /* ... then this ... */
    unsigned times;       /* ... that many times ... */
    struct str tail;      /* ... then this ... */
    bool cut;             /* ... and then no probe: the request is not complete */
    struct str content;   /* of the first final answer when it is 2xx; p is NULL: any */
    const char *field;    /* "Name: value" that this answer has; NULL: none in particular */
};

/* A row, and what may be appended to it. */
/* clang-format off */
#define ROW(section, name, expected, raw, ...) {section, name, expected, .bytes = STR_INIT(raw), __VA_ARGS__}
#define FILL(count, what, last) .times = (count), .unit = STR_INIT(what), .tail = STR_INIT(last)
#define CONTENT(bytes) .content = STR_INIT(bytes)
#define FIELD(line) .field = (line)
#define CUT .cut = true

/* Pieces of requests. */
#define HOST "Host: t\r\n"
#define GET "GET / HTTP/1.1\r\n" HOST
#define POST "POST / HTTP/1.1\r\n" HOST
#define LENGTH(value) POST "Content-Length: " value "\r\n"
#define CODING(value) POST "Transfer-Encoding: " value "\r\n"
#define CHUNKED CODING("chunked") "\r\n"
#define EMPTY_CHUNKED "\r\n0\r\n\r\n"
/* clang-format on */

/* The .init of every suite; harness_end is its .fini. */
void strict_begin(void);

/* Runs the rows; fails the test for each that does not come out as expected. */
void strict_run(const struct strict_row *rows, size_t count);

#define STRICT_RUN(rows) strict_run((rows), sizeof(rows) / sizeof *(rows))

#endif
