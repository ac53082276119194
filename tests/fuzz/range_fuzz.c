/* range_fuzz.c: a size, then the value of a Range field, or a list with weights: every promise of http/range.h and
 * http/quality.h holds. */
#include <stdlib.h>

#include "http/quality.h"
#include "http/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void require(bool promise)
{
    if (!promise)
        abort();
}

static bool apart(struct http_range a, struct http_range b)
{
    return a.at + a.n < b.at || b.at + b.n < a.at;
}

static void check_ranges(const struct http_ranges *ranges, uint64_t size)
{
    uint64_t sum = 0;
    require(ranges->count > 0 && ranges->count <= HTTP_RANGES_MAX);
    for (size_t i = 0; i < ranges->count; i++) {
        struct http_range range = ranges->v[i];
        require(range.n > 0 && range.at < size && range.n <= size - range.at);
        sum += range.n;
        for (size_t j = 0; j < i; j++)
            require(apart(range, ranges->v[j]));
    }
    require(sum <= size);
}

/* Asked for once more, as they are, the ranges stay what they are, and in their order. */
static void check_order(const struct http_ranges *ranges, uint64_t size)
{
    char text[64 * HTTP_RANGES_MAX];
    struct http_ranges again;
    struct out o = out_on(text, sizeof text);
    out_text(&o, "bytes=");
    for (size_t i = 0; i < ranges->count; i++) {
        out_u64(&o, ranges->v[i].at);
        out_char(&o, '-');
        out_u64(&o, ranges->v[i].at + ranges->v[i].n - 1);
        out_char(&o, ',');
    }
    require(!o.full && http_range_parse(out_str(&o), size, &again) == 206 && again.count == ranges->count);
    for (size_t i = 0; i < ranges->count; i++)
        require(again.v[i].at == ranges->v[i].at && again.v[i].n == ranges->v[i].n);
}

static void check_length(const struct http_ranges *ranges, uint64_t size)
{
    struct http_multipart m = {.ranges = ranges, .type = STR("text/html"), .size = size, .boundary = size * 31};
    char text[HTTP_PART_HEAD_SIZE * (HTTP_RANGES_MAX + 1)];
    struct out o = out_on(text, sizeof text);
    uint64_t content = 0;
    for (size_t i = 0; i < ranges->count; i++) {
        http_part_head(&o, &m, i);
        content += ranges->v[i].n;
    }
    http_parts_end(&o, &m);
    require(!o.full && http_multipart_length(&m) == out_len(&o) + content);
}

static void check_weights(struct str list)
{
    static const struct str codings[] = {STR_INIT("gzip"), STR_INIT("identity")};
    struct http_field fields[] = {{STR("Accept-Encoding"), list}, {STR("Accept"), list}};
    struct http_request request = {.fields = fields, .field_count = sizeof fields / sizeof *fields};
    const char *at = list.p, *end = list.p + list.n;
    unsigned best = 0, weights[2];
    struct http_weighted element;
    while (http_weighted_next(&list, &element)) {
        require(element.quality <= HTTP_QUALITY_MAX);
        if (!element.value.n)
            continue;
        require(element.value.p >= at && element.value.p + element.value.n <= end);
        at = element.value.p + element.value.n;
        best = element.quality > best ? element.quality : best;
    }
    require(list.n == 0);
    http_qualities(&request, STR("Accept-Encoding"), codings, 2, weights);
    require(weights[0] <= best && weights[1] <= (best ? best : 1));
    require(http_quality_of_type(&request, STR("text/html")) <= best);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    uint64_t size;
    struct http_ranges ranges;
    if (n < sizeof size)
        return 0;
    memcpy(&size, bytes, sizeof size);
    size &= INT64_MAX;
    struct str value = {(const char *)bytes + sizeof size, n - sizeof size};
    int status = http_range_parse(value, size, &ranges);
    require(status == 200 || status == 206 || status == 416);
    if (status == 206) {
        check_ranges(&ranges, size);
        check_order(&ranges, size);
        check_length(&ranges, size);
    }
    check_weights(value);
    return 0;
}
