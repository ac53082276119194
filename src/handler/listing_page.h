/* listing_page.h: the text of a listing: what its renderers read, and where they write.
 *
 * A page is written into memory that grows, on a thread of the pool: none of this touches the green layer, or anything
 * but the page itself. Errors are kept: after the first one nothing more is written, so a renderer may go on without
 * looking, and asks listing_page_failed() only before it does much.
 */
#ifndef TERN_HANDLER_LISTING_PAGE_H
#define TERN_HANDLER_LISTING_PAGE_H

#include "base/out.h"
#include "handler/listing_job.h"

enum {
    LISTING_PAGE_MAX = 32 << 20,      /* bytes; LISTING_MAX names of 255 bytes fit, whatever they are made of */
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
    const struct listing_job *job;
    struct str name; /* of the directory: the path of the request, in which the job's path ends */
    char *text;      /* allocated; what is written so far */
    size_t n, room;
    int error; /* the first one */
};

/* Writes what a job found as a page of this format. *text is the caller's, who frees text->p. 0, or -ENOMEM: there is
 * none, or it would be more than LISTING_PAGE_MAX. */
int listing_page_make(const struct listing_format *format, const struct listing_job *job, struct str name,
                      struct str *text) __attribute__((warn_unused_result));

void listing_put(struct listing_page *page, struct str s);

#define listing_put_text(page, literal) listing_put(page, STR(literal))

/* What is to be written in the place of a character, made in `room` if need be; "" when it can be written as it is. A
 * negative code stands for a byte that is part of no character. */
typedef struct str listing_escape(int32_t code, char room[static LISTING_ESCAPE_SIZE]);

/* Text that should be UTF-8, escaped. */
void listing_put_escaped(struct listing_page *page, struct str text, listing_escape *escape);

void listing_put_u64(struct listing_page *page, uint64_t value);

static inline bool listing_page_failed(const struct listing_page *page)
{
    return page->error != 0;
}

/* ---- what the formats have in common ---- */

/* The reference that leads from the listing to an entry. It starts with "./": nothing in a name can make it a URL of
 * its own. What is not a pchar (RFC 3986, 3.3) is written as %XX, byte by byte. */
struct str listing_href(char to[static LISTING_HREF_SIZE], const struct listing_entry *entry);

/* A time as RFC 3339 has it, without a NUL; as for http_date_write(), the year has four digits. */
void listing_time(char to[static LISTING_TIME_SIZE], int64_t seconds);

#endif
