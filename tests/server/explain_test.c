/* ternctl explain: what it says of a request is what becomes of it, with a server and without one. */
#include "harness.h"
#include "harness_client.h"
#include "harness_file.h"
#include "harness_response.h"
#include "service.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(explain, .init = harness_begin, .fini = harness_end);

enum { FINE = 0, FAILED = 1, USAGE = 2 };

#define ROUTES                                                                                                         \
    "      - {path: /old/, redirect: {to: /new/, status: 301}}\n"                                                      \
    "      - {path: /private/, deny: 0.0.0.0/0, echo: {}}\n"                                                           \
    "  - hosts: [moved.test]\n"                                                                                        \
    "    redirect: {to: 'https://$host$uri', status: 308}\n"                                                           \
    "    routes: [{path: /, echo: {}}]\n"
#define LIMITS "limits: {target_size: 1k}\n"

static struct server server;

static void start(void)
{
    server = service_start(.more = LIMITS, .routes = ROUTES);
}

/* ---- a server and its explanation ---- */

/* The status that is told; 0: none is. */
static int told_status(struct str json)
{
    const char *at = strstr(json.p, "\"outcome\":{\"status\":");
    return at ? atoi(at + sizeof "\"outcome\":{\"status\":" - 1) : 0;
}

static struct str explain(const char *method, const char *url)
{
    struct result r = service_ctl((const char *const[]){"--json", "explain", method, url, NULL});
    cr_assert_eq(r.status, FINE, "%s %s: %s", method, url, r.err.p);
    return r.out;
}

static struct response really(const char *method, const char *host, const char *target)
{
    struct client *c = client_open(server.port);
    struct response r = ask(c, "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 0\r\n\r\n", method, target, host);
    client_close(c);
    return r;
}

static void expect_told_field(const struct response *r, struct str json, const char *name)
{
    struct str value = response_field(r, name);
    const char *field = harness_text("\"%s: " STR_FMT "\"", name, STR_ARG(value));
    cr_expect(!value.p || strstr(json.p, field), "no %s in %s", field, json.p);
}

Test(explain, what_it_says_is_what_happens)
{
    static const struct {
        const char *method, *host, *target;
        int status;
        bool told; /* rather than the handler's own affair */
    } table[] = {
        {"GET", "localhost", "/hello", 200, false},
        {"GET", "localhost", "/x/..//%68ello", 200, false},
        {"GET", "localhost", "/files/nothing", 404, false},
        {"POST", "localhost", "/echo", 200, false},
        {"GET", "localhost", "/private/x", 403, false},
        {"POST", "localhost", "/files/x", 405, true},
        {"DELETE", "localhost", "/hello", 200, false},
        {"TRACE", "localhost", "/hello", 405, true},
        {"OPTIONS", "localhost", "/files/x", 200, true},
        {"OPTIONS", "localhost", "*", 200, true},
        {"GET", "localhost", "/nowhere", 404, true},
        {"GET", "localhost", "/hello/x", 404, true},
        {"GET", "localhost", "/%zz", 400, true},
        {"GET", "localhost", "*", 400, true},
        {"BREW", "localhost", "/hello", 501, true},
        {"GET", "localhost", "/old/a%20b?c=d", 301, true},
        {"GET", "moved.test", "/a?b", 308, true},
        {"GET", "MOVED.test.", "/../a", 308, true},
        {"POST", "moved.test", "/", 308, true},
    };
    start();
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        bool path = table[i].target[0] != '/';
        const char *url =
            path ? table[i].target : harness_text("http://%s:%d%s", table[i].host, server.port, table[i].target);
        struct str json = explain(table[i].method, url);
        struct response r = really(table[i].method, table[i].host, table[i].target);
        cr_expect_eq(r.status, table[i].status, "%s %s: %d", table[i].method, url, r.status);
        cr_expect_eq(told_status(json), table[i].told ? table[i].status : 0, "%s %s: %s", table[i].method, url, json.p);
        if (table[i].told && !path) {
            expect_told_field(&r, json, "Allow");
            expect_told_field(&r, json, "Location");
        }
    }
    assert_stop(&server, FINE);
}

Test(explain, a_long_target)
{
    char *target = harness_alloc(8 * 1024 + 1);
    memset(target, 'x', 8 * 1024);
    target[0] = '/';
    target[8 * 1024] = '\0';
    start();
    cr_expect_eq(told_status(explain("GET", target)), 414);
    target[1024] = '\0';
    cr_expect_eq(told_status(explain("GET", target)), 404);
    assert_ctl(USAGE, "explain", harness_text("/%016384d", 0));
    assert_stop(&server, FINE);
}

Test(explain, after_a_reload_it_is_the_new_configuration)
{
    start();
    cr_expect_eq(told_status(explain("GET", "/old/x")), 301);
    service_write(.more = LIMITS);
    cr_expect_eq(told_status(explain("GET", "/old/x")), 301, "it is not in use yet");
    assert_ctl(FINE, "reload");
    cr_expect_eq(told_status(explain("GET", "/old/x")), 404);
    assert_stop(&server, FINE);
}

Test(explain, nonsense)
{
    start();
    assert_ctl(USAGE, "explain");
    assert_ctl(USAGE, "explain", "localhost");
    assert_ctl(USAGE, "explain", "GET", "/", "HTTP/1.1");
    assert_ctl(USAGE, "explain", "http://");
    assert_ctl(USAGE, "explain", "http://localhost:99999/");
    assert_ctl(USAGE, "explain", "http://user:pw@localhost/");
    assert_ctl(USAGE, "-c", file_path("tern.yaml"), "reload");
    assert_stop(&server, FINE);
}

/* ---- a file alone ---- */

static void assert_same_as_with_a_file(const char *method, const char *url)
{
    struct str json = explain(method, url);
    struct result r =
        service_ctl((const char *const[]){"--json", "-c", file_path("tern.yaml"), "explain", method, url, NULL});
    cr_assert_eq(r.status, FINE, "%s", r.err.p);
    cr_assert_str_eq(r.out.p, json.p);
    cr_assert_eq(r.err.n, 0, "%s", r.err.p);
}

Test(explain, with_a_file_as_with_a_server)
{
    start();
    assert_same_as_with_a_file("GET", "/hello");
    assert_same_as_with_a_file("POST", "http://moved.test/x?y#z");
    assert_same_as_with_a_file("PUT", "https://localhost/nowhere");
    assert_stop(&server, FINE);
}

Test(explain, a_file_and_no_server)
{
    struct str told;
    service_write(.routes = ROUTES);
    file_directory("www");
    const char *file = file_path("tern.yaml");
    assert_ctl_tells(&told, FINE, "-c", file, "explain", "/old/x");
    const char *line = harness_expand("listener   127.0.0.1:@PORT@ (plain, HTTP/2)");
    cr_expect(strstr(told.p, line), "no %s in %s", line, told.p);
    cr_expect(strstr(told.p, harness_text("%s:1\n", file)), "%s", told.p);
    cr_expect(strstr(told.p, "answer     301: the route redirects\n           Location: /new/x\n"), "%s", told.p);
    assert_ctl_tells(&told, FINE, "-c", file, "explain", "http://localhost:1/old/x");
    cr_expect(strstr(told.p, "no answer  connection: refused, nothing listens on port 1\n"), "%s", told.p);
    assert_ctl_tells(&told, USAGE, "-c", file, "explain", "http://localhost:99999/");
    cr_expect(strstr(told.p, "the port of the URL is none"), "%s", told.p);
    assert_ctl_tells(&told, USAGE, "-c", file, "explain", "localhost");
    cr_expect(strstr(told.p, "a URL begins with"), "%s", told.p);
}

/* As `tern -t` tells of them. */
Test(explain, a_file_with_errors)
{
    file_write("tern.yaml", STR("listen: 127.0.0.1:1\nlissten: 1\nlimits: {header_size: 3g}\n"));
    const char *file = file_path("tern.yaml");
    struct result checked = run_tern("-t", "-c", file);
    struct result r = service_ctl((const char *const[]){"-c", file, "explain", "/", NULL});
    cr_assert_eq(r.status, USAGE);
    cr_assert_eq(r.out.n, 0, "%s", r.out.p);
    cr_assert_str_eq(r.err.p, checked.err.p);
    cr_assert(strstr(r.err.p, harness_text("%s:2:1: error: ", file)), "%s", r.err.p);
    r = service_ctl((const char *const[]){"-c", file_path("missing"), "explain", "/", NULL});
    cr_assert_eq(r.status, USAGE, "%s", r.err.p);
    cr_assert(strstr(r.err.p, "No such file"), "%s", r.err.p);
}

/* Beside ternctl, where it is installed, or in PATH. */
Test(explain, without_tern_there_is_no_answer)
{
    char *ternctl = realpath(service_ctl_path(), NULL);
    cr_assert_not_null(ternctl);
    file_directory("alone/bin");
    file_write("alone/bin/ternctl", file_read(ternctl));
    free(ternctl);
    const char *copy = file_path("alone/bin/ternctl");
    cr_assert_eq(chmod(copy, 0755), 0);
    service_write(.version = "1");
    file_directory("www");
    setenv("PATH", file_path("alone"), 1);
    struct command command = {.arguments = {copy, "-c", file_path("tern.yaml"), "explain", "/hello"}};
    struct result r = command_run(&command);
    cr_assert_eq(r.status, FAILED, "%s%s", r.out.p, r.err.p);
    cr_assert(strstr(r.err.p, "cannot run tern: No such file"), "%s", r.err.p);
    service_install();
    setenv("PATH", file_path("bin"), 1);
    r = command_run(&command);
    cr_assert_eq(r.status, FINE, "%s", r.err.p);
    setenv("PATH", "/nonexistent", 1);
    file_directory("alone/sbin");
    cr_assert_eq(rename(service_binary(), file_path("alone/sbin/tern")), 0);
    r = command_run(&command);
    cr_assert_eq(r.status, FINE, "%s", r.err.p);
}
