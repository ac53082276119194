/* The example of a chat: responses that go on, to many at once, and that nobody has to wait for. */
#include "harness.h"
#include "harness_file.h"
#include "harness_pki.h"
#include "module_service.h"
#include "service.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { MESSAGES = 400, ROUND = 40, SIZE = 1000, BEHIND = 64 };

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* A drain that waited for a listener would take longer than a test may. */
#define CONFIG                                                                                                         \
    MODULE_LISTEN MODULES "workers: 1\n"                                                                               \
                          "control: @DIR@/run/control.sock\n"                                                          \
                          "timeouts: {shutdown: 1h}\n"                                                                 \
                          "sites:\n"                                                                                   \
                          "  - routes:\n" MODULE_ROUTE("/chat/", "chat.so", "chat", "")

static struct server server;

static void begin(void)
{
    harness_begin();
    pki_make("ecdsa", "root");
    module_install("chat");
    file_directory("run");
    server = server_start(CONFIG);
}

TestSuite(module_events, .init = begin, .fini = harness_end);

static const enum carrier carriers[] = {HTTP_1_1, HTTP_2, HTTPS_1_1, HTTPS_2};

static bool has_head(struct call *call)
{
    struct h2c_frame frame;
    if (!call->h2)
        return call_shows(call, "\r\n\r\n");
    while (!h2c_stream(call->h2, call->stream)->status)
        if (!h2c_read(call->h2, &frame))
            return false;
    return true;
}

/* Who listens hears all that is said from then on. */
static struct call listen_by(enum carrier by)
{
    struct call call = call_begin(by, .path = "/chat/", .fields = "accept: text/event-stream\n");
    cr_assert(has_head(&call), "%s", carrier_name(by));
    return call;
}

static void say(enum carrier by, struct str text)
{
    struct response r = ask_by(by, .method = "POST", .path = "/chat/", .content = text);
    assert_status(r, 204);
}

/* ---- what there is beside events ---- */

Test(module_events, the_page)
{
    for (enum carrier by = 0; by < CARRIERS; by++) {
        struct response r = ask_by(by, .path = "/chat/");
        assert_status(r, 200);
        assert_field(r, "Content-Type", "text/html; charset=utf-8");
        cr_assert(str_starts(r.body, STR("<!doctype html>")) && r.complete);
        const char *length = harness_text("%zu", r.body.n);
        r = ask_by(by, .method = "HEAD", .path = "/chat/", .fields = "accept: text/event-stream\n");
        assert_field(r, "Content-Length", length);
        assert_status(ask_by(by, .method = "PUT", .path = "/chat/"), 405);
    }
}

Test(module_events, what_cannot_be_said)
{
    static const struct {
        struct str text;
        int status;
    } table[] = {{STR_INIT(""), 400}, {STR_INIT("a\0b"), 400}};
    for (enum carrier by = 0; by < CARRIERS; by++) {
        for (size_t i = 0; i < COUNT(table); i++)
            assert_status(ask_by(by, .method = "POST", .path = "/chat/", .content = table[i].text), table[i].status);
        assert_status(ask_by(by, .method = "POST", .path = "/chat/", .content = file_fill('x', 1025)), 413);
    }
}

/* ---- talking ---- */

Test(module_events, all_who_listen_hear_all_that_is_said)
{
    static const struct {
        struct str said;
        const char *event;
    } table[] = {
        {STR_INIT("hello"), "data: hello\n\n"},
        {STR_INIT("two\nlines"), "data: two\ndata: lines\n\n"},
        {STR_INIT("a\r\nb\rc"), "data: a\ndata: b\ndata: c\n\n"},
        {STR_INIT("\n\nx"), "data: \ndata: \ndata: x\n\n"},
        {STR_INIT("gr\xc3\xbc\xc3\x9f dich"), "data: gr\xc3\xbc\xc3\x9f dich\n\n"},
    };
    struct call listeners[2 * COUNT(carriers)];
    for (size_t i = 0; i < COUNT(listeners); i++)
        listeners[i] = listen_by(carriers[i % COUNT(carriers)]);
    for (size_t i = 0; i < COUNT(table); i++) {
        say(carriers[i % COUNT(carriers)], table[i].said);
        for (size_t k = 0; k < COUNT(listeners); k++)
            cr_assert(call_shows(&listeners[k], table[i].event), "%s has not heard %s",
                      carrier_name(listeners[k].carrier), table[i].event);
    }
    for (size_t k = 0; k < COUNT(listeners); k++)
        call_leave(&listeners[k]);
    assert_stop(&server, 0);
}

Test(module_events, the_head_of_a_stream)
{
    for (size_t i = 0; i < COUNT(carriers); i++) {
        struct call call = listen_by(carriers[i]);
        say(HTTP_1_1, STR("x"));
        cr_assert(call_shows(&call, "data: x\n\n"));
        struct str head =
            call.h2 ? h2c_stream(call.h2, call.stream)->head : client_take_through(call.client, STR("\r\n\r\n"));
        struct response r = {.head = head};
        assert_field(r, "Content-Type", "text/event-stream");
        assert_field(r, "Cache-Control", "no-cache");
        assert_no_field(r, "Content-Length");
        call_leave(&call);
    }
}

/* ---- who does not listen ---- */

/* Messages with these numbers, one behind the other on one connection. */
static void say_numbers(int from, int to)
{
    struct client *c = client_open(server.port);
    struct str filler = file_fill('x', SIZE);
    for (int i = from; i < to; i++) {
        client_printf(c, "POST /chat/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%04d" STR_FMT, SIZE + 4,
                      i, STR_ARG(filler));
        assert_status(response_read(c), 204);
    }
    client_close(c);
}

/* How many of them have come, which must be in their order. */
static int count_numbers(struct call *call)
{
    struct str all = call_arrived(call);
    int count = 0, before = -1;
    for (const char *at; (at = memmem(all.p, all.n, "data: 0", 7)); count++) {
        int number = atoi(at + 6);
        cr_assert_gt(number, before, "%d behind %d", number, before);
        before = number;
        all = str_skip(all, (size_t)(at - all.p) + 7);
    }
    return count;
}

/* Says it again, for who may have missed it. */
static bool hears(struct call *call, const char *text)
{
    say(HTTP_1_1, str_of(text));
    h2c_ping(call->h2);
    struct str all = call_arrived(call);
    return memmem(all.p, all.n, text, strlen(text)) != NULL;
}

/* It takes what its window lets in, then misses messages, which nobody else does; when it reads again, it hears. */
Test(module_events, a_slow_listener_misses_messages_and_nobody_waits_for_it)
{
    struct call fast[COUNT(carriers)], slow = listen_by(HTTP_2);
    slow.h2->thrifty = true;
    for (size_t i = 0; i < COUNT(fast); i++)
        fast[i] = listen_by(carriers[i]);
    for (int said = 0; said < MESSAGES; said += ROUND) {
        say_numbers(said, said + ROUND);
        for (size_t i = 0; i < COUNT(fast); i++)
            cr_assert(call_shows(&fast[i], harness_text("data: %04dx", said + ROUND - 1)), "%s has not heard %d",
                      carrier_name(carriers[i]), said + ROUND - 1);
    }
    for (size_t i = 0; i < COUNT(fast); i++)
        cr_assert_eq(count_numbers(&fast[i]), MESSAGES, "%s: %d", carrier_name(carriers[i]), count_numbers(&fast[i]));
    slow.h2->thrifty = false;
    h2c_grant(slow.h2, slow.stream, 1 << 24);
    h2c_grant(slow.h2, 0, 1 << 24);
    cr_assert(until(hears(&slow, "at last")));
    int heard = count_numbers(&slow);
    cr_assert(heard >= BEHIND && heard < MESSAGES, "%d", heard);
    assert_stop(&server, 0);
}

/* Their descriptors are free again: that they are gone is seen when something is said. */
Test(module_events, listeners_that_leave_are_forgotten)
{
    enum { LISTENERS = 20 };
    pid_t worker;
    struct call listeners[LISTENERS];
    server_workers(&server, &worker, 1);
    say(HTTP_1_1, STR("x"));
    size_t before = service_descriptors(worker);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < LISTENERS; i++)
            listeners[i] = listen_by(carriers[i % COUNT(carriers)]);
        cr_assert_gt(service_descriptors(worker), before + LISTENERS / 2);
        for (int i = 0; i < LISTENERS; i++)
            if (i % 3)
                call_leave(&listeners[i]);
            else
                client_reset(listeners[i].client);
        cr_assert(until((say(HTTP_1_1, STR("x")), service_descriptors(worker) <= before)), "%zu descriptors, were %zu",
                  service_descriptors(worker), before);
    }
    assert_stop(&server, 0);
}

/* ---- the end ---- */

static void assert_ended(struct call *call)
{
    struct response r = call_assert_ended(call);
    assert_body(r, STR("data: before\n\n"));
}

Test(module_events, a_reload_lets_listeners_go_and_come_back)
{
    struct call listeners[COUNT(carriers)];
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT(carriers); i++)
            listeners[i] = listen_by(carriers[i]);
        say(HTTPS_2, STR("before"));
        assert_ctl(0, "reload");
        for (size_t i = 0; i < COUNT(carriers); i++)
            assert_ended(&listeners[i]);
    }
    cr_assert(until(service_log_count("has ended") >= 3), "%s", server_log(&server).p);
    assert_stop(&server, 0);
}

Test(module_events, a_stop_does_not_wait_for_listeners)
{
    struct call listeners[COUNT(carriers)];
    for (size_t i = 0; i < COUNT(carriers); i++)
        listeners[i] = listen_by(carriers[i]);
    say(HTTP_2, STR("before"));
    assert_stop(&server, 0);
    for (size_t i = 0; i < COUNT(carriers); i++)
        assert_ended(&listeners[i]);
}
