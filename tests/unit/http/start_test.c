/* start_test.c: handlers that do not start, and which of them are started and stopped, in which order. */
#include <criterion/criterion.h>
#include <errno.h>

#include "../conf/run.h"
#include "http/route.h"

struct settings {
    struct str name;
    int64_t error; /* that start comes to */
};

static const struct conf_key keys[] = {
    {"name", CONF_TEXT, offsetof(struct settings, name), .required = true, .doc = "told apart by"},
    {"error", CONF_INT, offsetof(struct settings, error), .fallback = "0", .max = 200, .doc = "what goes wrong"},
};
static const struct conf_table table = CONF_TABLE("test", keys);

static char calls[256]; /* "+name": it was started, "-name": it was stopped */

static void note(char what, struct str name)
{
    size_t n = strlen(calls);
    snprintf(calls + n, sizeof calls - n, "%c" STR_FMT " ", what, STR_ARG(name));
}

static int start(struct conf_reader *r, const struct http_route *route, void *settings)
{
    const struct settings *s = settings;
    note('+', s->name);
    if (s->error)
        conf_error(r, route->at, "does not start");
    return -(int)s->error;
}

static void stop(void *settings)
{
    note('-', ((const struct settings *)settings)->name);
}

static const struct http_handler plain = {.name = STR_INIT("plain"), .table = &table, .size = sizeof(struct settings)};
static const struct http_handler both = {
    .name = STR_INIT("both"), .table = &table, .size = sizeof(struct settings), .start = start, .stop = stop};
static const struct http_handler starts = {
    .name = STR_INIT("starts"), .table = &table, .size = sizeof(struct settings), .start = start};

static struct conf_run run;
static struct http_sites sites;

static void setup(void)
{
    static const struct http_handler *const handlers[] = {&plain, &both, &starts, NULL};
    http_handlers = handlers;
}

static void teardown(void)
{
    conf_run_end(&run);
}

TestSuite(start, .init = setup, .fini = teardown);

static void read_sites(const char *yaml)
{
    conf_run_start(&run, str_of(yaml));
    cr_assert_eq(run.status, 0, "%s", conf_run_errors(&run));
    cr_assert_eq(http_sites_read(&run.reader, run.root, &sites), 0, "%s", conf_run_errors(&run));
    cr_assert_str_empty(calls, "it has been read, no more");
}

static void expect_calls(const char *expected)
{
    cr_expect_str_eq(calls, expected);
    calls[0] = '\0';
}

Test(start, one_that_fails_does_not_keep_others_from_trying)
{
    read_sites("- routes:\n"
               "    - {path: /a, both: {name: a}}\n"
               "    - {path: /b, both: {name: b, error: 22}}\n" /* EINVAL */
               "    - {path: /c, both: {name: c, error: 12}}\n" /* ENOMEM */
               "    - {path: /d, both: {name: d}}\n");
    cr_expect_eq(http_sites_start(&run.reader, &sites), -EINVAL, "the first error counts");
    expect_calls("+a +b +c +d ");
    cr_expect_str_eq(conf_run_errors(&run), "t:3:24: error: [0].routes[1].both: does not start\n"
                                            "t:4:24: error: [0].routes[2].both: does not start\n");
    http_sites_stop(&sites);
    expect_calls("-a -d ");
}

Test(start, none_that_want_to_be)
{
    read_sites("- routes: [{path: /, plain: {name: a}}]");
    cr_expect_null(sites.starts);
    cr_expect_eq(http_sites_start(&run.reader, &sites), 0);
    http_sites_stop(&sites);
    expect_calls("");
}

Test(start, in_the_order_of_the_file)
{
    read_sites("- {hosts: z, routes: [{path: /z, both: {name: 1}}, {exact: /a, plain: {name: x}},\n"
               "                      {path: /a, starts: {name: 2}}]}\n"
               "- routes: [{path: /b, both: {name: 3}}, {exact: /b, both: {name: 4}}]\n");
    cr_expect_eq(http_sites_start(&run.reader, &sites), 0);
    expect_calls("+1 +2 +3 +4 ");
    http_sites_stop(&sites);
    expect_calls("-1 -3 -4 ");
}
