/* range_test.c: which ranges are ignored, which are not there, and what the others become. */
#include "http/range.h"

#include <criterion/criterion.h>

#define COUNT(table) (sizeof(table) / sizeof *(table))

#define NOW 1700000000
#define SIZE 100
#define ETAG "\"abc\""

static const struct http_validators current = {STR_INIT(ETAG), 784111777}; /* Sun, 06 Nov 1994 08:49:37 GMT */

static int parse(const char *value, uint64_t size, struct http_ranges *ranges)
{
    return http_range_parse(str_of(value), size, ranges);
}

/* The ranges as "at+n at+n", or the status when there are none. */
static const char *parsed(const char *value, uint64_t size)
{
    static char text[1024];
    struct http_ranges ranges;
    int status = parse(value, size, &ranges);
    struct out o = out_on(text, sizeof text - 1);
    if (status != 206)
        out_u64(&o, (uint64_t)status);
    for (size_t i = 0; status == 206 && i < ranges.count; i++) {
        if (i > 0)
            out_char(&o, ' ');
        out_u64(&o, ranges.v[i].at);
        out_char(&o, '+');
        out_u64(&o, ranges.v[i].n);
    }
    *o.at = '\0';
    return text;
}

/* RFC 9110, 14.1.1 and 14.2 */
static const char *const ignored[] = {
    "",
    "bytes",
    "bytes=",
    "bytes=,",
    "bytes= , ,",
    "bytes=-",
    "bytes=--1",
    "bytes=5",
    "bytes=*",
    "bytes=a-b",
    "bytes=0-b",
    "bytes=a-1",
    "bytes=-b",
    "bytes=5-4",
    "bytes=1-0",
    "bytes=200-150",
    "bytes=99999999999999999999-0",
    "bytes=+0-1",
    "bytes=0-+1",
    "bytes=0x0-1",
    "bytes=0-1-2",
    "bytes=0--1",
    "bytes=0 -1",
    "bytes=0- 1",
    "bytes=- 1",
    "bytes=0-1;2-3",
    "bytes=0-1 2-3",
    "bytes=0-1/100",
    "bytes=0-1.5",
    "bytes=0-1,x",
    "bytes=x,0-1",
    "bytes=0-1,5-4",
    "bytes=0-1,,5",
    "bytes=200-,5-4",
    "bytes=\"0-1\"",
    "bytes==0-1",
    "bytes:0-1",
    "bytes 0-1",
    "bytes =0-1",
    " bytes=0-1",
    "byte=0-1",
    "bytess=0-1",
    "items=0-1",
    "seconds=0-1",
    "none=0-1",
    "=0-1",
    "0-1",
};

Test(range, ignored)
{
    for (size_t i = 0; i < COUNT(ignored); i++) {
        cr_expect_str_eq(parsed(ignored[i], SIZE), "200", "%s", ignored[i]);
        cr_expect_str_eq(parsed(ignored[i], 0), "200", "%s", ignored[i]);
    }
    struct http_ranges ranges;
    cr_expect_eq(http_range_parse(STR("bytes=0-1\0"), SIZE, &ranges), 200);
}

/* 15.5.17 */
static const char *const unsatisfiable[] = {
    "bytes=100-",
    "bytes=100-100",
    "bytes=100-200",
    "bytes=-0",
    "bytes=-000",
    "bytes=200-300,400-,-0",
    "bytes=18446744073709551615-",
    "bytes=18446744073709551616-",
    "bytes=99999999999999999999999999999999-99999999999999999999999999999999",
};

Test(range, unsatisfiable)
{
    for (size_t i = 0; i < COUNT(unsatisfiable); i++)
        cr_expect_str_eq(parsed(unsatisfiable[i], SIZE), "416", "%s", unsatisfiable[i]);
}

/* The end of an empty representation is satisfiable, but is none that Content-Range could tell. */
Test(range, of_an_empty_representation)
{
    cr_expect_str_eq(parsed("bytes=0-", 0), "416");
    cr_expect_str_eq(parsed("bytes=0-0", 0), "416");
    cr_expect_str_eq(parsed("bytes=-0", 0), "416");
    cr_expect_str_eq(parsed("bytes=0-,1-", 0), "416");
    cr_expect_str_eq(parsed("bytes=-1", 0), "200");
    cr_expect_str_eq(parsed("bytes=0-0,-99999999999999999999", 0), "200");
}

struct row {
    const char *value, *ranges;
};

static const struct row single[] = {
    {"bytes=0-0", "0+1"},
    {"bytes=0-", "0+100"},
    {"bytes=0-99", "0+100"},
    {"bytes=0-100", "0+100"},
    {"bytes=0-18446744073709551615", "0+100"},
    {"bytes=0-99999999999999999999999999", "0+100"},
    {"bytes=00000000000000000000000000001-000000000000000000000000000002", "1+2"},
    {"bytes=99-", "99+1"},
    {"bytes=98-98", "98+1"},
    {"bytes=-1", "99+1"},
    {"bytes=-99", "1+99"},
    {"bytes=-100", "0+100"},
    {"bytes=-101", "0+100"},
    {"bytes=-99999999999999999999999999", "0+100"},
    {"BYTES=1-2", "1+2"},
    {"Bytes=1-2", "1+2"},
    {"bytes=,1-2", "1+2"},
    {"bytes=1-2,", "1+2"},
    {"bytes=, ,\t1-2 , ,", "1+2"},
    {"bytes=100-,1-2,-0", "1+2"},
};

Test(range, one)
{
    for (size_t i = 0; i < COUNT(single); i++)
        cr_expect_str_eq(parsed(single[i].value, SIZE), single[i].ranges, "%s", single[i].value);
    cr_expect_str_eq(parsed("bytes=-1", 1), "0+1");
    cr_expect_str_eq(parsed("bytes=9223372036854775806-", INT64_MAX), "9223372036854775806+1");
    cr_expect_str_eq(parsed("bytes=1-", INT64_MAX), "1+9223372036854775806");
}

static const struct row several[] = {
    {"bytes=0-0,2-2", "0+1 2+1"},
    {"bytes=0-0,-1", "0+1 99+1"},
    {"bytes=-1,0-0", "99+1 0+1"},
    {"bytes=50-59,0-9,80-89", "50+10 0+10 80+10"},
    {"bytes=0-9,200-300,20-29", "0+10 20+10"},
    {"bytes=0-9,10-19", "0+20"},
    {"bytes=10-19,0-9", "0+20"},
    {"bytes=0-9,0-9", "0+10"},
    {"bytes=0-9,5-14", "0+15"},
    {"bytes=5-14,0-9", "0+15"},
    {"bytes=0-99,40-50", "0+100"},
    {"bytes=40-50,0-99", "0+100"},
    {"bytes=0-,-1", "0+100"},
    {"bytes=0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-", "0+100"},
    {"bytes=60-69,0-9,50-59,20-29", "50+20 0+10 20+10"},
    {"bytes=60-69,0-9,20-29,10-19", "60+10 0+30"},
    {"bytes=0-9,60-69,20-29,10-59,90-", "0+70 90+10"},
    {"bytes=90-91,70-71,0-1,60-89", "60+32 0+2"},
    {"bytes=0-0,2-2,4-4,1-3", "0+5"},
    {"bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,30-30",
     "0+1 2+1 4+1 6+1 8+1 10+1 12+1 14+1 16+1 18+1 20+1 22+1 24+1 26+1 28+1 30+1"},
    {"bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,30-30,31-31,1-1",
     "0+3 4+1 6+1 8+1 10+1 12+1 14+1 16+1 18+1 20+1 22+1 24+1 26+1 28+1 30+2"},
};

Test(range, several)
{
    for (size_t i = 0; i < COUNT(several); i++)
        cr_expect_str_eq(parsed(several[i].value, SIZE), several[i].ranges, "%s", several[i].value);
}

Test(range, too_many)
{
    cr_expect_str_eq(parsed("bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,"
                            "30-30,32-32",
                            SIZE),
                     "200");
    cr_expect_str_eq(parsed("bytes=,,,,,,,,,,,,,,,,1-2", SIZE), "1+2", "16 empty elements");
    cr_expect_str_eq(parsed("bytes=,,,,,,,,,,,,,,,,,1-2", SIZE), "200", "17 of them");
}

/* ---- the request ---- */

static int selected(enum method method, struct http_field *fields, size_t count)
{
    struct http_ranges ranges;
    struct http_request request = {.method = method, .fields = fields, .field_count = count};
    return http_range_select(&request, &current, NOW, SIZE, &ranges);
}

/* 14.2 */
Test(range, methods_without_ranges)
{
    struct http_field fields[] = {{STR("Range"), STR("bytes=0-1")}};
    cr_expect_eq(selected(METHOD_HEAD, fields, 1), 200);
    cr_expect_eq(selected(METHOD_POST, fields, 1), 200);
    cr_expect_eq(selected(METHOD_GET, fields, 1), 206);
}

Test(range, fields)
{
    struct http_field host = {STR("Host"), STR("bytes=0-1")}, range = {STR("range"), STR("bytes=0-1")};
    struct http_field beyond = {STR("RANGE"), STR("bytes=100-")};
    cr_expect_eq(selected(METHOD_GET, NULL, 0), 200);
    cr_expect_eq(selected(METHOD_GET, (struct http_field[]){host}, 1), 200);
    cr_expect_eq(selected(METHOD_GET, (struct http_field[]){{STR("Rango"), range.value}}, 1), 200);
    cr_expect_eq(selected(METHOD_GET, (struct http_field[]){{STR("Ranges"), range.value}}, 1), 200);
    cr_expect_eq(selected(METHOD_GET, (struct http_field[]){{STR("Range"), STR("")}}, 1), 200);
    cr_expect_eq(selected(METHOD_GET, (struct http_field[]){range, host, range}, 3), 200, "there may be one only");
    cr_expect_eq(selected(METHOD_GET, (struct http_field[]){{STR("Range"), {NULL, 0}}, range}, 2), 200);
    cr_expect_eq(selected(METHOD_GET, (struct http_field[]){host, range}, 2), 206);
    cr_expect_eq(selected(METHOD_GET, (struct http_field[]){beyond, host}, 2), 416);
}

/* 13.1.5: a condition that does not hold overrules even what could not be satisfied. */
Test(range, only_if_the_version_is_the_same)
{
    struct http_field range = {STR("Range"), STR("bytes=0-1")}, beyond = {STR("Range"), STR("bytes=100-")};
    struct http_field other = {STR("If-Range"), STR("\"x\"")}, same = {STR("If-Range"), STR(ETAG)};
    struct http_field date = {STR("If-Range"), STR("Sun, 06 Nov 1994 08:49:37 GMT")};
    cr_expect_eq(selected(METHOD_GET, (struct http_field[]){range, other}, 2), 200);
    cr_expect_eq(selected(METHOD_GET, (struct http_field[]){other, beyond}, 2), 200);
    cr_expect_eq(selected(METHOD_GET, (struct http_field[]){same}, 1), 200);
    cr_expect_eq(selected(METHOD_GET, (struct http_field[]){range, same}, 2), 206);
    cr_expect_eq(selected(METHOD_GET, (struct http_field[]){date, range}, 2), 206);
    cr_expect_eq(selected(METHOD_GET, (struct http_field[]){same, beyond}, 2), 416);
}

/* ---- the answer ---- */

static void expect_text(const struct out *o, const char *text)
{
    struct str got = out_str(o);
    cr_expect(!o->full && str_eq(got, str_of(text)), "got " STR_FMT, STR_ARG(got));
}

Test(range, content_range)
{
    char buffer[HTTP_CONTENT_RANGE_SIZE];
    struct out o = out_on(buffer, sizeof buffer);
    http_content_range(&o, NULL, 100);
    expect_text(&o, "Content-Range: bytes */100\r\n");
    o = out_on(buffer, sizeof buffer);
    http_content_range(&o, &(struct http_range){99, 1}, 100);
    expect_text(&o, "Content-Range: bytes 99-99/100\r\n");
    o = out_on(buffer, sizeof buffer);
    http_content_range(&o, &(struct http_range){UINT64_MAX - 1, 1}, UINT64_MAX);
    expect_text(&o, "Content-Range: bytes 18446744073709551614-18446744073709551614/18446744073709551615\r\n");
}

static const struct http_ranges two = {.v = {{95, 5}, {0, 1}}, .count = 2};

Test(range, parts)
{
    struct http_multipart m = {.ranges = &two, .type = STR("text/html"), .size = 100, .boundary = 0xfeed};
    char buffer[1024];
    struct out o = out_on(buffer, sizeof buffer);
    http_multipart_type(&o, &m);
    expect_text(&o, "Content-Type: multipart/byteranges; boundary=feed\r\n");
    o = out_on(buffer, sizeof buffer);
    http_part_head(&o, &m, 0);
    out_text(&o, "fghij");
    http_part_head(&o, &m, 1);
    out_text(&o, "a");
    http_parts_end(&o, &m);
    expect_text(&o, "--feed\r\nContent-Type: text/html\r\nContent-Range: bytes 95-99/100\r\n\r\nfghij"
                    "\r\n--feed\r\nContent-Type: text/html\r\nContent-Range: bytes 0-0/100\r\n\r\na"
                    "\r\n--feed--\r\n");
    cr_expect_eq(http_multipart_length(&m), out_len(&o));
}

/* The largest of numbers fit into the sizes that are promised. */
Test(range, sizes)
{
    struct http_ranges large = {.v = {{0, 1}, {UINT64_MAX - 1, 1}}, .count = 2};
    struct http_multipart m = {.ranges = &large, .size = UINT64_MAX, .boundary = UINT64_MAX};
    char type[HTTP_MULTIPART_TYPE_SIZE], head[HTTP_PART_HEAD_SIZE];
    struct out o = out_on(type, sizeof type);
    http_multipart_type(&o, &m);
    cr_expect_not(o.full);
    o = out_on(head, sizeof head);
    http_part_head(&o, &m, 1);
    cr_expect_not(o.full);
    o = out_on(head, sizeof head);
    http_parts_end(&o, &m);
    cr_expect_not(o.full);
}

Test(range, boundaries_differ)
{
    struct http_multipart a, b;
    cr_assert_eq(http_multipart_init(&a, &two, STR("text/html"), 100), 0);
    cr_assert_eq(http_multipart_init(&b, &two, STR("text/html"), 100), 0);
    cr_expect_neq(a.boundary, b.boundary);
    cr_expect(a.ranges == &two && a.size == 100 && str_eq(a.type, STR("text/html")));
}
