/* listing_page.c: see listing_page.h. */
#include "handler/listing_page.h"

#include <errno.h>
#include <time.h>

#include "conf/utf8.h"

enum { PIECE_SIZE = 16 * 1024 };

const struct str listing_keys[] = {
    [LISTING_NAME] = STR_INIT("name"),
    [LISTING_SIZE] = STR_INIT("size"),
    [LISTING_TIME] = STR_INIT("time"),
};

int listing_page_init(struct listing_page *page, struct exchange *x, const struct listing_job *job,
                      const struct listing_format *format)
{
    char *piece = arena_alloc(&x->arena, PIECE_SIZE);
    *page = (struct listing_page){.x = x, .job = job, .fields = format->fields};
    page->out = out_on(piece, piece ? PIECE_SIZE : 0);
    return piece ? 0 : -ENOMEM;
}

bool listing_over(const struct listing_page *page)
{
    return page->error || (page->begun && page->x->response.no_content);
}

static void flush(struct listing_page *page)
{
    if (!page->begun)
        page->error = http_head(page->x, 200, page->fields, HTTP_LENGTH_UNKNOWN);
    page->begun = true;
    if (!page->error)
        page->error = http_content(page->x, out_str(&page->out));
    page->out.at = page->out.start;
}

void listing_put(struct listing_page *page, struct str s)
{
    while (s.n && !listing_over(page)) {
        size_t room = out_room(&page->out);
        size_t n = s.n < room ? s.n : room;
        out_bytes(&page->out, s.p, n);
        s = str_skip(s, n);
        if (s.n)
            flush(page);
    }
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

int listing_page_end(struct listing_page *page)
{
    if (!page->begun)
        return http_send(page->x, 200, page->fields, out_str(&page->out));
    if (!listing_over(page))
        flush(page);
    return page->error ? page->error : http_end(page->x);
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
