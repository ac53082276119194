/* thread_test.c: names of green threads, and what picks them: first those that make no sense. */
#include "ctl/thread.h"

#include <criterion/criterion.h>

#include "green/view.h"

static void expect_text(const struct out *o, const char *text)
{
    cr_expect(str_eq(out_str(o), str_of(text)), STR_FMT " is not %s", STR_ARG(out_str(o)), text);
}

/* ---- names ---- */

Test(thread, names_that_are_none)
{
    static const char *const table[] = {"",
                                        ".",
                                        "1",
                                        "1.",
                                        ".1",
                                        "0.1",
                                        "1.0",
                                        "1.1.",
                                        "1.1.1",
                                        "a.1",
                                        "1.a",
                                        "-1.1",
                                        "1 .1",
                                        "1,1",
                                        "+1.1",
                                        " 1.1",
                                        "1.1 ",
                                        "99999999999999999999.1",
                                        "1.99999999999999999999"};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char text[128];
        struct out why = out_on(text, sizeof text);
        struct thread_id id;
        cr_expect_not(thread_id_read(str_of(table[i]), &id, &why), "%s", table[i]);
        cr_expect(str_ends(out_str(&why), STR(" is no thread: one is PID.NUMBER, as `threads` lists them")), "%s",
                  table[i]);
    }
}

Test(thread, a_name)
{
    struct out why = out_on(NULL, 0);
    struct thread_id id;
    cr_assert(thread_id_read(STR("4711.52"), &id, &why));
    cr_expect_eq(id.pid, 4711);
    cr_expect_eq(id.number, 52);
    cr_expect(thread_id_read(STR("1.18446744073709551615"), &id, &why));
    cr_expect_eq(id.number, UINT64_MAX);
}

/* ---- filters ---- */

#define KEYS " picks no threads: KEY=VALUE does, and a key is state, wait, route, handler, age, limit or sort"
#define STATE "state takes a state (ready, waiting, running, cancelled), not "

static const struct {
    const char *words, *why;
} rejects[] = {
    {"waiting", "`waiting`" KEYS},
    {"=", "`=`" KEYS},
    {"=waiting", "`=waiting`" KEYS},
    {"status=waiting", "`status=waiting`" KEYS},
    {"State=waiting", "`State=waiting`" KEYS},
    {"limit", "`limit`" KEYS},
    {"state=", STATE "``"},
    {"state=parked", STATE "`parked`"},
    {"state=Waiting", STATE "`Waiting`"},
    {"state=waiting=ready", STATE "`waiting=ready`"},
    {"wait=nothing", "wait takes what a thread may wait for (timer, client, window, descriptor, pool, lock, "
                     "condition, semaphore, channel, thread, turn), not `nothing`"},
    {"route=", "route takes the path of a route, not ``"},
    {"handler=", "handler takes the name of a handler, not ``"},
    {"age=", "age takes a time, such as 1s or 50ms, not ``"},
    {"age=old", "age takes a time, such as 1s or 50ms, not `old`"},
    {"age=-1s", "age takes a time, such as 1s or 50ms, not `-1s`"},
    {"limit=0", "limit takes a number, from 1 on, not `0`"},
    {"limit=-1", "limit takes a number, from 1 on, not `-1`"},
    {"limit=1k", "limit takes a number, from 1 on, not `1k`"},
    {"limit=18446744073709551616", "limit takes a number, from 1 on, not `18446744073709551616`"},
    {"sort=name", "sort takes an order (age, cpu, stack), not `name`"},
    {"sort=cpu state=ready sort=age", "sort is there twice"},
    {"limit=1 limit=1", "limit is there twice"},
    {"state=ready  x", "`x`" KEYS},
    {"handler=files x", "`x`" KEYS},
    {"handler=module hello x", "`x`" KEYS},
    {"handler=module hello handler=x", "handler is there twice"},
    {"handler=module state=", STATE "``"},
};

Test(thread, filters_that_make_no_sense)
{
    for (size_t i = 0; i < sizeof rejects / sizeof *rejects; i++) {
        char text[256];
        struct out why = out_on(text, sizeof text);
        struct thread_filter filter;
        cr_expect_not(thread_filter_read(str_of(rejects[i].words), &filter, &why), "%s", rejects[i].words);
        expect_text(&why, rejects[i].why);
    }
}

Test(thread, a_filter)
{
    struct out why = out_on(NULL, 0);
    struct thread_filter filter;
    cr_assert(thread_filter_read(STR(""), &filter, &why));
    cr_expect(filter.state.n == 0 && filter.age == 0 && filter.limit == UINT64_MAX && filter.sort == THREAD_SORT_AGE);
    cr_assert(thread_filter_read(STR(" state=waiting  wait=pool route=/a=b handler=files age=50ms limit=7 sort=stack "),
                                 &filter, &why));
    cr_expect(str_eq(filter.state, STR("waiting")));
    cr_expect(str_eq(filter.wait, STR("pool")));
    cr_expect(str_eq(filter.route, STR("/a=b")));
    cr_expect(str_eq(filter.handler, STR("files")));
    cr_expect_eq(filter.age, 50 * NSEC_MS);
    cr_expect_eq(filter.limit, 7);
    cr_expect_eq(filter.sort, THREAD_SORT_STACK);
    cr_expect_eq(out_len(&why), 0);
}

/* This layer can't see the names of green threads' waits. */
Test(thread, every_wait_can_be_picked)
{
    const struct thread_key *key = thread_keys;
    while (strcmp(key->name, "wait") != 0)
        key++;
    size_t i = 0;
    for (; key->values[i] && i + 1 < GREEN_WAITS_COUNT; i++)
        cr_expect_str_eq(key->values[i], green_wait_names[i + 1]);
    cr_expect(!key->values[i] && i + 1 == GREEN_WAITS_COUNT);
}

/* ---- whom they pick ---- */

Test(thread, routes_and_handlers_by_their_own_names)
{
    static const struct {
        const char *words, *route, *handler;
        bool picked;
    } table[] = {
        {"route=/api/", "/api/", "files", true},
        {"route=/api/", "example.org/api/", "files", true},
        {"route=example.org/api/", "example.org/api/", "files", true},
        {"route=/", "example.org/", "files", true},
        {"route=/", "/api/", "files", false},
        {"route=/api/", "/v1/api/", "files", false},
        {"route=/api", "/api/", "files", false},
        {"route=/api/", "", "", false},
        {"handler=files", "/", "files", true},
        {"handler=hello", "/", "module hello", true},
        {"handler=module hello route=/", "/", "module hello", true},
        {" handler=module hello ", "/", "module hello", true},
        {"handler=module hello", "/", "hello", false},
        {"handler=module route=/", "/", "module module", true},
        {"handler=module ", "/", "module hello", false},
        {"handler=o", "/", "module hello", false},
        {"handler=files", "/", "other files", false},
        {"handler=files", "/", "", false},
        {"handler=files route=/", "/", "echo", false},
        {"", "", "", true},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct out why = out_on(NULL, 0);
        struct thread_filter filter;
        cr_assert(thread_filter_read(str_of(table[i].words), &filter, &why));
        bool picked = thread_filter_route(&filter, str_of(table[i].route)) &&
                      thread_filter_handler(&filter, str_of(table[i].handler));
        cr_expect_eq(picked, table[i].picked, "%zu: %s", i, table[i].words);
    }
}
