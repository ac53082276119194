/* verb_test.c: requests that make no sense, and the table that says which do. */
#include "ctl/verb.h"

#include <criterion/criterion.h>

#include "ctl/protocol.h"
#include "log/log.h"

static const struct {
    const char *name, *argument, *why;
} rejects[] = {
    {"", "", "`` is no verb"},
    {"sta", "", "`sta` is no verb"},
    {"foo", "", "`foo` is no verb"},
    {"a", "", "`a` is no verb"},
    {"lgo", "", "`lgo` is no verb; did you mean `log`?"},
    {"dran", "", "`dran` is no verb; did you mean `drain`?"},
    {"Status", "", "`Status` is no verb; did you mean `status`?"},
    {"relaod", "", "`relaod` is no verb; did you mean `reload`?"},
    {"reopne", "", "`reopne` is no verb; did you mean `reopen`?"},
    {"elephant", "", "`elephant` is no verb"},
    {"status", "x", "`status` takes no argument"},
    {"reload", "now", "`reload` takes no argument"},
    {"log", "loud", "`loud` is not one of debug, info, notice, warn, error"},
    {"log", "Info", "`Info` is not one of debug, info, notice, warn, error"},
    {"drain", "foo", "`foo` is not `show`"},
    {"log", "info warn", "`info warn` is not one of debug, info, notice, warn, error"},
};

Test(verb, rejects)
{
    for (size_t i = 0; i < sizeof rejects / sizeof *rejects; i++) {
        char text[128];
        struct out why = out_on(text, sizeof text);
        cr_expect_null(verb_check(str_of(rejects[i].name), str_of(rejects[i].argument), &why));
        cr_expect(str_eq(out_str(&why), str_of(rejects[i].why)), "%s: " STR_FMT, rejects[i].why,
                  STR_ARG(out_str(&why)));
    }
}

Test(verb, requests)
{
    static const char *const requests[][2] = {{"status", ""}, {"reload", ""}, {"log", ""}, {"log", "debug"}};
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        char text[128];
        struct out why = out_on(text, sizeof text);
        const struct verb *verb = verb_check(str_of(requests[i][0]), str_of(requests[i][1]), &why);
        cr_assert_not_null(verb);
        cr_expect_str_eq(verb->name, requests[i][0]);
        cr_expect_eq(out_len(&why), 0);
    }
}

/* This layer can't see the log's. */
Test(verb, the_levels_are_those_of_the_log)
{
    const char *const *words = verb_find(STR("log"))->words;
    size_t i = 0;
    for (; words[i] && log_level_names[i]; i++)
        cr_expect_str_eq(words[i], log_level_names[i]);
    cr_expect(!words[i] && !log_level_names[i]);
}

static bool is_wrapped(struct str text)
{
    bool whole = str_ends(text, STR("\n"));
    while (text.n)
        whole &= str_cut(&text, '\n').n <= 100;
    return whole;
}

Test(verb, every_row_is_whole)
{
    size_t count = 0;
    for (const struct verb *verb = verbs; verb->name; verb++, count++) {
        cr_expect_eq(verb_find(str_of(verb->name)), verb, "%s is there twice", verb->name);
        cr_expect_lt(strlen(verb->name), CTL_LINE_MAX / 2);
        cr_expect(verb->summary && strlen(verb->summary) < 60 && !strchr(verb->summary, '\n'), "%s", verb->name);
        cr_expect(verb->help && is_wrapped(str_of(verb->help)), "%s", verb->name);
        cr_expect(verb->argument || !verb->words, "%s", verb->name);
    }
    cr_expect_gt(count, 0);
}
