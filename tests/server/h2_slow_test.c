/* Clients of HTTP/2 that are slow on purpose, or gone: what waits for them does not wait for ever. Limits of time are
 * short here, so that the tests see them pass; how long they are is not asserted. */
#include "harness.h"
#include "harness_file.h"
#include "harness_h2.h"
#include "service.h"

#include <criterion/criterion.h>

TestSuite(h2_slow, .init = harness_begin, .fini = harness_end);

enum { MEMORY_KIB = 8 << 10 };

static struct server start(const char *timeouts)
{
    file_write("www/large", file_pattern(1 << 20));
    return service_start(.workers = 1, .more = harness_text("timeouts: {%s}\n", timeouts));
}

static pid_t worker_of(const struct server *server)
{
    pid_t worker;
    server_workers(server, &worker, 1);
    return worker;
}

/* Windows of nothing, and of an octet, that nobody opens (timeouts.write). */
Test(h2_slow, answers_that_nobody_takes)
{
    enum { STREAMS = 100 };
    struct server server = start("write: 1s");
    pid_t worker = worker_of(&server);
    for (uint32_t window = 0; window < 2; window++) {
        struct h2c *h = h2c_open_as(server.port, h2c_setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window));
        h->thrifty = true;
        size_t before = service_memory(worker);
        for (int i = 0; i < STREAMS; i++)
            h2c_request(h, H2C_GET("/files/large"), true);
        h2c_ping(h);
        assert_status(h2c_fetch(server.port, "/hello"), 200);
        cr_assert(service_memory_within(worker, before, MEMORY_KIB), "%zu KiB, %zu before", service_memory(worker),
                  before);
        for (uint32_t id = 1; id < 2 * STREAMS; id += 2) {
            struct response r = h2c_answer(h, id);
            cr_assert(!r.complete && r.body.n <= window, "%zu octets", r.body.n);
        }
        h2c_close(h);
    }
    cr_assert(until(service_status("connections") <= 1));
    assert_stop(&server, 0);
}

/* The same of a whole connection, whose socket is full. */
Test(h2_slow, a_connection_that_nobody_reads)
{
    struct server server = start("write: 1s");
    const struct str windows = h2c_setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2C_WINDOW_MAX);
    struct h2c *h = h2c_begin(client_open_slow(server.port), windows);
    file_write("www/huge", file_pattern(SERVICE_LARGE));
    h2c_grant(h, 0, H2C_WINDOW_MAX - H2C_WINDOW);
    h2c_request(h, H2C_GET("/files/huge"), true);
    cr_assert(until(service_status("cut") > 0 || !client_is_held(h->client)), "the connection is still there");
    assert_status(h2c_fetch(server.port, "/hello"), 200);
    assert_stop(&server, 0);
}

/* What is not complete when timeouts.header is over, wherever it stops. */
Test(h2_slow, headers_that_do_not_end)
{
    struct server server = start("header: 500ms, idle: 500ms");
    const struct str beginnings[] = {
        {h2c_preface().p, 10},
        h2c_preface(),
        h2c_encode(&(struct h2c_frame){.type = NGHTTP2_SETTINGS, .length = 6}, 1),
    };
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        struct client *c = client_open(server.port);
        if (i == 2)
            client_send(c, h2c_preface());
        client_send(c, beginnings[i]);
        client_drain(c);
        client_close(c);
    }
    const struct h2c_frame frames[] = {
        {.type = NGHTTP2_HEADERS, .stream = 1, .fields = str_of(H2C_GET("/hello")), .length = 100},
        {.type = NGHTTP2_HEADERS, .stream = 1, .fields = str_of(H2C_GET("/hello"))},
    };
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        struct h2c *h = h2c_open(server.port);
        h2c_send_frames(h, &frames[i], 1);
        h2c_drain(h);
        cr_expect_eq(h2c_stream(h, 1)->status == 200, false, "row %zu is answered", i);
        h2c_close(h);
    }
    assert_stop(&server, 0);
}

/* Content that does not come (timeouts.body) is 408, or a reset; the connection, and other requests, go on. */
Test(h2_slow, content_that_does_not_come)
{
    struct server server = start("body: 500ms");
    struct h2c *h = h2c_open(server.port);
    uint32_t none = h2c_request(h, H2C_POST("/echo"), false), some = h2c_request(h, H2C_POST("/echo"), false);
    h2c_send(h, .type = NGHTTP2_DATA, .stream = some, .fill = 10);
    const uint32_t ids[] = {none, some};
    for (size_t i = 0; i < 2; i++) {
        struct response r = h2c_answer(h, ids[i]);
        cr_assert(r.status == 408 || h2c_stream(h, ids[i])->reset, "%d", r.status);
    }
    assert_status(h2c_get(h, "/hello"), 200);
    assert_stop(&server, 0);
}

/* An idle connection is told before it ends, and by no reset. */
Test(h2_slow, idle)
{
    struct server server = start("idle: 500ms");
    struct h2c *fresh = h2c_open(server.port), *used = h2c_open(server.port);
    assert_status(h2c_get(used, "/hello"), 200);
    struct h2c *const both[] = {fresh, used};
    for (size_t i = 0; i < 2; i++) {
        assert_goaway(both[i], NGHTTP2_NO_ERROR);
        cr_assert_not(both[i]->client->reset, "a reset");
        cr_assert_eq(both[i]->last_id, i);
    }
    assert_stop(&server, 0);
}

/* A peer that goes away in the middle takes its requests with it. */
Test(h2_slow, peers_that_are_gone)
{
    enum { CLIENTS = 20, STREAMS = 20 };
    struct server server = start("write: 1m");
    pid_t worker = worker_of(&server);
    for (int i = 0; i < CLIENTS; i++) {
        struct h2c *h = h2c_open(server.port);
        for (int j = 0; j < STREAMS; j++)
            h2c_request(h, j % 2 ? H2C_GET("/files/large") : H2C_POST("/echo"), j % 2);
        if (i % 2)
            client_peek(h->client, 1000);
        h2c_close(h);
    }
    cr_assert(until(service_status("connections") == 0), "%lld connections", service_status("connections"));
    assert_status(h2c_fetch(server.port, "/hello"), 200);
    cr_assert_eq(worker_of(&server), worker, "the worker has died");
    assert_stop(&server, 0);
}

/* One that has finished its side in the middle of content has not sent it. */
Test(h2_slow, half_a_request_and_the_end)
{
    struct server server = start("body: 1m, idle: 1m");
    struct h2c *h = h2c_open(server.port);
    uint32_t whole = h2c_request(h, H2C_GET("/files/large"), true), half = h2c_request(h, H2C_POST("/echo"), false);
    h2c_send(h, .type = NGHTTP2_DATA, .stream = half, .fill = 10);
    h->thrifty = true;
    h2c_grant(h, 0, 1 << 20);
    h2c_grant(h, whole, 1 << 20);
    client_finish(h->client);
    assert_body(h2c_answer(h, whole), file_pattern(1 << 20));
    h2c_drain(h);
    cr_assert_neq(h2c_stream(h, half)->status, 200);
    cr_assert(until(service_status("connections") == 0));
    assert_stop(&server, 0);
}
