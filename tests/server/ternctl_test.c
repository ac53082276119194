/* ternctl: what it says when there is nobody, or the wrong one, to answer, and what it does to a server that runs. */
#include "ctl/option.h"
#include "ctl/verb.h"
#include "harness.h"
#include "harness_client.h"
#include "harness_command.h"
#include "harness_file.h"
#include "harness_response.h"
#include "harness_server.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(ternctl, .init = harness_begin, .fini = harness_end);

enum { FINE = 0, FAILED = 1, USAGE = 2, REFUSED = 4, NO_SERVER = 7 };

#define CONTROL "control: @DIR@/control.sock\n"
#define LISTEN "listen: 127.0.0.1:@PORT@\nworkers: 2\n"
#define SITE(body) "sites: [{routes: [{exact: /, respond: {status: 200, type: text/plain, body: " body "}}]}]\n"

static bool contains(struct str text, const char *part)
{
    return text.n && memmem(text.p, text.n, part, strlen(part));
}

/* It is built beside tern. */
static const char *ternctl(void)
{
    return harness_text("%sctl", command_tern());
}

static struct result run_with(const char *const *arguments)
{
    struct command command = {.arguments = {ternctl()}};
    for (size_t i = 0; arguments[i]; i++)
        command.arguments[i + 1] = harness_expand(arguments[i]);
    return command_run(&command);
}

#define run(...) run_with((const char *const[]){__VA_ARGS__, NULL})
#define ask_server(...) run("-S", "@DIR@/control.sock", __VA_ARGS__)

static struct result run_in_shell(const char *line)
{
    setenv("TERNCTL", ternctl(), 1);
    return command_run(&(struct command){.arguments = {"/bin/sh", "-c", harness_expand(line)}});
}

static void assert_result(const struct result *r, int status, const char *out, const char *err)
{
    cr_assert_eq(r->status, status, "status %d, not %d: %s%s", r->status, status, r->out.p, r->err.p);
    cr_assert(out ? contains(r->out, out) : r->out.n == 0, "not %s: %s", out ? out : "silent", r->out.p);
    cr_assert(err ? contains(r->err, err) : r->err.n == 0, "not %s: %s", err ? err : "silent", r->err.p);
}

static bool is_there(const char *name)
{
    return access(file_path(name), F_OK) == 0;
}

/* The number behind a key of JSON; the answer must have one. */
static uint64_t number_in(struct str json, const char *key)
{
    uint64_t value = 0;
    const char *quoted = harness_text("\"%s\":", key), *at = memmem(json.p, json.n, quoted, strlen(quoted));
    cr_assert_not_null(at, "no %s: %s", key, json.p);
    at += strlen(quoted);
    cr_assert_eq(str_to_u64((struct str){at, strspn(at, "0123456789")}, &value), 0, "%s: %s", key, json.p);
    return value;
}

/* ---- nobody to ask ---- */

Test(ternctl, where_no_server_answers)
{
    static const struct {
        const char *socket, *why;
    } table[] = {
        {"@DIR@/missing.sock", "missing.sock: No such file or directory"},
        {"@DIR@/missing/control.sock", "control.sock: No such file or directory"},
        {"@DIR@/file", "file: nobody listens there"},
        {"@DIR@/file/x", "Not a directory"},
        {"@DIR@/"
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
         "File name too long"},
    };
    file_write("file", STR("text"));
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct result r = run("-S", table[i].socket, "status");
        assert_result(&r, NO_SERVER, NULL, table[i].why);
        cr_expect_eq(command_lines(r.err), 1, "%s", r.err.p);
    }
}

Test(ternctl, nonsense_needs_no_server)
{
    struct result r = run("-S", "@DIR@/missing.sock", "relaod");
    assert_result(&r, USAGE, NULL, "did you mean `reload`? (ternctl --help ");
    r = run("log", "loud");
    assert_result(&r, USAGE, NULL, "debug, info, notice, warn, error (ternctl log --help tells how it is used)");
    r = run("--json");
    assert_result(&r, USAGE, NULL, "--help");
}

Test(ternctl, a_server_that_hangs)
{
    struct server server = server_start(CONTROL LISTEN SITE("hello"));
    kill(server.pid, SIGSTOP);
    struct result r = ask_server("--timeout", "100ms", "status");
    assert_result(&r, NO_SERVER, NULL, "ternctl: no answer from the server at ");
    assert_result(&r, NO_SERVER, NULL, " within 100ms\n");
    kill(server.pid, SIGCONT);
    r = ask_server("status");
    assert_result(&r, FINE, "is serving", NULL);
    assert_stop(&server, FINE);
}

Test(ternctl, who_may_not_ask)
{
    if (geteuid() != 0)
        harness_skip("only root can run a server as somebody else");
    struct server server = server_start("user: daemon\ngroup: daemon\n" CONTROL LISTEN SITE("hello"));
    struct command command = {.arguments = {ternctl(), "-S", file_path("control.sock"), "reload"},
                              .unprivileged = true};
    struct result r = command_run(&command);
    assert_result(&r, REFUSED, NULL, "may not ask the server at ");
    cr_assert(contains(r.err, "permission denied"), "%s", r.err.p);
    cr_assert_eq(chmod(file_path("control.sock"), 0666), 0);
    r = command_run(&command);
    assert_result(&r, REFUSED, NULL, "only root");
    cr_assert(contains(server_log(&server), "may not ask"), "%s", server_log(&server).p);
    assert_stop(&server, FINE);
}

/* ---- the socket ---- */

Test(ternctl, a_socket_that_another_server_has_is_left_alone)
{
    struct server server = server_start(CONTROL LISTEN SITE("hello"));
    file_write("second.yaml", str_of(harness_expand(CONTROL "listen: 127.0.0.1:@PORT1@\n" SITE("second"))));
    struct result r = run_tern("-c", "@DIR@/second.yaml");
    cr_assert_eq(r.status, FAILED, "%d: %s", r.status, r.err.p);
    cr_assert(contains(r.err, file_path("control.sock")), "%s", r.err.p);
    r = ask_server("--json", "version");
    assert_result(&r, FINE, "\"ok\":true", NULL);
    cr_assert_eq(number_in(r.out, "pid"), (uint64_t)server.pid);
    assert_stop(&server, FINE);
    cr_assert_not(is_there("control.sock"), "it is not removed at the end");
}

Test(ternctl, a_socket_that_was_left_behind_is_no_obstacle)
{
    struct server server = server_start(CONTROL LISTEN SITE("hello"));
    struct stat st;
    kill(server.pid, SIGKILL);
    server_wait(&server);
    cr_assert(is_there("control.sock"));
    server = server_start(CONTROL LISTEN SITE("hello"));
    struct result r = ask_server("version");
    assert_result(&r, FINE, "tern ", NULL);
    cr_assert_eq(stat(file_path("control.sock"), &st), 0);
    cr_assert_eq(st.st_mode, S_IFSOCK | 0660, "%o", st.st_mode);
    assert_stop(&server, FINE);
}

Test(ternctl, a_file_that_is_no_socket_stays_and_without_a_folder_there_is_none)
{
    file_write("control.sock", STR("precious"));
    file_write("tern.yaml", str_of(harness_expand(CONTROL LISTEN SITE("hello"))));
    struct result r = run_tern("-c", "@DIR@/tern.yaml");
    cr_assert_eq(r.status, FAILED);
    cr_assert(contains(r.err, file_path("control.sock")), "%s", r.err.p);
    cr_assert(str_eq(file_read("control.sock"), STR("precious")));
    file_write("tern.yaml", str_of(harness_expand("control: @DIR@/missing/control.sock\n" LISTEN SITE("hello"))));
    r = run_tern("-c", "@DIR@/tern.yaml");
    cr_assert_eq(r.status, FAILED);
    cr_assert(contains(r.err, "missing/control.sock"), "%s", r.err.p);
}

/* ---- the verbs ---- */

Test(ternctl, status_tells_of_workers_and_listeners)
{
    struct server server = server_start(CONTROL LISTEN SITE("hello"));
    pid_t workers[2];
    server_workers(&server, workers, 2);
    struct client *c = client_open(server.port);
    assert_status(get(c, "/"), 200);
    struct result r = ask_server("status");
    assert_result(&r, FINE, "is serving, generation 1", NULL);
    for (size_t i = 0; i < 2; i++)
        cr_assert(contains(r.out, harness_text(" %d ", workers[i])), "%d is missing: %s", workers[i], r.out.p);
    cr_assert(contains(r.out, harness_expand("127.0.0.1:@PORT@ (2 sockets)")), "%s", r.out.p);
    cr_assert(contains(r.out, file_path("tern.yaml")), "%s", r.out.p);
    cr_assert(contains(r.out, "   all"), "%s", r.out.p);

    r = ask_server("--json", "status");
    assert_result(&r, FINE, "{\"ok\":true,", NULL);
    cr_assert_eq(command_lines(r.out), 1, "not one line: %s", r.out.p);
    cr_assert_eq(number_in(r.out, "pid"), (uint64_t)server.pid);
    cr_assert(contains(r.out, "\"connections\":1,\"idle\":1,"), "%s", r.out.p);
    client_close(c);
    assert_stop(&server, FINE);
}

Test(ternctl, reload_takes_over_a_good_configuration)
{
    struct server server = server_start(CONTROL LISTEN SITE("one"));
    assert_body(fetch(server.port, "/"), STR("one"));
    file_write("tern.yaml", str_of(harness_expand(CONTROL LISTEN SITE("two"))));
    struct result r = ask_server("reload");
    assert_result(&r, FINE, "generation 2 serves, with 2 workers\n", NULL);
    assert_body(fetch(server.port, "/"), STR("two"));
    r = ask_server("--json", "reload");
    assert_result(&r, FINE, "{\"ok\":true,\"generation\":3,\"workers\":2}\n", NULL);
    assert_stop(&server, FINE);
}

Test(ternctl, reload_tells_what_is_wrong_and_where)
{
    struct server server = server_start(CONTROL LISTEN SITE("one"));
    file_write("tern.yaml",
               str_of(harness_expand(CONTROL LISTEN "lissten: 1\nlimits:\n  header_size: 3g\n" SITE("two"))));
    struct result r = ask_server("reload");
    assert_result(&r, REFUSED, NULL, harness_text("%s:4:1: error: ", file_path("tern.yaml")));
    cr_assert(contains(r.err, harness_text("%s:6:16: error: ", file_path("tern.yaml"))), "%s", r.err.p);
    cr_assert_eq(command_lines(r.err), 3, "%s", r.err.p);
    r = ask_server("--json", "reload");
    assert_result(&r, REFUSED, "{\"ok\":false,\"code\":\"refused\",", NULL);
    assert_body(fetch(server.port, "/"), STR("one"));
    assert_stop(&server, FINE);
}

Test(ternctl, log_tells_and_sets_the_level)
{
    struct server server = server_start(CONTROL LISTEN "log: {level: warn}\n" SITE("hello"));
    struct result r = ask_server("log");
    assert_result(&r, FINE, "warn\n", NULL);
    r = ask_server("log", "debug");
    assert_result(&r, FINE, "debug\n", NULL);
    r = ask_server("log");
    assert_result(&r, FINE, "debug\n", NULL);
    r = ask_server("reload");
    assert_result(&r, FINE, "generation 2", NULL);
    r = ask_server("log");
    assert_result(&r, FINE, "warn\n", NULL);
    assert_stop(&server, FINE);
}

Test(ternctl, reopen_goes_on_in_a_new_file)
{
    struct server server =
        server_start(CONTROL LISTEN "log: {access: {path: @DIR@/access.log, flush: 100ms}}\n" SITE("hello"));
    assert_status(fetch(server.port, "/"), 200);
    cr_assert(until(file_read("access.log").n > 0));
    cr_assert_eq(rename(file_path("access.log"), file_path("access.log.1")), 0);
    struct result r = ask_server("reopen");
    assert_result(&r, FINE, "opened anew\n", NULL);
    cr_assert(is_there("access.log"));
    assert_status(fetch(server.port, "/"), 200);
    cr_assert(until(command_lines(file_read("access.log")) == 1));
    cr_assert_eq(command_lines(file_read("access.log.1")), 1);
    assert_stop(&server, FINE);
}

Test(ternctl, drain_ends_the_server)
{
    struct server server = server_start(CONTROL LISTEN SITE("hello"));
    struct result r = ask_server("drain");
    assert_result(&r, FINE, " left, to end within 30 s\n", NULL);
    assert_exit(&server, FINE);
    cr_assert_not(is_there("control.sock"));
}

Test(ternctl, upgrade_hands_over_to_another_process)
{
    struct server server = server_start(CONTROL LISTEN SITE("hello"));
    struct result r = ask_server("--json", "upgrade");
    assert_result(&r, FINE, "\"ok\":true", NULL);
    struct server next = {.pid = (pid_t)number_in(r.out, "pid"), .port = server.port};
    cr_assert_neq(next.pid, server.pid);
    assert_exit(&server, FINE);
    r = ask_server("--json", "version");
    assert_result(&r, FINE, "\"ok\":true", NULL);
    cr_assert_eq(number_in(r.out, "pid"), (uint64_t)next.pid);
    assert_body(fetch(server.port, "/"), STR("hello"));
    assert_stop(&next, FINE);
    cr_assert_not(is_there("control.sock"));
}

/* A row in the table of verbs needs an action in the server. */
Test(ternctl, the_server_knows_every_verb)
{
    struct server server = server_start(CONTROL LISTEN SITE("hello"));
    struct client *c = client_open_unix(file_path("control.sock"));
    for (const struct verb *verb = verbs; verb->name; verb++) {
        if (strcmp(verb->name, "drain") == 0 || strcmp(verb->name, "upgrade") == 0)
            continue; /* they have tests of their own */
        client_printf(c, "%s\n", verb->name);
        struct str answer = client_take_through(c, STR("\n"));
        cr_expect_not(contains(answer, "does not know"), "%s: " STR_FMT, verb->name, STR_ARG(answer));
        cr_expect(str_starts(answer, STR("{\"ok\":")), "%s: " STR_FMT, verb->name, STR_ARG(answer));
    }
    client_close(c);
    assert_stop(&server, FINE);
}

/* ---- output ---- */

Test(ternctl, output_that_nobody_reads)
{
    struct server server = server_start(CONTROL LISTEN SITE("hello"));
    struct result r = run_in_shell("(sleep 0.1; \"$TERNCTL\" -S @DIR@/control.sock status; echo $? >&2) | :");
    assert_result(&r, FINE, NULL, "0\n");
    r = run_in_shell("\"$TERNCTL\" -S @DIR@/control.sock status >/dev/full");
    assert_result(&r, FAILED, NULL, "No space left");
    r = run_in_shell("\"$TERNCTL\" --help >/dev/full");
    assert_result(&r, FAILED, NULL, "No space left");
    assert_stop(&server, FINE);
}

Test(ternctl, help_is_made_from_the_tables)
{
    struct result all = run("--help"), r;
    assert_result(&all, FINE, "usage: ternctl ", NULL);
    for (const struct verb *verb = verbs; verb->name; verb++) {
        cr_expect(contains(all.out, harness_text("\n  %s", verb->name)), "%s", verb->name);
        r = run(verb->name, "--help");
        assert_result(&r, FINE, verb->help, NULL);
    }
    for (const struct option_row *row = option_rows; row->name; row++)
        cr_expect(contains(all.out, harness_text("--%s", row->name)), "%s", row->name);
    r = run("--version");
    assert_result(&r, FINE, "ternctl ", NULL);
    struct result tern = run_tern("--version");
    cr_expect(str_ends(r.out, str_skip(tern.out, strlen("tern"))), "%s is not of %s", r.out.p, tern.out.p);
}

/* ---- the manual ---- */

static bool has_item(struct str manual, const char *macro, const char *name)
{
    return contains(manual, harness_text("\n.It %s %s\n", macro, name)) ||
           contains(manual, harness_text("\n.It %s %s ", macro, name));
}

Test(ternctl, the_manual_has_every_verb_and_option)
{
    struct str manual = file_read(harness_text("%s/docs/ternctl.1", getcwd(harness_alloc(512), 512)));
    cr_assert_gt(manual.n, 0, "docs/ternctl.1 can't be read");
    for (const struct verb *verb = verbs; verb->name; verb++)
        cr_expect(has_item(manual, "Cm", verb->name), "%s", verb->name);
    for (const struct option_row *row = option_rows; row->name; row++) {
        const char *name = row->letter ? harness_text("%c , -%s", row->letter, row->name) : row->name;
        cr_expect(has_item(manual, "Fl", row->letter ? name : harness_text("-%s", name)), "%s", row->name);
    }
    for (const char *const *level = verb_find(STR("log"))->words; *level; level++)
        cr_expect(contains(manual, harness_text("\n.Cm %s", *level)), "%s", *level);
}

/* Pages that are not installed here can't be found. */
Test(ternctl, the_manual_is_well_formed)
{
    struct result r = run_in_shell("command -v mandoc >/dev/null || exit 42; mandoc -T lint docs/ternctl.1 | "
                                   "grep -v 'referenced manual not found'");
    if (r.status == 42)
        harness_skip("mandoc is not installed");
    cr_expect_eq(r.out.n, 0, "%s", r.out.p);
}
