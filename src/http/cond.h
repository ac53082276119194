/* cond.h: conditional requests (RFC 9110, 13): a client asks for something on condition of what it knows already.
 *
 * What it knows is one of the validators that it once got: the entity tag, or the time of the last modification. A
 * condition that cannot be read is passed over where the RFC says so (dates), and otherwise does not hold (tags).
 */
#ifndef TERN_HTTP_COND_H
#define TERN_HTTP_COND_H

#include "http/exchange.h"

#define HTTP_MODIFIED_UNKNOWN INT64_MIN

/* By what the versions of a representation are told apart (8.8). */
struct http_validators {
    struct str etag;  /* in its quotes, behind W/ if it is a weak one; empty: there is none */
    int64_t modified; /* seconds since 1970, as in Last-Modified; or HTTP_MODIFIED_UNKNOWN */
};

/* Decides by the preconditions of a request, in the order of 13.2.2: If-Match, or else If-Unmodified-Since; then
 * If-None-Match, or else If-Modified-Since. For a representation that would be sent, or changed, with success if there
 * were none (13.2.1); `now` in seconds since 1970. 0: go on; 304 or 412: answer that. */
int http_precondition(const struct http_request *request, const struct http_validators *validators, int64_t now)
    __attribute__((warn_unused_result));

/* Whether If-Range (13.1.5) lets a Range field count; so it does when there is none. The same tag, and a strong one; or
 * exactly the time of the last modification, if that lies a second back at least: within its second there may have
 * been two versions (8.8.2.2). */
bool http_if_range(const struct http_request *request, const struct http_validators *validators, int64_t now);

#endif
