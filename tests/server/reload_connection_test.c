/* Reload: what each client sees of it that has a connection to the old workers. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "service.h"

#include <criterion/criterion.h>
#include <signal.h>

enum { WORKERS = 2 };

TestSuite(reload_connection, .init = harness_begin, .fini = harness_end);

/* Long enough for any machine: these tests end it by asking. */
#define PATIENT "timeouts: {grace: 30s}\n"

static void reload(const char *version, const char *more)
{
    service_write(.version = version, .more = more);
    assert_ctl(0, "reload");
}

static void assert_closed_by_fin(struct client *c)
{
    cr_assert(client_ends(c), "something comes that nobody has asked for");
    cr_assert_not(c->reset, "the connection is reset");
    client_close(c);
}

/* The client may have sent its next request already: it is answered, and told that it was the last one. */
Test(reload_connection, an_idle_one_gets_one_more_answer)
{
    struct server server = service_start(.more = PATIENT);
    struct client *idle[8];
    for (int i = 0; i < 8; i++)
        idle[i] = service_idle(server.port);
    reload("2", PATIENT);
    for (int i = 0; i < 8; i++) {
        struct response r = get(idle[i], "/version");
        assert_status(r, 200);
        assert_body(r, STR("1"));
        assert_field(r, "Connection", "close");
        assert_closed_by_fin(idle[i]);
    }
    pid_t workers[WORKERS];
    server_workers(&server, workers, WORKERS);
    assert_stop(&server, 0);
}

Test(reload_connection, after_the_grace_an_idle_one_is_closed)
{
    struct server server = service_start(.more = "timeouts: {grace: 50ms}\n");
    struct client *idle[8];
    for (int i = 0; i < 8; i++)
        idle[i] = service_idle(server.port);
    reload("2", NULL);
    for (int i = 0; i < 8; i++)
        assert_closed_by_fin(idle[i]);
    pid_t workers[WORKERS];
    server_workers(&server, workers, WORKERS);
    assert_stop(&server, 0);
}

/* What waits for nobody is not kept waiting: the end of the server is no reload. */
Test(reload_connection, term_does_not_wait_for_the_grace)
{
    struct server server = service_start(.more = PATIENT);
    struct client *old = service_idle(server.port);
    reload("2", PATIENT);
    struct client *new = service_idle(server.port);
    server_terminate(&server);
    assert_closed_by_fin(old);
    assert_closed_by_fin(new);
    assert_exit(&server, 0);
}

/* The head of its answer has promised to keep the connection, and so it is kept, for one more. */
Test(reload_connection, a_download_is_complete_and_its_promise_kept)
{
    struct server server = service_start(.more = PATIENT);
    struct client *download = service_download(server.port);
    reload("2", PATIENT);
    reload("3", PATIENT);
    service_finish_download(download);
    struct response r = get(download, "/version");
    assert_status(r, 200);
    assert_body(r, STR("1"));
    assert_field(r, "Connection", "close");
    assert_closed_by_fin(download);
    assert_body(fetch(server.port, "/version"), STR("3"));
    assert_stop(&server, 0);
}

static void assert_hello(struct response r)
{
    assert_status(r, 200);
    assert_body(r, STR("hello"));
}

/* A request that has begun to come is waited for, wherever it stands. */
Test(reload_connection, what_is_half_sent_is_answered)
{
    static const struct {
        const char *before, *after;
    } table[] = {
        {"G", "ET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"},
        {"GET /hello HTTP/1.1\r\nHost: loc", "alhost\r\n\r\n"},
        {"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r", "\n"},
        {"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n", "hello"},
        {"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhel", "lo"},
        {"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel",
         "\r\n2\r\nlo\r\n0\r\n\r\n"},
    };
    enum { ROWS = sizeof table / sizeof *table };
    struct server server = service_start(.more = PATIENT);
    struct client *fresh[ROWS], *kept[ROWS];
    for (size_t i = 0; i < ROWS; i++) {
        fresh[i] = client_open(server.port);
        kept[i] = service_idle(server.port);
        client_printf(fresh[i], "%s", table[i].before);
        client_printf(kept[i], "%s", table[i].before);
    }
    reload("2", PATIENT);
    for (size_t i = 0; i < ROWS; i++) {
        struct response one = ask(fresh[i], "%s", table[i].after), other = ask(kept[i], "%s", table[i].after);
        assert_hello(one);
        assert_hello(other);
        assert_field(other, "Connection", "close");
        assert_closed_by_fin(kept[i]);
        client_close(fresh[i]);
    }
    assert_stop(&server, 0);
}

/* A connection that has brought nothing yet belongs to whoever is asked on it. */
Test(reload_connection, a_silent_one_is_answered)
{
    struct server server = service_start(.more = PATIENT);
    struct client *silent[8];
    for (int i = 0; i < 8; i++)
        silent[i] = client_open(server.port);
    reload("2", PATIENT);
    reload("3", PATIENT);
    for (int i = 0; i < 8; i++)
        assert_status(get(silent[i], "/hello"), 200);
    assert_stop(&server, 0);
}

/* Two requests at once, the first one still being answered: the second one has been received too. */
Test(reload_connection, what_is_pipelined_is_answered)
{
    struct server server = service_start(.more = PATIENT);
    struct client *c = service_download(server.port);
    client_printf(c, "GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n");
    reload("2", PATIENT);
    service_finish_download(c);
    struct response r = response_read(c);
    assert_status(r, 200);
    assert_body(r, STR("1"));
    assert_field(r, "Connection", "close");
    assert_closed_by_fin(c);
    assert_stop(&server, 0);
}

/* A connection that is never idle and never ends does not outlive the deadline, and costs nobody else anything. */
Test(reload_connection, at_the_deadline_an_old_one_is_cut)
{
    struct server server = service_start(.more = "timeouts: {shutdown: 200ms}\n");
    pid_t workers[WORKERS];
    struct client *download = service_download(server.port);
    struct load *load = service_load(server.port, NULL);
    reload("2", NULL);
    server_workers(&server, workers, WORKERS);
    struct response r = response_read(download);
    cr_assert_not(r.complete, "a request that was cut looks complete");
    assert_no_loss(load);
    assert_stop(&server, 0);
}

/* ---- what the new workers have of their own ---- */

#define SHA512_OF_SESAME                                                                                               \
    "$6$saltsalt$g3uPFdehVnKoLXdidvSAg1zlVgYomPr0X/xgdXSBn2LuxZUOGgYW4IULZkguZ77fzYteIur49AGHmF9iek6Sf1"

Test(reload_connection, limits_hold_in_the_new_workers)
{
    static const char route[] =
        "      - {exact: /limited, limit: {requests: 1/h, burst: 3, by: server}, respond: {body: x}}\n";
    struct server server = service_start(.routes = route);
    for (int generation = 0; generation < 3; generation++) {
        for (int i = 0; i < 3; i++)
            assert_status(fetch(server.port, "/limited"), 200);
        for (int i = 0; i < 3; i++)
            assert_status(fetch(server.port, "/limited"), 429);
        service_write(.routes = route);
        assert_ctl(0, "reload");
    }
    assert_stop(&server, 0);
}

static int log_in(int port, const char *name_and_password)
{
    return ask(client_open(port), "GET /private HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic %s\r\n\r\n",
               name_and_password)
        .status;
}

/* The file of users is read anew by each generation. */
Test(reload_connection, new_users_may_come_in)
{
    static const char route[] = "      - {exact: /private, auth: {file: @DIR@/users}, respond: {body: x}}\n";
    static const char alice[] = "YWxpY2U6c2VzYW1l", bob[] = "Ym9iOnNlc2FtZQ==";
    file_write("users", STR("alice:" SHA512_OF_SESAME "\n"));
    struct server server = service_start(.routes = route);
    cr_assert(log_in(server.port, alice) == 200 && log_in(server.port, bob) == 401);
    file_write("users", STR("bob:" SHA512_OF_SESAME "\n"));
    cr_assert(log_in(server.port, alice) == 200 && log_in(server.port, bob) == 401);
    assert_ctl(0, "reload");
    cr_assert(log_in(server.port, alice) == 401 && log_in(server.port, bob) == 200);
    assert_stop(&server, 0);
}
