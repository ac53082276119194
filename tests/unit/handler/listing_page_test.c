/* listing_page_test.c: references and times, and pages that grow, up to their bound. */
#include "handler/listing_page.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "directory.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

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

/* ---- pages ---- */

enum { CHUNK = 16 * 1024 };

static struct {
    size_t n, step; /* bytes of a page, and how many of them are put at a time */
    bool failed;    /* what the page said when they had been put */
} plan;

static char byte_at(size_t i)
{
    return (char)('a' + i % 23);
}

static void render(struct listing_page *page)
{
    static char bytes[23 + LISTING_PAGE_MAX / 16];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = byte_at(i);
    for (size_t at = 0; at < plan.n; at += plan.step) {
        size_t n = plan.n - at < plan.step ? plan.n - at : plan.step;
        listing_put(page, (struct str){bytes + at % 23, n});
    }
    plan.failed = listing_page_failed(page);
}

static int make(size_t n, size_t step, struct str *text)
{
    static const struct listing_format format = {.render = render};
    plan.n = n;
    plan.step = step;
    *text = (struct str){NULL, 0};
    return listing_page_make(&format, NULL, STR("/"), text);
}

/* A page that is too large, or that there is no memory for, leaves nothing behind. */
static void expect_none(size_t n, size_t step)
{
    struct str text;
    cr_expect_eq(make(n, step, &text), -ENOMEM, "%zu by %zu", n, step);
    cr_expect(plan.failed && !text.p && text.n == 0);
}

static void expect_page(size_t n, size_t step)
{
    struct str text;
    size_t wrong = 0;
    cr_assert_eq(make(n, step, &text), 0, "%zu by %zu", n, step);
    cr_expect_not(plan.failed);
    cr_assert_eq(text.n, n, "%zu by %zu: %zu", n, step, text.n);
    for (size_t i = 0; i < n; i++)
        wrong += text.p[i] != byte_at(i);
    cr_expect_eq(wrong, 0, "%zu by %zu: %zu wrong bytes", n, step, wrong);
    free((char *)text.p);
}

Test(listing_page, more_than_a_page_may_have)
{
    static const size_t steps[] = {LISTING_PAGE_MAX / 16, LISTING_PAGE_MAX / 16 - 7};
    for (size_t i = 0; i < COUNT(steps); i++) {
        expect_page(LISTING_PAGE_MAX, steps[i]);
        expect_none(LISTING_PAGE_MAX + 1, steps[i]);
        expect_none(2UL * LISTING_PAGE_MAX, steps[i]);
    }
}

Test(listing_page, no_memory)
{
    directory.no_memory = true;
    expect_none(1, 1);
    expect_none(2 * CHUNK, 100);
    directory.no_memory = false;
    expect_page(1, 1);
}

Test(listing_page, pages_grow)
{
    static const size_t sizes[] = {0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1, 8 * CHUNK};
    static const size_t steps[] = {1, 7, 1000, CHUNK - 1, CHUNK, CHUNK + 1, 8 * CHUNK};
    for (size_t i = 0; i < COUNT(sizes) * COUNT(steps); i++)
        expect_page(sizes[i % COUNT(sizes)], steps[i / COUNT(sizes)]);
}

/* The longest names, of what takes the most room in a page. */
Test(listing_page, the_largest_directory_has_a_page)
{
    static struct listing_entry entries[LISTING_MAX];
    static char name[255];
    memset(name, '"', sizeof name);
    for (size_t i = 0; i < COUNT(entries); i++)
        entries[i] = (struct listing_entry){.name = {name, sizeof name}, .size = UINT64_MAX};
    struct listing_job job = {.path = STR(""), .entries = entries, .count = COUNT(entries)};
    const struct listing_format *const formats[] = {&listing_html, &listing_json};
    for (size_t i = 0; i < COUNT(formats); i++) {
        struct str text;
        cr_assert_eq(listing_page_make(formats[i], &job, STR("/"), &text), 0);
        cr_expect_gt(text.n, LISTING_MAX * 4UL * sizeof name);
        free((char *)text.p);
    }
}
