/* date.c: see date.h.
 *
 * A year is taken from March to February here, so that the leap day is its last: then the days before a month, and
 * the days before a year, are plain sums (Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2013). Days are
 * counted from 1970-01-01, years from an era of 400 before year 0, so that no division meets a negative number.
 */
#include "http/date.h"

#include "base/out.h"

#include <errno.h>

enum {
    ERA = 400,           /* years, after which the calendar repeats ... */
    ERA_DAYS = 146097,   /* ... and their days */
    EPOCH_DAYS = 865565, /* from -0400-03-01 to 1970-01-01 */
    FIRST_DAY = -719528, /* 0000-01-01 */
    LAST_DAY = 2932896,  /* 9999-12-31 */
    DAY = 24 * 3600,     /* seconds */
    YEAR = 365 * DAY + DAY / 4 - DAY / 100 + DAY / 400,
    FUTURE = 50, /* years that a two-digit year may lie ahead */
};

struct civil {
    int year;
    unsigned month, day; /* from 1 */
    unsigned hour, minute, second;
};

static const struct str month_names[] = {
    STR_INIT("Jan"), STR_INIT("Feb"), STR_INIT("Mar"), STR_INIT("Apr"), STR_INIT("May"), STR_INIT("Jun"),
    STR_INIT("Jul"), STR_INIT("Aug"), STR_INIT("Sep"), STR_INIT("Oct"), STR_INIT("Nov"), STR_INIT("Dec"),
};

static const struct str day_names[] = {
    STR_INIT("Sunday"),   STR_INIT("Monday"), STR_INIT("Tuesday"),  STR_INIT("Wednesday"),
    STR_INIT("Thursday"), STR_INIT("Friday"), STR_INIT("Saturday"),
};

static struct str short_name(struct str name)
{
    return (struct str){name.p, 3};
}

static int days_of(const struct civil *c)
{
    int year = c->year + ERA - (c->month < 3);
    int month = (int)(c->month + 9) % 12;
    return year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + (int)c->day - 1 - EPOCH_DAYS;
}

static struct civil date_of(int days)
{
    int era = (days + EPOCH_DAYS) / ERA_DAYS;
    int day = (days + EPOCH_DAYS) % ERA_DAYS;
    int year = (day - day / 1460 + day / 36524 - day / (ERA_DAYS - 1)) / 365;
    day -= year * 365 + year / 4 - year / 100;
    int month = (5 * day + 2) / 153;
    return (struct civil){
        .year = year + (era - 1) * ERA + (month > 9),
        .month = (unsigned)(month + 2) % 12 + 1,
        .day = (unsigned)(day - (153 * month + 2) / 5 + 1),
    };
}

/* 0 is Sunday; year 0 began on a Saturday. */
static unsigned weekday_of(int days)
{
    return (unsigned)(days - FIRST_DAY + 6) % 7;
}

static int64_t seconds_of(const struct civil *c)
{
    return (int64_t)days_of(c) * DAY + c->hour * 3600 + c->minute * 60 + c->second;
}

static int64_t clamp(int64_t seconds)
{
    const int64_t first = (int64_t)FIRST_DAY * DAY, last = (int64_t)LAST_DAY * DAY + DAY - 1;
    if (seconds < first)
        return first;
    return seconds > last ? last : seconds;
}

static void write_time(struct out *o, unsigned second)
{
    out_digits(o, second / 3600, 2);
    out_char(o, ':');
    out_digits(o, second / 60 % 60, 2);
    out_char(o, ':');
    out_digits(o, second % 60, 2);
}

void http_date_write(char to[static HTTP_DATE_SIZE], int64_t seconds)
{
    int64_t since_first = clamp(seconds) - (int64_t)FIRST_DAY * DAY;
    int days = (int)(since_first / DAY) + FIRST_DAY;
    struct civil c = date_of(days);
    struct out o = out_on(to, HTTP_DATE_SIZE);
    out_put(&o, short_name(day_names[weekday_of(days)]));
    out_text(&o, ", ");
    out_digits(&o, c.day, 2);
    out_char(&o, ' ');
    out_put(&o, month_names[c.month - 1]);
    out_char(&o, ' ');
    out_digits(&o, (unsigned)c.year, 4);
    out_char(&o, ' ');
    write_time(&o, (unsigned)(since_first % DAY));
    out_text(&o, " GMT");
}

/* The three forms, in the letters of strftime(3); what is not a letter is itself. */
static const struct str forms[] = {
    STR_INIT("a, d b Y H:M:S Z"), /* Sun, 06 Nov 1994 08:49:37 GMT */
    STR_INIT("A, d-b-y H:M:S Z"), /* Sunday, 06-Nov-94 08:49:37 GMT */
    STR_INIT("a b e H:M:S Y"),    /* Sun Nov  6 08:49:37 1994 */
};

struct reader {
    struct str rest; /* what has not been read yet */
    struct civil date;
    unsigned weekday;
    bool two_digits; /* the year has */
};

static bool read_text(struct reader *r, struct str text)
{
    if (!str_starts(r->rest, text))
        return false;
    r->rest = str_skip(r->rest, text.n);
    return true;
}

static bool read_number(struct reader *r, size_t width, unsigned *number)
{
    uint64_t value;
    if (r->rest.n < width || str_to_u64((struct str){r->rest.p, width}, &value) < 0)
        return false;
    *number = (unsigned)value;
    r->rest = str_skip(r->rest, width);
    return true;
}

static bool read_month(struct reader *r)
{
    for (unsigned month = 1; month <= 12; month++) {
        r->date.month = month;
        if (read_text(r, month_names[month - 1]))
            return true;
    }
    return false;
}

static bool read_weekday(struct reader *r, bool whole)
{
    for (r->weekday = 0; r->weekday < 7; r->weekday++)
        if (read_text(r, whole ? day_names[r->weekday] : short_name(day_names[r->weekday])))
            return true;
    return false;
}

static bool read_year(struct reader *r, size_t width)
{
    unsigned year;
    if (!read_number(r, width, &year))
        return false;
    r->date.year = (int)year;
    r->two_digits = width == 2;
    return true;
}

static bool read_piece(struct reader *r, char piece)
{
    switch (piece) {
    case 'a':
        return read_weekday(r, false);
    case 'A':
        return read_weekday(r, true);
    case 'b':
        return read_month(r);
    case 'd':
        return read_number(r, 2, &r->date.day);
    case 'e':
        return read_number(r, read_text(r, STR(" ")) ? 1 : 2, &r->date.day);
    case 'H':
        return read_number(r, 2, &r->date.hour);
    case 'M':
        return read_number(r, 2, &r->date.minute);
    case 'S':
        return read_number(r, 2, &r->date.second);
    case 'Z':
        return read_text(r, STR("GMT"));
    case 'Y':
        return read_year(r, 4);
    case 'y':
        return read_year(r, 2);
    default:
        return read_text(r, (struct str){&piece, 1});
    }
}

static bool read_form(struct reader *r, struct str form, struct str text)
{
    *r = (struct reader){.rest = text};
    for (size_t i = 0; i < form.n; i++)
        if (!read_piece(r, form.p[i]))
            return false;
    return r->rest.n == 0;
}

/* The latest year with these two digits that does not put the date more than FUTURE years after now. */
static void complete_year(struct civil *c, int64_t now)
{
    int64_t latest = clamp(now) + (int64_t)FUTURE * YEAR;
    int year = date_of((int)((latest - (int64_t)FIRST_DAY * DAY) / DAY) + FIRST_DAY).year;
    c->year += year / 100 * 100;
    if (seconds_of(c) > latest)
        c->year -= 100;
}

/* A day that its month does not have comes back from the calendar as another one. */
static bool exists(const struct civil *c)
{
    struct civil same = date_of(days_of(c));
    bool leap_second = c->hour == 23 && c->minute == 59 && c->second == 60;
    return same.day == c->day && c->hour < 24 && c->minute < 60 && (c->second < 60 || leap_second);
}

int http_date_parse(struct str text, int64_t now, int64_t *seconds)
{
    struct reader r;
    size_t form = 0, count = sizeof forms / sizeof *forms;
    while (form < count && !read_form(&r, forms[form], text))
        form++;
    if (form == count)
        return -EBADMSG;
    if (r.two_digits)
        complete_year(&r.date, now);
    if (!exists(&r.date) || weekday_of(days_of(&r.date)) != r.weekday)
        return -EBADMSG;
    *seconds = seconds_of(&r.date);
    return 0;
}
