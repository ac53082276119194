/* cond_test.c: preconditions row by row, and which of them decides. */
#include "http/cond.h"

#include <criterion/criterion.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

#define NOW 1700000000
#define MODIFIED 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */
#define ETAG "\"abc\""
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define EXACTLY "Sun, 06 Nov 1994 08:49:37 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"

static const struct http_validators strong = {STR_INIT(ETAG), MODIFIED};
static const struct http_validators weak = {STR_INIT("W/" ETAG), MODIFIED};
static const struct http_validators none = {{NULL, 0}, HTTP_MODIFIED_UNKNOWN};

enum { LINES = 5 };

/* Field lines that follow a Host, up to the first without a name. */
struct lines {
    struct {
        const char *name, *value;
    } v[LINES];
};

static struct http_request request_with(enum method method, const struct lines *lines, struct http_field *fields)
{
    size_t count = 0;
    fields[count++] = (struct http_field){STR("Host"), STR("example.org")};
    for (size_t i = 0; i < LINES && lines->v[i].name; i++)
        fields[count++] = (struct http_field){str_of(lines->v[i].name), str_of(lines->v[i].value)};
    return (struct http_request){.method = method, .fields = fields, .field_count = count};
}

static int decide(enum method method, const struct lines *lines, const struct http_validators *validators)
{
    struct http_field fields[LINES + 1];
    struct http_request request = request_with(method, lines, fields);
    return http_precondition(&request, validators, NOW);
}

static int with(enum method method, const char *name, const char *value, const struct http_validators *validators)
{
    return decide(method, &(struct lines){{{name, value}}}, validators);
}

static bool range_counts(const struct lines *lines, const struct http_validators *validators, int64_t now)
{
    struct http_field fields[LINES + 1];
    struct http_request request = request_with(METHOD_GET, lines, fields);
    return http_if_range(&request, validators, now);
}

/* RFC 9110, 8.8.3: these do not name "abc", whichever way they are compared. */
static const char *const other_tags[] = {
    "",
    ",",
    ", ,",
    "abc",
    "'abc'",
    "\"abcd\"",
    "\"ab\"",
    "\"ABC\"",
    "\" abc\"",
    "\"abc \"",
    "\"abc",
    "abc\"",
    "\"\"",
    "\"",
    "w/\"abc\"",
    "W/",
    "W/abc",
    "W/W/\"abc\"",
    "W/ \"abc\"",
    "W /\"abc\"",
    "W\"abc\"",
    "\"abc\"x",
    "x\"abc\"",
    "\"abc\"\"abc\"",
    "\"abc\" \"abc\"",
    "\"abc\";q=1",
    "\"x,\"abc\"\"",
    "\"x, \"abc\"",
    "\"x\", \"y\"",
    "\",\\\"abc\\\",\"",
    "\"*\"",
    "\"x\",*",
    "*, \"x\"",
    "*,",
    "**",
};

Test(cond, other_tags_are_not_the_same)
{
    for (size_t i = 0; i < COUNT(other_tags); i++) {
        cr_expect_eq(with(METHOD_GET, "If-None-Match", other_tags[i], &strong), 0, "%s", other_tags[i]);
        cr_expect_eq(with(METHOD_GET, "If-None-Match", other_tags[i], &weak), 0, "%s", other_tags[i]);
        cr_expect_eq(with(METHOD_PUT, "If-None-Match", other_tags[i], &strong), 0, "%s", other_tags[i]);
        cr_expect_eq(with(METHOD_GET, "If-Match", other_tags[i], &strong), 412, "%s", other_tags[i]);
        cr_expect_eq(with(METHOD_PUT, "If-Match", other_tags[i], &strong), 412, "%s", other_tags[i]);
        cr_expect_eq(with(METHOD_GET, "If-None-Match", other_tags[i], &none), 0, "%s", other_tags[i]);
        cr_expect_eq(with(METHOD_GET, "If-Match", other_tags[i], &none), 412, "%s", other_tags[i]);
    }
}

/* 8.8.3.2: what only weak comparison takes for the same. */
static const char *const weak_tags[] = {
    "W/\"abc\"",
    "W/\"x\", W/\"abc\"",
    "\"x\",W/\"abc\" ,\"y\"",
};

Test(cond, weak_tags)
{
    for (size_t i = 0; i < COUNT(weak_tags); i++) {
        cr_expect_eq(with(METHOD_GET, "If-Match", weak_tags[i], &strong), 412, "%s", weak_tags[i]);
        cr_expect_eq(with(METHOD_GET, "If-Match", weak_tags[i], &weak), 412, "%s", weak_tags[i]);
        cr_expect_eq(with(METHOD_GET, "If-None-Match", weak_tags[i], &strong), 304, "%s", weak_tags[i]);
        cr_expect_eq(with(METHOD_GET, "If-None-Match", weak_tags[i], &weak), 304, "%s", weak_tags[i]);
        cr_expect_eq(with(METHOD_DELETE, "If-None-Match", weak_tags[i], &weak), 412, "%s", weak_tags[i]);
    }
}

static const char *const same_tags[] = {
    "\"abc\"",    "\"x\",\"abc\"",   "\"x\" ,\t\"abc\" , \"y\"",  "\"abc\", \"y",
    ",,\"abc\",", "W/\"x\",\"abc\"", "\"x,y\", \"abc\"",          "\"x\", junk, \"abc\"",
    "*, \"abc\"", "\"\", \"abc\"",   "\"x\"junk,\"abc\", \"y\"z",
};

Test(cond, the_same_tag)
{
    for (size_t i = 0; i < COUNT(same_tags); i++) {
        cr_expect_eq(with(METHOD_GET, "If-Match", same_tags[i], &strong), 0, "%s", same_tags[i]);
        cr_expect_eq(with(METHOD_GET, "If-Match", same_tags[i], &weak), 412, "%s", same_tags[i]);
        cr_expect_eq(with(METHOD_GET, "If-None-Match", same_tags[i], &strong), 304, "%s", same_tags[i]);
        cr_expect_eq(with(METHOD_HEAD, "if-none-match", same_tags[i], &weak), 304, "%s", same_tags[i]);
        cr_expect_eq(with(METHOD_POST, "IF-NONE-MATCH", same_tags[i], &strong), 412, "%s", same_tags[i]);
    }
}

Test(cond, tags_with_commas_and_empty_ones)
{
    struct http_validators comma = {STR("\"a,b\""), MODIFIED}, empty = {STR("\"\""), MODIFIED};
    cr_expect_eq(with(METHOD_GET, "If-None-Match", "\"a\", \"b\"", &comma), 0);
    cr_expect_eq(with(METHOD_GET, "If-None-Match", "\"a,b\"", &comma), 304);
    cr_expect_eq(with(METHOD_GET, "If-None-Match", "\"x\", \"a,b\", \"c\"", &comma), 304);
    cr_expect_eq(with(METHOD_GET, "If-None-Match", "W/\"x,y\", W/\"a,b\"", &comma), 304);
    cr_expect_eq(with(METHOD_GET, "If-None-Match", "\"x\", ,", &empty), 0);
    cr_expect_eq(with(METHOD_GET, "If-None-Match", "\"x\", \"\"", &empty), 304);
}

/* 13.1.1, 13.1.2: any version, even one that has no tag. */
Test(cond, star)
{
    const struct http_validators *all[] = {&strong, &weak, &none};
    for (size_t i = 0; i < COUNT(all); i++) {
        cr_expect_eq(with(METHOD_GET, "If-Match", "*", all[i]), 0);
        cr_expect_eq(with(METHOD_GET, "If-None-Match", "*", all[i]), 304);
        cr_expect_eq(with(METHOD_PUT, "If-None-Match", "*", all[i]), 412);
    }
}

Test(cond, several_lines_are_one_list)
{
    struct lines neither = {{{"If-None-Match", "\"x\""}, {"If-Range", ETAG}, {"If-None-Match", "\"y\""}}};
    struct lines blank = {{{"If-None-Match", ","}, {"If-None-Match", ","}}};
    struct lines last = {{{"If-None-Match", "\"x\""}, {"Accept", "*/*"}, {"if-none-match", ETAG}}};
    struct lines first = {{{"If-None-Match", ETAG}, {"If-None-Match", ""}}};
    struct lines stars = {{{"If-None-Match", "*"}, {"If-None-Match", "*"}}};
    struct lines match = {{{"If-Match", "W/" ETAG}, {"If-Match", ETAG}}};
    struct lines weak_only = {{{"If-Match", "W/" ETAG}, {"If-Match", "\"x\""}}};
    cr_expect_eq(decide(METHOD_GET, &neither, &strong), 0);
    cr_expect_eq(decide(METHOD_GET, &stars, &strong), 0, "a star is no element of a list");
    cr_expect_eq(decide(METHOD_GET, &stars, &none), 0);
    cr_expect_eq(decide(METHOD_GET, &blank, &none), 0);
    cr_expect_eq(decide(METHOD_GET, &weak_only, &strong), 412);
    cr_expect_eq(decide(METHOD_GET, &last, &strong), 304);
    cr_expect_eq(decide(METHOD_GET, &first, &strong), 304);
    cr_expect_eq(decide(METHOD_GET, &match, &strong), 0);
}

static const char *const no_dates[] = {
    "",
    "*",
    "784111777",
    ETAG,
    "Mon, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 08:49:37 CET",
    "sun, 06 nov 1994 08:49:37 gmt",
    "06 Nov 1994 08:49:37 GMT",
    "Sun, 31 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMT; length=5",
};

/* 13.1.3, 13.1.4: what is not a date is ignored. It would decide if it were taken for any time. */
Test(cond, what_is_not_a_date_is_ignored)
{
    for (size_t i = 0; i < COUNT(no_dates); i++) {
        cr_expect_eq(with(METHOD_GET, "If-Modified-Since", no_dates[i], &strong), 0, "%s", no_dates[i]);
        cr_expect_eq(with(METHOD_GET, "If-Unmodified-Since", no_dates[i], &strong), 0, "%s", no_dates[i]);
    }
}

Test(cond, several_dates_are_ignored)
{
    struct lines since = {{{"If-Modified-Since", AFTER}, {"If-Modified-Since", AFTER}}};
    struct lines unmodified = {{{"If-Unmodified-Since", BEFORE}, {"If-Unmodified-Since", BEFORE}}};
    cr_expect_eq(decide(METHOD_GET, &since, &strong), 0);
    cr_expect_eq(decide(METHOD_GET, &unmodified, &strong), 0);
}

Test(cond, without_a_time_of_modification_dates_are_ignored)
{
    cr_expect_eq(with(METHOD_GET, "If-Modified-Since", AFTER, &none), 0);
    cr_expect_eq(with(METHOD_GET, "If-Unmodified-Since", BEFORE, &none), 0);
}

Test(cond, if_modified_since)
{
    cr_expect_eq(with(METHOD_GET, "If-Modified-Since", BEFORE, &strong), 0);
    cr_expect_eq(with(METHOD_GET, "If-Modified-Since", "Sat, 05 Nov 1994 08:49:37 GMT", &strong), 0);
    cr_expect_eq(with(METHOD_POST, "If-Modified-Since", EXACTLY, &strong), 0, "GET and HEAD only");
    cr_expect_eq(with(METHOD_DELETE, "If-Modified-Since", AFTER, &strong), 0);
    cr_expect_eq(with(METHOD_GET, "If-Modified-Since", EXACTLY, &strong), 304);
    cr_expect_eq(with(METHOD_HEAD, "if-modified-since", AFTER, &strong), 304);
    cr_expect_eq(with(METHOD_GET, "If-Modified-Since", "Sunday, 06-Nov-94 08:49:37 GMT", &strong), 304);
    cr_expect_eq(with(METHOD_GET, "If-Modified-Since", "Sun Nov  6 08:49:37 1994", &strong), 304);
}

Test(cond, if_unmodified_since)
{
    cr_expect_eq(with(METHOD_GET, "If-Unmodified-Since", BEFORE, &strong), 412);
    cr_expect_eq(with(METHOD_PUT, "if-unmodified-since", BEFORE, &strong), 412);
    cr_expect_eq(with(METHOD_GET, "If-Unmodified-Since", EXACTLY, &strong), 0);
    cr_expect_eq(with(METHOD_PUT, "If-Unmodified-Since", AFTER, &strong), 0);
}

struct precedence {
    struct lines lines;
    enum method method;
    int status;
};

/* 13.2.2: the step that decides, whatever the fields of the others say. */
static const struct precedence precedences[] = {
    {{{{"If-Match", "\"x\""}, {"If-Unmodified-Since", AFTER}}}, METHOD_GET, 412},
    {{{{"If-Match", "\"x\""}, {"If-None-Match", ETAG}}}, METHOD_GET, 412},
    {{{{"If-None-Match", ETAG}, {"If-Match", "\"x\""}}}, METHOD_GET, 412},
    {{{{"If-Match", ""}, {"If-Unmodified-Since", AFTER}}}, METHOD_PUT, 412},
    {{{{"If-Unmodified-Since", BEFORE}, {"If-None-Match", ETAG}}}, METHOD_GET, 412},
    {{{{"If-Unmodified-Since", BEFORE}, {"If-Modified-Since", AFTER}}}, METHOD_HEAD, 412},
    {{{{"If-Match", ETAG}, {"If-Unmodified-Since", BEFORE}}}, METHOD_GET, 0},
    {{{{"If-Unmodified-Since", BEFORE}, {"If-Match", "*"}}}, METHOD_PUT, 0},
    {{{{"If-Match", ETAG}, {"If-None-Match", ETAG}}}, METHOD_GET, 304},
    {{{{"If-Match", ETAG}, {"If-None-Match", ETAG}}}, METHOD_PUT, 412},
    {{{{"If-Match", ETAG}, {"If-None-Match", "\"x\""}}}, METHOD_GET, 0},
    {{{{"If-Match", ETAG}, {"If-Modified-Since", EXACTLY}}}, METHOD_GET, 304},
    {{{{"If-Unmodified-Since", EXACTLY}, {"If-Modified-Since", EXACTLY}}}, METHOD_GET, 304},
    {{{{"If-None-Match", "\"x\""}, {"If-Modified-Since", AFTER}}}, METHOD_GET, 0},
    {{{{"If-Modified-Since", AFTER}, {"If-None-Match", ""}}}, METHOD_GET, 0},
    {{{{"If-None-Match", ETAG}, {"If-Modified-Since", BEFORE}}}, METHOD_GET, 304},
    {{{{"If-Match", ETAG},
       {"If-Unmodified-Since", BEFORE},
       {"If-None-Match", ETAG},
       {"If-Modified-Since", BEFORE},
       {"If-Range", "\"x\""}}},
     METHOD_GET,
     304},
};

Test(cond, precedence)
{
    for (size_t i = 0; i < COUNT(precedences); i++)
        cr_expect_eq(decide(precedences[i].method, &precedences[i].lines, &strong), precedences[i].status, "row %zu",
                     i);
}

/* 13.2.1 */
Test(cond, methods_without_a_representation)
{
    static const enum method methods[] = {METHOD_OPTIONS, METHOD_CONNECT, METHOD_TRACE};
    for (size_t i = 0; i < COUNT(methods); i++) {
        cr_expect_eq(with(methods[i], "If-Match", "\"x\"", &strong), 0);
        cr_expect_eq(with(methods[i], "If-None-Match", "*", &strong), 0);
        cr_expect_eq(with(methods[i], "If-Unmodified-Since", BEFORE, &strong), 0);
    }
}

static const char *const other_names[] = {
    "", "I", "If", "If-", "If-None", "If-None-Matches", "X-If-None-Match", "If_None_Match", "iffy",
};

Test(cond, other_fields)
{
    cr_expect_eq(decide(METHOD_GET, &(struct lines){{{NULL, NULL}}}, &strong), 0);
    for (size_t i = 0; i < COUNT(other_names); i++)
        cr_expect_eq(with(METHOD_GET, other_names[i], ETAG, &strong), 0, "%s", other_names[i]);
    struct http_request empty = {.method = METHOD_GET};
    cr_expect_eq(http_precondition(&empty, &strong, NOW), 0, "HTTP/1.0 needs no Host");
}

static const char *const other_versions[] = {
    "",
    "*",
    "abc",
    "\"abc",
    "\"x\"",
    "W/\"abc\"",
    "\"abc\", \"abc\"",
    "\"x\", \"abc\"",
    "\"abc\",",
    BEFORE,
    AFTER,
    "Sunday, 06-Nov-94 08:49:38 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
    "Mon, 06 Nov 1994 08:49:37 GMT",
};

/* 13.1.5 */
Test(cond, if_range_of_another_version)
{
    for (size_t i = 0; i < COUNT(other_versions); i++) {
        struct lines lines = {{{"If-Range", other_versions[i]}}};
        cr_expect_not(range_counts(&lines, &strong, NOW), "%s", other_versions[i]);
        cr_expect_not(range_counts(&lines, &weak, NOW), "%s", other_versions[i]);
        cr_expect_not(range_counts(&lines, &none, NOW), "%s", other_versions[i]);
    }
    struct lines tag = {{{"If-Range", ETAG}}}, date = {{{"If-Range", EXACTLY}}};
    cr_expect_not(range_counts(&tag, &weak, NOW));
    cr_expect_not(range_counts(&tag, &none, NOW));
    cr_expect_not(range_counts(&date, &none, NOW));
}

Test(cond, if_range_in_several_lines)
{
    struct lines tags = {{{"If-Range", ETAG}, {"If-Range", ETAG}}};
    struct lines dates = {{{"If-Range", EXACTLY}, {"If-Range", EXACTLY}}};
    cr_expect_not(range_counts(&tags, &strong, NOW));
    cr_expect_not(range_counts(&dates, &strong, NOW));
}

/* 8.8.2.2: within the second of the modification, or before it, the date may stand for two versions. */
Test(cond, if_range_with_a_date_that_is_no_strong_validator)
{
    struct lines date = {{{"If-Range", EXACTLY}}};
    cr_expect_not(range_counts(&date, &strong, MODIFIED));
    cr_expect_not(range_counts(&date, &strong, MODIFIED - 1));
    cr_expect(range_counts(&date, &strong, MODIFIED + 1));
}

Test(cond, if_range_of_this_version)
{
    static const char *const same[] = {ETAG, EXACTLY, "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"};
    for (size_t i = 0; i < COUNT(same); i++)
        cr_expect(range_counts(&(struct lines){{{"if-range", same[i]}}}, &strong, NOW), "%s", same[i]);
    cr_expect(range_counts(&(struct lines){{{"If-Range", EXACTLY}}}, &weak, NOW), "a date, whatever the tag is");
    cr_expect(range_counts(&(struct lines){{{"Range", "bytes=0-1"}}}, &strong, NOW), "no condition at all");
    cr_expect(range_counts(&(struct lines){{{"If-Match", "\"x\""}}}, &strong, NOW), "another condition");
}
