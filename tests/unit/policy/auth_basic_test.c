/* auth_basic_test.c: credentials that are none, and those that are. */
#include "policy/auth_basic.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

static const struct str refused[] = {
    {NULL, 0},
    STR_INIT(""),
    STR_INIT("Basic"),
    STR_INIT("Basic "),
    STR_INIT("Basic  "),
    STR_INIT("Basi YTpi"),
    STR_INIT("Basicc YTpi"),
    STR_INIT("BasicYTpi"),
    STR_INIT("Basic\tYTpi"),
    STR_INIT("Basic \tYTpi"),
    STR_INIT("Bearer YTpi"),
    STR_INIT("Digest username=\"a\""),
    STR_INIT("YTpi"),
    STR_INIT("Basic YTpi, Basic YTpi"),
    STR_INIT("Basic YTpi YTpi"),
    STR_INIT("Basic \"YTpi\""),
    STR_INIT("Basic realm=YTpi"),
    /* RFC 4648 to the letter */
    STR_INIT("Basic Y"),
    STR_INIT("Basic YT"),
    STR_INIT("Basic YTp"),
    STR_INIT("Basic YTpiY"),
    STR_INIT("Basic YT:pi"),
    STR_INIT("Basic YTp-"),
    STR_INIT("Basic YTp_"),
    STR_INIT("Basic YTpi\n"),
    STR_INIT("Basic YT\r\npi"),
    STR_INIT("Basic YTp\0"),
    STR_INIT("Basic YTp\xc3"),
    STR_INIT("Basic ===="),
    STR_INIT("Basic Y==="),
    STR_INIT("Basic YTo"),
    STR_INIT("Basic YTo=="),
    STR_INIT("Basic YTo=YTpi"),
    STR_INIT("Basic Og==Og=="),
    STR_INIT("Basic YT=o"),
    STR_INIT("Basic =YTo"),
    STR_INIT("Basic YTp="), /* bits that are not used */
    STR_INIT("Basic YTo=="),
    STR_INIT("Basic Oh=="),
    STR_INIT("Basic O/=="),
    /* no colon: a, ab, abc */
    STR_INIT("Basic YQ=="),
    STR_INIT("Basic YWI="),
    STR_INIT("Basic YWJj"),
    /* control characters: NUL, LF, DEL, in the name and in the password */
    STR_INIT("Basic AGE6Yg=="),
    STR_INIT("Basic YQA6Yg=="),
    STR_INIT("Basic YTpiAA=="),
    STR_INIT("Basic YQo6Yg=="),
    STR_INIT("Basic YTpiCg=="),
    STR_INIT("Basic YTpifw=="),
    STR_INIT("Basic YX86Yg=="),
};

Test(auth_basic, refused)
{
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct auth_basic basic;
        cr_expect_eq(auth_basic_read(refused[i], &basic), -EINVAL, "%s", refused[i].p);
    }
}

struct credentials {
    const char *field, *user, *password;
};

static const struct credentials table[] = {
    {"Basic YTpi", "a", "b"},
    {"basic YTpi", "a", "b"},
    {"BASIC YTpi", "a", "b"},
    {"Basic    YTpi", "a", "b"},
    {"Basic Og==", "", ""},
    {"Basic YTo=", "a", ""},
    {"Basic OmI=", "", "b"},
    {"Basic Ojo=", "", ":"},
    {"Basic YTpiOmM6", "a", "b:c:"},
    {"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame"}, /* RFC 7617, 2 */
    {"Basic dGVzdDoxMjPCow==", "test", "123\xc2\xa3"},                /* RFC 7617, 2.1 */
    {"Basic /v/+Ov/+/w==", "\xfe\xff\xfe", "\xff\xfe\xff"},
};

Test(auth_basic, taken)
{
    for (size_t i = 0; i < COUNT(table); i++) {
        struct auth_basic basic;
        cr_assert_eq(auth_basic_read(str_of(table[i].field), &basic), 0, "%s", table[i].field);
        cr_expect(str_eq(basic.user, str_of(table[i].user)), "%s", table[i].field);
        cr_expect_str_eq(basic.password, table[i].password, "%s", table[i].field);
    }
}

/* "Basic " and the base 64 of so many bytes for a name, a colon, and so many for a password: all 'i'. */
static struct str field_of(size_t user, size_t password)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static char field[2048];
    size_t n = user + 1 + password, at = (size_t)sprintf(field, "Basic ");
    for (size_t i = 0; i < n; i += 3) {
        unsigned word = 0;
        for (size_t k = i; k < i + 3; k++)
            word = word << 8 | (k >= n ? 0U : k == user ? ':' : 'i');
        for (size_t k = 0; k < 4; k++)
            field[at++] = i + k > n ? '=' : digits[word >> (18 - 6 * k) & 63];
    }
    return (struct str){field, at};
}

Test(auth_basic, lengths)
{
    struct auth_basic basic;
    for (size_t password = 0; password <= AUTH_PASSWORD_MAX; password++) {
        cr_assert_eq(auth_basic_read(field_of(AUTH_USER_MAX, password), &basic), 0, "%zu", password);
        cr_assert_eq(basic.user.n, AUTH_USER_MAX);
        cr_assert_eq(strlen(basic.password), password);
    }
    for (size_t more = 1; more < 400; more++) {
        cr_assert_eq(auth_basic_read(field_of(AUTH_USER_MAX + more, 0), &basic), -EINVAL);
        cr_assert_eq(auth_basic_read(field_of(0, AUTH_PASSWORD_MAX + more), &basic), -EINVAL);
        cr_assert_eq(auth_basic_read(field_of(AUTH_USER_MAX, AUTH_PASSWORD_MAX + more), &basic), -EINVAL);
    }
}
