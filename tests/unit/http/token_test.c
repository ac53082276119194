/* token_test.c: what is no token, no value, no quoted-string; and every byte in each of them. */
#include "http/token.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* RFC 9110, 5.6.2, letter by letter. */
static bool is_tchar(int c)
{
    return c &&
           (strchr("!#$%&'*+-.^_`|~", c) || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
}

static bool is_control(int c)
{
    return (c < 0x20 && c != '\t') || c == 0x7f;
}

static const struct str no_tokens[] = {
    {NULL, 0},        STR_INIT(""),    STR_INIT(" "),     STR_INIT(" a"),  STR_INIT("a "),   STR_INIT("a b"),
    STR_INIT("a\tb"), STR_INIT("a\0"), STR_INIT("a,b"),   STR_INIT("a;b"), STR_INIT("a=b"),  STR_INIT("\"a\""),
    STR_INIT("a/b"),  STR_INIT("(a)"), STR_INIT("a\xe4"), STR_INIT("a\r"), STR_INIT("a\n"),  STR_INIT("a:"),
    STR_INIT("[a]"),  STR_INIT("{a}"), STR_INIT("a?"),    STR_INIT("a@b"), STR_INIT("a\\b"), STR_INIT("a\x7f"),
};

Test(token, no_tokens)
{
    for (size_t i = 0; i < COUNT(no_tokens); i++)
        cr_expect_not(http_is_token(no_tokens[i]), "\"%s\"", no_tokens[i].p);
}

Test(token, a_token_of_every_byte)
{
    for (int byte = 0; byte < 256; byte++) {
        char text[] = {'a', (char)byte, 'b'};
        struct str whole = {text, sizeof text}, alone = {text + 1, 1};
        cr_expect_eq(http_is_token(whole), is_tchar(byte), "byte %#x", byte);
        cr_expect_eq(http_is_token(alone), is_tchar(byte), "byte %#x alone", byte);
        cr_expect_eq(http_token_length(whole), is_tchar(byte) ? 3 : 1, "byte %#x", byte);
        cr_expect_eq(http_token_length(alone), is_tchar(byte), "byte %#x alone", byte);
    }
    cr_expect_eq(http_token_length((struct str){NULL, 0}), 0);
}

static const struct str no_values[] = {
    STR_INIT(" "),         STR_INIT(" a"),      STR_INIT("a "),     STR_INIT("\ta"), STR_INIT("a\t"),
    STR_INIT("a\rb"),      STR_INIT("a\nb"),    STR_INIT("a\0b"),   STR_INIT("\n"),  STR_INIT("a\x7f"),
    STR_INIT("a\r\nb: c"), STR_INIT("a\r\n b"), STR_INIT("\x1b[m"),
};

/* What could end a field, or start another one, is in none (RFC 9110, 5.5). */
Test(token, no_field_values)
{
    for (size_t i = 0; i < COUNT(no_values); i++)
        cr_expect_not(http_is_field_value(no_values[i]), "\"%s\"", no_values[i].p);
}

Test(token, a_field_value_of_every_byte)
{
    for (int byte = 0; byte < 256; byte++) {
        char text[] = {'a', (char)byte, 'b'};
        cr_expect_eq(http_is_field_value((struct str){text, sizeof text}), !is_control(byte), "byte %#x", byte);
    }
    cr_expect(http_is_field_value(STR("")), "a value may be empty");
    cr_expect(http_is_field_value((struct str){NULL, 0}));
}

struct quoted {
    struct str text;
    size_t length;
};

static const struct quoted quoted[] = {
    /* none */
    {{NULL, 0}, 0},
    {STR_INIT(""), 0},
    {STR_INIT("a"), 0},
    {STR_INIT(" \"a\""), 0},
    {STR_INIT("'a'"), 0},
    {STR_INIT("\""), 0},
    {STR_INIT("\"a"), 0},
    {STR_INIT("\"a\\\""), 0},
    {STR_INIT("\"\\"), 0},
    {STR_INIT("\"a\nb\""), 0},
    {STR_INIT("\"a\rb\""), 0},
    {STR_INIT("\"a\0b\""), 0},
    {STR_INIT("\"a\x7f\""), 0},
    {STR_INIT("\"\\\n\""), 0},
    {STR_INIT("\"\\\x7f\""), 0},
    {STR_INIT("\"\\\0\""), 0},
    /* and some, with what follows them */
    {STR_INIT("\"\""), 2},
    {STR_INIT("\"\"\""), 2},
    {STR_INIT("\"a\"b\""), 3},
    {STR_INIT("\"a;b, c=\t\"; d"), 10},
    {STR_INIT("\"\\\"\""), 4},
    {STR_INIT("\"\\\\\""), 4},
    {STR_INIT("\"\\\\\\\"\""), 6},
    {STR_INIT("\"\\\t\\ \""), 6},
    {STR_INIT("\"\xc3\xa4\""), 4},
    {STR_INIT("\"\\\xe4\""), 4},
};

Test(token, quoted_strings)
{
    for (size_t i = 0; i < COUNT(quoted); i++)
        cr_expect_eq(http_quoted_length(quoted[i].text), quoted[i].length, "%s: %zu", quoted[i].text.p,
                     http_quoted_length(quoted[i].text));
}

/* Nothing behind the text is looked at: it may end anywhere. */
Test(token, texts_cut_anywhere)
{
    struct str whole = STR("\"a\\\"b\\\\\"");
    for (size_t n = 0; n < whole.n; n++) {
        char *copy = malloc(n + 1);
        cr_assert_not_null(copy);
        memcpy(copy, whole.p, n);
        cr_expect_eq(http_quoted_length((struct str){copy, n}), 0, "%zu bytes", n);
        cr_expect_eq(http_token_length((struct str){copy, n}), 0, "%zu bytes", n);
        free(copy);
    }
    cr_expect_eq(http_quoted_length(whole), whole.n);
}
