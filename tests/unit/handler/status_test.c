/* status_test.c: the handler `status`: its files, and the stream of its events. */
#include <criterion/criterion.h>

#include "../green/run.h"
#include "answer.h"
#include "handler/registry.h"
#include "handler/status.h"
#include "handler/status_events.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

enum { VIEWERS = STATUS_VIEWERS };

static struct http_route route = {.path = STR_INIT("/_tern/")};
static char settings[64];

static void begin(void)
{
    struct conf_reader reader;
    struct arena arena;
    arena_init(&arena, NULL, 0);
    conf_reader_init(&reader, &arena);
    cr_assert_leq(handler_status.size, sizeof settings);
    struct conf_node node = {.kind = CONF_MAPPING};
    route.exact = true;
    cr_expect_eq(handler_status.prepare(&reader, &node, &route, settings), -EINVAL);
    route.exact = false;
    cr_assert_eq(handler_status.prepare(&reader, &node, &route, settings), 0);
    arena_clear(&arena);
}

TestSuite(status, .init = begin);

static void ask(struct answer *a, const char *path, const char *field, const char *value)
{
    answer_begin(a, METHOD_GET, path, NULL, value);
    a->accept.name = str_of(field);
    cr_assert_eq(handler_status.serve(&a->x, settings), 0, "%s", path);
    cr_assert(a->ended, "%s", path);
}

/* ---- files ---- */

Test(status, what_is_not_there)
{
    static const char *const paths[] = {"/_tern/x",        "/_tern/app.js/", "/_tern/App.js",  "/_tern/index.html",
                                        "/_tern/app.js\1", "/_tern/event",   "/_tern/events/", "/_tern/status/app.js"};
    struct answer a;
    for (size_t i = 0; i < COUNT(paths); i++) {
        ask(&a, paths[i], "X", NULL);
        cr_expect_eq(a.status, 404, "%d for %s", a.status, paths[i]);
        answer_end(&a);
    }
}

Test(status, its_files)
{
    static const struct {
        const char *path, *type, *start;
    } table[] = {
        {"/_tern/", "Content-Type: text/html; charset=utf-8", "<!DOCTYPE html>"},
        {"/_tern/style.css", "Content-Type: text/css; charset=utf-8", ":root {"},
        {"/_tern/app.js", "Content-Type: text/javascript; charset=utf-8", "/* app.js:"},
        {"/_tern/format.js", "Content-Type: text/javascript; charset=utf-8", "/* format.js:"},
        {"/_tern/charts.js", "Content-Type: text/javascript; charset=utf-8", "/* charts.js:"},
        {"/_tern/tables.js", "Content-Type: text/javascript; charset=utf-8", "/* tables.js:"},
        {"/_tern/icon.svg", "Content-Type: image/svg+xml", "<svg "},
    };
    struct answer a;
    for (size_t i = 0; i < COUNT(table); i++) {
        ask(&a, table[i].path, "X", NULL);
        cr_expect_eq(a.status, 200);
        cr_expect(answer_has_field(&a, table[i].type), STR_FMT, STR_ARG(a.fields));
        cr_expect(answer_has_field(&a, "Cache-Control: no-cache"));
        cr_expect(answer_has_field(&a, "X-Content-Type-Options: nosniff"));
        cr_expect(memmem(a.fields.p, a.fields.n, "default-src 'self'", 18));
        cr_expect(str_starts(answer_content(&a), str_of(table[i].start)), "%s", table[i].path);
        cr_expect(str_ends(answer_content(&a), STR("\n")), "%s", table[i].path);
        cr_expect_eq(a.length, (int64_t)a.n);
        answer_end(&a);
    }
}

/* Of the page and the script. */
Test(status, conditions)
{
    struct answer a, b;
    ask(&a, "/_tern/", "X", NULL);
    ask(&b, "/_tern/app.js", "X", NULL);
    struct str fields = a.fields, tag = {NULL, 0};
    while (!str_starts(tag, STR("ETag: ")))
        tag = str_cut(&fields, '\r'), fields = str_skip(fields, 1);
    const char *own = arena_printf(&a.x.arena, STR_FMT, STR_ARG(str_skip(tag, 6))).p;
    cr_expect_not(memmem(b.fields.p, b.fields.n, own, strlen(own)), "two files have one tag");
    static const struct {
        const char *field, *value; /* NULL: the own tag */
        int status;
    } table[] = {{"If-None-Match", NULL, 304},
                 {"If-None-Match", "\"x\"", 200},
                 {"If-None-Match", "*", 304},
                 {"If-Match", NULL, 200},
                 {"If-Match", "\"x\"", 412}};
    for (size_t i = 0; i < COUNT(table); i++) {
        struct answer c;
        ask(&c, "/_tern/", table[i].field, table[i].value ? table[i].value : own);
        cr_expect_eq(c.status, table[i].status, "%d for %s: %s", c.status, table[i].field, table[i].value);
        answer_end(&c);
    }
    answer_end(&a);
    answer_end(&b);
}

Test(status, below_a_path_without_a_slash)
{
    static const struct {
        const char *path;
        int status;
    } table[] = {{"/_tern", 301}, {"/_tern/", 200}, {"/_tern/app.js", 200}, {"/_tern/x", 404}};
    struct answer a;
    route.path = STR("/_tern");
    begin();
    for (size_t i = 0; i < COUNT(table); i++) {
        ask(&a, table[i].path, "X", NULL);
        cr_expect_eq(a.status, table[i].status, "%d for %s", a.status, table[i].path);
        cr_expect_eq(answer_has_field(&a, "Location: /_tern/"), table[i].status == 301);
        answer_end(&a);
    }
}

/* ---- events ---- */

static struct answer viewers[VIEWERS + 1];

static int watch(void *arg)
{
    ask(arg, "/_tern/events", "X", NULL);
    return 0;
}

static bool has_samples(size_t count, size_t samples)
{
    for (size_t i = 0; i < count; i++)
        if (answer_times(&viewers[i], "event: sample\ndata: {\"version\"") < samples)
            return false;
    return true;
}

GreenTest(status, head_has_no_events, .threads = 4)
{
    struct answer a;
    answer_begin(&a, METHOD_HEAD, "/_tern/events", NULL, NULL);
    cr_expect_eq(handler_status.serve(&a.x, settings), 0);
    cr_expect_eq(a.status, 200);
    cr_expect(a.ended);
    cr_expect_eq(a.n, 0);
    answer_end(&a);
}

/* Whoever watches has samples; one more than may watch is refused; all come to a good end when the worker retires, and
 * so does who comes then. */
GreenTest(status, viewers, .threads = 100)
{
    struct green *threads[VIEWERS];
    for (size_t i = 0; i < VIEWERS; i++)
        threads[i] = run_spawn(watch, &viewers[i]);
    while (!has_samples(VIEWERS, 1))
        run_yield();
    ask(&viewers[VIEWERS], "/_tern/events", "X", NULL);
    cr_expect_eq(viewers[VIEWERS].status, 503);
    cr_expect(answer_has_field(&viewers[VIEWERS], "Retry-After: 10"));
    answer_end(&viewers[VIEWERS]);
    while (!has_samples(VIEWERS, 3))
        cr_assert_eq(green_sleep(NSEC_MS), 0);
    for (size_t i = 0; i < VIEWERS; i++)
        cr_expect_not(viewers[i].ended);
    status_retire();
    for (size_t i = 0; i < VIEWERS; i++) {
        cr_expect_eq(run_join(threads[i]), 0);
        cr_expect(answer_has_field(&viewers[i], "Content-Type: text/event-stream"));
        cr_expect_eq(answer_times(&viewers[i], "event: threads\ndata: {\"ok\":false,"), 1, "it is no news");
        cr_expect(str_starts(answer_content(&viewers[i]), STR("retry: 1000\n\n")));
        cr_expect(str_ends(answer_content(&viewers[i]), STR("\n\n")));
        cr_expect_eq(viewers[i].flushed, viewers[i].n, "something has not been sent");
        answer_end(&viewers[i]);
    }
    ask(&viewers[0], "/_tern/events", "X", NULL);
    cr_expect_eq(viewers[0].status, 200);
    cr_expect(str_eq(answer_content(&viewers[0]), STR("retry: 1000\n\n")));
    answer_end(&viewers[0]);
}

static int leave_late(void *arg)
{
    struct answer *a = arg;
    answer_begin(a, METHOD_GET, "/_tern/events", NULL, NULL);
    a->fail_from = 8;
    return handler_status.serve(&a->x, settings);
}

/* Their places are free again. */
GreenTest(status, viewers_who_leave, .threads = 100)
{
    for (int round = 0; round < 2; round++) {
        struct green *threads[VIEWERS];
        for (size_t i = 0; i < VIEWERS; i++)
            threads[i] = run_spawn(leave_late, &viewers[i]);
        for (size_t i = 0; i < VIEWERS; i++) {
            cr_expect_eq(run_join(threads[i]), -ECONNRESET);
            cr_expect_eq(viewers[i].status, 200);
            answer_end(&viewers[i]);
        }
    }
}
