/* file_cache_test.c: entries that are fresh, stale, replaced, evicted; one look for all who ask at once. */
#include "handler/file_cache.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "disk.h"

#define ALWAYS (86400 * NSEC_SEC) /* fresh for ever */

static struct arena arena;
static struct mime_types types;

static void setup(void)
{
    disk_make_folder();
    disk_write("a.html", "hello", 5);
    arena_init(&arena, NULL, 0);
    cr_assert_eq(http_mime_builtin(&types, &arena), 0);
    file_cache_setup(&types, 512);
}

static void teardown(void)
{
    arena_clear(&arena);
    disk_remove_folder();
}

TestSuite(file_cache, .init = setup, .fini = teardown);

static int on_a_thread(void *test)
{
    (*(void (**)(void))test)();
    file_cache_free();
    return 0;
}

static void run(void (*test)(void))
{
    cr_assert_eq(green_run(&(struct green_options){.stack = 256 * 1024}, on_a_thread, &test), 0);
}

static int try_acquire_in(enum coding coding, unsigned wanted, struct str path, nsec fresh, struct file_entry **entry)
{
    struct file_root root = {.fd = disk_root};
    return file_acquire(&(struct file_query){&root, path, coding, wanted, fresh}, entry);
}

static int try_acquire(struct str path, nsec fresh, struct file_entry **entry)
{
    return try_acquire_in(CODING_NONE, 0, path, fresh, entry);
}

static struct file_entry *acquire(const char *path, nsec fresh)
{
    struct file_entry *entry = NULL;
    cr_assert_eq(try_acquire(str_of(path), fresh, &entry), 0, "%s", path);
    return entry;
}

static bool holds(const struct file_entry *entry, const char *content)
{
    return entry->bytes && str_eq((struct str){entry->bytes, (size_t)entry->version.size}, str_of(content));
}

static void expect_error(const char *path, int error)
{
    struct file_entry *entry = NULL;
    cr_expect_eq(try_acquire(str_of(path), ALWAYS, &entry), error, "%.40s", path);
    cr_expect_null(entry);
}

/* ---- errors ---- */

static void errors(void)
{
    static char longest[5001];
    cr_assert_eq(mkdirat(disk_root, "d", 0755), 0);
    for (int i = 0; i < 2; i++) { /* errors are not kept */
        expect_error("x", -ENOENT);
        expect_error("d", -EISDIR);
        expect_error("a.html/x", -ENOTDIR);
        expect_error("../x", -EXDEV);
        for (size_t n = 4094; n <= 4098; n++) {
            memset(longest, 'x', n);
            longest[n] = '\0';
            expect_error(longest, -ENAMETOOLONG);
        }
    }
    disk_write("x", "now", 3);
    struct file_entry *entry = acquire("x", ALWAYS);
    cr_expect(holds(entry, "now"));
    file_release(entry);
}

Test(file_cache, errors)
{
    run(errors);
}

static void gone(void)
{
    struct file_entry *entry = acquire("a.html", 0);
    cr_assert_eq(unlinkat(disk_root, "a.html", 0), 0);
    struct file_entry *again = NULL;
    cr_expect_eq(try_acquire(STR("a.html"), 0, &again), -ENOENT);
    cr_expect(holds(entry, "hello"), "what is being sent stays");
    file_release(entry);
    cr_expect_eq(try_acquire(STR("a.html"), ALWAYS, &again), -ENOENT);
}

Test(file_cache, a_file_that_is_gone)
{
    run(gone);
}

/* ---- fresh and stale ---- */

static void fresh(void)
{
    struct file_entry *first = acquire("a.html", ALWAYS);
    disk_write("a.html", "HELLO", 5);
    struct file_entry *second = acquire("a.html", ALWAYS);
    cr_expect_eq(first, second);
    cr_expect(holds(second, "hello"), "nobody has looked");
    file_release(first);
    file_release(second);
}

Test(file_cache, fresh)
{
    run(fresh);
}

static void stale(void)
{
    struct file_entry *first = acquire("a.html", 0), *second = acquire("a.html", 0);
    cr_expect_eq(first, second, "the disk has no other version");
    disk_write("a.html", "longer", 6);
    struct file_entry *third = acquire("a.html", 0);
    cr_expect_neq(first, third);
    cr_expect(holds(first, "hello"));
    cr_expect(holds(third, "longer"));
    cr_expect_not(str_eq(first->etag, third->etag));
    file_release(first);
    file_release(second);
    file_release(third);
    third = acquire("a.html", ALWAYS);
    cr_expect(holds(third, "longer"));
    file_release(third);
}

Test(file_cache, stale)
{
    run(stale);
}

/* A look that fails for want of something says nothing of the file. */
static void passing_failures(void)
{
    static const int errors_of[] = {EAGAIN, EMFILE, ENFILE, ENOMEM};
    struct file_entry *first, *again;
    disk_write("a.html.gz", "zipped", 6);
    cr_assert_eq(try_acquire_in(CODING_NONE, CODING_ALL, STR("a.html"), ALWAYS, &first), 0);
    for (size_t i = 0; i < sizeof errors_of / sizeof *errors_of; i++) {
        disk.openat2_errno = errors_of[i];
        cr_assert_eq(try_acquire_in(CODING_NONE, CODING_ALL, STR("a.html"), 0, &again), 0, "%s",
                     strerror(errors_of[i]));
        cr_expect_eq(again, first, "%s", strerror(errors_of[i]));
        cr_expect_eq(again->present, CODING_BIT(CODING_GZIP), "%s", strerror(errors_of[i]));
        cr_expect(str_ends(again->fields, STR("\r\nVary: Accept-Encoding\r\n")), STR_FMT, STR_ARG(again->fields));
        file_release(again);
        expect_error("x", -errors_of[i]);
    }
    disk.openat2_errno = EACCES;
    cr_expect_eq(try_acquire(STR("a.html"), 0, &again), -EACCES, "this one says something of it");
    cr_expect(holds(first, "hello"));
    file_release(first);
}

Test(file_cache, a_look_that_fails_for_want_of_something)
{
    run(passing_failures);
}

static void fields(void)
{
    cr_assert_eq(utimensat(disk_root, "a.html", (struct timespec[]){{0, 0}, {784111777, 0x0a}}, 0), 0);
    struct file_entry *entry = acquire("a.html", ALWAYS);
    cr_expect(str_eq(entry->fields, STR("Content-Type: text/html; charset=utf-8\r\n"
                                        "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                        "ETag: \"ae1b981bc490a0a-5\"\r\nAccept-Ranges: bytes\r\n")),
              STR_FMT, STR_ARG(entry->fields));
    cr_expect(str_eq(entry->etag, STR("\"ae1b981bc490a0a-5\"")), STR_FMT, STR_ARG(entry->etag));
    file_release(entry);
}

Test(file_cache, fields)
{
    run(fields);
}

/* The fields have room for the longest type there may be. */
static void long_type(void)
{
    static struct mime_types others;
    char text[300];
    unsigned line;
    snprintf(text, sizeof text, "text/%0251d html", 0);
    cr_expect_eq(http_mime_parse(&others, &arena, str_of(text), &line), -EBADMSG);
    snprintf(text, sizeof text, "text/%0250d html", 0);
    cr_assert_eq(http_mime_parse(&others, &arena, str_of(text), &line), 0);
    file_cache_setup(&others, 512);
    struct file_entry *entry = acquire("a.html", ALWAYS);
    cr_expect(str_starts(entry->fields, STR("Content-Type: text/0000")));
    cr_expect(str_ends(entry->fields, STR("-5\"\r\nAccept-Ranges: bytes\r\n")));
    file_release(entry);
}

Test(file_cache, a_long_type)
{
    run(long_type);
}

/* Files made from one file may have one size and one time, by `cp -p` or a build's own clock. */
static void tags(void)
{
    static const char *const names[] = {"a.html.br", "a.html.zst", "a.html.gz", "a.html"};
    struct file_entry *entries[CODING_COUNT + 1];
    for (enum coding coding = 0; coding <= CODING_NONE; coding++) {
        disk_write(names[coding], "bytes", 5);
        cr_assert_eq(utimensat(disk_root, names[coding], (struct timespec[]){{0, 0}, {784111777, 0}}, 0), 0);
        cr_assert_eq(try_acquire_in(coding, 0, STR("a.html"), ALWAYS, &entries[coding]), 0, "%s", names[coding]);
        for (enum coding other = 0; other < coding; other++)
            cr_expect_not(str_eq(entries[coding]->etag, entries[other]->etag), "%s and %s: " STR_FMT, names[coding],
                          names[other], STR_ARG(entries[coding]->etag));
    }
    for (enum coding coding = 0; coding <= CODING_NONE; coding++)
        file_release(entries[coding]);
}

Test(file_cache, tags_of_one_size_and_time)
{
    run(tags);
}

static void large(void)
{
    static char bytes[FILE_IN_MEMORY + 1];
    disk_write("large", bytes, sizeof bytes);
    struct file_entry *entry = acquire("large", ALWAYS);
    cr_expect_null(entry->bytes);
    cr_assert_geq(entry->fd, 0);
    int fd = entry->fd;
    file_release(entry);
    cr_expect_geq(fcntl(fd, F_GETFD), 0, "the cache keeps it open");
    disk_write("large", "small", 5);
    entry = acquire("large", 0);
    cr_expect(holds(entry, "small"));
    cr_expect_eq(fcntl(fd, F_GETFD), -1);
    file_release(entry);
}

Test(file_cache, a_large_file)
{
    run(large);
}

/* ---- one look for all ---- */

struct asker {
    struct green *thread;
    const char *path;
    struct file_entry *entry;
    int error;
};

static int ask(void *arg)
{
    struct asker *asker = arg;
    asker->error = try_acquire(str_of(asker->path), ALWAYS, &asker->entry);
    return 0;
}

static void start(struct asker *askers, size_t count, const char *path)
{
    disk.cold = true;
    atomic_store(&disk.held, true);
    for (size_t i = 0; i < count; i++) {
        askers[i] = (struct asker){.path = path};
        cr_assert_eq(green_spawn(&askers[i].thread, "asker", ask, &askers[i]), 0);
    }
    while (atomic_load(&disk.looks) == 0)
        cr_assert_eq(green_sleep(NSEC_MS), 0);
}

static void finish(struct asker *askers, size_t count)
{
    atomic_store(&disk.held, false);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(green_join(askers[i].thread, NULL, NSEC_NEVER), 0);
}

static void single_flight(void)
{
    struct asker askers[10];
    start(askers, 10, "a.html");
    finish(askers, 10);
    cr_expect_eq(atomic_load(&disk.looks), 1);
    for (size_t i = 0; i < 10; i++) {
        cr_expect_eq(askers[i].error, 0);
        cr_expect_eq(askers[i].entry, askers[0].entry);
        file_release(askers[i].entry);
    }
}

Test(file_cache, one_look_for_all)
{
    run(single_flight);
}

static void failing_flight(void)
{
    struct asker askers[10];
    start(askers, 10, "x");
    finish(askers, 10);
    cr_expect_eq(atomic_load(&disk.looks), 1);
    for (size_t i = 0; i < 10; i++)
        cr_expect_eq(askers[i].error, -ENOENT);
}

Test(file_cache, one_failure_for_all)
{
    run(failing_flight);
}

static void waiter_cancelled(void)
{
    struct asker askers[3];
    start(askers, 3, "a.html");
    green_cancel(askers[1].thread);
    cr_assert_eq(green_yield(), 0);
    finish(askers, 3);
    cr_expect_eq(askers[1].error, -ECANCELED);
    cr_expect_eq(askers[0].error, 0);
    cr_expect_eq(askers[2].error, 0);
    file_release(askers[0].entry);
    file_release(askers[2].entry);
}

Test(file_cache, who_waits_is_cancelled)
{
    run(waiter_cancelled);
}

/* The pool is busy, so the look of the first asker has not begun when it is cancelled. */
static void looker_cancelled(void)
{
    struct asker busy[4], askers[3];
    char names[4][8];
    for (size_t i = 0; i < 4; i++) {
        snprintf(names[i], sizeof names[i], "busy%zu", i);
        start(&busy[i], 1, names[i]);
    }
    while (atomic_load(&disk.looks) < 4)
        cr_assert_eq(green_sleep(NSEC_MS), 0);
    start(askers, 3, "a.html");
    cr_assert_eq(green_yield(), 0);
    green_cancel(askers[0].thread);
    cr_assert_eq(green_join(askers[0].thread, NULL, NSEC_NEVER), 0);
    finish(busy, 4);
    finish(askers + 1, 2);
    cr_expect_eq(askers[0].error, -ECANCELED);
    for (size_t i = 1; i < 3; i++) {
        cr_expect_eq(askers[i].error, 0, "the others were not cancelled: %d", askers[i].error);
        cr_assert_not_null(askers[i].entry);
        cr_expect(holds(askers[i].entry, "hello"));
        file_release(askers[i].entry);
    }
}

Test(file_cache, who_looks_is_cancelled)
{
    run(looker_cancelled);
}

static void stale_meanwhile(void)
{
    struct asker askers[2];
    struct file_entry *old = acquire("a.html", 0);
    old->checked = -2 * ALWAYS;
    disk_write("a.html", "new one", 7);
    start(askers, 2, "a.html");
    finish(askers, 2);
    cr_expect(holds(old, "hello"));
    cr_expect(holds(askers[0].entry, "new one"));
    cr_expect_eq(askers[0].entry, askers[1].entry);
    cr_expect_eq(atomic_load(&disk.looks), 1);
    file_release(old);
    file_release(askers[0].entry);
    file_release(askers[1].entry);
}

Test(file_cache, one_look_at_what_is_stale)
{
    run(stale_meanwhile);
}

static void evicted_meanwhile(void)
{
    struct asker asker;
    start(&asker, 1, "a.html");
    disk.cold = false;
    char name[16];
    for (int i = 0; i < 4200; i++) {
        snprintf(name, sizeof name, "f%d", i);
        disk_write(name, "x", 1);
        file_release(acquire(name, ALWAYS));
    }
    finish(&asker, 1);
    cr_expect_eq(asker.error, 0);
    cr_expect(holds(asker.entry, "hello"));
    file_release(asker.entry);
}

Test(file_cache, evicted_while_somebody_looks)
{
    run(evicted_meanwhile);
}

/* ---- eviction ---- */

static void eviction(void)
{
    char name[16];
    struct file_entry *kept = acquire("a.html", ALWAYS);
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "f%d", i);
        disk_write(name, "x", 1);
        file_release(acquire(name, ALWAYS));
        if (i % 100 == 0)
            file_release(acquire("f0", ALWAYS));
    }
    cr_expect_not(kept->cached, "the least recently used one is gone from the cache, not from its user");
    cr_expect(holds(kept, "hello"));
    struct file_entry *used = acquire("f0", ALWAYS);
    disk_write("f0", "y", 1);
    cr_expect(holds(used, "x"), "one in use stays");
    file_release(used);
    disk_write("f1", "y", 1);
    used = acquire("f1", ALWAYS);
    cr_expect(holds(used, "y"), "and is looked for again");
    file_release(used);
    file_release(kept);
}

Test(file_cache, the_least_recently_used_go)
{
    run(eviction);
}

static void descriptors(void)
{
    static char bytes[FILE_IN_MEMORY + 1];
    char name[16];
    for (int i = 0; i < 600; i++) {
        snprintf(name, sizeof name, "l%d", i);
        disk_write(name, bytes, sizeof bytes);
        file_release(acquire(name, ALWAYS));
    }
    int open_now = 0;
    for (int fd = 0; fd < 1024; fd++)
        open_now += fcntl(fd, F_GETFD) >= 0;
    cr_expect_lt(open_now, 560);
}

Test(file_cache, not_all_descriptors)
{
    run(descriptors);
}

Test(file_cache, ends_unused)
{
    file_cache_free();
}
