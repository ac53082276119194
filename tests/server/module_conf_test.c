/* Modules that can't be had: whatever is wrong is told with its place in the file, by -t, at the start and by a reload,
 * and none of it ever happens in the master. */
#include "harness.h"
#include "harness_file.h"
#include "harness_response.h"
#include "module_service.h"
#include "service.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>

enum { REFUSED = 2, RELOAD_REFUSED = 4, WORKERS = 2, REASONS = 8 };

TestSuite(module_conf, .init = harness_begin, .fini = harness_end, .timeout = 120);

/* Where values stand in the configuration below. */
#define AT_FILE "tern.yaml:9:17: error: "
#define AT_HANDLER "tern.yaml:10:20: error: "
#define AT_SETTINGS "tern.yaml:11:21: error: "
#define AT_MODULE "tern.yaml:9:11: error: "

static const char *config_of(const char *file, const char *handler, const char *settings)
{
    return harness_expand(harness_text("listen: \"127.0.0.1:@PORT@\"\n"
                                       "workers: 2\n"
                                       "control: @DIR@/run/control.sock\n" MODULES "sites:\n"
                                       "  - routes:\n"
                                       "      - path: /\n"
                                       "        module:\n"
                                       "          file: %s\n"
                                       "          handler: %s\n"
                                       "%s%s\n",
                                       file, handler, settings ? "          settings: " : "",
                                       settings ? settings : ""));
}

/* Lines of a text that have both of these in them. */
static size_t lines_with(const char *text, const char *place, const char *reason)
{
    size_t count = 0;
    for (struct str rest = str_of(text); rest.n;) {
        struct str line = str_cut(&rest, '\n');
        const char *copy = harness_text(STR_FMT, STR_ARG(line));
        count += strstr(copy, place) && strstr(copy, reason);
    }
    return count;
}

struct row {
    const char *file, *handler, *settings;
    const char *place, *reason;
};

static void assert_told(const struct row *row, const char *way, const char *text)
{
    cr_assert_eq(lines_with(text, row->place, row->reason), 1, "%s, %s, %s; %s: no `%s%s` in: %s", row->file,
                 row->handler, row->settings ? row->settings : "{}", way, row->place, row->reason, text);
}

/* By -t, and by a server that is to start on it. */
static void assert_no_start(const struct row *row)
{
    file_write("other/tern.yaml", str_of(config_of(row->file, row->handler, row->settings)));
    struct result checked = run_tern("-t", "-c", "@DIR@/other/tern.yaml");
    struct result started = run_tern("-c", "@DIR@/other/tern.yaml");
    cr_assert_eq(checked.status, REFUSED, "-t: status %d for %s, %s: %s", checked.status, row->file, row->handler,
                 checked.err.p);
    cr_assert_eq(started.status, REFUSED, "at start: status %d: %s", started.status, started.err.p);
    assert_told(row, "-t", checked.err.p);
    assert_told(row, "at start", started.err.p);
    cr_assert_eq(command_lines(checked.err), 1, "not one line: %s", checked.err.p);
}

/* By a reload, which changes nothing. */
static void assert_no_reload(const struct server *server, const struct row *row)
{
    pid_t before[WORKERS], after[WORKERS];
    struct str told;
    server_workers(server, before, WORKERS);
    file_replace("tern.yaml", str_of(config_of(row->file, row->handler, row->settings)));
    assert_ctl_tells(&told, RELOAD_REFUSED, "reload");
    assert_told(row, "by a reload", told.p);
    server_workers(server, after, WORKERS);
    cr_assert_arr_eq(before, after, sizeof before, "other workers:\n%s", server_log(server).p);
    assert_body(fetch(server->port, "/version"), STR("1"));
}

static void assert_refused(const struct row *rows, size_t count)
{
    struct server server = service_start(.more = MODULES);
    for (size_t i = 0; i < count; i++) {
        assert_no_start(&rows[i]);
        assert_no_reload(&server, &rows[i]);
    }
    service_write(.version = "good");
    assert_ctl(0, "reload");
    assert_body(fetch(server.port, "/version"), STR("good"));
    assert_stop(&server, 0);
}

#define assert_table_refused(table) assert_refused((table), sizeof(table) / sizeof *(table))

Test(module_conf, what_is_no_module)
{
    static const struct row table[] = {
        {"missing.so", "x", NULL, AT_FILE, "modules/missing.so: cannot open shared object file: No such file"},
        {"@DIR@/elsewhere.so", "x", NULL, AT_FILE, "@DIR@/elsewhere.so: cannot open shared object file: No such file"},
        {"text.so", "x", NULL, AT_FILE, "modules/text.so: "},
        {"empty.so", "x", NULL, AT_FILE, "modules/empty.so: "},
        {"@DIR@/modules", "x", NULL, AT_FILE, "@DIR@/modules: "},
        {"no_symbol.so", "x", NULL, AT_FILE, "no symbol `tern_module`"},
        {"other_version.so", "x", NULL, AT_FILE, "version 2 of the module interface; this server has version 1"},
        {"nameless.so", "x", NULL, AT_FILE, "its tern_module has no name"},
        {"undefined.so", "undefined", NULL, AT_FILE, "undefined symbol: tern_test_symbol_of_nobody"},
        {"serveless.so", "whole", NULL, AT_FILE, "its handler `hollow` has nothing to serve with"},
        {"idle_job.so", "x", NULL, AT_FILE, "its job `idle` has nothing to run"},
        {"\"\"", "x", NULL, AT_FILE, "is no path"},
        {"[hello.so]", "x", NULL, AT_FILE, "takes a single value, not a list"},
    };
    static const char *const names[] = {"no_symbol", "other_version", "nameless", "undefined", "serveless", "idle_job"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        module_install(names[i]);
    file_write("modules/text.so", STR("#!/bin/sh\necho no\n"));
    file_write("modules/empty.so", STR(""));
    struct row expanded[sizeof table / sizeof *table];
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        expanded[i] = table[i];
        expanded[i].reason = harness_expand(table[i].reason);
    }
    assert_table_refused(expanded);
}

/* The loader of libc trusts a file to be as long as it says. */
Test(module_conf, a_file_that_was_cut)
{
    static const struct row table[] = {
        {"cut.so", "x", NULL, AT_MODULE, "crashes while it is loaded or opened, by signal 7"}};
    if (harness_is_sanitized())
        harness_skip("a sanitizer would tell of it by other means");
    file_write("modules/cut.so", (struct str){module_read("nameless").p, 4000});
    assert_table_refused(table);
}

Test(module_conf, a_handler_that_it_does_not_have)
{
    static const struct row table[] = {
        {"hello.so", "hallo", NULL, AT_HANDLER, "the module has no handler of that name; it has hello"},
        {"settings.so", "Every", NULL, AT_HANDLER, "; it has every, silent, picky, pickier, lenient, crash"},
        {"hello.so", "hello/", NULL, AT_HANDLER, "the module has no handler of that name"},
        {"hello.so", "\"\"", NULL, AT_HANDLER, ""},
        {"hello.so", "{a: b}", NULL, AT_HANDLER, "takes a single value, not a mapping"},
    };
    module_install("hello");
    module_install("settings");
    assert_table_refused(table);
}

#define EVERY(settings) "settings.so", "every", settings

Test(module_conf, settings)
{
    static const struct row table[] = {
        {EVERY("[a, b]"), AT_SETTINGS, "takes a mapping, not a list"},
        {EVERY("text"), AT_SETTINGS, "takes a mapping, not a value"},
        {EVERY("{}"), "tern.yaml:11:21: error: ", "lacks `text`"},
        {EVERY(NULL), AT_MODULE, "lacks `text`"},
        {EVERY(""), "tern.yaml:11:20: error: ", "has no value"},
        {EVERY("{number: 1}"), AT_SETTINGS, "lacks `text`"},
        {EVERY("{text: [a]}"), "tern.yaml:11:28: error: ", "takes a single value, not a list"},
        {EVERY("{text: {a: b}}"), "tern.yaml:11:28: error: ", "takes a single value, not a mapping"},
        {EVERY("{text: }"), "tern.yaml:11:28: error: ", "has no value"},
        {EVERY("{text: a, number: many}"), "tern.yaml:11:39: error: ", "`many` is not "},
        {EVERY("{text: a, number: 101}"), "tern.yaml:11:39: error: ", "101 is out of range (-10 to 100)"},
        {EVERY("{text: a, number: -11}"), "tern.yaml:11:39: error: ", "-11 is out of range (-10 to 100)"},
        {EVERY("{text: a, number: 1.5}"), "tern.yaml:11:39: error: ", "`1.5` is not "},
        {EVERY("{text: a, number: 99999999999999999999}"), "tern.yaml:11:39: error: ", "out of range"},
        {EVERY("{text: a, size: 2m}"), "tern.yaml:11:37: error: ", "2m is out of range (0 to 1m)"},
        {EVERY("{text: a, size: -1}"), "tern.yaml:11:37: error: ", "`-1` is not "},
        {EVERY("{text: a, size: 1x}"), "tern.yaml:11:37: error: ", "`1x` is not "},
        {EVERY("{text: a, time: 61s}"), "tern.yaml:11:37: error: ", "61s is out of range (0 to 1m)"},
        {EVERY("{text: a, time: soon}"), "tern.yaml:11:37: error: ", "`soon` is not "},
        {EVERY("{text: a, flag: maybe}"), "tern.yaml:11:37: error: ", "`maybe` is not on or off"},
        {EVERY("{text: a, list: [b, {c: d}]}"), "tern.yaml:11:41: error: ", "takes a single value, not a mapping"},
        {EVERY("{text: a, list: {c: d}}"), "tern.yaml:11:37: error: ", "takes a single value, not a mapping"},
        {EVERY("{text: a, inner: {}}"), "tern.yaml:11:38: error: ", "lacks `depth`"},
        {EVERY("{text: a, inner: 3}"), "tern.yaml:11:38: error: ", "takes a mapping, not a value"},
        {EVERY("{text: a, inner: {depth: 1, width: 2}}"), "tern.yaml:11:49: error: ", "unknown key"},
        {EVERY("{text: a, inner: {depth: 1, deph: 2}}"), "tern.yaml:11:49: error: ", "did you mean `depth`?"},
        {EVERY("{text: a, sise: 1k}"), "tern.yaml:11:31: error: ", "unknown key; did you mean `size`?"},
        {EVERY("{text: a, wholly_other: 1k}"), "tern.yaml:11:31: error: ", "unknown key"},
        {EVERY("{text: a, text: b}"), "tern.yaml:11:31: error: ", ""},
        {"settings.so", "none", "{text: a}", "tern.yaml:11:22: error: ", "unknown key"},
    };
    module_install("settings");
    assert_table_refused(table);
}

Test(module_conf, handlers_that_do_not_open)
{
    static const struct row table[] = {
        {"settings.so", "silent", NULL, AT_HANDLER, "the handler does not open: Permission denied"},
        {"settings.so", "picky", "{colour: loud}", "tern.yaml:11:30: error: ", "loud is no colour"},
        {"settings.so", "picky", "{}", AT_SETTINGS, "red is no colour"},
        {"settings.so", "picky", NULL, AT_MODULE, "red is no colour"},
        {"settings.so", "pickier", "{}", AT_SETTINGS, "they do not go together"},
        {"settings.so", "lenient", "{colour: loud}", "tern.yaml:11:30: error: ", "loud is no colour"},
        {"settings.so", "crash", NULL, AT_MODULE, "crashes while it is loaded or opened, by signal 6"},
        {"settings.so", "leave", NULL, AT_MODULE, "ends its process while it is loaded or opened, with status 0"},
    };
    module_install("settings");
    assert_table_refused(table);
}

Test(module_conf, what_happens_at_load)
{
    static const struct row table[] = {
        {"crash.so", "serve", NULL, AT_MODULE, "crashes while it is loaded or opened, by signal 11"},
        {"abort.so", "serve", NULL, AT_MODULE, "crashes while it is loaded or opened, by signal 6"},
        {"exit.so", "serve", NULL, AT_MODULE, "ends its process while it is loaded or opened, with status 7"},
        {"leave.so", "serve", NULL, AT_MODULE, "ends its process while it is loaded or opened, with status 0"},
    };
    static const char *const names[] = {"crash", "abort", "exit", "leave"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        module_install_as("at_load", names[i]);
    assert_table_refused(table);
}

static bool has_loaded(pid_t pid, const char *file)
{
    FILE *maps = fopen(harness_text("/proc/%d/maps", pid), "re");
    char line[1024];
    bool found = false;
    cr_assert_not_null(maps, "no process %d", pid);
    while (!found && fgets(line, sizeof line, maps))
        found = strstr(line, file) != NULL;
    fclose(maps);
    return found;
}

/* One check: it takes the ten seconds that the server has patience for. */
Test(module_conf, a_module_that_hangs)
{
    module_install_as("at_load", "hang");
    file_write("tern.yaml", str_of(config_of("hang.so", "serve", NULL)));
    struct result checked = run_tern("-t", "-c", "@DIR@/tern.yaml");
    cr_assert_eq(checked.status, REFUSED, "%s", checked.err.p);
    cr_assert_eq(lines_with(checked.err.p, AT_MODULE, "did not come to an end within 10 s"), 1, "%s", checked.err.p);
    cr_assert_eq(command_lines(checked.err), 1, "%s", checked.err.p);
}

/* Who tries it does not outlive who wants to know. */
Test(module_conf, a_module_that_hangs_ends_with_its_master)
{
    pid_t child;
    module_install_as("at_load", "hang");
    file_write("tern.yaml", str_of(config_of("hang.so", "serve", NULL)));
    pid_t master = command_start(&(struct command){.arguments = {command_tern(), "-c", file_path("tern.yaml")}});
    cr_assert(until(harness_children(master, &child, 1) == 1 && has_loaded(child, "/modules/hang.so")));
    kill(master, SIGKILL);
    cr_assert(until(service_is_gone(child)), "process %d lives on", child);
}

/* ---- several things at once ---- */

#define HEAD                                                                                                           \
    "listen: \"127.0.0.1:@PORT@\"\n"                                                                                   \
    "control: @DIR@/run/control.sock\n" MODULES "sites:\n"                                                             \
    "  - routes:\n"

/* Reasons must follow each other, one a line. */
static void assert_reasons(const char *config, const char *const *reasons)
{
    size_t n = 0;
    file_write("tern.yaml", str_of(harness_expand(config)));
    struct result checked = run_tern("-t", "-c", "@DIR@/tern.yaml");
    cr_assert_eq(checked.status, REFUSED, "status %d: %s", checked.status, checked.err.p);
    for (struct str rest = checked.err; rest.n; n++) {
        struct str line = str_cut(&rest, '\n');
        const char *copy = harness_text(STR_FMT, STR_ARG(line));
        cr_assert(reasons[n] && strstr(copy, reasons[n]), "not `%s`, but: %s\n%s", reasons[n] ? reasons[n] : "nothing",
                  copy, checked.err.p);
    }
    cr_assert_null(reasons[n], "no `%s` in: %s", reasons[n], checked.err.p);
}

Test(module_conf, all_errors_come_at_once_in_the_order_of_the_file)
{
    static const char *const reasons[REASONS] = {
        ":6:35: error: ", ":7:74: error: ", ":7:83: error: ", ":7:93: error: ", ":8:54: error: ", ":10:39: error: ",
    };
    module_install("hello");
    module_install("settings");
    assert_reasons(HEAD
                   "      - {path: /a, module: {file: missing.so, handler: x}}\n"
                   "      - {path: /b, module: {file: settings.so, handler: every, settings: {number: 0x, size: x}}}\n"
                   "      - {path: /c, module: {file: hello.so, handler: hallo}}\n"
                   "  - hosts: [other.test]\n"
                   "    routes: [{path: /, module: {file: none.so, handler: x}}]\n",
                   reasons);
}

/* What crashes ends the check: those before it have been heard, those behind it have not. */
Test(module_conf, a_crash_is_the_last_that_is_told)
{
    static const char *const reasons[REASONS] = {
        ":6:35: error: ", ":7:28: error: sites[0].routes[1].module: crashes while it is loaded or opened"};
    module_install_as("at_load", "crash");
    assert_reasons(HEAD "      - {path: /a, module: {file: missing.so, handler: x}}\n"
                        "      - {path: /b, module: {file: crash.so, handler: serve}}\n"
                        "      - {path: /c, module: {file: gone.so, handler: x}}\n",
                   reasons);
}

/* Names of jobs are known to all modules: of two copies the second is one too many. */
Test(module_conf, a_job_of_a_name_that_is_taken)
{
    static const char *const reasons[REASONS] = {":7:35: error: "};
    module_install("job");
    module_install_as("job", "again");
    assert_reasons(HEAD "      - {path: /a, module: {file: job.so, handler: serve}}\n"
                        "      - {path: /b, module: {file: again.so, handler: serve}}\n",
                   reasons);
}

/* ---- what is right ---- */

Test(module_conf, settings_of_every_kind_arrive)
{
    static const struct {
        const char *settings, *answer;
    } table[] = {
        {"{text: a}", "a 7 1024 1000 0\n"},
        {"{text: 12, number: -10, size: 1m, time: 1m, flag: on}", "12 -10 1048576 60000 1\n"},
        {"{text: \"a b\", number: 100, size: 0, time: 250ms, flag: no, inner: {depth: deep}, list: x}",
         "a b 100 0 250 0 deep x\n"},
        {"{text: \"\", list: [p, q, r], inner: {depth: 3}}", " 7 1024 1000 0 3 p q r\n"},
        {"{text: a, list: []}", "a 7 1024 1000 0\n"},
    };
    module_install("settings");
    file_write("tern.yaml", STR(""));
    struct server server = service_start(.more = MODULES);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        file_replace("tern.yaml", str_of(config_of("settings.so", "every", table[i].settings)));
        assert_ctl(0, "reload");
        assert_body(fetch(server.port, "/"), str_of(table[i].answer));
    }
    assert_stop(&server, 0);
}

Test(module_conf, the_master_loads_nothing)
{
    pid_t workers[WORKERS];
    module_install("hello");
    struct server server = service_start(.more = MODULES, .routes = MODULE_ROUTE("/m", "hello.so", "hello", ""));
    for (int i = 0; i < 2; i++) {
        server_workers(&server, workers, WORKERS);
        cr_assert_not(has_loaded(server.pid, "/modules/hello.so"));
        for (size_t k = 0; k < WORKERS; k++)
            cr_assert(has_loaded(workers[k], harness_expand("@DIR@/modules/hello.so")));
        assert_ctl(0, "reload");
    }
    assert_stop(&server, 0);
}

/* A path with a slash is the file's own, relative to the configuration or not. */
Test(module_conf, a_path_is_taken_as_it_is)
{
    module_install("hello");
    file_write("elsewhere/x.so", module_read("hello"));
    struct server server = service_start(.routes = MODULE_ROUTE("/m", "@DIR@/elsewhere/x.so", "hello", ""));
    assert_body(fetch(server.port, "/m?name=you"), STR("Hello, you!\n"));
    assert_stop(&server, 0);
}

/* The probe has not seen it: a start is for workers. */
Test(module_conf, a_module_that_does_not_start)
{
    struct str told;
    module_install("life");
    struct server server = service_start(.more = MODULES);
    service_write(.more = MODULES, .routes = MODULE_ROUTE("/m", "life.so", "life", "fails: on"));
    assert_ctl_tells(&told, RELOAD_REFUSED, "reload");
    cr_assert(strstr(told.p, "cannot start its handlers: the start of module life failed: Address already in use"),
              "%s", told.p);
    assert_body(fetch(server.port, "/version"), STR("1"));
    assert_stop(&server, 0);
}
