/* Who is let in: `allow` and `deny`, `auth` and `limit`, by two workers, over IPv4, IPv6 and a unix socket. */
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

TestSuite(policy, .init = harness_begin, .fini = harness_end);

#define LISTEN "listen: ['127.0.0.1:@PORT@', '[::1]:@PORT1@', 'unix:@DIR@/web.sock']\nworkers: 2\n"
#define OK "respond: {status: 200, type: text/plain, body: ok}"

/* Of "sesame", as cheap as the methods allow. */
#define SHA512                                                                                                         \
    "$6$rounds=1000$salt$GK3yib7Lb94CdPqNt0xP5RxgvpEWVn9CfnufX04biOKhvXzbBUvzy01KX.g/08wFRTJ2aRZ.lH3NQTM08sbo9."
#define BCRYPT "$2y$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW"

#define ALICE "Authorization: Basic YWxpY2U6c2VzYW1l\r\n" /* alice:sesame */
#define BOB "Authorization: Basic Ym9iOnNlc2FtZQ==\r\n"   /* bob:sesame */

static bool contains(struct str text, const char *part)
{
    return text.n && memmem(text.p, text.n, part, strlen(part));
}

/* ---- configuration ---- */

struct mistake {
    const char *lines, *message;
};

static const struct mistake mistakes[] = {
    {"    allow: 10.1.2.3/8\n", "tern.yaml:5:12: error: sites[0].allow: `10.1.2.3/8` has bits beyond its prefix; "
                                "did you mean 10.0.0.0/8?\n"},
    {"    deny: [all, nobody]\n", "tern.yaml:5:17: error: sites[0].deny[1]: `nobody` is not a network"},
    {"    allw: all\n", "tern.yaml:5:5: error: sites[0].allw: unknown key in a site; did you mean `allow`?\n"},
    {"    auth: {users: {alice: hunter2}}\n", "tern.yaml:5:27: error: sites[0].auth.users.alice: not a hash of bcrypt"},
    {"    auth: {file: @DIR@/users}\n", "/users:2:5: error: not a hash of bcrypt"},
    {"    limit: {requests: 100}\n", "tern.yaml:5:23: error: sites[0].limit.requests: `100` is not a rate"},
};

Test(policy, mistakes_are_found_before_anything_runs)
{
    file_write("users", STR("alice:" SHA512 "\nbob:hunter2\n"));
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        const char *config =
            harness_text(LISTEN "sites:\n  - hosts: []\n%s    routes: [{path: /, " OK "}]\n", mistakes[i].lines);
        file_write("tern.yaml", str_of(harness_expand(config)));
        struct result r = run_tern("-t", "-c", "@DIR@/tern.yaml");
        cr_expect_neq(r.status, 0, "%s", mistakes[i].lines);
        cr_expect(contains(r.err, mistakes[i].message), "%s: %s", mistakes[i].lines, r.err.p);
        cr_expect_not(contains(r.err, "hunter2"), "%s", r.err.p);
    }
}

Test(policy, no_hash_is_dumped)
{
    file_write("tern.yaml", str_of(harness_expand(LISTEN "sites: [{auth: {users: {alice: '" SHA512 "'}}, "
                                                         "routes: [{path: /, " OK "}]}]\n")));
    struct result r = run_tern("-T", "-c", "@DIR@/tern.yaml");
    cr_expect_eq(r.status, 0, "%s", r.err.p);
    cr_expect(contains(r.out, "alice: \"***\""), "%s", r.out.p);
    cr_expect_not(contains(r.out, "$6$"), "%s", r.out.p);
}

/* ---- allow and deny ---- */

/* Two sites, the second of which closes loopback to IPv4. */
#define ACCESS                                                                                                         \
    LISTEN "sites:\n"                                                                                                  \
           "  - deny: unix\n"                                                                                          \
           "    routes:\n"                                                                                             \
           "      - {exact: /site, " OK "}\n"                                                                          \
           "      - {exact: /all, allow: all, deny: [], " OK "}\n"                                                     \
           "      - {exact: /ipv4, allow: 127.0.0.0/8, " OK "}\n"                                                      \
           "      - {exact: /ipv6, allow: ['::1'], " OK "}\n"                                                          \
           "      - {exact: /unix, allow: unix, " OK "}\n"                                                             \
           "      - {exact: /but-us, allow: 127.0.0.0/8, deny: [127.0.0.1, '::/0'], " OK "}\n"                         \
           "      - {exact: /nobody, deny: all, " OK "}\n"                                                             \
           "  - hosts: closed\n"                                                                                       \
           "    deny: 127.0.0.0/8\n"                                                                                   \
           "    routes:\n"                                                                                             \
           "      - {exact: /allow, allow: 127.0.0.1, " OK "}\n"                                                       \
           "      - {exact: /deny, deny: 10.0.0.0/8, " OK "}\n"

struct place {
    const char *target;
    int ipv4, ipv6, unix_socket;
};

static const struct place places[] = {
    {"/site", 200, 200, 403},
    {"/all", 200, 200, 403},
    {"/ipv4", 200, 403, 403},
    {"/ipv6", 403, 200, 403},
    {"/unix", 403, 403, 403},
    {"/but-us", 403, 403, 403},
    {"/nobody", 403, 403, 403},
    {"/there/is/none", 404, 404, 403},
    {"http://closed/allow", 403, 403, 403},
    {"http://closed/deny", 403, 200, 200},
    {"http://closed/there/is/none", 403, 404, 404},
};

Test(policy, the_address_decides)
{
    struct server server = server_start(ACCESS);
    struct client *ipv4 = client_open(server.port), *ipv6 = client_open_ipv6(harness_port(1));
    struct client *unix_socket = client_open_unix(file_path("web.sock"));
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        cr_expect_eq(get(ipv4, places[i].target).status, places[i].ipv4, "%s", places[i].target);
        cr_expect_eq(get(ipv6, places[i].target).status, places[i].ipv6, "%s", places[i].target);
        cr_expect_eq(get(unix_socket, places[i].target).status, places[i].unix_socket, "%s", places[i].target);
    }
    assert_stop(&server, 0);
}

/* Ten thousand networks, half of which are ours but for the last bits. */
Test(policy, many_networks)
{
    enum { NETWORKS = 10000, EACH = 64 };
    char *list = harness_alloc(NETWORKS * EACH + 1);
    size_t n = 0;
    for (int i = 0; i < NETWORKS; i++)
        n += (size_t)snprintf(list + n, EACH, "      - %d.%d.%d.0/25\n", i % 2 ? 127 : 10, i / 200, i % 200 + 1);
    struct server server = server_start(
        harness_text(LISTEN "sites:\n  - routes: [{path: /, " OK "}]\n    deny:\n      - 127.0.0.1\n%s", list));
    assert_status(fetch(server.port, "/"), 403);
    assert_status(get(client_open_ipv6(harness_port(1)), "/"), 200);
    assert_status(get(client_open_unix(file_path("web.sock")), "/"), 200);
    assert_stop(&server, 0);
}

/* ---- auth ---- */

#define AUTH                                                                                                           \
    LISTEN "log: {access: @DIR@/access.log}\n"                                                                         \
           "sites:\n"                                                                                                  \
           "  - auth: {realm: The \"Vault\", users: {alice: '" SHA512 "'}, file: @DIR@/users}\n"                       \
           "    routes:\n"                                                                                             \
           "      - {exact: /site, " OK "}\n"                                                                          \
           "      - {exact: /echo, echo: {}}\n"                                                                        \
           "      - {exact: /open, auth: off, " OK "}\n"                                                               \
           "      - {exact: /bob, auth: {realm: Bob, users: {bob: '" BCRYPT "'}}, " OK "}\n"

static struct server server_with_auth(void)
{
    file_write("users", STR("# those who came later\nbob:" BCRYPT "\n"));
    return server_start(AUTH);
}

#define GET(target, fields) "GET " target " HTTP/1.1\r\nHost: a\r\n" fields "\r\n"

static const char *const strangers[] = {
    GET("/site", ""),
    GET("/there/is/none", ""),
    GET("/site", "Authorization: Basic\r\n"),
    GET("/site", "Authorization: Basic YWxpY2U6\r\n"),             /* alice: */
    GET("/site", "Authorization: Basic YWxpY2U6d3Jvbmc=\r\n"),     /* alice:wrong */
    GET("/site", "Authorization: Basic Y2Fyb2w6c2VzYW1l\r\n"),     /* carol:sesame */
    GET("/site", "Authorization: Basic QWxpY2U6c2VzYW1l\r\n"),     /* Alice:sesame */
    GET("/site", "Authorization: Basic YWxpY2U6c2VzYW1lAA==\r\n"), /* alice:sesame and a NUL */
    GET("/site", "Authorization: Basic YWxpY2U6c2VzYW1l=\r\n"),
    GET("/site", ALICE ALICE),
    GET("/site", ALICE BOB),
    GET("/site", "Authorization: \r\n" ALICE),
    GET("/site", "Authorization: Basic YWxpY2U6\tc2VzYW1l\r\n"),
    GET("/site", "Authorization: Bearer YWxpY2U6c2VzYW1l\r\n"),
    GET("/site", "Proxy-Authorization: Basic YWxpY2U6c2VzYW1l\r\n"),
    "POST /site HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    "OPTIONS /site HTTP/1.1\r\nHost: a\r\n\r\n",
};

Test(policy, strangers_are_asked_who_they_are)
{
    struct server server = server_with_auth();
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
        struct response r = fetch_raw(server.port, strangers[i]);
        cr_expect_eq(r.status, 401, "%d for %s", r.status, strangers[i]);
        assert_field(r, "WWW-Authenticate", "Basic realm=\"The \\\"Vault\\\"\", charset=\"UTF-8\"");
        cr_expect_eq(response_fields(&r, "WWW-Authenticate"), 1);
    }
    assert_status(fetch_raw(server.port, GET("/bob", ALICE)), 401);
    assert_stop(&server, 0);
}

Test(policy, who_is_known_is_let_in_and_logged)
{
    struct server server = server_with_auth();
    assert_status(fetch_raw(server.port, GET("/site", ALICE)), 200);
    assert_status(fetch_raw(server.port, GET("/site", BOB)), 200);
    assert_status(fetch_raw(server.port, GET("/bob", BOB)), 200);
    assert_status(fetch_raw(server.port, GET("/open", ALICE)), 200);
    assert_status(fetch_raw(server.port, GET("/there/is/none", "authorization: basic   YWxpY2U6c2VzYW1l\r\n")), 404);
    assert_status(fetch_raw(server.port, GET("/site", "Authorization: Basic YWxpY2U6d3Jvbmc=\r\n")), 401);
    assert_stop(&server, 0);
    struct str log = file_read("access.log");
    cr_expect_eq(command_lines(log), 6, "%s", log.p);
    cr_expect(contains(log, "127.0.0.1 - alice ["), "%s", log.p);
    cr_expect(contains(log, "127.0.0.1 - bob ["), "%s", log.p);
    cr_expect(contains(log, "127.0.0.1 - - ["), "%s", log.p);
}

/* The name is of one request, not of the connection. */
Test(policy, each_request_of_a_connection_says_who_it_is)
{
    struct server server = server_with_auth();
    struct client *c = client_open(server.port);
    for (int i = 0; i < 3; i++) {
        client_printf(c, GET("/site", ALICE) GET("/site", "") GET("/open", ""));
        assert_status(response_read(c), 200);
        assert_status(response_read(c), 401);
        assert_status(response_read(c), 200);
    }
    client_close(c);
    assert_stop(&server, 0);
    struct str log = file_read("access.log");
    size_t named = 0;
    while (log.n) {
        struct str line = str_cut(&log, '\n');
        bool alice = contains(line, " - alice [");
        named += alice;
        cr_expect_eq(alice, contains(line, "\"GET /site HTTP/1.1\" 200 "), STR_FMT, STR_ARG(line));
    }
    cr_expect_eq(named, 3);
}

/* RFC 9110, 10.1.1: a body is not asked for when the answer is known without it. */
Test(policy, a_stranger_is_not_asked_for_a_body)
{
    struct server server = server_with_auth();
    struct client *c = client_open(server.port);
    client_printf(c, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    assert_status(response_read(c), 401);
    c = client_open(server.port);
    client_printf(c, "POST /echo HTTP/1.1\r\nHost: a\r\n" ALICE "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    assert_status(response_read(c), 100);
    client_printf(c, "hello");
    struct response r = response_read(c);
    assert_status(r, 200);
    assert_body(r, STR("hello"));
    assert_stop(&server, 0);
}

static bool is_answered(const struct client *c)
{
    struct pollfd wait = {.fd = c->fd, .events = POLLIN};
    return poll(&wait, 1, 0) == 1;
}

/* Passwords that take their time are checked elsewhere: other requests of the same worker are answered meanwhile. */
Test(policy, guessing_does_not_stop_a_worker)
{
    /* what ends the base 64 of alice:00 and another character */
    static const char last[] = "ghijklmnopqrstuvwxyz0123456789";
    enum { GUESSES = sizeof last - 1 };
    static const char costly[] =
        "$6$rounds=9000000$salt$" /* no password has it */
        "GK3yib7Lb94CdPqNt0xP5RxgvpEWVn9CfnufX04biOKhvXzbBUvzy01KX.g/08wFRTJ2aRZ.lH3NQTM08sbo9.";
    struct client *guessers[GUESSES];
    struct server server = server_start(harness_text("listen: 127.0.0.1:@PORT@\nworkers: 1\nsites:\n  - routes:\n"
                                                     "      - {exact: /open, " OK "}\n"
                                                     "      - {exact: /in, auth: {users: {alice: '%s'}}, " OK "}\n",
                                                     costly));
    for (int i = 0; i < GUESSES; i++) {
        guessers[i] = client_open(server.port);
        client_printf(guessers[i], GET("/in", "Authorization: Basic YWxpY2U6MDA%c\r\n"), last[i]);
    }
    for (int i = 0; i < 50; i++)
        assert_status(fetch(server.port, "/open"), 200);
    cr_expect_not(is_answered(guessers[GUESSES - 1]), "30 guesses took no longer than 50 answers");
    for (int i = 0; i < GUESSES; i++)
        client_close(guessers[i]);
    assert_status(fetch(server.port, "/open"), 200);
}

/* ---- limit ---- */

/* Rates at which nothing comes back while a test runs, so that there is nothing to be said about time. */
#define LIMIT                                                                                                          \
    LISTEN "sites:\n"                                                                                                  \
           "  - limit: {requests: 1/h, burst: 50}\n"                                                                   \
           "    routes:\n"                                                                                             \
           "      - {exact: /a, " OK "}\n"                                                                             \
           "      - {exact: /b, " OK "}\n"                                                                             \
           "      - {exact: /own, limit: {requests: 1/h, burst: 7}, " OK "}\n"                                         \
           "      - {exact: /together, limit: {requests: 1/h, burst: 9, by: server}, " OK "}\n"                        \
           "      - {exact: /free, limit: off, " OK "}\n"

/* How many of so many requests are answered, each on a connection of its own: so that both workers get their share. */
static int count_answered(int port, const char *target, int requests)
{
    int answered = 0;
    for (int i = 0; i < requests; i++) {
        struct client *c = client_open(port);
        struct response r = get(c, target);
        cr_assert(r.status == 200 || r.status == 429 || r.status == 404, "%d for %s", r.status, target);
        answered += r.status != 429;
        client_close(c);
    }
    return answered;
}

static int count_on(struct client *c, const char *target, int requests)
{
    int answered = 0;
    for (int i = 0; i < requests; i++)
        answered += get(c, target).status == 200;
    return answered;
}

Test(policy, workers_count_together)
{
    struct server server = server_start(LIMIT);
    cr_expect_eq(count_answered(server.port, "/own", 60), 7);
    cr_expect_eq(count_answered(server.port, "/free", 60), 60);
    cr_expect_eq(count_answered(server.port, "/a", 30), 30, "a route's own limit is not its site's");
    cr_expect_eq(count_answered(server.port, "/there/is/none", 10), 10);
    cr_expect_eq(count_answered(server.port, "/b", 60), 10, "the routes of a site share its limit");
    cr_expect_eq(count_answered(server.port, "/a", 10), 0);
    cr_expect_eq(count_answered(server.port, "/there/is/none", 10), 0);
    assert_stop(&server, 0);
}

Test(policy, a_limited_client_is_told_when_to_come_back)
{
    struct server server = server_start(LIMIT);
    cr_assert_eq(count_answered(server.port, "/own", 8), 7);
    struct response r = fetch(server.port, "/own");
    assert_status(r, 429);
    long seconds = strtol(response_field(&r, "Retry-After").p, NULL, 10);
    cr_expect(seconds > 3000 && seconds <= 3600, "%ld seconds", seconds);
    assert_stop(&server, 0);
}

Test(policy, each_address_is_a_client)
{
    struct server server = server_start(LIMIT);
    struct client *ipv6 = client_open_ipv6(harness_port(1)), *unix_socket = client_open_unix(file_path("web.sock"));
    cr_expect_eq(count_answered(server.port, "/own", 10), 7);
    cr_expect_eq(count_on(ipv6, "/own", 10), 7);
    cr_expect_eq(count_on(unix_socket, "/own", 10), 7);
    cr_expect_eq(count_on(client_open_unix(file_path("web.sock")), "/own", 10), 0);
    cr_expect_eq(count_answered(server.port, "/together", 5), 5);
    cr_expect_eq(count_on(ipv6, "/together", 3), 3);
    cr_expect_eq(count_on(unix_socket, "/together", 10), 1);
    cr_expect_eq(count_answered(server.port, "/together", 5), 0);
    assert_stop(&server, 0);
}

static bool is_replaced(const struct server *server, pid_t dead)
{
    pid_t workers[SERVER_WORKERS];
    if (harness_children(server->pid, workers, SERVER_WORKERS) != 2)
        return false;
    return workers[0] != dead && workers[1] != dead;
}

/* A worker that is killed, maybe in the middle of it, takes no count with it, and locks nobody out. */
Test(policy, a_limit_outlives_workers)
{
    struct server server = server_start(LIMIT);
    pid_t workers[2];
    cr_expect_eq(count_answered(server.port, "/a", 40), 40);
    for (int i = 0; i < 2; i++) {
        server_workers(&server, workers, 2);
        kill(workers[i], SIGKILL);
        cr_assert(until(is_replaced(&server, workers[i])));
    }
    cr_expect_eq(count_answered(server.port, "/a", 40), 10);
    assert_stop(&server, 0);
}

/* ---- together ---- */

/* Who may not come in is counted by nobody, and whoever guesses passwords runs into the limit. */
Test(policy, the_address_comes_first_then_the_limit_then_the_password)
{
    struct server server = server_start(LISTEN "sites:\n"
                                               "  - deny: unix\n"
                                               "    limit: {requests: 1/h, burst: 5, by: server}\n"
                                               "    auth: {users: {alice: '" SHA512 "'}}\n"
                                               "    routes: [{path: /, " OK "}]\n");
    cr_expect_eq(count_on(client_open_unix(file_path("web.sock")), "/", 20), 0);
    for (int i = 0; i < 5; i++)
        assert_status(fetch(server.port, "/"), 401);
    assert_status(fetch(server.port, "/"), 429);
    assert_status(fetch_raw(server.port, GET("/", ALICE)), 429);
    assert_status(get(client_open_unix(file_path("web.sock")), "/"), 403);
    assert_stop(&server, 0);
}
