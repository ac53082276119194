/* error_page.h: `errors`: pages of a site's own for responses that say what went wrong.
 *
 *     errors: {404: /404.html, 5xx: /sorry.html}
 *
 * A page is a path of the same site. Whatever handler is routed there makes it, as the answer to a plain GET (or HEAD)
 * without any of the peer's fields, so that it comes whole, and without asking the policies of its own route: who is
 * refused may see the page that says so. Its status and the fields that explain it (Allow, Retry-After ...) stay those
 * of the failure; of the page's own, only those that describe its content go out. When the page fails too, the peer
 * gets the line of text it would have got without it.
 */
#ifndef TERN_HTTP_ERROR_PAGE_H
#define TERN_HTTP_ERROR_PAGE_H

#include "conf/schema.h"
#include "http/exchange.h"

enum { HTTP_ERROR_FIRST = 400, HTTP_ERROR_LAST = 599 };

/* By status - HTTP_ERROR_FIRST; p is NULL: none. */
struct http_error_pages {
    struct str path[HTTP_ERROR_LAST - HTTP_ERROR_FIRST + 1];
};

/* What a page is being made for. */
struct http_failure {
    int status;
    struct str fields;
};

/* What `errors` maps a status to. */
extern const struct conf_key http_error_entry;

/* Reads the value of `errors` into a struct http_error_pages * (a CONF_CUSTOM key). */
int http_errors_read(struct conf_reader *r, struct conf_node *node, void *pages) __attribute__((warn_unused_result));

/* Once the routes of the site are there: whether each page has one. */
int http_errors_check(struct conf_reader *r, struct conf_node *node, const struct http_site *site)
    __attribute__((warn_unused_result));

/* The page of the exchange's site for a status; p is NULL: it has none, or one is being made already. */
struct str http_error_page(const struct exchange *x, int status);

/* Answers with a page. */
int http_send_error_page(struct exchange *x, int status, struct str fields, struct str page) GREEN_WAITS;

/* Makes a page's head one of the failure that it is for. 0 or -ENOMEM. */
int http_failure_head(struct exchange *x, struct http_head *head) __attribute__((warn_unused_result));

#endif
