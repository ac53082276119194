/* label_test.c: how routes are called and numbered. */
#include "http/route.h"

#include <criterion/criterion.h>

#include "../conf/run.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static struct str label(struct arena *arena, const void *settings)
{
    (void)settings;
    return arena_printf(arena, "labelled %d", 1);
}

static const struct conf_table table = {.what = "a handler"};
static const struct http_handler plain = {.name = STR_INIT("plain"), .table = &table, .size = 1};
static const struct http_handler labelled = {.name = STR_INIT("odd"), .table = &table, .size = 1, .label = label};
static const struct http_handler *const handlers[] = {&plain, &labelled, NULL};

static struct conf_run run;
static struct http_sites sites;

static void read_sites(const char *yaml)
{
    http_handlers = handlers;
    sites = (struct http_sites){.fallback = NULL};
    conf_run_start(&run, str_of(yaml));
    cr_assert_eq(run.status, 0, "%s", yaml);
    cr_assert_eq(http_sites_read(&run.reader, run.root, &sites), 0, "%s: %s", yaml, conf_run_errors(&run));
}

struct expected {
    const char *handler, *route;
};

static void expect_labels(const struct expected *expected, size_t count)
{
    size_t i = 0;
    cr_assert_eq(sites.route_count, count);
    for (const struct http_route *route = sites.routes; route; route = route->next, i++) {
        cr_assert_lt(i, count);
        cr_expect_eq(route->index, i);
        cr_expect(str_eq(route->label.handler, str_of(expected[i].handler)), "%zu: " STR_FMT, i,
                  STR_ARG(route->label.handler));
        cr_expect(str_eq(route->label.route, str_of(expected[i].route)), "%zu: " STR_FMT, i,
                  STR_ARG(route->label.route));
    }
    cr_expect_eq(i, count);
}

Test(label, one_site)
{
    static const struct expected expected[] = {
        {"none", ""}, {"missing", ""}, {"plain", "/"}, {"labelled 1", "/a/"}, {"plain", "=/a"}, {"labelled 1", "/a"},
    };
    read_sites("- hosts: example.org\n"
               "  routes: [{path: /, plain: {}}, {path: /a/, odd: {}}, {exact: /a, plain: {}}, {path: /a, odd: {}}]\n");
    expect_labels(expected, COUNT(expected));
    cr_expect_eq(&sites.unmet, sites.routes);
}

Test(label, several_sites)
{
    static const struct expected expected[] = {
        {"none", ""},    {"missing", "example.org"}, {"plain", "example.org/api/"},
        {"missing", ""}, {"plain", "=/x"},           {"missing", "*.example.org"},
    };
    read_sites("- hosts: [example.org, example.net]\n"
               "  routes: [{path: /api/, plain: {}}]\n"
               "- routes: [{exact: /x, plain: {}}]\n"
               "- hosts: '*.example.org'\n"
               "  routes: []\n");
    expect_labels(expected, COUNT(expected));
}
