/* date_test.c: what is no HTTP-date, the three forms, and the calendar of libc over 400 years. */
#include "http/date.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <time.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

enum { NOW = 1795348800 }; /* Sun, 22 Nov 2026 12:00:00 GMT */

static const char *const refused[] = {
    "",
    "S",
    "Sun",
    "0",
    "784111777",
    "Sun, 06 Nov 1994 08:49:37 GM",
    "Sun, 06 Nov 1994 08:49:37 GMTx",
    "Sun, 06 Nov 1994 08:49:37 GMT ",
    " Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun,  06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994  08:49:37 GMT",
    "Sun 06 Nov 1994 08:49:37 GMT",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun,  6 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 94 08:49:37 GMT",
    "Sun, 06 Nov 01994 08:49:37 GMT",
    "Sun, 06 Nov +994 08:49:37 GMT",
    "Sun, 06 Nov -001 08:49:37 GMT",
    "Sun, 06-Nov-1994 08:49:37 GMT",
    "Sun, 06 November 1994 08:49:37 GMT",
    "Sunday, 06 Nov 1994 08:49:37 GMT",
    "sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 nov 1994 08:49:37 GMT",
    "Sun, 06 NOV 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 gmt",
    "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 06 Nov 1994 08:49:37 +0000",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 8:49:37 GMT",
    "Sun, 06 Nov 1994 08:49 GMT",
    "Sun, 06 Nov 1994 08-49-37 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT",
    "Sun, 06 Nov 1994 08:60:00 GMT",
    "Sun, 06 Nov 1994 08:49:60 GMT",
    "Sun, 06 Nov 1994 23:59:61 GMT",
    "Mon, 06 Nov 1994 08:49:37 GMT",
    "Wed, 00 Nov 1994 08:49:37 GMT",
    "Thu, 31 Nov 1994 08:49:37 GMT",
    "Fri, 32 Dec 1994 08:49:37 GMT",
    "Wed, 29 Feb 1995 08:49:37 GMT",
    "Thu, 29 Feb 1900 08:49:37 GMT",
    "Mon, 29 Feb 2100 08:49:37 GMT",
    "Sunday, 06-Nov-94 08:49:37",
    "Sunday, 06-Nov-1994 08:49:37 GMT",
    "Sunday, 6-Nov-94 08:49:37 GMT",
    "Sunday, 06 Nov 94 08:49:37 GMT",
    "Sun, 06-Nov-94 08:49:37 GMT",
    "Monday, 06-Nov-94 08:49:37 GMT",
    "Friday, 29-Feb-93 08:49:37 GMT",
    "Sun Nov 6 08:49:37 1994",
    "Sun Nov   6 08:49:37 1994",
    "Sun Nov  06 08:49:37 1994",
    "Sun Nov  6 08:49:37 94",
    "Sun Nov  6 08:49:37 1994 GMT",
    "Sun, Nov  6 08:49:37 1994",
    "Sunday Nov  6 08:49:37 1994",
    "Mon Nov  6 08:49:37 1994",
    "Sun Nov  0 08:49:37 1994",
};

Test(date, refuses_what_is_no_date)
{
    for (size_t i = 0; i < COUNT(refused); i++) {
        int64_t seconds = 42;
        cr_expect_eq(http_date_parse(str_of(refused[i]), NOW, &seconds), -EBADMSG, "%s", refused[i]);
        cr_expect_eq(seconds, 42, "%s", refused[i]);
    }
    int64_t seconds;
    cr_expect_eq(http_date_parse((struct str){NULL, 0}, NOW, &seconds), -EBADMSG);
    cr_expect_eq(http_date_parse(STR("Sun, 06 Nov 1994 08:49:37 GMT\0"), NOW, &seconds), -EBADMSG);
}

/* No prefix of a date is one, and no byte of it may be any other. */
Test(date, refuses_a_date_with_one_byte_changed)
{
    const struct str date = STR("Sun, 06 Nov 1994 08:49:37 GMT");
    int64_t seconds;
    for (size_t n = 0; n < date.n; n++)
        cr_expect_eq(http_date_parse((struct str){date.p, n}, NOW, &seconds), -EBADMSG, "%zu bytes", n);
    for (size_t i = 0; i < date.n; i++) {
        char changed[HTTP_DATE_SIZE];
        memcpy(changed, date.p, sizeof changed);
        for (const char *c = "\x80 \t@Z:/"; *c; c++) {
            changed[i] = *c;
            if (*c != date.p[i])
                cr_expect_eq(http_date_parse((struct str){changed, sizeof changed}, NOW, &seconds), -EBADMSG,
                             "'%c' at %zu", *c, i);
        }
    }
}

struct date_case {
    int64_t seconds;
    const char *text;
};

static const struct date_case fixdates[] = {
    {-62167219200, "Sat, 01 Jan 0000 00:00:00 GMT"}, {-62162121600, "Tue, 29 Feb 0000 00:00:00 GMT"},
    {-62135596800, "Mon, 01 Jan 0001 00:00:00 GMT"}, {-11670955200, "Tue, 29 Feb 1600 12:00:00 GMT"},
    {-2203891201, "Wed, 28 Feb 1900 23:59:59 GMT"},  {-2203891200, "Thu, 01 Mar 1900 00:00:00 GMT"},
    {-1, "Wed, 31 Dec 1969 23:59:59 GMT"},           {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
    {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},    {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
    {978307199, "Sun, 31 Dec 2000 23:59:59 GMT"},    {1709251199, "Thu, 29 Feb 2024 23:59:59 GMT"},
    {1709251200, "Fri, 01 Mar 2024 00:00:00 GMT"},   {1798675200, "Thu, 31 Dec 2026 00:00:00 GMT"},
    {2147483647, "Tue, 19 Jan 2038 03:14:07 GMT"},   {2147483648, "Tue, 19 Jan 2038 03:14:08 GMT"},
    {4107542399, "Sun, 28 Feb 2100 23:59:59 GMT"},   {4107542400, "Mon, 01 Mar 2100 00:00:00 GMT"},
    {4294967296, "Sun, 07 Feb 2106 06:28:16 GMT"},   {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
};

static void expect_written(int64_t seconds, const char *text)
{
    char date[HTTP_DATE_SIZE + 1] = {0};
    date[HTTP_DATE_SIZE] = '$';
    http_date_write(date, seconds);
    cr_expect_eq(date[HTTP_DATE_SIZE], '$');
    date[HTTP_DATE_SIZE] = '\0';
    cr_expect_str_eq(date, text);
}

Test(date, a_year_of_five_digits_is_never_written)
{
    expect_written(253402300800, "Fri, 31 Dec 9999 23:59:59 GMT");
    expect_written(INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT");
    expect_written(-62167219201, "Sat, 01 Jan 0000 00:00:00 GMT");
    expect_written(INT64_MIN, "Sat, 01 Jan 0000 00:00:00 GMT");
}

Test(date, writes_and_reads_imf_fixdate)
{
    for (size_t i = 0; i < COUNT(fixdates); i++) {
        int64_t seconds;
        expect_written(fixdates[i].seconds, fixdates[i].text);
        cr_assert_eq(http_date_parse(str_of(fixdates[i].text), NOW, &seconds), 0, "%s", fixdates[i].text);
        cr_expect_eq(seconds, fixdates[i].seconds, "%s", fixdates[i].text);
    }
}

static const struct date_case asctimes[] = {
    {784111777, "Sun Nov  6 08:49:37 1994"},    {784111777, "Sun Nov 06 08:49:37 1994"},
    {784975777, "Wed Nov 16 08:49:37 1994"},    {0, "Thu Jan  1 00:00:00 1970"},
    {253402300799, "Fri Dec 31 23:59:59 9999"},
};

Test(date, reads_asctime)
{
    for (size_t i = 0; i < COUNT(asctimes); i++) {
        int64_t seconds;
        cr_assert_eq(http_date_parse(str_of(asctimes[i].text), NOW, &seconds), 0, "%s", asctimes[i].text);
        cr_expect_eq(seconds, asctimes[i].seconds, "%s", asctimes[i].text);
    }
}

struct rfc850_case {
    int64_t now;
    const char *text, *same;
};

static const struct rfc850_case rfc850[] = {
    {NOW, "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"},
    {NOW, "Sunday, 22-Nov-26 12:00:00 GMT", "Sun, 22 Nov 2026 12:00:00 GMT"},
    {NOW, "Monday, 23-Nov-26 12:00:00 GMT", "Mon, 23 Nov 2026 12:00:00 GMT"},
    {NOW, "Tuesday, 01-Jan-75 00:00:00 GMT", "Tue, 01 Jan 2075 00:00:00 GMT"},
    {NOW, "Saturday, 21-Nov-76 00:00:00 GMT", "Sat, 21 Nov 2076 00:00:00 GMT"},
    {NOW, "Wednesday, 24-Nov-76 00:00:00 GMT", "Wed, 24 Nov 1976 00:00:00 GMT"},
    {NOW, "Saturday, 01-Jan-77 00:00:00 GMT", "Sat, 01 Jan 1977 00:00:00 GMT"},
    {NOW, "Friday, 31-Dec-99 23:59:59 GMT", "Fri, 31 Dec 1999 23:59:59 GMT"},
    {NOW, "Tuesday, 29-Feb-00 00:00:00 GMT", "Tue, 29 Feb 2000 00:00:00 GMT"},
    {915148800, "Monday, 01-Jan-01 00:00:00 GMT", "Mon, 01 Jan 2001 00:00:00 GMT"},
    {0, "Thursday, 01-Jan-70 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"},
    {3155760000, "Saturday, 01-Jan-18 00:00:00 GMT", "Sat, 01 Jan 2118 00:00:00 GMT"},
};

Test(date, reads_rfc_850_within_50_years)
{
    for (size_t i = 0; i < COUNT(rfc850); i++) {
        int64_t seconds = 0, same = 1;
        cr_expect_eq(http_date_parse(str_of(rfc850[i].text), rfc850[i].now, &seconds), 0, "%s", rfc850[i].text);
        cr_expect_eq(http_date_parse(str_of(rfc850[i].same), rfc850[i].now, &same), 0, "%s", rfc850[i].same);
        cr_expect_eq(seconds, same, "%s", rfc850[i].text);
    }
}

/* The weekdays of one date differ from century to century, so that one of them fits whatever century it becomes. */
Test(date, a_clock_out_of_its_mind_is_survived)
{
    const int64_t clocks[] = {INT64_MIN, INT64_MAX, -62167219200, 253402300799};
    for (size_t i = 0; i < COUNT(clocks); i++) {
        int64_t seconds = 0;
        int found = 0;
        found += http_date_parse(STR("Sunday, 06-Nov-94 08:49:37 GMT"), clocks[i], &seconds) == 0;
        found += http_date_parse(STR("Tuesday, 06-Nov-94 08:49:37 GMT"), clocks[i], &seconds) == 0;
        found += http_date_parse(STR("Thursday, 06-Nov-94 08:49:37 GMT"), clocks[i], &seconds) == 0;
        found += http_date_parse(STR("Saturday, 06-Nov-94 08:49:37 GMT"), clocks[i], &seconds) == 0;
        cr_expect_eq(found, 1);
        cr_expect_neq(seconds, 0);
    }
}

Test(date, a_leap_second_is_the_next_days_first)
{
    int64_t seconds;
    cr_assert_eq(http_date_parse(STR("Sat, 31 Dec 2016 23:59:60 GMT"), NOW, &seconds), 0);
    cr_expect_eq(seconds, 1483228800);
}

Test(date, agrees_with_the_calendar_of_libc)
{
    char format[64];
    for (int64_t day = -62000; day < 147000 - 62000; day++) {
        int64_t seconds = day * 86400 + (day + 62000) * 7919 % 86400, read;
        time_t t = (time_t)seconds;
        struct tm tm;
        gmtime_r(&t, &tm);
        strftime(format, sizeof format, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        expect_written(seconds, format);
        cr_assert_eq(http_date_parse(str_of(format), NOW, &read), 0, "%s", format);
        cr_assert_eq(read, seconds, "%s", format);
    }
}
