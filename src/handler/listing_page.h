/* listing_page.h: a listing on its way: what its renderers read, and where they write.
 *
 * A page is written piece by piece into one buffer. As long as all of it fits, nothing is sent, so that most listings
 * have a length; a larger one is streamed. Errors are kept: after the first one nothing more is sent, so a renderer may
 * go on without looking, and asks listing_over() only before it does much.
 */
#ifndef TERN_HANDLER_LISTING_PAGE_H
#define TERN_HANDLER_LISTING_PAGE_H

#include "base/out.h"
#include "handler/listing_job.h"
#include "http/exchange.h"

enum {
    LISTING_HREF_SIZE = 3 * 1024 + 3, /* "./", a name of the longest kind there is (FUSE), all of it as %XX, and "/" */
    LISTING_ESCAPE_SIZE = 8,
    LISTING_TIME_SIZE = 20, /* "2024-02-29T23:59:59Z" */
};

struct listing_page;

/* A form that a listing can take. */
struct listing_format {
    struct str type;   /* its media type */
    struct str fields; /* its header fields */
    void (*render)(struct listing_page *page);
};

extern const struct listing_format listing_html, listing_json;

/* What stands for bytes that are no text: U+FFFD. */
#define LISTING_NO_TEXT "\xef\xbf\xbd"

/* Of every format. */
#define LISTING_FIELDS "Vary: Accept\r\nCache-Control: no-cache\r\nX-Content-Type-Options: nosniff\r\n"

/* As they stand in a query, by enum listing_key. */
extern const struct str listing_keys[3];

struct listing_page {
    struct exchange *x;
    const struct listing_job *job;
    struct str fields;
    struct out out; /* what has not been sent */
    bool begun;     /* the head has been sent */
    int error;      /* the first one */
};

/* Starts a page in this format. 0 or -ENOMEM. */
int listing_page_init(struct listing_page *page, struct exchange *x, const struct listing_job *job,
                      const struct listing_format *format) __attribute__((warn_unused_result));

void listing_put(struct listing_page *page, struct str s);

#define listing_put_text(page, literal) listing_put(page, STR(literal))

/* What is to be written in the place of a character, made in `room` if need be; "" when it can be written as it is. A
 * negative code stands for a byte that is part of no character. */
typedef struct str listing_escape(int32_t code, char room[static LISTING_ESCAPE_SIZE]);

/* Text that should be UTF-8, escaped. */
void listing_put_escaped(struct listing_page *page, struct str text, listing_escape *escape);

void listing_put_u64(struct listing_page *page, uint64_t value);

/* Whether nothing more is wanted: after an error, or where there is a head only. */
bool listing_over(const struct listing_page *page);

/* Sends what there still is, and ends the response. 0 or -errno. */
int listing_page_end(struct listing_page *page) GREEN_WAITS;

/* ---- what the formats have in common ---- */

/* The reference that leads from the listing to an entry. It starts with "./": nothing in a name can make it a URL of
 * its own. What is not a pchar (RFC 3986, 3.3) is written as %XX, byte by byte. */
struct str listing_href(char to[static LISTING_HREF_SIZE], const struct listing_entry *entry);

/* A time as RFC 3339 has it, without a NUL; as for http_date_write(), the year has four digits. */
void listing_time(char to[static LISTING_TIME_SIZE], int64_t seconds);

#endif
