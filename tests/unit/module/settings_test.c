/* settings_test.c: settings that are refused, with their places, and what modules get of the others. */
#include "module/settings.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "../conf/run.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static struct conf_run run;
static struct tern_settings settings;

/* Reads what stands under `settings` of a route. */
static struct tern_settings *begin(const char *yaml)
{
    conf_run_start(&run, str_of(yaml));
    cr_assert_eq(run.status, 0, "%s: %s", yaml, conf_run_errors(&run));
    struct conf_node *node = conf_find(run.root, STR("settings"));
    cr_assert_eq(module_settings_init(&settings, &run.reader, node, run.root), 0, "%s", yaml);
    return &settings;
}

/* What is wrong after all, and nothing else is. */
static void end(const char *errors)
{
    module_settings_check(&settings);
    cr_expect_str_eq(conf_run_errors(&run), errors);
    conf_run_end(&run);
}

/* ---- what is wrong ---- */

Test(module_settings, what_is_no_mapping)
{
    static const struct {
        const char *yaml, *error;
    } table[] = {
        {"settings: text", "t:1:11: error: settings: takes a mapping, not a value\n"},
        {"settings: ''", "t:1:11: error: settings: takes a mapping, not a value\n"},
        {"settings: [a]", "t:1:11: error: settings: takes a mapping, not a list\n"},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        conf_run_start(&run, str_of(table[i].yaml));
        struct conf_node *node = conf_find(run.root, STR("settings"));
        cr_expect_eq(module_settings_init(&settings, &run.reader, node, run.root), -EINVAL);
        end(table[i].error);
    }
}

Test(module_settings, what_is_required)
{
    static const char *const none[] = {"a: b", "settings:", "settings: ~", "settings: {}"};
    static const char *const owners[] = {
        "t:1:1: error: ", "t:1:1: error: ", "t:1:1: error: ", "t:1:11: error: settings: "};
    for (size_t i = 0; i < COUNT(none); i++) {
        char errors[512];
        struct tern_settings *s = begin(none[i]);
        cr_expect_str_empty(tern_setting_text(s, "text", NULL), "good for a handler that goes on");
        cr_expect_eq(tern_setting_int(s, "int", -1, 3, 9), 3);
        cr_expect_eq(tern_setting_size(s, "size", 10, 9), 0);
        cr_expect_eq(tern_setting_time(s, "time", -1, 9), 0);
        snprintf(errors, sizeof errors, "%slacks `text`\n%slacks `int`\n%slacks `size`\n%slacks `time`\n", owners[i],
                 owners[i], owners[i], owners[i]);
        end(errors);
    }
}

static void ask_for_all(struct tern_settings *s)
{
    tern_setting_text(s, "text", "");
    tern_setting_int(s, "int", 5, -3, 9);
    tern_setting_size(s, "size", 5, 2048);
    tern_setting_time(s, "time", 0, 60 * TERN_SEC);
    tern_setting_bool(s, "bool", true);
    for (size_t i = 0; tern_setting_item(s, "list", i); i++)
        ;
}

static const struct {
    const char *yaml, *errors;
} wrong[] = {
    {"text: [a]", "t:1:18: error: settings.text: takes a single value, not a list\n"},
    {"text: {a: b}", "t:1:18: error: settings.text: takes a single value, not a mapping\n"},
    {"text: ", "t:1:18: error: settings.text: has no value\n"},
    {"int: a", "t:1:17: error: settings.int: `a` is not a number\n"},
    {"int: ''", "t:1:17: error: settings.int: `` is not a number\n"},
    {"int: '-'", "t:1:17: error: settings.int: `-` is not a number\n"},
    {"int: -0", "t:1:17: error: settings.int: `-0` is not a number\n"},
    {"int: --1", "t:1:17: error: settings.int: `--1` is not a number\n"},
    {"int: 5k", "t:1:17: error: settings.int: `5k` is not a number\n"},
    {"int: 1.5", "t:1:17: error: settings.int: `1.5` is not a number\n"},
    {"int: 10", "t:1:17: error: settings.int: 10 is out of range (-3 to 9)\n"},
    {"int: -4", "t:1:17: error: settings.int: -4 is out of range (-3 to 9)\n"},
    {"int: 99999999999999999999", "t:1:17: error: settings.int: 99999999999999999999 is out of range (-3 to 9)\n"},
    {"size: 3k", "t:1:18: error: settings.size: 3k is out of range (0 to 2k)\n"},
    {"size: 1s", "t:1:18: error: settings.size: `1s` is not a size (bytes, or with k, m or g)\n"},
    {"size: -1", "t:1:18: error: settings.size: `-1` is not a size (bytes, or with k, m or g)\n"},
    {"time: 61", "t:1:18: error: settings.time: 61 is out of range (0 to 1m)\n"},
    {"time: 1k", "t:1:18: error: settings.time: `1k` is not a duration (seconds, or with ms, s, m, h, d, w or y)\n"},
    {"bool: 1", "t:1:18: error: settings.bool: `1` is not on or off\n"},
    {"bool: [on]", "t:1:18: error: settings.bool: takes a single value, not a list\n"},
    {"list: {a: b}", "t:1:18: error: settings.list: takes a single value, not a mapping\n"},
    {"list: [a, [b], {c: d}]", "t:1:22: error: settings.list[1]: takes a single value, not a list\n"
                               "t:1:27: error: settings.list[2]: takes a single value, not a mapping\n"},
    {"unlike: a", "t:1:12: error: settings.unlike: unknown key\n"},
    {"ixt: 5", "t:1:12: error: settings.ixt: unknown key; did you mean `int`?\n"},
    {"Time: 5", "t:1:12: error: settings.Time: unknown key; did you mean `time`?\n"},
    {"lits: a, bool: 5, text: b", "t:1:12: error: settings.lits: unknown key; did you mean `list`?\n"
                                  "t:1:27: error: settings.bool: `5` is not on or off\n"},
};

Test(module_settings, values_refused)
{
    for (size_t i = 0; i < COUNT(wrong); i++) {
        char yaml[128];
        snprintf(yaml, sizeof yaml, "settings: {%s}", wrong[i].yaml);
        ask_for_all(begin(yaml));
        end(wrong[i].errors);
    }
}

Test(module_settings, keys_that_nobody_has_asked_for)
{
    begin("settings: {a: b, c: {d: e}}");
    end("t:1:12: error: settings.a: unknown key\n"
        "t:1:18: error: settings.c: unknown key\n");
}

Test(module_settings, what_a_module_finds_wrong)
{
    struct tern_settings *s = begin("settings: {a: {b: 5}}");
    cr_expect_eq(tern_setting_wrong(s, "a", "is %s", "odd"), -EINVAL);
    cr_expect_eq(tern_setting_wrong(s, "none", "is missing"), -EINVAL);
    cr_expect_eq(tern_setting_wrong(s, NULL, "contradict each other\n"), -EINVAL);
    struct tern_settings *inner = tern_setting_map(s, "a");
    cr_expect_eq(tern_setting_wrong(inner, "b", "is odd, too"), -EINVAL);
    end("t:1:11: error: settings: is missing\n"
        "t:1:11: error: settings: contradict each other?\n"
        "t:1:15: error: settings.a: is odd\n"
        "t:1:19: error: settings.a.b: is odd, too\n");
    s = begin("a: b");
    cr_expect_eq(tern_setting_wrong(s, NULL, "are missing"), -EINVAL);
    end("t:1:1: error: are missing\n");
}

/* In a table of directives a 0 as the most stands for no bound at all. */
Test(module_settings, ranges_around_0)
{
    struct tern_settings *s = begin("settings: {a: 1, b: -5, c: -1, d: -9223372036854775807}");
    cr_expect_eq(tern_setting_int(s, "a", 0, -5, 0), 1);
    cr_expect_eq(tern_setting_int(s, "b", 0, -5, 0), -5);
    cr_expect_eq(tern_setting_int(s, "c", -2, -5, -2), -2);
    cr_expect_eq(tern_setting_int(s, "d", 0, INT64_MIN, INT64_MAX), -INT64_MAX);
    end("t:1:15: error: settings.a: 1 is out of range (-5 to 0)\n"
        "t:1:28: error: settings.c: -1 is out of range (-5 to -2)\n");
}

/* ---- mappings inside ---- */

Test(module_settings, what_is_wrong_inside)
{
    struct tern_settings *s = begin("settings: {a: text, b: [1], c: {d: 1, tims: 2, else: 3}}");
    cr_expect_null(tern_setting_map(s, "a"));
    cr_expect_null(tern_setting_map(s, "b"));
    cr_expect_null(tern_setting_map(s, "none"));
    struct tern_settings *c = tern_setting_map(s, "c");
    cr_expect_str_eq(tern_setting_text(c, "d", NULL), "1");
    cr_expect_eq(tern_setting_time(c, "time", 7, TERN_SEC), 7);
    tern_setting_text(c, "needed", NULL);
    end("t:1:15: error: settings.a: takes a mapping, not a value\n"
        "t:1:24: error: settings.b: takes a mapping, not a list\n"
        "t:1:32: error: settings.c: lacks `needed`\n"
        "t:1:39: error: settings.c.tims: unknown key; did you mean `time`?\n"
        "t:1:48: error: settings.c.else: unknown key\n");
}

Test(module_settings, mappings_inside)
{
    struct tern_settings *s = begin("settings: {a: {b: {c: 5}, d: 6}, empty: ~}");
    struct tern_settings *a = tern_setting_map(s, "a"), *b = tern_setting_map(a, "b");
    cr_expect_eq(tern_setting_int(b, "c", 0, 0, 9), 5);
    cr_expect_eq(tern_setting_map(s, "a"), a, "asked for twice");
    cr_expect_eq(tern_setting_int(tern_setting_map(s, "a"), "d", 0, 0, 9), 6);
    struct tern_settings *empty = tern_setting_map(s, "empty");
    cr_assert_not_null(empty);
    cr_expect_eq(tern_setting_int(empty, "x", 8, 0, 9), 8);
    end("");
}

/* ---- what is right ---- */

Test(module_settings, values)
{
    struct tern_settings *s = begin("settings:\n"
                                    "  text: a text\n  empty: ''\n  least: -3\n  most: 9\n  size: 2k\n  large: 9g\n"
                                    "  time: 1500ms\n  off: off\n  on: 'yes'\n");
    cr_expect_str_eq(tern_setting_text(s, "text", NULL), "a text");
    cr_expect_str_eq(tern_setting_text(s, "empty", "other"), "");
    cr_expect_eq(tern_setting_int(s, "least", 0, -3, 9), -3);
    cr_expect_eq(tern_setting_int(s, "most", 0, -3, 9), 9);
    cr_expect_eq(tern_setting_size(s, "size", 0, 2048), 2048);
    cr_expect_eq(tern_setting_size(s, "large", 0, UINT64_MAX), 9ULL << 30);
    cr_expect_eq(tern_setting_time(s, "time", 0, 2 * TERN_SEC), 1500 * TERN_MS);
    cr_expect_not(tern_setting_bool(s, "off", true));
    cr_expect(tern_setting_bool(s, "on", false));
    end("");
}

Test(module_settings, fallbacks)
{
    static const char *const none[] = {"a: b", "settings:", "settings: {}"};
    for (size_t i = 0; i < COUNT(none); i++) {
        struct tern_settings *s = begin(none[i]);
        cr_expect_str_eq(tern_setting_text(s, "text", "other"), "other");
        cr_expect_eq(tern_setting_int(s, "int", 9, -3, 9), 9);
        cr_expect_eq(tern_setting_int(s, "int", -3, -3, 9), -3);
        cr_expect_eq(tern_setting_size(s, "size", 2048, 2048), 2048);
        cr_expect_eq(tern_setting_size(s, "size", UINT64_MAX, UINT64_MAX), UINT64_MAX);
        cr_expect_eq(tern_setting_time(s, "time", TERN_NEVER, TERN_NEVER), TERN_NEVER);
        cr_expect(tern_setting_bool(s, "bool", true));
        cr_expect_not(tern_setting_bool(s, "bool", false));
        cr_expect_null(tern_setting_item(s, "list", 0));
        cr_expect_null(tern_setting_map(s, "map"));
        end("");
    }
}

Test(module_settings, lists)
{
    struct tern_settings *s = begin("settings: {list: [a, b], lone: c, empty: []}");
    cr_expect_str_eq(tern_setting_item(s, "list", 0), "a");
    cr_expect_str_eq(tern_setting_item(s, "list", 1), "b");
    cr_expect_null(tern_setting_item(s, "list", 2));
    cr_expect_null(tern_setting_item(s, "list", SIZE_MAX));
    cr_expect_str_eq(tern_setting_item(s, "lone", 0), "c");
    cr_expect_null(tern_setting_item(s, "lone", 1));
    cr_expect_null(tern_setting_item(s, "empty", 0));
    end("");
}
