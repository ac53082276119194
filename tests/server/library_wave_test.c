/* Ordinary blocking calls of libraries, many at once, in one worker: while 500 handlers wait in calls that block, all
 * of them have been begun, and the worker serves others. That they all wait is told by the server that they wait for:
 * were they run one after the other, or by the threads of the pool, it would never see more than one, or four.
 *
 * Then they are let go, and each waits for another 100 ms in a call that blocks before it answers. */
#include "harness.h"
#include "harness_response.h"
#include "library_service.h"
#include "service.h"

#include <criterion/criterion.h>

enum { WAVE = 500 };

static struct server server;
static struct client *wave[WAVE];

TestSuite(library_wave, .init = harness_begin, .fini = harness_end);

static void begin_wave(const char *path)
{
    for (int i = 0; i < WAVE; i++)
        wave[i] = library_ask(server.port, path);
}

/* Each of them has an answer of this body. */
static void end_wave(struct str body)
{
    for (int i = 0; i < WAVE; i++) {
        struct response r = response_read(wave[i]);
        assert_status(r, 200);
        assert_body(r, body);
        client_close(wave[i]);
    }
}

/* ---- Redis, by hiredis ---- */

/* An element for each of those that wait for one. */
static void push_elements(void)
{
    char elements[2 * WAVE + 1];
    for (int i = 0; i < WAVE; i++)
        memcpy(elements + (size_t)2 * i, " 1", 3);
    struct client *c = client_open(harness_port(PEER_REDIS));
    client_printf(c, "RPUSH gate%s\r\n", elements);
    cr_assert_gt(client_take_through(c, STR("\r\n")).n, 0);
    client_close(c);
}

Test(library_wave, of_redis)
{
    library_link("redis_client");
    peer_redis();
    server = library_start(LIBRARY_SERVER LIBRARY_SITE REDIS_ROUTE("/clients", "commands: INFO clients")
                               REDIS_ROUTE("/wave", "commands: [BLPOP gate 0, BLPOP none 0.1]"));
    begin_wave("/wave");
    cr_assert(until(library_shows(server.port, "/clients", harness_text("blocked_clients:%d\r\n", WAVE))), STR_FMT,
              STR_ARG(fetch(server.port, "/clients").body));
    assert_library_serves(&server);
    push_elements();
    end_wave(STR("nothing\n"));
    library_end(&server);
}

/* ---- PostgreSQL, by libpq ---- */

/* A client that has a lock, and gives it back when it leaves. */
static struct client *hold_lock(void)
{
    static const char query[] = "Q\0\0\0\x1fselect pg_advisory_lock(7)";
    _Static_assert(sizeof query == 1 + 0x1f, "the length says so");
    struct client *c = peer_postgres_login(harness_port(PEER_POSTGRES));
    cr_assert_not_null(c);
    client_send(c, (struct str){query, sizeof query});
    cr_assert_gt(client_take_through(c, STR("SELECT 1")).n, 0);
    return c;
}

Test(library_wave, of_postgresql)
{
    library_link("postgres");
    peer_postgres();
    struct client *lock = hold_lock();
    server = library_start(
        LIBRARY_SERVER LIBRARY_SITE POSTGRES_ROUTE("/waiting", "query: select count(*) from pg_locks where not granted")
            POSTGRES_ROUTE("/wave", "connections: 500, wait: 60s, "
                                    "query: \"select pg_advisory_xact_lock_shared(7), pg_sleep(0.1), 42\""));
    begin_wave("/wave");
    cr_assert(until(library_shows(server.port, "/waiting", harness_text("<td>%d</td>", WAVE))), STR_FMT,
              STR_ARG(fetch(server.port, "/waiting").body));
    assert_library_serves(&server);
    client_close(lock);
    end_wave(STR("<!doctype html>\n<title>A query</title>\n<table>\n"
                 "<tr><th>pg_advisory_xact_lock_shared</th><th>pg_sleep</th><th>?column?</th></tr>\n"
                 "<tr><td></td><td></td><td>42</td></tr>\n</table>\n"));
    library_end(&server);
}

/* ---- HTTP, by libcurl ---- */

Test(library_wave, of_curl)
{
    library_link("curl_client");
    struct peer upstream = library_upstream();
    server = library_start(LIBRARY_SERVER LIBRARY_SITE CURL_ROUTE(
        "/wave", "urls: [\"http://127.0.0.1:@PORT1@/wait\", \"http://127.0.0.1:@PORT1@/sleep\"]"));
    begin_wave("/wave");
    cr_assert(until(library_shows(upstream.port, "/count", harness_text("%d\n", WAVE))), STR_FMT,
              STR_ARG(fetch(upstream.port, "/count").body));
    assert_library_serves(&server);
    assert_status(fetch(upstream.port, "/open"), 204);
    end_wave(STR("open\nHello, World\n"));
    library_end(&server);
}
