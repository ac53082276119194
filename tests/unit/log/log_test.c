/* log_test.c: lines in a file, on stderr, in the journal and in syslog; lines that can't be written; the limiter. */
#include "log/log.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define STAMP "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3} "

static char directory[] = "/tmp/tern-log-XXXXXX", path[64], text[16384];
static int saved_stderr;

static void setup(void)
{
    cr_assert_not_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/error.log", directory);
    saved_stderr = dup(STDERR_FILENO);
    unsetenv("JOURNAL_STREAM");
}

static void teardown(void)
{
    cr_assert_eq(log_open(STR("stderr"), LOG_LEVEL_NOTICE), 0);
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    unlink(path);
    rmdir(directory);
}

TestSuite(log, .init = setup, .fini = teardown);

static void open_log(enum log_level threshold)
{
    cr_assert_eq(log_open(str_of(path), threshold), 0);
}

static int append_to_path(void)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    cr_assert_geq(fd, 0);
    return fd;
}

/* stderr becomes the file at `path`. */
static void redirect_stderr(void)
{
    int fd = append_to_path();
    cr_assert_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    close(fd);
}

static const char *contents(const char *file)
{
    int fd = open(file, O_RDONLY);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    cr_assert_geq(n, 0);
    close(fd);
    text[n] = '\0';
    return text;
}

static void expect_match(const char *found, const char *pattern)
{
    regex_t regex;
    cr_assert_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    cr_expect_eq(regexec(&regex, found, 0, NULL, 0), 0, "\"%s\" does not match %s", found, pattern);
    regfree(&regex);
}

Test(log, a_target_that_cannot_be_opened_changes_nothing)
{
    static char long_name[8192];
    memset(long_name, 'x', sizeof long_name - 1);
    open_log(LOG_LEVEL_INFO);
    cr_expect_eq(log_open(STR("/nowhere/error.log"), LOG_LEVEL_ERROR), -ENOENT);
    cr_expect_eq(log_open(str_of(directory), LOG_LEVEL_ERROR), -EISDIR);
    cr_expect_eq(log_open(STR(""), LOG_LEVEL_ERROR), -ENOENT);
    cr_expect_eq(log_open(str_of(long_name), LOG_LEVEL_ERROR), -ENAMETOOLONG);
    cr_expect_eq(log_open(STR("syslog:/nowhere/log"), LOG_LEVEL_ERROR), -ENOENT);
    snprintf(long_name, sizeof long_name, "syslog:/%0200d", 0);
    cr_expect_eq(log_open(str_of(long_name), LOG_LEVEL_ERROR), -ENAMETOOLONG);
    cr_expect_eq(log_threshold, LOG_LEVEL_INFO);
    log_info("still here");
    expect_match(contents(path), "still here\n$");
}

/* Whose link it is decides, for a log of errors when it is opened and when it is reopened. */
Test(log, of_links_only_those_of_root_and_our_own_are_followed)
{
    enum { NOBODY = 65534 };
    char target[sizeof path + 8];
    if (geteuid() != 0)
        cr_skip_test("needs root, to give a link away");
    snprintf(target, sizeof target, "%s.target", path);
    cr_assert_eq(symlink(target, path), 0);
    cr_assert_eq(lchown(path, NOBODY, NOBODY), 0);
    cr_expect_eq(log_open(str_of(path), LOG_LEVEL_NOTICE), -ELOOP);
    cr_expect_neq(access(target, F_OK), 0, "the link of somebody else is followed");

    cr_assert_eq(lchown(path, 0, 0), 0);
    open_log(LOG_LEVEL_NOTICE);
    log_notice("followed");
    cr_expect_not_null(strstr(contents(target), "followed"));

    cr_assert_eq(lchown(path, NOBODY, NOBODY), 0);
    cr_assert_eq(unlink(target), 0);
    cr_expect_eq(log_reopen(), -ELOOP);
    cr_expect_neq(access(target, F_OK), 0, "a reopen follows the link of somebody else");
}

Test(log, a_fifo_without_a_reader_does_not_hang)
{
    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_expect_eq(log_open(str_of(path), LOG_LEVEL_INFO), -ENXIO);
}

Test(log, a_line)
{
    char pattern[128];
    open_log(LOG_LEVEL_DEBUG);
    snprintf(pattern, sizeof pattern, STAMP "warn \\[%d\\] disk 93%% full\n$", (int)getpid());
    log_warn("disk %d%% full", 93);
    expect_match(contents(path), pattern);
}

Test(log, what_is_below_the_level_is_not_written)
{
    open_log(LOG_LEVEL_WARN);
    log_debug("a");
    log_info("b");
    log_notice("c");
    cr_expect_str_eq(contents(path), "");
    log_warn("d");
    log_error("e");
    expect_match(contents(path), STAMP "warn [^ ]+ d\n[^\n]+ error [^ ]+ e\n$");
}

Test(log, arguments_below_the_level_are_not_evaluated)
{
    int calls = 0;
    open_log(LOG_LEVEL_WARN);
    log_info("%d", ++calls);
    log_limited(LOG_LEVEL_INFO, "%d", ++calls);
    cr_expect_eq(calls, 0);
    log_warn("%d", ++calls);
    cr_expect_eq(calls, 1);
}

Test(log, names_of_levels)
{
    cr_expect_str_eq(log_level_names[LOG_LEVEL_DEBUG], "debug");
    cr_expect_str_eq(log_level_names[LOG_LEVEL_ERROR], "error");
    cr_expect_null(log_level_names[LOG_LEVEL_ERROR + 1]);
}

Test(log, nobody_forges_a_line)
{
    open_log(LOG_LEVEL_INFO);
    log_info("no file %s", "a\n2026-11-22 23:45:24.123 error [1] \x1b[2J\xc3\xa4");
    expect_match(contents(path), STAMP "info [^ ]+ no file a\\\\x0A2026[^\n]*\\\\x1B\\[2J\\\\xC3\\\\xA4\n$");
}

Test(log, a_long_line_is_cut)
{
    char argument[5000];
    memset(argument, 'x', sizeof argument);
    argument[sizeof argument - 1] = '\0';
    open_log(LOG_LEVEL_INFO);
    log_info("%s", argument);
    log_info("next");
    const char *end = strchr(contents(path), '\n');
    cr_assert_not_null(end);
    cr_expect_lt(end - text, 2048);
    cr_expect_gt(end - text, 1900);
    cr_expect_eq(memcmp(end - 4, "x...", 4), 0);
    expect_match(end + 1, "next\n$");
    cr_assert_eq(truncate(path, 0), 0);
    memset(argument, '\n', sizeof argument - 1);
    log_info("%s", argument);
    expect_match(contents(path), "x0A\\.\\.\\.\n$");
    cr_expect_leq(strlen(text), 2048);
}

Test(log, leaves_errno_alone)
{
    cr_assert_eq(log_open(STR("/dev/full"), LOG_LEVEL_INFO), 0);
    errno = ENOTTY;
    log_error("x");
    cr_expect_eq(errno, ENOTTY);
}

Test(log, stderr_gets_the_same_lines)
{
    redirect_stderr();
    cr_assert_eq(log_open(STR("stderr"), LOG_LEVEL_INFO), 0);
    log_notice("hello");
    expect_match(contents(path), STAMP "notice [^ ]+ hello\n$");
}

static void set_journal_stream(uint64_t inode_offset)
{
    struct stat info;
    char value[64];
    cr_assert_eq(fstat(STDERR_FILENO, &info), 0);
    unsigned long long device = info.st_dev, inode = info.st_ino + inode_offset;
    snprintf(value, sizeof value, "%llu:%llu", device, inode);
    setenv("JOURNAL_STREAM", value, 1);
}

Test(log, the_journal_gets_priorities_and_no_time)
{
    redirect_stderr();
    set_journal_stream(0);
    cr_assert_eq(log_open(STR("stderr"), LOG_LEVEL_DEBUG), 0);
    log_debug("a\nb");
    log_info("b");
    log_notice("c");
    log_warn("d");
    log_error("e");
    cr_expect_str_eq(contents(path), "<7>a\\x0Ab\n<6>b\n<5>c\n<4>d\n<3>e\n");
}

Test(log, a_redirected_stderr_is_not_the_journal)
{
    redirect_stderr();
    set_journal_stream(1);
    cr_assert_eq(log_open(STR("stderr"), LOG_LEVEL_INFO), 0);
    log_info("a");
    setenv("JOURNAL_STREAM", "rubbish", 1);
    cr_assert_eq(log_open(STR("stderr"), LOG_LEVEL_INFO), 0);
    log_info("b");
    expect_match(contents(path), STAMP "info [^ ]+ a\n[^\n]+ info [^ ]+ b\n$");
}

static int listen_as_syslog(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static const char *receive(int fd)
{
    ssize_t n = recv(fd, text, sizeof text - 1, 0);
    text[n < 0 ? 0 : n] = '\0';
    return text;
}

Test(log, syslog_gets_datagrams)
{
    char name[128];
    snprintf(name, sizeof name, "syslog:%s", path);
    int fd = listen_as_syslog();
    cr_assert_eq(log_open(str_of(name), LOG_LEVEL_INFO), 0);
    log_warn("hello");
    expect_match(receive(fd), "^<28>[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} tern\\[[0-9]+\\]: hello$");
    close(fd);
    unlink(path);
    log_warn("while syslog is away");
    fd = listen_as_syslog();
    log_error("once more");
    expect_match(receive(fd), "^<27>.*: lines of this log lost: 1$");
    expect_match(receive(fd), "^<27>.*: once more$");
    close(fd);
}

Test(log, a_syslog_that_hangs_costs_lines_and_no_time)
{
    char name[128];
    snprintf(name, sizeof name, "syslog:%s", path);
    int fd = listen_as_syslog();
    cr_assert_eq(log_open(str_of(name), LOG_LEVEL_INFO), 0);
    for (int i = 0; i < 5000; i++)
        log_info("line %d", i);
    while (*receive(fd))
        ;
    log_info("last");
    expect_match(receive(fd), ": lines of this log lost: [0-9]+$");
    expect_match(receive(fd), ": last$");
    close(fd);
}

Test(log, what_a_full_disk_swallows_is_counted)
{
    cr_assert_eq(log_open(STR("/dev/full"), LOG_LEVEL_INFO), 0);
    log_info("a");
    log_info("b");
    log_info("c");
    open_log(LOG_LEVEL_INFO);
    log_info("d");
    log_info("e");
    expect_match(contents(path), "^[^\n]+ error [^ ]+ lines of this log lost: 3\n[^\n]+ d\n[^\n]+ e\n$");
}

/* A full pipe must not make us wait, and must not lose the lines behind it in silence. */
Test(log, a_pipe_that_nobody_reads_costs_lines_and_no_time)
{
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    cr_assert_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
    cr_assert_eq(log_open(STR("stderr"), LOG_LEVEL_INFO), 0);
    for (int i = 0; i < 5000; i++)
        log_info("line %d", i);
    cr_assert_eq(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    while (read(fds[0], text, sizeof text) > 0)
        ;
    log_info("last");
    ssize_t n = read(fds[0], text, sizeof text - 1);
    cr_assert_gt(n, 0);
    text[n] = '\0';
    expect_match(text, STAMP "error [^ ]+ lines of this log lost: [0-9]+\n[^\n]+ last\n$");
}

Test(log, a_pipe_without_a_reader_raises_no_signal)
{
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    cr_assert_eq(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
    close(fds[0]);
    signal(SIGPIPE, SIG_DFL);
    cr_assert_eq(log_open(STR("stderr"), LOG_LEVEL_INFO), 0);
    log_error("into the void");
    open_log(LOG_LEVEL_INFO);
    log_info("alive");
    expect_match(contents(path), "lines of this log lost: 1\n[^\n]+ alive\n$");
}

Test(log, reopen_follows_the_name)
{
    char rotated[80];
    snprintf(rotated, sizeof rotated, "%s.1", path);
    open_log(LOG_LEVEL_INFO);
    log_info("old");
    cr_assert_eq(rename(path, rotated), 0);
    log_info("old too");
    cr_assert_eq(log_reopen(), 0);
    log_info("new");
    expect_match(contents(rotated), "old\n[^\n]+ old too\n$");
    expect_match(contents(path), STAMP "info [^ ]+ new\n$");
    unlink(rotated);
}

Test(log, a_reopen_that_fails_leaves_the_log_where_it_is)
{
    open_log(LOG_LEVEL_INFO);
    int held = open(path, O_RDONLY);
    unlink(path);
    cr_assert_eq(mkdir(path, 0700), 0);
    cr_expect_eq(log_reopen(), -EISDIR);
    log_info("kept");
    cr_expect_gt(read(held, text, sizeof text), 0);
    close(held);
    rmdir(path);
    cr_assert_eq(log_open(STR("stderr"), LOG_LEVEL_INFO), 0);
    cr_expect_eq(log_reopen(), 0, "stderr has no name to follow");
}

Test(log, a_file_that_reopen_creates_is_like_the_old_one)
{
    struct stat info;
    umask(077);
    open_log(LOG_LEVEL_INFO);
    cr_assert_eq(chmod(path, 0644), 0);
    cr_assert(geteuid() != 0 || chown(path, 12345, 54321) == 0);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(log_reopen(), 0);
    cr_assert_eq(stat(path, &info), 0);
    cr_expect_eq(info.st_mode & 07777, 0644, "%o", (unsigned)info.st_mode);
    cr_expect(geteuid() != 0 || (info.st_uid == 12345 && info.st_gid == 54321));
}

Test(log, only_a_file_can_be_handed_on)
{
    int fd = append_to_path();
    cr_expect_eq(log_fd(), -1);
    cr_expect_eq(log_take(fd), -EBADF);
    cr_expect_neq(fcntl(fd, F_GETFD), -1, "it is still ours");
    close(fd);
    open_log(LOG_LEVEL_INFO);
    cr_expect_eq(log_take(9999), -EBADF);
    log_info("here");
    expect_match(contents(path), "here\n$");
}

Test(log, another_file_is_taken)
{
    char rotated[80];
    snprintf(rotated, sizeof rotated, "%s.1", path);
    open_log(LOG_LEVEL_INFO);
    int number = log_fd();
    cr_assert_eq(rename(path, rotated), 0);
    log_info("old");
    int fd = append_to_path();
    cr_assert_eq(log_take(fd), 0);
    cr_expect_eq(log_fd(), number);
    cr_expect_eq(fcntl(fd, F_GETFD), -1, "the other number is closed");
    log_info("new");
    expect_match(contents(rotated), STAMP "info [^ ]+ old\n$");
    expect_match(contents(path), STAMP "info [^ ]+ new\n$");
    unlink(rotated);
}

/* A thread of the pool that logs while the files change. */
static void *log_often(void *arg)
{
    for (int i = 0; i < *(const int *)arg; i++)
        log_info("line");
    return NULL;
}

static size_t count_lines(const char *file)
{
    size_t count = 0;
    FILE *f = fopen(file, "r");
    cr_assert_not_null(f);
    for (int c; (c = getc(f)) != EOF;)
        count += c == '\n';
    fclose(f);
    return count;
}

Test(log, no_line_is_lost_while_files_change)
{
    enum { FILES = 50 };
    int lines = 5000;
    pthread_t thread;
    char rotated[80];
    size_t count = 0;
    open_log(LOG_LEVEL_INFO);
    cr_assert_eq(pthread_create(&thread, NULL, log_often, &lines), 0);
    for (int i = 0; i < FILES; i++) {
        snprintf(rotated, sizeof rotated, "%s.%d", path, i);
        cr_assert_eq(rename(path, rotated), 0);
        cr_assert_eq(log_reopen(), 0);
    }
    pthread_join(thread, NULL);
    for (int i = 0; i < FILES; i++) {
        snprintf(rotated, sizeof rotated, "%s.%d", path, i);
        count += count_lines(rotated);
        unlink(rotated);
    }
    cr_expect_eq(count + count_lines(path), (size_t)lines);
}

static void complain(int i)
{
    log_limited(LOG_LEVEL_WARN, "peer %d is rude", i);
}

Test(log, a_place_is_limited_to_a_line_a_second)
{
    open_log(LOG_LEVEL_INFO);
    for (int i = 0; i < 1000; i++)
        complain(i);
    expect_match(contents(path), STAMP "warn [^ ]+ peer 0 is rude\n");
    int lines = 0;
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        lines++;
    cr_expect_lt(lines, 100, "even on a slow machine");
    log_limited(LOG_LEVEL_WARN, "another place");
    expect_match(contents(path), "another place\n$");
}

Test(log, what_was_suppressed_is_said)
{
    struct log_limit limit = {.open_at = NSEC_NEVER};
    open_log(LOG_LEVEL_INFO);
    for (int i = 0; i < 17; i++)
        log_limited_at(&limit, LOG_LEVEL_WARN, "peer %d is rude", i);
    cr_expect_str_eq(contents(path), "");
    limit.open_at = 0;
    log_limited_at(&limit, LOG_LEVEL_WARN, "peer 17 is rude");
    expect_match(contents(path), "peer 17 is rude \\(and 17 more like it before\\)\n$");
    limit.open_at = 0;
    log_limited_at(&limit, LOG_LEVEL_WARN, "peer 18 is rude");
    expect_match(contents(path), "peer 18 is rude\n$");
}

Test(log, a_long_limited_line_still_says_what_was_suppressed)
{
    struct log_limit limit = {.suppressed = UINT64_MAX};
    char argument[5000];
    memset(argument, 'x', sizeof argument);
    argument[sizeof argument - 1] = '\0';
    open_log(LOG_LEVEL_INFO);
    log_limited_at(&limit, LOG_LEVEL_WARN, "%s", argument);
    expect_match(contents(path), "x\\.{3} \\(and 18446744073709551615 more like it before\\)\n$");
}
