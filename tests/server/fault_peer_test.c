/* Peers that reset, that take nothing, that send everything at once, and too many of them: what each may cost. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

TestSuite(fault_peer, .init = harness_begin, .fini = harness_end);

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define HOST "Host: localhost\r\n"
#define HELLO "GET /hello HTTP/1.1\r\n" HOST "\r\n"
#define CONFIG                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 1\n"                                                                                                     \
    "sites: [{routes: [{exact: /hello, respond: {type: text/plain, body: hello}}, {exact: /echo, echo: {}},\n"         \
    "                  {path: /, files: {root: @DIR@/www}}]}]\n"

enum { LARGE = 8 << 20, LIMIT_MS = HARNESS_LIMIT / NSEC_MS };

static void assert_hello(struct response r)
{
    assert_status(r, 200);
    assert_body(r, STR("hello"));
}

static size_t descriptors(pid_t pid)
{
    DIR *directory = opendir(harness_text("/proc/%d/fd", pid));
    size_t count = 0;
    cr_assert_not_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

/* Private memory of a process, in KiB. */
static size_t memory(pid_t pid)
{
    FILE *file = fopen(harness_text("/proc/%d/status", pid), "re");
    char line[128];
    size_t kib = 0;
    cr_assert_not_null(file);
    while (fgets(line, sizeof line, file) && sscanf(line, "RssAnon: %zu kB", &kib) != 1)
        ;
    fclose(file);
    return kib;
}

static pid_t worker_of(const struct server *server)
{
    pid_t worker;
    server_workers(server, &worker, 1);
    return worker;
}

/* ---- resets ---- */

struct resetting {
    const char *request;
    size_t taken; /* of the answer, before the reset */
};

/* A storm of them leaves no descriptor behind, no line in the log, and nothing to do. */
Test(fault_peer, resets_leave_nothing_behind)
{
    static const struct resetting table[] = {
        {"", 0},
        {"GET /la", 0},
        {HELLO, 0},
        {HELLO "GET /la", 5},
        {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 99\r\n\r\nabc", 0},
        {"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nab", 0},
        {"GET /large HTTP/1.1\r\n" HOST "\r\n", 0},
        {"GET /large HTTP/1.1\r\n" HOST "\r\n", 5000},
        {"bad\r\n\r\n", 10},
    };
    file_write("www/large", file_pattern(LARGE));
    struct server server = server_start(CONFIG);
    pid_t worker = worker_of(&server);
    assert_status(fetch(server.port, "/large"), 200);
    size_t before = descriptors(worker), lines = server_log(&server).n;
    for (size_t i = 0; i < 200 * COUNT(table); i++) {
        const struct resetting *row = &table[i % COUNT(table)];
        struct client *c = client_open_slow(server.port);
        client_send(c, str_of(row->request));
        client_peek(c, row->taken);
        client_reset(c);
    }
    assert_hello(fetch(server.port, "/hello"));
    cr_assert(until(descriptors(worker) <= before), "%zu descriptors, not %zu", descriptors(worker), before);
    cr_assert_eq(worker_of(&server), worker, "the worker has died");
    cr_assert_leq(server_log(&server).n - lines, 2000, "%s", server_log(&server).p);
    assert_stop(&server, 0);
}

/* ---- peers that do not read ---- */

/* Sends as much of the bytes as the server takes; how many. */
static size_t send_unread(const struct client *c, struct str bytes)
{
    enum { BLOCKED_MS = 500 };
    struct pollfd wait = {.fd = c->fd, .events = POLLOUT};
    size_t sent = 0;
    while (sent < bytes.n && poll(&wait, 1, BLOCKED_MS) == 1) {
        ssize_t n = send(c->fd, bytes.p + sent, bytes.n - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        cr_assert(n > 0 || errno == EAGAIN, "%m");
        sent += n > 0 ? (size_t)n : 0;
    }
    return sent;
}

static struct str repeated(struct str text, size_t count)
{
    char *all = harness_alloc(count * text.n);
    for (size_t i = 0; i < count; i++)
        memcpy(all + i * text.n, text.p, text.n);
    return (struct str){all, count * text.n};
}

/* The server stops reading as well, holds next to nothing, and has lost none of them when the peer reads at last. */
Test(fault_peer, ten_thousand_requests_before_the_first_answer_is_read)
{
    enum { REQUESTS = 10000, MOST_KIB = 1024 };
    file_write("www/file", file_pattern(1000));
    struct server server = server_start(CONFIG);
    pid_t worker = worker_of(&server);
    struct str requests = repeated(STR("GET /file HTTP/1.1\r\n" HOST "\r\n"), REQUESTS);
    assert_status(fetch(server.port, "/file"), 200);
    size_t before = memory(worker);
    struct client *c = client_open_slow(server.port);
    size_t sent = send_unread(c, requests);
    cr_assert_leq(memory(worker), before + MOST_KIB, "%zu KiB more", memory(worker) - before);
    assert_hello(fetch(server.port, "/hello"));
    client_send(c, str_skip(requests, sent));
    for (int i = 0; i < REQUESTS; i++) {
        struct str head = client_take_through(c, STR("\r\n\r\n"));
        cr_assert(str_starts(head, STR("HTTP/1.1 200 ")), "answer %d: " STR_FMT, i, STR_ARG(head));
        cr_assert_eq(client_peek(c, 1000).n, 1000);
        cr_assert(str_eq(client_take(c, 1000), file_pattern(1000)));
    }
    assert_hello(get(c, "/hello"));
}

/* Their memory is bounded, their time is, and others are served. */
Test(fault_peer, downloads_that_nobody_takes)
{
    enum { CLIENTS = 40, KIB_EACH = 64 };
    static struct client *clients[CLIENTS];
    file_write("www/large", file_pattern(LARGE));
    struct server server = server_start("timeouts: {write: 1s}\n" CONFIG);
    pid_t worker = worker_of(&server);
    assert_status(fetch(server.port, "/large"), 200);
    size_t before = memory(worker), open = descriptors(worker);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = client_open_slow(server.port);
        client_printf(clients[i], "GET /large HTTP/1.1\r\n" HOST "\r\n");
    }
    for (int i = 0; i < 50; i++)
        assert_hello(fetch(server.port, "/hello"));
    size_t now = memory(worker);
    cr_assert_leq(now, before + (size_t)CLIENTS * KIB_EACH, "%zu KiB more", now - before);
    cr_assert(until(descriptors(worker) <= open), "%zu descriptors, not %zu", descriptors(worker), open);
    for (int i = 0; i < CLIENTS; i++) {
        struct response r = response_read(clients[i]);
        cr_assert(r.status == 0 || !r.complete, "an answer that was cut looks complete");
    }
    assert_hello(fetch(server.port, "/hello"));
}

/* Segments of a few octets and a window that is hardly ever open. */
Test(fault_peer, small_segments)
{
    enum { SEGMENT = 88 };
    struct str content = file_pattern(200000);
    file_write("www/file", content);
    struct server server = server_start(CONFIG);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)server.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct client c = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    int size = SEGMENT, buffer = 1;
    cr_assert_eq(setsockopt(c.fd, IPPROTO_TCP, TCP_MAXSEG, &size, sizeof size), 0);
    cr_assert_eq(setsockopt(c.fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer), 0);
    cr_assert_eq(connect(c.fd, (struct sockaddr *)&address, sizeof address), 0);
    for (int i = 0; i < 3; i++) {
        struct response r = get(&c, "/file");
        assert_body(r, content);
    }
    client_close(&c);
    free(c.bytes);
}

/* ---- peers that send too much ---- */

/* All of it is sent before the answer is looked at, by many at once. */
Test(fault_peer, uploads_that_are_too_large_read_their_413)
{
    enum { CLIENTS = 40, UPLOAD = 4 << 20 };
    static struct client *clients[CLIENTS];
    static size_t sent[CLIENTS];
    struct server server = server_start("limits: {body_size: 1k}\n" CONFIG);
    struct str content = file_pattern(UPLOAD);
    size_t done = 0;
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = client_open(server.port);
        client_printf(clients[i], "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %d\r\n\r\n", UPLOAD);
    }
    nsec deadline = nsec_add(clock_monotonic(), HARNESS_LIMIT);
    for (int i = 0; done < CLIENTS && clock_monotonic() < deadline; i = (i + 1) % CLIENTS) {
        struct str rest = str_skip(content, sent[i]);
        ssize_t n = rest.n ? send(clients[i]->fd, rest.p, rest.n, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;
        cr_assert(n >= 0 || errno == EAGAIN, "client %d is cut off after %zu octets: %m", i, sent[i]);
        sent[i] += n > 0 ? (size_t)n : 0;
        done += n > 0 && sent[i] == UPLOAD;
    }
    cr_assert_eq(done, CLIENTS, "the server does not read");
    for (int i = 0; i < CLIENTS; i++) {
        struct response r = response_read(clients[i]);
        assert_status(r, 413);
        cr_assert(r.complete && client_ends(clients[i]) && !clients[i]->reset, "client %d", i);
    }
}

/* ---- more peers than there may be ---- */

/* The newest ones are served, the ones that have been idle the longest make room, and all of them end in time. */
Test(fault_peer, idle_connections_beyond_the_limit)
{
    enum { ROOM = 100, CLIENTS = 400 };
    static struct client *clients[CLIENTS];
    struct server server = server_start("limits: {connections: 100}\ntimeouts: {idle: 1s}\n" CONFIG);
    pid_t worker = worker_of(&server);
    assert_hello(fetch(server.port, "/hello"));
    size_t most = server_sockets(worker) + ROOM, reached = 0;
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = client_open(server.port);
        assert_hello(get(clients[i], "/hello"));
        size_t now = server_sockets(worker);
        reached = now > reached ? now : reached;
    }
    cr_assert_leq(reached, most);
    for (int i = 0; i < CLIENTS; i++) {
        cr_assert(client_ends(clients[i]), "an idle connection gets an answer");
        cr_assert_not(clients[i]->reset, "an idle connection is reset");
    }
    cr_assert(until(server_sockets(worker) <= most - ROOM));
    assert_hello(fetch(server.port, "/hello"));
}
