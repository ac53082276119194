/* Peers that take their time: heads in pieces, slow content, ends that never come; and what they must not cost others.
 */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define HOST "Host: localhost\r\n"
#define HELLO "GET /hello HTTP/1.1\r\n" HOST "\r\n"

#define LISTEN                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 1\n"
#define SITE                                                                                                           \
    "sites:\n"                                                                                                         \
    "  - routes:\n"                                                                                                    \
    "      - {exact: /hello, respond: {status: 200, type: text/plain, body: hello}}\n"                                 \
    "      - {exact: /echo, echo: {}}\n"                                                                               \
    "      - {path: /files, files: {root: @DIR@/www}}\n"

enum {
    THREADS = 16, /* as few as may be configured */
    SLOW = 300,   /* connections, many more than that */
    LARGE = 16 << 20,
};

TestSuite(slow, .init = harness_begin, .fini = harness_end);

static struct client *clients[SLOW];

static void assert_hello(struct response r)
{
    assert_status(r, 200);
    assert_body(r, STR("hello"));
}

/* Long enough that what was sent is looked at alone, most of the time. */
static void pause_ms(unsigned ms)
{
    usleep(ms * 1000);
}

/* ---- heads ---- */

/* A head that has begun holds no green thread, or 503 would be the answer to most of these. */
Test(slow, hundreds_of_half_heads_hold_nothing_up)
{
    struct server server = server_start(LISTEN "limits: {green_threads: 16}\n" SITE);
    for (int i = 0; i < SLOW; i++) {
        clients[i] = client_open(server.port);
        client_printf(clients[i], "GET /hello HTTP/1.1\r\nX-Slow: %d", i);
    }
    for (int i = 0; i < 20; i++)
        assert_hello(fetch(server.port, "/hello"));
    for (int i = 0; i < SLOW; i++)
        client_printf(clients[i], "\r\nHost: ");
    assert_hello(fetch(server.port, "/hello"));
    for (int i = 0; i < SLOW; i++)
        client_printf(clients[i], "localhost\r\n\r\n");
    for (int i = 0; i < SLOW; i++)
        assert_hello(response_read(clients[i]));
    for (int i = 0; i < SLOW; i++)
        assert_hello(get(clients[i], "/hello"));
    assert_stop(&server, 0);
}

/* One byte now and then, after a request that was in time: what came before counts for nothing. */
Test(slow, a_later_head_byte_by_byte)
{
    struct server server = server_start(LISTEN "timeouts: {header: 400ms, idle: 1h}\n" SITE);
    struct client *c = client_open(server.port);
    for (int i = 0; i < 3; i++)
        assert_hello(get(c, "/hello"));
    client_printf(c, "GET /hello HTTP/1.1\r\n" HOST "X-Slow: ");
    for (int i = 0; i < 300 && client_is_held(c); i++) {
        client_printf(c, "x");
        pause_ms(100);
    }
    struct response r = response_read(c);
    assert_status(r, 408);
    assert_field(r, "Connection", "close");
    cr_assert(client_ends(c));
    cr_assert_not_null(strstr(server_log(&server).p, "408, the header took longer"), "%s", server_log(&server).p);
}

Test(slow, empty_lines_one_by_one)
{
    struct server server = server_start(LISTEN SITE);
    for (int lines = 4; lines <= 5; lines++) {
        struct client *c = client_open(server.port);
        for (int i = 0; i < lines; i++) {
            client_printf(c, "\r\n");
            pause_ms(5);
        }
        client_printf(c, HELLO);
        assert_status(response_read(c), lines == 4 ? 200 : 400);
    }
}

/* ---- content ---- */

/* Each piece comes in time, and all of them together do not. */
static struct response send_slowly(const struct server *server, const char *framing, const char *piece, int pieces)
{
    struct client *c = client_open(server->port);
    client_printf(c, "POST /echo HTTP/1.1\r\n" HOST "%s\r\n", framing);
    for (int i = 0; i < pieces && client_is_held(c); i++) {
        client_printf(c, "%s", piece);
        pause_ms(100);
    }
    client_printf(c, "0\r\n\r\n");
    return response_read(c);
}

Test(slow, content_that_comes_slower_than_it_may)
{
    static const char *const framings[] = {"Content-Length: 1000\r\n", "Transfer-Encoding: chunked\r\n"};
    struct server server = server_start(LISTEN "limits: {body_rate: 1k}\ntimeouts: {body: 1s}\n" SITE);
    for (size_t i = 0; i < COUNT(framings); i++) {
        struct response r = send_slowly(&server, framings[i], "1\r\nx\r\n", 300);
        assert_status(r, 408);
        assert_field(r, "Connection", "close");
    }
    cr_assert_not_null(strstr(server_log(&server).p, "408, content too slow"), "%s", server_log(&server).p);
    struct client *c = client_open(server.port);
    client_printf(c, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n", LARGE / 2);
    client_send(c, file_pattern(LARGE / 2));
    struct response r = response_read(c);
    assert_status(r, 200);
    assert_body(r, file_pattern(LARGE / 2));
}

/* What has come earns time for what is to come. */
Test(slow, content_that_comes_as_fast_as_it_must)
{
    struct server server = server_start(LISTEN "limits: {body_rate: 1}\ntimeouts: {body: 2s}\n" SITE);
    struct response r = send_slowly(&server, "Transfer-Encoding: chunked\r\n", "1\r\nx\r\n", 30);
    assert_status(r, 200);
    assert_body(r, file_fill('x', 30));
}

Test(slow, content_without_a_rate)
{
    struct server server = server_start(LISTEN "limits: {body_rate: 0}\ntimeouts: {body: 2s}\n" SITE);
    struct response r = send_slowly(&server, "Transfer-Encoding: chunked\r\n", "1\r\nx\r\n", 30);
    assert_status(r, 200);
    assert_body(r, file_fill('x', 30));
}

/* ---- the end of a connection ---- */

/* Sends without ever looking whether an answer has come. False: the server has ended the connection for good. */
static bool send_blindly(const struct client *c, size_t n)
{
    static char bytes[64 * 1024];
    struct timeval limit = {.tv_sec = HARNESS_LIMIT / NSEC_SEC};
    cr_assert_eq(setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit), 0);
    for (size_t sent = 0; sent < n;) {
        ssize_t got = send(c->fd, bytes, sizeof bytes, MSG_NOSIGNAL);
        if (got < 0) {
            cr_assert_neq(errno, EAGAIN, "the server does not read");
            return false;
        }
        sent += (size_t)got;
    }
    return true;
}

struct refusal {
    const char *request;
    int status;
};

/* A client that sends all it has before it reads still gets the answer (RFC 9112, 9.6). */
Test(slow, an_answer_is_not_destroyed_by_what_is_still_sent)
{
    static const struct refusal table[] = {
        {"bad\r\n\r\n", 400},
        {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 99999999\r\n\r\n", 413},
        {"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n9999999\r\n", 413},
        {"POST /hello HTTP/1.1\r\n" HOST "Content-Length: 9000000\r\n\r\n", 200},
        {"GET /hello HTTP/7.0\r\n" HOST "\r\n", 505},
    };
    struct server server = server_start(LISTEN SITE);
    for (size_t i = 0; i < COUNT(table); i++) {
        struct client *c = client_open(server.port);
        client_printf(c, "%s", table[i].request);
        cr_assert(send_blindly(c, LARGE / 2), "cut off: %s", table[i].request);
        struct response r = response_read(c);
        cr_assert_eq(r.status, table[i].status, "%d for %s", r.status, table[i].request);
        cr_assert(r.complete, "a part of the answer to %s", table[i].request);
        cr_assert(client_ends(c), "more than an answer to %s", table[i].request);
        cr_assert_not(c->reset, "reset after %s", table[i].request);
    }
}

/* Nobody has told the peer that there is to be no second request, so it may be on its way. */
Test(slow, an_answer_is_not_destroyed_by_the_next_request)
{
    struct server server = server_start(LISTEN "limits: {requests_per_connection: 1}\n" SITE);
    for (int i = 0; i < 20; i++) {
        struct client *c = client_open(server.port);
        client_printf(c, HELLO);
        struct pollfd answered = {.fd = c->fd, .events = POLLIN};
        cr_assert_eq(poll(&answered, 1, HARNESS_LIMIT / NSEC_MS), 1);
        for (int again = 0; again < 3; again++) {
            cr_assert_eq(send(c->fd, HELLO, strlen(HELLO), MSG_NOSIGNAL), (ssize_t)strlen(HELLO), "%m");
            pause_ms(1);
        }
        struct response r = response_read(c);
        assert_hello(r);
        assert_field(r, "Connection", "close");
        cr_assert(client_ends(c));
        cr_assert_not(c->reset);
        client_close(c);
    }
}

/* But not without end, and not for ever. */
Test(slow, what_is_still_sent_is_bounded)
{
    enum { FAR_TOO_MUCH = 512 << 20 };
    struct server server = server_start(LISTEN SITE);
    struct client *c = client_open(server.port);
    client_printf(c, "bad\r\n\r\n");
    cr_assert_not(send_blindly(c, FAR_TOO_MUCH), "all of it is read");
    assert_hello(fetch(server.port, "/hello"));
}

Test(slow, a_peer_that_never_closes_is_left)
{
    struct server server = server_start(LISTEN SITE);
    pid_t worker;
    server_workers(&server, &worker, 1);
    size_t idle = server_sockets(worker);
    for (int i = 0; i < 10; i++) {
        clients[i] = client_open(server.port);
        client_printf(clients[i], "bad\r\n\r\n");
        assert_status(response_read(clients[i]), 400);
    }
    cr_assert_gt(server_sockets(worker), idle);
    cr_assert(until(server_sockets(worker) <= idle), "%zu sockets, not %zu", server_sockets(worker), idle);
    assert_hello(fetch(server.port, "/hello"));
}

/* RFC 9112, 9.6: a client that has said all it wanted still listens. */
Test(slow, half_a_close_gets_the_whole_answer)
{
    struct str content = file_pattern(LARGE);
    file_write("www/large", content);
    struct server server = server_start(LISTEN SITE);
    for (int i = 0; i < 2; i++) {
        struct client *c = i ? client_open_slow(server.port) : client_open(server.port);
        client_printf(c, HELLO "GET /files/large HTTP/1.1\r\n" HOST "\r\n");
        client_finish(c);
        assert_hello(response_read(c));
        struct response r = response_read(c);
        assert_status(r, 200);
        assert_body(r, content);
        cr_assert(client_ends(c));
        cr_assert_not(c->reset);
    }
}

/* ---- room ---- */

/* Connections of which only half a head has come make room for new ones. */
Test(slow, half_heads_make_room)
{
    enum { ROOM = 20 };
    struct server server = server_start(LISTEN "limits: {connections: 20}\ntimeouts: {header: 1h}\n" SITE);
    for (int i = 0; i < ROOM; i++) {
        clients[i] = client_open(server.port);
        client_printf(clients[i], HELLO "GET /hello HTTP/1.1\r\nHo");
        assert_hello(response_read(clients[i]));
    }
    for (int i = ROOM; i < 3 * ROOM; i++) {
        clients[i] = client_open(server.port);
        assert_hello(get(clients[i], "/hello"));
    }
    for (int i = 0; i < ROOM; i++) {
        client_printf(clients[i], "st: localhost\r\n\r\n");
        struct response r = response_read(clients[i]);
        cr_assert(r.status == 503 || r.status == 200, "%d", r.status);
    }
    assert_hello(get(clients[3 * ROOM - 1], "/hello"));
}

/* A request whose content is still to come, of which it has all but the last byte. */
static struct client *open_busy(const struct server *server)
{
    struct client *c = client_open(server->port);
    client_printf(c, "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    assert_status(response_read(c), 100);
    client_printf(c, "hell");
    return c;
}

/* Who waits at the limit is served as soon as somebody can be done without, not when an idle time has passed. */
Test(slow, a_connection_that_turns_idle_makes_room)
{
    struct server server = server_start(LISTEN "limits: {connections: 2}\ntimeouts: {idle: 1h, body: 1h}\n" SITE);
    struct client *first = open_busy(&server), *second = open_busy(&server), *third = client_open(server.port);
    client_printf(third, HELLO);
    cr_assert(until(strstr(server_log(&server).p, "limits.connections reached (2)")), "%s", server_log(&server).p);
    assert_hello(ask(second, "o"));
    assert_hello(response_read(third));
    cr_assert(client_ends(second));
    assert_hello(ask(first, "o"));
}

/* However many others are busy. */
Test(slow, an_idle_one_among_many_busy_ones_makes_room)
{
    enum { ROOM = 100, BUSY = 90 };
    struct server server = server_start(LISTEN "limits: {connections: 100}\ntimeouts: {idle: 1h, body: 1h}\n" SITE);
    for (int i = 0; i < ROOM; i++) {
        clients[i] = i < BUSY ? open_busy(&server) : client_open(server.port);
        if (i >= BUSY)
            assert_hello(get(clients[i], "/hello"));
    }
    for (int i = 0; i < 2 * (ROOM - BUSY); i++)
        assert_hello(get(client_open(server.port), "/hello"));
    for (int i = BUSY; i < ROOM; i++)
        cr_assert(client_ends(clients[i]));
    for (int i = 0; i < BUSY; i++)
        assert_hello(ask(clients[i], "o"));
}

/* The least loss goes first: who is between requests, who has its last answer, and then who has begun the next one. */
Test(slow, in_which_order_they_make_room)
{
    struct server server = server_start(LISTEN "limits: {connections: 3}\ntimeouts: {idle: 1h, header: 30m}\n" SITE);
    struct client *begun = client_open(server.port), *lingering = client_open(server.port);
    client_printf(begun, HELLO "GET /hello HTTP/1.1\r\nHo");
    assert_hello(response_read(begun));
    client_printf(lingering, "bad\r\n\r\n");
    assert_status(response_read(lingering), 400);
    struct client *idle = client_open(server.port), *busy[3];
    assert_hello(get(idle, "/hello"));
    busy[0] = open_busy(&server);
    cr_assert(client_ends(idle));
    cr_assert(client_is_held(begun));
    busy[1] = open_busy(&server);
    client_printf(begun, "st: local");
    cr_assert(client_is_held(begun));
    busy[2] = open_busy(&server);
    struct response r = response_read(begun);
    assert_status(r, 503);
    assert_field(r, "Connection", "close");
    cr_assert_gt(response_field(&r, "Retry-After").n, 0);
    cr_assert(client_ends(begun));
    for (int i = 0; i < 3; i++)
        assert_hello(ask(busy[i], "o"));
}

/* Requests that wait for their content hold a thread; where none is left the peer is told so, in full. */
Test(slow, an_answer_where_no_thread_is_left)
{
    struct server server = server_start(LISTEN "limits: {green_threads: 16}\n" SITE);
    for (int i = 0; i < 2 * THREADS; i++) {
        clients[i] = client_open(server.port);
        client_printf(clients[i], "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    }
    size_t refused = 0;
    for (int i = 0; i < 2 * THREADS; i++) {
        struct response r = response_read(clients[i]);
        cr_assert(r.status == 100 || r.status == 503, "%d", r.status);
        if (r.status == 100)
            continue;
        refused++;
        cr_assert(r.complete);
        cr_assert_eq(response_field(&r, "Date").n, 29, STR_FMT, STR_ARG(r.head));
        assert_field(r, "Retry-After", "1");
        assert_field(r, "Connection", "close");
        cr_assert(client_ends(clients[i]));
        client_close(clients[i]);
        clients[i] = NULL;
    }
    cr_assert_gt(refused, 0);
    for (int i = 0; i < 2 * THREADS; i++)
        if (clients[i])
            assert_hello(ask(clients[i], "hello"));
    assert_hello(fetch(server.port, "/hello"));
}

/* ---- stopping ---- */

/* Who has begun a request is waited for, like those that are being answered. */
Test(slow, a_drain_waits_for_heads_that_have_begun)
{
    struct server server = server_start(LISTEN SITE);
    struct client *slow = client_open(server.port), *idle = client_open(server.port);
    client_printf(slow, HELLO "GET /hello HTTP/1.1\r\nHo");
    assert_hello(response_read(slow));
    assert_hello(get(idle, "/hello"));
    server_terminate(&server);
    cr_assert(client_ends(idle));
    client_printf(slow, "st: local");
    pause_ms(20);
    struct response r = ask(slow, "host\r\n\r\n");
    assert_hello(r);
    assert_field(r, "Connection", "close");
    cr_assert(client_ends(slow));
    assert_exit(&server, 0);
}

Test(slow, a_drain_ends_with_a_heads_deadline)
{
    struct server server = server_start(LISTEN "timeouts: {header: 500ms}\n" SITE);
    struct client *slow = client_open(server.port);
    client_printf(slow, HELLO "GET /hello HTTP/1.1\r\nHo");
    assert_hello(response_read(slow));
    server_terminate(&server);
    assert_status(response_read(slow), 408);
    client_close(slow);
    assert_exit(&server, 0);
}

/* Half a request is no request: nothing is lost when its time is up with the drain's. */
Test(slow, a_drain_does_not_wait_for_ever)
{
    struct server server = server_start(LISTEN "timeouts: {header: 1h, shutdown: 500ms}\n" SITE);
    struct client *slow = client_open(server.port);
    client_printf(slow, HELLO "GET /hello HTTP/1.1\r\nHo");
    assert_hello(response_read(slow));
    assert_stop(&server, 0);
    cr_assert(client_ends(slow));
}
