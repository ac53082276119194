/* utf8_test.c: characters at the borders, and bytes that are none. */
#include "base/utf8.h"

#include <criterion/criterion.h>
#include <errno.h>

static const char *const rejects[] = {
    "\x80",
    "\xbf",
    "\xc0\x80",
    "\xc1\xbf",
    "\xc3",
    "\xc3(",
    "\xe0\x9f\xbf",
    "\xe2\x82",
    "\xe2\x82(",
    "\xed\xa0\x80",
    "\xed\xbf\xbf",
    "\xf0\x8f\xbf\xbf",
    "\xf0\x9f\x98",
    "\xf4\x90\x80\x80",
    "\xf5\x80\x80\x80",
    "\xff",
};

Test(utf8, rejects)
{
    for (size_t i = 0; i < sizeof rejects / sizeof *rejects; i++) {
        struct str rest = str_of(rejects[i]);
        cr_expect_eq(utf8_next(&rest), -EILSEQ, "row %zu", i);
        cr_expect_eq(rest.n, strlen(rejects[i]) - 1, "one byte is taken");
    }
}

struct character {
    struct str bytes;
    int32_t code;
};

static const struct character characters[] = {
    {STR_INIT("\0"), 0},
    {STR_INIT("\x7f"), 0x7f},
    {STR_INIT("\xc2\x80"), 0x80},
    {STR_INIT("\xdf\xbf"), 0x7ff},
    {STR_INIT("\xe0\xa0\x80"), 0x800},
    {STR_INIT("\xed\x9f\xbf"), 0xd7ff},
    {STR_INIT("\xee\x80\x80"), 0xe000},
    {STR_INIT("\xef\xbf\xbf"), 0xffff},
    {STR_INIT("\xf0\x90\x80\x80"), 0x10000},
    {STR_INIT("\xf4\x8f\xbf\xbf"), 0x10ffff},
};

Test(utf8, characters)
{
    for (size_t i = 0; i < sizeof characters / sizeof *characters; i++) {
        struct str rest = characters[i].bytes;
        cr_expect_eq(utf8_next(&rest), characters[i].code);
        cr_expect_eq(rest.n, 0);
    }
}

Test(utf8, takes_one_at_a_time)
{
    struct str rest = STR("a\xe2\x82\xac\xff!");
    cr_expect_eq(utf8_next(&rest), 'a');
    cr_expect_eq(utf8_next(&rest), 0x20ac);
    cr_expect_eq(utf8_next(&rest), -EILSEQ);
    cr_expect_eq(utf8_next(&rest), '!');
    cr_expect_eq(rest.n, 0);
}
