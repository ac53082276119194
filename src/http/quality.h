/* quality.h: what a request prefers (RFC 9110, 12.4 and 12.5): the weights of content codings and media types.
 *
 * A weight is a number of thousandths: 1000 is liked best, 1 least, and what has 0 is not to be sent. All field lines
 * of a name are one list. An element whose weight is malformed is as good as absent, and so is everything behind the
 * first hundred; where several elements fit equally well, the highest weight counts.
 */
#ifndef TERN_HTTP_QUALITY_H
#define TERN_HTTP_QUALITY_H

#include "http/exchange.h"

enum {
    HTTP_QUALITY_MAX = 1000,
    HTTP_WEIGHTED_MAX = 100, /* elements of a field that are looked at, empty and malformed ones included */
};

struct http_weighted {
    struct str value; /* without its parameters; empty: the element is, or its weight is malformed */
    unsigned quality;
};

/* Takes the next element off a list of values with weights. False: there is none. */
bool http_weighted_next(struct str *list, struct http_weighted *element);

/* The weights of several content codings in a field like Accept-Encoding (12.5.3), in one pass: of each its own, under
 * any of its names ("x-gzip" is "gzip", 8.4.1), else that of "*". "identity" stays acceptable with weight 1 unless one
 * of these says otherwise. A request without the field gets "identity" only: it may be sent anything, but who can
 * decode says so. */
void http_qualities(const struct http_request *request, struct str field, const struct str *codings, size_t count,
                    unsigned *weights);

/* The weight of a media type in Accept (12.5.1): that of the most specific range that has it, be it the type itself,
 * all of its subtypes, or everything. Parameters other than q are ignored, in the ranges and in `type`. A request
 * without the field accepts everything. */
unsigned http_quality_of_type(const struct http_request *request, struct str type);

#endif
