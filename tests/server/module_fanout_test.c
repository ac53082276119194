/* The example of a fan-out: several upstreams at once, each with an outcome of its own, until a deadline. */
#include "harness.h"
#include "harness_file.h"
#include "harness_pki.h"
#include "harness_response.h"
#include "harness_server.h"
#include "module_service.h"

#include <criterion/criterion.h>

/* The server is its own upstream: in the clear, secured by an authority that nobody trusts, and slower than the
 * deadline allows. Nothing listens on PORT2. */
#define CONFIG                                                                                                         \
    MODULE_LISTEN MODULES                                                                                              \
        "workers: 1\n"                                                                                                 \
        "timeouts: {shutdown: 1h}\n"                                                                                   \
        "sites:\n"                                                                                                     \
        "  - routes:\n"                                                                                                \
        "      - {exact: /hello, respond: {body: hello}}\n" MODULE_ROUTE("/slow", "sleep.so", "sleep", "time: 1h")     \
            MODULE_ROUTE("/fan", "fanout.so", "fanout",                                                                \
                         "to: [\"http://127.0.0.1:@PORT@/hello\", \"http://localhost:@PORT@/nothing\", "               \
                         "\"http://127.0.0.1:@PORT2@/\", \"https://localhost:@PORT1@/hello\", "                        \
                         "\"http://127.0.0.1:@PORT@/slow\"], within: 300ms")

TestSuite(module_fanout, .init = harness_begin, .fini = harness_end);

static struct server start(void)
{
    pki_make("ecdsa", "root");
    module_install("sleep");
    module_install("fanout");
    return server_start(CONFIG);
}

static void assert_line(struct response r, const char *line)
{
    cr_assert(memmem(r.body.p, r.body.n, line, strlen(line)), "no `%s` in:\n" STR_FMT, line, STR_ARG(r.body));
}

/* Those that are slower than the deadline are given up: the server could not stop otherwise. */
Test(module_fanout, each_upstream_has_an_outcome_of_its_own)
{
    struct server server = start();
    struct response r = fetch(server.port, "/fan");
    assert_status(r, 200);
    assert_line(r, "127.0.0.1/hello: HTTP/1.1 200 OK\n");
    assert_line(r, "localhost/nothing: HTTP/1.1 404 Not Found\n");
    assert_line(r, "127.0.0.1/: Connection refused\n");
    assert_line(r, "localhost/hello: Key was rejected by service\n");
    assert_line(r, "127.0.0.1/slow: Connection timed out\n");
    assert_status(fetch(server.port, "/hello"), 200);
}
