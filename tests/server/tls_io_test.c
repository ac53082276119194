/* System calls and allocations that fail under TLS: an answer is the same octets as ever, or it is visibly cut; the
 * next one is right; and nothing goes round and round. */
#include "harness.h"
#include "harness_faults.h"
#include "harness_file.h"
#include "tls_service.h"

#include <criterion/criterion.h>
#include <errno.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define HOST "Host: localhost\r\n"
#define CONFIG                                                                                                         \
    "workers: 1\n"                                                                                                     \
    "timeouts: {handshake: 1h, header: 1h, body: 1h, write: 1h, idle: 1h}\n" TLS_LISTEN(TLS_BOTH) TLS_SITES

enum { SMALL = 30000, LARGE = 200000, BATCH = 50 };

static struct str small, large;
static struct server server;
static pid_t worker;

static void begin(void)
{
    harness_begin();
    file_directory("www");
    pki_make_for(CONFIG);
    small = file_pattern(SMALL);
    large = file_pattern(LARGE);
    file_write("www/small", small);
    file_write("www/large", large);
    server = faults_start(CONFIG);
    worker = faults_follow(&server);
}

static void end(void)
{
    cr_expect_not(faults_spins());
    cr_expect_eq(faults_follow(&server), worker, "the worker has died");
    assert_stop(&server, 0);
    harness_end();
}

TestSuite(tls_io, .init = begin, .fini = end);

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static void assert_answer(struct response r, struct str body)
{
    assert_status(r, 200);
    assert_body(r, body);
}

/* Every way in which a worker receives and sends, a handshake that is resumed included. */
static void visit(int version)
{
    struct client *first = tls_open(.port = server.port, .version = version);
    SSL_SESSION *session = tls_session(first);
    cr_assert_not_null(session);
    struct client *c = tls_open(.port = server.port, .version = version, .session = session);
    cr_assert(tls_resumed(c));
    assert_answer(get(c, "/files/small"), small);
    assert_answer(get(c, "/files/large"), large);
    client_printf(c, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n", LARGE);
    client_send(c, large);
    assert_answer(response_read(c), large);
    for (int i = 0; i < BATCH; i++)
        client_printf(c, "GET /%s HTTP/1.1\r\n" HOST "\r\n", i % 2 ? "hello" : "files/small");
    for (int i = 0; i < BATCH; i++)
        assert_answer(response_read(c), i % 2 ? STR("hello") : small);
    client_printf(c, "GET /files/large HTTP/1.0\r\n\r\n");
    assert_answer(response_read(c), large);
    cr_assert(client_ends(c));
    client_close(first);
    client_close(c);
}

Test(tls_io, interrupted_and_short)
{
    static const struct {
        enum fault_call call;
        int error;     /* 0: none */
        unsigned step; /* that fails, of so many */
        size_t most;
    } rows[] = {
        {FAULT_RECV, EINTR, 2, 0}, {FAULT_RECV, EAGAIN, 2, 0},   {FAULT_RECV, 0, 0, 1},    {FAULT_RECV, 0, 0, 7},
        {FAULT_SEND, EINTR, 2, 0}, {FAULT_SEND, EAGAIN, 2, 0},   {FAULT_SEND, 0, 0, 13},   {FAULT_SEND, EAGAIN, 3, 500},
        {FAULT_POLL, EINTR, 2, 0}, {FAULT_RECV, EAGAIN, 3, 100}, {FAULT_SEND, 0, 0, 1399}, {FAULT_READ, 0, 0, 1000},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        faults_order(rows[i].call, rows[i].error, rows[i].error ? 1 : 0, FAULT_EVER, rows[i].step);
        faults_shorten(rows[i].call, rows[i].most);
        for (size_t v = 0; v < COUNT(versions); v++)
            visit(versions[v]);
        cr_assert(rows[i].error == 0 || faults_met(rows[i].call) > 0, "row %zu: nothing has failed", i);
        faults_end();
    }
}

/* ---- what fails for good ---- */

/* One request, on a connection that may end at any point, but not be answered wrongly. Whether it was served. */
static bool try_one(int version, const char *target, struct str body)
{
    struct client *c = tls_start(.port = server.port, .version = version);
    struct response r = {.status = 0};
    if (tls_shake(c) == TLS_FINE)
        r = get(c, target);
    bool served = r.status == 200 && r.complete;
    if (served)
        assert_body(r, body);
    else
        cr_assert(r.status == 200 || r.status == 0 || r.status >= 500, "%s: %d", target, r.status);
    client_close(c);
    return served;
}

Test(tls_io, broken)
{
    static const struct {
        enum fault_call call;
        int error;
        unsigned calls;
    } rows[] = {
        {FAULT_RECV, ECONNRESET, 6}, {FAULT_RECV, ENOMEM, 6}, {FAULT_SEND, EPIPE, 6}, {FAULT_SEND, ENOBUFS, 6},
        {FAULT_WATCH, ENOMEM, 4},    {FAULT_READ, EIO, 2},    {FAULT_OPEN, EIO, 2},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        for (unsigned which = 1; which <= rows[i].calls; which++)
            for (size_t v = 0; v < COUNT(versions); v++) {
                file_replace("www/large", large);
                faults_order(rows[i].call, rows[i].error, which, which, 1);
                try_one(versions[v], "/files/large", large);
                faults_end();
                cr_assert(try_one(versions[v], "/files/large", large), "row %zu: the next one is not served", i);
            }
}

/* The first allocation of a session fails, then the second, and so on. OpenSSL makes many. */
Test(tls_io, each_allocation_of_a_session)
{
    enum { STEP = 3, MOST = 3000 };
    faults_need_malloc();
    for (size_t v = 0; v < COUNT(versions); v++) {
        unsigned which = 1, made = 1;
        for (; which <= made && which < MOST; which += STEP) {
            faults_order(FAULT_ALLOC, ENOMEM, which, which, 1);
            try_one(versions[v], "/files/small", small);
            made = faults_made(FAULT_ALLOC);
            faults_end();
            cr_assert(try_one(versions[v], "/hello", STR("hello")), "allocation %u: the next one is not served", which);
        }
        cr_assert_gt(which, STEP, "nothing is allocated");
    }
}

Test(tls_io, no_allocation_at_all)
{
    faults_need_malloc();
    for (size_t v = 0; v < COUNT(versions); v++) {
        faults_order(FAULT_ALLOC, ENOMEM, 1, FAULT_EVER, 1);
        for (int i = 0; i < 10; i++)
            cr_assert_not(try_one(versions[v], "/files/small", small));
        faults_end();
        cr_assert(try_one(versions[v], "/files/small", small));
    }
}
