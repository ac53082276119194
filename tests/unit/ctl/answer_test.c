/* answer_test.c: lines that are no answer, and answers that are not as they should be. */
#include "ctl/answer.h"

#include <criterion/criterion.h>

static const struct str rejects[] = {
    STR_INIT(""),
    STR_INIT(" "),
    STR_INIT("{"),
    STR_INIT("null"),
    STR_INIT("1"),
    STR_INIT("\"ok\""),
    STR_INIT("[{\"ok\":true}]"),
    STR_INIT("{ok:true}"),
    STR_INIT("{'ok':true}"),
    STR_INIT("{\"ok\":TRUE}"),
    STR_INIT("{\"ok\":true,}"),
    STR_INIT("{\"ok\":true} x"),
    STR_INIT("{\"ok\":true}{}"),
    STR_INIT("{\"ok\":01}"),
    STR_INIT("{\"a\":\"\xff\"}"),
    STR_INIT("{\"a\":\"\n\"}"),
    STR_INIT("HTTP/1.1 400 Bad Request\r"),
    STR_INIT("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["),
    STR_INIT("{\"a\":1,\"a\":2}"),
    STR_INIT("{\"ok\":true}\r"),
    STR_INIT("{\"ok\":\ttrue}"),
    STR_INIT("{\n\"ok\":true}"),
    STR_INIT("{\"ok\":true}\0"),
};

Test(answer, rejects)
{
    for (size_t i = 0; i < sizeof rejects / sizeof *rejects; i++)
        cr_expect_null(answer_read(rejects[i]), STR_FMT, STR_ARG(rejects[i]));
}

/* Each member in the place of another. */
static const struct str odd =
    STR_INIT("{\"text\":1,\"number\":\"x\",\"flag\":\"true\",\"array\":{\"0\":1},\"items\":[1,"
             "null],\"negative\":-5,\"fraction\":1.5,\"null\":null}");

Test(answer, what_is_of_another_type_is_as_good_as_missing)
{
    struct answer *answer = answer_read(odd);
    cr_assert_not_null(answer);
    static const char *const keys[] = {"text", "number", "flag", "array", "items", "fraction", "null", "missing"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *key = keys[i];
        cr_expect(strcmp(key, "text") == 0 || answer_u64(answer, key) == 0, "%s", key);
        cr_expect(strcmp(key, "items") == 0 || answer_count(answer, key) == 0, "%s", key);
        cr_expect_not(answer_bool(answer, key), "%s", key);
        cr_expect_null(answer_item(answer, key, 0), "%s", key);
        cr_expect_eq(answer_text_item(answer, key, 0).n, 0, "%s", key);
    }
    cr_expect_eq(answer_text(answer, "text").n, 0);
    cr_expect_eq(answer_u64(answer, "negative"), 0);
    cr_expect_eq(answer_text(NULL, "text").n, 0);
    answer_free(answer);
}

Test(answer, members)
{
    struct answer *answer = answer_read(STR("{\"ok\":true,\"no\":false,\"n\":9223372036854775807,\"s\":\"a\\u0000b\","
                                            "\"list\":[{\"n\":7},\"x\"],\"empty\":[]}"));
    cr_assert_not_null(answer);
    cr_expect(answer_bool(answer, "ok"));
    cr_expect_not(answer_bool(answer, "no"));
    cr_expect_eq(answer_u64(answer, "n"), INT64_MAX);
    cr_expect(str_eq(answer_text(answer, "s"), STR("a\0b")));
    cr_expect_eq(answer_count(answer, "list"), 2);
    cr_expect_eq(answer_u64(answer_item(answer, "list", 0), "n"), 7);
    cr_expect(str_eq(answer_text_item(answer, "list", 1), STR("x")));
    cr_expect_null(answer_item(answer, "list", 2));
    cr_expect_eq(answer_count(answer, "empty"), 0);
    answer_free(answer);
}

Test(answer, objects_and_pairs)
{
    struct answer *answer =
        answer_read(STR("{\"o\":{\"n\":7},\"pairs\":[[1,2],[3],[-4,\"5\"],6,[7,8,9]],\"none\":[]}"));
    static const uint64_t expected[][2] = {{1, 2}, {3, 0}, {0, 0}, {0, 0}, {7, 8}, {0, 0}};
    cr_assert_not_null(answer);
    cr_expect_eq(answer_u64(answer_member(answer, "o"), "n"), 7);
    cr_expect_null(answer_member(answer, "pairs"));
    cr_expect_null(answer_member(answer, "missing"));
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        uint64_t pair[2] = {99, 99};
        answer_pair(answer, "pairs", i, pair);
        cr_expect(pair[0] == expected[i][0] && pair[1] == expected[i][1], "row %zu", i);
    }
    answer_free(answer);
}

Test(answer, status)
{
    static const struct {
        const char *line;
        enum ctl_status status;
    } table[] = {
        {"{\"ok\":true}", CTL_FINE},
        {"{\"ok\":true,\"code\":\"refused\"}", CTL_FINE},
        {"{}", CTL_FAILED},
        {"{\"ok\":\"true\"}", CTL_FAILED},
        {"{\"ok\":false,\"code\":\"elephant\"}", CTL_FAILED},
        {"{\"ok\":false,\"code\":\"failed\"}", CTL_FAILED},
        {"{\"ok\":false,\"code\":\"usage\"}", CTL_USAGE},
        {"{\"ok\":false,\"code\":\"refused\"}", CTL_REFUSED},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct answer *answer = answer_read(str_of(table[i].line));
        cr_expect_eq(answer_status(answer), table[i].status, "%s", table[i].line);
        answer_free(answer);
    }
}
