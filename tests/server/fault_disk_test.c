/* A disk that is slow, broken, or whose files change their rights: it concerns the requests for its files only. */
#include "harness.h"
#include "harness_faults.h"
#include "harness_file.h"
#include "harness_response.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(fault_disk, .init = harness_begin, .fini = harness_end);

#define HOST "Host: localhost\r\n"
#define CONFIG                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 1\n"                                                                                                     \
    "threads: 4\n"                                                                                                     \
    "sites: [{routes: [{exact: /hello, respond: {type: text/plain, body: hello}},\n"                                   \
    "                  {path: /, files: {root: @DIR@/www, listing: on}}]}]\n"

enum { WAITING = 12 /* more than there are threads in the pool */, LARGE = 16 << 20 };

static struct client *start_download(const struct server *server)
{
    struct client *c = client_open_slow(server->port);
    client_printf(c, "GET /large HTTP/1.1\r\n" HOST "\r\n");
    cr_assert_eq(client_peek(c, 1024).n, 1024);
    return c;
}

/* The disk does not answer at all: everybody else is served meanwhile, however many wait for it. */
static void serve_while_held(enum fault_call call)
{
    struct client *waiting[WAITING];
    for (int i = 0; i < WAITING; i++)
        file_write(harness_text("www/%d", i), str_of(harness_text("file %d", i)));
    struct server server = faults_start(CONFIG);
    struct client *c = client_open(server.port);
    faults_hold(call, true);
    for (int i = 0; i < WAITING; i++) {
        waiting[i] = client_open(server.port);
        client_printf(waiting[i], "GET /%d HTTP/1.1\r\n" HOST "\r\n", i);
    }
    for (int i = 0; i < 300; i++)
        assert_status(get(i % 2 ? c : client_open(server.port), "/hello"), 200);
    for (int i = 0; i < WAITING; i++)
        cr_assert_eq(recv(waiting[i]->fd, (char[1]){0}, 1, MSG_PEEK | MSG_DONTWAIT), -1, "%d was not held", i);
    cr_assert_not(faults_spins());
    faults_hold(call, false);
    for (int i = 0; i < WAITING; i++) {
        struct response r = response_read(waiting[i]);
        assert_status(r, 200);
        assert_body(r, str_of(harness_text("file %d", i)));
    }
    assert_stop(&server, 0);
}

Test(fault_disk, opening_takes_for_ever)
{
    serve_while_held(FAULT_OPEN);
}

Test(fault_disk, reading_takes_for_ever)
{
    serve_while_held(FAULT_READ);
}

/* The disk fails in the midst of a file: its answer is visibly cut, and the log says why. */
Test(fault_disk, a_read_error_under_way)
{
    struct str content = file_pattern(LARGE);
    file_write("www/large", content);
    struct server server = faults_start(CONFIG);
    struct client *c = start_download(&server);
    faults_order(FAULT_SENDFILE, EIO, 1, 1, 1);
    struct response r = response_read(c);
    assert_status(r, 200);
    cr_assert(!r.complete && str_starts(content, r.body));
    cr_assert_not_null(strstr(server_log(&server).p, "/large could not be read"), "%s", server_log(&server).p);
    r = fetch(server.port, "/large");
    assert_body(r, content);
}

/* What is open is sent whole, whatever its name and its rights become. */
Test(fault_disk, rights_taken_away_under_way)
{
    struct str content = file_pattern(LARGE);
    file_write("www/large", content);
    const char *user = geteuid() == 0 ? "user: nobody\ngroup: nogroup\n" : "";
    struct server server = server_start(harness_text("%s" CONFIG, user));
    struct client *c = start_download(&server);
    cr_assert_eq(chmod(file_path("www/large"), 0), 0);
    struct response r = response_read(c);
    assert_status(r, 200);
    assert_body(r, content);
    cr_assert(until(fetch(server.port, "/large").status == 403), "the new rights are never seen");
    cr_assert_eq(chmod(file_path("www/large"), 0644), 0);
    cr_assert(until(fetch(server.port, "/large").status == 200), "the old rights are never seen");
}

/* The whole tree goes, and comes back. */
Test(fault_disk, a_root_that_is_moved_away_and_back)
{
    file_write("www/file", STR("here"));
    struct server server = server_start(CONFIG);
    assert_status(fetch(server.port, "/file"), 200);
    cr_assert_eq(rename(file_path("www"), file_path("gone")), 0);
    cr_assert(until(fetch(server.port, "/file").status == 404), "the removal is never seen");
    assert_status(fetch(server.port, "/hello"), 200);
    cr_assert_eq(rename(file_path("gone"), file_path("www")), 0);
    cr_assert(until(fetch(server.port, "/file").status == 200), "the tree is never seen again");
}
