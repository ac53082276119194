/* HTTP/2 when system calls move little or fail, when memory can't be had, and when a file changes while it is sent: an
 * answer is the same octets as ever, or it is visibly cut. */
#include "harness.h"
#include "harness_faults.h"
#include "harness_file.h"
#include "harness_h2.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <unistd.h>

TestSuite(h2_fault, .init = harness_begin, .fini = harness_end);

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define CONFIG                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 1\n"                                                                                                     \
    "log: {level: info, access: @DIR@/access.log}\n"                                                                   \
    "timeouts: {header: 1h, body: 1h, write: 1h, idle: 1h}\n"                                                          \
    "sites: [{routes: [{exact: /hello, respond: {type: text/plain, body: hello}}, {exact: /echo, echo: {}},\n"         \
    "                  {path: /, compress: on, files: {root: @DIR@/www, cache: 1ms}}]}]\n"

enum { SMALL = 20000, LARGE = 200000 };

static struct str small, large;

/* New ones, which no cache knows yet. */
static void write_files(void)
{
    small = file_fill('t', SMALL);
    large = file_pattern(LARGE);
    file_replace("www/small", small);
    file_replace("www/large", large);
    file_replace("www/small.txt", small);
}

/* ---- a session of all kinds ---- */

struct step {
    const char *fields;
    struct str *upload; /* NULL: none */
    struct str *body;   /* NULL: any */
};

static struct str hello = STR_INIT("hello");

static const struct step steps[] = {
    {H2C_GET("/hello"), NULL, &hello},
    {H2C_GET("/hello") "cookie: a=1\ncookie: b=2\ncookie: c=3\n", NULL, &hello},
    {H2C_POST("/echo"), &small, &small},
    {H2C_GET("/small"), NULL, &small},
    {H2C_GET("/large") "priority: u=1\n", NULL, &large},
    {H2C_GET("/small.txt") "accept-encoding: gzip\n", NULL, NULL},
    {H2C_GET("/large") "range: bytes=0-9,20-29\n", NULL, NULL},
    {H2C_TO("HEAD", "/large"), NULL, NULL},
    {H2C_GET("/missing"), NULL, NULL},
    {H2C_POST("/echo"), &large, &large},
};

/* All of them on one connection, at once. */
static struct h2c *run_session(const struct server *server)
{
    struct h2c *h = h2c_begin(client_open(server->port), STR(""));
    write_files();
    for (size_t i = 0; i < COUNT(steps); i++) {
        uint32_t id = h2c_request(h, steps[i].fields, !steps[i].upload);
        if (steps[i].upload)
            h2c_content(h, id, *steps[i].upload);
    }
    for (uint32_t id = 1; id < h->next; id += 2)
        h2c_answer(h, id);
    return h;
}

static bool is_right(const struct h2c_stream *s, const struct step *step)
{
    struct response r = h2c_stream_response(s);
    return step->body ? r.status == 200 && r.complete && str_eq(r.body, *step->body) : r.status >= 200 && r.complete;
}

static void assert_right(struct h2c *h, unsigned round)
{
    for (size_t i = 0; i < COUNT(steps); i++)
        cr_assert(is_right(h2c_stream(h, (uint32_t)(2 * i + 1)), &steps[i]), "round %u, step %zu", round, i);
}

/* Right, or an error, or visibly cut. */
static void assert_fair(struct h2c *h, unsigned round)
{
    for (size_t i = 0; i < COUNT(steps); i++) {
        const struct h2c_stream *s = h2c_stream(h, (uint32_t)(2 * i + 1));
        bool fair = is_right(s, &steps[i]) || !s->ended || s->status >= 500;
        cr_assert(fair, "round %u, step %zu: %d with %zu octets", round, i, s->status, s->n);
    }
}

Test(h2_fault, interrupted_and_short)
{
    static const struct fault_row rows[] = {
        {FAULT_RECV, EINTR, 2, 0}, {FAULT_RECV, EAGAIN, 2, 0}, {FAULT_RECV, 0, 0, 1},  {FAULT_RECV, EINTR, 3, 100},
        {FAULT_SEND, EINTR, 2, 0}, {FAULT_SEND, EAGAIN, 2, 0}, {FAULT_SEND, 0, 0, 13}, {FAULT_SEND, EAGAIN, 3, 500},
        {FAULT_POLL, EINTR, 2, 0}, {FAULT_READ, 0, 0, 11},
    };
    file_directory("www");
    struct server server = faults_start(CONFIG);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct fault_row *row = &rows[i];
        faults_order_row(row);
        struct h2c *h = run_session(&server);
        assert_right(h, (unsigned)i);
        cr_assert(row->error == 0 || faults_met(row->call) > 0, "row %zu: nothing has failed", i);
        h2c_close(h);
        faults_end();
    }
    cr_assert_not(faults_spins());
    assert_stop(&server, 0);
}

/* The first allocation of a session fails, then the second, and so on to the last one. How many there are depends on
 * how requests meet, so that the end has to be seen some times. */
Test(h2_fault, each_allocation_of_a_session)
{
    enum { ENDS = 3 };
    faults_need_malloc();
    file_directory("www");
    struct server server = faults_start(CONFIG);
    pid_t worker = faults_follow(&server);
    h2c_close(run_session(&server));
    unsigned which = 0;
    for (int ends = 0; ends < ENDS; which++) {
        faults_order(FAULT_ALLOC, ENOMEM, which + 1, which + 1, 1);
        struct h2c *h = run_session(&server);
        assert_fair(h, which);
        ends += faults_met(FAULT_ALLOC) == 0;
        faults_end();
        h2c_close(h);
        assert_body(h2c_fetch(server.port, "/hello"), hello);
        cr_assert_eq(faults_follow(&server), worker, "allocation %u: the worker has died:\n%s", which,
                     server_log(&server).p);
    }
    cr_assert_gt(which, COUNT(steps));
    assert_stop(&server, 0);
}

Test(h2_fault, no_allocation_at_all)
{
    faults_need_malloc();
    file_directory("www");
    struct server server = faults_start(CONFIG);
    pid_t worker = faults_follow(&server);
    h2c_close(run_session(&server));
    faults_order(FAULT_ALLOC, ENOMEM, 1, FAULT_EVER, 1);
    for (unsigned i = 0; i < 3; i++)
        h2c_close(run_session(&server));
    faults_end();
    struct h2c *h = run_session(&server);
    assert_right(h, 0);
    cr_assert_eq(faults_follow(&server), worker, "the worker has died:\n%s", server_log(&server).p);
    assert_stop(&server, 0);
}

/* ---- files that change ---- */

/* Asks for the file through a small window, and gives the stream when some of it has come. */
static uint32_t begin_download(struct h2c *h)
{
    struct h2c_frame frame;
    uint32_t id = h2c_request(h, H2C_GET("/large"), true);
    h->thrifty = true;
    while (h2c_stream(h, id)->n < 1000)
        cr_assert(h2c_read(h, &frame));
    return id;
}

static void finish_download(struct h2c *h, uint32_t id)
{
    h->thrifty = false;
    h2c_grant(h, id, 1000);
    h2c_answer(h, id);
}

/* The stream is reset, and the connection goes on. */
Test(h2_fault, a_file_that_changes_while_it_is_sent)
{
    file_directory("www");
    struct server server = server_start(CONFIG);
    struct h2c *h = h2c_open_as(server.port, h2c_setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1000));
    for (int i = 0; i < 3; i++) {
        write_files();
        uint32_t id = begin_download(h);
        if (i == 0)
            cr_assert_eq(truncate(file_path("www/large"), 1500), 0);
        else if (i == 1)
            file_overwrite("www/large", STR("other content"));
        else
            cr_assert_eq(unlink(file_path("www/large")), 0);
        finish_download(h, id);
        const struct h2c_stream *s = h2c_stream(h, id);
        /* What is gone by name is there still for who has it open. */
        cr_assert_eq(s->reset, i < 2, "%d: %zu octets", i, s->n);
        cr_assert_eq(is_right(s, &(struct step){.body = &large}), i == 2, "%d: %zu octets", i, s->n);
        assert_body(h2c_get(h, "/hello"), hello);
    }
    assert_stop(&server, 0);
}
