/* h1_scan_test.c: bytes that no head may contain, and where a head ends; the same however it arrives. */
#include "http/h1.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* Nothing behind what has arrived may be looked at: each look gets memory of just that size. */
static ssize_t look(struct h1_scan *scan, struct str head, size_t arrived)
{
    char *copy = malloc(arrived);
    memcpy(copy, head.p, arrived);
    ssize_t result = h1_scan(scan, copy, arrived);
    free(copy);
    return result;
}

static ssize_t scan_in_pieces(struct str head, size_t piece)
{
    struct h1_scan scan = {0};
    ssize_t result = 0;
    for (size_t arrived = piece; result == 0; arrived += piece) {
        result = look(&scan, head, arrived < head.n ? arrived : head.n);
        cr_assert_leq(scan.checked, head.n);
        if (arrived >= head.n)
            break;
    }
    return result;
}

static void expect_scan(struct str head, ssize_t expected)
{
    for (size_t piece = 1; piece <= head.n; piece++) {
        ssize_t result = scan_in_pieces(head, piece);
        cr_expect_eq(result, expected, "\"" STR_FMT "\" by %zu: %zd", STR_ARG(head), piece, result);
    }
}

static const struct str refused[] = {
    /* RFC 9112, 2.2: a bare CR, a bare LF */
    STR_INIT("GET / HTTP/1.1\nHost: a\r\n\r\n"),
    STR_INIT("GET / HTTP/1.1\r\nHost: a\n\r\n"),
    STR_INIT("GET / HTTP/1.1\r\nHost: a\r\n\n"),
    STR_INIT("GET / HTTP/1.1\r\nHost: a\n\n"),
    STR_INIT("GET / HTTP/1.1\rHost: a\r\n\r\n"),
    STR_INIT("GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n"),
    STR_INIT("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"),
    STR_INIT("GET / HTTP/1.1\r\nHost: a\r\n\rX\r\n\r\n"),
    STR_INIT("GET / HTTP/1.1\r\nHost: a\r\n\r\r\n"),
    STR_INIT("GET / HTTP/1.1\r\n\rX"),
    STR_INIT("\n"),
    STR_INIT("\rG"),
    STR_INIT("\r\r"),
    /* 2.2: white space before the first field; 5.2: folding */
    STR_INIT("GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    STR_INIT("GET / HTTP/1.1\r\n\tHost: a\r\n\r\n"),
    STR_INIT("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n"),
    STR_INIT("GET / HTTP/1.1\r\nHost: a\r\n\tb\r\n\r\n"),
    STR_INIT("GET / HTTP/1.1\r\nHost: a\r\n \r\n\r\n"),
    STR_INIT("GET / HTTP/1.1\r\nTransfer-Encoding:\r\n chunked\r\n\r\n"),
    /* 3: no tab in the request line */
    STR_INIT("GET\t/ HTTP/1.1\r\n\r\n"),
    STR_INIT("\tGET / HTTP/1.1\r\n\r\n"),
};

Test(h1_scan, refused)
{
    for (size_t i = 0; i < COUNT(refused); i++)
        expect_scan(refused[i], -EBADMSG);
}

/* The places of `template` that are marked by '*', one after the other, hold the byte. */
static void expect_byte(const char *template, unsigned char byte, bool good)
{
    char head[64];
    size_t n = strlen(template);
    memcpy(head, template, n + 1);
    *(char *)memchr(head, '*', n) = (char)byte;
    expect_scan((struct str){head, n}, good ? (ssize_t)n : -EBADMSG);
}

Test(h1_scan, every_byte_in_every_place)
{
    static const char *const line[] = {"*ET / HTTP/1.1\r\na: b\r\n\r\n", "GET /* HTTP/1.1\r\na: b\r\n\r\n",
                                       "GET / HTTP/1.*\r\na: b\r\n\r\n"};
    static const char *const field[] = {"GET / HTTP/1.1\r\na*: b\r\n\r\n", "GET / HTTP/1.1\r\na: *bcdefghij\r\n\r\n",
                                        "GET / HTTP/1.1\r\na: bcdefghij*k\r\n\r\n", "GET / HTTP/1.1\r\na: b*\r\n\r\n"};
    for (unsigned byte = 0; byte < 256; byte++) {
        bool control = byte < 0x20 || byte == 0x7f;
        for (size_t i = 0; i < COUNT(line); i++)
            expect_byte(line[i], (unsigned char)byte, !control);
        for (size_t i = 0; i < COUNT(field); i++)
            expect_byte(field[i], (unsigned char)byte, !control || byte == '\t');
    }
}

struct whole {
    struct str bytes;
    ssize_t head; /* bytes of it; 0: it is not complete */
};

static const struct whole accepted[] = {
    {STR_INIT("G"), 0},
    {STR_INIT("GET / HTTP/1.1"), 0},
    {STR_INIT("GET / HTTP/1.1\r"), 0},
    {STR_INIT("GET / HTTP/1.1\r\n"), 0},
    {STR_INIT("GET / HTTP/1.1\r\n\r"), 0},
    {STR_INIT("GET / HTTP/1.1\r\na: b\r\n"), 0},
    {STR_INIT("GET / HTTP/1.1\r\na: b\r\n\r"), 0},
    {STR_INIT("GET / HTTP/1.1\r\n\r\n"), 18},
    {STR_INIT("GET / HTTP/1.1\r\na: b\r\n\r\n"), 24},
    {STR_INIT("GET / HTTP/1.1\r\na:\tb\t\r\n\r\n"), 25},
    {STR_INIT("GET / HTTP/1.1\r\n\r\nGET /"), 18},
    {STR_INIT("GET / HTTP/1.1\r\n\r\n\0\r\r\n"), 18},
    {STR_INIT("GET / HTTP/1.1\r\n\r\n\r\n"), 18},
    {STR_INIT("\r\n\r\n"), 4},
};

Test(h1_scan, where_a_head_ends)
{
    for (size_t i = 0; i < COUNT(accepted); i++)
        expect_scan(accepted[i].bytes, accepted[i].head);
}

/* The rules, byte by byte. */
static ssize_t reference(struct str head)
{
    bool fields = false;
    for (size_t i = 0; i < head.n; i++) {
        unsigned char byte = (unsigned char)head.p[i];
        if (byte == '\r') {
            if (i + 2 >= head.n)
                return i + 1 == head.n || head.p[i + 1] == '\n' ? 0 : -EBADMSG;
            if (head.p[i + 1] != '\n' || head.p[i + 2] == ' ' || head.p[i + 2] == '\t')
                return -EBADMSG;
            if (i + 3 < head.n && head.p[i + 2] == '\r' && head.p[i + 3] == '\n')
                return (ssize_t)i + 4;
            fields = true;
            i++;
        } else if ((byte < 0x20 || byte == 0x7f) && !(fields && byte == '\t')) {
            return -EBADMSG;
        }
    }
    return 0;
}

Test(h1_scan, random_heads)
{
    static const char *const parts[] = {
        "\r\n", "\r\n", "a", "Host: example.org", "\r\n\r\n", "\t", " ", "\r", "\n", "\x7f", "\x80", "\x1f", "bcd"};
    srand(7);
    size_t complete = 0, bad = 0;
    for (int i = 0; i < 20000; i++) {
        char bytes[256] = "G";
        for (int n = rand() % 10; n > 0; n--)
            strcat(bytes, parts[(size_t)rand() % (rand() % 2 ? 5 : COUNT(parts))]);
        struct str head = str_of(bytes);
        ssize_t expected = reference(head);
        complete += expected > 0;
        bad += expected < 0;
        for (size_t piece = 1; piece <= head.n; piece += 1 + (size_t)rand() % 5)
            cr_assert_eq(scan_in_pieces(head, piece), expected, "\"%s\" by %zu", bytes, piece);
        cr_assert_eq(scan_in_pieces(head, head.n), expected, "\"%s\"", bytes);
    }
    cr_expect_gt(complete, 1000);
    cr_expect_gt(bad, 1000);
}
