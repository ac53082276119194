/* strict.c: see strict.h. */
#include "strict.h"

#include "base/out.h"
#include "harness.h"
#include "harness_client.h"
#include "harness_file.h"
#include "harness_server.h"
#include "strict_outcome.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define CONFIG                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 2\n"                                                                                                     \
    "limits: {body_size: 64k}\n"                                                                                       \
    "sites:\n"                                                                                                         \
    "  - routes:\n"                                                                                                    \
    "      - {path: /, echo: {}}\n"                                                                                    \
    "      - {exact: /probe, respond: {body: " STRICT_PROBE_CONTENT "}}\n"                                             \
    "      - {exact: /target, respond: {status: 203, body: target}}\n"                                                 \
    "      - {path: /old/, redirect: {to: /new/, status: 301}}\n"                                                      \
    "      - {path: /files/, files: {root: @DIR@/www}}\n"                                                              \
    "  - hosts: [other.test]\n"                                                                                        \
    "    routes:\n"                                                                                                    \
    "      - {path: /, respond: {status: 202, body: other}}\n"

#define PROBE "GET /probe HTTP/1.1\r\n" HOST "\r\n"

enum { WORKERS = 2, LIMIT_S = 10, SHOWN = 500, PAUSED = 1024, PAUSE_USEC = 20 };

static struct server server;
static pid_t workers[WORKERS];

void strict_begin(void)
{
    harness_begin();
    file_write("www/one.txt", STR("one\n"));
    file_write("secret.txt", STR("secret\n"));
    server = server_start(CONFIG);
    server_workers(&server, workers, WORKERS);
}

/* ---- deliveries ---- */

static size_t whole(struct str rest)
{
    return rest.n;
}

static size_t one_byte(struct str rest)
{
    (void)rest;
    return 1;
}

static size_t one_line(struct str rest)
{
    const char *end = memmem(rest.p, rest.n, "\r\n", 2);
    return end ? (size_t)(end - rest.p) + 2 : rest.n;
}

struct delivery {
    const char *name;
    size_t (*piece)(struct str rest); /* bytes of the next write */
};

static const struct delivery deliveries[] = {
    {"in one write", whole}, {"a byte a write", one_byte}, {"a line a write", one_line}};

/* ---- one row ---- */

static struct str request_of(const struct strict_row *row)
{
    struct str probe = row->cut ? STR("") : STR(PROBE);
    char *bytes = harness_alloc(row->bytes.n + row->times * row->unit.n + row->tail.n + probe.n), *end = bytes;
    end = (char *)memcpy(end, row->bytes.p, row->bytes.n) + row->bytes.n;
    for (unsigned i = 0; i < row->times; i++)
        end = (char *)memcpy(end, row->unit.p, row->unit.n) + row->unit.n;
    if (row->tail.n)
        end = (char *)memcpy(end, row->tail.p, row->tail.n) + row->tail.n;
    end = (char *)memcpy(end, probe.p, probe.n) + probe.n;
    return str_range(bytes, end);
}

/* A peer that no longer takes anything may still have said why. Between the pieces of a short request there is a pause,
 * so that most of them are read alone. */
static void deliver(int fd, struct str rest, const struct delivery *delivery)
{
    bool pauses = rest.n <= PAUSED;
    while (rest.n) {
        ssize_t n = send(fd, rest.p, delivery->piece(rest), MSG_NOSIGNAL);
        if (n < 0)
            return;
        rest = str_skip(rest, (size_t)n);
        if (pauses && rest.n)
            usleep(PAUSE_USEC);
    }
    shutdown(fd, SHUT_WR);
}

/* What was sent back, and how that ended. */
struct received {
    struct str bytes; /* the next call of collect() overwrites them */
    bool stalled;     /* the connection did not end */
    bool reset;
};

static struct received collect(int fd)
{
    static char bytes[256 * 1024];
    size_t n = 0;
    ssize_t got = 0;
    while (n < sizeof bytes && (got = recv(fd, bytes + n, sizeof bytes - n, 0)) > 0)
        n += (size_t)got;
    return (struct received){{bytes, n}, .stalled = got < 0 && errno == EAGAIN, .reset = got < 0 && errno != EAGAIN};
}

static void put_shown(struct out *o, char c)
{
    if (c == '\r')
        out_text(o, "\\r");
    else if (c == '\n')
        out_text(o, "\\n");
    else if (c >= ' ' && c <= '~')
        out_char(o, c);
    else
        out_put(o, str_of(harness_text("\\%03o", (unsigned char)c)));
}

/* Bytes as they would stand in a C string; cut where they get long. */
static const char *shown(struct str bytes)
{
    char text[SHOWN];
    struct out o = out_on(text, sizeof text);
    for (size_t i = 0; i < bytes.n && !o.full; i++)
        put_shown(&o, bytes.p[i]);
    return harness_text(STR_FMT "%s", STR_ARG(out_str(&o)), o.full ? " ..." : "");
}

/* What is wrong with the first answer beside its status. */
static const char *problem_of_answer(const struct strict_row *row, const struct response *answer)
{
    struct str value = str_of(row->field), name = str_cut(&value, ':');
    bool good = answer->status >= 200 && answer->status < 300;
    if (good && row->content.p && !str_eq(answer->body, row->content))
        return harness_text("the content is \"%s\"", shown(answer->body));
    if (!row->field)
        return NULL;
    struct str found = response_field(answer, harness_text(STR_FMT, STR_ARG(name)));
    return str_eq(found, str_trim(value)) ? NULL : harness_text("not %s", row->field);
}

/* Sends a request on a connection of its own. */
static struct received exchange(struct str request, const struct delivery *delivery)
{
    struct timeval limit = {.tv_sec = LIMIT_S};
    struct client *c = client_open(server.port);
    cr_assert_eq(setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    cr_assert_eq(setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit), 0);
    deliver(c->fd, request, delivery);
    struct received received = collect(c->fd);
    client_close(c);
    return received;
}

/* A client that goes on after its own `close` may be reset. One that is refused can't know it, and may still be
 * sending: a reset might destroy the answer (RFC 9112, 9.6). */
static bool is_refusal(int status)
{
    return status >= 400 && status != 404 && status != 405;
}

static const char *problem_of(const struct strict_row *row, const struct strict_outcome *outcome,
                              const struct received *received)
{
    if (outcome->problem)
        return outcome->problem;
    if (received->stalled)
        return "the connection does not end";
    if (received->reset && is_refusal(outcome->last))
        return "a reset";
    const char *problem = outcome->answer.status ? problem_of_answer(row, &outcome->answer) : NULL;
    return problem || strict_outcome_is(outcome, row->expected) ? problem : "not as expected";
}

/* Runs a row in one delivery; `first` is what came of it in another one, or NULL. A row that fails in the same way in
 * each is told of once. */
static struct strict_outcome run(const struct strict_row *row, const struct delivery *delivery,
                                 const struct strict_outcome *first)
{
    struct str request = request_of(row);
    struct received received = exchange(request, delivery);
    struct strict_outcome outcome = strict_outcome_read(received.bytes, str_starts(request, STR("HEAD ")));
    outcome.problem = problem_of(row, &outcome, &received);

    bool differs = first && strcmp(strict_outcome_final(first), strict_outcome_final(&outcome)) != 0;
    bool told = first && first->problem && !differs;
    cr_expect((!outcome.problem || told) && !differs,
              "%s, %s, %s: expected %s, got %s%s%s (%s)\n  sent: %s\n  received: %s", row->section, row->name,
              delivery->name, row->expected, outcome.text, first ? ", first " : "", first ? first->text : "",
              outcome.problem ? outcome.problem : "it depends on the delivery", shown(request), shown(received.bytes));
    return outcome;
}

void strict_run(const struct strict_row *rows, size_t count)
{
    pid_t now[WORKERS];
    for (const struct strict_row *row = rows; row < rows + count; row++) {
        struct strict_outcome first = run(row, &deliveries[0], NULL);
        for (size_t i = 1; i < sizeof deliveries / sizeof *deliveries; i++)
            (void)run(row, &deliveries[i], &first);
    }
    server_workers(&server, now, WORKERS);
    cr_assert_arr_eq(now, workers, sizeof now, "a worker has died:\n%s", server_log(&server).p);
}
