/* describe_test.c: what a key takes, in words. */
#include "conf/describe.h"

#include <criterion/criterion.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

static const char *const one[] = {"off", NULL}, *const two[] = {"a", "b", NULL}, *const three[] = {"a", "b", "c", NULL};
static const struct conf_table table = {.what = "a test"};
static const struct conf_key port = {.name = "names", .kind = CONF_INT, .min = 1, .max = 65535};
static const struct conf_key names = {.kind = CONF_TEXTS, .takes = "a name"};

static const struct {
    struct conf_key key;
    const char *takes;
} table_of_kinds[] = {
    {{.kind = CONF_BOOL}, "on or off"},
    {{.kind = CONF_INT}, "a number"},
    {{.kind = CONF_INT, .min = 1}, "a number, 1 or more"},
    {{.kind = CONF_INT, .max = 7}, "a number from 0 to 7"},
    {{.kind = CONF_INT, .min = 1, .max = 7, .words = one}, "off, or a number from 1 to 7"},
    {{.kind = CONF_SIZE}, "a size"},
    {{.kind = CONF_SIZE, .max = INT64_MAX}, "a size"},
    {{.kind = CONF_SIZE, .min = 1 << 10, .max = 1 << 20}, "a size from 1k to 1m"},
    {{.kind = CONF_TIME, .min = NSEC_MS, .max = 3600 * NSEC_SEC}, "a duration from 1ms to 1h"},
    {{.kind = CONF_TEXT}, "a text"},
    {{.kind = CONF_TEXT, .takes = "a path"}, "a path"},
    {{.kind = CONF_PATH}, "a path"},
    {{.kind = CONF_PATH, .words = two}, "a, b, or a path"},
    {{.kind = CONF_TEXT, .words = two, .takes = "a path"}, "a, b, or a path"},
    {{.kind = CONF_ENUM, .words = one}, "off"},
    {{.kind = CONF_ENUM, .words = two}, "a or b"},
    {{.kind = CONF_ENUM, .words = three}, "a, b or c"},
    {{.kind = CONF_TEXTS}, "a text, or a list of such"},
    {{.kind = CONF_TEXTS, .takes = "a name"}, "a name, or a list of such"},
    {{.kind = CONF_MAP, .table = &table}, "a mapping"},
    {{.kind = CONF_CUSTOM}, "anything"},
    {{.kind = CONF_CUSTOM, .takes = "what it likes"}, "what it likes"},
    {{.kind = CONF_CUSTOM, .single = &port}, "a number from 1 to 65535"},
    {{.kind = CONF_CUSTOM, .single = &names}, "a name, or a list of such"},
    {{.kind = CONF_CUSTOM, .single = &conf_off, .table = &table}, "off, or a mapping"},
    {{.kind = CONF_CUSTOM, .entry = &port}, "a mapping of names to a number from 1 to 65535"},
    {{.kind = CONF_CUSTOM, .single = &conf_off, .entry = &port, .many = CONF_ONE_OR_LIST},
     "off, or a mapping of names to a number from 1 to 65535, or a list of such"},
    {{.kind = CONF_CUSTOM, .table = &table, .many = CONF_LIST}, "a list; each item is a mapping"},
};

Test(describe, what_a_key_takes)
{
    for (size_t i = 0; i < COUNT(table_of_kinds); i++) {
        char text[200];
        struct out o = out_on(text, sizeof text);
        conf_put_takes(&o, &table_of_kinds[i].key);
        out_char(&o, '\0');
        cr_expect_str_eq(text, table_of_kinds[i].takes);
    }
}

Test(describe, a_doc_becomes_a_sentence)
{
    static const struct {
        const char *doc, *sentence;
    } rows[] = {
        {"", "."}, {"a", "A."}, {"a.", "A."}, {"`a` b", "`a` b."}, {"A b", "A b."}, {"5 b", "5 b."},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[20];
        struct out o = out_on(text, sizeof text);
        conf_put_doc(&o, &(struct conf_key){.doc = rows[i].doc});
        out_char(&o, '\0');
        cr_expect_str_eq(text, rows[i].sentence);
    }
}
