/* access_test.c: lines of the access log, what a peer can do to them, and files that can't be written. */
#include "log/access.h"

#include "log/log.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { NOW = 1795348800 }; /* 22 Nov 2026 12:00:00 UTC */

static char directory[] = "/tmp/tern-access-XXXXXX", path[64], errors[64];
static char *text;
static struct access_log *access_log;

static const struct access_entry plain = {
    .time = NOW,
    .client = STR_INIT("192.0.2.1"),
    .method = STR_INIT("GET"),
    .target = STR_INIT("/hello.txt?a=b"),
    .version = STR_INIT("HTTP/1.1"),
    .user_agent = STR_INIT("Mozilla/5.0 (X11; Linux x86_64)"),
    .status = 200,
    .bytes = 13,
};

#define PLAIN_LINE                                                                                                     \
    "192.0.2.1 - - [22/Nov/2026:12:00:00 +0000] \"GET /hello.txt?a=b HTTP/1.1\" 200 13 \"-\" "                         \
    "\"Mozilla/5.0 (X11; Linux x86_64)\"\n"

static void setup(void)
{
    setenv("TZ", "UTC", 1);
    cr_assert_not_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/access.log", directory);
    snprintf(errors, sizeof errors, "%s/error.log", directory);
    cr_assert_eq(log_open(str_of(errors), LOG_LEVEL_INFO), 0);
}

static void teardown(void)
{
    access_close(access_log);
    free(text);
    unlink(path);
    unlink(errors);
    rmdir(directory);
}

TestSuite(access, .init = setup, .fini = teardown);

static void open_log(const char *file)
{
    cr_assert_eq(access_open(&access_log, str_of(file), STR("combined"), ACCESS_BUFFER_MIN), 0);
}

static const char *contents(const char *file)
{
    struct stat info;
    int fd = open(file, O_RDONLY);
    cr_assert_geq(fd, 0);
    cr_assert_eq(fstat(fd, &info), 0);
    free(text);
    text = malloc((size_t)info.st_size + 1);
    cr_assert_not_null(text);
    cr_assert_eq(read(fd, text, (size_t)info.st_size), info.st_size);
    text[info.st_size] = '\0';
    close(fd);
    return text;
}

static size_t count_lines(const char *lines)
{
    size_t count = 0;
    for (; (lines = strchr(lines, '\n')); lines++)
        count++;
    return count;
}

static void expect_line(const struct access_entry *entry, const char *line)
{
    cr_assert_eq(truncate(path, 0), 0);
    access_write(access_log, entry);
    access_flush(access_log);
    cr_expect_str_eq(contents(path), line);
}

Test(access, what_cannot_be_opened_is_refused)
{
    static char long_name[8192];
    struct access_log *log = NULL;
    memset(long_name, 'x', sizeof long_name - 1);
    cr_expect_eq(access_open(&log, STR("/nowhere/access.log"), STR("combined"), ACCESS_BUFFER_MIN), -ENOENT);
    cr_expect_eq(access_open(&log, str_of(directory), STR("combined"), ACCESS_BUFFER_MIN), -EISDIR);
    cr_expect_eq(access_open(&log, str_of(long_name), STR("combined"), ACCESS_BUFFER_MIN), -ENAMETOOLONG);
    cr_expect_eq(access_open(&log, str_of(path), STR("common"), ACCESS_BUFFER_MIN), -EINVAL);
    cr_expect_eq(access_open(&log, str_of(path), STR(""), ACCESS_BUFFER_MIN), -EINVAL);
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_expect_eq(access_open(&log, str_of(path), STR("combined"), ACCESS_BUFFER_MIN), -ENXIO,
                 "a FIFO without a reader");
    cr_expect_null(log);
    access_close(NULL);
}

Test(access, the_combined_format)
{
    open_log(path);
    expect_line(&plain, PLAIN_LINE);
    struct access_entry e = plain;
    e.user = STR("alice");
    e.referer = STR("http://example.org/");
    e.bytes = UINT64_MAX;
    e.status = 304;
    expect_line(&e, "192.0.2.1 - alice [22/Nov/2026:12:00:00 +0000] \"GET /hello.txt?a=b HTTP/1.1\" 304 "
                    "18446744073709551615 \"http://example.org/\" \"Mozilla/5.0 (X11; Linux x86_64)\"\n");
}

Test(access, a_request_that_was_never_parsed)
{
    open_log(path);
    expect_line(&(struct access_entry){.time = NOW, .status = 400},
                "- - - [22/Nov/2026:12:00:00 +0000] \"-\" 400 0 \"-\" \"-\"\n");
    expect_line(&(struct access_entry){.time = NOW, .target = STR("\x16\x03\x01\""), .status = 400},
                "- - - [22/Nov/2026:12:00:00 +0000] \"\\x16\\x03\\x01\\x22\" 400 0 \"-\" \"-\"\n");
    expect_line(&(struct access_entry){.time = NOW, .method = STR("GET"), .version = STR("x"), .status = 400},
                "- - - [22/Nov/2026:12:00:00 +0000] \"GET x\" 400 0 \"-\" \"-\"\n");
}

Test(access, nobody_forges_a_line_or_leaves_a_field)
{
    open_log(path);
    struct access_entry e = plain;
    e.target = STR("/\" 200 0 \"-\" \"-\"\r\n192.0.2.9 - -");
    e.referer = STR("\\\" \\");
    e.user_agent = STR("\0\x7f\x80\xc3\xa4\n");
    expect_line(&e, "192.0.2.1 - - [22/Nov/2026:12:00:00 +0000] "
                    "\"GET /\\x22 200 0 \\x22-\\x22 \\x22-\\x22\\x0D\\x0A192.0.2.9 - - HTTP/1.1\" 200 13 "
                    "\"\\x5C\\x22 \\x5C\" \"\\x00\\x7F\\x80\\xC3\\xA4\\x0A\"\n");
}

Test(access, local_time_follows_the_clock)
{
    setenv("TZ", "XXX-05:30", 1);
    open_log(path);
    struct access_entry e = plain;
    const char *const times[] = {"[22/Nov/2026:17:30:00 +0530]", "[22/Nov/2026:17:30:01 +0530]",
                                 "[22/Nov/2026:17:29:59 +0530]", "[01/Jan/1970:05:30:00 +0530]"};
    const int64_t seconds[] = {NOW, NOW + 1, NOW - 1, 0};
    for (size_t i = 0; i < 4; i++) {
        e.time = seconds[i];
        cr_assert_eq(truncate(path, 0), 0);
        access_write(access_log, &e);
        access_flush(access_log);
        cr_expect_not_null(strstr(contents(path), times[i]), "%s: %s", times[i], text);
    }
    e.time = INT64_MAX;
    access_write(access_log, &e);
    access_flush(access_log);
    cr_expect_not_null(strstr(contents(path), " [] "), "a year that no calendar has");
}

Test(access, a_field_is_cut_at_8_KiB)
{
    static char long_text[40000];
    memset(long_text, 'a', sizeof long_text);
    open_log(path);
    struct access_entry e = plain;
    e.target = (struct str){long_text, 8192};
    access_write(access_log, &e);
    access_flush(access_log);
    cr_expect_null(strstr(contents(path), "..."), "8 KiB are not cut");
    cr_assert_eq(truncate(path, 0), 0);
    e.target.n = sizeof long_text;
    access_write(access_log, &e);
    access_flush(access_log);
    cr_expect_not_null(strstr(contents(path), "a... HTTP/1.1\" 200 13 "));
    cr_expect_lt(strlen(text), 8192 + 200);
}

/* The longest line there is: every field too long, every byte escaped. */
Test(access, even_the_longest_line_is_written)
{
    static char long_text[40000];
    memset(long_text, '\n', sizeof long_text);
    struct str l = {long_text, sizeof long_text};
    const struct access_entry e = {NOW, l, l, l, l, l, l, l, 999, UINT64_MAX};
    open_log(path);
    for (int i = 0; i < 3; i++) {
        access_write(access_log, &plain);
        access_write(access_log, &e);
    }
    access_flush(access_log);
    cr_expect_eq(count_lines(contents(path)), 6);
    cr_expect_gt(strlen(text), 3 * 7 * 8000);
    cr_expect_eq(access_lost(access_log), 0);
    cr_expect_eq(memcmp(text, PLAIN_LINE "\\x0A", sizeof PLAIN_LINE + 3), 0);
}

Test(access, lines_wait_in_the_buffer)
{
    open_log(path);
    cr_expect_not(access_pending(access_log));
    for (int i = 0; i < 100; i++)
        access_write(access_log, &plain);
    cr_expect(access_pending(access_log));
    cr_expect_str_eq(contents(path), "");
    access_flush(access_log);
    cr_expect_not(access_pending(access_log));
    cr_expect_eq(count_lines(contents(path)), 100);
    access_write(access_log, &plain);
    access_close(access_log);
    access_log = NULL;
    cr_expect_eq(count_lines(contents(path)), 101, "closing writes what is left");
}

Test(access, a_full_buffer_is_written_in_whole_lines)
{
    open_log(path);
    size_t writes = 0, size = 0;
    for (int i = 0; i < 5000; i++) {
        struct stat info;
        access_write(access_log, &plain);
        cr_assert_eq(stat(path, &info), 0);
        writes += (size_t)info.st_size != size;
        size = (size_t)info.st_size;
        cr_assert_eq(size % (sizeof PLAIN_LINE - 1), 0);
    }
    cr_expect_gt(writes, 2);
    cr_expect_lt(writes, 20, "many lines in one write");
    access_flush(access_log);
    cr_expect_eq(count_lines(contents(path)), 5000);
}

Test(access, appends_to_what_is_there)
{
    open_log(path);
    access_write(access_log, &plain);
    access_close(access_log);
    open_log(path);
    access_write(access_log, &plain);
    access_flush(access_log);
    cr_expect_str_eq(contents(path), PLAIN_LINE PLAIN_LINE);
}

Test(access, a_full_disk_costs_lines_that_are_counted_and_one_error)
{
    open_log("/dev/full");
    for (int i = 0; i < 3000; i++) {
        access_write(access_log, &plain);
        if (i % 100 == 0)
            access_flush(access_log);
    }
    access_flush(access_log);
    cr_expect_gt(access_lost(access_log), 1000);
    cr_expect_lt(access_lost(access_log), 3000, "the last ones are still waiting");
    cr_expect_not_null(strstr(contents(errors), "access log /dev/full: No space left on device"));
    cr_expect_eq(count_lines(text), 1);
}

/* A disk that fills up in the middle of a line: RLIMIT_FSIZE cuts a write short, then refuses. */
Test(access, goes_on_where_it_was_once_there_is_room_again)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    open_log(path);
    for (int i = 0; i < 100; i++)
        access_write(access_log, &plain);
    rlim_t full = limit.rlim_cur;
    limit.rlim_cur = 10 * (sizeof PLAIN_LINE - 1) + 20;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    access_flush(access_log);
    cr_expect(access_pending(access_log));
    for (int i = 0; i < 2000; i++)
        access_write(access_log, &plain);
    limit.rlim_cur = full;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    access_flush(access_log);
    const char *at = contents(path);
    cr_expect_eq(count_lines(at) + access_lost(access_log), 2100, "each line is in the file or counted");
    cr_expect_gt(access_lost(access_log), 0);
    for (; *at; at += sizeof PLAIN_LINE - 1)
        cr_assert_eq(strncmp(at, PLAIN_LINE, sizeof PLAIN_LINE - 1), 0, "a broken line at %td", at - text);
    cr_expect_not_null(strstr(contents(errors), "File too large"));
    cr_expect_not_null(strstr(text, "can be written again"));
}

Test(access, a_slow_reader_never_makes_us_wait)
{
    cr_assert_eq(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    cr_assert_geq(reader, 0);
    open_log(path);
    for (int i = 0; i < 5000; i++)
        access_write(access_log, &plain);
    cr_expect_gt(access_lost(access_log), 0);
    cr_expect_not_null(strstr(contents(errors), "nobody reads it fast enough"));
    size_t bytes = 0;
    for (ssize_t n = 1; n > 0;) {
        char some[70000];
        access_flush(access_log);
        n = read(reader, some, sizeof some);
        bytes += n > 0 ? (size_t)n : 0;
    }
    cr_expect_not(access_pending(access_log));
    cr_expect_eq(bytes, (5000 - access_lost(access_log)) * (sizeof PLAIN_LINE - 1),
                 "whole lines, and all but the lost");
    close(reader);
}
