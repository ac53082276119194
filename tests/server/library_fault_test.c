/* Ordinary blocking calls of libraries, when what they talk to is not there, falls silent or dies, and when the request
 * that waits in them is told to end. The library finds an error where it expects one, the client gets an answer, and
 * the worker goes on. */
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"
#include "harness_pki.h"
#include "harness_response.h"
#include "library_service.h"
#include "service.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAITING = 6 };

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* One of each library, which waits until it is let go, and nobody lets it go. */
#define WAITING_REDIS REDIS_ROUTE("/redis", "commands: BLPOP none 0")
#define WAITING_CURL CURL_ROUTE("/curl", "urls: \"http://127.0.0.1:@PORT1@/wait\"")
#define WAITING_POSTGRES POSTGRES_ROUTE("/postgres", "query: select pg_sleep(1000)")

/* How many wait, by what they wait for. */
#define COUNTING_REDIS REDIS_ROUTE("/redis/count", "commands: INFO clients")
#define COUNTING_CURL CURL_ROUTE("/curl/count", "urls: \"http://127.0.0.1:@PORT1@/count\"")
#define COUNTING_POSTGRES                                                                                              \
    POSTGRES_ROUTE("/postgres/count", "query: \"select count(*) from pg_stat_activity where wait_event = 'PgSleep'\"")

static struct server server;

static void begin(void)
{
    harness_begin();
    library_link("redis_client", "curl_client", "postgres");
}

TestSuite(library_fault, .init = begin, .fini = harness_end);

/* ---- it is not asked for as it should be ---- */

Test(library_fault, settings_are_wrong)
{
    file_write("tern.yaml",
               str_of(harness_expand(LIBRARY_SERVER LIBRARY_SITE LIBRARY_ROUTE("/", "postgres", "query", "query: q"))));
    struct result r = run_tern("-t", "-c", "@DIR@/tern.yaml");
    cr_expect_eq(r.status, 2);
    cr_expect_not_null(strstr(r.err.p, "settings: lacks `connect`"), "%s", r.err.p);
}

/* ---- it is not there ---- */

Test(library_fault, refused)
{
    static const char *const paths[] = {"/redis", "/curl", "/postgres"};
    server = library_start(LIBRARY_SERVER LIBRARY_SITE WAITING_REDIS WAITING_CURL WAITING_POSTGRES);
    for (size_t i = 0; i < 2 * COUNT(paths); i++)
        assert_status(fetch(server.port, paths[i % COUNT(paths)]), 502);
    cr_assert(service_logged("redis: Connection refused") && service_logged("failed: Connection refused") &&
                  service_logged("Couldn't connect to server"),
              "%s", server_log(&server).p);
    library_end(&server);
}

/* A name of the top level domain that is nobody's (RFC 6761, 6.4). */
Test(library_fault, no_such_host)
{
    server = library_start(LIBRARY_SERVER LIBRARY_SITE REDIS_ROUTE("/redis", "host: tern.invalid, commands: PING")
                               CURL_ROUTE("/curl", "urls: \"http://tern.invalid/\"") LIBRARY_ROUTE(
                                   "/postgres", "postgres", "query", POSTGRES_AT("tern.invalid", "query: select 1")));
    static const char *const paths[] = {"/redis", "/curl", "/postgres"};
    for (size_t i = 0; i < COUNT(paths); i++)
        assert_status(fetch(server.port, paths[i]), 502);
    library_end(&server);
}

/* ---- it dies meanwhile ---- */

static void assert_all_get(struct client **clients, int status)
{
    for (size_t i = 0; i < WAITING; i++) {
        assert_status(response_read(clients[i]), status);
        client_close(clients[i]);
    }
}

/* `counted` is what `count` shows when WAITING of them wait. */
static void try_death(const struct peer *peer, const char *path, const char *count, const char *counted)
{
    struct client *clients[WAITING];
    for (size_t i = 0; i < WAITING; i++)
        clients[i] = library_ask(server.port, path);
    cr_assert(until(library_shows(server.port, count, counted)), STR_FMT, STR_ARG(fetch(server.port, count).body));
    peer_stop(peer);
    assert_all_get(clients, 502);
    assert_status(fetch(server.port, path), 502); /* a kept connection is no better than a new one */
    library_end(&server);
}

Test(library_fault, redis_dies)
{
    struct peer redis = peer_redis();
    server = library_start(LIBRARY_SERVER LIBRARY_SITE WAITING_REDIS COUNTING_REDIS);
    try_death(&redis, "/redis", "/redis/count", harness_text("blocked_clients:%d\r\n", WAITING));
}

Test(library_fault, postgresql_dies)
{
    struct peer postgres = peer_postgres();
    server = library_start(LIBRARY_SERVER LIBRARY_SITE WAITING_POSTGRES COUNTING_POSTGRES);
    try_death(&postgres, "/postgres", "/postgres/count", harness_text("<td>%d</td>", WAITING));
}

Test(library_fault, web_server_dies)
{
    struct client *clients[WAITING];
    struct peer upstream = library_upstream();
    pid_t upstream_worker;
    server = library_start(LIBRARY_SERVER LIBRARY_SITE WAITING_CURL COUNTING_CURL);
    for (size_t i = 0; i < WAITING; i++)
        clients[i] = library_ask(server.port, "/curl");
    cr_assert(until(library_shows(server.port, "/curl/count", harness_text("%d\n", WAITING))));
    server_workers(&(struct server){.pid = upstream.pid}, &upstream_worker, 1);
    kill(upstream_worker, SIGKILL);
    assert_all_get(clients, 502);
    library_end(&server);
}

/* What a connection was kept for is forgotten with it: the next request has a new one. */
Test(library_fault, kept_connection_is_lost)
{
    peer_postgres();
    server = library_start(
        LIBRARY_SERVER LIBRARY_SITE POSTGRES_ROUTE("/one", "connections: 1, query: select 42")
            POSTGRES_ROUTE("/kill", "query: \"select count(pg_terminate_backend(pid)) from pg_stat_activity "
                                    "where query = 'select 42'\""));
    for (int i = 0; i < 3; i++) {
        cr_assert(library_shows(server.port, "/one", "<td>42</td>"));
        cr_assert(until(library_shows(server.port, "/kill", "<td>0</td>")));
        assert_status(fetch(server.port, "/one"), 502);
    }
    library_end(&server);
}

/* ---- it falls silent ---- */

/* A server that lets everybody connect, and says nothing. */
static int listen_silently(int port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    cr_assert(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
                  bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 16) == 0,
              "port %d: %m", port);
    return fd;
}

/* By SO_RCVTIMEO, by the timeout of poll(), and by a deadline that the library keeps itself. */
Test(library_fault, silence_is_given_up)
{
    static const struct {
        const char *path;
        int status;
    } table[] = {{"/redis", 504}, {"/curl", 504}, {"/postgres", 502 /* it was no connection yet */}};
    struct client *clients[COUNT(table)];
    int silent[] = {listen_silently(harness_port(1)), listen_silently(harness_port(PEER_POSTGRES)),
                    listen_silently(harness_port(PEER_REDIS))};
    server = library_start(
        LIBRARY_SERVER LIBRARY_SITE REDIS_ROUTE("/redis", "timeout: 100ms, commands: PING")
            CURL_ROUTE("/curl", "timeout: 100ms, urls: \"http://127.0.0.1:@PORT1@/wait\"")
                LIBRARY_ROUTE("/postgres", "postgres", "query",
                              "connect: \"host=127.0.0.1 port=@PORT2@ connect_timeout=2\", query: select 1"));
    for (size_t i = 0; i < COUNT(table); i++)
        clients[i] = library_ask(server.port, table[i].path);
    assert_library_serves(&server);
    for (size_t i = 0; i < COUNT(table); i++)
        assert_status(response_read(clients[i]), table[i].status);
    library_end(&server);
    for (size_t i = 0; i < COUNT(silent); i++)
        close(silent[i]);
}

/* ---- the request is told to end ---- */

/* A drain that has lasted for long enough cancels what is still there: the call of the library fails, and so it ends;
 * nothing has to be killed. */
Test(library_fault, drain_ends_waiting_calls)
{
    static const char *const paths[] = {"/redis", "/curl", "/postgres"};
    struct client *clients[COUNT(paths)];
    peer_redis();
    peer_postgres();
    library_upstream();
    server = library_start("timeouts: {shutdown: 200ms}\n" LIBRARY_SERVER LIBRARY_SITE WAITING_REDIS COUNTING_REDIS
                               WAITING_CURL COUNTING_CURL WAITING_POSTGRES COUNTING_POSTGRES);
    for (size_t i = 0; i < COUNT(paths); i++)
        clients[i] = library_ask(server.port, paths[i]);
    cr_assert(until(library_shows(server.port, "/redis/count", "blocked_clients:1\r\n") &&
                    library_shows(server.port, "/curl/count", "1\n") &&
                    library_shows(server.port, "/postgres/count", "<td>1</td>")));
    assert_stop(&server, SERVICE_CUT);
    for (size_t i = 0; i < COUNT(paths); i++)
        cr_assert_neq(response_read(clients[i]).status, 200);
    cr_assert_not(service_logged("signal"), "%s", server_log(&server).p);
    cr_assert_not(service_logged("postgres: "), "an end is no error: %s", server_log(&server).p);
}

/* ---- nothing is wrong ---- */

/* One that is kept is taken before another is opened. */
Test(library_fault, kept_connection_is_used_again)
{
    peer_postgres();
    server = library_start(LIBRARY_SERVER LIBRARY_SITE POSTGRES_ROUTE(
        "/open", "query: \"select count(*) from pg_stat_activity where backend_type = 'client backend'\""));
    for (int i = 0; i < 3; i++)
        cr_assert(library_shows(server.port, "/open", "<td>1</td>"));
    library_end(&server);
}

/* By libc's resolver on the pool, and by that which libcurl runs in a thread of its own. PostgreSQL and Redis are not
 * where `localhost` may be first, at ::1. */
Test(library_fault, localhost_is_found_by_many_at_once)
{
    enum { EACH = 30 };
    static const struct {
        const char *path, *body;
    } table[] = {{"/redis", "PONG"}, {"/curl", "0\n"}, {"/postgres", "<td>42</td>"}};
    struct client *clients[EACH][COUNT(table)];
    peer_redis();
    peer_postgres();
    library_upstream();
    server =
        library_start(LIBRARY_SERVER LIBRARY_SITE REDIS_ROUTE("/redis", "host: localhost, commands: PING")
                          CURL_ROUTE("/curl", "urls: \"http://localhost:@PORT1@/count\"")
                              LIBRARY_ROUTE("/postgres", "postgres", "query",
                                            POSTGRES_AT("localhost", "connections: 30, wait: 60s, query: select 42")));
    for (size_t i = 0; i < EACH * COUNT(table); i++)
        clients[i / COUNT(table)][i % COUNT(table)] = library_ask(server.port, table[i % COUNT(table)].path);
    assert_library_serves(&server);
    for (size_t i = 0; i < EACH * COUNT(table); i++) {
        struct response r = response_read(clients[i / COUNT(table)][i % COUNT(table)]);
        assert_status(r, 200);
        cr_assert(memmem(r.body.p, r.body.n, table[i % COUNT(table)].body, strlen(table[i % COUNT(table)].body)));
    }
    library_end(&server);
}

/* Over TLS, to the very worker that asks: both ends of the handshake take their turns on one OS thread. */
Test(library_fault, worker_asks_itself)
{
    enum { EACH = 20 };
    struct client *clients[EACH];
    pki_make("ecdsa", "root");
    server = library_start("listen:\n"
                           "  - 127.0.0.1:@PORT@\n"
                           "  - {address: \"127.0.0.1:@PORT1@\", tls: {certificate: @DIR@/pki/ecdsa.pem, "
                           "key: @DIR@/pki/ecdsa.key}}\n"
                           "modules: @DIR@/modules\n"
                           "workers: 1\n" LIBRARY_SITE CURL_ROUTE(
                               "/curl", "ca: @DIR@/pki/root.pem, urls: \"https://localhost:@PORT1@/hello\""));
    for (size_t i = 0; i < EACH; i++)
        clients[i] = library_ask(server.port, "/curl");
    for (size_t i = 0; i < EACH; i++)
        assert_body(response_read(clients[i]), STR("hello"));
    library_end(&server);
}

/* More than any socket takes at once, in both directions. */
Test(library_fault, much_is_sent_and_received)
{
    struct str much = file_pattern(5 << 20);
    file_directory("www");
    file_write("www/much", much);
    peer_redis();
    library_upstream();
    server = library_start("limits: {body_size: 16m}\n" LIBRARY_SERVER LIBRARY_SITE REDIS_ROUTE(
        "/set", "commands: SET key %b") REDIS_ROUTE("/get", "commands: GET key")
                               CURL_ROUTE("/curl", "urls: \"http://127.0.0.1:@PORT1@/files/much\""));
    struct client *c = client_open(server.port);
    client_printf(c, "POST /set HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n", much.n);
    client_send(c, much);
    assert_body(response_read(c), STR("OK"));
    assert_body(get(c, "/get"), much);
    assert_body(get(c, "/curl"), much);
    library_end(&server);
}
