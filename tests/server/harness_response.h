/* harness_response.h: a strict reader of responses: what is not HTTP/1 to the letter fails the test. */
#ifndef TERN_TESTS_SERVER_HARNESS_RESPONSE_H
#define TERN_TESTS_SERVER_HARNESS_RESPONSE_H

#include "harness_client.h"

struct response {
    int status;      /* 0: the connection has ended before an answer began */
    struct str head; /* status line and fields, each line with its CRLF */
    struct str body; /* without the framing of a chunked one */
    bool complete;   /* the body has come to the end that the head announces */
};

/* The next response; 1xx ones too. A body without a length goes on until the connection ends. */
struct response response_read(struct client *c);

/* The same for an answer to HEAD, which has no body whatever its head says. */
struct response response_read_head(struct client *c);

/* The value of a field, without white space around it; p is NULL when there is none. */
struct str response_field(const struct response *r, const char *name);

/* How often a field occurs. */
size_t response_fields(const struct response *r, const char *name);

/* Whether a field is there with this value. */
bool response_has(const struct response *r, const char *name, const char *value);

/* Sends a request made by printf and reads its answer. */
struct response ask(struct client *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* GET of a target over HTTP/1.1 with `Host: localhost`. */
struct response get(struct client *c, const char *target);

/* The same on a connection of its own. */
struct response fetch(int port, const char *target);

/* Sends the bytes on a connection of its own and reads the first answer. */
struct response fetch_raw(int port, const char *bytes);

#define assert_status(answer, expected)                                                                                \
    do {                                                                                                               \
        struct response asserted = (answer);                                                                           \
        cr_assert_eq(asserted.status, (expected), "%d, not %d: " STR_FMT, asserted.status, (expected),                 \
                     STR_ARG(asserted.head));                                                                          \
    } while (0)

#define assert_field(answer, name, value)                                                                              \
    cr_assert(response_has(&(answer), (name), (value)), "%s is not %s: " STR_FMT, (name), (value),                     \
              STR_ARG((answer).head))

#define assert_no_field(answer, name)                                                                                  \
    cr_assert_eq(response_fields(&(answer), (name)), 0, "%s is there: " STR_FMT, (name), STR_ARG((answer).head))

#define assert_body(answer, expected)                                                                                  \
    do {                                                                                                               \
        struct response answered = (answer);                                                                           \
        struct str asserted = (expected);                                                                              \
        cr_assert(str_eq(answered.body, asserted) && answered.complete,                                                \
                  "a body of %zu octets%s that is not the %zu expected: " STR_FMT, answered.body.n,                    \
                  answered.complete ? "" : ", cut,", asserted.n, STR_ARG(answered.head));                              \
    } while (0)

#endif
