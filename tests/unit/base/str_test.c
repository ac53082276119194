/* str_test.c: runs of bytes, strict numbers and units, edit distance. */
#include "base/str.h"

#include <criterion/criterion.h>
#include <errno.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

struct number_case {
    struct str text;
    int result;
    uint64_t value;
};

static const struct number_case u64_cases[] = {
    {STR_INIT(""), -EINVAL, 0},
    {STR_INIT(" 1"), -EINVAL, 0},
    {STR_INIT("1 "), -EINVAL, 0},
    {STR_INIT("+1"), -EINVAL, 0},
    {STR_INIT("-1"), -EINVAL, 0},
    {STR_INIT("0x10"), -EINVAL, 0},
    {STR_INIT("1,000"), -EINVAL, 0},
    {STR_INIT("1\0"), -EINVAL, 0},
    {STR_INIT("/"), -EINVAL, 0},
    {STR_INIT(":"), -EINVAL, 0},
    {STR_INIT("\xb2"), -EINVAL, 0},
    {STR_INIT("18446744073709551616"), -ERANGE, 0},
    {STR_INIT("99999999999999999999"), -ERANGE, 0},
    {STR_INIT("100000000000000000000000000000000000"), -ERANGE, 0},
    {STR_INIT("18446744073709551616x"), -EINVAL, 0},
    {STR_INIT("0"), 0, 0},
    {STR_INIT("007"), 0, 7},
    {STR_INIT("18446744073709551615"), 0, UINT64_MAX},
    {STR_INIT("00000000000000000000000000000000000018446744073709551615"), 0, UINT64_MAX},
};

Test(str, to_u64)
{
    for (size_t i = 0; i < COUNT(u64_cases); i++) {
        const struct number_case *c = &u64_cases[i];
        uint64_t value = 0;
        cr_expect_eq(str_to_u64(c->text, &value), c->result, "\"%s\"", c->text.p);
        cr_expect_eq(value, c->value, "\"%s\"", c->text.p);
    }
    uint64_t value = 5;
    cr_expect_eq(str_to_u64((struct str){NULL, 0}, &value), -EINVAL);
    cr_expect_eq(value, 5, "a refused text leaves the value alone");
}

static const struct number_case size_cases[] = {
    {STR_INIT(""), -EINVAL, 0},
    {STR_INIT("k"), -EINVAL, 0},
    {STR_INIT("1kb"), -EINVAL, 0},
    {STR_INIT("1 k"), -EINVAL, 0},
    {STR_INIT("1.5k"), -EINVAL, 0},
    {STR_INIT("-1k"), -EINVAL, 0},
    {STR_INIT("1t"), -EINVAL, 0},
    {STR_INIT("8589934592g"), -ERANGE, 0},
    {STR_INIT("9223372036854775808"), -ERANGE, 0},
    {STR_INIT("18446744073709551615k"), -ERANGE, 0},
    {STR_INIT("0"), 0, 0},
    {STR_INIT("512"), 0, 512},
    {STR_INIT("64k"), 0, 65536},
    {STR_INIT("64K"), 0, 65536},
    {STR_INIT("16m"), 0, 16777216},
    {STR_INIT("2g"), 0, 2147483648},
    {STR_INIT("8589934591g"), 0, 9223372035781033984},
    {STR_INIT("9223372036854775807"), 0, INT64_MAX},
};

Test(str, to_size)
{
    for (size_t i = 0; i < COUNT(size_cases); i++) {
        uint64_t bytes = 0;
        cr_expect_eq(str_to_size(size_cases[i].text, &bytes), size_cases[i].result, "%s", size_cases[i].text.p);
        if (!size_cases[i].result)
            cr_expect_eq(bytes, size_cases[i].value, "%s", size_cases[i].text.p);
    }
}

static const struct number_case time_cases[] = {
    {STR_INIT(""), -EINVAL, 0},
    {STR_INIT("s"), -EINVAL, 0},
    {STR_INIT("1us"), -EINVAL, 0},
    {STR_INIT("1h30m"), -EINVAL, 0},
    {STR_INIT("-1s"), -EINVAL, 0},
    {STR_INIT("9223372036855ms"), -ERANGE, 0},
    {STR_INIT("106752d"), -ERANGE, 0},
    {STR_INIT("15251w"), -ERANGE, 0},
    {STR_INIT("293y"), -ERANGE, 0},
    {STR_INIT("0"), 0, 0},
    {STR_INIT("75"), 0, 75000000000},
    {STR_INIT("100ms"), 0, 100000000},
    {STR_INIT("10s"), 0, 10000000000},
    {STR_INIT("2m"), 0, 120000000000},
    {STR_INIT("1H"), 0, 3600000000000},
    {STR_INIT("1d"), 0, 86400000000000},
    {STR_INIT("106751d"), 0, 9223286400000000000},
    {STR_INIT("1w"), 0, 604800000000000},
    {STR_INIT("2W"), 0, 1209600000000000},
    {STR_INIT("1y"), 0, 31536000000000000},
    {STR_INIT("292y"), 0, 9208512000000000000},
};

Test(str, to_time)
{
    for (size_t i = 0; i < COUNT(time_cases); i++) {
        int64_t duration = 0;
        cr_expect_eq(str_to_time(time_cases[i].text, &duration), time_cases[i].result, "%s", time_cases[i].text.p);
        cr_expect_eq(duration, (int64_t)time_cases[i].value, "%s", time_cases[i].text.p);
    }
}

Test(str, equality_and_affixes)
{
    struct str none = {NULL, 0};
    cr_expect_not(str_eq(STR("a"), STR("b")));
    cr_expect_not(str_eq(STR("a"), STR("ab")));
    cr_expect_not(str_eq(STR("a\0b"), STR("a\0c")), "NUL does not end a str");
    cr_expect_not(str_eq(none, STR("a")));
    cr_expect(str_eq(none, STR("")));
    cr_expect(str_eq(STR("abc"), STR("abc")));

    cr_expect_not(str_starts(STR("ab"), STR("abc")));
    cr_expect_not(str_starts(STR("xbc"), STR("ab")));
    cr_expect(str_starts(STR("abc"), STR("ab")));
    cr_expect(str_starts(STR("abc"), none));
    cr_expect(str_starts(none, none));

    cr_expect_not(str_ends(STR("bc"), STR("abc")));
    cr_expect_not(str_ends(STR("abx"), STR("bc")));
    cr_expect(str_ends(STR("abc"), STR("bc")));
    cr_expect(str_ends(STR("abc"), none));
}

Test(str, equality_without_case_is_ascii_only)
{
    cr_expect_not(str_eq_nocase(STR("Host"), STR("Hos")));
    cr_expect_not(str_eq_nocase(STR("@"), STR("`")), "these differ by the same bit as letters do");
    cr_expect_not(str_eq_nocase(STR("["), STR("{")));
    cr_expect_not(str_eq_nocase(STR("\xc4"), STR("\xe4")));
    cr_expect(str_eq_nocase(STR("hOST-9_z"), STR("Host-9_Z")));
    cr_expect(str_eq_nocase((struct str){NULL, 0}, STR("")));
}

Test(str, skip_and_find)
{
    struct str s = STR("abc");
    cr_expect_eq(str_skip(s, 0).n, 3);
    cr_expect(str_eq(str_skip(s, 2), STR("c")));
    cr_expect_eq(str_skip(s, 3).n, 0);
    cr_expect_eq(str_skip(s, 99).n, 0);
    cr_expect_eq(str_skip(s, 99).p, s.p + 3, "what is left of it stands at its end");
    cr_expect_eq(str_skip((struct str){NULL, 0}, 1).n, 0);

    cr_expect_eq(str_find(STR("a,b,c"), ','), 1);
    cr_expect_eq(str_find(STR("abc"), ','), 3);
    cr_expect_eq(str_find(STR("a\0b"), '\0'), 1);
    cr_expect_eq(str_find((struct str){NULL, 0}, ','), 0);
}

Test(str, cut_takes_fields_off_the_front)
{
    struct str rest = STR("a,,bc");
    cr_expect(str_eq(str_cut(&rest, ','), STR("a")));
    cr_expect(str_eq(str_cut(&rest, ','), STR("")));
    cr_expect(str_eq(str_cut(&rest, ','), STR("bc")));
    cr_expect_eq(rest.n, 0);
    cr_expect_eq(str_cut(&rest, ',').n, 0, "there is nothing left, as often as one asks");
    struct str none = {NULL, 0};
    cr_expect_eq(str_cut(&none, ',').n, 0);
}

Test(str, trim)
{
    cr_expect(str_eq(str_trim(STR(" \t a b\t ")), STR("a b")));
    cr_expect(str_eq(str_trim(STR("\r\na\v")), STR("\r\na\v")), "only OWS is blank");
    cr_expect_eq(str_trim(STR(" \t \t")).n, 0);
    cr_expect_eq(str_trim((struct str){NULL, 0}).n, 0);
}

struct distance_case {
    struct str a, b;
    unsigned limit, distance;
};

static const struct distance_case distance_cases[] = {
    {STR_INIT(""), STR_INIT(""), 9, 0},
    {STR_INIT(""), STR_INIT("abc"), 9, 3},
    {STR_INIT("abc"), STR_INIT(""), 9, 3},
    {STR_INIT("listen"), STR_INIT("LISTEN"), 9, 0},
    {STR_INIT("listn"), STR_INIT("listen"), 9, 1},
    {STR_INIT("listeen"), STR_INIT("listen"), 9, 1},
    {STR_INIT("lixten"), STR_INIT("listen"), 9, 1},
    {STR_INIT("lsiten"), STR_INIT("listen"), 9, 1},
    {STR_INIT("LSiten"), STR_INIT("listen"), 9, 1},
    {STR_INIT("tilsen"), STR_INIT("listen"), 9, 3},
    {STR_INIT("ca"), STR_INIT("abc"), 9, 3},
    {STR_INIT("kitten"), STR_INIT("sitting"), 9, 3},
    {STR_INIT("kitten"), STR_INIT("sitting"), 2, 2},
    {STR_INIT("0123456789012345678901234567890123456789012345678901234567890123"), STR_INIT("a"), 5, 5},
    {STR_INIT("012345678901234567890123456789012345678901234567890123456789012"),
     STR_INIT("112345678901234567890123456789012345678901234567890123456789012"), 5, 1},
};

Test(str, distance)
{
    for (size_t i = 0; i < COUNT(distance_cases); i++) {
        const struct distance_case *c = &distance_cases[i];
        cr_expect_eq(str_distance(c->a, c->b, c->limit), c->distance, "%s, %s", c->a.p, c->b.p);
        cr_expect_eq(str_distance(c->b, c->a, c->limit), c->distance, "%s, %s", c->b.p, c->a.p);
    }
}
