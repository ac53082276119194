/* module_test.c: routes whose modules can't be loaded or do not want to, and requests that modules answer. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "../conf/run.h"
#include "../green/run.h"
#include "../module/objects.h"
#include "answer.h"
#include "handler/registry.h"
#include "http/server.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* ---- the modules ---- */

static int opened; /* states that have not been closed */

static int open_state(struct tern_settings *settings, void **state)
{
    char *greeting = strdup(tern_setting_text(settings, "greeting", NULL));
    opened++;
    *state = greeting;
    return 0;
}

static int open_nothing(struct tern_settings *settings, void **state)
{
    (void)settings, (void)state;
    return -EACCES;
}

static int open_with_complaint(struct tern_settings *settings, void **state)
{
    (void)state;
    return tern_setting_wrong(settings, "greeting", "is not polite");
}

static void close_state(void *state)
{
    free(state);
    opened--;
}

static int greet(struct tern_request *r, void *state)
{
    return tern_printf(r, "%s, %s", (const char *)state, tern_get(r, TERN_REST));
}

static int fail(struct tern_request *r, void *state)
{
    cr_expect_null(state, "none was made");
    return tern_printf(r, "half") ? 0 : -ETIMEDOUT;
}

static const struct tern_handler handlers[] = {
    {.name = "greet", .serve = greet, .open = open_state, .close = close_state},
    {.name = "fail", .serve = fail},
    {.name = "refuse", .serve = fail, .open = open_nothing, .close = close_state},
    {.name = "complain", .serve = fail, .open = open_with_complaint, .close = close_state},
    {.name = NULL},
};
static const struct tern_module good = {.abi = TERN_ABI, .name = "good", .handlers = handlers};
static const struct tern_module old = {.abi = TERN_ABI + 1};
static const struct object all[] = {{"/m/good.so", &good}, {"/m/old.so", &old}};

/* ---- routes ---- */

static struct conf_run run;
static struct http_sites sites;

static void setup(void)
{
    static const struct http_handler *const handler[] = {&handler_module, NULL};
    http_handlers = handler;
    objects = (struct objects){all, COUNT(all), "no such file", 0, 0};
}

TestSuite(module, .init = setup);

/* Reads a site with a route for each handler. */
static int read_routes(const char *const *modules)
{
    char yaml[1024];
    int n = snprintf(yaml, sizeof yaml, "- routes:\n");
    for (int i = 0; modules[i]; i++)
        n += snprintf(yaml + n, sizeof yaml - (size_t)n, "  - {path: /%d, module: %s}\n", i, modules[i]);
    sites = (struct http_sites){.fallback = NULL};
    conf_run_start(&run, str_of(yaml));
    cr_assert_eq(run.status, 0, "%s", conf_run_errors(&run));
    return http_sites_read(&run.reader, run.root, &sites);
}

static int read_route(const char *module)
{
    return read_routes((const char *const[]){module, NULL});
}

/* ---- what is refused ---- */

static const struct {
    const char *module, *error;
} unread[] = {
    {"x", "t:2:24: error: [0].routes[0].module: takes a mapping, not a value\n"},
    {"{file: good.so}", "t:2:24: error: [0].routes[0].module: lacks `handler`: which handler of it\n"},
    {"{handler: greet}", "t:2:24: error: [0].routes[0].module: lacks `file`: the shared object; a name without a slash "
                         "is looked up in `modules`\n"},
    {"{file: '', handler: a}",
     "t:2:31: error: [0].routes[0].module.file: `` is no path; write the path of the file, such as ./name\n"},
    {"{file: a, handler: b, settings: c}",
     "t:2:56: error: [0].routes[0].module.settings: takes a mapping, not a value\n"},
    {"{file: a, handler: b, settings: ~}", "t:2:56: error: [0].routes[0].module.settings: has no value\n"},
    {"{file: a, handler: b, settings: [c]}",
     "t:2:56: error: [0].routes[0].module.settings: takes a mapping, not a list\n"},
};

Test(module, routes_that_are_not_read)
{
    for (size_t i = 0; i < COUNT(unread); i++) {
        cr_expect_lt(read_route(unread[i].module), 0, "%s", unread[i].module);
        cr_expect_str_eq(conf_run_errors(&run), unread[i].error);
        conf_run_end(&run);
    }
}

static const struct {
    const char *module, *error;
} unstarted[] = {
    {"{file: /m/none.so, handler: a}", "t:2:31: error: [0].routes[0].module.file: no such file\n"},
    {"{file: /m/old.so, handler: a}", "t:2:31: error: [0].routes[0].module.file: was built for version 2 of the module "
                                      "interface; this server has version 1\n"},
    {"{file: /m/good.so, handler: great}",
     "t:2:52: error: [0].routes[0].module.handler: the module has no handler of that name; it has greet, fail, refuse, "
     "complain\n"},
    {"{file: /m/good.so, handler: refuse, settings: {a: b}}",
     "t:2:52: error: [0].routes[0].module.handler: the handler does not open: Permission denied\n"},
    {"{file: /m/good.so, handler: complain, settings: {greeting: b}}",
     "t:2:83: error: [0].routes[0].module.settings.greeting: is not polite\n"},
    {"{file: /m/good.so, handler: complain}", "t:2:24: error: [0].routes[0].module: is not polite\n"},
    {"{file: /m/good.so, handler: greet}", "t:2:24: error: [0].routes[0].module: lacks `greeting`\n"},
    {"{file: /m/good.so, handler: greet, settings: {}}",
     "t:2:69: error: [0].routes[0].module.settings: lacks `greeting`\n"},
    {"{file: /m/good.so, handler: greet, settings: {greeting: a, to: b}}",
     "t:2:83: error: [0].routes[0].module.settings.to: unknown key\n"},
    {"{file: /m/good.so, handler: fail, settings: {greeting: a}}",
     "t:2:69: error: [0].routes[0].module.settings.greeting: unknown key\n"},
};

Test(module, routes_that_do_not_start)
{
    for (size_t i = 0; i < COUNT(unstarted); i++) {
        cr_assert_eq(read_route(unstarted[i].module), 0, "%s: %s", unstarted[i].module, conf_run_errors(&run));
        cr_expect_eq(http_sites_start(&run.reader, &sites), -EINVAL);
        cr_expect_str_eq(conf_run_errors(&run), unstarted[i].error);
        http_sites_stop(&sites);
        cr_expect_eq(opened, 0, "%s", unstarted[i].module);
        conf_run_end(&run);
    }
}

/* ---- what is answered ---- */

static struct answer *ask(const char *path)
{
    static struct answer answer;
    const struct http_route *route = http_route_find(sites.fallback, str_of(path));
    answer_begin(&answer, METHOD_GET, path, "", NULL);
    answer.x.request.line = STR("GET");
    cr_expect_eq(route->handler->serve(&answer.x, route->settings), 0);
    cr_expect(answer.ended);
    return &answer;
}

GreenTest(module, each_route_has_a_state)
{
    cr_assert_eq(
        read_routes((const char *const[]){"{file: /m/good.so, handler: greet, settings: {greeting: hello}}",
                                          "{file: /m/good.so, handler: greet, settings: {greeting: bye}}", NULL}),
        0, "%s", conf_run_errors(&run));
    cr_expect_eq(objects.opened, 0, "the master loads nothing");
    cr_assert_eq(http_sites_start(&run.reader, &sites), 0, "%s", conf_run_errors(&run));
    cr_expect_eq(objects.opened, 1);
    cr_expect_eq(opened, 2);
    struct answer *answer = ask("/0/you");
    cr_expect(str_eq(answer_content(answer), STR("hello, /you")));
    cr_expect_eq(answer->status, 200);
    answer_end(answer);
    answer = ask("/1/all");
    cr_expect(str_eq(answer_content(answer), STR("bye, /all")));
    answer_end(answer);
    http_sites_stop(&sites);
    cr_expect_eq(opened, 0);
    conf_run_end(&run);
}

GreenTest(module, a_handler_that_fails)
{
    cr_assert_eq(read_route("{file: /m/good.so, handler: fail, settings: {}}"), 0);
    cr_assert_eq(http_sites_start(&run.reader, &sites), 0, "%s", conf_run_errors(&run));
    struct answer *answer = ask("/0");
    cr_expect_eq(answer->status, 504);
    answer_end(answer);
    http_sites_stop(&sites);
    conf_run_end(&run);
}
