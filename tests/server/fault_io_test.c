/* System calls that are interrupted, move less than they were asked to, or fail: an answer is the same octets as ever,
 * or it is visibly cut, and nothing goes round and round.
 */
#include "harness.h"
#include "harness_faults.h"
#include "harness_file.h"
#include "harness_response.h"

#include <criterion/criterion.h>
#include <errno.h>
TestSuite(fault_io, .init = harness_begin, .fini = harness_end);

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define HOST "Host: localhost\r\n"
#define CONFIG                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 1\n"                                                                                                     \
    "timeouts: {header: 1h, body: 1h, write: 1h, idle: 1h}\n"                                                          \
    "sites: [{routes: [{exact: /hello, respond: {type: text/plain, body: hello}}, {exact: /echo, echo: {}},\n"         \
    "                  {path: /, files: {root: @DIR@/www, cache: 1ms}}]}]\n"

enum { SMALL = 30000, LARGE = 200000, BATCH = 50 };

static struct str small, large;

/* New ones, which no cache knows yet. */
static void write_files(void)
{
    small = file_pattern(SMALL);
    large = file_pattern(LARGE);
    file_replace("www/small", small);
    file_replace("www/large", large);
}

static void assert_answer(struct response r, struct str body)
{
    assert_status(r, 200);
    assert_body(r, body);
}

static void send_large(struct client *c)
{
    client_printf(c, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n", LARGE);
    client_send(c, large);
}

static void send_chunked(struct client *c)
{
    client_printf(c, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n%x\r\n", SMALL);
    client_send(c, small);
    client_printf(c, "\r\n0\r\n\r\n");
}

/* Every way in which a worker receives and sends. */
static void visit(const struct server *server)
{
    struct client *c = client_open(server->port);
    assert_answer(get(c, "/hello"), STR("hello"));
    assert_answer(get(c, "/small"), small);
    assert_answer(get(c, "/large"), large);
    send_large(c);
    assert_answer(response_read(c), large);
    send_chunked(c);
    assert_answer(response_read(c), small);
    for (int i = 0; i < BATCH; i++)
        client_printf(c, "GET /%s HTTP/1.1\r\n" HOST "\r\n", i % 2 ? "hello" : "small");
    for (int i = 0; i < BATCH; i++)
        assert_answer(response_read(c), i % 2 ? STR("hello") : small);
    client_printf(c, "GET /large HTTP/1.0\r\n\r\n");
    assert_answer(response_read(c), large);
    cr_assert(client_ends(c));
}

Test(fault_io, interrupted_and_short)
{
    static const struct fault_row rows[] = {
        {FAULT_RECV, EINTR, 2, 0},      {FAULT_RECV, EAGAIN, 2, 0},   {FAULT_RECV, 0, 0, 7},
        {FAULT_RECV, EINTR, 3, 100},    {FAULT_SEND, EINTR, 2, 0},    {FAULT_SEND, EAGAIN, 2, 0},
        {FAULT_SEND, 0, 0, 13},         {FAULT_SEND, EAGAIN, 3, 500}, {FAULT_SENDFILE, EINTR, 2, 0},
        {FAULT_SENDFILE, EAGAIN, 2, 0}, {FAULT_SENDFILE, 0, 0, 99},   {FAULT_SENDFILE, EINTR, 3, 1000},
        {FAULT_POLL, EINTR, 2, 0},      {FAULT_READ, 0, 0, 11},       {FAULT_READ, EAGAIN, 2, 0},
    };
    file_directory("www");
    struct server server = faults_start(CONFIG);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct fault_row *row = &rows[i];
        faults_order_row(row);
        write_files();
        visit(&server);
        cr_assert(row->error == 0 || faults_met(row->call) > 0, "row %zu: nothing has failed", i);
        faults_end();
    }
    cr_assert_not(faults_spins());
    assert_stop(&server, 0);
}

/* One call of one request that fails for good: its answer is right, an error, or cut; and the next one is right. */
static void break_one(const struct server *server, enum fault_call call, int error, unsigned which)
{
    write_files();
    faults_order(call, error, which, which, 1);
    for (int i = 0; i < 4; i++) {
        struct client *c = client_open(server->port);
        if (i < 3)
            client_printf(c, "GET /%s HTTP/1.1\r\n" HOST "\r\n", i == 0 ? "hello" : i == 1 ? "small" : "large");
        else
            send_large(c);
        struct response r = response_read(c);
        struct str body = i == 0 ? STR("hello") : i == 1 ? small : large;
        if (r.status == 200 && r.complete)
            assert_body(r, body);
        else
            cr_assert(r.status == 200 || r.status == 0 || r.status >= 500, "%d", r.status);
        client_close(c);
    }
    cr_assert(which > 1 || faults_met(call) == 1, "kind %d is never called", call);
    faults_end();
    visit(server);
}

Test(fault_io, broken)
{
    static const struct {
        enum fault_call call;
        int error;
        unsigned calls;
    } rows[] = {
        {FAULT_RECV, ECONNRESET, 4}, {FAULT_RECV, ENOMEM, 4},  {FAULT_RECV, ETIMEDOUT, 4}, {FAULT_SEND, EPIPE, 3},
        {FAULT_SEND, ENOBUFS, 3},    {FAULT_SEND, ENOMEM, 3},  {FAULT_SENDFILE, EIO, 1},   {FAULT_SENDFILE, EPIPE, 1},
        {FAULT_SENDFILE, ENOMEM, 1}, {FAULT_WATCH, ENOSPC, 4}, {FAULT_WATCH, ENOMEM, 4},   {FAULT_READ, EIO, 2},
        {FAULT_OPEN, EIO, 2},
    };
    file_directory("www");
    struct server server = faults_start(CONFIG);
    pid_t worker = faults_follow(&server);
    for (size_t i = 0; i < COUNT(rows); i++)
        for (unsigned which = 1; which <= rows[i].calls; which++)
            break_one(&server, rows[i].call, rows[i].error, which);
    cr_assert_eq(faults_follow(&server), worker, "the worker has died");
    cr_assert_not(faults_spins());
    assert_stop(&server, 0);
}

/* epoll has no room: whoever has to be waited for is closed. */
Test(fault_io, nothing_can_be_watched)
{
    enum { CLIENTS = 20 };
    struct client *clients[CLIENTS];
    struct server server = faults_start(CONFIG);
    pid_t worker = faults_follow(&server);
    assert_answer(fetch(server.port, "/hello"), STR("hello"));
    faults_order(FAULT_WATCH, ENOSPC, 1, FAULT_EVER, 1);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = client_open(server.port);
        client_printf(clients[i], "GET /hello HTTP/1.1\r\n" HOST "%s", i % 2 ? "\r\n" : "");
    }
    for (int i = 1; i < CLIENTS; i += 2)
        assert_answer(response_read(clients[i]), STR("hello"));
    for (int i = 0; i < CLIENTS; i++)
        cr_assert(client_ends(clients[i]), "client %d: " STR_FMT, i, (int)clients[i]->n, clients[i]->bytes);
    cr_assert_not(faults_spins());
    faults_end();
    struct client *c = client_open(server.port);
    for (int i = 0; i < 3; i++)
        assert_answer(get(c, "/hello"), STR("hello"));
    cr_assert_eq(faults_follow(&server), worker, "the worker has died");
}
