/* addr_test.c: addresses that are refused, and those that read and write the same. */
#include "net/addr.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

struct refusal {
    struct str text;
    int error;
};

static const struct refusal refused[] = {
    {STR_INIT(""), -EINVAL},
    {STR_INIT("8080"), -EINVAL},
    {STR_INIT("localhost"), -EINVAL},
    {STR_INIT("localhost:80"), -EINVAL},
    {STR_INIT("1.2.3.4"), -EINVAL},
    {STR_INIT("1.2.3:80"), -EINVAL},
    {STR_INIT("1.2.3.256:80"), -EINVAL},
    {STR_INIT("1.2.3.4.5:80"), -EINVAL},
    {STR_INIT("01.2.3.4x:80"), -EINVAL},
    {STR_INIT(" 1.2.3.4:80"), -EINVAL},
    {STR_INIT("1.2.3.4 :80"), -EINVAL},
    {STR_INIT("1.2.3.4\0:80"), -EINVAL},
    {STR_INIT("**:80"), -EINVAL},
    {STR_INIT("0000000000000000000000000000000000000000000000001.2.3.4:80"), -EINVAL},
    /* ports */
    {STR_INIT(":"), -EINVAL},
    {STR_INIT("1.2.3.4:"), -EINVAL},
    {STR_INIT("1.2.3.4:http"), -EINVAL},
    {STR_INIT("1.2.3.4:+80"), -EINVAL},
    {STR_INIT("1.2.3.4:-1"), -EINVAL},
    {STR_INIT("1.2.3.4:80 "), -EINVAL},
    {STR_INIT("1.2.3.4:80:80"), -EINVAL},
    {STR_INIT("1.2.3.4:80/"), -EINVAL},
    {STR_INIT(":0"), -ERANGE},
    {STR_INIT(":65536"), -ERANGE},
    {STR_INIT(":99999999999999999999"), -ERANGE},
    {STR_INIT("[::1]:0"), -ERANGE},
    /* IPv6 wants brackets */
    {STR_INIT("::1:80"), -EINVAL},
    {STR_INIT("::"), -EINVAL},
    {STR_INIT("["), -EINVAL},
    {STR_INIT("[]"), -EINVAL},
    {STR_INIT("[]:80"), -EINVAL},
    {STR_INIT("[::1]"), -EINVAL},
    {STR_INIT("[::1]:"), -EINVAL},
    {STR_INIT("[::1]80"), -EINVAL},
    {STR_INIT("[::1:80"), -EINVAL},
    {STR_INIT("[::1]]:80"), -EINVAL},
    {STR_INIT("[1.2.3.4]:80"), -EINVAL},
    {STR_INIT("[::g]:80"), -EINVAL},
    {STR_INIT("[::1%lo]:80"), -EINVAL},
    {STR_INIT("[::1\0]:80"), -EINVAL},
    /* unix sockets */
    {STR_INIT("unix:"), -EINVAL},
    {STR_INIT("unix"), -EINVAL},
    {STR_INIT("UNIX:/a"), -EINVAL},
};

Test(addr, refused)
{
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct addr addr;
        int error = addr_parse(refused[i].text, &addr);
        cr_expect_eq(error, refused[i].error, "\"%s\": %d", refused[i].text.p, error);
    }
}

static const char *const same[] = {
    "127.0.0.1:8080",
    "0.0.0.0:1",
    "255.255.255.255:65535",
    "[::]:80",
    "[::1]:80",
    "[2001:db8::192:0:2:1]:443",
    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
    "unix:/run/tern.sock",
    "unix:a",
    "unix:@",
    "unix:@tern",
    "unix:/a:80",
};

static void expect_printed(const struct addr *addr, const char *text)
{
    char buffer[256];
    struct out o = out_on(buffer, sizeof buffer);
    addr_print(addr, &o);
    cr_expect(str_eq(out_str(&o), str_of(text)), "%s: " STR_FMT, text, STR_ARG(out_str(&o)));
}

Test(addr, the_same_text_again)
{
    for (size_t i = 0; i < COUNT(same); i++) {
        struct addr addr, again;
        cr_assert_eq(addr_parse(str_of(same[i]), &addr), 0, "%s", same[i]);
        expect_printed(&addr, same[i]);
        cr_assert_eq(addr_parse(str_of(same[i]), &again), 0);
        cr_expect(addr_same(&addr, &again), "%s", same[i]);
        cr_expect_eq(addr_is_unix(&addr), i >= 7, "%s", same[i]);
    }
}

Test(addr, every_address)
{
    struct addr addr;
    cr_assert_eq(addr_parse(STR(":8080"), &addr), 0);
    expect_printed(&addr, "0.0.0.0:8080");
    cr_assert_eq(addr_parse(STR("*:8080"), &addr), 0);
    expect_printed(&addr, "0.0.0.0:8080");
}

Test(addr, addresses_alone)
{
    static const struct str none[] = {
        STR_INIT(""),          STR_INIT("1.2.3"), STR_INIT("1.2.3.4:80"), STR_INIT("[::1]"), STR_INIT("::1%lo"),
        STR_INIT("1.2.3.4\0"), STR_INIT("::g"),   STR_INIT("*"),          STR_INIT("name"),
    };
    struct addr addr;
    for (size_t i = 0; i < COUNT(none); i++)
        cr_expect_eq(addr_from_ip(none[i], 80, &addr), -EINVAL, "%s", none[i].p);
    cr_assert_eq(addr_from_ip(STR("192.0.2.1"), 80, &addr), 0);
    expect_printed(&addr, "192.0.2.1:80");
    cr_assert_eq(addr_from_ip(STR("2001:db8::1"), 0, &addr), 0);
    addr_set_port(&addr, 65535);
    expect_printed(&addr, "[2001:db8::1]:65535");
    cr_assert_eq(addr_parse(STR("unix:/a"), &addr), 0);
    addr_set_port(&addr, 80);
    expect_printed(&addr, "unix:/a");
}

Test(addr, a_path_as_long_as_it_may_be)
{
    char text[200];
    struct addr addr;
    snprintf(text, sizeof text, "unix:/%0*d", 106, 0);
    cr_assert_eq(addr_parse(str_of(text), &addr), 0);
    expect_printed(&addr, text);
    snprintf(text, sizeof text, "unix:/%0*d", 107, 0);
    cr_expect_eq(addr_parse(str_of(text), &addr), -ENAMETOOLONG);
    snprintf(text, sizeof text, "unix:@%0*d", 106, 0);
    cr_assert_eq(addr_parse(str_of(text), &addr), 0);
    expect_printed(&addr, text);
}

static const char *const different[] = {
    "127.0.0.1:80", "127.0.0.1:81", "127.0.0.2:80", "[::1]:80", "[::2]:80", "unix:a", "unix:ab", "unix:@a", "unix:@ab",
};

Test(addr, different_places)
{
    for (size_t i = 0; i < COUNT(different); i++)
        for (size_t k = 0; k < COUNT(different); k++) {
            struct addr a, b;
            cr_assert_eq(addr_parse(str_of(different[i]), &a), 0);
            cr_assert_eq(addr_parse(str_of(different[k]), &b), 0);
            cr_expect_eq(addr_same(&a, &b), i == k, "%s %s", different[i], different[k]);
        }
}

struct peer_case {
    const char *address, *text;
    uint16_t port;
};

static const struct peer_case peers[] = {
    {"192.0.2.1:1024", "192.0.2.1", 1024},
    {"[2001:db8::1]:65535", "2001:db8::1", 65535},
    {"[::ffff:192.0.2.1]:80", "192.0.2.1", 80},
    {"[::192.0.2.1]:80", "::192.0.2.1", 80},
    {"[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1},
    {"unix:/a", "unix:", 0},
};

Test(addr, peers)
{
    for (size_t i = 0; i < COUNT(peers); i++) {
        struct addr addr;
        struct peer peer;
        char text[PEER_TEXT];
        cr_assert_eq(addr_parse(str_of(peers[i].address), &addr), 0);
        peer_from(&peer, &addr.any);
        struct str printed = peer_print(&peer, text);
        cr_expect(str_eq(printed, str_of(peers[i].text)), "%s: " STR_FMT, peers[i].address, STR_ARG(printed));
        cr_expect_eq(printed.p[printed.n], '\0');
        cr_expect_eq(peer.port, peers[i].port, "%s", peers[i].address);
    }
}
