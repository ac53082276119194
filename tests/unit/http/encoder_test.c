/* encoder_test.c: what is refused and given up, which coding a request gets, and that what comes out goes back in. */
#include "http/encoder.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../../decode.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = true };
#elif defined(__has_feature)
enum { SANITIZED = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) };
#else
enum { SANITIZED = false };
#endif

enum { CONTENT = 300 * 1024 };

static char content[CONTENT], coded[2 * CONTENT], back[CONTENT + 1];

/* Words of a small language, so that there is something to find at every distance. */
static struct str text(size_t n)
{
    unsigned seed = 1;
    for (size_t at = 0; at < n;) {
        seed = seed * 1103515245 + 12345;
        at += (size_t)snprintf(content + at, n - at, "<p>%x</p> ", seed >> 16 & 0x3ff);
    }
    return (struct str){content, n};
}

static struct str noise(size_t n)
{
    unsigned seed = 1;
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1103515245 + 12345;
        content[i] = (char)(seed >> 16);
    }
    return (struct str){content, n};
}

static struct str zeros(size_t n)
{
    memset(content, 0, n);
    return (struct str){content, n};
}

/* Gives a piece to a stream and takes the result in pieces of `room` bytes, behind what `o` has. */
static void give(struct encoder *encoder, struct str in, enum encoder_op op, size_t room, struct out *o)
{
    int more;
    do {
        struct out piece = out_on(o->at, room < out_room(o) ? room : out_room(o));
        more = encoder_run(encoder, &in, op, &piece);
        o->at = piece.at;
        cr_assert_geq(more, 0, "%d", more);
        cr_assert(!more || out_room(&piece) == 0, "%zu of %zu bytes of room are not used", out_room(&piece), room);
    } while (more);
    cr_assert_eq(in.n, 0);
}

struct way {
    size_t piece, room; /* of input and of output */
};

static struct str encode(enum coding coding, enum encoder_level level, struct str in, int64_t size,
                         const struct way *way)
{
    struct encoder *encoder;
    struct out o = out_on(coded, sizeof coded);
    cr_assert_eq(encoder_open(&encoder, coding, level, size), 0);
    while (in.n > way->piece) {
        give(encoder, (struct str){in.p, way->piece}, ENCODER_TAKE, way->room, &o);
        in = str_skip(in, way->piece);
    }
    give(encoder, in, ENCODER_END, way->room, &o);
    encoder_close(encoder);
    return out_str(&o);
}

static void expect_back(enum coding coding, struct str result, struct str in)
{
    struct str name = coding_name(coding);
    struct decoded d = decode(name, result, back, sizeof back);
    cr_assert(d.ended && !d.broken, STR_FMT " of %zu bytes has no good end", STR_ARG(name), in.n);
    cr_assert(str_eq((struct str){back, d.n}, in), STR_FMT ": %zu bytes became %zu", STR_ARG(name), in.n, d.n);
}

/* ---- what is given up ---- */

/* Opens streams and gives each some content, until that fails or there are enough. */
static int exhaust(enum coding coding, struct encoder **streams, size_t *opened, size_t most)
{
    for (*opened = 0; *opened < most;) {
        struct str in = {content, CONTENT};
        struct out o = out_on(coded, sizeof coded);
        int error = encoder_open(&streams[*opened], coding, ENCODER_SMALL, HTTP_LENGTH_UNKNOWN);
        if (error)
            return error;
        error = encoder_run(streams[(*opened)++], &in, ENCODER_TAKE, &o);
        if (error < 0)
            return error;
    }
    return 0;
}

Test(encoder, no_memory)
{
    if (SANITIZED)
        cr_skip_test("the sanitizers want all the address space there is");
    struct encoder *streams[200];
    size_t pages = 0, opened[CODING_COUNT];
    int errors[CODING_COUNT];
    struct rlimit before, limit;
    FILE *sizes = fopen("/proc/self/statm", "re");
    cr_assert(sizes && fscanf(sizes, "%zu", &pages) == 1);
    fclose(sizes);
    text(CONTENT);
    cr_assert_eq(getrlimit(RLIMIT_AS, &before), 0);
    limit = (struct rlimit){pages * (size_t)getpagesize() + (20 << 20), before.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
    for (enum coding coding = 0; coding < CODING_COUNT; coding++) {
        errors[coding] = exhaust(coding, streams, &opened[coding], COUNT(streams));
        for (size_t i = 0; i < opened[coding]; i++)
            encoder_close(streams[i]);
    }
    cr_assert_eq(setrlimit(RLIMIT_AS, &before), 0);
    for (enum coding coding = 0; coding < CODING_COUNT; coding++) {
        cr_expect_eq(errors[coding], -ENOMEM, STR_FMT ": %d", STR_ARG(coding_name(coding)), errors[coding]);
        cr_expect_geq(opened[coding], 10, STR_FMT ": only %zu", STR_ARG(coding_name(coding)), opened[coding]);
    }
}

Test(encoder, a_stream_that_is_given_up)
{
    encoder_close(NULL);
    for (enum coding coding = 0; coding < CODING_COUNT; coding++) {
        struct encoder *encoder;
        struct out o = out_on(coded, 10);
        struct str in = text(CONTENT);
        cr_assert_eq(encoder_open(&encoder, coding, ENCODER_FAST, CONTENT), 0);
        encoder_close(encoder);
        cr_assert_eq(encoder_open(&encoder, coding, ENCODER_FAST, CONTENT), 0);
        cr_expect_eq(encoder_run(encoder, &in, ENCODER_END, &o), 1);
        encoder_close(encoder);
    }
}

Test(encoder, no_room_is_no_failure)
{
    for (enum coding coding = 0; coding < CODING_COUNT; coding++) {
        struct encoder *encoder;
        struct out none = out_on(coded, 0), o = out_on(coded, sizeof coded);
        struct str in = text(100);
        cr_assert_eq(encoder_open(&encoder, coding, ENCODER_BALANCED, 100), 0);
        for (int i = 0; i < 3; i++)
            cr_expect_eq(encoder_run(encoder, &in, ENCODER_END, &none), 1);
        give(encoder, in, ENCODER_END, sizeof coded, &o);
        encoder_close(encoder);
        expect_back(coding, out_str(&o), (struct str){content, 100});
    }
}

/* Its own size is no gain. */
Test(encoder, a_whole_that_does_not_shrink)
{
    for (enum coding coding = 0; coding < CODING_COUNT; coding++) {
        cr_expect_eq(encoder_whole(coding, ENCODER_BALANCED, STR(""), coded), 0);
        cr_expect_eq(encoder_whole(coding, ENCODER_BALANCED, STR("a"), coded), 0);
        cr_expect_eq(encoder_whole(coding, ENCODER_BALANCED, STR("abcdefghijkl"), coded), 0);
        cr_expect_eq(encoder_whole(coding, ENCODER_BALANCED, noise(CONTENT), coded), 0);
    }
}

Test(encoder, a_whole)
{
    for (enum coding coding = 0; coding < CODING_COUNT; coding++) {
        for (size_t n = 1000; n <= CONTENT; n *= 3) {
            struct str in = text(n);
            ssize_t size = encoder_whole(coding, ENCODER_SMALL, in, coded);
            cr_assert(size > 0 && (size_t)size < n / 2, "%zd of %zu", size, n);
            expect_back(coding, (struct str){coded, (size_t)size}, in);
        }
    }
}

/* ---- which coding ---- */

struct choice {
    const char *accepted;
    unsigned available;
    enum coding coding;
};

#define BR CODING_BIT(CODING_BR)
#define ZSTD CODING_BIT(CODING_ZSTD)
#define GZIP CODING_BIT(CODING_GZIP)

/* RFC 9110, 12.5.3 */
static const struct choice choices[] = {
    {NULL, CODING_ALL, CODING_NONE}, /* the client may know none of them */
    {"", CODING_ALL, CODING_NONE},
    {"identity", CODING_ALL, CODING_NONE},
    {"deflate", CODING_ALL, CODING_NONE},
    {"gzip;q=0", CODING_ALL, CODING_NONE},
    {"*;q=0", CODING_ALL, CODING_NONE},
    {"br;q=0, *;q=0", CODING_ALL, CODING_NONE},
    {"gzip;q=0.5, identity", CODING_ALL, CODING_NONE},
    {"gzip;q=0.5, identity;q=0.6", CODING_ALL, CODING_NONE},
    {"gzip;q=0.5, *", GZIP, CODING_NONE},
    {"gzip, br", 0, CODING_NONE},
    {"gzip, br", ZSTD, CODING_NONE},
    {"gzip", CODING_ALL, CODING_GZIP},
    {"x-gzip", CODING_ALL, CODING_GZIP},
    {"GZip", CODING_ALL, CODING_GZIP},
    {"gzip, identity", CODING_ALL, CODING_GZIP},
    {"gzip;q=0.5, identity;q=0.5", CODING_ALL, CODING_GZIP},
    {"gzip;q=0.001", CODING_ALL, CODING_GZIP},
    {"identity;q=0, gzip;q=0.1", CODING_ALL, CODING_GZIP},
    {"gzip, deflate, br, zstd", CODING_ALL, CODING_BR},
    {"gzip, deflate, br, zstd", ZSTD | GZIP, CODING_ZSTD},
    {"gzip, deflate, br, zstd", GZIP, CODING_GZIP},
    {"*", CODING_ALL, CODING_BR},
    {"*", ZSTD, CODING_ZSTD},
    {"br;q=0, *", CODING_ALL, CODING_ZSTD},
    {"gzip, *;q=0.5", CODING_ALL, CODING_GZIP},
    {"br;q=0.8, zstd;q=0.9, gzip;q=0.7", CODING_ALL, CODING_ZSTD},
    {"br;q=0.8, zstd;q=0.8, gzip;q=0.9", BR | ZSTD, CODING_BR},
};

Test(encoder, the_coding_that_a_request_gets)
{
    for (size_t i = 0; i < COUNT(choices); i++) {
        const struct choice *row = &choices[i];
        struct http_field field = {STR("Accept-Encoding"), str_of(row->accepted)};
        struct http_request request = {.fields = &field, .field_count = row->accepted != NULL};
        cr_expect_eq(coding_choose(&request, row->available), row->coding, "[%s] of %x", row->accepted, row->available);
    }
}

Test(encoder, names)
{
    static const char *const names[][2] = {
        [CODING_BR] = {"br", ".br"}, [CODING_ZSTD] = {"zstd", ".zst"}, [CODING_GZIP] = {"gzip", ".gz"}};
    for (enum coding coding = 0; coding < CODING_COUNT; coding++) {
        cr_expect(str_eq(coding_name(coding), str_of(names[coding][0])));
        cr_expect(str_eq(coding_suffix(coding), str_of(names[coding][1])));
        cr_expect_not_null(strchr(encoder_library(coding), '.'), "%s", encoder_library(coding));
    }
}

/* ---- streams ---- */

Test(encoder, windows_fit_the_content)
{
    static const struct {
        int64_t size;
        unsigned bits;
    } table[] = {{0, 10},     {1024, 10},  {1025, 11},      {2048, 11},
                 {32768, 15}, {32769, 16}, {INT64_MAX, 16}, {HTTP_LENGTH_UNKNOWN, 16}};
    for (size_t i = 0; i < COUNT(table); i++)
        cr_expect_eq(encoder_window(table[i].size, 10, 16), table[i].bits, "%lld", (long long)table[i].size);
}

Test(encoder, every_size_and_kind_of_content)
{
    static const size_t sizes[] = {0,     1,     2,     100,   1023,  1024,  1025,   16383,
                                   16384, 16385, 32768, 49152, 65535, 65536, 131073, CONTENT};
    static struct str (*const kinds[])(size_t) = {text, noise, zeros};
    const struct way at_once = {CONTENT, sizeof coded};
    for (enum coding coding = 0; coding < CODING_COUNT; coding++)
        for (enum encoder_level level = 0; level < ENCODER_LEVELS; level++)
            for (size_t i = 0; i < COUNT(sizes) * COUNT(kinds); i++) {
                struct str in = kinds[i % COUNT(kinds)](sizes[i / COUNT(kinds)]);
                struct str result = encode(coding, level, in, (int64_t)in.n, &at_once);
                cr_assert_leq(result.n, in.n + in.n / 100 + 100, "what does not shrink must not grow much");
                expect_back(coding, result, in);
            }
}

Test(encoder, pieces_of_every_size)
{
    static const size_t sizes[] = {1, 13, 4096, 16384, 40000};
    struct str in = text(40000);
    for (enum coding coding = 0; coding < CODING_COUNT; coding++)
        for (enum encoder_level level = 0; level < ENCODER_LEVELS; level++)
            for (size_t i = 0; i < COUNT(sizes) * COUNT(sizes); i++) {
                const struct way way = {sizes[i % COUNT(sizes)], sizes[i / COUNT(sizes)]};
                expect_back(coding, encode(coding, level, in, HTTP_LENGTH_UNKNOWN, &way), in);
            }
}

/* Whatever has been given can be decoded after each flush, with as little room as the result may come in. */
Test(encoder, flushes_bring_out_all_that_was_given)
{
    static const size_t pieces[] = {1, 100, 5000, 70000}, rooms[] = {ENCODER_FLUSH_ROOM, 100, 16384, sizeof coded};
    const size_t flushes = 4;
    for (enum coding coding = 0; coding < CODING_COUNT; coding++)
        for (size_t i = 0; i < COUNT(pieces) * COUNT(rooms); i++) {
            size_t piece = pieces[i % COUNT(pieces)], room = rooms[i / COUNT(pieces)];
            struct encoder *encoder;
            struct out o = out_on(coded, sizeof coded);
            struct str all = text(flushes * piece), rest = all;
            cr_assert_eq(encoder_open(&encoder, coding, ENCODER_BALANCED, HTTP_LENGTH_UNKNOWN), 0);
            for (; rest.n; rest = str_skip(rest, piece)) {
                give(encoder, (struct str){rest.p, piece}, ENCODER_FLUSH, room, &o);
                struct decoded d = decode(coding_name(coding), out_str(&o), back, sizeof back);
                cr_assert(!d.broken && !d.ended);
                cr_assert_eq(d.n, all.n - rest.n + piece, "%zu of %zu by %zu", d.n, all.n - rest.n + piece, room);
            }
            give(encoder, rest, ENCODER_END, room, &o);
            encoder_close(encoder);
            expect_back(coding, out_str(&o), all);
        }
}

Test(encoder, a_flush_of_nothing_is_nothing)
{
    for (enum coding coding = 0; coding < CODING_COUNT; coding++) {
        struct encoder *encoder;
        struct out o = out_on(coded, sizeof coded);
        cr_assert_eq(encoder_open(&encoder, coding, ENCODER_BALANCED, HTTP_LENGTH_UNKNOWN), 0);
        give(encoder, text(100), ENCODER_TAKE, sizeof coded, &o);
        give(encoder, STR(""), ENCODER_FLUSH, sizeof coded, &o);
        size_t flushed = out_len(&o);
        give(encoder, STR(""), ENCODER_FLUSH, sizeof coded, &o);
        cr_expect_eq(out_len(&o), flushed, STR_FMT, STR_ARG(coding_name(coding)));
        give(encoder, STR(""), ENCODER_END, sizeof coded, &o);
        encoder_close(encoder);
        expect_back(coding, out_str(&o), (struct str){content, 100});
    }
}

/* The size is what windows are chosen by, and no promise. */
Test(encoder, another_size_than_was_said)
{
    const struct way way = {10000, 5000};
    for (enum coding coding = 0; coding < CODING_COUNT; coding++) {
        expect_back(coding, encode(coding, ENCODER_BALANCED, text(CONTENT), 10, &way), (struct str){content, CONTENT});
        expect_back(coding, encode(coding, ENCODER_BALANCED, text(10), CONTENT, &way), (struct str){content, 10});
    }
}

static size_t memory_in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

Test(encoder, a_stream_holds_no_more_than_it_should)
{
    static const size_t most[CODING_COUNT][ENCODER_LEVELS] = {
        [CODING_BR] = {660 << 10, 660 << 10, 980 << 10},
        [CODING_ZSTD] = {580 << 10, 580 << 10, 580 << 10},
        [CODING_GZIP] = {270 << 10, 270 << 10, 270 << 10},
    };
    if (SANITIZED)
        cr_skip_test("the sanitizers keep the books of memory themselves");
    for (enum coding coding = 0; coding < CODING_COUNT; coding++)
        for (enum encoder_level level = 0; level < ENCODER_LEVELS; level++) {
            struct encoder *encoder;
            struct out o = out_on(coded, sizeof coded);
            size_t before = memory_in_use();
            cr_assert_eq(encoder_open(&encoder, coding, level, HTTP_LENGTH_UNKNOWN), 0);
            give(encoder, text(CONTENT), ENCODER_TAKE, 4096, &o);
            size_t held = memory_in_use() - before;
            encoder_close(encoder);
            cr_expect_leq(held, most[coding][level], STR_FMT " at level %d holds %zu KiB", STR_ARG(coding_name(coding)),
                          (int)level, held >> 10);
            cr_expect_geq(held, 64 << 10);
        }
}
