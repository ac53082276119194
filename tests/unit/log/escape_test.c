/* escape_test.c: no byte of a peer's gets into a log as anything but itself. */
#include "log/escape.h"

#include <criterion/criterion.h>

struct escape_case {
    struct str text;
    const char *plain, *quoted;
};

static const struct escape_case cases[] = {
    {STR_INIT("\n"), "\\x0A", "\\x0A"},
    {STR_INIT("\0"), "\\x00", "\\x00"},
    {STR_INIT("a\r\nb\tc"), "a\\x0D\\x0Ab\\x09c", "a\\x0D\\x0Ab\\x09c"},
    {STR_INIT("\x1b[2J\x7f"), "\\x1B[2J\\x7F", "\\x1B[2J\\x7F"},
    {STR_INIT("\x80\xc3\xa4\xff"), "\\x80\\xC3\\xA4\\xFF", "\\x80\\xC3\\xA4\\xFF"},
    {STR_INIT("say \"hi\""), "say \"hi\"", "say \\x22hi\\x22"},
    {STR_INIT("\\x22"), "\\x22", "\\x5Cx22"},
    {STR_INIT(" !#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~"), " !#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~",
     " !#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~"},
    {STR_INIT(""), "", ""},
};

static void expect_escaped(struct str text, bool quoted, const char *expected)
{
    char buffer[128];
    struct out o = out_on(buffer, sizeof buffer);
    log_escape(&o, text, quoted);
    cr_expect_not(o.full);
    cr_expect(str_eq(out_str(&o), str_of(expected)), "%s: " STR_FMT, expected, STR_ARG(out_str(&o)));
}

Test(escape, bytes)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        expect_escaped(cases[i].text, false, cases[i].plain);
        expect_escaped(cases[i].text, true, cases[i].quoted);
    }
    expect_escaped((struct str){NULL, 0}, true, "");
}

Test(escape, every_byte_comes_out_printable)
{
    for (int i = 0; i < 256; i++) {
        char byte = (char)i, buffer[8];
        struct out o = out_on(buffer, sizeof buffer);
        log_escape(&o, (struct str){&byte, 1}, true);
        bool itself = out_len(&o) == 1 && buffer[0] == byte;
        cr_expect_eq(itself, i >= ' ' && i < 0x7f && i != '"' && i != '\\', "byte %d", i);
        cr_expect(itself || (out_len(&o) == 4 && buffer[0] == '\\' && buffer[1] == 'x'), "byte %d", i);
    }
}

/* Plain text is looked at by eight bytes at a time: a special one is found wherever it is, and no other is taken. */
Test(escape, every_byte_at_every_place)
{
    for (int byte = 0; byte < 256; byte++) {
        for (size_t place = 0; place < 24; place++) {
            char text[] = "abcdefgh!#[]}~^ 01234567", buffer[64];
            size_t n = byte < ' ' || byte >= 0x7f || byte == '"' || byte == '\\' ? 4 : 1;
            text[place] = (char)byte;
            struct out o = out_on(buffer, sizeof buffer);
            log_escape(&o, (struct str){text, 24}, true);
            cr_assert_eq(out_len(&o), 23 + n, "%d at %zu", byte, place);
            cr_assert_eq(memcmp(buffer, text, place), 0, "%d at %zu", byte, place);
            cr_assert_eq(memcmp(buffer + place + n, text + place + 1, 23 - place), 0, "%d at %zu", byte, place);
        }
    }
}

Test(escape, writes_what_fits_and_never_half_an_escape)
{
    for (size_t size = 0; size < 12; size++) {
        char buffer[12] = "############";
        struct out o = out_on(buffer, size);
        log_escape(&o, STR("ab\ncd\ne"), false);
        cr_expect(o.full);
        cr_expect_eq(out_len(&o), size < 2 ? size : size < 6 ? 2 : size < 8 ? size : 8, "%zu", size);
        cr_expect_eq(memcmp(buffer, "ab\\x0Acd", out_len(&o)), 0);
        cr_expect_eq(buffer[11], '#');
    }
}
