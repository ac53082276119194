/* access_test.c: lines of the access log, what a peer can do to them, files that can't be written, other files. */
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
static struct arena arena;
static const struct access_format *combined;
static struct access_log *access_log;

struct fields {
    struct str referer, user_agent;
};

static struct str field_of(const void *request, struct str name)
{
    const struct fields *fields = request;
    return str_eq(name, STR("Referer")) ? fields->referer : fields->user_agent;
}

static const struct fields no_fields, agent = {.user_agent = STR_INIT("Mozilla/5.0 (X11; Linux x86_64)")};

static const struct access_entry plain = {
    .time = NOW,
    .client = STR_INIT("192.0.2.1"),
    .line = STR_INIT("GET /hello.txt?a=b HTTP/1.1"),
    .status = 200,
    .bytes = 13,
    .request = &agent,
    .field = field_of,
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
    struct str wrong;
    arena_init(&arena, NULL, 0);
    cr_assert_eq(access_format_compile(&combined, &arena, STR("combined"), &wrong), 0);
}

static void teardown(void)
{
    access_close(access_log);
    arena_clear(&arena);
    free(text);
    unlink(path);
    unlink(errors);
    rmdir(directory);
}

TestSuite(access, .init = setup, .fini = teardown);

static void open_log(const char *file)
{
    cr_assert_eq(access_open(&access_log, str_of(file), combined, ACCESS_BUFFER_MIN), 0);
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
    cr_expect_eq(access_open(&log, STR("/nowhere/access.log"), combined, ACCESS_BUFFER_MIN), -ENOENT);
    cr_expect_eq(access_open(&log, str_of(directory), combined, ACCESS_BUFFER_MIN), -EISDIR);
    cr_expect_eq(access_open(&log, str_of(long_name), combined, ACCESS_BUFFER_MIN), -ENAMETOOLONG);
    cr_expect_eq(access_open(&log, str_of(path), combined, ACCESS_BUFFER_MIN - 1), -EINVAL);
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_expect_eq(access_open(&log, str_of(path), combined, ACCESS_BUFFER_MIN), -ENXIO, "a FIFO without a reader");
    cr_expect_null(log);
    access_close(NULL);
}

Test(access, the_combined_format)
{
    open_log(path);
    expect_line(&plain, PLAIN_LINE);
    struct access_entry e = plain;
    struct fields fields = agent;
    e.request = &fields;
    e.user = STR("alice");
    fields.referer = STR("http://example.org/");
    e.bytes = UINT64_MAX;
    e.status = 304;
    expect_line(&e, "192.0.2.1 - alice [22/Nov/2026:12:00:00 +0000] \"GET /hello.txt?a=b HTTP/1.1\" 304 "
                    "18446744073709551615 \"http://example.org/\" \"Mozilla/5.0 (X11; Linux x86_64)\"\n");
}

Test(access, a_request_that_was_never_parsed)
{
    struct access_entry e = {.time = NOW, .status = 400, .request = &no_fields, .field = field_of};
    open_log(path);
    expect_line(&e, "- - - [22/Nov/2026:12:00:00 +0000] \"-\" 400 0 \"-\" \"-\"\n");
    e.line = STR("\x16\x03\x01\"");
    expect_line(&e, "- - - [22/Nov/2026:12:00:00 +0000] \"\\x16\\x03\\x01\\x22\" 400 0 \"-\" \"-\"\n");
    e.line = STR("GET  x");
    e.status = 0;
    expect_line(&e, "- - - [22/Nov/2026:12:00:00 +0000] \"GET  x\" - 0 \"-\" \"-\"\n");
}

Test(access, nobody_forges_a_line_or_leaves_a_field)
{
    open_log(path);
    struct access_entry e = plain;
    const struct fields fields = {STR("\\\" \\"), STR("\0\x7f\x80\xc3\xa4\n")};
    e.request = &fields;
    e.line = STR("GET /\" 200 0 \"-\" \"-\"\r\n192.0.2.9 - - HTTP/1.1");
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

/* Every value too long, every byte escaped, and a buffer that other lines have begun to fill. */
Test(access, even_the_longest_line_is_written)
{
    static char long_text[40000];
    memset(long_text, '\n', sizeof long_text);
    struct str l = {long_text, sizeof long_text};
    const struct fields fields = {l, l};
    struct access_entry e = plain;
    e.user = e.line = l;
    e.request = &fields;
    open_log(path);
    for (int i = 0; i < 3; i++) {
        access_write(access_log, &plain);
        access_write(access_log, &e);
    }
    access_flush(access_log);
    cr_expect_eq(count_lines(contents(path)), 6);
    cr_expect_gt(strlen(text), 3 * 4 * 8000);
    cr_expect_eq(access_lost(access_log), 0);
    cr_expect_eq(memcmp(text, PLAIN_LINE "192.0.2.1 - \\x0A", sizeof PLAIN_LINE + 15), 0);
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

/* ---- another file ---- */

static char rotated[80];

static void rotate(void)
{
    snprintf(rotated, sizeof rotated, "%s.1", path);
    cr_assert_eq(rename(path, rotated), 0);
}

static void expect_lines(const char *file, size_t count)
{
    cr_expect_eq(count_lines(contents(file)), count, "%s: %s", file, text);
}

Test(access, a_reopen_that_fails_leaves_the_log_where_it_is)
{
    char moved[80];
    snprintf(moved, sizeof moved, "%s.away", directory);
    open_log(path);
    cr_assert_eq(rename(directory, moved), 0);
    cr_expect_eq(access_reopen(access_log), -ENOENT, "the directory has vanished");
    access_write(access_log, &plain);
    access_flush(access_log);
    cr_assert_eq(rename(moved, directory), 0);
    expect_lines(path, 1);
    rotate();
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_expect_eq(access_reopen(access_log), -ENXIO, "a FIFO without a reader");
    access_write(access_log, &plain);
    access_flush(access_log);
    expect_lines(rotated, 2);
    unlink(rotated);
}

Test(access, a_file_that_reopen_creates_is_like_the_old_one)
{
    static const mode_t modes[] = {0600, 0640, 0666, 0604};
    umask(077);
    for (size_t i = 0; i < 4; i++) {
        struct stat info;
        open_log(path);
        cr_assert_eq(fchmod(access_fd(access_log), modes[i]), 0);
        if (geteuid() == 0)
            cr_assert_eq(fchown(access_fd(access_log), 12345, 54321), 0);
        rotate();
        cr_assert_eq(access_reopen(access_log), 0);
        cr_assert_eq(stat(path, &info), 0);
        cr_expect_eq(info.st_mode & 07777, modes[i], "%o", (unsigned)info.st_mode);
        cr_expect(geteuid() != 0 || (info.st_uid == 12345 && info.st_gid == 54321));
        access_close(access_log);
        access_log = NULL;
        unlink(path);
        unlink(rotated);
    }
}

Test(access, a_file_that_is_there_keeps_its_mode)
{
    struct stat info;
    open_log(path);
    rotate();
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    cr_assert_geq(fd, 0);
    cr_assert_eq(fchmod(fd, 0644), 0);
    close(fd);
    cr_assert_eq(access_reopen(access_log), 0);
    cr_assert_eq(stat(path, &info), 0);
    cr_expect_eq(info.st_mode & 07777, 0644);
    unlink(rotated);
}

/* A worker: its log is a copy of its master's, which hands it the descriptor of the new file. */
Test(access, lines_that_waited_go_to_the_old_file)
{
    open_log(path);
    access_write(access_log, &plain);
    access_write(access_log, &plain);
    int number = access_fd(access_log);
    rotate();
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    cr_assert_geq(fd, 0);
    access_take(access_log, fd);
    cr_expect_eq(access_fd(access_log), number);
    cr_expect_eq(fcntl(fd, F_GETFD), -1, "it is closed");
    cr_expect(fcntl(number, F_GETFD) & FD_CLOEXEC);
    access_write(access_log, &plain);
    access_flush(access_log);
    expect_lines(rotated, 2);
    expect_lines(path, 1);
    unlink(rotated);
}

/* The old disk is full in the middle of a line: what is whole goes to the new file, the broken line is counted. */
Test(access, a_line_is_not_continued_in_another_file)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    open_log(path);
    for (int i = 0; i < 10; i++)
        access_write(access_log, &plain);
    limit.rlim_cur = 4 * (sizeof PLAIN_LINE - 1) + 20;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    rotate();
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    cr_assert_geq(fd, 0);
    access_take(access_log, fd);
    limit.rlim_cur = limit.rlim_max;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    access_flush(access_log);
    cr_expect_eq(access_lost(access_log), 1);
    expect_lines(rotated, 4);
    expect_lines(path, 5);
    for (const char *at = text; *at; at += sizeof PLAIN_LINE - 1)
        cr_assert_eq(strncmp(at, PLAIN_LINE, sizeof PLAIN_LINE - 1), 0, "a broken line: %s", at);
    unlink(rotated);
}

Test(access, a_descriptor_that_is_none_is_not_taken)
{
    open_log(path);
    access_take(access_log, 9999);
    access_write(access_log, &plain);
    access_flush(access_log);
    expect_lines(path, 1);
    cr_expect_not_null(strstr(contents(errors), "the new file cannot be taken: Bad file descriptor"));
}
