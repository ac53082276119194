/* expires_test.c: lifetimes that are refused, and how long which response may be kept. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "http/date.h"
#include "policy/registry.h"
#include "run.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

TestSuite(policy_expires, .init = run_begin, .fini = run_end);

#define TYPE "not a media type, such as text/css, image/* or *\n"

#define TWICE "the same type a second time\n"

struct reject {
    const char *yaml, *errors;
};

static const struct reject rejects[] = {
    {"expires: 1h", "t:1:10: error: expires: takes a mapping of media types to durations, not a value\n"},
    {"expires: [1h]", "t:1:10: error: expires: takes a mapping of media types to durations, not a list\n"},
    {"expires:", "t:1:9: error: expires: has no value\n"},
    {"expires: {text: 1h}", "t:1:11: error: expires.text: " TYPE},
    {"expires: {text/: 1h}", "t:1:11: error: expires.text/: " TYPE},
    {"expires: {/css: 1h}", "t:1:11: error: expires./css: " TYPE},
    {"expires: {/: 1h}", "t:1:11: error: expires./: " TYPE},
    {"expires: {'*/*/*': 1h}", "t:1:11: error: expires.*/*/*: " TYPE},
    {"expires: {'*/css': 1h}", "t:1:11: error: expires.*/css: " TYPE},
    {"expires: {'**': 1h}", "t:1:11: error: expires.**: " TYPE},
    {"expires: {'text/*+xml': 1h}", "t:1:11: error: expires.text/*+xml: " TYPE},
    {"expires: {'text/x*': 1h}", "t:1:11: error: expires.text/x*: " TYPE},
    {"expires: {'text/**': 1h}", "t:1:11: error: expires.text/**: " TYPE},
    {"expires: {'te*t/css': 1h}", "t:1:11: error: expires.te*t/css: " TYPE},
    {"expires: {'te*t/*': 1h}", "t:1:11: error: expires.te*t/*: " TYPE},
    {"expires: {'*/*+xml': 1h}", "t:1:11: error: expires.*/*+xml: " TYPE},
    {"expires: {text/css: 1h, TEXT/Css: 2h}", "t:1:25: error: expires.TEXT/Css: " TWICE},
    {"expires: {'text/*': 1h, 'Text/*': 1h}", "t:1:25: error: expires.Text/*: " TWICE},
    {"expires: {'*': 1h, '*/*': 2h}", "t:1:20: error: expires.*/*: " TWICE},
    {"expires: {text/css/x: 1h}", "t:1:11: error: expires.text/css/x: " TYPE},
    {"expires: {text /css: 1h}", "t:1:11: error: expires.text /css: " TYPE},
    {"expires: {text/html; charset=utf-8: 1h}", "t:1:11: error: expires.text/html; charset=utf-8: " TYPE},
    {"expires: {.css: 1h}", "t:1:11: error: expires..css: " TYPE},
    {"expires: {'*': x}",
     "t:1:16: error: expires.*: `x` is not a duration (seconds, or with ms, s, m, h, d, w or y)\n"},
    {"expires: {'*': -1}",
     "t:1:16: error: expires.*: `-1` is not a duration (seconds, or with ms, s, m, h, d, w or y)\n"},
    {"expires: {'*': 366d}", "t:1:16: error: expires.*: 366d is out of range (0 to 1y)\n"},
    {"expires: {'*': }", "t:1:16: error: expires.*: has no value\n"},
    {"expires: {'*': {a: b}}", "t:1:16: error: expires.*: takes a single value, not a mapping\n"},
};

Test(policy_expires, rejects)
{
    for (size_t i = 0; i < COUNT(rejects); i++) {
        cr_expect_null(run_read(&policy_expires, rejects[i].yaml, NULL), "%s", rejects[i].yaml);
        cr_expect_str_eq(run_errors(), rejects[i].errors);
    }
}

/* What the policy adds to a head, in the test's memory. */
static const char *added(const char *yaml, int status, const char *fields)
{
    static char text[512];
    const void *settings = run_good(&policy_expires, yaml, NULL);
    struct exchange x = {.ops = NULL};
    struct http_head head = {status, str_of(fields), 0};
    arena_init(&x.arena, NULL, 0);
    cr_assert_eq(policy_expires.dress(&x, settings, &head), 0);
    cr_assert(str_starts(head.fields, str_of(fields)), "what was there is as it was");
    snprintf(text, sizeof text, STR_FMT, STR_ARG(str_skip(head.fields, strlen(fields))));
    arena_clear(&x.arena);
    return text;
}

/* The seconds of max-age; -1: there is none. */
static long lifetime(const char *yaml, int status, const char *fields)
{
    const char *text = added(yaml, status, fields), *age = strstr(text, "Cache-Control: max-age=");
    return age ? atol(age + strlen("Cache-Control: max-age=")) : -1;
}

#define TYPES "expires: {text/css: 7d, 'text/*': 2h, image/svg+xml: 5m, '*': 30}"
#define CSS "Content-Type: text/css\r\n"

struct untouched {
    const char *yaml;
    int status;
    const char *fields;
};

static const struct untouched untouched[] = {
    /* only what is there to be kept */
    {TYPES, 201, CSS},
    {TYPES, 204, CSS},
    {TYPES, 301, CSS},
    {TYPES, 302, CSS},
    {TYPES, 307, CSS},
    {TYPES, 400, CSS},
    {TYPES, 404, CSS},
    {TYPES, 412, CSS},
    {TYPES, 416, CSS},
    {TYPES, 500, CSS},
    {TYPES, 503, CSS},
    /* who has said it is left alone */
    {TYPES, 200, CSS "Cache-Control: no-store\r\n"},
    {TYPES, 200, "cache-control: private\r\n" CSS},
    {TYPES, 200, CSS "Cache-Control: \r\n"},
    {TYPES, 200, CSS "Expires: Thu, 01 Jan 1970 00:00:00 GMT\r\n"},
    {TYPES, 200, CSS "expires: 0\r\n"},
    /* types that nothing was said of */
    {"expires: {}", 200, CSS},
    {"expires: {text/css: 7d}", 200, "Content-Type: text/cssx\r\n"},
    {"expires: {text/css: 7d}", 200, "Content-Type: text/cs\r\n"},
    {"expires: {text/css: 7d}", 200, "Content-Type: text/\r\n"},
    {"expires: {text/css: 7d}", 200, "X-Content-Type: text/css\r\n"},
    {"expires: {text/css: 7d}", 200, ""},
    {"expires: {'text/*': 7d}", 200, "Content-Type: text\r\n"},
    {"expires: {'text/*': 7d}", 200, "Content-Type: texts/css\r\n"},
    {"expires: {'text/*': 7d}", 200, ""},
};

Test(policy_expires, what_is_left_alone)
{
    for (size_t i = 0; i < COUNT(untouched); i++) {
        const struct untouched *u = &untouched[i];
        cr_expect_str_eq(added(u->yaml, u->status, u->fields), "", "%s: %d %s", u->yaml, u->status, u->fields);
    }
}

struct kept {
    const char *yaml, *type;
    long seconds;
};

/* The most specific entry counts, wherever it stands. */
static const struct kept kept[] = {
    {TYPES, "text/css", 7 * 86400},
    {TYPES, "text/css; charset=utf-8", 7 * 86400},
    {TYPES, "text/css;charset=utf-8", 7 * 86400},
    {TYPES, "TEXT/Css", 7 * 86400},
    {TYPES, "text/html", 7200},
    {TYPES, "text/cssx", 7200},
    {TYPES, "text", 30},
    {TYPES, "image/svg+xml", 300},
    {TYPES, "image/svg", 30},
    {TYPES, "video/mp4", 30},
    {"expires: {'*': 30, 'text/*': 2h, text/css: 7d}", "text/css", 7 * 86400},
    {"expires: {'*': 30, 'text/*': 2h, text/css: 7d}", "text/plain", 7200},
    {"expires: {'*/*': 30, 'text/*': 2h}", "image/png", 30},
    {"expires: {'*/*': 30, 'text/*': 2h}", "text/plain", 7200},
    {"expires: {'*': 365d}", "a/b", 365 * 86400},
    {"expires: {'*': 1500ms}", "a/b", 1},
    {"expires: {'*': 0}", "a/b", 0},
};

Test(policy_expires, the_most_specific_entry_counts)
{
    for (size_t i = 0; i < COUNT(kept); i++) {
        char fields[128];
        snprintf(fields, sizeof fields, "ETag: \"1\"\r\nContent-Type: %s\r\nX: y\r\n", kept[i].type);
        long seconds = lifetime(kept[i].yaml, 200, fields);
        cr_expect_eq(seconds, kept[i].seconds, "%s: %s: %ld", kept[i].yaml, kept[i].type, seconds);
    }
    cr_expect_eq(lifetime(TYPES, 200, ""), 30, "without a type only * is left");
}

Test(policy_expires, what_caches_keep)
{
    static const int statuses[] = {200, 203, 206, 304};
    for (size_t i = 0; i < COUNT(statuses); i++)
        cr_expect_eq(lifetime(TYPES, statuses[i], CSS), 7 * 86400, "%d", statuses[i]);
}

/* The same said twice, for caches of HTTP/1.0 (RFC 9111, 5.3). */
Test(policy_expires, as_a_date_too)
{
    int64_t date, before = time(NULL);
    const char *text = strstr(added(TYPES, 200, CSS), "Expires: ");
    int64_t after = time(NULL);
    cr_assert_not_null(text);
    struct str value = str_skip(str_of(text), strlen("Expires: "));
    cr_expect(str_ends(value, STR(" GMT\r\n")), "%s", text);
    value.n -= 2;
    cr_assert_eq(http_date_parse(value, before, &date), 0, "%s", text);
    cr_expect(date >= before + 7 * 86400 && date <= after + 7 * 86400, "%s", text);
}
