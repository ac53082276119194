/* What the configuration promises while the server runs: limits and timeouts, then sites, routes and addresses. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(config, .init = harness_begin, .fini = harness_end);

#define LISTEN "listen: 127.0.0.1:@PORT@\nworkers: 1\n"
#define SITE                                                                                                           \
    "sites:\n"                                                                                                         \
    "  - routes:\n"                                                                                                    \
    "      - {exact: /hello, respond: {status: 200, type: text/plain, body: hello}}\n"                                 \
    "      - {path: /echo, echo: {}}\n"

/* A refusal of a request ends the connection, and says so. */
static void assert_refused(struct client *c, int status)
{
    struct response r = response_read(c);
    assert_status(r, status);
    assert_field(r, "Connection", "close");
    cr_assert(r.complete, "the answer is cut");
    cr_assert(client_ends(c), "more comes after the answer");
}

struct size_row {
    size_t target, field, count, body;
    int status; /* 200, or the refusal */
};

static void send_sized(struct client *c, const struct size_row *row)
{
    struct str fill = file_fill('x', row->target + row->field + row->body);
    client_printf(c, "POST /echo/%.*s HTTP/1.1\r\nHost: localhost\r\n", (int)row->target, fill.p);
    if (row->field)
        client_printf(c, "X-Field: %.*s\r\n", (int)row->field, fill.p);
    for (size_t i = 0; i < row->count; i++)
        client_printf(c, "X-%zu: y\r\n", i);
    client_printf(c, "Content-Length: %zu\r\n\r\n%.*s", row->body, (int)row->body, fill.p);
}

Test(config, what_is_past_a_limit_is_refused)
{
    static const struct size_row table[] = {
        {.target = 4096, .status = 414}, {.target = 1019, .status = 414},  {.field = 4096, .status = 431},
        {.field = 65536, .status = 431}, {.count = 19, .status = 431},     {.count = 90, .status = 431},
        {.body = 1025, .status = 413},   {.body = 1 << 20, .status = 413}, {.target = 1018, .status = 200},
        {.field = 2500, .status = 200},  {.count = 18, .status = 200},     {.body = 1024, .status = 200},
    };
    struct server server =
        server_start(LISTEN "limits: {header_size: 4k, header_count: 20, target_size: 1k, body_size: 1k}\n" SITE);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct client *c = client_open(server.port);
        send_sized(c, &table[i]);
        if (table[i].status != 200) {
            assert_refused(c, table[i].status);
        } else {
            struct response r = response_read(c);
            assert_status(r, 200);
            assert_body(r, file_fill('x', table[i].body));
        }
        client_close(c);
    }
}

Test(config, a_chunked_body_past_the_limit_is_refused)
{
    struct server server = server_start(LISTEN "limits: {body_size: 1k}\n" SITE);
    struct client *c = client_open(server.port);
    client_printf(c, "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    client_printf(c, "400\r\n%.*s\r\n", 1024, file_fill('x', 1024).p);
    client_printf(c, "1\r\ny\r\n0\r\n\r\n");
    assert_refused(c, 413);
}

Test(config, a_head_that_does_not_end_in_time_is_refused)
{
    struct server server = server_start(LISTEN "timeouts: {header: 300ms}\n" SITE);
    struct client *c = client_open(server.port);
    client_printf(c, "GET /hello HTTP/1.1\r\nHost: ");
    assert_refused(c, 408);
    assert_status(fetch(server.port, "/hello"), 200);
}

static bool answered(const struct client *c)
{
    struct pollfd wait = {.fd = c->fd, .events = POLLIN};
    return poll(&wait, 1, 50) == 1;
}

/* The header's time starts with its first byte: an octet now and then does not buy more of it. */
Test(config, a_head_sent_byte_by_byte_is_refused)
{
    struct server server = server_start(LISTEN "timeouts: {header: 500ms}\n" SITE);
    struct client *c = client_open(server.port);
    client_printf(c, "GET /hello HTTP/1.1\r\nX-Slow: ");
    nsec limit = nsec_add(clock_monotonic(), HARNESS_LIMIT);
    while (!answered(c) && clock_monotonic() < limit)
        client_printf(c, "x");
    assert_refused(c, 408);
}

Test(config, a_body_that_stands_still_is_refused)
{
    static const char *const framings[] = {"Content-Length: 10\r\n\r\nabc",
                                           "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"};
    struct server server = server_start(LISTEN "timeouts: {body: 300ms}\n" SITE);
    for (size_t i = 0; i < sizeof framings / sizeof *framings; i++) {
        struct client *c = client_open(server.port);
        client_printf(c, "POST /echo HTTP/1.1\r\nHost: localhost\r\n%s", framings[i]);
        assert_refused(c, 408);
    }
}

Test(config, an_idle_connection_is_closed)
{
    struct server server = server_start(LISTEN "timeouts: {idle: 1s}\n" SITE);
    struct client *c = client_open(server.port);
    assert_status(get(c, "/hello"), 200);
    cr_assert(client_ends(c), "an idle connection gets an answer");
    cr_assert_not(c->reset, "an idle connection is reset");
}

/* Empty lines before a request are skipped (RFC 9112, 2.2); they are no sign of life. */
Test(config, empty_lines_do_not_keep_an_idle_connection)
{
    struct server server = server_start(LISTEN "timeouts: {idle: 1s}\n" SITE);
    struct client *c = client_open(server.port);
    nsec limit = nsec_add(clock_monotonic(), HARNESS_LIMIT);
    while (!answered(c) && clock_monotonic() < limit) {
        client_printf(c, "\r\n");
        usleep(250000);
    }
    cr_assert(answered(c), "the connection stays");
    cr_assert(client_ends(c), "empty lines get an answer");
}

/* A peer that takes nothing of a large answer is cut off. */
Test(config, a_peer_that_does_not_read_is_cut_off)
{
    file_write("www/large", file_fill('x', 32 << 20));
    struct server server = server_start(LISTEN "timeouts: {write: 500ms}\n"
                                               "sites: [{routes: [{path: /, files: {root: @DIR@/www}}]}]\n");
    struct client *c = client_open_slow(server.port);
    client_printf(c, "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    cr_assert_eq(client_peek(c, 1).n, 1);
    cr_assert(client_is_held(c));
    cr_assert(until(!client_is_held(c)), "the connection stays");
    struct response r = response_read(c);
    cr_assert_not(r.complete, "an answer that stood still was finished");
}

Test(config, the_last_request_of_a_connection_is_announced)
{
    struct server server = server_start(LISTEN "limits: {requests_per_connection: 3}\n" SITE);
    struct client *c = client_open(server.port);
    for (int i = 0; i < 5; i++)
        client_printf(c, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    for (int i = 1; i <= 3; i++) {
        struct response r = response_read(c);
        assert_status(r, 200);
        assert_body(r, STR("hello"));
        cr_assert_eq(response_has(&r, "Connection", "close"), i == 3, "answer %d: " STR_FMT, i, STR_ARG(r.head));
    }
    cr_assert(client_ends(c), "a fourth answer comes");
}

/* Past the limit a connection waits, takes the place of an idle one, or gets 503: it is never reset. */
Test(config, connections_past_the_limit_are_told_or_wait)
{
    enum { LIMIT = 8, EXTRA = 8 };
    struct server server = server_start(LISTEN "limits: {connections: 8}\n" SITE);
    struct client *clients[LIMIT + EXTRA];
    for (int i = 0; i < LIMIT; i++) {
        clients[i] = client_open(server.port);
        assert_status(get(clients[i], "/hello"), 200);
    }
    for (int i = LIMIT; i < LIMIT + EXTRA; i++) {
        clients[i] = client_open(server.port);
        client_printf(clients[i], "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    for (int i = 0; i < LIMIT; i++)
        client_close(clients[i]);
    for (int i = LIMIT; i < LIMIT + EXTRA; i++) {
        struct response r = response_read(clients[i]);
        cr_assert(r.status == 200 || r.status == 503, "connection %d: %d", i, r.status);
        client_close(clients[i]);
    }
    cr_assert(until(fetch(server.port, "/hello").status == 200));
}

Test(config, an_idle_connection_makes_room_for_a_new_one)
{
    enum { LIMIT = 3 };
    struct server server = server_start(LISTEN "limits: {connections: 3}\ntimeouts: {idle: 1h}\n" SITE);
    struct client *clients[LIMIT];
    int held = 0;
    for (int i = 0; i < LIMIT; i++) {
        clients[i] = client_open(server.port);
        assert_status(get(clients[i], "/hello"), 200);
    }
    assert_status(get(client_open(server.port), "/hello"), 200);
    for (int i = 0; i < LIMIT; i++)
        held += client_is_held(clients[i]);
    cr_assert_lt(held, LIMIT, "there are more connections than the limit");
    cr_assert_gt(held, 0, "all idle connections have ended");
}

/* Requests that wait for their bodies hold a green thread each; those for which none is left get 503. */
Test(config, requests_past_the_limit_of_green_threads_are_refused)
{
    enum { CLIENTS = 64 };
    struct server server = server_start(LISTEN "limits: {green_threads: 32}\n" SITE);
    struct client *clients[CLIENTS];
    size_t served = 0, refused = 0;
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = client_open(server.port);
        client_printf(clients[i], "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\na");
    }
    for (int i = 0; i < CLIENTS; i++) {
        struct response r = ask(clients[i], "b");
        cr_assert(r.status == 200 || r.status == 503, "%d", r.status);
        served += r.status == 200;
        refused += r.status == 503;
        client_close(clients[i]);
    }
    cr_assert(served > 0 && refused > 0, "%zu served, %zu refused", served, refused);
    cr_assert(until(fetch(server.port, "/hello").status == 200));
}

static void assert_site(int port, const char *host, const char *expected)
{
    struct client *c = client_open(port);
    struct response r = ask(c, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host);
    assert_status(r, 200);
    cr_assert(str_eq(r.body, str_of(expected)), "%s: " STR_FMT " instead of %s", host, STR_ARG(r.body), expected);
    client_close(c);
}

#define ONE_SITE(hosts, body)                                                                                          \
    "  - {" hosts "routes: [{exact: /, respond: {status: 200, type: text/plain, body: " body "}}]}\n"

Test(config, a_site_is_chosen_by_host)
{
    static const struct {
        const char *host, *site;
    } table[] = {
        {"example.org", "exact"},
        {"EXAMPLE.org", "exact"},
        {"example.org:8080", "exact"},
        {"www.example.org", "wildcard"},
        {"a.b.example.org", "wildcard"},
        {"WWW.Example.ORG:1", "wildcard"},
        {"www.example.org.evil", "default"},
        {"deep.example.org", "deep"},
        {"notexample.org", "default"},
        {"example.com", "default"},
        {"org", "default"},
        {"127.0.0.1", "default"},
        {"[::1]:80", "default"},
    };
    struct server server = server_start(
        LISTEN "sites:\n" ONE_SITE("hosts: [\"*.example.org\"], ", "wildcard") ONE_SITE("", "default")
            ONE_SITE("hosts: [example.org, other.example], ", "exact") ONE_SITE("hosts: deep.example.org, ", "deep"));
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_site(server.port, table[i].host, table[i].site);
}

Test(config, without_a_default_site_an_unknown_host_is_not_found)
{
    struct server server = server_start(LISTEN "sites:\n" ONE_SITE("hosts: [example.org], ", "exact"));
    struct response r = fetch(server.port, "/");
    cr_assert(r.status == 404 || r.status == 421, "%d", r.status);
    assert_site(server.port, "example.org", "exact");
}

#define ROUTE(kind, path)                                                                                              \
    "      - {" kind ": " path ", respond: {status: 200, type: text/plain, body: \"" kind " " path "\"}}\n"

Test(config, exact_routes_come_before_the_longest_path)
{
    static const struct {
        const char *target, *route;
    } table[] = {
        {"/", "path /"},
        {"/x", "path /"},
        {"/ab", "path /"},
        {"/a", "exact /a"},
        {"/a?x=/b", "exact /a"},
        {"/a/", "path /a"},
        {"/a/x", "path /a"},
        {"/a/b", "path /a/b"},
        {"/a/bc", "path /a"},
        {"/a/b/c", "path /a/b"},
        {"/a/b/exact", "exact /a/b/exact"},
        {"/a/b/exact/", "path /a/b"},
        {"/dir/x", "path /dir/"},
        {"/directory", "path /"},
        {"/%61", "exact /a"},
        {"/a/./b", "path /a/b"},
        {"/a/x/../b", "path /a/b"},
    };
    struct server server = server_start(LISTEN "sites:\n  - routes:\n" ROUTE("path", "/") ROUTE("path", "/a") ROUTE(
        "path", "/a/b") ROUTE("path", "/dir/") ROUTE("exact", "/a/b/exact") ROUTE("exact", "/a"));
    struct client *c = client_open(server.port);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct response r = get(c, table[i].target);
        assert_status(r, 200);
        cr_assert(str_eq(r.body, str_of(table[i].route)), "%s: " STR_FMT, table[i].target, STR_ARG(r.body));
    }
}

Test(config, it_listens_on_several_addresses)
{
    struct server server = server_start("listen:\n"
                                        "  - 127.0.0.1:@PORT@\n"
                                        "  - address: \"[::1]:@PORT1@\"\n"
                                        "    backlog: 128\n"
                                        "  - unix:@DIR@/tern.sock\n"
                                        "  - 127.0.0.1:@PORT2@\n"
                                        "workers: 2\n" SITE);
    struct client *clients[] = {client_open(harness_port(0)), client_open_ipv6(harness_port(1)),
                                client_open_unix(file_path("tern.sock")), client_open(harness_port(2)), NULL};
    for (size_t i = 0; clients[i]; i++) {
        struct response r = get(clients[i], "/hello");
        assert_status(r, 200);
        assert_body(r, STR("hello"));
    }
    assert_stop(&server, 0);
    cr_assert_neq(access(file_path("tern.sock"), F_OK), 0, "the socket is left behind");
}

/* A server that was killed leaves its socket in the file system; the next one takes the place. */
Test(config, a_stale_unix_socket_is_replaced)
{
    static const char config[] = "listen: [127.0.0.1:@PORT@, \"unix:@DIR@/tern.sock\"]\nworkers: 1\n" SITE;
    struct server server = server_start(config);
    kill(server.pid, SIGKILL);
    assert_exit(&server, 128 + SIGKILL);
    cr_assert_eq(access(file_path("tern.sock"), F_OK), 0);
    cr_assert(until(server_refuses(&server)), "the workers stay");
    server = server_start(config);
    assert_status(get(client_open_unix(file_path("tern.sock")), "/hello"), 200);
}

/* Its directory says who may connect; the socket itself is for everybody, whatever the umask. */
Test(config, a_unix_socket_is_for_every_user)
{
    if (geteuid() != 0)
        harness_skip("needs root");
    umask(077);
    struct server server = server_start("listen: [127.0.0.1:@PORT@, \"unix:@DIR@/tern.sock\"]\nworkers: 1\n" SITE);
    const struct passwd *nobody = getpwnam("nobody");
    const char *path = file_path("tern.sock");
    struct stat status;
    cr_assert_eq(stat(path, &status), 0);
    cr_assert_eq(status.st_mode & 0777, 0666, "mode %o", status.st_mode & 0777);
    cr_assert(nobody && setegid(nobody->pw_gid) == 0 && seteuid(nobody->pw_uid) == 0, "%m");
    struct client *c = client_open_unix(path);
    cr_assert(seteuid(0) == 0 && setegid(0) == 0, "%m");
    assert_status(get(c, "/hello"), 200);
    assert_stop(&server, 0);
}
