/* cond_test.c: what makes a 304, and what does not. */
#include "http/cond.h"

#include <criterion/criterion.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

#define ETAG STR("\"abc\"")
#define MODIFIED 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */

static const struct http_field host = {STR_INIT("Host"), STR_INIT("example.org")};

static bool not_modified(struct http_field *fields, size_t count, struct str etag)
{
    struct http_request request = {.fields = fields, .field_count = count};
    return http_not_modified(&request, etag, MODIFIED);
}

/* With one condition beside Host. */
static bool with(const char *name, const char *value, struct str etag)
{
    struct http_field fields[] = {host, {str_of(name), str_of(value)}};
    return not_modified(fields, COUNT(fields), etag);
}

static const char *const other_tags[] = {
    "",
    ",",
    ", ,",
    "abc",
    "\"abcd\"",
    "\"ABC\"",
    "\"abc",
    "abc\"",
    "\"\"",
    "w/\"abc\"",
    "W/",
    "W/W/\"abc\"",
    "W/ \"abc\"",
    "W\"abc\"",
    "\"x,\"abc\"\"",
    "\"x\", \"y\"",
    "\",\\\"abc\\\",\"",
    "\"*\"",
    "\"x\",*",
    "**",
};

/* RFC 9110, 13.1.2 and 8.8.3 */
Test(cond, tags_that_do_not_match)
{
    for (size_t i = 0; i < COUNT(other_tags); i++)
        cr_expect_not(with("If-None-Match", other_tags[i], ETAG), "%s", other_tags[i]);
    cr_expect_not(with("If-None-Match", "\"x", STR("\"x\"")));
    cr_expect_not(with("If-None-Match", "\"a\", \"b\"", STR("\"a\", \"b\"")), "two tags are not one");
    cr_expect_not(with("If-Match", "\"abc\"", ETAG));
    cr_expect_not(with("X-If-None-Match", "\"abc\"", ETAG));
}

static const char *const same_tags[] = {
    "\"abc\"",
    "W/\"abc\"",
    "*",
    " * ",
    "\"x\",\"abc\"",
    "\"x\" ,\t\"abc\" , \"y\"",
    ",,\"abc\",",
    "W/\"x\", W/\"abc\"",
    "\"x,y\", \"abc\"",
    "\"x\", junk, \"abc\"",
};

Test(cond, tags_that_match)
{
    for (size_t i = 0; i < COUNT(same_tags); i++) {
        cr_expect(with("If-None-Match", same_tags[i], ETAG), "%s", same_tags[i]);
        cr_expect(with("if-none-match", same_tags[i], STR("W/\"abc\"")), "%s, weakly (8.8.3.2)", same_tags[i]);
    }
    cr_expect(with("If-None-Match", "\"a,b\"", STR("\"a,b\"")), "a comma in a tag");
    cr_expect(with("If-None-Match", "\"x\", \"a,b\", \"c\"", STR("\"a,b\"")));
    cr_expect(with("If-None-Match", "\"\"", STR("\"\"")));
}

static const char *const no_dates[] = {
    "",
    "*",
    "784111777",
    "Sun, 06 Nov 1994 08:49:36 GMT",
    "Sat, 05 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1993 08:49:37 GMT",
    "Mon, 06 Nov 1994 08:49:38 GMT",
    "Sun, 06 Nov 1994 08:49:38",
    "Sun, 06 Nov 1994 08:49:38 CET",
    "06 Nov 1994 08:49:38 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
};

/* RFC 9110, 13.1.3 */
Test(cond, dates)
{
    for (size_t i = 0; i < COUNT(no_dates); i++)
        cr_expect_not(with("If-Modified-Since", no_dates[i], ETAG), "%s", no_dates[i]);
    cr_expect(with("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT", ETAG));
    cr_expect(with("If-Modified-Since", "Sun, 06 Nov 1994 08:49:38 GMT", ETAG));
    cr_expect(with("If-Modified-Since", "Sunday, 06-Nov-94 08:49:37 GMT", ETAG));
    cr_expect(with("If-Modified-Since", "Sun Nov  6 08:49:37 1994", ETAG));
}

/* RFC 9110, 13.2.2 */
Test(cond, a_tag_overrules_a_date)
{
    struct http_field since = {STR("If-Modified-Since"), STR("Sun, 06 Nov 1994 08:49:37 GMT")};
    struct http_field other = {STR("If-None-Match"), STR("\"x\"")}, same = {STR("If-None-Match"), ETAG};
    struct http_field old = {STR("If-Modified-Since"), STR("Sat, 05 Nov 1994 08:49:37 GMT")};
    struct http_field empty = {STR("If-None-Match"), STR("")};
    cr_expect_not(not_modified((struct http_field[]){host, since, other}, 3, ETAG));
    cr_expect_not(not_modified((struct http_field[]){host, other, since}, 3, ETAG));
    cr_expect_not(not_modified((struct http_field[]){host, since, empty}, 3, ETAG));
    cr_expect(not_modified((struct http_field[]){host, old, same}, 3, ETAG));
}

Test(cond, several_fields_are_one_list)
{
    struct http_field other = {STR("If-None-Match"), STR("\"x\"")}, same = {STR("If-None-Match"), ETAG};
    cr_expect(not_modified((struct http_field[]){host, other, same}, 3, ETAG));
    cr_expect(not_modified((struct http_field[]){same, host, other}, 3, ETAG));
    cr_expect_not(not_modified((struct http_field[]){other, host, other}, 3, ETAG));
}

/* HTTP/1.0 needs no Host. */
Test(cond, as_the_only_field)
{
    cr_expect_not(not_modified(NULL, 0, ETAG));
    cr_expect_not(not_modified((struct http_field[]){host}, 1, ETAG));
    cr_expect(not_modified((struct http_field[]){{STR("If-None-Match"), ETAG}}, 1, ETAG));
}
