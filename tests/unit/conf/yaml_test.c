/* yaml_test.c: what is refused and where, bounds, anchors, and the tree that is left. */
#include "run.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#define KEY_ERROR(place) "t:" place ": error: a key is a text of 1 to 200 bytes, without `${`\n"

struct reject {
    struct str text;
    const char *errors;
    int status;
};

static const struct reject rejects[] = {
    {STR_INIT("a: [1\nb: 2"),
     "t:2:2: error: did not find expected ',' or ']', while parsing a flow sequence that starts on "
     "line 1\n",
     -EINVAL},
    {STR_INIT("a: 1\n b: 2"), "t:2:3: error: mapping values are not allowed in this context\n", -EINVAL},
    {STR_INIT("a: 'x"), "t:1:6: error: found unexpected end of stream\n", -EINVAL},
    {STR_INIT("a:\n\t- 1"), "t:2:1: error: found character that cannot start any token\n", -EINVAL},
    {STR_INIT("a: @x"), "t:1:4: error: found character that cannot start any token\n", -EINVAL},
    {STR_INIT("%YAML 3.0\n---\na: 1"), "t:1:1: error: found incompatible YAML document\n", -EINVAL},
    {STR_INIT("a: x\0y"), "t:1:5: error: control characters are not allowed\n", -EINVAL},
    {STR_INIT("a: \x1b[31m"), "t:1:4: error: control characters are not allowed\n", -EINVAL},
    {STR_INIT("a: 1\n\xc3\xa9: \xff"), "t:2:4: error: invalid leading UTF-8 octet\n", -EINVAL},
    {STR_INIT("a: \xed\xa0\x80"), "t:1:4: error: invalid Unicode character\n", -EINVAL},
    {STR_INIT("\xff\xfe\x61\0:\0"), "t:1:1: error: invalid leading UTF-8 octet\n", -EINVAL},
    {STR_INIT("a: 1\n---\nb: 2\n"), "t:2:1: error: a second document starts here\n", -EINVAL},
    {STR_INIT("a: 1\n...\nb: 2\n"), "t:3:1: error: did not find expected <document start>\n", -EINVAL},
    {STR_INIT("? [a]\n: 1"), KEY_ERROR("1:3"), -EINVAL},
    {STR_INIT("? {a: b}\n: 1"), KEY_ERROR("1:3"), -EINVAL},
    {STR_INIT("b: {'': 1}"), KEY_ERROR("1:5"), -EINVAL},
    {STR_INIT("a: &x 1\n*x : 2"), KEY_ERROR("2:1"), -EINVAL},
    {STR_INIT("${HOME}: 2"), KEY_ERROR("1:1"), -EINVAL},
    {STR_INIT("\"a\\0b\": 2"), KEY_ERROR("1:1"), -EINVAL},
    {STR_INIT("a: *x"), "t:1:4: error: a: the alias `*x` names nothing that came before\n", -EINVAL},
    {STR_INIT("a: [0, &x [1, *x]]"), "t:1:15: error: a[1][1]: the alias `*x` stands inside what it names\n", -EINVAL},
    {STR_INIT("a: &x 1\nb: &x {c: *x}"), "t:2:11: error: b.c: the alias `*x` stands inside what it names\n", -EINVAL},
    {STR_INIT("a: \"x\\0y\"\nb: 1"), "t:1:4: error: a: contains a NUL byte\n", 0},
    {STR_INIT("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\na: 2\n"),
     "t:5:3: error: b.c: is set twice, first on line 3\nt:6:1: error: a: is set twice, first on line 1\n", 0},
    {STR_INIT("{a: 1, a: 2, a: 3}"),
     "t:1:8: error: a: is set twice, first on line 1\nt:1:14: error: a: is set twice, first on line 1\n", 0},
    {STR_INIT("a: !x 1\nb: !x [1]\nc: !x {}"),
     "t:1:4: error: a: tags such as `!x` are not used here\nt:2:4: error: b: tags such as `!x` are not used here\n"
     "t:3:4: error: c: tags such as `!x` are not used here\n",
     0},
};

Test(yaml, rejects)
{
    for (size_t i = 0; i < sizeof rejects / sizeof *rejects; i++) {
        struct conf_run run;
        conf_run_start(&run, rejects[i].text);
        cr_expect_eq(run.status, rejects[i].status, "%s: %d", rejects[i].text.p, run.status);
        cr_expect_str_eq(conf_run_errors(&run), rejects[i].errors, "%s", rejects[i].text.p);
        conf_run_end(&run);
    }
}

/* Parses a text and frees it; it must be refused as a whole, for one reason. */
static void expect_refused(char *text, const char *message)
{
    struct conf_run run;
    conf_run_start(&run, str_of(text));
    cr_expect_eq(run.status, -EINVAL);
    cr_expect_null(run.root);
    cr_expect_str_eq(conf_run_errors(&run), message);
    conf_run_end(&run);
    free(text);
}

/* Numbers from 0 up, each with something before and behind it. */
static char *numbered(int count, const char *before, const char *behind)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    for (int i = 0; i < count; i++)
        fprintf(f, "%s%d%s", before, i, behind);
    fclose(f);
    return text;
}

/* Lists inside each other. */
static char *nested(size_t depth)
{
    char *text = calloc(2 * depth + 1, 1);
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    return text;
}

Test(yaml, bounds)
{
    expect_refused(numbered(CONF_NODES_MAX, "- ", "\n"), "t:1:1: error: more than 100000 values in one file\n");
    expect_refused(numbered(CONF_KEYS_MAX + 1, "k", ": x\n"), "t:1:1: error: more than 2000 keys\n");
    expect_refused(numbered(CONF_ANCHORS_MAX + 1, "- &a", " x\n"), "t:257:3: error: [256]: more than 256 anchors\n");
    char key[CONF_KEY_SIZE_MAX + 2] = "";
    memset(key, 'k', CONF_KEY_SIZE_MAX + 1);
    expect_refused(numbered(1, key, ": x"), KEY_ERROR("1:1"));
}

Test(yaml, a_billion_laughs_is_refused)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    fputs("a0: &a0 [x]\n", f);
    for (int i = 1; i < 30; i++)
        fprintf(f, "a%d: &a%d [*a%d, *a%d]\n", i, i, i - 1, i - 1);
    fclose(f);
    struct conf_run run;
    conf_run_start(&run, (struct str){text, n});
    cr_expect_eq(run.status, -EINVAL);
    cr_expect_eq(run.reader.failed, 1);
    cr_expect(str_ends(run.reader.errors[0].text, STR(": more than 100000 values in one file")));
    conf_run_end(&run);
    free(text);
}

static void expect_too_deep(const char *text)
{
    struct conf_run run;
    conf_run_start(&run, str_of(text));
    cr_expect_eq(run.status, -EINVAL);
    cr_assert_eq(run.reader.kept, 1);
    cr_expect(str_ends(run.reader.errors[0].text, STR("[0][0]: more than 64 levels deep")));
    conf_run_end(&run);
}

Test(yaml, depth_is_bounded_for_aliases_too)
{
    char *deepest = nested(CONF_DEPTH_MAX), *deeper = nested(CONF_DEPTH_MAX + 1), *half = nested(CONF_DEPTH_MAX / 2);
    char *doubled = NULL;
    cr_assert(asprintf(&doubled, "a: &a %s\nb: %.*s*a%s", half, CONF_DEPTH_MAX / 2, half, half + CONF_DEPTH_MAX / 2) >
              0);
    expect_too_deep(deeper);
    expect_too_deep(doubled);
    struct conf_run run;
    conf_run_start(&run, str_of(deepest));
    cr_expect_eq(run.status, 0);
    conf_run_end(&run);
    free(deepest);
    free(deeper);
    free(half);
    free(doubled);
}

static void expect_dump(struct str text, const char *dump)
{
    struct conf_run run;
    conf_run_start(&run, text);
    cr_assert_eq(run.status, 0, "%s", conf_run_errors(&run));
    cr_expect_not(conf_failed(&run.reader), "%s", conf_run_errors(&run));
    cr_expect_str_eq(conf_run_dump(&run).p, dump);
    conf_run_end(&run);
}

Test(yaml, nothing_is_an_empty_mapping)
{
    expect_dump((struct str){NULL, 0}, "{}\n");
    expect_dump(STR("\xef\xbb\xbf"), "{}\n");
    expect_dump(STR("# only a comment\n"), "{}\n");
    expect_dump(STR("---\n"), "{}\n");
    expect_dump(STR("~"), "{}\n");
}

Test(yaml, an_alias_is_a_copy)
{
    expect_dump(STR("a: &x {b: [1, ~]}\nc: *x\nd: [*x]\n"),
                "a:\n  b:\n    - 1\n    - ~\nc:\n  b:\n    - 1\n    - ~\nd:\n  - b:\n      - 1\n      - ~\n");
    expect_dump(STR("a: &x 1\nb: &x 2\nc: *x\n"), "a: 1\nb: 2\nc: 2\n");
}

Test(yaml, nodes_know_their_place)
{
    struct conf_run run;
    conf_run_start(&run, STR("\xef\xbb\xbf# x\na: &x\n  - {b:  'c'}\nd: *x\n"));
    cr_assert_eq(run.status, 0);
    const struct conf_node *b = run.root->first->first->first, *d = conf_find(run.root, STR("d"));
    cr_expect(str_eq(b->file, STR("t")));
    cr_expect(str_eq(b->key, STR("b")));
    cr_expect_eq(b->key_line, 3);
    cr_expect_eq(b->key_col, 6);
    cr_expect_eq(b->line, 3);
    cr_expect_eq(b->col, 10);
    cr_expect(b->quoted);
    cr_expect_eq(b->text.p[b->text.n], '\0');
    cr_expect_eq(d->line, 4, "an alias stands where it is written");
    cr_expect_eq(d->first->line, 3, "and what is in it where that is");
    conf_run_end(&run);
}
