/* range.c: see range.h. */
#include "http/range.h"

#include <errno.h>
#include <sys/random.h>

enum { EMPTY_ELEMENTS_MAX = 16 }; /* that a list may have (5.6.1.2) */

/* ---- what is asked for ---- */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Digits; a number that is too large for any representation is as good as the largest one. */
static bool read_number(struct str digits, uint64_t *number)
{
    int error = str_to_u64(digits, number);
    if (error == -ERANGE)
        *number = UINT64_MAX;
    return !error || error == -ERANGE;
}

/* "first-last" or "first-". */
static int read_interval(struct str first, struct str last, uint64_t size, struct http_range *range)
{
    uint64_t from, to = UINT64_MAX;
    if (!read_number(first, &from) || (last.n && !read_number(last, &to)) || to < from)
        return -EBADMSG;
    if (from >= size)
        return 0;
    *range = (struct http_range){from, least(to, size - 1) - from + 1};
    return 1;
}

/* "-length" */
static int read_suffix(struct str length, uint64_t size, struct http_range *range)
{
    uint64_t n;
    if (!read_number(length, &n))
        return -EBADMSG;
    *range = (struct http_range){size - least(n, size), least(n, size)};
    return n > 0;
}

/* A range-spec (14.1.1). 1: it is satisfiable (14.1.2); 0: it is not; -EBADMSG: it is malformed. */
static int read_range(struct str spec, uint64_t size, struct http_range *range)
{
    size_t dash = str_find(spec, '-');
    struct str first = {spec.p, dash}, last = str_skip(spec, dash + 1);
    if (dash == spec.n)
        return -EBADMSG;
    return first.n ? read_interval(first, last, size, range) : read_suffix(last, size, range);
}

/* Whether the two overlap, or nothing lies between them. */
static bool touch(struct http_range a, struct http_range b)
{
    return a.at <= b.at + b.n && b.at <= a.at + a.n;
}

static struct http_range joined(struct http_range a, struct http_range b)
{
    uint64_t a_end = a.at + a.n, b_end = b.at + b.n;
    uint64_t at = least(a.at, b.at);
    return (struct http_range){at, (a_end > b_end ? a_end : b_end) - at};
}

/* Adds a range, and joins it with all that it touches; none of those touch each other. False: there is no room. */
static bool add(struct http_ranges *ranges, struct http_range range)
{
    size_t count = 0, place = HTTP_RANGES_MAX;
    for (size_t i = 0; i < ranges->count; i++) {
        bool joins = touch(ranges->v[i], range);
        if (joins)
            range = joined(ranges->v[i], range);
        if (joins && place == HTTP_RANGES_MAX)
            place = count++;
        else if (!joins)
            ranges->v[count++] = ranges->v[i];
    }
    if (place == HTTP_RANGES_MAX)
        place = count++;
    if (place == HTTP_RANGES_MAX)
        return false;
    ranges->v[place] = range;
    ranges->count = count;
    return true;
}

int http_range_parse(struct str value, uint64_t size, struct http_ranges *ranges)
{
    struct str unit = str_cut(&value, '=');
    size_t specs = 0, empty = 0;
    ranges->count = 0;
    if (!str_eq_nocase(unit, STR("bytes")))
        return 200;
    while (value.n) {
        struct str spec = str_trim(str_cut(&value, ','));
        if (spec.n == 0 && ++empty <= EMPTY_ELEMENTS_MAX)
            continue;
        struct http_range range;
        int satisfiable = read_range(spec, size, &range);
        if (satisfiable < 0 || (satisfiable && (range.n == 0 || !add(ranges, range))))
            return 200;
        specs++;
    }
    if (specs == 0)
        return 200;
    return ranges->count ? 206 : 416;
}

static bool is_range(struct str name)
{
    return name.n == 5 && char_lower(name.p[0]) == 'r' && str_eq_nocase(name, STR("Range"));
}

/* The Range field of a request; NULL when there is none, or more than one. */
static const struct http_field *only_range(const struct http_request *request)
{
    const struct http_field *found = NULL;
    for (size_t i = 0; i < request->field_count; i++) {
        if (!is_range(request->fields[i].name))
            continue;
        if (found)
            return NULL;
        found = &request->fields[i];
    }
    return found;
}

int http_range_select(const struct http_request *request, const struct http_validators *validators, int64_t now,
                      uint64_t size, struct http_ranges *ranges)
{
    const struct http_field *field = request->method == METHOD_GET ? only_range(request) : NULL;
    if (!field || !http_if_range(request, validators, now))
        return 200;
    return http_range_parse(field->value, size, ranges);
}

/* ---- what is answered ---- */

void http_content_range(struct out *o, const struct http_range *range, uint64_t size)
{
    out_text(o, "Content-Range: bytes ");
    if (range) {
        out_u64(o, range->at);
        out_char(o, '-');
        out_u64(o, range->at + range->n - 1);
    } else {
        out_char(o, '*');
    }
    out_char(o, '/');
    out_u64(o, size);
    out_text(o, "\r\n");
}

int http_multipart_init(struct http_multipart *m, const struct http_ranges *ranges, struct str type, uint64_t size)
{
    *m = (struct http_multipart){.ranges = ranges, .type = type, .size = size};
    return getrandom(&m->boundary, sizeof m->boundary, 0) == sizeof m->boundary ? 0 : -errno;
}

void http_multipart_type(struct out *o, const struct http_multipart *m)
{
    out_text(o, "Content-Type: multipart/byteranges; boundary=");
    out_hex(o, m->boundary);
    out_text(o, "\r\n");
}

/* The line break before a delimiter is the delimiter's own (RFC 2046, 5.1.1); the first needs none. */
void http_part_head(struct out *o, const struct http_multipart *m, size_t i)
{
    if (i > 0)
        out_text(o, "\r\n");
    out_text(o, "--");
    out_hex(o, m->boundary);
    out_text(o, "\r\nContent-Type: ");
    out_put(o, m->type);
    out_text(o, "\r\n");
    http_content_range(o, &m->ranges->v[i], m->size);
    out_text(o, "\r\n");
}

void http_parts_end(struct out *o, const struct http_multipart *m)
{
    out_text(o, "\r\n--");
    out_hex(o, m->boundary);
    out_text(o, "--\r\n");
}

/* All that surrounds the ranges is written once to be measured, but for the type, which may be of any length. */
uint64_t http_multipart_length(const struct http_multipart *m)
{
    char scratch[HTTP_PART_HEAD_SIZE];
    struct http_multipart untyped = *m;
    struct out o = out_on(scratch, sizeof scratch);
    untyped.type = STR("");
    http_parts_end(&o, m);
    uint64_t length = out_len(&o);
    for (size_t i = 0; i < m->ranges->count; i++) {
        o = out_on(scratch, sizeof scratch);
        http_part_head(&o, &untyped, i);
        length += out_len(&o) + m->type.n + m->ranges->v[i].n;
    }
    return length;
}
