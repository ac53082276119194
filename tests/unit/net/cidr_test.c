/* cidr_test.c: networks that are refused, those that read and write the same, maps against a search of all rules. */
#include "net/cidr.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

struct refusal {
    struct str text;
    int error;
};

static const struct refusal refused[] = {
    {STR_INIT(""), -EINVAL},
    {STR_INIT("/"), -EINVAL},
    {STR_INIT("/8"), -EINVAL},
    {STR_INIT("10"), -EINVAL},
    {STR_INIT("10/8"), -EINVAL},
    {STR_INIT("10.0.0/8"), -EINVAL},
    {STR_INIT("10.0.0.0.0/8"), -EINVAL},
    {STR_INIT("10.0.0.256"), -EINVAL},
    {STR_INIT("010.0.0.0/8"), -EINVAL},
    {STR_INIT("0x0a.0.0.0/8"), -EINVAL},
    {STR_INIT(" 10.0.0.0/8"), -EINVAL},
    {STR_INIT("10.0.0.0 /8"), -EINVAL},
    {STR_INIT("10.0.0.0/ 8"), -EINVAL},
    {STR_INIT("10.0.0.0/8 "), -EINVAL},
    {STR_INIT("10.0.0.0\0/8"), -EINVAL},
    {STR_INIT("10.0.0.0/"), -EINVAL},
    {STR_INIT("10.0.0.0//8"), -EINVAL},
    {STR_INIT("10.0.0.0/8/8"), -EINVAL},
    {STR_INIT("10.0.0.0/+8"), -EINVAL},
    {STR_INIT("10.0.0.0/-8"), -EINVAL},
    {STR_INIT("10.0.0.0/08"), -EINVAL},
    {STR_INIT("10.0.0.0/00"), -EINVAL},
    {STR_INIT("10.0.0.0/8x"), -EINVAL},
    {STR_INIT("10.0.0.0/255.0.0.0"), -EINVAL},
    {STR_INIT("10.0.0.0:80"), -EINVAL},
    {STR_INIT("localhost"), -EINVAL},
    {STR_INIT("all"), -EINVAL},
    {STR_INIT("[::1]"), -EINVAL},
    {STR_INIT("[::1]/128"), -EINVAL},
    {STR_INIT("::1%lo"), -EINVAL},
    {STR_INIT(":::"), -EINVAL},
    {STR_INIT("1:2:3:4:5:6:7/16"), -EINVAL},
    {STR_INIT("g::/16"), -EINVAL},
    {STR_INIT("2001:db8::/0x20"), -EINVAL},
    {STR_INIT("0000000000000000000000000000000000000000000000/8"), -EINVAL},
    {STR_INIT("10.0.0.0/33"), -ERANGE},
    {STR_INIT("10.0.0.0/128"), -ERANGE},
    {STR_INIT("10.0.0.0/4294967304"), -ERANGE},
    {STR_INIT("10.0.0.0/18446744073709551624"), -ERANGE},
    {STR_INIT("::/129"), -ERANGE},
};

Test(cidr, refused)
{
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct cidr cidr;
        int error = cidr_parse(refused[i].text, &cidr);
        cr_expect_eq(error, refused[i].error, "\"%s\": %d", refused[i].text.p, error);
    }
}

static void expect_printed(const char *text, int result, const char *printed)
{
    char buffer[64];
    struct cidr cidr;
    struct out o = out_on(buffer, sizeof buffer);
    cr_expect_eq(cidr_parse(str_of(text), &cidr), result, "%s", text);
    cidr_print(&cidr, &o);
    cr_expect(str_eq(out_str(&o), str_of(printed)), "%s: " STR_FMT, text, STR_ARG(out_str(&o)));
}

struct pair {
    const char *text, *printed;
};

/* What was meant, when bits beyond the prefix are set. */
static const struct pair beyond[] = {
    {"10.1.2.3/8", "10.0.0.0/8"},
    {"0.0.0.1/0", "0.0.0.0/0"},
    {"192.0.2.255/31", "192.0.2.254/31"},
    {"255.255.255.255/1", "128.0.0.0/1"},
    {"2001:db8::1/32", "2001:db8::/32"},
    {"2001:db8:0:1::/63", "2001:db8::/63"},
    {"::1/0", "::/0"},
    {"::1/127", "::/127"},
    {"::ffff:10.1.2.3/104", "10.0.0.0/8"},
    {"::ffff:10.1.2.3/95", "::fffe:0:0/95"},
};

Test(cidr, bits_beyond_the_prefix)
{
    for (size_t i = 0; i < COUNT(beyond); i++)
        expect_printed(beyond[i].text, -EDOM, beyond[i].printed);
}

static const struct pair good[] = {
    {"10.0.0.0/8", "10.0.0.0/8"},
    {"0.0.0.0/0", "0.0.0.0/0"},
    {"255.255.255.255/32", "255.255.255.255/32"},
    {"255.255.255.255", "255.255.255.255/32"},
    {"128.0.0.0/1", "128.0.0.0/1"},
    {"2001:db8::/32", "2001:db8::/32"},
    {"2001:DB8:0::/32", "2001:db8::/32"},
    {"::/0", "::/0"},
    {"::1", "::1/128"},
    {"8000::/1", "8000::/1"},
    {"fe80::/10", "fe80::/10"},
    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"},
    {"::ffff:10.0.0.0/104", "10.0.0.0/8"}, /* IPv4 in other words */
    {"::ffff:10.0.0.1", "10.0.0.1/32"},
    {"::ffff:0:0/96", "0.0.0.0/0"},
};

Test(cidr, the_same_text_again)
{
    for (size_t i = 0; i < COUNT(good); i++)
        expect_printed(good[i].text, 0, good[i].printed);
}

/* ---- maps ---- */

static struct arena arena;
static struct cidr_map map;

static void setup(void)
{
    arena_init(&arena, NULL, 0);
}

static void teardown(void)
{
    arena_clear(&arena);
}

TestSuite(cidr, .init = setup, .fini = teardown);

static struct cidr parsed(const char *text)
{
    struct cidr cidr;
    cr_assert_eq(cidr_parse(str_of(text), &cidr), 0, "%s", text);
    return cidr;
}

static struct peer peer_of(const char *text)
{
    char address[96];
    struct addr addr;
    struct peer peer;
    snprintf(address, sizeof address, strchr(text, '/') ? "%s" : strchr(text, ':') ? "[%s]:1" : "%s:1", text);
    cr_assert_eq(addr_parse(str_of(address), &addr), 0, "%s", text);
    peer_from(&peer, &addr.any);
    return peer;
}

static void expect_value(const char *address, unsigned value)
{
    struct peer peer = peer_of(address);
    unsigned found = cidr_map_find(&map, cidr_ip_of(&peer));
    cr_expect_eq(found, value, "%s: %u", address, found);
}

Test(cidr, nothing_is_in_an_empty_map)
{
    cr_assert_eq(cidr_map_make(&map, &arena, NULL, 0), 0);
    expect_value("0.0.0.0", 0);
    expect_value("255.255.255.255", 0);
    expect_value("::", 0);
    expect_value("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0);
}

Test(cidr, ipv6_has_no_say_over_ipv4)
{
    struct cidr_rule rules[] = {{parsed("::/0"), 1}, {parsed("::fffe:0:0/95"), 2}};
    cr_assert_eq(cidr_map_make(&map, &arena, rules, COUNT(rules)), 0);
    expect_value("10.0.0.1", 0);
    expect_value("::ffff:10.0.0.1", 0);
    expect_value("::fffe:ffff:ffff", 2);
    expect_value("::1:0:0:0", 1);
    expect_value("::", 1);
}

Test(cidr, a_mapped_peer_is_an_ipv4_peer)
{
    struct cidr_rule rules[] = {{parsed("10.0.0.0/8"), 3}};
    cr_assert_eq(cidr_map_make(&map, &arena, rules, 1), 0);
    expect_value("::ffff:10.255.255.255", 3);
    expect_value("::ffff:11.0.0.0", 0);
    expect_value("::10.0.0.1", 0);
}

Test(cidr, of_two_rules_for_a_network_the_greater_value_counts)
{
    struct cidr_rule rules[] = {{parsed("10.0.0.0/8"), 2}, {parsed("10.0.0.0/8"), 1}, {parsed("10.0.0.0/8"), 2}};
    cr_assert_eq(cidr_map_make(&map, &arena, rules, 3), 0);
    expect_value("10.0.0.0", 2);
    cr_assert_eq(cidr_map_make(&map, &arena, rules + 1, 2), 0);
    expect_value("10.0.0.0", 2);
}

struct placed {
    const char *address;
    unsigned value;
};

Test(cidr, the_longest_prefix_decides)
{
    struct cidr_rule rules[] = {
        {parsed("10.1.2.3"), 5},
        {parsed("0.0.0.0/0"), 1},
        {parsed("10.1.0.0/16"), 3},
        {parsed("10.0.0.0/8"), 2},
        {parsed("10.1.2.0/24"), 4},
        {parsed("255.255.255.255"), 6},
        {parsed("2001:db8::/32"), 7},
        {parsed("2001:db8:8000::/33"), 8},
        {parsed("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"), 9},
        {parsed("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 10},
    };
    static const struct placed table[] = {
        {"0.0.0.0", 1},
        {"9.255.255.255", 1},
        {"10.0.0.0", 2},
        {"10.0.255.255", 2},
        {"10.1.0.0", 3},
        {"10.1.1.255", 3},
        {"10.1.2.0", 4},
        {"10.1.2.2", 4},
        {"10.1.2.3", 5},
        {"10.1.2.4", 4},
        {"10.1.3.0", 3},
        {"10.2.0.0", 2},
        {"11.0.0.0", 1},
        {"255.255.255.254", 1},
        {"255.255.255.255", 6},
        {"::", 0},
        {"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", 0},
        {"2001:db8::", 7},
        {"2001:db8:7fff:ffff:ffff:ffff:ffff:ffff", 7},
        {"2001:db8:8000::", 8},
        {"2001:db8:ffff:ffff:ffff:ffff:ffff:fffe", 8},
        {"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 9},
        {"2001:db9::", 0},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", 0},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 10},
    };
    cr_assert_eq(cidr_map_make(&map, &arena, rules, COUNT(rules)), 0);
    for (size_t i = 0; i < COUNT(table); i++)
        expect_value(table[i].address, table[i].value);
}

Test(cidr, every_length_at_once)
{
    struct cidr_rule rules[129];
    for (unsigned bits = 0; bits <= 128; bits++)
        rules[bits] = (struct cidr_rule){{0, bits}, (unsigned char)(bits + 1)};
    cr_assert_eq(cidr_map_make(&map, &arena, rules, COUNT(rules)), 0);
    cr_expect_eq(cidr_map_find(&map, 0), 129);
    for (unsigned bits = 0; bits < 128; bits++) {
        cidr_ip ip = (cidr_ip)1 << bits;
        cr_expect_eq(cidr_map_find(&map, ip), 128 - bits, "bit %u", bits);
    }
}

static cidr_ip random_ip(unsigned spread)
{
    cidr_ip ip = 0;
    for (int i = 0; i < 16; i++)
        ip = ip << 8 | (cidr_ip)(rand() & 0xff);
    return ip % spread << (rand() % 2 ? 120 : 0) | (rand() % 2 ? CIDR_IPV4.ip : 0);
}

static struct cidr_rule random_rule(void)
{
    struct cidr_rule rule = {{random_ip(200), (unsigned)rand() % 129}, (unsigned char)(1 + rand() % 3)};
    rule.cidr.ip = rule.cidr.bits ? rule.cidr.ip >> (128 - rule.cidr.bits) << (128 - rule.cidr.bits) : 0;
    return rule;
}

static bool contains(const struct cidr *cidr, cidr_ip ip)
{
    bool foreign = cidr->bits < CIDR_IPV4.bits && cidr_is_ipv4(ip);
    return !foreign && (cidr->bits == 0 || (ip ^ cidr->ip) >> (128 - cidr->bits) == 0);
}

static unsigned search_all(const struct cidr_rule *rules, size_t n, cidr_ip ip)
{
    const struct cidr_rule *best = NULL;
    for (size_t i = 0; i < n; i++)
        if (contains(&rules[i].cidr, ip) && (!best || rules[i].cidr.bits > best->cidr.bits ||
                                             (rules[i].cidr.bits == best->cidr.bits && rules[i].value > best->value)))
            best = &rules[i];
    return best ? best->value : 0;
}

Test(cidr, random_maps_agree_with_a_search_of_all_rules)
{
    struct cidr_rule rules[40];
    srand(7);
    for (int round = 0; round < 500; round++) {
        size_t n = (size_t)rand() % COUNT(rules);
        for (size_t i = 0; i < n; i++)
            rules[i] = random_rule();
        cr_assert_eq(cidr_map_make(&map, &arena, rules, n), 0);
        for (size_t i = 1; i < map.n; i++)
            cr_assert(map.from[i] > map.from[i - 1] && map.values[i] != map.values[i - 1]);
        for (int i = 0; i < 200; i++) {
            cidr_ip ip = random_ip(256);
            cr_assert_eq(cidr_map_find(&map, ip), search_all(rules, n, ip), "round %d", round);
        }
        arena_clear(&arena);
    }
}

/* ---- clients ---- */

Test(cidr, loopback)
{
    static const char *const loopback[] = {"127.0.0.0", "127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1"};
    static const char *const others[] = {"126.255.255.255", "128.0.0.0", "::", "::2", "::127.0.0.1", "1::1"};
    for (size_t i = 0; i < COUNT(loopback); i++) {
        struct peer peer = peer_of(loopback[i]);
        cr_expect(cidr_is_loopback(cidr_ip_of(&peer)), "%s", loopback[i]);
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        struct peer peer = peer_of(others[i]);
        cr_expect_not(cidr_is_loopback(cidr_ip_of(&peer)), "%s", others[i]);
    }
}

Test(cidr, who_counts_as_one_client)
{
    static const struct {
        const char *one, *other;
        bool same;
    } pairs[] = {
        {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"192.0.2.1", "::192.0.2.1", false},
        {"2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true},
        {"2001:db8::1", "2001:db8:0:1::1", false},
        {"::1", "::", true},
        {"unix:/a", "unix:/b", true},
        {"unix:/a", "::1", false},
        {"unix:/a", "0.0.0.0", false},
    };
    for (size_t i = 0; i < COUNT(pairs); i++) {
        struct peer one = peer_of(pairs[i].one), other = peer_of(pairs[i].other);
        cr_expect_eq(cidr_client_of(&one) == cidr_client_of(&other), pairs[i].same, "%s and %s", pairs[i].one,
                     pairs[i].other);
    }
}
