/* json_pretty_test.c: where lines are broken. */
#include "conf/json_pretty.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

static const struct {
    const char *text, *pretty;
} rows[] = {
    {"{}", "{}\n"},
    {"[]", "[]\n"},
    {"1", "1\n"},
    {"{\"a\":1}", "{\"a\": 1}\n"},
    {"[1,2]", "[1, 2]\n"},
    {"{\"a\":{}}", "{\n  \"a\": {}\n}\n"},
    {"{\"a\":1,\"b\":[1,\"x\"]}", "{\n  \"a\": 1,\n  \"b\": [1, \"x\"]\n}\n"},
    {"[[1],{\"a\":[[2]]}]", "[\n  [1],\n  {\n    \"a\": [\n      [2]\n    ]\n  }\n]\n"},
    {"{\"a{\":\"},[:\"}", "{\"a{\": \"},[:\"}\n"},
    {"[\"\\\"]\",\"\\\\\"]", "[\"\\\"]\", \"\\\\\"]\n"},
    /* what is no JSON ends all the same */
    {"\"a", "\"a\n"},
    {"\"a\\", "\"a\\\n"},
    {"{\"a", "{\n  \"a\n"},
};

Test(json_pretty, lines)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text;
        size_t n;
        FILE *f = open_memstream(&text, &n);
        cr_expect_eq(json_pretty(f, str_of(rows[i].text)), 0);
        fclose(f);
        cr_expect_str_eq(text, rows[i].pretty);
        free(text);
    }
}

Test(json_pretty, a_stream_that_fails)
{
    FILE *f = fopen("/dev/full", "we");
    setvbuf(f, NULL, _IONBF, 0);
    cr_expect_eq(json_pretty(f, STR("[]")), -EIO);
    fclose(f);
}
