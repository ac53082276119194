/* Connections that can't be accepted: the server waits instead of spinning, serves those it has, and comes back. */
#include "harness.h"
#include "harness_command.h"
#include "harness_faults.h"
#include "harness_file.h"
#include "harness_response.h"

#include <criterion/criterion.h>
#include <errno.h>

TestSuite(fault_accept, .init = harness_begin, .fini = harness_end);

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define HELLO "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define CONFIG                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 1\n"                                                                                                     \
    "sites: [{routes: [{exact: /hello, respond: {type: text/plain, body: hello}},\n"                                   \
    "                  {path: /, files: {root: @DIR@/www}}]}]\n"

enum { CLIENTS = 40 };

static struct client *clients[CLIENTS];

static void assert_hello(struct response r)
{
    assert_status(r, 200);
    assert_body(r, STR("hello"));
}

static void send_hello_from_all(const struct server *server)
{
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = client_open(server->port);
        client_printf(clients[i], HELLO);
    }
}

static size_t lines_with(struct str text, const char *what)
{
    size_t lines = 0;
    while (text.n) {
        struct str line = str_cut(&text, '\n');
        lines += memmem(line.p, line.n, what, strlen(what)) != NULL;
    }
    return lines;
}

/* Nothing can be accepted for a while, for a reason that does not go away. */
static void starve(int error)
{
    enum { CALLS = 20, CALLS_AT_ONCE = 32, PAUSES_A_SECOND = 10 };
    struct server server = faults_start(CONFIG);
    struct client *served = client_open(server.port);
    assert_hello(get(served, "/hello"));
    faults_order(FAULT_ACCEPT, error, 1, FAULT_EVER, 1);
    faults_order(FAULT_POLL, 0, 0, 0, 0);
    nsec start = clock_monotonic();
    send_hello_from_all(&server);
    cr_assert(until(faults_made(FAULT_ACCEPT) > CALLS), "%u calls of accept", faults_made(FAULT_ACCEPT));
    for (int i = 0; i < 100; i++)
        assert_hello(get(served, "/hello"));
    unsigned calls = faults_made(FAULT_ACCEPT);
    double seconds = (double)(clock_monotonic() - start) / NSEC_SEC;
    cr_assert_leq(calls, CALLS_AT_ONCE * (1 + PAUSES_A_SECOND * seconds), "%s: %u calls in %g s", strerror(error),
                  calls, seconds);
    size_t lines = lines_with(server_log(&server), "cannot accept");
    cr_assert_leq(lines, 2 + seconds, "%s: %zu lines in %g s", strerror(error), lines, seconds);
    cr_assert(lines > 0 || error == EINTR || error == ECONNABORTED, "%s: not a word", strerror(error));
    faults_end();
    for (int i = 0; i < CLIENTS; i++)
        assert_hello(response_read(clients[i]));
    assert_hello(fetch(server.port, "/hello"));
    assert_hello(get(served, "/hello"));
    cr_assert_not(faults_spins());
    assert_stop(&server, 0);
}

Test(fault_accept, no_descriptors_of_the_process)
{
    starve(EMFILE);
}

Test(fault_accept, no_descriptors_of_the_system)
{
    starve(ENFILE);
}

Test(fault_accept, no_memory)
{
    starve(ENOMEM);
}

Test(fault_accept, no_right)
{
    starve(EPERM);
}

Test(fault_accept, interrupted_for_ever)
{
    starve(EINTR);
}

/* A call that fails now and then costs nobody a connection. */
Test(fault_accept, now_and_then)
{
    static const int errors[] = {ENOBUFS, ENOMEM, ECONNABORTED, EINTR, EPERM, EPROTO, ENETDOWN, EHOSTUNREACH};
    struct server server = faults_start(CONFIG);
    for (size_t i = 0; i < COUNT(errors); i++) {
        faults_order(FAULT_ACCEPT, errors[i], 1, 20, 3);
        send_hello_from_all(&server);
        for (int j = 0; j < CLIENTS; j++) {
            assert_hello(response_read(clients[j]));
            client_close(clients[j]);
        }
        cr_assert_gt(faults_met(FAULT_ACCEPT), 0);
    }
    cr_assert_not(faults_spins());
    assert_stop(&server, 0);
}

/* Files need descriptors as well: their requests are told so, and the others go on. */
Test(fault_accept, no_descriptors_for_files)
{
    static const int errors[] = {EMFILE, ENFILE};
    file_write("www/small", STR("small"));
    file_write("www/large", file_pattern(1 << 20));
    struct server server = faults_start(CONFIG);
    struct client *c = client_open(server.port);
    for (size_t i = 0; i < COUNT(errors); i++) {
        faults_order(FAULT_OPEN, errors[i], 1, FAULT_EVER, 1);
        const char *fresh = harness_text("/fresh-%zu", i);
        file_write(harness_text("www%s", fresh), STR("fresh"));
        assert_status(get(c, fresh), 503);
        assert_hello(get(c, "/hello"));
        faults_end();
        struct response r = get(c, fresh);
        assert_status(r, 200);
        assert_body(r, STR("fresh"));
    }
}
