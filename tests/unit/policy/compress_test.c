/* compress_test.c: settings that are refused, and what becomes of a head. */
#include "policy/compress.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../decode.h"
#include "carrier.h"
#include "conf/yaml.h"
#include "policy/compressor.h"
#include "policy/registry.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static struct arena arena;
static struct conf_reader reader;
static void *settings;

static void setup(void)
{
    arena_init(&arena, NULL, 0);
}

static void teardown(void)
{
    arena_clear(&arena);
}

TestSuite(compress, .init = setup, .fini = teardown);

static int read_settings(const char *yaml)
{
    struct conf_node *root;
    arena_clear(&arena);
    conf_reader_init(&reader, &arena);
    cr_assert_eq(conf_parse(&reader, STR("t"), str_of(yaml), &root), 0, "%s", yaml);
    settings = arena_zalloc(&arena, policy_compress.size);
    cr_assert_not_null(settings);
    return conf_read_keys(&reader, root, policy_compress.table, settings);
}

static const char *errors(void)
{
    static char text[1000];
    FILE *f = fmemopen(text, sizeof text, "w");
    conf_report(&reader, f);
    fclose(f);
    return text;
}

/* ---- settings ---- */

struct refusal {
    const char *yaml, *message;
};

static const struct refusal refused[] = {
    {"compress: maybe", "t:1:11: error: compress: `maybe`"},
    {"compress:", "has no value"},
    {"compress: [on]", "t:1:11"},
    {"compress: {type: text/css}", "did you mean `types`?"},
    {"compress: {types: text}", "t:1:19: error: compress.types: not a media type"},
    {"compress: {types: [text/css, '*']}", "t:1:30: error: compress.types[1]: not a media type"},
    {"compress: {types: ['*/*+json', 'text/x*', '/']}", "compress.types[2]: not a media type"},
    {"compress: {min_size: some}", "compress.min_size: `some`"},
    {"compress: {level: 6}", "compress.level: `6`"},
};

Test(compress, settings_that_are_refused)
{
    for (size_t i = 0; i < COUNT(refused); i++) {
        cr_expect_eq(read_settings(refused[i].yaml), -EINVAL, "%s", refused[i].yaml);
        cr_expect_not_null(strstr(errors(), refused[i].message), "%s: %s", refused[i].yaml, errors());
    }
}

/* ---- heads ---- */

struct dressing {
    const char *yaml;
    const char *accept; /* Accept-Encoding; NULL: none */
    const char *other;  /* a field of the request without its value "x"; NULL: none */
    enum method method;
    unsigned old; /* HTTP/1.0 */
    int status;
    const char *fields;
    int64_t length;
    const char *dressed; /* the fields; NULL: nothing has changed */
    bool known;          /* the length still is */
};

#define ON "compress: on"
#define TEXT "Content-Type: text/plain\r\n"
#define PARTS "Content-Type: multipart/byteranges; boundary=1\r\n"
#define VARY "Vary: Accept-Encoding\r\n"
#define BR "Content-Encoding: br\r\n"
#define SIZE 5000
#define GET METHOD_GET, 0

static const struct dressing as_it_was[] = {
    {"compress: off", "br", NULL, GET, 200, TEXT, SIZE, NULL, true},
    {ON, "br", NULL, GET, 200, "", SIZE, NULL, true},
    {ON, "br", NULL, GET, 200, "Content-Type: image/png\r\n", SIZE, NULL, true},
    {ON, "br", NULL, GET, 200, TEXT, 1023, NULL, true},
    {ON, "br", NULL, GET, 404, TEXT, 14, NULL, true},
    {ON, "br", NULL, GET, 200, TEXT, 0, NULL, true},
    {ON, "br", NULL, GET, 204, TEXT, SIZE, NULL, true},
    {ON, "br", NULL, GET, 304, TEXT "ETag: \"a\"\r\n", 1023, NULL, true},
    {ON, "br", NULL, GET, 304, TEXT "ETag: \"a\"\r\n", 0, NULL, true},
    {ON, "br", NULL, GET, 200, PARTS, SIZE, NULL, true},
    {"compress: off", "br", NULL, GET, 206, PARTS, SIZE, NULL, true},
    {ON, "br", NULL, GET, 200, TEXT "Cache-Control: no-transform\r\n", SIZE, NULL, true},
    {ON, "br", NULL, GET, 200, TEXT "Cache-Control: public\r\ncache-control: max-age=1, No-Transform\r\n", SIZE, NULL,
     true},
    {"compress: {min_size: 10k}", "br", NULL, GET, 200, TEXT, SIZE, NULL, true},
    {"compress: {types: text/html}", "br", NULL, GET, 200, TEXT, SIZE, NULL, true},
    /* what depends on the request is told */
    {ON, NULL, NULL, GET, 200, TEXT, SIZE, TEXT VARY, true},
    {ON, "identity", NULL, GET, 200, TEXT, SIZE, TEXT VARY, true},
    {ON, "br;q=0, compress", NULL, GET, 200, TEXT, SIZE, TEXT VARY, true},
    {ON, "br", NULL, METHOD_GET, 1, 200, TEXT, SIZE, TEXT VARY, true},
    {ON, "br", "Range", GET, 200, TEXT, SIZE, TEXT VARY, true},
    {ON, "br", "Range", GET, 206, TEXT "Content-Range: bytes 0-9/5000\r\n", 10,
     TEXT "Content-Range: bytes 0-9/5000\r\n" VARY, true},
    {ON, "br", NULL, GET, 206, TEXT, 10, TEXT VARY, true},
    {ON, "br", "Range", GET, 206, PARTS, 300, PARTS VARY, true},
    {ON, NULL, "Range", GET, 206, "content-type: Multipart/ByteRanges; boundary=1\r\n", 300,
     "content-type: Multipart/ByteRanges; boundary=1\r\n" VARY, true},
    {ON, "br", NULL, GET, 416, TEXT "Content-Range: bytes */5000\r\n", SIZE,
     TEXT "Content-Range: bytes */5000\r\n" VARY, true},
    {ON, "br", NULL, GET, 200, TEXT "content-encoding: gzip\r\n", 10, TEXT "content-encoding: gzip\r\n" VARY, true},
    {ON, "br", NULL, GET, 304, TEXT "Content-Encoding: zstd\r\nETag: \"a\"\r\n", 0,
     TEXT "Content-Encoding: zstd\r\nETag: \"a\"\r\n" VARY, true},
    {ON, NULL, NULL, GET, 200, TEXT "ETag: \"a\"\r\nAccept-Ranges: bytes\r\n", SIZE,
     TEXT "ETag: \"a\"\r\nAccept-Ranges: bytes\r\n" VARY, true},
    /* once */
    {ON, NULL, NULL, GET, 200, TEXT "vary:accept-encoding\r\n", SIZE, NULL, true},
    {ON, NULL, NULL, GET, 200, TEXT "Vary: Origin, Accept-encoding \r\n", SIZE, NULL, true},
    {ON, NULL, NULL, GET, 200, TEXT "Vary: Origin\r\nVary: Accept-Encoding\r\n", SIZE, NULL, true},
    {ON, NULL, NULL, GET, 200, TEXT "Vary: *\r\n", SIZE, NULL, true},
    {ON, NULL, NULL, GET, 200, "Vary: Origin\r\n" TEXT, SIZE, "Vary: Origin, Accept-Encoding\r\n" TEXT, true},
    {ON, NULL, NULL, GET, 200, TEXT "Vary: A\r\nVary: B\r\n", SIZE, TEXT "Vary: A, Accept-Encoding\r\nVary: B\r\n",
     true},
    {ON, NULL, NULL, GET, 200, TEXT "Vary: \r\n", SIZE, TEXT "Vary: \r\n" VARY, true},
};

static const struct dressing compressed[] = {
    {ON, "br", NULL, GET, 200, TEXT, SIZE, TEXT VARY BR, false},
    {ON, "br", NULL, GET, 200, TEXT, 1024, TEXT VARY BR, false},
    {ON, "br", NULL, GET, 200, TEXT, HTTP_LENGTH_UNKNOWN, TEXT VARY BR, false},
    {ON, "br", NULL, GET, 500, TEXT, SIZE, TEXT VARY BR, false},
    {ON, "br, gzip;q=0.5", NULL, GET, 200, "content-type: Text/HTML ; charset=utf-8\r\n", SIZE,
     "content-type: Text/HTML ; charset=utf-8\r\n" VARY BR, false},
    {ON, "gzip", NULL, GET, 200, TEXT, SIZE, TEXT VARY "Content-Encoding: gzip\r\n", false},
    {ON, "zstd, gzip", NULL, GET, 200, TEXT, SIZE, TEXT VARY "Content-Encoding: zstd\r\n", false},
    {ON, "*", NULL, GET, 200, "Content-Type: application/ld+json\r\n", SIZE,
     "Content-Type: application/ld+json\r\n" VARY BR, false},
    {ON, "br", NULL, GET, 200, TEXT "Cache-Control: no-transformers\r\n", SIZE,
     TEXT "Cache-Control: no-transformers\r\n" VARY BR, false},
    {ON, "br", NULL, GET, 200, TEXT "ETag: \"a\"\r\nX: y\r\n", SIZE, TEXT "ETag: W/\"a\"\r\nX: y\r\n" VARY BR, false},
    {ON, "br", NULL, GET, 200, TEXT "etag:W/\"a\"\r\n", SIZE, TEXT "etag: W/\"a\"\r\n" VARY BR, false},
    {ON, "br", NULL, GET, 200, "Accept-Ranges: bytes\r\n" TEXT, SIZE, TEXT VARY BR, false},
    {ON, "br", NULL, GET, 200, "Vary: Origin\r\n" TEXT, SIZE, "Vary: Origin, Accept-Encoding\r\n" TEXT BR, false},
    {ON, "br", NULL, GET, 200, TEXT VARY, SIZE, TEXT VARY BR, false},
    {ON, "br", NULL, METHOD_HEAD, 0, 200, TEXT "ETag: \"a\"\r\n", SIZE, TEXT "ETag: W/\"a\"\r\n" VARY BR, false},
    {ON, "br", NULL, METHOD_POST, 0, 200, TEXT, SIZE, TEXT VARY BR, false},
    {ON, "br", NULL, GET, 304, TEXT "ETag: \"a\"\r\n", SIZE, TEXT "ETag: W/\"a\"\r\n" VARY, false},
    {ON, "br", NULL, GET, 304, TEXT "ETag: \"a\"\r\n", 1024, TEXT "ETag: W/\"a\"\r\n" VARY, false},
    {"compress: {types: '*/*', min_size: 0}", "br", NULL, GET, 200, "Content-Type: image/png\r\n", 1,
     "Content-Type: image/png\r\n" VARY BR, false},
    {"compress: {types: text/plain, level: small}", "br", NULL, GET, 200, TEXT, SIZE, TEXT VARY BR, false},
};

static void dress(const struct dressing *row)
{
    cr_assert_eq(read_settings(row->yaml), 0, "%s", errors());
    carrier_start(&policy_compress, settings);
    carrier.x.request.method = row->method;
    carrier.x.request.minor = !row->old;
    if (row->accept)
        carrier_ask(STR("Accept-Encoding"), str_of(row->accept));
    if (row->other)
        carrier_ask(str_of(row->other), STR("x"));
    cr_assert_eq(http_head(&carrier.x, row->status, str_of(row->fields), row->length), 0);
    struct str expected = str_of(row->dressed ? row->dressed : row->fields);
    cr_expect(str_eq(carrier.head.fields, expected), "[%s] became [" STR_FMT "], not [" STR_FMT "]", row->fields,
              STR_ARG(carrier.head.fields), STR_ARG(expected));
    cr_expect_eq(carrier.head.length, row->known ? row->length : HTTP_LENGTH_UNKNOWN, "%s", row->fields);
    cr_expect_eq(carrier.head.status, row->status);
    carrier_end();
}

static int dress_all(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < COUNT(as_it_was); i++)
        dress(&as_it_was[i]);
    for (size_t i = 0; i < COUNT(compressed); i++)
        dress(&compressed[i]);
    return 0;
}

Test(compress, heads)
{
    cr_assert_eq(green_run(&(struct green_options){0}, dress_all, NULL), 0);
}

/* ---- what handlers are told ---- */

struct wish {
    const char *yaml, *accept, *type;
    uint64_t size;
    enum coding coding;
};

static const struct wish wishes[] = {
    {NULL, "br", "text/plain", SIZE, CODING_NONE},
    {"compress: off", "br", "text/plain", SIZE, CODING_NONE},
    {ON, "br", "image/png", SIZE, CODING_NONE},
    {ON, "br", "text/plain", 1023, CODING_NONE},
    {ON, "identity", "text/plain", SIZE, CODING_NONE},
    {ON, NULL, "text/plain", SIZE, CODING_NONE},
    {ON, "br", "text/plain", SIZE, CODING_BR},
    {ON, "gzip, zstd", "text/plain; charset=utf-8", SIZE, CODING_ZSTD},
};

Test(compress, the_coding_that_is_wanted)
{
    for (size_t i = 0; i < COUNT(wishes); i++) {
        const struct wish *row = &wishes[i];
        cr_assert_eq(read_settings(row->yaml ? row->yaml : ON), 0);
        carrier_start(row->yaml ? &policy_compress : NULL, settings);
        if (row->accept)
            carrier_ask(STR("Accept-Encoding"), str_of(row->accept));
        cr_expect_eq(compress_wanted(&carrier.x, str_of(row->type), row->size), row->coding, "row %zu", i);
        carrier_end();
    }
}

/* ---- content ---- */

static int send_some(void *arg)
{
    (void)arg;
    char text[SIZE], back[2 * SIZE];
    memset(text, 'x', sizeof text);
    cr_assert_eq(read_settings(ON), 0);
    carrier_start(&policy_compress, settings);
    carrier_ask(STR("Accept-Encoding"), STR("zstd"));
    cr_expect_eq(http_send(&carrier.x, 200, STR(TEXT), (struct str){text, sizeof text}), 0);
    struct decoded d = decode(STR("zstd"), (struct str){carrier.content, carrier.n}, back, sizeof back);
    cr_expect(d.ended && str_eq((struct str){back, d.n}, (struct str){text, sizeof text}));
    cr_expect(carrier.ended);
    carrier_end();
    /* a handler that promises more than it gives, and one that gives more */
    carrier_start(&policy_compress, settings);
    carrier_ask(STR("Accept-Encoding"), STR("zstd"));
    cr_expect_eq(http_head(&carrier.x, 200, STR(TEXT), SIZE), 0);
    cr_expect_eq(http_content(&carrier.x, (struct str){text, SIZE - 1}), 0);
    cr_expect_eq(http_end(&carrier.x), -EPROTO);
    cr_expect_eq(http_content(&carrier.x, (struct str){text, SIZE}), 0);
    cr_expect_eq(http_end(&carrier.x), 0);
    d = decode(STR("zstd"), (struct str){carrier.content, carrier.n}, back, sizeof back);
    cr_expect(d.ended && d.n == SIZE);
    carrier_end();
    return 0;
}

Test(compress, content)
{
    cr_assert_eq(green_run(&(struct green_options){0}, send_some, NULL), 0);
}
