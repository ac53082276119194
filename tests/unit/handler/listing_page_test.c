/* listing_page_test.c: references and times, and a page that leaves in one piece, in many, or not at all. */
#include "handler/listing_page.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "answer.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static struct answer answer;

static void finish(void)
{
    answer_end(&answer);
}

TestSuite(listing_page, .fini = finish);

/* ---- references ---- */

static const struct {
    const char *name, *href;
} hrefs[] = {
    {"javascript:alert(1)", "./javascript:alert(1)"},
    {"data:text/html,x", "./data:text/html,x"},
    {"https:", "./https:"},
    {"?x", "./%3Fx"},
    {"#y", "./%23y"},
    {"a?b#c", "./a%3Fb%23c"},
    {"\\\\host\\share", "./%5C%5Chost%5Cshare"},
    {"%2e%2e", "./%252e%252e"},
    {"%2F", "./%252F"},
    {"...", "./..."},
    {"\"", "./%22"},
    {"'&", "./'&"},
    {"<script>", "./%3Cscript%3E"},
    {" ", "./%20"},
    {"a b ", "./a%20b%20"},
    {"\t\n\r\x01\x7f", "./%09%0A%0D%01%7F"},
    {"\xff\xfe\x80", "./%FF%FE%80"},
    {"\xc3\xa4", "./%C3%A4"},
    {"[::1]", "./%5B::1%5D"},
    {"{}|^`", "./%7B%7D%7C%5E%60"},
    {"a-b.c_d~e!$()*+,;=:@", "./a-b.c_d~e!$()*+,;=:@"},
};

Test(listing_page, references)
{
    char room[LISTING_HREF_SIZE];
    for (size_t i = 0; i < COUNT(hrefs); i++) {
        struct listing_entry entry = {.name = str_of(hrefs[i].name)};
        struct str href = listing_href(room, &entry);
        cr_expect(str_eq(href, str_of(hrefs[i].href)), STR_FMT, STR_ARG(href));
        entry.directory = true;
        href = listing_href(room, &entry);
        cr_expect(str_ends(href, STR("/")) && href.n == strlen(hrefs[i].href) + 1, STR_FMT, STR_ARG(href));
    }
}

Test(listing_page, the_longest_reference)
{
    char room[LISTING_HREF_SIZE], name[1024];
    memset(name, '\xff', sizeof name);
    struct str href = listing_href(room, &(struct listing_entry){.name = {name, sizeof name}, .directory = true});
    cr_expect_eq(href.n, 3 + 3 * sizeof name);
    cr_expect(str_ends(href, STR("%FF/")));
}

/* ---- times ---- */

static const struct {
    int64_t seconds;
    const char *text;
} times[] = {
    {INT64_MIN, "0000-01-01T00:00:00Z"},
    {-62167219201, "0000-01-01T00:00:00Z"},
    {-62167219200, "0000-01-01T00:00:00Z"},
    {-1, "1969-12-31T23:59:59Z"},
    {0, "1970-01-01T00:00:00Z"},
    {951782400, "2000-02-29T00:00:00Z"},
    {1709251199, "2024-02-29T23:59:59Z"},
    {4294967296, "2106-02-07T06:28:16Z"},
    {253402300799, "9999-12-31T23:59:59Z"},
    {253402300800, "9999-12-31T23:59:59Z"},
    {INT64_MAX, "9999-12-31T23:59:59Z"},
};

Test(listing_page, times)
{
    for (size_t i = 0; i < COUNT(times); i++) {
        char text[LISTING_TIME_SIZE];
        listing_time(text, times[i].seconds);
        cr_expect(str_eq((struct str){text, sizeof text}, str_of(times[i].text)), "%s: %.20s", times[i].text, text);
    }
}

/* ---- pieces ---- */

enum { PIECE = 16 * 1024 };

static const struct listing_format format = {.fields = STR_INIT("X: y\r\n")};

/* A page of n bytes, put so many at a time. */
static int write_page(enum method method, size_t n, size_t step, size_t fail_from)
{
    static char bytes[8 * PIECE];
    struct listing_page page;
    answer_end(&answer);
    answer_begin(&answer, method, "/", NULL, NULL);
    answer.fail_from = fail_from;
    cr_assert_eq(listing_page_init(&page, &answer.x, NULL, &format), 0);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)('a' + i % 23);
    for (size_t at = 0; at < n; at += step)
        listing_put(&page, (struct str){bytes + at, n - at < step ? n - at : step});
    int error = listing_page_end(&page);
    cr_expect(error || method == METHOD_HEAD || str_eq(answer_text(&answer), (struct str){bytes, n}), "%zu", n);
    return error;
}

static const size_t steps[] = {1, 7, 1000, PIECE - 1, PIECE, PIECE + 1, 8 * PIECE};

Test(listing_page, a_page_that_fits_has_a_length)
{
    static const size_t sizes[] = {0, 1, PIECE - 1, PIECE};
    for (size_t i = 0; i < COUNT(sizes) * COUNT(steps); i++) {
        size_t size = sizes[i % COUNT(sizes)];
        cr_expect_eq(write_page(METHOD_GET, size, steps[i / COUNT(sizes)], 0), 0);
        cr_expect_eq(answer.status, 200);
        cr_expect_eq(answer.length, (int64_t)size);
        cr_expect_leq(answer.pieces, 1);
        cr_expect(answer.ended);
    }
}

Test(listing_page, a_larger_one_is_streamed)
{
    static const size_t sizes[] = {PIECE + 1, 2 * PIECE - 1, 2 * PIECE, 2 * PIECE + 1, 8 * PIECE};
    for (size_t i = 0; i < COUNT(sizes) * COUNT(steps); i++) {
        size_t size = sizes[i % COUNT(sizes)];
        cr_expect_eq(write_page(METHOD_GET, size, steps[i / COUNT(sizes)], 0), 0);
        cr_expect_eq(answer.length, HTTP_LENGTH_UNKNOWN);
        cr_expect_eq(answer.pieces, (size + PIECE - 1) / PIECE);
        cr_expect(answer.ended);
    }
}

Test(listing_page, nothing_follows_an_error)
{
    for (size_t fail_from = 1; fail_from <= 4; fail_from++) {
        cr_expect_eq(write_page(METHOD_GET, 4 * PIECE, 1000, fail_from), -ECONNRESET);
        cr_expect_eq(answer.pieces, fail_from);
        cr_expect_not(answer.ended);
    }
    cr_expect_eq(write_page(METHOD_GET, 10, 10, 1), -ECONNRESET);
}

Test(listing_page, only_the_head_is_sent_to_who_asks_for_that)
{
    cr_expect_eq(write_page(METHOD_HEAD, 100, 10, 0), 0);
    cr_expect_eq(answer.length, 100);
    cr_expect_eq(answer.pieces, 0);
    cr_expect(answer.ended);
    cr_expect_eq(write_page(METHOD_HEAD, 8 * PIECE, 10, 0), 0);
    cr_expect_eq(answer.length, HTTP_LENGTH_UNKNOWN);
    cr_expect_eq(answer.pieces, 0);
    cr_expect(answer.ended);
    cr_expect(str_eq(answer.fields, STR("X: y\r\n")));
}
