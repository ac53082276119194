/* type_set_test.c: members that are refused, and which types are in a set. */
#include "policy/type_set.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

static struct arena arena;
static struct type_set set;

static void setup(void)
{
    arena_init(&arena, NULL, 0);
    cr_assert_eq(type_set_init(&set, &arena), 0);
}

static void teardown(void)
{
    arena_clear(&arena);
}

TestSuite(type_set, .init = setup, .fini = teardown);

static void add(const char *member)
{
    cr_assert_eq(type_set_add(&set, &arena, str_of(member)), 0, "%s", member);
}

static bool has(const char *type)
{
    return type_set_has(&set, str_of(type));
}

Test(type_set, what_is_no_member)
{
    static const char *const refused[] = {"",         "text",    "text/",         "/html",   "/",          "*",
                                          "te*t/x",   "text/x*", "text/*x",       "*/html",  "*/*+",       "*/*x",
                                          "*/+json",  "*/*+j*",  "text /x",       "text/ x", "text/x;q=1", "text/x/y",
                                          "a/*+json", "*/a+*",   "text/\xc3\xa9", "**/*",    "*/**"};
    for (size_t i = 0; i < COUNT(refused); i++)
        cr_expect_eq(type_set_add(&set, &arena, str_of(refused[i])), -EINVAL, "%s", refused[i]);
    cr_expect_eq(set.members.count, 0);
}

Test(type_set, what_is_too_long)
{
    char type[TYPE_SET_NAME_MAX + 2] = "text/";
    memset(type + 5, 'x', TYPE_SET_NAME_MAX - 4);
    cr_expect_eq(type_set_add(&set, &arena, str_of(type)), -EINVAL);
    add("text/*");
    add("*/*+json");
    cr_expect(has(type), "by the wildcard");
    type[TYPE_SET_NAME_MAX] = '\0';
    add(type);
    cr_expect(has(type));
    char *endless = malloc(100000);
    cr_assert_not_null(endless);
    memset(endless, '+', 100000);
    endless[0] = 'a';
    endless[1] = '/';
    cr_expect_not(type_set_has(&set, (struct str){endless, 100000}));
    free(endless);
}

Test(type_set, an_empty_set)
{
    cr_expect_not(has("text/html"));
    cr_expect_not(has(""));
}

Test(type_set, types_that_are_not_in_it)
{
    static const char *const types[] = {
        "",
        "text",
        "text/",
        "/",
        "/html",
        "textual/html",
        "tex/html",
        "image/png",
        "video/mp4",
        "font/woff2",
        "application/zip",
        "application/json5",
        "json/x",
        "a/json",
        "application",
        "a/x+json+",
        "image/xml",
        "application/json+zip",
        "a/x+jsonp",
        "a/ json",
        ";text/html",
        "*/*",
        "a/*",
    };
    add("text/*");
    add("application/json");
    add("*/*+json");
    for (size_t i = 0; i < COUNT(types); i++)
        cr_expect_not(has(types[i]), "%s", types[i]);
}

Test(type_set, types_that_are_in_it)
{
    static const char *const types[] = {
        "text/html",
        "text/html; charset=utf-8",
        "text/html ;charset=\"a;b\"",
        "TEXT/Plain",
        "application/json",
        "Application/JSON;x=y",
        "application/ld+json",
        "application/vnd.api+json; ext=x",
        "image/a+b+json",
        "image/svg+XML",
    };
    add("Text/*");
    add("application/JSON");
    add("application/json");
    add("*/*+json");
    add("*/*+xml");
    for (size_t i = 0; i < COUNT(types); i++)
        cr_expect(has(types[i]), "%s", types[i]);
    cr_expect_eq(set.members.count, 4);
}

Test(type_set, everything)
{
    add("*/*");
    cr_expect(has("image/png"));
    cr_expect_not(has("image"));
}
