/* uri_host_test.c: hosts and authorities that are refused, and some that are not. */
#include "http/uri.h"

#include <criterion/criterion.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

static const struct str bad_hosts[] = {
    STR_INIT(""),          STR_INIT(":80"),
    STR_INIT("a "),        STR_INIT(" a"),
    STR_INIT("a/b"),       STR_INIT("a?b"),
    STR_INIT("a#b"),       STR_INIT("u@a"),
    STR_INIT("a,b:x"),     STR_INIT("a:99999"),
    STR_INIT("a\0b"),      STR_INIT("a\xe4"),
    STR_INIT("[::1"),      STR_INIT("[::1]]"),
    STR_INIT("[::1\0]"),   STR_INIT("[:::]"),
    STR_INIT("::1"),       STR_INIT("[a.b]:80"),
    STR_INIT("a%4"),       STR_INIT("a\"b"),
    STR_INIT("a:+1"),      STR_INIT("a<b"),
    STR_INIT("[::1]:1:2"), STR_INIT("[v1.x]"),
    STR_INIT("a\\b"),      STR_INIT("[00000000000000000000000000000000000000000000001]"),
};

static const struct str good_hosts[] = {
    STR_INIT("a"),
    STR_INIT("a:"),
    STR_INIT("a:80"),
    STR_INIT("a.b-c_d.example.:0"),
    STR_INIT("192.0.2.1:1"),
    STR_INIT("[::]:80"),
    STR_INIT("xn--bcher-kva.example"),
    STR_INIT("a%20b"),
    STR_INIT("a!$&'();"),
    STR_INIT("[1111:2222:3333:4444:5555:6666:255.255.255.255]:65535"),
};

Test(uri_host, host_valid)
{
    for (size_t i = 0; i < COUNT(bad_hosts); i++)
        cr_expect_not(http_host_valid(bad_hosts[i]), "%s", bad_hosts[i].p);
    cr_expect_not(http_host_valid((struct str){NULL, 0}));
    for (size_t i = 0; i < COUNT(good_hosts); i++)
        cr_expect(http_host_valid(good_hosts[i]), "%s", good_hosts[i].p);
}

static const struct str bad_authorities[] = {
    {NULL, 0},         STR_INIT(""),       STR_INIT(":"),           STR_INIT(":80"),     STR_INIT("a"),
    STR_INIT("a1"),    STR_INIT("a:"),     STR_INIT("192.0.2.1"),   STR_INIT("[::1]"),   STR_INIT("[::1]:"),
    STR_INIT("/"),     STR_INIT("/:80"),   STR_INIT("*"),           STR_INIT("a:x"),     STR_INIT("a:65536"),
    STR_INIT("a:80/"), STR_INIT("u@a:80"), STR_INIT("http://a:80"), STR_INIT("a:80:80"), STR_INIT("::1:80"),
    STR_INIT("a:-1"),  STR_INIT("a:80 "),  STR_INIT("[::1]80"),
};

static const struct str good_authorities[] = {
    STR_INIT("a:0"), STR_INIT("a:80"), STR_INIT("192.0.2.1:65535"), STR_INIT("[::1]:443"), STR_INIT("a.b-c:1"),
};

/* RFC 9112, 3.2.3 */
Test(uri_host, authority_valid)
{
    for (size_t i = 0; i < COUNT(bad_authorities); i++)
        cr_expect_not(http_authority_valid(bad_authorities[i]), "%s", bad_authorities[i].p);
    for (size_t i = 0; i < COUNT(good_authorities); i++)
        cr_expect(http_authority_valid(good_authorities[i]), "%s", good_authorities[i].p);
}
