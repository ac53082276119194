/* fault_test.c: what a process says before a crash ends it. Each crash is a child's; a sanitizer would report it. */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "green/core.h"
#include "green/fd.h"
#include "green/offload.h"
#include "run.h"

static volatile int levels = INT_MAX; /* no compiler may see that this is the end of it */
static int *volatile nowhere;

static int overflow(void *arg)
{
    volatile char frame[1024];
    frame[0] = levels-- > 0 ? (char)overflow(arg) : 0;
    return frame[0];
}

static int write_to_nowhere(void *arg)
{
    *nowhere = 0;
    return arg != NULL;
}

static int give_up(void *arg)
{
    (void)arg;
    abort();
}

static int raise_fpe(void *arg)
{
    (void)arg;
    return raise(SIGFPE);
}

static void crash_job(void *arg)
{
    (void)arg;
    raise(SIGILL);
}

static int crash_in_the_pool(void *arg)
{
    (void)arg;
    return green_offload(crash_job, NULL, NSEC_NEVER);
}

static void crash_callback(struct green_fd *fd)
{
    (void)fd;
    raise(SIGBUS);
}

static int crash_on_the_loop(void *arg)
{
    (void)arg;
    int ends[2];
    struct green_fd fd;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) < 0 || write(ends[1], "x", 1) < 0)
        return -errno;
    green_fd_init(&fd, ends[0]);
    green_fd_park(&fd, crash_callback);
    return green_sleep(NSEC_SEC);
}

struct row {
    green_fn *crash;
    const char *name;
    struct str what;
    int signal;
    const char *said; /* after "tern[PID]: crash: " */
};

static const struct row rows[] = {
    {overflow,
     "deep",
     {"GET /deep", 9},
     SIGSEGV,
     "green thread 'deep' overflowed its stack of ROOM bytes in: GET /deep"},
    {overflow, "deep", {NULL, 0}, SIGSEGV, "green thread 'deep' overflowed its stack of ROOM bytes"},
    {write_to_nowhere, "wild", {"GET /wild", 9}, SIGSEGV, "green thread 'wild' was stopped by signal 11 in: GET /wild"},
    {give_up, "quitter", {NULL, 0}, SIGABRT, "green thread 'quitter' was stopped by signal 6"},
    {raise_fpe, "divider", {NULL, 0}, SIGFPE, "green thread 'divider' was stopped by signal 8"},
    {give_up,
     "x",
     {"a\nb\r\x1b[31m\x7f\xff\0z", 13},
     SIGABRT,
     "green thread 'x' was stopped by signal 6 in: a.b..[31m...z"},
    {crash_in_the_pool, "job", {NULL, 0}, SIGILL, "signal 4 outside any green thread"},
    {crash_on_the_loop, "parked", {NULL, 0}, SIGBUS, "signal 7 outside any green thread"},
};

static size_t room; /* of the stack of the thread that crashes: the first one of a run */

static int describe_and_crash(void *arg)
{
    const struct row *row = arg;
    green_describe(row->what);
    return row->crash(NULL);
}

static int crash_main(void *arg)
{
    struct row *row = arg;
    struct green *thread;
    int error = green_spawn(&thread, row->name, describe_and_crash, row);
    return error ? error : green_join(thread, NULL, NSEC_NEVER);
}

static void run_crash(void *arg)
{
    if (green_run(&(struct green_options){.stack = 16 * 1024}, crash_main, arg) < 0)
        abort();
}

/* What was said, up to the end of the first line: an emulator adds some of its own. */
static int crash(struct row *row, char *said, size_t size)
{
    int number = run_signal(run_crash, row, said, size);
    char *end = strchr(said, '\n');
    if (end)
        end[1] = '\0';
    return number;
}

/* The line with its process id and the room of its stack, which nobody can know, as PID and ROOM. */
static const char *generic(char *line)
{
    static char text[1024];
    int at = 0, after = 0;
    if (sscanf(line, "tern[%*u%n", &after) == 0 && after > 0 && line[after] == ']')
        at = snprintf(text, sizeof text, "tern[PID");
    char *bytes = strstr(line + after, " bytes"), *digits = bytes;
    while (digits && digits[-1] >= '0' && digits[-1] <= '9')
        digits--;
    if (digits) {
        room = strtoul(digits, NULL, 10);
        snprintf(text + at, sizeof text - (size_t)at, "%.*sROOM%s", (int)(digits - line) - after, line + after, bytes);
    } else {
        snprintf(text + at, sizeof text - (size_t)at, "%s", line + after);
    }
    return text;
}

Test(fault, one_line_names_the_thread_and_what_it_did, .disabled = SANITIZE_OWNS_SIGNALS)
{
    char said[1024], expected[1024];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct row row = rows[i];
        cr_expect_eq(crash(&row, said, sizeof said), row.signal, "row %zu", i);
        snprintf(expected, sizeof expected, "tern[PID]: crash: %s\n", row.said);
        cr_expect_str_eq(generic(said), expected, "row %zu: %s", i, said);
    }
    cr_expect_gt(room, 8 * 1024);
    cr_expect_lt(room, 16 * 1024);
}

Test(fault, a_long_description_is_cut, .disabled = SANITIZE_OWNS_SIGNALS)
{
    char said[4096], name[1000], what[1000];
    memset(name, 'n', sizeof name);
    memset(what, 'w', sizeof what);
    name[sizeof name - 1] = '\0';
    struct row row = {give_up, name, {what, sizeof what}, SIGABRT, NULL};
    cr_expect_eq(crash(&row, said, sizeof said), SIGABRT);
    cr_expect_lt(strlen(said), 512);
    cr_expect_eq(said[strlen(said) - 1], '\n');
    cr_expect_not_null(strstr(said, "nn' was stopped by signal 6 in: ww"));
}

/* With nobody to tell it must end all the same. */
static void crash_unheard(void *arg)
{
    close(STDERR_FILENO);
    run_crash(arg);
}

Test(fault, it_ends_even_if_nobody_hears_it, .disabled = SANITIZE_OWNS_SIGNALS)
{
    struct row row = {raise_fpe, "unheard", {NULL, 0}, SIGFPE, NULL};
    cr_expect_eq(run_signal(crash_unheard, &row, NULL, 0), SIGFPE);
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

Test(fault, after_the_run_signals_do_what_they_did_before, .disabled = SANITIZE_OWNS_SIGNALS)
{
    struct sigaction action;
    stack_t stack;
    cr_assert_eq(green_run(&(struct green_options){0}, nothing, NULL), 0);
    cr_assert_eq(sigaction(SIGSEGV, NULL, &action), 0);
    cr_expect_eq(action.sa_handler, SIG_DFL);
    cr_assert_eq(sigaltstack(NULL, &stack), 0);
    cr_expect(stack.ss_flags & SS_DISABLE);
}
