/* The command line: what each option prints, which status it ends with, and how it refuses what it can't use. */
#include "harness.h"
#include "harness_command.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(cli, .init = harness_begin, .fini = harness_end);

enum { FINE = 0, FAILED = 1, REFUSED = 2, CUT = 3 };

#define SITE "sites: [{routes: [{exact: /, respond: {status: 200, type: text/plain, body: hello}}]}]\n"
#define LISTEN "listen: 127.0.0.1:@PORT@\n"

static bool contains(struct str text, const char *part)
{
    return text.n && memmem(text.p, text.n, part, strlen(part));
}

/* Every refusal is one line on stderr, which names what was refused, and nothing on stdout. */
static void assert_refused(const struct result *r, int status, const char *what)
{
    cr_assert_eq(r->status, status, "status %d, not %d, for %s: %s", r->status, status, what, r->err.p);
    cr_assert_eq(command_lines(r->err), 1, "not one line for %s: %s", what, r->err.p);
    cr_assert(contains(r->err, what), "%s is not named: %s", what, r->err.p);
    cr_assert_eq(r->out.n, 0, "output on a refusal: %s", r->out.p);
}

Test(cli, bad_usage_is_refused)
{
    static const struct {
        const char *arguments[8]; /* ends in NULL */
        const char *what;
    } table[] = {
        {{"-x"}, "x"},
        {{"-c"}, "c"},
        {{"-r"}, "r"},
        {{"--no-such-option"}, "--no-such-option"},
        {{"--pid"}, "--pid"},
        {{"--version=2"}, "--version=2"},
        {{"-s"}, "-s"},
        {{"-s", "start"}, "start"},
        {{"-s", "QUIT"}, "QUIT"},
        {{"-s", "quit", "-t"}, "-s"},
        {{"-s", "quit", "-w", "2"}, "-s"},
        {{"-s", "quit", "-l", "127.0.0.1:@PORT@", "-r", "@DIR@/www"}, "-s"},
        {{"stray"}, "stray"},
        {{"-t", "-c", "@DIR@/fine.yaml", "stray"}, "stray"},
        {{"-l", "127.0.0.1:@PORT@", "-r", "@DIR@/www", "-w", "none"}, "none"},
        {{"-l", "127.0.0.1:@PORT@", "-r", "@DIR@/www", "-w", "-1"}, "-1"},
        {{"-l", "127.0.0.1:@PORT@", "-r", "@DIR@/www", "-w", ""}, "w"},
        {{"-l", "127.0.0.1:@PORT@", "-r", "@DIR@/missing"}, "missing"},
        {{"-l", "127.0.0.1:@PORT@", "-r", "@DIR@/fine.yaml"}, "fine.yaml"},
        {{"-l", "127.0.0.1:99999", "-r", "@DIR@/www"}, "127.0.0.1:99999"},
        {{"-l", "127.0.0.1:http", "-r", "@DIR@/www"}, "127.0.0.1:http"},
        {{"-l", "127.0.0.1", "-r", "@DIR@/www"}, "127.0.0.1"},
        {{"-l", "300.1.1.1:@PORT@", "-r", "@DIR@/www"}, "300.1.1.1"},
    };
    file_directory("www");
    file_write("fine.yaml", str_of(harness_expand(LISTEN SITE)));
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct result r = command_run_tern(table[i].arguments);
        assert_refused(&r, REFUSED, table[i].what);
    }
}

Test(cli, a_configuration_that_cannot_be_read_is_refused)
{
    static const char *const files[] = {"@DIR@/missing.yaml", "@DIR@/missing/tern.yaml", "@DIR@/www"};
    file_directory("www");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct result r = run_tern("-t", "-c", files[i]);
        assert_refused(&r, REFUSED, harness_expand(files[i]));
        r = run_tern("-c", files[i]);
        assert_refused(&r, REFUSED, harness_expand(files[i]));
    }
}

Test(cli, a_configuration_without_permission_is_refused)
{
    file_write("closed.yaml", str_of(harness_expand(LISTEN SITE)));
    cr_assert_eq(chmod(file_path("closed.yaml"), 0), 0);
    struct command command = {.arguments = {command_tern(), "-t", "-c", file_path("closed.yaml")},
                              .unprivileged = true};
    struct result r = command_run(&command);
    assert_refused(&r, REFUSED, file_path("closed.yaml"));
}

/* One error each: where it is, by line and column, and what it names. */
Test(cli, each_error_of_a_configuration_is_one_line)
{
    static const struct {
        const char *text;
        const char *at;
        const char *what;
    } table[] = {
        {LISTEN "lissten: 127.0.0.1:@PORT1@\n" SITE, ":2:1:", "`listen`"},
        {LISTEN "limits: {header_sise: 4k}\n" SITE, ":2:10:", "`header_size`"},
        {LISTEN "limits:\n  header_size: 3g\n" SITE, ":3:16:", "header_size"},
        {LISTEN "limits:\n  header_size: many\n" SITE, ":3:16:", "header_size"},
        {LISTEN "limits: 5\n" SITE, ":2:9:", "limits"},
        {LISTEN "workers: 0\n" SITE, ":2:10:", "workers"},
        {LISTEN "workers: -1\n" SITE, ":2:10:", "workers"},
        {LISTEN "workers: [1]\n" SITE, ":2:10:", "workers"},
        {LISTEN "timeouts: {idle: 5 parsecs}\n" SITE, ":2:18:", "idle"},
        {LISTEN "log: {level: loud}\n" SITE, ":2:14:", "level"},
        {LISTEN "user: no-such-user\n" SITE, ":2:7:", "no-such-user"},
        {LISTEN "group: no-such-group\n" SITE, ":2:8:", "no-such-group"},
        {"listen: 127.0.0.1:99999\n" SITE, ":1:9:", "127.0.0.1:99999"},
        {"listen: nowhere\n" SITE, ":1:9:", "nowhere"},
        {LISTEN "sites:\n  - routes:\n      - path: /\n        files: {root: @DIR@/missing}\n", ":5:23:", "missing"},
        {LISTEN "sites:\n  - routes:\n      - path: /\n", ":4:9:", "handler"},
        {LISTEN "sites:\n  - routes:\n      - path: /\n        echo: {}\n        files: {root: @DIR@}\n", ":",
         "handler"},
        {LISTEN "sites:\n  - routes:\n      - echo: {}\n", ":4:9:", "path"},
        {LISTEN "sites: [{hosts: [\"example.org:8080\"], routes: [{path: /, echo: {}}]}]\n", ":2:18:", "host name"},
        {LISTEN "sites: [{routes: [{exact: /, respond: {status: 99}}]}]\n", ":2:48:", "status"},
        {LISTEN "sites: [{routes: [{path: /, redirect: {status: 301}}]}]\n", ":2:", "to"},
        {LISTEN SITE "workers: 1\nworkers: 2\n", ":4:1:", "workers"},
        {LISTEN SITE "timeouts: {idle: 5s\n", ":", "tern.yaml:"},
        {LISTEN SITE "\tworkers: 1\n", ":3:", "tern.yaml:"},
        {LISTEN SITE "workers: *nobody\n", ":3:", "nobody"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        file_write("tern.yaml", str_of(harness_expand(table[i].text)));
        struct result r = run_tern("-t", "-c", "@DIR@/tern.yaml");
        assert_refused(&r, REFUSED, table[i].what);
        const char *at = harness_text("%s%s", file_path("tern.yaml"), table[i].at);
        cr_assert(str_starts(r.err, str_of(at)), "not at %s: %s", at, r.err.p);
        cr_assert(contains(r.err, ": error: "), "no error: %s", r.err.p);
    }
}

Test(cli, all_errors_of_a_configuration_are_told_at_once)
{
    file_write("tern.yaml", str_of(harness_expand("lissten: 127.0.0.1:@PORT1@\n"
                                                  "limits:\n"
                                                  "  header_size: 3g\n"
                                                  "  body_sise: 1m\n"
                                                  "log:\n"
                                                  "  level: loud\n" LISTEN SITE)));
    static const char *const options[] = {"-t", "-T", "-q"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        struct result r = run_tern(options[i], "-c", "@DIR@/tern.yaml");
        static const char *const places[] = {":1:1: error: ", ":3:16: error: ", ":4:3: error: ", ":6:10: error: "};
        static const char *const words[] = {"`listen`", "header_size", "`body_size`", "level"};
        cr_assert_eq(r.status, REFUSED);
        cr_assert_eq(r.out.n, 0, "output on a refusal: %s", r.out.p);
        cr_assert_eq(command_lines(r.err), 4, "not four lines: %s", r.err.p);
        struct str rest = r.err;
        for (size_t line = 0; line < 4; line++) {
            struct str text = str_cut(&rest, '\n');
            const char *start = harness_text("%s%s", file_path("tern.yaml"), places[line]);
            cr_assert(str_starts(text, str_of(start)), "not %s: " STR_FMT, start, STR_ARG(text));
            cr_assert(contains(text, words[line]), "%s is not named: " STR_FMT, words[line], STR_ARG(text));
        }
    }
}

static int listen_on(int port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0, "bind: %m");
    cr_assert_eq(listen(fd, 1), 0);
    return fd;
}

Test(cli, what_fails_at_run_time_is_one_line)
{
    static const struct {
        const char *listen;
        const char *what;
    } table[] = {
        {"127.0.0.1:@PORT@", "127.0.0.1:@PORT@"},
        {"192.0.2.1:@PORT1@", "192.0.2.1:@PORT1@"},
        {"unix:@DIR@/missing/tern.sock", "@DIR@/missing/tern.sock"},
        {"unix:@DIR@/www", "@DIR@/www"},
    };
    file_directory("www");
    int fd = listen_on(harness_port(0));
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        file_write("tern.yaml", str_of(harness_expand(harness_text("listen: %s\n" SITE, table[i].listen))));
        struct result r = run_tern("-c", "@DIR@/tern.yaml");
        assert_refused(&r, FAILED, harness_expand(table[i].what));
        r = run_tern("-t", "-c", "@DIR@/tern.yaml");
        cr_assert_eq(r.status, FINE, "-t has bound something: %s", r.err.p);
    }
    struct result r = run_tern("-l", "127.0.0.1:@PORT@", "-r", "@DIR@/www");
    assert_refused(&r, FAILED, harness_expand("127.0.0.1:@PORT@"));
    close(fd);
}

Test(cli, a_log_that_cannot_be_opened_is_one_line)
{
    static const char *const logs[] = {"access: @DIR@/closed/log", "error: @DIR@/closed/log", "access: @DIR@/closed",
                                       "error: @DIR@/closed"};
    file_directory("closed");
    cr_assert_eq(chmod(file_path("closed"), 0), 0);
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
        file_write("tern.yaml", str_of(harness_expand(harness_text(LISTEN "log: {%s}\n" SITE, logs[i]))));
        struct command command = {.arguments = {command_tern(), "-c", file_path("tern.yaml")}, .unprivileged = true};
        struct result r = command_run(&command);
        assert_refused(&r, FAILED, file_path("closed"));
    }
}

Test(cli, help_and_version)
{
    struct result r = run_tern("-h"), same;
    static const char *const options[] = {"-c", "-t", "-T", "-l", "-r", "-w", "-q", "-v", "-V", "-h", "--pid", "-s"};
    cr_assert_eq(r.status, FINE);
    cr_assert_eq(r.err.n, 0, "%s", r.err.p);
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        cr_assert(contains(r.out, options[i]), "%s is not explained: %s", options[i], r.out.p);

    r = run_tern("-v");
    cr_assert_eq(r.status, FINE);
    cr_assert_eq(r.err.n, 0, "%s", r.err.p);
    cr_assert_eq(command_lines(r.out), 1, "not one line: %s", r.out.p);
    cr_assert(str_starts(r.out, STR("tern ")), "%s", r.out.p);

    same = run_tern("--version");
    cr_assert(same.status == FINE && str_eq(same.out, r.out), "%s", same.out.p);
    same = run_tern("--help");
    cr_assert(same.status == FINE && str_starts(same.out, STR("usage: tern ")), "%s", same.out.p);

    struct str version = str_cut(&r.out, '\n');
    r = run_tern("-V");
    cr_assert_eq(r.status, FINE);
    cr_assert(str_starts(r.out, version), "-V does not start as -v: %s", r.out.p);
    cr_assert(contains(r.out, "libev") && contains(r.out, "libyaml") && contains(r.out, "http-parser"), "%s", r.out.p);
}

Test(cli, a_good_configuration_passes)
{
    file_write("tern.yaml", str_of(harness_expand(LISTEN SITE)));
    struct result r = run_tern("-t", "-c", "@DIR@/tern.yaml");
    cr_assert_eq(r.status, FINE, "%s", r.err.p);
    r = run_tern("-q", "-t", "-c", "@DIR@/tern.yaml");
    cr_assert_eq(r.status, FINE);
    cr_assert_eq(r.out.n + r.err.n, 0, "-q -t prints: %s%s", r.out.p, r.err.p);
}

/* -T prints the whole configuration, defaults included, as a file that tern reads again and prints the same. */
Test(cli, the_effective_configuration_can_be_read_again)
{
    file_write("tern.yaml", str_of(harness_expand(LISTEN "limits: {header_size: 4k}\n" SITE)));
    struct result first = run_tern("-q", "-T", "-c", "@DIR@/tern.yaml");
    cr_assert_eq(first.status, FINE, "%s", first.err.p);
    static const char *const parts[] = {"header_size: 4k", "header_count: 100", "idle: 75s", "workers: auto", "hello"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        cr_assert(contains(first.out, parts[i]), "%s is missing: %s", parts[i], first.out.p);

    file_write("dump.yaml", first.out);
    struct result second = run_tern("-q", "-T", "-c", "@DIR@/dump.yaml");
    cr_assert_eq(second.status, FINE, "%s", second.err.p);
    cr_assert(str_eq(first.out, second.out), "%s\nis not\n%s", first.out.p, second.out.p);
}

Test(cli, a_directory_is_served_without_a_configuration)
{
    file_write("www/index.html", STR("<p>hello"));
    struct server server = server_start_as(
        &(struct server_setup){.arguments = {"-l", "127.0.0.1:@PORT@", "-r", "@DIR@/www", "-w", "2", "-q"}});
    pid_t workers[2];
    server_workers(&server, workers, 2);
    struct response r = fetch(server.port, "/");
    assert_status(r, 200);
    assert_body(r, STR("<p>hello"));
    assert_stop(&server, FINE);
    cr_assert_eq(server_log(&server).n, 0, "-q prints: %s", server_log(&server).p);
}

/* The name of a directory is taken as it is, whatever it would mean in a configuration. */
Test(cli, any_directory_can_be_served)
{
    static const char *const names[] = {"a b: {c} #d", "quotes \" and '", "back\\slash", "${HOME}", "- x", "\xc3\xbc"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        file_write(harness_text("%s/index.html", names[i]), str_of(names[i]));
        struct server server =
            server_start_as(&(struct server_setup){.arguments = {"-l", "127.0.0.1:@PORT@", "-r", file_path(names[i])}});
        struct response r = fetch(server.port, "/");
        assert_body(r, str_of(names[i]));
        assert_stop(&server, FINE);
    }
}

/* The same for names that are not text in a configuration; only a relative one can be such a word. */
Test(cli, any_word_can_be_the_directory)
{
    static const char *const names[] = {"null", "~", "true", "1"};
    char *tern = realpath(command_tern(), NULL);
    cr_assert(tern && setenv("TERN", tern, true) == 0 && chdir(harness_directory()) == 0, "%m");
    free(tern);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        file_write(harness_text("%s/index.html", names[i]), str_of(names[i]));
        struct server server =
            server_start_as(&(struct server_setup){.arguments = {"-l", "127.0.0.1:@PORT@", "-r", names[i]}});
        struct response r = fetch(server.port, "/");
        assert_body(r, str_of(names[i]));
        assert_stop(&server, FINE);
    }
}

Test(cli, w_overrides_the_configuration)
{
    struct server server =
        server_start_as(&(struct server_setup){.config = LISTEN "workers: 1\n" SITE, .arguments = {"-w", "3"}});
    pid_t workers[3];
    server_workers(&server, workers, 3);
    assert_stop(&server, FINE);
}

Test(cli, it_says_where_it_serves)
{
    struct server server = server_start(LISTEN SITE);
    const char *address = harness_expand("127.0.0.1:@PORT@");
    cr_assert(until(contains(server_log(&server), address)), "%s is not named: %s", address, server_log(&server).p);
    assert_stop(&server, FINE);
}

/* ---- orders to a server that runs ---- */

#define CONTROL "control: @DIR@/control.sock\n"

Test(cli, an_order_that_reaches_nobody)
{
    static const struct {
        const char *config, *pid, *why;
        int status;
    } table[] = {
        {CONTROL LISTEN SITE, NULL, "no tern answers at @DIR@/control.sock: No such file", FAILED},
        {"control: off\n" LISTEN SITE, NULL, "--pid", REFUSED},
        {CONTROL LISTEN SITE, "", "no tern answers at @DIR@/tern.pid: that is no pid file", FAILED},
        {CONTROL LISTEN SITE, "precious\n", "no tern answers at @DIR@/tern.pid: that is no pid file", FAILED},
        {CONTROL LISTEN SITE, "2147483647\n", "no tern answers at @DIR@/tern.pid: there is no such process", FAILED},
        {"lissten: 1\n", NULL, "lissten", REFUSED},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        file_write("tern.yaml", str_of(harness_expand(table[i].config)));
        if (table[i].pid)
            file_write("tern.pid", str_of(table[i].pid));
        struct result r = table[i].pid ? run_tern("-s", "quit", "--pid", "@DIR@/tern.pid")
                                       : run_tern("-s", "quit", "-c", "@DIR@/tern.yaml");
        cr_assert_eq(r.status, table[i].status, "row %zu: %d: %s", i, r.status, r.err.p);
        cr_assert(contains(r.err, harness_expand(table[i].why)), "row %zu: %s", i, r.err.p);
    }
    struct result r = run_tern("-s", "quit", "--pid", "@DIR@/missing.pid");
    assert_refused(&r, FAILED, "missing.pid: No such file");
}

/* One whose request is at work, and waits for the rest of its body. */
static struct client *busy_client(const struct server *server)
{
    struct client *c = client_open(server->port);
    client_send(c, STR("POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"));
    assert_status(response_read(c), 100);
    return c;
}

#define ECHO "sites: [{routes: [{path: /, echo: {}}]}]\n"

Test(cli, orders_find_the_server_by_its_control_socket)
{
    struct server server = server_start(CONTROL LISTEN ECHO);
    struct result r = run_tern("-c", "@DIR@/tern.yaml", "-s", "reload");
    cr_assert_eq(r.status, FINE, "%s", r.err.p);
    cr_assert_eq(r.out.n + r.err.n, 0, "it prints: %s%s", r.out.p, r.err.p);
    cr_assert(until(contains(server_log(&server), "generation 2 serves")), "%s", server_log(&server).p);
    r = run_tern("-c", "@DIR@/tern.yaml", "-s", "reopen");
    cr_assert_eq(r.status, FINE, "%s", r.err.p);
    cr_assert(until(contains(server_log(&server), "reopened")), "%s", server_log(&server).p);
    r = run_tern("-c", "@DIR@/tern.yaml", "-s", "quit");
    cr_assert_eq(r.status, FINE, "%s", r.err.p);
    assert_exit(&server, FINE);
    r = run_tern("-c", "@DIR@/tern.yaml", "-s", "quit");
    assert_refused(&r, FAILED, file_path("control.sock"));
}

Test(cli, stop_cuts_what_quit_lets_end)
{
    struct server server = server_start(CONTROL LISTEN ECHO);
    struct client *c = busy_client(&server);
    struct result r = run_tern("-c", "@DIR@/tern.yaml", "-s", "quit");
    cr_assert_eq(r.status, FINE, "%s", r.err.p);
    cr_assert(until(contains(server_log(&server), "stopping")), "%s", server_log(&server).p);
    client_send(c, STR("12345"));
    assert_status(response_read(c), 200);
    assert_exit(&server, FINE);
    client_close(c);

    server = server_start(CONTROL LISTEN ECHO);
    c = busy_client(&server);
    r = run_tern("-c", "@DIR@/tern.yaml", "-s", "stop");
    cr_assert_eq(r.status, FINE, "%s", r.err.p);
    cr_assert(client_ends(c), "an answer to half a request");
    assert_exit(&server, CUT);
}

Test(cli, the_pid_file_is_that_of_the_server_that_serves)
{
    struct server server = server_start(CONTROL LISTEN ECHO);
    const char *own = harness_text("%d\n", server.pid);
    struct result r = run_tern("--pid", "@DIR@/tern.pid", "-s", "upgrade");
    cr_assert_eq(r.status, FINE, "%s", r.err.p);
    assert_exit(&server, FINE);
    cr_assert(until(file_read("tern.pid").n > 0 && !str_eq(file_read("tern.pid"), str_of(own))));
    struct str pid = file_read("tern.pid");
    uint64_t next;
    cr_assert_eq(str_to_u64(str_cut(&pid, '\n'), &next), 0);
    r = run_tern("--pid", "@DIR@/tern.pid", "-s", "quit");
    cr_assert_eq(r.status, FINE, "%s", r.err.p);
    cr_assert_eq(command_wait((pid_t)next), FINE);
    cr_assert_eq(access(file_path("tern.pid"), F_OK), -1, "the pid file is left behind");
}

Test(cli, a_file_that_is_no_pid_file_is_not_written_over)
{
    file_write("precious", STR("precious\n"));
    file_write("tern.yaml", str_of(harness_expand(CONTROL LISTEN SITE)));
    struct result r = run_tern("-c", "@DIR@/tern.yaml", "--pid", "@DIR@/precious");
    cr_assert_eq(r.status, FAILED);
    cr_assert(contains(r.err, "cannot write the pid file"), "%s", r.err.p);
    cr_assert(str_eq(file_read("precious"), STR("precious\n")));
}

/* The default socket may be that of the system's own server. */
Test(cli, an_order_needs_a_socket_that_is_named)
{
    file_write("tern.yaml", str_of(harness_expand(LISTEN SITE)));
    struct result r = run_tern("-c", "@DIR@/tern.yaml", "-s", "stop");
    cr_assert_eq(r.status, REFUSED);
    cr_assert(contains(r.err, "another server may have the default socket"), "%s", r.err.p);
}
