/* Memory that can't be had, at any point of a session; and how deep the stacks get that are there. */
#include "harness.h"
#include "harness_faults.h"
#include "harness_file.h"
#include "harness_response.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

TestSuite(fault_memory, .init = harness_begin, .fini = harness_end);

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define HOST "Host: localhost\r\n"
#define CONFIG                                                                                                         \
    "listen: 127.0.0.1:@PORT@\n"                                                                                       \
    "workers: 1\n"                                                                                                     \
    "log: {level: info, access: @DIR@/access.log}\n"                                                                   \
    "sites: [{routes: [{exact: /hello, respond: {type: text/plain, body: hello}}, {exact: /echo, echo: {}},\n"         \
    "                  {path: /, compress: on, files: {root: @DIR@/www, cache: 1ms, listing: on}}]}]\n"

enum { SMALL = 20000, LARGE = 100000 };

static struct str text, large, long_value;

static void write_files(void)
{
    text = file_fill('t', SMALL);
    large = file_pattern(LARGE);
    long_value = file_fill('v', SMALL);
    file_replace("www/text.txt", text);
    file_replace("www/large", large);
    file_replace("www/large.txt", large);
    file_write("www/folder/inner", STR("x"));
}

/* ---- allocations ---- */

struct step {
    const char *begin; /* of the request */
    bool has_long;     /* then, in the midst of it, a value of SMALL octets */
    const char *end;   /* sent when what comes before has been looked at */
    struct str *body;  /* NULL: any */
};

static struct str hello = STR_INIT("hello"), echoed = STR_INIT("abc");

static const struct step steps[] = {
    {"GET /hello HTTP/1.1\r\n" HOST, false, "\r\n", &hello},
    {"GET /hello HTTP/1.1\r\n" HOST "X-Long: ", true, "\r\n\r\n", &hello},
    {"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", false, "0\r\n\r\n", &echoed},
    {"GET /text.txt HTTP/1.1\r\n" HOST "\r\n", false, "", &text},
    {"GET /text.txt HTTP/1.1\r\n" HOST "Accept-Encoding: gzip\r\n\r\n", false, "", NULL},
    {"GET /large HTTP/1.1\r\n" HOST "\r\n", false, "", &large},
    {"GET /large HTTP/1.1\r\n" HOST "Range: bytes=0-9,20-29\r\n\r\n", false, "", NULL},
    {"GET /large.txt HTTP/1.1\r\n" HOST "Accept-Encoding: br\r\n\r\n", false, "", NULL},
    {"GET /large.txt HTTP/1.1\r\n" HOST "Accept-Encoding: zstd\r\n\r\n", false, "", NULL},
    {"GET /folder/ HTTP/1.1\r\n" HOST "\r\n", false, "", NULL},
    {"GET /folder HTTP/1.1\r\n" HOST "\r\n", false, "", NULL},
    {"bad\r\n\r\n", false, "", NULL},
};

/* The answer is the right one, tells of a fault, or is visibly cut. */
static bool is_fair(const struct response *r, const struct step *step)
{
    if (r->status == 0 || r->status >= 500 || !r->complete)
        return true;
    return step->body ? r->status == 200 && str_eq(r->body, *step->body) : r->status >= 200;
}

static void take_step(const struct server *server, const struct step *step, unsigned which)
{
    struct client *c = client_open(server->port);
    client_printf(c, "%s", step->begin);
    client_send(c, step->has_long ? long_value : STR(""));
    if (*step->end)
        usleep(500);
    client_printf(c, "%s", step->end);
    struct response r = response_read(c);
    cr_assert(is_fair(&r, step), "allocation %u: %s: " STR_FMT, which, step->begin, STR_ARG(r.head));
    client_close(c);
}

/* Each request on a connection of its own, so that the end of one is not another's. */
static void run_session(const struct server *server, unsigned which)
{
    write_files();
    for (size_t i = 0; i < COUNT(steps); i++)
        take_step(server, &steps[i], which);
}

/* The first allocation of a session fails, then the second, and so on to the last one. */
Test(fault_memory, each_allocation_of_a_session)
{
    faults_need_malloc();
    file_directory("www");
    struct server server = faults_start(CONFIG);
    pid_t worker = faults_follow(&server);
    unsigned which = 1;
    for (unsigned made = 1; which <= made; which++) {
        faults_order(FAULT_ALLOC, ENOMEM, which, which, 1);
        run_session(&server, which);
        made = faults_made(FAULT_ALLOC);
        faults_end();
        struct response r = fetch(server.port, "/hello");
        assert_status(r, 200);
        assert_body(r, hello);
    }
    cr_assert_gt(which, COUNT(steps));
    cr_assert_eq(faults_follow(&server), worker, "the worker has died");
    assert_stop(&server, 0);
}

Test(fault_memory, no_allocation_at_all)
{
    faults_need_malloc();
    file_directory("www");
    struct server server = faults_start(CONFIG);
    pid_t worker = faults_follow(&server);
    run_session(&server, 0);
    faults_order(FAULT_ALLOC, ENOMEM, 1, FAULT_EVER, 1);
    for (unsigned i = 0; i < 3; i++)
        run_session(&server, i);
    faults_end();
    run_session(&server, 0);
    cr_assert_eq(faults_follow(&server), worker, "the worker has died");
    assert_stop(&server, 0);
}

/* ---- stacks ---- */

/* No stack can be made: who would need one is told, and who has one is served. */
Test(fault_memory, no_more_stacks)
{
    enum { CLIENTS = 200 };
    static struct client *clients[CLIENTS];
    static const char upload[] = "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    struct server server = faults_start(CONFIG);
    pid_t worker = faults_follow(&server);
    assert_status(fetch(server.port, "/hello"), 200);
    faults_order(FAULT_MMAP, ENOMEM, 1, FAULT_EVER, 1);
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = client_open(server.port);
        client_printf(clients[i], upload);
    }
    size_t refused = 0;
    for (int i = 0; i < CLIENTS; i++) {
        struct response r = response_read(clients[i]);
        cr_assert(r.status == 100 || r.status == 503, "%d", r.status);
        refused += r.status == 503;
        if (r.status == 503)
            cr_assert(client_ends(clients[i]));
        else
            assert_status(ask(clients[i], "hello"), 200);
        client_close(clients[i]);
    }
    cr_assert_gt(refused, 0);
    faults_end();
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = client_open(server.port);
        assert_status(ask(clients[i], upload), 100);
    }
    for (int i = 0; i < CLIENTS; i++)
        assert_status(ask(clients[i], "hello"), 200);
    cr_assert_eq(faults_follow(&server), worker, "the worker has died");
    assert_stop(&server, 0);
}

/* What goes deepest: long paths, many fields, pages of errors, listings, each coding, ranges, content. */
static void go_deep(const struct server *server)
{
    const char *deep = "/", *fields = "";
    while (strlen(deep) < 8000)
        deep = harness_text("%sa/%%2e/..;/", deep);
    for (int i = 0; i < 98; i++)
        fields = harness_text("%sX-Field-%d: %d\r\n", fields, i, i);
    struct client *c = client_open(server->port);
    assert_status(ask(c, "GET %s HTTP/1.1\r\n" HOST "\r\n", deep), 404);
    assert_status(ask(c, "GET /large HTTP/1.1\r\n" HOST "%s\r\n", fields), 200);
    assert_status(ask(c, "GET /folder/%%00 HTTP/1.1\r\n" HOST "\r\n"), 400);
    client_close(c);
    run_session(server, 0);
}

static size_t deepest(struct str log)
{
    static const char mark[] = "stacks up to ";
    const char *found = memmem(log.p, log.n, mark, strlen(mark));
    cr_assert_not_null(found, "the worker tells nothing: %s", log.p);
    return strtoul(found + strlen(mark), NULL, 10);
}

/* A frame of the sanitizers is larger than any that is served. */
Test(fault_memory, no_stack_is_full)
{
    enum { STACK = 64, MOST_PERCENT = 70 };
    faults_need_malloc();
    file_directory("www");
    struct server server = server_start("stack: 64k\n" CONFIG);
    write_files();
    go_deep(&server);
    assert_stop(&server, 0);
    size_t kib = deepest(server_log(&server));
    cr_assert(kib > 0 && kib * 100 <= STACK * MOST_PERCENT, "%zu KiB of %d", kib, STACK);
}
