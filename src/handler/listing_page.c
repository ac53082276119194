/* listing_page.c: see listing_page.h. */
#include "handler/listing_page.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/utf8.h"
#include "http/uri.h"

enum { ROOM_FIRST = 16 * 1024 };

const struct str listing_keys[] = {
    [LISTING_NAME] = STR_INIT("name"),
    [LISTING_SIZE] = STR_INIT("size"),
    [LISTING_TIME] = STR_INIT("time"),
};

/* Makes room for n more bytes: for twice as many as before, at least. */
static int grow(struct listing_page *page, size_t n)
{
    size_t room = page->room ? page->room : ROOM_FIRST;
    if (n > LISTING_PAGE_MAX - page->n)
        return -ENOMEM;
    while (room - page->n < n)
        room *= 2;
    char *text = reallocarray(page->text, room, sizeof *text);
    if (!text)
        return -ENOMEM;
    page->text = text;
    page->room = room;
    return 0;
}

void listing_put(struct listing_page *page, struct str s)
{
    if (s.n > page->room - page->n && !page->error)
        page->error = grow(page, s.n);
    if (page->error || s.n == 0)
        return;
    memcpy(page->text + page->n, s.p, s.n);
    page->n += s.n;
}

void listing_put_escaped(struct listing_page *page, struct str text, listing_escape *escape)
{
    const char *plain = text.p; /* where begins what can be written as it is */
    while (text.n) {
        char room[LISTING_ESCAPE_SIZE];
        const char *at = text.p;
        struct str escaped = escape(utf8_next(&text), room);
        if (escaped.n == 0)
            continue;
        listing_put(page, str_range(plain, at));
        listing_put(page, escaped);
        plain = text.p;
    }
    listing_put(page, str_range(plain, text.p));
}

void listing_put_u64(struct listing_page *page, uint64_t value)
{
    char digits[20];
    struct out o = out_on(digits, sizeof digits);
    out_u64(&o, value);
    listing_put(page, out_str(&o));
}

/* What a page takes while it is sent is not more than it needs. */
static void trim(struct listing_page *page)
{
    char *text = page->n ? realloc(page->text, page->n) : NULL;
    if (text)
        page->text = text;
}

int listing_page_make(const struct listing_format *format, const struct listing_job *job, struct str name,
                      struct str *text)
{
    struct listing_page page = {.job = job, .name = name};
    format->render(&page);
    if (page.error) {
        free(page.text);
        return page.error;
    }
    trim(&page);
    *text = (struct str){page.text, page.n};
    return 0;
}

struct str listing_href(char to[static LISTING_HREF_SIZE], const struct listing_entry *entry)
{
    struct out o = out_on(to, LISTING_HREF_SIZE);
    out_text(&o, "./");
    http_uri_encode(&o, entry->name);
    if (entry->directory)
        out_char(&o, '/');
    return out_str(&o);
}

static int64_t clamp(int64_t seconds)
{
    const int64_t first = -62167219200, last = 253402300799; /* of the years 0 to 9999 */
    if (seconds < first)
        return first;
    return seconds > last ? last : seconds;
}

void listing_time(char to[static LISTING_TIME_SIZE], int64_t seconds)
{
    static const char separators[] = "--T::Z";
    time_t time = clamp(seconds);
    struct tm tm;
    gmtime_r(&time, &tm);
    const int parts[] = {tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec};
    struct out o = out_on(to, LISTING_TIME_SIZE);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        out_digits(&o, (unsigned)parts[i], i ? 2 : 4);
        out_char(&o, separators[i]);
    }
}
