/* worker_test.c: a module that does not start, and the order in which the others start and stop. */
#include "module/worker.h"

#include "../green/run.h"
#include "module/loader.h"
#include "objects.h"

static int start_a(void)
{
    cr_assert_eq(tern_yield(), 0, "it may wait");
    run_note('a');
    return 0;
}

static void stop_a(void)
{
    run_note('A');
}

static int work(void *arg)
{
    int error = tern_sleep(3600 * TERN_SEC);
    run_note(tern_stopping() ? 'w' : '?');
    (void)arg;
    return error;
}

static int start_b(void)
{
    cr_expect_eq(tern_start(NULL, NULL, work, NULL), 0, "there is a scope");
    run_note('b');
    return 0;
}

static void stop_b(void)
{
    run_note('B');
}

static void stop_late(void)
{
    cr_expect_eq(tern_start(NULL, NULL, work, NULL), 0, "there is a scope still");
    run_note('L');
}

static int start_bad(void)
{
    run_note('x');
    return -EIO;
}

static const struct tern_module a = {.abi = TERN_ABI, .name = "a", .start = start_a, .stop = stop_a};
static const struct tern_module b = {.abi = TERN_ABI, .name = "b", .start = start_b, .stop = stop_b};
static const struct tern_module c = {.abi = TERN_ABI, .name = "c"};
static const struct tern_module late = {.abi = TERN_ABI, .name = "late", .stop = stop_late};
static const struct tern_module bad = {.abi = TERN_ABI, .name = "bad", .start = start_bad, .stop = stop_a};

static const struct object all[] = {{"/a", &a}, {"/b", &b}, {"/c", &c}, {"/late", &late}, {"/bad", &bad}};

static void load(const char *const *files)
{
    objects = (struct objects){all, sizeof all / sizeof *all, "", 0, 0};
    for (; *files; files++) {
        char text[64];
        const struct tern_module *module;
        struct out why = out_on(text, sizeof text);
        cr_assert_eq(module_load(*files, &module, &why), 0, "%s", *files);
    }
}

GreenTest(module_worker, one_that_does_not_start)
{
    load((const char *const[]){"/a", "/b", "/bad", "/c", NULL});
    char text[64];
    struct out why = out_on(text, sizeof text);
    cr_expect_eq(module_worker_start(&why), -EIO);
    cr_expect(str_eq(out_str(&why), STR("the start of module bad failed: Input/output error")));
    cr_expect_str_eq(run_noted(), "abxwBA", "those before it have been stopped again, with their threads");
}

GreenTest(module_worker, none_at_all)
{
    cr_expect_eq(module_worker_start(NULL), 0);
    cr_expect_not(tern_stopping());
    module_worker_stop();
}

GreenTest(module_worker, the_last_one_stops_first)
{
    load((const char *const[]){"/c", "/b", "/a", NULL});
    cr_expect_eq(module_worker_start(NULL), 0);
    cr_expect_str_eq(run_noted(), "ba");
    cr_expect_not(tern_stopping());
    module_worker_retire();
    cr_expect(tern_stopping());
    cr_assert_eq(tern_yield(), 0);
    cr_expect_str_empty(run_noted(), "there may still be requests");
    module_worker_stop();
    cr_expect_str_eq(run_noted(), "wAB");
}

GreenTest(module_worker, what_a_stop_starts_ends_too)
{
    load((const char *const[]){"/a", "/late", NULL});
    cr_expect_eq(module_worker_start(NULL), 0);
    module_worker_stop();
    cr_expect_str_eq(run_noted(), "aLAw");
}
