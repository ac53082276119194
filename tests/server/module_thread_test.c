/* Threads of modules: what they share, what they wait for, and that none of them outlives what it belongs to. */
#include "harness.h"
#include "harness_pki.h"
#include "harness_server.h"
#include "module_service.h"
#include "service.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { CHILDREN = 10, POOL = 4, MANY = 2000 };

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define CONFIG(more)                                                                                                   \
    MODULE_LISTEN MODULES "workers: 1\nthreads: 4\n" more                                                              \
                          "sites:\n  - routes:\n" MODULE_ROUTE("/t/", "threads.so", "threads", "")

static struct server server;

static void begin(void)
{
    harness_begin();
    pki_make("ecdsa", "root");
    module_install("threads");
}

TestSuite(module_thread, .init = begin, .fini = harness_end);

static bool are_inside(unsigned count)
{
    return str_eq(fetch(server.port, "/t/idle").body, str_of(harness_text("%u inside\n", count)));
}

#define assert_inside(count)                                                                                           \
    cr_assert(until(are_inside(count)), "not %u: " STR_FMT, (unsigned)(count),                                         \
              STR_ARG(fetch(server.port, "/t/idle").body))

/* They are checked by the module, with every number. */
Test(module_thread, each_thing_by_itself)
{
    static const char *const paths[] = {"/t/join",   "/t/await", "/t/first", "/t/channels",
                                        "/t/select", "/t/mutex", "/t/later"};
    server = server_start(CONFIG(""));
    for (size_t i = 0; i < COUNT(paths); i++) {
        assert_everywhere(200, STR("done\n"), .path = paths[i]);
        assert_inside(0);
    }
    assert_stop(&server, 0);
}

/* ---- the pool ---- */

/* All its threads sit in calls that block, and the one green thread that serves goes on. */
Test(module_thread, others_are_served_while_the_pool_blocks)
{
    struct call calls[POOL + 2];
    server = server_start(CONFIG(""));
    for (size_t i = 0; i < COUNT(calls); i++)
        calls[i] = call_begin(HTTP_1_1, .path = "/t/block");
    assert_inside(COUNT(calls));
    for (int i = 0; i < 100; i++)
        assert_body(fetch(server.port, "/t/select"), STR("done\n"));
    for (size_t i = 0; i < COUNT(calls); i++)
        assert_body(fetch(server.port, "/t/unblock"), STR("done\n"));
    for (size_t i = 0; i < COUNT(calls); i++)
        assert_body(call_answer(&calls[i]), STR("read x\n"));
    assert_inside(0);
    assert_stop(&server, 0);
}

/* ---- many ---- */

/* None of them is answered before all are there. */
Test(module_thread, many_handlers_wait_at_once, .timeout = 120)
{
    enum { CONNECTIONS = 20, EACH = MANY / CONNECTIONS };
    static struct call calls[MANY];
    server = server_start(CONFIG("limits: {streams: 200}\n"));
    for (int i = 0; i < MANY; i++) {
        const struct request request = {.path = "/t/gather"};
        calls[i] = i % EACH ? call_along(&calls[i - 1], &request) : call_begin_as(HTTP_2, &request);
    }
    assert_inside(MANY);
    assert_body(fetch(server.port, "/t/open"), str_of(harness_text("%d let out\n", MANY)));
    for (int i = 0; i < MANY; i++)
        assert_body(call_answer(&calls[i]), STR("done\n"));
    assert_inside(0);
    assert_stop(&server, 0);
}

/* As many as limits.green_threads, which is for the whole worker; and then there is room again. */
Test(module_thread, there_are_only_so_many_threads)
{
    server = server_start(CONFIG("limits: {green_threads: 200}\n"));
    for (int i = 0; i < 3; i++) {
        struct response r = fetch(server.port, "/t/exhaust");
        assert_status(r, 200);
        int count = atoi(harness_text(STR_FMT, STR_ARG(r.body)));
        cr_assert(count > 150 && count < 200, STR_FMT, STR_ARG(r.body));
        cr_assert(str_ends(r.body, STR("started, then Resource temporarily unavailable\n")), STR_FMT, STR_ARG(r.body));
        assert_inside(0);
    }
    assert_stop(&server, 0);
}

/* ---- how they end ---- */

/* When a handler returns, because its client has left, its children end. */
Test(module_thread, clients_that_leave)
{
    server = server_start(CONFIG(""));
    for (enum carrier by = 0; by < CARRIERS; by++)
        for (int reset = 0; reset < 2; reset++) {
            struct call call = call_begin(by, .path = "/t/family");
            cr_assert(call_shows(&call, "staying"), "%s", carrier_name(by));
            assert_inside(CHILDREN + 1);
            if (reset)
                client_reset(call.client);
            else
                call_leave(&call);
            assert_inside(0);
        }
    assert_stop(&server, 0);
}

Test(module_thread, a_stream_that_is_reset)
{
    static const char *const paths[] = {"/t/stay", "/t/family"};
    server = server_start(CONFIG(""));
    struct call call = call_begin(HTTP_2, .path = "/t/idle");
    assert_body(call_answer(&call), STR("0 inside\n"));
    for (size_t i = 0; i < COUNT(paths); i++) {
        call = call_along(&call, &(struct request){.path = paths[i]});
        cr_assert(call_shows(&call, "staying"));
        assert_inside(i ? CHILDREN + 1 : 1);
        h2c_send(call.h2, .type = NGHTTP2_RST_STREAM, .stream = call.stream, .start = h2c_u32(NGHTTP2_CANCEL));
        assert_inside(0);
    }
    assert_stop(&server, 0);
}

/* A drain lets requests end for timeouts.shutdown; then they are cancelled, with what belongs to them. */
Test(module_thread, a_drain_cancels_what_goes_on_for_too_long)
{
    static const enum carrier carriers[] = {HTTP_1_1, HTTP_2, HTTPS_1_1, HTTPS_2};
    struct call calls[COUNT(carriers)];
    server = server_start(CONFIG("timeouts: {shutdown: 300ms}\n"));
    for (size_t i = 0; i < COUNT(carriers); i++) {
        calls[i] = call_begin(carriers[i], .path = "/t/family");
        cr_assert(call_shows(&calls[i], "staying"), "%s", carrier_name(carriers[i]));
    }
    assert_inside(COUNT(carriers) * (CHILDREN + 1));
    assert_stop(&server, SERVICE_CUT);
    for (size_t i = 0; i < COUNT(carriers); i++) {
        struct response r = call_answer(&calls[i]);
        cr_assert(!r.complete, "%s: taken for the whole", carrier_name(carriers[i]));
    }
    const char *last = harness_text("threads: 0 inside, %zu cancelled", COUNT(carriers) * (CHILDREN + 1));
    cr_assert(service_logged(last), "no `%s`: %s", last, server_log(&server).p);
}

/* A module that is told to retire need not wait for that. */
Test(module_thread, a_module_may_end_its_requests_itself)
{
    server = server_start(CONFIG(""));
    struct call call = call_begin(HTTP_1_1, .path = "/t/gather");
    assert_inside(1);
    assert_stop(&server, 0);
    struct response r = call_answer(&call);
    assert_status(r, 502);
}
