/* access_test.c: lists that are refused, and who may come in. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/registry.h"
#include "run.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

TestSuite(policy_access, .init = run_begin, .fini = run_end);

#define WRITE "write 10.0.0.0/8, 2001:db8::/32, an address, all or unix\n"

struct reject {
    const char *yaml, *errors;
};

static const struct reject rejects[] = {
    {"allow: 10.1.2.3/8", "t:1:8: error: allow: `10.1.2.3/8` has bits beyond its prefix; did you mean 10.0.0.0/8?\n"},
    {"deny:\n  - 10.0.0.0/8\n  - 2001:db8::1/32\n",
     "t:3:5: error: deny[1]: `2001:db8::1/32` has bits beyond its prefix; did you mean 2001:db8::/32?\n"},
    {"allow: [10.0.0.0/33, '::/129']",
     "t:1:9: error: allow[0]: `10.0.0.0/33` has a longer prefix than an address has bits\n"
     "t:1:22: error: allow[1]: `::/129` has a longer prefix than an address has bits\n"},
    {"allow: localhost", "t:1:8: error: allow: `localhost` is not a network; " WRITE},
    {"allow: [ALL]", "t:1:9: error: allow[0]: `ALL` is not a network; " WRITE},
    {"allow: unix:/run/x", "t:1:8: error: allow: `unix:/run/x` is not a network; " WRITE},
    {"deny: 10.0.0.0-10.0.0.9", "t:1:7: error: deny: `10.0.0.0-10.0.0.9` is not a network; " WRITE},
    {"deny: 10.0.0.0/8 192.0.2.0/24", "t:1:7: error: deny: `10.0.0.0/8 192.0.2.0/24` is not a network; " WRITE},
    {"deny: ['']", "t:1:8: error: deny[0]: `` is not a network; " WRITE},
    {"deny: {from: all}", "t:1:7: error: deny: takes a single value, not a mapping\n"},
    {"deny: [all, [all]]", "t:1:13: error: deny[1]: takes a single value, not a list\n"},
    {"deny: [all, ~]", "t:1:13: error: deny[1]: has no value\n"},
    {"deny:", "t:1:6: error: deny: has no value\n"},
    {"allow: []", "t:1:8: error: allow: lists nobody; `deny: all` says so\n"},
    {"allow: []\ndeny: all", "t:1:8: error: allow: lists nobody; `deny: all` says so\n"},
};

Test(policy_access, rejects)
{
    for (size_t i = 0; i < COUNT(rejects); i++) {
        cr_expect_null(run_read(&policy_access, rejects[i].yaml, NULL), "%s", rejects[i].yaml);
        cr_expect_str_eq(run_errors(), rejects[i].errors);
    }
}

static void expect_answer(const void *settings, const char *yaml, const char *address, int status)
{
    struct run_answer answer = run_ask(&policy_access, settings, address, NULL);
    cr_expect_eq(answer.error, 0);
    cr_expect_eq(answer.status, status, "%s: %d for %s", yaml, answer.status, address);
}

/* Addresses in words: those that are refused, then those that are not. */
struct decision {
    const char *yaml, *refused, *admitted;
};

static void expect_all(const struct decision *d, const void *settings, const char *addresses, int status)
{
    struct str rest = str_of(addresses);
    while (rest.n) {
        char address[64];
        struct str word = str_cut(&rest, ' ');
        snprintf(address, sizeof address, "%.*s", (int)word.n, word.p);
        expect_answer(settings, d->yaml, address, status);
    }
}

static void expect_decision(const struct decision *d, const void *outer)
{
    const void *settings = run_good(&policy_access, d->yaml, outer);
    expect_all(d, settings, d->refused, 403);
    expect_all(d, settings, d->admitted, 0);
}

static const struct decision decisions[] = {
    {"deny: all", "10.0.0.1 ::1 ::ffff:10.0.0.1 unix", ""},
    {"deny: unix", "unix", "10.0.0.1 ::1"},
    {"deny: [10.0.0.0/8, unix]", "10.0.0.1 10.255.255.255 ::ffff:10.0.0.1 unix", "9.255.255.255 11.0.0.0 ::1"},
    {"deny: 0.0.0.0/0", "10.0.0.1 ::ffff:10.0.0.1", "::1 unix"},
    {"deny: ::/0", "::1 2001:db8::1", "10.0.0.1 ::ffff:10.0.0.1 unix"},
    {"deny: ::ffff:10.0.0.0/104", "10.0.0.1 ::ffff:10.0.0.1", "::1 11.0.0.1"},
    {"deny: []", "", "10.0.0.1 ::1 unix"},
    /* who is in no list is out when there is an `allow` */
    {"allow: 10.0.0.0/8", "11.0.0.1 ::1 unix", "10.0.0.1 ::ffff:10.0.0.1"},
    {"allow: 2001:db8::/32", "2001:db7:ffff::1 2001:db9:: 10.0.0.1 unix", "2001:db8::1"},
    {"allow: unix", "10.0.0.1 ::1", "unix"},
    {"allow: 127.0.0.1", "127.0.0.2 ::1", "127.0.0.1 ::ffff:127.0.0.1"},
    {"allow: ::1", "::2 127.0.0.1", "::1"},
    {"allow: all", "", "10.0.0.1 ::1 unix"},
    /* the longest prefix, whatever the order */
    {"{allow: 10.0.0.0/8, deny: 10.9.0.0/16}", "10.9.0.1 11.0.0.1", "10.8.0.1 10.10.0.1"},
    {"{deny: 10.0.0.0/8, allow: 10.9.0.0/16}", "10.8.0.1 11.0.0.1", "10.9.0.1"},
    {"{deny: all, allow: [10.0.0.0/8, unix]}", "11.0.0.1 ::1", "10.0.0.1 unix"},
    {"{allow: all, deny: [10.0.0.0/8, unix]}", "10.0.0.1 unix", "11.0.0.1 ::1"},
    {"{allow: [10.0.0.0/8, 10.9.9.9], deny: 10.9.0.0/16}", "10.9.9.8", "10.9.9.9 10.0.0.1"},
    /* `deny` wins between equals */
    {"{allow: 10.0.0.0/8, deny: 10.0.0.0/8}", "10.0.0.1", ""},
    {"{allow: all, deny: all}", "10.0.0.1 ::1 unix", ""},
    {"{allow: unix, deny: unix}", "unix", ""},
    {"{allow: 10.0.0.1, deny: 10.0.0.1/32}", "10.0.0.1", ""},
};

Test(policy_access, who_may_come_in)
{
    for (size_t i = 0; i < COUNT(decisions); i++)
        expect_decision(&decisions[i], NULL);
}

/* A route in a site: both are asked. What either closes stays closed. */
struct inherited {
    const char *site;
    struct decision route;
};

static const struct inherited inherited[] = {
    {"{deny: 127.0.0.0/8}", {"allow: 127.0.0.1", "127.0.0.1 10.0.0.1", ""}},
    {"{deny: 127.0.0.0/8}", {"deny: 10.0.0.0/8", "127.0.0.1 10.0.0.1", "192.0.2.1 ::1 unix"}},
    {"{deny: 127.0.0.0/8}", {"deny: []", "127.0.0.1", "10.0.0.1"}},
    {"{deny: [127.0.0.0/8, unix]}", {"allow: all", "127.0.0.1 unix", "10.0.0.1 ::1"}},
    {"{deny: unix}", {"allow: unix", "unix 10.0.0.1", ""}},
    {"{allow: 10.0.0.0/8}", {"allow: 192.0.2.0/24", "10.0.0.1 192.0.2.1", ""}},
    {"{allow: 10.0.0.0/8}", {"allow: 10.9.0.0/16", "10.8.0.1 11.0.0.1", "10.9.0.1"}},
    {"{allow: 10.9.0.0/16}", {"allow: 10.0.0.0/8", "10.8.0.1", "10.9.0.1"}},
    {"{allow: all}", {"deny: all", "10.0.0.1 ::1 unix", ""}},
    {"{allow: 10.0.0.0/8, deny: 10.9.0.0/16}", {"deny: 10.8.0.0/16", "10.8.0.1 10.9.0.1 11.0.0.1", "10.7.0.1"}},
    {"{allow: 10.0.0.0/8, deny: 10.9.0.0/16}", {"{allow: 10.9.9.9, deny: 10.0.0.0/8}", "10.9.9.9 10.0.0.1", ""}},
    {"{allow: 10.9.0.0/16, deny: 10.0.0.0/8}", {"{deny: 10.9.9.0/24, allow: all}", "10.9.9.9 10.0.0.1", "10.9.8.1"}},
};

Test(policy_access, a_route_opens_nothing_that_its_site_closes)
{
    for (size_t i = 0; i < COUNT(inherited); i++)
        expect_decision(&inherited[i].route, run_good(&policy_access, inherited[i].site, NULL));
}

Test(policy_access, thousands_of_networks)
{
    enum { NETWORKS = 10000 };
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    cr_assert_not_null(f);
    fputs("deny:\n", f);
    for (int i = 0; i < NETWORKS; i++)
        fprintf(f, "  - 10.%d.%d.%d/29\n", i / 256 % 256, i % 256, i % 32 * 8);
    fclose(f);
    const void *settings = run_good(&policy_access, text, NULL);
    expect_answer(settings, "many", "10.0.0.0", 403);
    expect_answer(settings, "many", "10.0.0.8", 0);
    expect_answer(settings, "many", "10.39.15.127", 403);
    expect_answer(settings, "many", "10.39.15.128", 0);
    expect_answer(settings, "many", "10.39.16.0", 0);
    free(text);
}
