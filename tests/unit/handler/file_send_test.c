/* file_send_test.c: preconditions that fail, ranges that cannot be had or are not meant, contents that change under
 * way; then whole contents and parts, from memory and from open files. */
#include "handler/file_send.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answer.h"
#include "disk.h"
#include "policy/compressor.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define ALWAYS (86400 * NSEC_SEC)

/* One in memory, one in a single window, one in three. */
static const struct {
    const char *name;
    size_t size;
} files[] = {{"small.txt", 1000}, {"open.txt", 100000}, {"large.txt", (2 << 20) + 1234}};

static char bytes[3 << 20];
static struct arena arena;
static struct mime_types types;
static struct file_entry *entry;
static struct answer answer;
static struct http_field fields[4];

static void setup(void)
{
    disk_make_folder();
    arena_init(&arena, NULL, 0);
    cr_assert_eq(http_mime_builtin(&types, &arena), 0);
    file_cache_setup(&types, 512);
    for (size_t i = 0; i + 8 < sizeof bytes; i += 8)
        snprintf(bytes + i, 9, "%08zx", i * 2654435761U % 0xffffffff);
    for (size_t i = 0; i < COUNT(files); i++) {
        disk_write(files[i].name, bytes, files[i].size);
        cr_assert_eq(utimensat(disk_root, files[i].name, (struct timespec[]){{0, 0}, {784111777, 0}}, 0), 0);
    }
}

static void teardown(void)
{
    arena_clear(&arena);
    disk_remove_folder();
}

TestSuite(file_send, .init = setup, .fini = teardown);

static int on_a_thread(void *body)
{
    (*(void (**)(void))body)();
    file_cache_free();
    return 0;
}

#define SendTest(name)                                                                                                 \
    static void name(void);                                                                                            \
    Test(file_send, name)                                                                                              \
    {                                                                                                                  \
        void (*body)(void) = name;                                                                                     \
        cr_assert_eq(green_run(&(struct green_options){.stack = 256 * 1024}, on_a_thread, &body), 0);                  \
    }                                                                                                                  \
    static void name(void)

static void open_file(const char *name)
{
    struct file_root root = {.fd = disk_root};
    struct file_query query = {&root, str_of(name), CODING_NONE, 0, ALWAYS};
    cr_assert_eq(file_acquire(&query, &entry), 0, "%s", name);
}

static void close_file(void)
{
    file_release(entry);
}

static void begin(enum method method)
{
    answer_begin(&answer, method, "/", "", NULL);
    answer.x.request.minor = 1;
    answer.x.request.fields = fields;
}

static void ask_for(const char *name, const char *value)
{
    fields[answer.x.request.field_count++] = (struct http_field){str_of(name), str_of(value)};
}

/* The answer to a request with a field or none. */
static int send_for(enum method method, const char *name, const char *value)
{
    begin(method);
    if (name)
        ask_for(name, value);
    return file_send(&answer.x, entry, CODING_NONE);
}

static size_t size_of_entry(void)
{
    return (size_t)entry->version.size;
}

static void expect_content(size_t at, size_t n, const char *what)
{
    cr_expect_eq(answer.length, (int64_t)n, "%s: %lld", what, (long long)answer.length);
    cr_expect(str_eq(answer_content(&answer), (struct str){bytes + at, n}), "%s: %zu bytes", what, answer.n);
    cr_expect(answer.ended, "%s", what);
}

static const char *text_of(struct str s)
{
    return arena_printf(&arena, STR_FMT, STR_ARG(s)).p;
}

/* ---- what is refused ---- */

/* RFC 9110, 13.1.1 and 13.1.4: nobody is to lose somebody else's changes. */
SendTest(preconditions_that_fail)
{
    static const char *const conditions[][2] = {
        {"If-Match", "\"x\""},
        {"If-Match", ""},
        {"If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:36 GMT"},
    };
    for (size_t i = 0; i < COUNT(files) * COUNT(conditions); i++) {
        const char *const *condition = conditions[i % COUNT(conditions)];
        open_file(files[i / COUNT(conditions)].name);
        cr_expect_eq(send_for(METHOD_GET, condition[0], condition[1]), 0);
        cr_expect_eq(answer.status, 412, "%s: %d", condition[0], answer.status);
        cr_expect_not(answer_has_field(&answer, "Accept-Ranges: bytes"));
        cr_expect_eq(answer.files, 0);
        answer_end(&answer);
        close_file();
    }
}

/* 15.5.17: how long it is, so that the client can ask again */
SendTest(ranges_behind_the_end)
{
    for (size_t i = 0; i < COUNT(files); i++) {
        open_file(files[i].name);
        const char *range = arena_printf(&arena, "bytes=%zu-", files[i].size).p;
        cr_expect_eq(send_for(METHOD_GET, "Range", range), 0);
        cr_expect_eq(answer.status, 416);
        cr_expect(answer_has_field(&answer, arena_printf(&arena, "Content-Range: bytes */%zu", files[i].size).p));
        cr_expect_eq(answer.files, 0);
        answer_end(&answer);
        close_file();
    }
}

/* Content that is written to between two windows must not be taken for one version. */
static void overwrite(void)
{
    int fd = openat(disk_root, "large.txt", O_WRONLY);
    cr_assert_geq(fd, 0);
    cr_assert_eq(pwrite(fd, "changed", 7, 2 << 20), 7);
    close(fd);
    cr_assert_eq(green_sleep(2 * NSEC_MS), 0);
}

static void cut_short(void)
{
    int fd = openat(disk_root, "large.txt", O_WRONLY);
    cr_assert_geq(fd, 0);
    cr_assert_eq(ftruncate(fd, 1 << 20), 0);
    close(fd);
    cr_assert_eq(green_sleep(2 * NSEC_MS), 0);
}

static void expect_stale(void (*change)(void), const char *range)
{
    open_file("large.txt");
    begin(METHOD_GET);
    if (range)
        ask_for("Range", range);
    answer.sent = change;
    cr_expect_eq(file_send(&answer.x, entry, CODING_NONE), -ESTALE);
    cr_expect_lt((int64_t)answer.n, answer.length);
    cr_expect_not(answer.ended);
    answer_end(&answer);
    file_expire(entry);
    close_file();
    disk_write("large.txt", bytes, files[2].size);
}

SendTest(a_file_that_changes_between_windows)
{
    expect_stale(overwrite, NULL);
    expect_stale(cut_short, NULL);
    expect_stale(overwrite, "bytes=10-2000000");
    expect_stale(cut_short, "bytes=10-2000000");
    expect_stale(overwrite, "bytes=0-9,2000000-2000009");
}

SendTest(a_file_that_has_changed_before)
{
    open_file("large.txt");
    overwrite();
    cr_expect_eq(send_for(METHOD_GET, NULL, NULL), -ESTALE);
    cr_expect_eq(answer.n, 0);
    answer_end(&answer);
    close_file();
}

SendTest(a_client_that_leaves)
{
    open_file("large.txt");
    begin(METHOD_GET);
    answer.fail_from = 2;
    cr_expect_eq(file_send(&answer.x, entry, CODING_NONE), -ECONNRESET);
    cr_expect_eq(answer.pieces, 2);
    answer_end(&answer);
    close_file();
}

/* ---- ranges that are not meant ---- */

/* 14.2: of a GET only; what is malformed, or more than is sensible, is ignored. */
#define MANY "bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,30-30,32-32"

SendTest(ranges_that_are_ignored)
{
    static const char *const ranges[] = {
        "bytes=", "bytes=a-b", "bytes=5-4", "lines=0-1", MANY,
    };
    for (size_t i = 0; i < COUNT(files) * COUNT(ranges); i++) {
        open_file(files[i / COUNT(ranges)].name);
        cr_expect_eq(send_for(METHOD_GET, "Range", ranges[i % COUNT(ranges)]), 0);
        cr_expect_eq(answer.status, 200);
        expect_content(0, size_of_entry(), ranges[i % COUNT(ranges)]);
        answer_end(&answer);
        close_file();
    }
}

SendTest(a_head_has_no_ranges)
{
    for (size_t i = 0; i < COUNT(files); i++) {
        open_file(files[i].name);
        cr_expect_eq(send_for(METHOD_HEAD, "Range", "bytes=0-9"), 0);
        cr_expect_eq(answer.status, 200);
        cr_expect_eq(answer.length, (int64_t)files[i].size);
        cr_expect_eq(answer.n + answer.files, 0);
        cr_expect(answer.ended && answer_has_field(&answer, "Accept-Ranges: bytes"));
        cr_expect_null(strstr(text_of(answer.fields), "Content-Range"));
        answer_end(&answer);
        close_file();
    }
}

/* 13.1.5: parts of another version are of no use. */
SendTest(a_range_of_this_version_only)
{
    open_file("small.txt");
    const char *tag = text_of(entry->etag);
    const struct {
        const char *version;
        int status;
    } table[] = {
        {"\"x\"", 200},
        {arena_printf(&arena, "W/%s", tag).p, 200},
        {"Sun, 06 Nov 1994 08:49:36 GMT", 200},
        {"Sun, 06 Nov 1994 08:49:38 GMT", 200},
        {tag, 206},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 206},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        begin(METHOD_GET);
        ask_for("Range", "bytes=0-9");
        ask_for("If-Range", table[i].version);
        cr_expect_eq(file_send(&answer.x, entry, CODING_NONE), 0);
        cr_expect_eq(answer.status, table[i].status, "%s: %d", table[i].version, answer.status);
        expect_content(0, table[i].status == 206 ? 10 : size_of_entry(), table[i].version);
        answer_end(&answer);
    }
    close_file();
}

/* ---- parts ---- */

static void expect_part(size_t at, size_t n, const char *range)
{
    size_t last = at + n - 1, size = size_of_entry();
    cr_expect_eq(send_for(METHOD_GET, "Range", range), 0);
    cr_expect_eq(answer.status, 206, "%s: %d", range, answer.status);
    expect_content(at, n, range);
    cr_expect(answer_has_field(&answer, arena_printf(&arena, "Content-Range: bytes %zu-%zu/%zu", at, last, size).p),
              "%s: " STR_FMT, range, STR_ARG(answer.fields));
    cr_expect(answer_has_field(&answer, "Content-Type: text/plain; charset=utf-8"));
    cr_expect(answer_has_field(&answer, arena_printf(&arena, "ETag: " STR_FMT, STR_ARG(entry->etag)).p));
    answer_end(&answer);
}

SendTest(one_range)
{
    for (size_t i = 0; i < COUNT(files); i++) {
        size_t size = files[i].size;
        open_file(files[i].name);
        expect_part(0, 1, "bytes=0-0");
        expect_part(3, 5, "bytes=3-7");
        expect_part(990, size - 990, "bytes=990-");
        expect_part(size - 7, 7, "bytes=-7");
        expect_part(0, size, "bytes=0-");
        expect_part(0, size, "bytes=0-99999999999");
        expect_part(0, size, "bytes=-99999999999");
        expect_part(3, 7, "bytes=3-7,8-9,5-6");
        close_file();
    }
    open_file("large.txt"); /* in the middle of windows, and across their ends */
    expect_part((1 << 20) - 1, 2, "bytes=1048575-1048576");
    expect_part(1, (2 << 20) - 1, "bytes=1-2097151");
    close_file();
}

/* What a multipart of these two ranges is, byte by byte. */
static struct str multipart(const char *boundary, size_t at, size_t n, size_t at2, size_t n2)
{
    const char *part = "--%s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes %zu-%zu/%zu\r\n\r\n";
    size_t room = n + n2 + 1000, done = 0;
    char *text = arena_alloc(&arena, room);
    cr_assert_not_null(text);
    done += (size_t)snprintf(text, room, part, boundary, at, at + n - 1, size_of_entry());
    memcpy(text + done, bytes + at, n);
    done += n;
    done += (size_t)snprintf(text + done, room - done, "\r\n");
    done += (size_t)snprintf(text + done, room - done, part, boundary, at2, at2 + n2 - 1, size_of_entry());
    memcpy(text + done, bytes + at2, n2);
    done += n2;
    done += (size_t)snprintf(text + done, room - done, "\r\n--%s--\r\n", boundary);
    return (struct str){text, done};
}

static void expect_parts(const char *range, size_t at, size_t n, size_t at2, size_t n2)
{
    static const char type[] = "Content-Type: multipart/byteranges; boundary=";
    cr_expect_eq(send_for(METHOD_GET, "Range", range), 0);
    cr_expect_eq(answer.status, 206);
    const char *head = text_of(answer.fields), *boundary = strstr(head, type);
    cr_assert_not_null(boundary, "%s", head);
    boundary = text_of((struct str){boundary + strlen(type), strcspn(boundary + strlen(type), "\r")});
    struct str expected = multipart(boundary, at, n, at2, n2);
    cr_expect(str_eq(answer_content(&answer), expected), "%s: %zu bytes, not %zu", range, answer.n, expected.n);
    cr_expect_eq(answer.length, (int64_t)expected.n, "%s: what was promised is what is sent", range);
    cr_expect_null(strstr(head, "text/plain"), "%s", head);
    cr_expect_null(strstr(head, "Content-Range"), "%s", head);
    cr_expect(answer.ended);
    answer_end(&answer);
}

SendTest(several_ranges)
{
    for (size_t i = 0; i < COUNT(files); i++) {
        size_t size = files[i].size;
        open_file(files[i].name);
        expect_parts("bytes=0-0,-1", 0, 1, size - 1, 1);
        expect_parts("bytes=500-599,100-199", 500, 100, 100, 100);
        expect_parts("bytes=0-99,990-", 0, 100, 990, size - 990);
        close_file();
    }
}

/* ---- in a coding ---- */

/* A 304 says what the 200 would have said, and no more; nothing is compressed for it. */
SendTest(not_modified)
{
    for (size_t i = 0; i < 2 * COUNT(files); i++) {
        enum coding coding = i % 2 ? CODING_GZIP : CODING_NONE;
        open_file(files[i / 2].name);
        begin(METHOD_GET);
        ask_for("If-None-Match", text_of(entry->etag));
        cr_expect_eq(file_send(&answer.x, entry, coding), 0);
        cr_expect_eq(answer.status, 304);
        cr_expect_eq(answer.length, (int64_t)size_of_entry(), "for policies that go by it");
        cr_expect_eq(answer.n + answer.files, 0);
        cr_expect(answer.ended);
        const char *tag = arena_printf(&arena, "ETag: %s" STR_FMT, i % 2 ? "W/" : "", STR_ARG(entry->etag)).p;
        cr_expect(answer_has_field(&answer, tag), "%s: " STR_FMT, tag, STR_ARG(answer.fields));
        cr_expect_eq(answer_has_field(&answer, "Accept-Ranges: bytes"), i % 2 == 0);
        cr_expect_eq(answer_has_field(&answer, "Vary: Accept-Encoding"), i % 2 == 1);
        cr_expect_null(entry->encoded[CODING_GZIP]);
        answer_end(&answer);
        close_file();
    }
}

/* Larger ones are compressed while they are sent, by whoever stands before the exchange. */
SendTest(in_a_coding)
{
    for (size_t i = 0; i < COUNT(files); i++) {
        bool kept = files[i].size <= FILE_ENCODED_MAX;
        open_file(files[i].name);
        begin(METHOD_GET);
        cr_expect_eq(file_send(&answer.x, entry, CODING_BR), 0);
        cr_expect_eq(answer.status, 200);
        cr_expect_eq(answer_has_field(&answer, "Content-Encoding: br"), kept);
        cr_expect_eq(answer_has_field(&answer, "Accept-Ranges: bytes"), !kept);
        cr_expect_eq(answer.length, (int64_t)answer.n);
        cr_expect_eq(answer.n < files[i].size, kept);
        cr_expect_eq(answer.x.as_is, kept);
        answer_end(&answer);
        close_file();
    }
}

SendTest(in_a_coding_when_there_is_no_turn)
{
    size_t turns = 0;
    while (compressor_try_turn())
        turns++;
    open_file("open.txt");
    begin(METHOD_GET);
    cr_expect_eq(file_send(&answer.x, entry, CODING_BR), 0);
    cr_expect_eq(answer.status, 200);
    expect_content(0, files[1].size, "as it is");
    cr_expect(answer_has_field(&answer, "Accept-Ranges: bytes"));
    cr_expect(answer.x.as_is);
    answer_end(&answer);
    close_file();
    while (turns--)
        compressor_end_turn();
}
