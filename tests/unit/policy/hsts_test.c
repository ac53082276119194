/* hsts_test.c: what is refused, and what is said to whom. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "net/tls_stream.h"
#include "policy/registry.h"
#include "run.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

TestSuite(policy_hsts, .init = run_begin, .fini = run_end);

#define DURATION "is not a duration (seconds, or with ms, s, m, h, d, w or y), nor one of off\n"
#define PRELOAD "wants `subdomains: on`, and a `max_age` of 1y or more\n"

struct reject {
    const char *yaml, *errors;
};

static const struct reject rejects[] = {
    {"hsts: on", "t:1:7: error: hsts: `on` " DURATION},
    {"hsts: forever", "t:1:7: error: hsts: `forever` " DURATION},
    {"hsts: -1", "t:1:7: error: hsts: `-1` " DURATION},
    {"hsts: 11y", "t:1:7: error: hsts: 11y is out of range (0 to 10y)\n"},
    {"hsts:", "t:1:6: error: hsts: has no value\n"},
    {"hsts: [1y]", "t:1:7: error: hsts: takes a mapping, not a list\n"},
    {"hsts: {}", "t:1:7: error: hsts: lacks `max_age`: how long browsers remember it, from each response on; 0: they "
                 "are to forget it\n"},
    {"hsts: {max_age: off}", "t:1:17: error: hsts.max_age: `off` is not a duration (seconds, or with ms, s, m, h, d, w "
                             "or y)\n"},
    {"hsts: {max_age: 1y, subdomain: on}",
     "t:1:21: error: hsts.subdomain: unknown key in hsts; did you mean `subdomains`?\n"},
    {"hsts: {max_age: 1y, subdomains: 1}", "t:1:33: error: hsts.subdomains: `1` is not on or off\n"},
    {"hsts: {max_age: 1y, preload: on}", "t:1:30: error: hsts.preload: " PRELOAD},
    {"hsts: {max_age: 364d, subdomains: on, preload: on}", "t:1:48: error: hsts.preload: " PRELOAD},
};

Test(policy_hsts, rejects)
{
    for (size_t i = 0; i < COUNT(rejects); i++) {
        cr_expect_null(run_read(&policy_hsts, rejects[i].yaml, NULL), "%s", rejects[i].yaml);
        cr_expect_str_eq(run_errors(), rejects[i].errors, "%s: %s", rejects[i].yaml, run_errors());
    }
}

/* The fields of a head that had some. */
static const char *dressed(const char *yaml, const struct tls_peer *tls, const char *fields)
{
    static char text[256];
    const void *settings = run_good(&policy_hsts, yaml, NULL);
    struct exchange x = {.tls = tls};
    struct http_head head = {200, str_of(fields), 0};
    arena_init(&x.arena, NULL, 0);
    cr_assert_eq(policy_hsts.dress(&x, settings, &head), 0);
    snprintf(text, sizeof text, STR_FMT, STR_ARG(head.fields));
    arena_clear(&x.arena);
    return text;
}

struct saying {
    const char *yaml, *field;
};

#define STS "Strict-Transport-Security: max-age="

static const struct saying sayings[] = {
    {"hsts: off", ""},
    {"hsts: 0", STS "0\r\n"},
    {"hsts: 300", STS "300\r\n"},
    {"hsts: 1500ms", STS "1\r\n"},
    {"hsts: 2w", STS "1209600\r\n"},
    {"hsts: 1y", STS "31536000\r\n"},
    {"hsts: 10y", STS "315360000\r\n"},
    {"hsts: {max_age: 1y}", STS "31536000\r\n"},
    {"hsts: {max_age: 1d, subdomains: on}", STS "86400; includeSubDomains\r\n"},
    {"hsts: {max_age: 1y, subdomains: on, preload: on}", STS "31536000; includeSubDomains; preload\r\n"},
};

static const struct tls_peer tls = {.version = "TLSv1.3"};

/* RFC 6797, 7.2: a server must not say it over a transport that is not secured. */
Test(policy_hsts, nothing_in_the_clear)
{
    for (size_t i = 0; i < COUNT(sayings); i++)
        cr_expect_str_eq(dressed(sayings[i].yaml, NULL, "A: b\r\n"), "A: b\r\n", "%s", sayings[i].yaml);
}

Test(policy_hsts, what_is_said)
{
    for (size_t i = 0; i < COUNT(sayings); i++)
        cr_expect_str_eq(dressed(sayings[i].yaml, &tls, ""), sayings[i].field, "%s", sayings[i].yaml);
    cr_expect_str_eq(dressed("hsts: 1", &tls, "A: b\r\n"), "A: b\r\n" STS "1\r\n");
}

/* RFC 6797, 7.1: once. */
Test(policy_hsts, who_has_said_it_is_left_alone)
{
    cr_expect_str_eq(dressed("hsts: 1y", &tls, "strict-transport-security: max-age=0\r\n"),
                     "strict-transport-security: max-age=0\r\n");
}
