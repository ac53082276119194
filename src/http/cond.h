/* cond.h: conditional requests (RFC 9110, 13): what a cache already has need not be sent again. */
#ifndef TERN_HTTP_COND_H
#define TERN_HTTP_COND_H

#include "http/exchange.h"

/* Whether a GET or HEAD of a representation with this entity tag (in its quotes) and time of modification (seconds
 * since 1970) is answered with 304. If-None-Match, where present, overrules If-Modified-Since (13.2.2). */
bool http_not_modified(const struct http_request *request, struct str etag, int64_t modified);

#endif
