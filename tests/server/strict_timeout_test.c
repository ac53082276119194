/* Requests that never end: 408 at the deadline, which more bytes do not put off; silence between requests: the end. */
#include "harness.h"
#include "harness_server.h"
#include "strict.h"
#include "strict_outcome.h"

#include <criterion/criterion.h>
#include <unistd.h>

#define CONFIG                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 2\n"                                                                                                     \
    "timeouts: {header: 1s, body: 1s, idle: 1s}\n"                                                                     \
    "sites:\n"                                                                                                         \
    "  - routes:\n"                                                                                                    \
    "      - {path: /, echo: {}}\n"

static struct server server;

static void begin(void)
{
    harness_begin();
    server = server_start(CONFIG);
}

TestSuite(strict_timeout, .init = begin, .fini = harness_end);

/* Rows as elsewhere, but the client stays, and waits. */
static const struct strict_row rows[] = {
    ROW("9110 15.5.9", "half a method", "408", "GE"),
    ROW("9110 15.5.9", "half a target", "408", "GET /a"),
    ROW("9110 15.5.9", "a request line", "408", "GET / HTTP/1.1\r\n"),
    ROW("9110 15.5.9", "half a line end", "408", "GET / HTTP/1.1\r"),
    ROW("9110 15.5.9", "half a name", "408", GET "X"),
    ROW("9110 15.5.9", "half a value", "408", GET "X: y"),
    ROW("9110 15.5.9", "all but the last byte of a head", "408", GET "\r"),
    ROW("9110 15.5.9", "half a request after a whole one", "200 408", GET "\r\nGET /"),
    ROW("9110 15.5.9", "no content", "408", LENGTH("3") "\r\n"),
    ROW("9110 15.5.9", "all but the last byte of content", "408", LENGTH("3") "\r\nab"),
    ROW("9110 15.5.9", "no chunk", "408", CHUNKED),
    ROW("9110 15.5.9", "half a size", "408", CHUNKED "1"),
    ROW("9110 15.5.9", "half a chunk", "408", CHUNKED "3\r\nab"),
    ROW("9110 15.5.9", "a chunk and no end", "408", CHUNKED "3\r\nabc\r\n"),
    ROW("9110 15.5.9", "half a last chunk", "408", CHUNKED "0\r\n"),
    ROW("9110 15.5.9", "half a trailer", "408", CHUNKED "0\r\nX: "),
    ROW("9110 15.5.9", "no content, though asked for", "100 408", LENGTH("3") "Expect: 100-continue\r\n\r\n"),
    ROW("9112 9.5", "nothing", "-", ""),
    ROW("9112 9.5", "nothing after a request", "200-", GET "\r\n"),
    ROW("9112 9.5", "empty lines", "-|408", "\r\n\r\n"),
    ROW("9112 9.5", "an empty line after a request", "200-|200 408", GET "\r\n\r\n"),
};

/* All of them wait at once. */
Test(strict_timeout, what_never_ends)
{
    enum { ROWS = sizeof rows / sizeof *rows };
    struct client *clients[2 * ROWS];
    for (size_t i = 0; i < 2 * ROWS; i++) {
        struct str bytes = rows[i / 2].bytes;
        size_t piece = i % 2 ? 1 : bytes.n;
        for (clients[i] = client_open(server.port); bytes.n; bytes = str_skip(bytes, piece))
            client_send(clients[i], (struct str){bytes.p, piece});
    }
    for (size_t i = 0; i < 2 * ROWS; i++) {
        const struct strict_row *row = &rows[i / 2];
        struct strict_outcome outcome = strict_outcome_read(client_drain(clients[i]), false);
        cr_expect(!outcome.problem && strict_outcome_is(&outcome, row->expected), "%s, %s, %s: expected %s, got %s%s%s",
                  row->section, row->name, i % 2 ? "a byte a write" : "in one write", row->expected, outcome.text,
                  outcome.problem ? "; " : "", outcome.problem ? outcome.problem : "");
    }
}

/* The deadline of a head is set by its first byte. */
Test(strict_timeout, a_head_byte_by_byte)
{
    enum { BYTES = 600, PAUSE_USEC = 50 * 1000 };
    struct client *c = client_open(server.port);
    client_printf(c, GET "X: ");
    for (int i = 0; i < BYTES && !c->ended; i++) {
        client_printf(c, "y");
        usleep(PAUSE_USEC);
    }
    client_printf(c, "\r\n\r\n");
    assert_status(response_read(c), 408);
    cr_assert(client_ends(c));
}
