/* loader_test.c: shared objects that are no modules, or not ours, and how those that are one are found. */
#include "module/loader.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "objects.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static int serve(struct tern_request *r, void *state)
{
    (void)r, (void)state;
    return 0;
}

static ssize_t run(const void *in, size_t n, void *out, size_t room)
{
    (void)in, (void)n, (void)out, (void)room;
    return 0;
}

#define NAME_63 "123456789012345678901234567890123456789012345678901234567890123"

static const struct tern_handler serves_not[] = {{.name = "good", .serve = serve}, {.name = "bad"}, {.name = NULL}};
static const struct tern_handler handlers[] = {{.name = "one", .serve = serve}, {.name = "two", .serve = serve}, {0}};
static const struct tern_handler one_handler[] = {{.name = "only", .serve = serve}, {0}};
static const struct tern_handler no_handlers[] = {{0}};
static const struct tern_job runs_not[] = {{"bad", NULL}, {0}};
static const struct tern_job too_long[] = {{"good", run}, {NAME_63 "4", run}, {0}};
static const struct tern_job twice[] = {{"again", run}, {"other", run}, {"again", run}, {0}};
static const struct tern_job taken[] = {{"free", run}, {"sum", run}, {0}};
static const struct tern_job jobs[] = {{"sum", run}, {NAME_63, run}, {0}};

static const struct tern_module old = {.abi = TERN_ABI - 1, .name = "old"};
static const struct tern_module later = {.abi = UINT32_MAX};
static const struct tern_module nameless = {.abi = TERN_ABI};
static const struct tern_module bad_handler = {.abi = TERN_ABI, .name = "bad", .handlers = serves_not};
static const struct tern_module bad_job = {.abi = TERN_ABI, .name = "bad", .jobs = runs_not};
static const struct tern_module long_job = {.abi = TERN_ABI, .name = "bad", .jobs = too_long};
static const struct tern_module job_twice = {.abi = TERN_ABI, .name = "bad", .jobs = twice};
static const struct tern_module job_taken = {.abi = TERN_ABI, .name = "bad", .jobs = taken};
static const struct tern_module good = {.abi = TERN_ABI, .name = "good", .handlers = handlers, .jobs = jobs};
static const struct tern_module small = {.abi = TERN_ABI, .name = "small", .handlers = one_handler};
static const struct tern_module empty = {.abi = TERN_ABI, .name = "empty", .handlers = no_handlers};
static const struct tern_module least = {.abi = TERN_ABI, .name = "least"};

static const struct object all[] = {
    {"/m/none.so", NULL},
    {"/m/old.so", &old},
    {"/m/later.so", &later},
    {"/m/nameless.so", &nameless},
    {"/m/handler.so", &bad_handler},
    {"/m/job.so", &bad_job},
    {"/m/long.so", &long_job},
    {"/m/twice.so", &job_twice},
    {"/m/taken.so", &job_taken},
    {"/m/good.so", &good},
    {"./good.so", &good},
    {"/m/small.so", &small},
    {"/m/empty.so", &empty},
    {"/m/least.so", &least},
};

static char text[512];
static struct out why;

static void setup(void)
{
    objects = (struct objects){all, COUNT(all), "no such thing", 0, 0};
    why = out_on(text, sizeof text);
    module_set_directory("/m");
}

TestSuite(module_loader, .init = setup);

static const struct tern_module *load(const char *file)
{
    const struct tern_module *module = NULL;
    cr_assert_eq(module_load(file, &module, &why), 0, "%s: " STR_FMT, file, STR_ARG(out_str(&why)));
    return module;
}

static void expect_why(const char *expected)
{
    cr_expect(str_eq(out_str(&why), str_of(expected)), "[" STR_FMT "], not [%s]", STR_ARG(out_str(&why)), expected);
    why = out_on(text, sizeof text);
}

/* ---- what is refused ---- */

static const struct {
    const char *file;
    int error;
    const char *why;
} refused[] = {
    {"missing.so", -ENOENT, "no such thing"},
    {"./missing.so", -ENOENT, "no such thing"},
    {"", -ENOENT, "no such thing"},
    {"none.so", -ENOEXEC, "is no module of tern: it has no symbol `tern_module`"},
    {"old.so", -ENOEXEC, "was built for version 0 of the module interface; this server has version 1"},
    {"later.so", -ENOEXEC, "was built for version 4294967295 of the module interface; this server has version 1"},
    {"nameless.so", -ENOEXEC, "its tern_module has no name"},
    {"handler.so", -ENOEXEC, "its handler `bad` has nothing to serve with"},
    {"job.so", -ENOEXEC, "its job `bad` has nothing to run"},
    {"long.so", -ENOEXEC, "its job `" NAME_63 "4` has a name that is too long"},
    {"twice.so", -EEXIST, "its job `again` has the name of another one"},
    {"taken.so", -EEXIST, "its job `sum` has the name of another one"},
};

Test(module_loader, what_is_no_module)
{
    const struct tern_module *module = NULL;
    load("good.so");
    for (size_t i = 0; i < COUNT(refused); i++) {
        cr_expect_eq(module_load(refused[i].file, &module, &why), refused[i].error, "%s", refused[i].file);
        expect_why(refused[i].why);
    }
    cr_expect_null(module);
    cr_expect_eq(objects.open, 1, "nothing of them stays");
    cr_expect_not(module_at(1, &module));
    cr_expect_null(module_find_job("free"));
}

Test(module_loader, a_reason_that_is_too_long)
{
    const struct tern_module *module;
    char longest[2 * sizeof text];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    objects.error = longest;
    cr_expect_eq(module_load("missing.so", &module, &why), -ENOENT);
    cr_expect_eq(out_len(&why), sizeof text, "is cut, rather than dropped");
}

Test(module_loader, handlers_that_there_are_not)
{
    cr_expect_null(module_find_handler(load("good.so"), "three", &why));
    expect_why("the module has no handler of that name; it has one, two");
    cr_expect_null(module_find_handler(load("good.so"), "on", &why));
    expect_why("the module has no handler of that name; it has one, two");
    cr_expect_null(module_find_handler(load("small.so"), "", &why));
    expect_why("the module has no handler of that name; it has only");
    cr_expect_null(module_find_handler(load("empty.so"), "one", &why));
    expect_why("the module has no handler of that name");
    cr_expect_null(module_find_handler(load("least.so"), "one", &why));
    expect_why("the module has no handler of that name");
}

/* ---- what is found ---- */

Test(module_loader, a_module_is_loaded_once)
{
    cr_expect_eq(load("good.so"), &good);
    cr_expect_eq(load("good.so"), &good);
    cr_expect_eq(load("/m/good.so"), &good);
    cr_expect_eq(objects.opened, 1);
    cr_expect_eq(load("./good.so"), &good, "the same file by another name");
    cr_expect_eq(objects.open, 1);
    const struct tern_module *module;
    cr_expect(module_at(0, &module));
    cr_expect_not(module_at(1, &module));
}

Test(module_loader, modules_in_their_order)
{
    static const char *const files[] = {"small.so", "good.so", "least.so"};
    static const struct tern_module *const expected[] = {&small, &good, &least};
    const struct tern_module *module;
    cr_expect_not(module_at(0, &module));
    for (size_t i = 0; i < COUNT(files); i++)
        cr_expect_eq(load(files[i]), expected[i]);
    for (size_t i = 0; i < COUNT(files); i++) {
        cr_assert(module_at(i, &module));
        cr_expect_eq(module, expected[i]);
    }
    cr_expect_not(module_at(COUNT(files), &module));
}

Test(module_loader, handlers_and_jobs)
{
    cr_expect_null(module_find_job("sum"));
    cr_expect_eq(module_find_handler(load("good.so"), "one", &why), &handlers[0]);
    cr_expect_eq(module_find_handler(load("good.so"), "two", &why), &handlers[1]);
    load("least.so");
    cr_expect_eq(module_find_job("sum"), &jobs[0]);
    cr_expect_eq(module_find_job(NAME_63), &jobs[1]);
    cr_expect_null(module_find_job("su"));
    cr_expect_null(module_find_job(""));
    expect_why("");
}
