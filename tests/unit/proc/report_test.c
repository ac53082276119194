/* report_test.c: reports that are none, and those of green threads with all kinds of texts. */
#include "proc/report.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static int sealed(struct str bytes)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, bytes.p, bytes.n), (ssize_t)bytes.n);
    cr_assert_eq(fcntl(fd, F_ADD_SEALS, SEALS), 0);
    return fd;
}

static void expect_error(int fd, int error, const char *what)
{
    struct report report;
    cr_expect_eq(report_read(&report, fd), error, "%s", what);
    cr_expect_null(report.bytes);
    close(fd);
}

/* A head and a thread, of which a test breaks one thing. */
struct whole {
    struct report_head head;
    struct report_thread thread;
    char texts[8];
};

static struct whole make_whole(void)
{
    return (struct whole){.head = {.outcome = REPORT_FINE, .total = 1},
                          .thread = {.number = 1, .fd = -1, .lengths = {[REPORT_NAME] = 3, [REPORT_REQUEST] = 5}},
                          .texts = "abcdefgh"};
}

#define expect_broken(change)                                                                                          \
    do {                                                                                                               \
        struct whole broken = make_whole();                                                                            \
        broken.change;                                                                                                 \
        expect_error(sealed((struct str){(const char *)&broken, sizeof broken}), -EBADMSG, #change);                   \
    } while (0)

Test(thread_report, threads_that_cannot_be)
{
    struct whole whole = make_whole();
    int fd = sealed((struct str){(const char *)&whole, sizeof whole});
    struct report report;
    cr_assert_eq(report_read(&report, fd), 0);
    cr_expect_eq(report.count, 1);
    report_free(&report);
    close(fd);
    expect_broken(head.outcome = REPORT_OUTCOMES);
    expect_broken(head.outcome = UINT64_MAX);
    expect_broken(thread.number = 0);
    expect_broken(thread.standing = GREEN_STANDS_RUNNING + 1);
    expect_broken(thread.wait = GREEN_WAITS_COUNT);
    expect_broken(thread.wait = UINT8_MAX);
    expect_broken(thread.cancelled = 2);
    expect_broken(thread.lengths[REPORT_NAME] = 4);
    expect_broken(thread.lengths[REPORT_NAME] = 2);
    expect_broken(thread.lengths[REPORT_TRACE] = UINT16_MAX);
}

Test(thread_report, every_length_but_the_whole_is_wrong)
{
    struct whole whole = make_whole();
    for (size_t n = 0; n < sizeof whole; n++) {
        int fd = sealed((struct str){(const char *)&whole, n});
        if (n == sizeof whole.head) {
            struct report report;
            cr_expect_eq(report_read(&report, fd), 0, "one without threads");
            report_free(&report);
            close(fd);
        } else {
            expect_error(fd, -EBADMSG, "cut");
        }
    }
}

Test(thread_report, what_could_change_or_keep_us_waiting)
{
    int pipes[2];
    struct whole whole = make_whole();
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    cr_assert_eq(write(fd, &whole, sizeof whole), (ssize_t)sizeof whole);
    cr_assert_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_WRITE), 0);
    expect_error(fd, -EBADMSG, "it may shrink");
    fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    cr_assert_eq(write(fd, &whole, sizeof whole), (ssize_t)sizeof whole);
    cr_assert_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
    expect_error(fd, -EBADMSG, "it may be written");
    cr_assert_eq(pipe(pipes), 0);
    expect_error(pipes[0], -EBADMSG, "a pipe");
    expect_error(pipes[1], -EBADMSG, "the other end");
    expect_error(open("/dev/zero", O_RDONLY | O_CLOEXEC), -EBADMSG, "a device");
    expect_error(open("/proc/self/maps", O_RDONLY | O_CLOEXEC), -EBADMSG, "a file of the kernel");
}

Test(thread_report, one_that_is_too_large_is_not_even_read)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    cr_assert_eq(ftruncate(fd, (off_t)1 << 40), 0);
    cr_assert_eq(fcntl(fd, F_ADD_SEALS, SEALS), 0);
    expect_error(fd, -EFBIG, "a terabyte of nothing");
}

/* ---- what is written can be read ---- */

static int write_threads(size_t count, const struct str texts[static REPORT_TEXTS])
{
    struct report_writer *writer = report_begin();
    cr_assert_not_null(writer);
    for (size_t i = 1; i <= count; i++)
        report_add(writer, &(struct report_thread){.number = i, .depth = 3 * i, .fd = -1}, texts);
    return report_end(writer, &(struct report_head){.outcome = REPORT_FINE, .total = count});
}

Test(thread_report, many_threads)
{
    enum { MANY = 20000 };
    const struct str texts[REPORT_TEXTS] = {
        [REPORT_NAME] = STR("connection"), [REPORT_REQUEST] = STR("GET /?... HTTP/1.1"), [REPORT_PEER] = STR("")};
    struct report report;
    struct report_entry entry;
    size_t at = 0, seen = 0;
    int fd = write_threads(MANY, texts);
    cr_assert_geq(fd, 0);
    cr_assert_eq(report_read(&report, fd), 0);
    cr_expect_eq(report.count, MANY);
    cr_expect_eq(report.head.total, MANY);
    while (report_next(&report, &at, &entry)) {
        seen++;
        cr_assert(entry.thread.number == seen && entry.thread.depth == 3 * seen);
        for (size_t i = 0; i < REPORT_TEXTS; i++)
            cr_assert(str_eq(entry.texts[i], texts[i]));
    }
    cr_expect_eq(seen, MANY);
    report_free(&report);
    close(fd);
}

Test(thread_report, texts_without_end_are_cut_and_a_report_without_end_stops)
{
    enum { LONG = 100000, MANY = 10000 };
    char *text = malloc(LONG);
    cr_assert_not_null(text);
    memset(text, 'x', LONG);
    struct str texts[REPORT_TEXTS];
    for (size_t i = 0; i < REPORT_TEXTS; i++)
        texts[i] = (struct str){text, LONG};
    struct report report;
    struct report_entry entry;
    size_t at = 0;
    int fd = write_threads(MANY, texts);
    cr_assert_geq(fd, 0);
    cr_assert_eq(report_read(&report, fd), 0);
    cr_expect(report.count > 1000 && report.count < MANY, "%zu", report.count);
    cr_expect_eq(report.head.total, MANY);
    cr_assert(report_next(&report, &at, &entry));
    cr_expect_eq(entry.texts[REPORT_REQUEST].n, REPORT_TEXT_MAX);
    cr_expect_eq(entry.texts[REPORT_TRACE].n, REPORT_TRACE_MAX);
    report_free(&report);
    close(fd);
    free(text);
}
