/* h2_table.c: see h2_table.h. */
#include "h2_table.h"

#include "base/out.h"
#include "harness.h"
#include "harness_file.h"
#include "harness_h2.h"
#include "harness_server.h"

#include <criterion/criterion.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONFIG                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 2\n"                                                                                                     \
    "limits: {body_size: 64k}\n"                                                                                       \
    "sites:\n"                                                                                                         \
    "  - routes:\n"                                                                                                    \
    "      - {path: /, echo: {}}\n"                                                                                    \
    "      - {exact: /probe, respond: {body: probe}}\n"                                                                \
    "      - {exact: /target, respond: {status: 203, body: target}}\n"                                                 \
    "      - {path: /files/, files: {root: @DIR@/www}}\n"                                                              \
    "  - hosts: [other.test]\n"                                                                                        \
    "    routes:\n"                                                                                                    \
    "      - {path: /, respond: {status: 202, body: other}}\n"

#define PATIENCE (3 * NSEC_SEC)

enum {
    WORKERS = 2,
    PROBE = 99, /* the stream of the probe: above those of all rows */
    PAUSED = 1024,
    PAUSE_USEC = 20,
    OUTCOME = 256
};

static struct server server;
static pid_t workers[WORKERS];

void h2_table_begin(void)
{
    harness_begin();
    file_write("www/one.txt", STR("one\n"));
    server = server_start(CONFIG);
    server_workers(&server, workers, WORKERS);
}

int h2_table_port(void)
{
    return server.port;
}

void h2_table_assert_workers(void)
{
    pid_t now[WORKERS];
    server_workers(&server, now, WORKERS);
    cr_assert_arr_eq(now, workers, sizeof now, "a worker has died:\n%s", server_log(&server).p);
}

/* ---- deliveries ---- */

struct delivery {
    const char *name;
    size_t piece; /* octets of a write */
};

static const struct delivery deliveries[] = {{"in one write", SIZE_MAX}, {"an octet a write", 1}};

static const struct h2c_frame probe = HEADERS(PROBE, ALL | END, FIELDS(H2C_GET("/probe")));

/* A peer that no longer takes anything may still have said why. Between the pieces of a short text there is a pause, so
 * that most of them are read alone. */
static void deliver(int fd, struct str rest, const struct delivery *delivery)
{
    bool pauses = rest.n <= PAUSED;
    while (rest.n) {
        ssize_t n = send(fd, rest.p, rest.n < delivery->piece ? rest.n : delivery->piece, MSG_NOSIGNAL);
        if (n < 0)
            return;
        rest = str_skip(rest, (size_t)n);
        if (pauses && rest.n)
            usleep(PAUSE_USEC);
    }
}

/* The probe goes out with the frames, so that it can't wait for what comes of them. */
static void send_row(struct h2c *h, const struct h2_row *row, const struct delivery *delivery)
{
    struct h2c_frame *frames = harness_alloc((row->count + 1) * sizeof *frames);
    memcpy(frames, row->frames, row->count * sizeof *frames);
    frames[row->count] = probe;
    size_t count = row->count + !row->cut;
    h2c_expect(h, frames, count);
    deliver(h->client->fd, h2c_encode(frames, count), delivery);
}

/* ---- outcomes ---- */

static void put_word(struct out *o, const char *word)
{
    if (out_len(o))
        out_char(o, ' ');
    out_put(o, str_of(word));
}

static void put_stream(struct out *o, const struct h2c_stream *s)
{
    if (s->status)
        put_word(o, harness_text("%d%s", s->status, h2c_stream_is_over(s) ? "" : "~"));
    if (s->reset)
        put_word(o, harness_text("RST:%s", nghttp2_http2_strerror(s->error)));
}

static const char *outcome_of(const struct h2c *h)
{
    char text[OUTCOME];
    struct out o = out_on(text, sizeof text);
    if (h->ended && h->goaways && h->error)
        return harness_text("GOAWAY:%s", nghttp2_http2_strerror(h->error));
    for (size_t i = 0; i < h->room && i < PROBE / 2; i++)
        if (h->streams[i])
            put_stream(&o, h->streams[i]);
    const struct h2c_stream *last = PROBE / 2 < h->room ? h->streams[PROBE / 2] : NULL;
    if (last && last->ended && last->status == 200)
        put_word(&o, "+");
    else if (last)
        put_stream(&o, last);
    if (h->ended)
        put_word(&o, "-");
    else if (h->goaways)
        put_word(&o, harness_text("GOAWAY:%s~", nghttp2_http2_strerror(h->error)));
    return harness_text(STR_FMT, STR_ARG(out_str(&o)));
}

static bool is_expected(const struct h2_row *row, const char *outcome)
{
    struct str rest = str_of(row->expected);
    while (rest.n)
        if (str_eq(str_cut(&rest, '|'), str_of(outcome)))
            return true;
    return false;
}

/* Reads until what was expected has come, and a little further: until a PING is back. */
static const char *collect(struct h2c *h, const struct h2_row *row)
{
    struct h2c_frame frame;
    nsec deadline = nsec_add(clock_monotonic(), PATIENCE);
    while (!is_expected(row, outcome_of(h)) && h2c_read_until(h, &frame, deadline) == H2C_FRAME)
        ;
    unsigned pings = h->pings;
    if (!h->ended && !row->cut)
        h2c_send(h, .type = NGHTTP2_PING, .fill = 8);
    while (!row->cut && h->pings == pings && h2c_read_until(h, &frame, deadline) == H2C_FRAME)
        ;
    return outcome_of(h);
}

/* ---- one row ---- */

/* Who is told why its connection ends must get to read it. */
static const char *problem_of(const struct h2c *h, const struct h2_row *row, const char *outcome)
{
    if (h->problem)
        return h->problem;
    if (h->cut && !h->client->reset)
        return "the end within a frame";
    if (!is_expected(row, outcome))
        return h->ended ? "not as expected" : "not as expected, and nothing more comes";
    return h->client->reset ? "a reset, which might destroy the GOAWAY" : NULL;
}

static void run(const struct h2_row *row, const struct delivery *delivery)
{
    struct h2c *h = h2c_open(server.port);
    send_row(h, row, delivery);
    const char *outcome = collect(h, row), *problem = problem_of(h, row, outcome);
    cr_expect_null(problem, "%s, %s, %s: expected %s, got %s (%s)", row->section, row->name, delivery->name,
                   row->expected, outcome, problem);
    h2c_close(h);
}

void h2_table_run(const struct h2_row *rows, size_t count)
{
    for (const struct h2_row *row = rows; row < rows + count; row++)
        for (size_t i = 0; i < sizeof deliveries / sizeof *deliveries; i++)
            run(row, &deliveries[i]);
    h2_table_assert_workers();
}
