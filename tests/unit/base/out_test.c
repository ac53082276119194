/* out_test.c: a cursor that never writes past its end. */
#include "base/out.h"

#include <criterion/criterion.h>

static void expect_text(const struct out *o, struct str text)
{
    cr_expect(str_eq(out_str(o), text), STR_FMT " is not " STR_FMT, STR_ARG(out_str(o)), STR_ARG(text));
}

Test(out, a_piece_that_does_not_fit_is_left_out_whole)
{
    char buffer[8] = "xxxxxxx";
    struct out o = out_on(buffer, 4);
    out_text(&o, "abc");
    out_text(&o, "de");
    cr_expect(o.full);
    cr_expect_eq(out_room(&o), 0);
    expect_text(&o, STR("abc"));
    cr_expect_eq(memcmp(buffer, "abcxxxx", 8), 0, "what lies behind was touched");
}

Test(out, after_the_first_loss_nothing_is_written)
{
    char buffer[4];
    struct out o = out_on(buffer, sizeof buffer);
    out_text(&o, "abcde");
    out_char(&o, 'x');
    out_u64(&o, 1);
    out_hex(&o, 1);
    out_digits(&o, 1, 1);
    out_put(&o, STR("y"));
    cr_expect(o.full);
    cr_expect_eq(out_len(&o), 0);
}

Test(out, an_exact_fit_is_not_full)
{
    char buffer[3];
    struct out o = out_on(buffer, sizeof buffer);
    out_text(&o, "abc");
    out_put(&o, (struct str){NULL, 0});
    cr_expect_not(o.full);
    cr_expect_eq(out_len(&o), 3);
    out_char(&o, 'd');
    cr_expect(o.full);
}

Test(out, decimal)
{
    char buffer[64];
    struct out o = out_on(buffer, sizeof buffer);
    const uint64_t values[] = {0, 9, 10, 99, 100, UINT64_MAX};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        out_u64(&o, values[i]);
        out_char(&o, ' ');
    }
    expect_text(&o, STR("0 9 10 99 100 18446744073709551615 "));
}

Test(out, hexadecimal)
{
    char buffer[64];
    struct out o = out_on(buffer, sizeof buffer);
    const uint64_t values[] = {0, 15, 16, 0xabcdef, UINT64_MAX};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        out_hex(&o, values[i]);
        out_char(&o, ' ');
    }
    expect_text(&o, STR("0 f 10 abcdef ffffffffffffffff "));
}

Test(out, digits_of_fixed_width)
{
    char buffer[64];
    struct out o = out_on(buffer, sizeof buffer);
    out_digits(&o, 7, 0);
    out_digits(&o, 7, 2);
    out_digits(&o, 1999, 4);
    out_digits(&o, 12345, 3);
    out_char(&o, ' ');
    out_digits(&o, UINT32_MAX, 20);
    expect_text(&o, STR("071999345 00000000004294967295"));
}

Test(out, a_query_is_masked)
{
    static const struct {
        struct str line, masked;
    } table[] = {
        {STR_INIT("GET /a?key=secret HTTP/1.1"), STR_INIT("GET /a?... HTTP/1.1")},
        {STR_INIT("GET /a?key=secret?key=secret HTTP/1.1"), STR_INIT("GET /a?... HTTP/1.1")},
        {STR_INIT("GET /a?key=sec"), STR_INIT("GET /a?...")},
        {STR_INIT("GET /a?a b? HTTP/1.1"), STR_INIT("GET /a?... b? HTTP/1.1")},
        {STR_INIT("GET ?x"), STR_INIT("GET ?...")},
        {STR_INIT("GET /a? HTTP/1.1"), STR_INIT("GET /a? HTTP/1.1")},
        {STR_INIT("GET /a?"), STR_INIT("GET /a?")},
        {STR_INIT("GET /a HTTP/1.1"), STR_INIT("GET /a HTTP/1.1")},
        {STR_INIT("OPTIONS * HTTP/1.1"), STR_INIT("OPTIONS * HTTP/1.1")},
        {STR_INIT(""), STR_INIT("")},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char buffer[64];
        struct out o = out_on(buffer, sizeof buffer);
        str_mask_query(&o, table[i].line);
        expect_text(&o, table[i].masked);
    }
}
