/* Networks that lose, delay and reorder packets, and peers that vanish without a word. */
#include "harness.h"
#include "harness_file.h"
#include "harness_link.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>

TestSuite(fault_network, .init = harness_begin, .fini = harness_end);

#define HOST "Host: localhost\r\n"
#define CONFIG                                                                                                         \
    "listen: 0.0.0.0:@PORT@\n"                                                                                         \
    "workers: 1\n"                                                                                                     \
    "sites: [{routes: [{exact: /hello, respond: {type: text/plain, body: hello}}, {exact: /echo, echo: {}},\n"         \
    "                  {path: /, files: {root: @DIR@/www}}]}]\n"

enum { CLIENTS = 6, SIZE = 200000, LARGE = 8 << 20 };

static struct client *clients[CLIENTS];

static struct client *open_far(const struct server *server)
{
    return client_open_at(LINK_SERVER, server->port);
}

/* Every octet comes, in order, both ways, and no time is up too early. */
Test(fault_network, lossy)
{
    struct str content = file_pattern(SIZE);
    file_write("www/file", content);
    struct link_rules *rules = link_begin();
    struct server server = server_start(CONFIG);
    link_cross();
    rules->delay = 15;
    rules->lost = 5;
    rules->hurried = 25;
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = open_far(&server);
        if (i % 2)
            client_printf(clients[i], "GET /file HTTP/1.1\r\n" HOST "\r\n");
        else
            client_printf(clients[i], "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n", SIZE);
    }
    for (int i = 0; i < CLIENTS; i += 2)
        client_send(clients[i], content);
    for (int i = 0; i < CLIENTS; i++) {
        struct response r = response_read(clients[i]);
        assert_status(r, 200);
        assert_body(r, content);
        assert_status(get(clients[i], "/hello"), 200);
    }
}

/* No packet says that they are gone: the timers do. */
Test(fault_network, peers_that_vanish)
{
    static const char *const requests[CLIENTS] = {
        "GET /hello HTTP/1.1\r\n" HOST "\r\n",
        "GET /hello HTTP/1.1\r\n" HOST "\r\nGET /hel",
        "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 99\r\n\r\nabc",
        "GET /large HTTP/1.1\r\n" HOST "\r\n",
        "bad\r\n\r\n",
        "GET /large HTTP/1.1\r\n" HOST "Range: bytes=5-,0-6000000\r\n\r\n",
    };
    file_write("www/large", file_pattern(LARGE));
    struct link_rules *rules = link_begin();
    struct server server = server_start("timeouts: {header: 1s, body: 1s, write: 1s, idle: 1s}\n" CONFIG);
    pid_t worker;
    server_workers(&server, &worker, 1);
    assert_status(fetch(server.port, "/hello"), 200);
    cr_assert(until(server_sockets(worker) > 0));
    size_t before = server_sockets(worker);
    link_cross();
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = open_far(&server);
        client_printf(clients[i], "%s", requests[i]);
        cr_assert_eq(client_peek(clients[i], 12).n, 12);
    }
    rules->cut = true;
    cr_assert(until(server_sockets(worker) <= before), "%zu sockets, not %zu", server_sockets(worker), before);
    rules->cut = false;
    assert_status(get(open_far(&server), "/hello"), 200);
    assert_stop(&server, 0);
}
