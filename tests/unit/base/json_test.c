/* json_test.c: what stands between quotes can't leave them, and commas stand where they belong. */
#include "base/json.h"

#include <criterion/criterion.h>

static const struct {
    struct str text;
    const char *written;
} strings[] = {
    {STR_INIT("\""), "\"\\\"\""},
    {STR_INIT("\\"), "\"\\\\\""},
    {STR_INIT("\\\"\\"), "\"\\\\\\\"\\\\\""},
    {STR_INIT("\0"), "\"\\u0000\""},
    {STR_INIT("a\r\nb\tc\b\f"), "\"a\\r\\nb\\tc\\b\\f\""},
    {STR_INIT("\x1b[2J\x7f"), "\"\\u001b[2J\\u007f\""},
    {STR_INIT("\xc2\x80\xc2\x9f\xc2\xa0"), "\"\\u0080\\u009f\xc2\xa0\""},
    {STR_INIT("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9"), "\"\xe2\x80\xa7\\u2028\\u2029\""},
    {STR_INIT("\xff"), "\"\\ufffd\""},
    {STR_INIT("\xc3"), "\"\\ufffd\""},
    {STR_INIT("\xc3\""), "\"\\ufffd\\\"\""},
    {STR_INIT("\xed\xa0\x80"), "\"\\ufffd\\ufffd\\ufffd\""},
    {STR_INIT("\xc4\xa2\xc5\x9c"),
     "\"\xc4\xa2\xc5\x9c\""}, /* U+0122 and U+015C: their low bytes are quote and backslash */
    {STR_INIT("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80!"), "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80!\""},
    {STR_INIT(" !#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~"), "\" !#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~\""},
    {STR_INIT(""), "\"\""},
    {{NULL, 0}, "\"\""},
};

Test(json, strings)
{
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        char buffer[128];
        struct out o = out_on(buffer, sizeof buffer);
        json_string(&o, strings[i].text);
        cr_expect_not(o.full);
        cr_expect(str_eq(out_str(&o), str_of(strings[i].written)), "%s: " STR_FMT, strings[i].written,
                  STR_ARG(out_str(&o)));
    }
}

Test(json, every_byte_comes_out_as_printable_ascii)
{
    for (int byte = 0; byte < 256; byte++) {
        char c = (char)byte, buffer[16];
        struct out o = out_on(buffer, sizeof buffer);
        json_string(&o, (struct str){&c, 1});
        cr_expect_not(o.full);
        for (size_t i = 0; i < out_len(&o); i++)
            cr_expect(buffer[i] >= ' ' && buffer[i] < 0x7f, "byte %d", byte);
        bool itself = byte >= ' ' && byte < 0x7f && byte != '"' && byte != '\\';
        cr_expect_eq(out_len(&o) == 3 && buffer[1] == c, itself, "byte %d", byte);
    }
}

Test(json, what_does_not_fit_is_told)
{
    const struct str whole = STR("{\"a\":\"b\\nc\"}");
    for (size_t size = 0; size <= whole.n; size++) {
        char buffer[16] = "###############";
        struct out o = out_on(buffer, size);
        struct json j = json_on(&o);
        json_open(&j, NULL, '{');
        json_text(&j, "a", STR("b\nc"));
        json_close(&j, '}');
        cr_expect_eq(o.full, size < whole.n, "%zu", size);
        cr_expect(str_starts(whole, out_str(&o)), "%zu: " STR_FMT, size, STR_ARG(out_str(&o)));
        cr_expect_eq(buffer[size], '#', "%zu", size);
    }
}

Test(json, commas_stand_between_values_and_nowhere_else)
{
    char buffer[256];
    struct out o = out_on(buffer, sizeof buffer);
    struct json j = json_on(&o);
    json_open(&j, NULL, '{');
    json_open(&j, "none", '[');
    json_close(&j, ']');
    json_open(&j, "empty", '{');
    json_close(&j, '}');
    json_open(&j, "some", '[');
    json_u64(&j, NULL, 0);
    json_u64(&j, NULL, UINT64_MAX);
    json_open(&j, NULL, '{');
    json_bool(&j, "yes", true);
    json_bool(&j, "no", false);
    json_close(&j, '}');
    json_text(&j, NULL, STR("x"));
    json_close(&j, ']');
    json_text(&j, "last \"key\"", STR(""));
    json_close(&j, '}');
    const struct str expected = STR("{\"none\":[],\"empty\":{},\"some\":[0,18446744073709551615,"
                                    "{\"yes\":true,\"no\":false},\"x\"],\"last \\\"key\\\"\":\"\"}");
    cr_expect_not(o.full);
    cr_expect(str_eq(out_str(&o), expected), STR_FMT, STR_ARG(out_str(&o)));
}

Test(json, a_value_on_its_own)
{
    char buffer[8];
    struct out o = out_on(buffer, sizeof buffer);
    struct json j = json_on(&o);
    json_bool(&j, NULL, false);
    cr_expect(str_eq(out_str(&o), STR("false")));
}
