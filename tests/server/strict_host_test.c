/* Host: exactly one, and what it may contain. */
#include "harness.h"
#include "strict.h"

#include <criterion/criterion.h>

#define AT(host) "GET / HTTP/1.1\r\nHost: " host "\r\n\r\n"

TestSuite(strict_host, .init = strict_begin, .fini = harness_end);

static const struct strict_row counts[] = {
    ROW("9112 3.2", "no Host", "400", "GET / HTTP/1.1\r\n\r\n"),
    ROW("9112 3.2", "no Host, but another field", "400", "GET / HTTP/1.1\r\nX-Host: t\r\n\r\n"),
    ROW("9112 3.2", "no Host in HTTP/1.2", "400", "GET / HTTP/1.2\r\n\r\n"),
    ROW("9112 3.2", "no Host, with an absolute-form", "400", "GET http://t/ HTTP/1.1\r\n\r\n"),
    ROW("9112 3.2", "no Host, with an asterisk-form", "400", "OPTIONS * HTTP/1.1\r\n\r\n"),
    ROW("9112 3.2", "no Host, after a request that had one", "200 400", GET "\r\nGET / HTTP/1.1\r\n\r\n"),
    ROW("9112 3.2", "two hosts", "400", GET "Host: other.test\r\n\r\n"),
    ROW("9112 3.2", "two equal hosts", "400", GET HOST "\r\n"),
    ROW("9112 3.2", "two hosts, the second one empty", "400", GET "Host:\r\n\r\n"),
    ROW("9112 3.2", "two hosts, the first one empty", "400", "GET / HTTP/1.1\r\nHost:\r\n" HOST "\r\n"),
    ROW("9112 3.2", "two empty hosts", "400", "GET / HTTP/1.1\r\nHost:\r\nHost:\r\n\r\n"),
    ROW("9112 3.2", "two hosts in different case", "400", GET "hOST: t\r\n\r\n"),
    ROW("9112 3.2", "two hosts, other fields between", "400", GET "X: y\r\nZ: z\r\nHost: t\r\n\r\n"),
    ROW("9112 3.2", "three hosts", "400", GET HOST HOST "\r\n"),
    ROW("9112 3.2", "two hosts with an absolute-form", "400", "GET http://t/ HTTP/1.1\r\n" HOST HOST "\r\n"),
    ROW("9112 3.2", "two hosts in HTTP/1.0", "400", "GET / HTTP/1.0\r\n" HOST HOST "\r\n"),
    ROW("9112 3.2", "a bad host in HTTP/1.0", "400", "GET / HTTP/1.0\r\nHost: a b\r\n\r\n"),
    ROW("9112 3.2", "a bad host with an absolute-form", "400", "GET http://t/ HTTP/1.1\r\nHost: a b\r\n\r\n"),
    ROW("9112 3.2", "no Host in HTTP/1.0", "200", "GET / HTTP/1.0\r\n\r\n"),
    ROW("9112 3.2", "Host in HTTP/1.0", "202", "GET / HTTP/1.0\r\nHost: other.test\r\n\r\n"),
    ROW("9112 3.2", "an empty host", "200+", AT("")),
    ROW("9112 3.2", "a host of white space", "200+", AT(" \t ")),
    ROW("9112 3.2", "Host as the last of many fields", "202+", "GET / HTTP/1.1\r\n",
        FILL(60, "X: y\r\n", "Host: other.test\r\n\r\n")),
};

Test(strict_host, count)
{
    STRICT_RUN(counts);
}

static const struct strict_row names[] = {
    ROW("3986 3.2.2", "a space in a host", "400", AT("a b")),
    ROW("3986 3.2.2", "a tab in a host", "400", AT("a\tb")),
    ROW("3986 3.2.2", "a list of hosts", "400", AT("t, other.test")),
    ROW("9110 7.2", "a user in a host", "400", AT("u@t")),
    ROW("9110 7.2", "a user with a password in a host", "400", AT("u:p@t")),
    ROW("9110 7.2", "an empty user in a host", "400", AT("@t")),
    ROW("3986 3.2.2", "/ in a host", "400", AT("t/")),
    ROW("3986 3.2.2", "a path behind a host", "400", AT("t/target")),
    ROW("3986 3.2.2", "? in a host", "400", AT("t?x")),
    ROW("3986 3.2.2", "# in a host", "400", AT("t#x")),
    ROW("3986 3.2.2", "\\ in a host", "400", AT("t\\x")),
    ROW("3986 3.2.2", "a quote in a host", "400", AT("\"t\"")),
    ROW("3986 3.2.2", "< in a host", "400", AT("<t")),
    ROW("3986 3.2.2", "> in a host", "400", AT("t>")),
    ROW("3986 3.2.2", "^ in a host", "400", AT("t^")),
    ROW("3986 3.2.2", "` in a host", "400", AT("`t`")),
    ROW("3986 3.2.2", "{ in a host", "400", AT("{t")),
    ROW("3986 3.2.2", "| in a host", "400", AT("a|b")),
    ROW("3986 3.2.2", "} in a host", "400", AT("t}")),
    ROW("3986 3.2.2", "8 bits in a host", "400", AT("caf\303\251")),
    ROW("3986 3.2.2", "a no-break space behind a host", "400", AT("t\240")),
    ROW("3986 2.1", "% alone in a host", "400", AT("t%")),
    ROW("3986 2.1", "half a triplet in a host", "400", AT("t%4")),
    ROW("3986 2.1", "a triplet of other digits in a host", "400", AT("t%zz")),
    ROW("9110 7.2", "a URL", "400", AT("http://t")),
    ROW("9110 7.2", "a URL without its scheme", "400", AT("//t")),
    ROW("9110 5.5", "a NUL in a host", "400", AT("t\0")),
    ROW("9110 5.5", "DEL in a host", "400", AT("t\177")),
    ROW("3986 3.2.2", "a name", "202+", AT("other.test")),
    ROW("3986 3.2.2", "a name in another case", "202+", AT("OTHER.Test")),
    ROW("3986 3.2.2", "a name that no site has", "200+", AT("unknown.test")),
    ROW("3986 3.2.2", "a name with the dot of the root", "202+|200+", AT("other.test.")),
    ROW("3986 3.2.2", "a name with white space around", "202+", AT("\t other.test \t")),
    ROW("3986 3.2.2", "no white space before a name", "202+", "GET / HTTP/1.1\r\nHost:other.test\r\n\r\n"),
    ROW("3986 3.2.2", "a name with - and _ and ~", "200+", AT("a-b_c~d.test")),
    ROW("3986 3.2.2", "a name of sub-delims", "200+", AT("a!$&'()*+,;=b")),
    ROW("3986 3.2.2", "a name with a triplet", "200+", AT("caf%C3%A9.test")),
    ROW("5891 4.4", "an A-label", "200+", AT("xn--caf-dma.test")),
    ROW("3986 3.2.2", "an IPv4 address", "200+", AT("127.0.0.1")),
    ROW("3986 3.2.2", "what is no IPv4 address is a name", "200+", AT("999.1.1.1.1")),
    ROW("1035 2.3.4", "a name of 253 bytes", "200+", "GET / HTTP/1.1\r\nHost: ", FILL(63, "abc.", "t\r\n\r\n")),
    ROW("3986 3.2.2", "a name longer than any", "200+|400", "GET / HTTP/1.1\r\nHost: ", FILL(300, "abc.", "t\r\n\r\n")),
};

Test(strict_host, name)
{
    STRICT_RUN(names);
}

static const struct strict_row ports[] = {
    ROW("3986 3.2.3", "letters for a port", "400", AT("t:x")),
    ROW("3986 3.2.3", "letters behind a port", "400", AT("t:80x")),
    ROW("3986 3.2.3", "a hexadecimal port", "400", AT("t:0x50")),
    ROW("3986 3.2.3", "a negative port", "400", AT("t:-1")),
    ROW("3986 3.2.3", "a port with a sign", "400", AT("t:+80")),
    ROW("3986 3.2.3", "a space before a port", "400", AT("t: 80")),
    ROW("3986 3.2.3", "a space before the colon", "400", AT("t :80")),
    ROW("3986 3.2.3", "two ports", "400", AT("t:80:80")),
    ROW("3986 3.2.3", "two colons", "400", AT("t::80")),
    ROW("3986 3.2.3", "a list of ports", "400", AT("t:80,81")),
    ROW("3986 3.2.3", "a user behind a port", "400", AT("t:80@other.test")),
    ROW("3986 3.2.3", "a path behind a port", "400", AT("t:80/")),
    ROW("6335 6", "port 65536", "400", AT("t:65536")),
    ROW("6335 6", "port 99999", "400", AT("t:99999")),
    ROW("6335 6", "port 2^64 + 80", "400", AT("t:18446744073709551696")),
    ROW("9110 4.2.1", "a port without a host", "400", AT(":80")),
    ROW("9110 4.2.1", "a colon without a host", "400", AT(":")),
    ROW("3986 3.2.3", "port 80", "202+", AT("other.test:80")),
    ROW("3986 3.2.3", "port 65535", "202+", AT("other.test:65535")),
    ROW("3986 3.2.3", "a port with zeros before it", "202+", AT("other.test:00080")),
    ROW("3986 3.2.3", "a colon without a port", "202+", AT("other.test:")),
};

Test(strict_host, port)
{
    STRICT_RUN(ports);
}

static const struct strict_row literals[] = {
    ROW("3986 3.2.2", "an IPv6 address without brackets", "400", AT("::1")),
    ROW("3986 3.2.2", "a long one without brackets", "400", AT("fe80::1:2:3")),
    ROW("3986 3.2.2", "no closing bracket", "400", AT("[::1")),
    ROW("3986 3.2.2", "no opening bracket", "400", AT("::1]")),
    ROW("3986 3.2.2", "nothing in brackets", "400", AT("[]")),
    ROW("3986 3.2.2", "an opening bracket alone", "400", AT("[")),
    ROW("3986 3.2.2", "one colon in brackets", "400", AT("[:]")),
    ROW("3986 3.2.2", "three colons in brackets", "400", AT("[:::]")),
    ROW("3986 3.2.2", "a name in brackets", "400", AT("[t]")),
    ROW("3986 3.2.2", "an IPv4 address in brackets", "400", AT("[127.0.0.1]")),
    ROW("3986 3.2.2", "another letter in brackets", "400", AT("[::g]")),
    ROW("3986 3.2.2", "two gaps", "400", AT("[1::2::3]")),
    ROW("3986 3.2.2", "seven groups", "400", AT("[1:2:3:4:5:6:7]")),
    ROW("3986 3.2.2", "nine groups", "400", AT("[1:2:3:4:5:6:7:8:9]")),
    ROW("3986 3.2.2", "a group of five digits", "400", AT("[::12345]")),
    ROW("3986 3.2.2", "a bad IPv4 address at the end", "400", AT("[::1.2.3.256]")),
    ROW("3986 3.2.2", "a space in brackets", "400", AT("[::1 ]")),
    ROW("3986 3.2.2", "a zone", "400", AT("[fe80::1%eth0]")),
    ROW("3986 3.2.2", "a literal of no version", "400", AT("[v.1]")),
    ROW("3986 3.2.2", "brackets in brackets", "400", AT("[[::1]]")),
    ROW("3986 3.2.2", "a name before the brackets", "400", AT("t[::1]")),
    ROW("3986 3.2.2", "a name behind the brackets", "400", AT("[::1]t")),
    ROW("3986 3.2.2", "a port without a colon", "400", AT("[::1]80")),
    ROW("3986 3.2.2", "letters for the port", "400", AT("[::1]:x")),
    ROW("3986 3.2.2", "port 65536 behind brackets", "400", AT("[::1]:65536")),
    ROW("9110 5.5", "a NUL in brackets", "400", AT("[::1\0]")),
    ROW("3986 3.2.2", "a literal of a version to come", "200+|400", AT("[v1.a:b]")),
    ROW("3986 3.2.2", "an IPv6 address", "200+", AT("[::1]")),
    ROW("3986 3.2.2", "the unspecified address", "200+", AT("[::]")),
    ROW("3986 3.2.2", "eight groups", "200+", AT("[1:2:3:4:5:6:7:8]")),
    ROW("3986 3.2.2", "upper and lower case", "200+", AT("[FE80::aBcD]")),
    ROW("3986 3.2.2", "an IPv4 address at the end", "200+", AT("[::ffff:192.0.2.1]")),
    ROW("3986 3.2.2", "the longest address", "200+", AT("[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]")),
    ROW("3986 3.2.2", "an address with a port", "200+", AT("[::1]:8080")),
    ROW("3986 3.2.2", "an address with an empty port", "200+", AT("[::1]:")),
};

Test(strict_host, ip_literal)
{
    STRICT_RUN(literals);
}
