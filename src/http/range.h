/* range.h: parts of a representation (RFC 9110, 14): what a Range field asks for, and the words of the answer.
 *
 * Ranges that overlap or touch are made one, which stands where the first of them was asked for; for the rest the order
 * is the client's. So the ranges of an answer never add up to more than the representation.
 *
 * One range is sent as the content itself, with Content-Range among the fields of the head. Several are the parts of a
 * multipart/byteranges:
 *
 *     http_part_head(0)   bytes of ranges.v[0]   http_part_head(1)   bytes of ranges.v[1] ...   http_parts_end()
 */
#ifndef TERN_HTTP_RANGE_H
#define TERN_HTTP_RANGE_H

#include "base/out.h"
#include "http/cond.h"

enum {
    HTTP_RANGES_MAX = 16,          /* who wants more than that gets everything */
    HTTP_CONTENT_RANGE_SIZE = 88,  /* room for a Content-Range field */
    HTTP_MULTIPART_TYPE_SIZE = 64, /* room for the Content-Type field of a multipart */
    HTTP_PART_HEAD_SIZE = 128,     /* room for the head of a part, beside its type, or for the end */
};

struct http_range {
    uint64_t at, n; /* offset of the first byte; bytes, at least one */
};

struct http_ranges {
    struct http_range v[HTTP_RANGES_MAX];
    size_t count;
};

/* What a request is to get of a representation of `size` bytes (INT64_MAX at most), as a status. 200: all of it;
 * 206: *ranges; 416: nothing, since no range reaches into it. Only a GET has a Range (14.2), and only one; If-Range is
 * looked at too. `now` in seconds since 1970. Preconditions come first (http_precondition). */
int http_range_select(const struct http_request *request, const struct http_validators *validators, int64_t now,
                      uint64_t size, struct http_ranges *ranges);

/* The same for the value of a Range field. What is malformed, or of another unit than bytes, is ignored: 200. So is the
 * end of an empty representation, which is satisfiable (14.1.2), but not as a Content-Range. */
int http_range_parse(struct str value, uint64_t size, struct http_ranges *ranges);

/* Writes a Content-Range field (14.4), with CRLF: of this range; or, if that is NULL, the one of a 416. */
void http_content_range(struct out *o, const struct http_range *range, uint64_t size);

/* ---- multipart/byteranges (14.6) ---- */

struct http_multipart {
    const struct http_ranges *ranges;
    struct str type;   /* media type of the representation */
    uint64_t size;     /* of the representation */
    uint64_t boundary; /* a number that its content cannot foresee */
};

/* Draws the boundary. 0, or what getrandom() failed with. */
int http_multipart_init(struct http_multipart *m, const struct http_ranges *ranges, struct str type, uint64_t size)
    __attribute__((warn_unused_result));

/* Writes the Content-Type field of the response, with CRLF. */
void http_multipart_type(struct out *o, const struct http_multipart *m);

/* Writes what stands before the bytes of the i-th range; and what stands behind the last. */
void http_part_head(struct out *o, const struct http_multipart *m, size_t i);
void http_parts_end(struct out *o, const struct http_multipart *m);

/* The bytes of all parts, their heads and the end: the response's Content-Length. */
uint64_t http_multipart_length(const struct http_multipart *m);

#endif
