/* slow.h: requests that took longer than `slow`: counted, and told to the error log, with where their time went. */
#ifndef TERN_HTTP_SLOW_H
#define TERN_HTTP_SLOW_H

#include "http/route.h"

struct access_times;

#define HTTP_SLOW_OFF (-1)

/* What `slow` may be beside a mapping's other keys, and what reads it, into an nsec: a duration, or HTTP_SLOW_OFF. */
extern const struct conf_key http_slow_key;
int http_slow_read(struct conf_reader *r, struct conf_node *node, void *field) __attribute__((warn_unused_result));

/* What holds for routes that do not say so themselves. */
void http_slow_default(struct http_sites *sites, nsec slow);

/* Remembers the moment, if the request may turn out to be slow. */
static inline void http_slow_mark(const struct exchange *x, nsec *moment)
{
    if (x->route && x->route->slow > 0 && green_accounts)
        *moment = green_spent().at;
}

/* A request that met this route, and was slow, has ended, at `end`: a line about it at the level warn. Of those beyond
 * some a second only the number is told, by the next line. */
void http_slow_tell(const struct exchange *x, const struct http_route *route, const struct access_times *times,
                    nsec end);

#endif
