/* manual_test.c: what a table looks like in a manual page. */
#include "conf/manual.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

static const char mark[] = ".\\\" KEYS\n";

struct page {
    int status;
    char *text;
};

static struct page page_of(const char *template, const struct conf_table *table)
{
    struct page page;
    size_t n;
    FILE *from = fmemopen((void *)template, strlen(template), "r"), *to = open_memstream(&page.text, &n);
    page.status = conf_manual(to, from, table);
    fclose(from);
    fclose(to);
    return page;
}

static void expect_keys(const struct conf_table *table, const char *text)
{
    struct page page = page_of(mark, table);
    cr_expect_eq(page.status, 0);
    cr_expect_str_eq(page.text, text);
    free(page.text);
}

static const struct conf_key point_keys[] = {
    {"x", CONF_INT, .required = true, .doc = "to the right"},
    {"y", CONF_SIZE, .fallback = "1k", .doc = "`up`, as in \\n"},
    {"z", CONF_TEXT, .fallback = "''", .doc = ".dotted"},
};
static const struct conf_table point = CONF_TABLE("a point", point_keys);

#define TOP ".Ss The top level\n"
#define POINT_KEYS                                                                                                     \
    ".Bl -tag -width Ds\n"                                                                                             \
    ".It Cm x\nTo the right.\nTakes a number.\nIt must be there.\n"                                                    \
    ".It Cm y\n\\fBup\\fR, as in \\en.\nTakes a size; the default is \\fB1k\\fR.\n"                                    \
    ".It Cm z\n\\&.dotted.\nTakes a text; the default is \\fB''\\fR.\n"                                                \
    ".El\n"

Test(manual, a_page_needs_a_place_for_the_keys)
{
    static const char *const templates[] = {".Sh A\n", "KEYS\n", "x.\\\" KEYS\n", ".\\\" KEYS, say\n"};
    for (size_t i = 0; i < sizeof templates / sizeof *templates; i++) {
        struct page page = page_of(templates[i], &point);
        cr_expect_eq(page.status, -EINVAL, "%s", templates[i]);
        free(page.text);
    }
}

static bool one_of_too_many(size_t i, struct conf_key *key)
{
    static char docs[600];
    if (i >= sizeof docs - 1)
        return false;
    memset(docs, 'x', sizeof docs - 1);
    *key = (struct conf_key){.name = "k", .kind = CONF_INT, .doc = docs + i};
    return true;
}

/* A page that lacks some, or tells of one in the place of another, is none. */
Test(manual, more_keys_than_there_are_places_for)
{
    static const struct conf_table table = {.what = "a crowd", .others = one_of_too_many};
    struct page page = page_of(mark, &table);
    cr_expect_eq(page.status, -E2BIG);
    free(page.text);
}

Test(manual, the_page_is_kept_around_the_keys)
{
    struct page page = page_of(".Sh A\n.\\\" KEYS\n.Sh B\nend", &point);
    cr_expect_eq(page.status, 0);
    cr_expect_str_eq(page.text, ".Sh A\n" TOP POINT_KEYS ".Sh B\nend");
    free(page.text);
}

Test(manual, keys)
{
    expect_keys(&point, TOP POINT_KEYS);
}

/* A mapping is described once, under the names that lead to it first; one that has no keys needs no section. */
Test(manual, sections)
{
    static const struct conf_table empty = {.what = "nothing"};
    static const struct conf_key inner_keys[] = {
        {"c", CONF_MAP, .table = &point, .doc = "a"},
        {"d", CONF_MAP, .table = &empty, .doc = "b"},
    };
    static const struct conf_table inner = CONF_TABLE("inner", inner_keys);
    static const struct conf_key outer_keys[] = {
        {"i", CONF_CUSTOM, .table = &inner, .many = CONF_LIST, .doc = "c"},
        {"j", CONF_MAP, .table = &point, .doc = "d"},
    };
    static const struct conf_table outer = CONF_TABLE("outer", outer_keys);
    expect_keys(&outer, TOP ".Bl -tag -width Ds\n"
                            ".It Cm i\nC.\nTakes a list; each item is a mapping.\nSee\n.Sx i .\n"
                            ".It Cm j\nD.\nTakes a mapping.\nSee\n.Sx j .\n"
                            ".El\n"
                            ".Ss i\n.Bl -tag -width Ds\n"
                            ".It Cm c\nA.\nTakes a mapping.\nSee\n.Sx j .\n"
                            ".It Cm d\nB.\nTakes a mapping.\n"
                            ".El\n"
                            ".Ss j\n" POINT_KEYS);
}

static const struct conf_key shared_keys[] = {
    {"s", CONF_INT, .doc = "shared"},
    {"t", CONF_INT, .doc = "too"},
};

static bool shared_key(size_t i, struct conf_key *key)
{
    if (i >= sizeof shared_keys / sizeof *shared_keys)
        return false;
    *key = shared_keys[i];
    return true;
}

Test(manual, keys_that_stand_in_several_places_are_described_once)
{
    static const struct conf_key inner_keys[] = {
        {"a", CONF_INT, .choice = "letter", .doc = "first"},
        {"b", CONF_INT, .choice = "letter", .doc = "second"},
    };
    static const struct conf_table inner = {.what = "in", .keys = inner_keys, .count = 2, .others = shared_key};
    static const struct conf_key outer_keys[] = {{"i", CONF_MAP, .table = &inner, .doc = "inside"}};
    static const struct conf_table outer = {.what = "out", .keys = outer_keys, .count = 1, .others = shared_key};
    expect_keys(&outer, TOP ".Bl -tag -width Ds\n"
                            ".It Cm i\nInside.\nTakes a mapping.\nSee\n.Sx i .\n"
                            ".It Cm s\nShared.\nTakes a number.\n"
                            ".It Cm t\nToo.\nTakes a number.\n"
                            ".El\n"
                            ".Ss i\nOne letter must be there, and no second:\n.Cm a ,\n.Cm b .\n"
                            ".Bl -tag -width Ds\n"
                            ".It Cm a\nFirst.\nTakes a number.\n"
                            ".It Cm b\nSecond.\nTakes a number.\n"
                            ".El\n.Pp\nAs in\n.Sx The top level :\n.Cm s ,\n.Cm t .\n");
}
