/* file_encoded_test.c: files that are not kept compressed, makings that fail or are overtaken, and one making for all.
 */
#include "handler/file_encoded.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../decode.h"
#include "disk.h"
#include "green/offload.h"
#include "net/stream.h"
#include "policy/compressor.h"

#define ALWAYS (86400 * NSEC_SEC)

/* What the pool meets when it compresses. */
static struct {
    atomic_bool held;    /* who compresses waits until this is false */
    atomic_uint started; /* how often somebody has begun to */
    int error;           /* what it comes to; 0: it works */
    bool overtaken;      /* the file is written to while it is read */
} pool;

ssize_t __real_encoder_whole(enum coding coding, enum encoder_level level, struct str content, void *to);
ssize_t __wrap_encoder_whole(enum coding coding, enum encoder_level level, struct str content, void *to);
bool __real_file_still_is(int file, const struct file_stamp *stamp);
bool __wrap_file_still_is(int file, const struct file_stamp *stamp);

ssize_t __wrap_encoder_whole(enum coding coding, enum encoder_level level, struct str content, void *to)
{
    atomic_fetch_add(&pool.started, 1);
    while (atomic_load(&pool.held))
        usleep(100);
    return pool.error ? pool.error : __real_encoder_whole(coding, level, content, to);
}

bool __wrap_file_still_is(int file, const struct file_stamp *stamp)
{
    if (pool.overtaken)
        disk_write("open.txt", "other", 5);
    return __real_file_still_is(file, stamp);
}

enum { SMALL = 2000, OPEN = 50000 };

static char words[FILE_ENCODED_MAX + 1];
static struct arena arena;
static struct mime_types types;

static void setup(void)
{
    disk_make_folder();
    arena_init(&arena, NULL, 0);
    cr_assert_eq(http_mime_builtin(&types, &arena), 0);
    file_cache_setup(&types, 512);
    for (size_t i = 0; i + 8 < sizeof words; i += 8)
        snprintf(words + i, 9, "%07zu ", i % 1000000);
    disk_write("small.txt", words, SMALL);
    disk_write("open.txt", words, OPEN);
}

static void teardown(void)
{
    arena_clear(&arena);
    disk_remove_folder();
}

TestSuite(file_encoded, .init = setup, .fini = teardown);

static int on_a_thread(void *body)
{
    (*(void (**)(void))body)();
    file_cache_free();
    return 0;
}

/* With so many threads in the pool. */
#define EncodedTestOf(count, name)                                                                                     \
    static void name(void);                                                                                            \
    Test(file_encoded, name)                                                                                           \
    {                                                                                                                  \
        void (*body)(void) = name;                                                                                     \
        struct green_options options = {.stack = 256 * 1024, .pool = (count)};                                         \
        cr_assert_eq(green_run(&options, on_a_thread, &body), 0);                                                      \
    }                                                                                                                  \
    static void name(void)
#define EncodedTest(name) EncodedTestOf(4, name)

static struct file_entry *acquire(const char *name)
{
    struct file_root root = {.fd = disk_root};
    struct file_query query = {&root, str_of(name), CODING_NONE, 0, ALWAYS};
    struct file_entry *entry = NULL;
    cr_assert_eq(file_acquire(&query, &entry), 0, "%s", name);
    return entry;
}

static void expect_content(const struct file_encoded *encoded, enum coding coding, size_t size)
{
    static char back[sizeof words];
    cr_assert_not_null(encoded);
    cr_expect_lt(encoded->n, size);
    struct decoded d = decode(coding_name(coding), (struct str){encoded->bytes, encoded->n}, back, sizeof back);
    cr_expect(d.ended && !d.broken && d.n == size && memcmp(back, words, size) == 0, "%zu of %zu", d.n, size);
}

static void let_go(void)
{
    atomic_store(&pool.held, false);
}

static void wait_for_start(unsigned count)
{
    while (atomic_load(&pool.started) < count)
        cr_assert_eq(green_sleep(NSEC_MS), 0);
}

struct asker {
    struct green *thread;
    struct file_entry *entry;
    const struct file_encoded *encoded;
};

static int ask(void *arg)
{
    struct asker *asker = arg;
    asker->encoded = file_encode(asker->entry, CODING_GZIP);
    return 0;
}

static void start(struct asker *asker, struct file_entry *entry)
{
    *asker = (struct asker){.entry = entry};
    cr_assert_eq(green_spawn(&asker->thread, "asker", ask, asker), 0);
}

static void finish(struct asker *asker)
{
    cr_assert_eq(green_join(asker->thread, NULL, NSEC_NEVER), 0);
}

/* ---- what is not kept ---- */

EncodedTest(files_of_no_or_too_much_content)
{
    static const size_t sizes[] = {0, FILE_ENCODED_MAX + 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        disk_write("other.txt", words, sizes[i]);
        struct file_entry *entry = acquire("other.txt");
        for (enum coding coding = 0; coding < CODING_COUNT; coding++) {
            cr_expect_null(file_encode(entry, coding), "%zu bytes", sizes[i]);
            cr_expect_null(entry->encoded[coding], "%zu bytes", sizes[i]);
        }
        file_expire(entry);
        file_release(entry);
    }
    cr_expect_eq(pool.started, 0);
}

/* It is not tried again for nothing. */
EncodedTest(content_that_does_not_become_smaller)
{
    srand(7);
    for (size_t n = 1; n <= 100000; n *= 10) {
        char *noise = arena_alloc(&arena, n);
        for (size_t i = 0; i < n; i++)
            noise[i] = (char)rand();
        disk_write("noise.txt", noise, n);
        struct file_entry *entry = acquire("noise.txt");
        pool.started = 0;
        for (int i = 0; i < 3; i++)
            cr_expect_null(file_encode(entry, CODING_GZIP), "%zu bytes", n);
        cr_expect_eq(pool.started, 1, "%zu bytes: tried %u times", n, pool.started);
        cr_assert_not_null(entry->encoded[CODING_GZIP]);
        cr_expect_eq(entry->encoded[CODING_GZIP]->state, FILE_NOT_SMALLER);
        file_expire(entry);
        file_release(entry);
    }
}

/* ---- makings that come to nothing: another try, next time ---- */

EncodedTest(no_turn)
{
    struct file_entry *entry = acquire("small.txt");
    size_t turns = 0;
    while (compressor_try_turn())
        turns++;
    cr_expect_null(file_encode(entry, CODING_GZIP));
    cr_expect_null(entry->encoded[CODING_GZIP]);
    cr_expect_eq(pool.started, 0);
    compressor_end_turn();
    expect_content(file_encode(entry, CODING_GZIP), CODING_GZIP, SMALL);
    cr_expect(compressor_try_turn(), "it is given back");
    cr_expect_not_null(file_encode(entry, CODING_GZIP), "what is there needs none");
    while (turns--)
        compressor_end_turn();
    file_release(entry);
}

EncodedTest(an_encoder_that_fails)
{
    static const int errors_of[] = {-ENOMEM, -EIO};
    struct file_entry *entry = acquire("open.txt");
    for (size_t i = 0; i < sizeof errors_of / sizeof *errors_of; i++) {
        pool.error = errors_of[i];
        cr_expect_null(file_encode(entry, CODING_GZIP));
        cr_expect_null(entry->encoded[CODING_GZIP]);
    }
    pool.error = 0;
    expect_content(file_encode(entry, CODING_GZIP), CODING_GZIP, OPEN);
    file_release(entry);
}

/* Somebody else's job, on the pool. */
static void occupy(void *arg)
{
    (void)arg;
    atomic_fetch_add(&pool.started, 1);
    while (atomic_load(&pool.held))
        usleep(100);
}

static int occupy_pool(void *arg)
{
    return green_offload(occupy, arg, NSEC_NEVER);
}

/* The only thread of the pool is busy; who waits for it gives up. */
EncodedTestOf(1, who_asks_is_cancelled)
{
    struct file_entry *large = acquire("open.txt");
    struct green *other;
    struct asker asker;
    int result;
    pool.held = true;
    cr_assert_eq(green_spawn(&other, "other", occupy_pool, NULL), 0);
    wait_for_start(1);
    start(&asker, large);
    cr_assert_eq(green_yield(), 0);
    cr_expect_not_null(large->encoded[CODING_GZIP], "it has begun");
    green_cancel(asker.thread);
    finish(&asker);
    cr_expect_null(asker.encoded);
    cr_expect_null(large->encoded[CODING_GZIP]);
    let_go();
    cr_assert_eq(green_join(other, &result, NSEC_NEVER), 0);
    expect_content(file_encode(large, CODING_GZIP), CODING_GZIP, OPEN);
    file_release(large);
}

/* What is kept must be of the version that its tag names. */
EncodedTest(a_file_that_changes_while_it_is_read)
{
    struct file_entry *entry = acquire("open.txt");
    pool.overtaken = true;
    cr_expect_null(file_encode(entry, CODING_GZIP));
    cr_expect_null(entry->encoded[CODING_GZIP]);
    cr_expect_eq(pool.started, 0, "nor is it compressed");
    file_release(entry);
}

EncodedTest(a_file_that_has_changed)
{
    struct file_entry *entry = acquire("open.txt");
    cr_assert_eq(ftruncate(entry->fd, 0) < 0, true, "it is open for reading only");
    disk_write("open.txt", words + 8, OPEN);
    cr_assert_eq(utimensat(disk_root, "open.txt", (struct timespec[]){{0, 0}, {784111777, 0}}, 0), 0);
    cr_expect_null(file_encode(entry, CODING_GZIP), "of the same size");
    disk_write("open.txt", words, 5);
    cr_expect_null(file_encode(entry, CODING_GZIP), "shorter");
    cr_expect_null(entry->encoded[CODING_GZIP]);
    file_release(entry);
}

/* ---- what is kept ---- */

EncodedTest(one_making_for_all)
{
    enum { ASKERS = 10 };
    struct asker askers[ASKERS];
    struct file_entry *entry = acquire("open.txt");
    pool.held = true;
    start(&askers[0], entry);
    wait_for_start(1);
    for (size_t i = 1; i < ASKERS; i++) {
        start(&askers[i], entry);
        finish(&askers[i]);
        cr_expect_null(askers[i].encoded, "nobody waits for it");
    }
    let_go();
    finish(&askers[0]);
    expect_content(askers[0].encoded, CODING_GZIP, OPEN);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(file_encode(entry, CODING_GZIP), askers[0].encoded);
    cr_expect_eq(pool.started, 1);
    file_release(entry);
}

EncodedTest(each_coding)
{
    static const char *const names[] = {"small.txt", "open.txt"};
    static const size_t sizes[] = {SMALL, OPEN};
    for (size_t i = 0; i < 2; i++) {
        struct file_entry *entry = acquire(names[i]);
        size_t cost = entry->cost;
        for (enum coding coding = 0; coding < CODING_COUNT; coding++) {
            const struct file_encoded *encoded = file_encode(entry, coding);
            expect_content(encoded, coding, sizes[i]);
            cr_expect_geq(entry->cost, cost + encoded->n, "it is accounted for");
            cost = entry->cost;
        }
        file_release(entry);
    }
}

/* RFC 9110, 8.8.1: the same bytes need not come out next time; and there are no ranges of them. */
EncodedTest(fields)
{
    cr_assert_eq(utimensat(disk_root, "small.txt", (struct timespec[]){{0, 0}, {784111777, 0x0a}}, 0), 0);
    struct file_entry *entry = acquire("small.txt");
    static const struct str common = STR_INIT("Content-Type: text/plain; charset=utf-8\r\n"
                                              "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                              "ETag: W/\"ae1b981bc490a0a-7d0\"\r\n"
                                              "Vary: Accept-Encoding\r\n");
    struct str fields = file_not_modified_fields(&arena, entry);
    cr_expect(str_eq(fields, common), STR_FMT, STR_ARG(fields));
    const struct file_encoded *encoded = file_encode(entry, CODING_ZSTD);
    cr_assert_not_null(encoded);
    cr_expect(str_starts(encoded->fields, common), STR_FMT, STR_ARG(encoded->fields));
    cr_expect(str_eq(str_skip(encoded->fields, common.n), STR("Content-Encoding: zstd\r\n")), STR_FMT,
              STR_ARG(encoded->fields));
    file_release(entry);
}

/* A young file's tag is a weak one already. */
EncodedTest(a_tag_is_not_weakened_twice)
{
    struct file_entry *entry = acquire("small.txt");
    cr_assert(str_starts(entry->etag, STR("W/")), STR_FMT, STR_ARG(entry->etag));
    struct str fields = file_not_modified_fields(&arena, entry);
    cr_expect_null(memmem(fields.p, fields.n, "W/W/", 4), STR_FMT, STR_ARG(fields));
    file_release(entry);
}

/* What is being sent stays, though the cache has no use for it any more. */
EncodedTest(gone_from_the_cache_while_in_use)
{
    struct file_entry *entry = acquire("small.txt");
    const struct file_encoded *encoded = file_encode(entry, CODING_BR);
    file_cache_free();
    expect_content(encoded, CODING_BR, SMALL);
    expect_content(file_encode(entry, CODING_GZIP), CODING_GZIP, SMALL);
    file_release(entry);
}
