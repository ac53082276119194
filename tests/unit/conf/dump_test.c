/* dump_test.c: what is written reads back as an equal tree, whatever it was made from. */
#include "conf/dump.h"
#include "run.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

Test(dump, a_full_disk_is_an_error)
{
    struct conf_run run;
    conf_run_start(&run, STR("a: 1"));
    FILE *full = fopen("/dev/full", "w");
    cr_assert_not_null(full);
    cr_expect_eq(conf_dump(full, run.root), -EIO);
    fclose(full);
    conf_run_end(&run);
}

/* The dump of a tree, parsed, is an equal tree. */
static void expect_round_trip(struct conf_run *run, struct str text)
{
    struct str dump = conf_run_dump(run);
    struct conf_run again;
    conf_run_start(&again, dump);
    cr_assert_eq(again.status, 0, "%s\n<%.*s>\n<%s>", conf_run_errors(&again), STR_ARG(text), dump.p);
    cr_assert_not(conf_failed(&again.reader), "%s\n<%s>", conf_run_errors(&again), dump.p);
    cr_assert(conf_run_same(run->root, again.root), "<%.*s>\n<%s>", STR_ARG(text), dump.p);
    conf_run_end(&again);
}

static void expect_dump(struct str text, const char *dump)
{
    struct conf_run run;
    conf_run_start(&run, text);
    cr_assert_eq(run.status, 0, "%s", conf_run_errors(&run));
    cr_expect_str_eq(conf_run_dump(&run).p, dump);
    expect_round_trip(&run, text);
    conf_run_end(&run);
}

Test(dump, block_style)
{
    expect_dump(STR("{}"), "{}\n");
    expect_dump(STR("[]"), "[]\n");
    expect_dump(STR("x"), "x\n");
    expect_dump(STR("{a: {b: {c: 1}}, d: [], e: {}, f: ~, g: }"), "a:\n  b:\n    c: 1\nd: []\ne: {}\nf: ~\ng: ~\n");
    expect_dump(STR("[a, [b, c], [[d], e], {f: g, h: [i]}, {j: {k: l}}, [{m: n}], [], {}]"),
                "- a\n- - b\n  - c\n- - - d\n  - e\n- f: g\n  h:\n    - i\n- j:\n    k: l\n- - m: n\n- []\n- {}\n");
}

Test(dump, quotes_only_where_needed)
{
    expect_dump(STR("[on, 12, a b, 'a''b', a:b, a#b, /x, 64k, 'a\"b', 'a\\b', €, 0.0.0.0:8080, 'x{}[],']"),
                "- on\n- 12\n- a b\n- a'b\n- a:b\n- a#b\n- /x\n- 64k\n- a\"b\n- a\\b\n- €\n- 0.0.0.0:8080\n"
                "- x{}[],\n");
    expect_dump(
        STR("['', 'null', '~', ' a', 'a ', 'a: b', 'a #b', 'a:', '*a', '&a', '!a', '%a', '@a', '- a', '[', '...']"),
        "- \"\"\n- \"null\"\n- \"~\"\n- \" a\"\n- \"a \"\n- \"a: b\"\n- \"a #b\"\n- \"a:\"\n- \"*a\"\n- \"&a\"\n"
        "- \"!a\"\n- \"%a\"\n- \"@a\"\n- \"- a\"\n- \"[\"\n- \"...\"\n");
}

Test(dump, escapes)
{
    expect_dump(STR("\"\\\"\\\\: \\n\\t\\e\\x7f\\x85\\u2028\\ufeff\\uffff\\U0001F600\""),
                "\"\\\"\\\\: \\n\\t\\x1B\\x7F\\x85\\u2028\\uFEFF\\uFFFF\xf0\x9f\x98\x80\"\n");
    expect_dump(STR("|\n  two\n  lines\n"), "\"two\\nlines\\n\"\n");
    expect_dump(STR("'$${A} $$${B} $'"), "$${A} $$${B} $\n");
}

Test(dump, keys_are_quoted_too)
{
    expect_dump(STR("{'a: b': 1, '*': 2, 'null': 3, \"a\\nb\": 4, '---': 5}"),
                "\"a: b\": 1\n\"*\": 2\n\"null\": 3\n\"a\\nb\": 4\n\"---\": 5\n");
}

Test(dump, secrets_are_masked)
{
    struct conf_run run;
    conf_run_start(&run, STR("a: x\nb: [x, {c: y}]\nd: z\n"));
    cr_assert_eq(run.status, 0);
    conf_find(run.root, STR("b"))->secret = true;
    conf_find(run.root, STR("d"))->secret = true;
    cr_expect_str_eq(conf_run_dump(&run).p, "a: x\nb:\n  - \"***\"\n  - c: \"***\"\nd: \"***\"\n");
    conf_run_end(&run);
}

Test(dump, the_example_reads_back)
{
    struct conf_run run;
    conf_run_start(&run, conf_run_example);
    cr_assert_eq(run.status, 0);
    cr_assert_not(conf_failed(&run.reader), "%s", conf_run_errors(&run));
    expect_round_trip(&run, conf_run_example);
    conf_run_end(&run);
}

enum { ROUNDS = 3000, EDITS_MAX = 8 };

static const char *const scraps[] = {
    "&a ",   "*a",  ": ",       "- ",           "[",     "]",  "{",    "}",     ",",    "\"",
    "'",     "|\n", ">\n",      "\n",           "\\",    "? ", "!!x ", "${A:-", "$${",  "~",
    "#",     "\t",  "\r",       "---\n",        "...\n", "%",  "<<",   "\xff",  "\x01", "\xe2\x80\xa8",
    "\\x85", "\\0", "\xc2\x85", "\xef\xbb\xbf", " ",     "  ", "",
};

/* Replaces a few bytes somewhere by a scrap or by bytes from elsewhere in the text. */
static void edit(char *text, size_t *n, size_t size)
{
    size_t at = (size_t)rand() % (*n + 1), gone = (size_t)rand() % 4, from = (size_t)rand() % (*n + 1);
    struct str added = str_of(scraps[(size_t)rand() % (sizeof scraps / sizeof *scraps)]);
    char copy[64];
    if (rand() % 3 == 0) {
        added = (struct str){copy, (size_t)rand() % sizeof copy};
        added.n = added.n < *n - from ? added.n : *n - from;
        memcpy(copy, text + from, added.n);
    }
    gone = gone < *n - at ? gone : *n - at;
    if (*n - gone + added.n > size)
        return;
    memmove(text + at + added.n, text + at + gone, *n - at - gone);
    memcpy(text + at, added.p, added.n);
    *n += added.n - gone;
}

Test(dump, mutated_examples_are_refused_or_read_back)
{
    static char text[8192];
    srand(1);
    int accepted = 0;
    for (int round = 0; round < ROUNDS; round++) {
        size_t n = conf_run_example.n;
        memcpy(text, conf_run_example.p, n);
        for (int edits = 1 + rand() % EDITS_MAX; edits > 0; edits--)
            edit(text, &n, sizeof text);
        struct conf_run run;
        conf_run_start(&run, (struct str){text, n});
        cr_assert(run.status == 0 || (run.status == -EINVAL && conf_failed(&run.reader)));
        if (run.status == 0 && !conf_failed(&run.reader)) {
            expect_round_trip(&run, (struct str){text, n});
            accepted++;
        }
        conf_run_end(&run);
    }
    cr_expect_gt(accepted, ROUNDS / 100, "or the edits are too coarse to test the way back");
}

/* ---- on a line ---- */

static void expect_line(struct conf_node *node, const char *expected)
{
    char *text;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    cr_assert_not_null(f);
    cr_expect_eq(conf_dump_line(f, node), 0);
    cr_assert_eq(fclose(f), 0);
    cr_expect_str_eq(text, expected);
    free(text);
}

Test(dump, on_a_line)
{
    static const char *const table[][2] = {
        {"{}", "{}"},
        {"[]", "[]"},
        {"x", "x"},
        {"[~, a]", "~, a"},
        {"'null'", "\"null\""},
        {"'a, b'", "\"a, b\""},
        {"['a[', 'a]', 'a{', 'a}', 'a,']", "\"a[\", \"a]\", \"a{\", \"a}\", \"a,\""},
        {"{a: {b: [c, {d: ~}]}, e: [], 'f,g': h}", "a: {b: [c, {d: ~}]}, e: [], \"f,g\": h"},
        {"a: \"x\\ny\\u202ez\"", "a: \"x\\ny\xe2\x80\xaez\""},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct conf_run run;
        conf_run_start(&run, str_of(table[i][0]));
        cr_assert_eq(run.status, 0, "%s", conf_run_errors(&run));
        expect_line(run.root, table[i][1]);
        conf_run_end(&run);
    }
}

Test(dump, no_secret_is_on_a_line)
{
    struct conf_run run;
    conf_run_start(&run, STR("{a: {b: {c: hidden}}, d: [hidden, {e: hidden}], f: shown}"));
    struct conf_node *a = conf_find(run.root, STR("a")), *d = conf_find(run.root, STR("d"));
    a->secret = d->secret = true;
    expect_line(run.root, "a: {b: {c: \"***\"}}, d: [\"***\", {e: \"***\"}], f: shown");
    expect_line(conf_find(a, STR("b")), "c: \"***\"");
    expect_line(d->last, "e: \"***\"");
    conf_run_end(&run);
}

Test(dump, a_line_on_a_full_disk_is_an_error)
{
    struct conf_run run;
    conf_run_start(&run, STR("a: 1"));
    FILE *full = fopen("/dev/full", "w");
    cr_assert_not_null(full);
    cr_expect_eq(conf_dump_line(full, run.root), -EIO);
    fclose(full);
    conf_run_end(&run);
}
