/* fault_test.c: what a process says before a signal ends it. Each is a child; a sanitizer would report its fault. */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
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

static void do_nothing(void *arg)
{
    (void)arg;
}

/* The loop is nobody's, whoever had a job done before. */
static int crash_after_a_job(void *arg)
{
    int error = green_offload(do_nothing, arg, NSEC_NEVER);
    return error ? error : crash_on_the_loop(arg);
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
    {write_to_nowhere,
     "wild",
     {"GET /wild", 9},
     SIGSEGV,
     "green thread 'wild' was stopped by signal 11 at address 0x0 in: GET /wild"},
    {give_up, "quitter", {NULL, 0}, SIGABRT, "green thread 'quitter' was stopped by signal 6"},
    {raise_fpe, "divider", {NULL, 0}, SIGFPE, "green thread 'divider' was stopped by signal 8"},
    {give_up,
     "x",
     {"a\nb\r\x1b[31m\x7f\xff\0z", 13},
     SIGABRT,
     "green thread 'x' was stopped by signal 6 in: a.b..[31m...z"},
    {crash_in_the_pool, "job", {NULL, 0}, SIGILL, "signal 4 on a thread of the pool, for green thread 'job'"},
    {crash_in_the_pool,
     "job",
     {"GET /slow", 9},
     SIGILL,
     "signal 4 on a thread of the pool, for green thread 'job' in: GET /slow"},
    {crash_after_a_job, "parked", {"GET /done", 9}, SIGBUS, "signal 7 outside any green thread"},
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

/* Of what was said the line about the crash: an emulator adds some of its own. */
static int crash(struct row *row, char *said, size_t size)
{
    int number = run_signal(run_crash, row, said, size);
    char *line = strstr(said, "]: crash: "), *end = line ? strchr(line, '\n') : NULL;
    while (line && line > said && line[-1] != '\n')
        line--;
    if (end)
        end[1] = '\0';
    if (line)
        memmove(said, line, strlen(line) + 1);
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
    char said[2048], expected[1024];
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

/* ---- where it was ---- */

static int crash_labelled(void *arg)
{
    static const struct green_label label = {STR_INIT("module wild"), STR_INIT("/wild/")};
    green_label(&label);
    green_describe(STR("GET /wild/?password=1 HTTP/1.1"));
    return write_to_nowhere(arg) + 1;
}

static int crash_labelled_main(void *arg)
{
    struct green *thread;
    int error = green_spawn(&thread, "labelled", crash_labelled, arg);
    return error ? error : green_join(thread, NULL, NSEC_NEVER);
}

static void run_labelled(void *arg)
{
    if (green_run(&(struct green_options){0}, crash_labelled_main, arg) < 0)
        abort();
}

Test(fault, a_crash_names_its_handler_and_its_functions, .disabled = SANITIZE_OWNS_SIGNALS)
{
    char said[4096];
    static const char *const pieces[] = {
        "]: crash: green thread 'labelled' was stopped by signal 11 at address 0x0 in: ",
        "GET /wild/?... HTTP/1.1 (module wild, route /wild/)\n", "]: crash:   #0 ", "crash_labelled+0x", " run+0x"};
    cr_expect_eq(run_signal(run_labelled, NULL, said, sizeof said), SIGSEGV);
    const char *at = said;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces && at; i++) {
        at = strstr(at, pieces[i]);
        cr_expect_not_null(at, "no %s, or not there, in:\n%s", pieces[i], said);
    }
}

/* The trace takes for ever, as it may where a lock is held by who has crashed. */
static bool trace_hangs;
struct Dwfl *__real_dwfl_begin(const void *callbacks);
struct Dwfl *__wrap_dwfl_begin(const void *callbacks);

struct Dwfl *__wrap_dwfl_begin(const void *callbacks)
{
    while (trace_hangs)
        pause();
    return __real_dwfl_begin(callbacks);
}

Test(fault, a_trace_that_does_not_come_is_not_waited_for, .disabled = SANITIZE_OWNS_SIGNALS)
{
    char said[4096];
    trace_hangs = true;
    cr_expect_eq(run_signal(run_labelled, NULL, said, sizeof said), SIGSEGV);
    cr_expect_not_null(strstr(said, "]: crash: green thread 'labelled' was stopped by signal 11"), "%s", said);
    cr_expect_null(strstr(said, "#0"), "%s", said);
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

/* ---- the list of a process that hangs ---- */

static int wait_in_vain(void *arg)
{
    green_describe(*(const struct str *)arg);
    return green_sleep(3600 * NSEC_SEC);
}

static void start(const char *name, struct str *what, size_t count)
{
    struct green *thread;
    for (size_t i = 0; i < count; i++)
        if (green_spawn(&thread, name, wait_in_vain, what) < 0)
            _exit(1);
}

struct scene {
    green_fn *main;
    void *arg;
};

static void play(void *arg)
{
    const struct scene *scene = arg;
    if (green_run(&(struct green_options){.stack = 16 * 1024}, scene->main, scene->arg) < 0)
        _exit(1);
}

/* Two that wait, one that has not run yet, and the one that runs. */
static int hang(void *arg)
{
    static struct str upload = STR_INIT("POST /up\nload"), nothing_yet;
    start("upload", &upload, 1);
    start("idle", &nothing_yet, 1);
    if (green_yield() < 0)
        return -1;
    start("fresh", &nothing_yet, 1);
    green_describe(STR("GET /for/ever"));
    return kill(getpid(), *(int *)arg);
}

/* The number behind a text, replaced by N; 0: there is none. */
static size_t take_number(char *said, const char *before)
{
    char *at = strstr(said, before), *end;
    if (!at)
        return 0;
    at += strlen(before);
    size_t number = strtoul(at, &end, 10);
    memmove(at + 1, end, strlen(end) + 1);
    *at = 'N';
    return number;
}

Test(fault, a_process_that_hangs_lists_its_threads)
{
    static const struct {
        int number;
        const char *last;
    } hangs[] = {{SIGABRT, "stopped by signal 6"}, {SIGALRM, "stopped by signal 14"}};
    static const char *const lines[] = {
        "]: green thread 'main' is running in: GET /for/ever\n",
        "]: green thread 'upload' is waiting with N bytes of stack in: POST /up.load\n",
        "]: green thread 'idle' is waiting with N bytes of stack\n",
        "]: green thread 'fresh' is ready with 0 bytes of stack\n",
        "]: crash: green thread 'main' was ",
    };
    for (size_t i = 0; i < sizeof hangs / sizeof *hangs; i++) {
        char said[2048];
        int number = hangs[i].number;
        cr_expect_eq(run_signal(play, &(struct scene){hang, &number}, said, sizeof said), number);
        cr_expect_geq(take_number(said, "'upload' is waiting with "), 64);
        cr_expect_leq(take_number(said, "'idle' is waiting with "), 16 * 1024);
        for (size_t k = 0; k < sizeof lines / sizeof *lines; k++)
            cr_expect_not_null(strstr(said, lines[k]), "no %s in:\n%s", lines[k], said);
        cr_expect_not_null(strstr(said, hangs[i].last), "%s", said);
    }
}

static int start_a_crowd(void *arg)
{
    static struct str what = STR_INIT("GET /");
    start("crowd", &what, *(size_t *)arg - 1);
    return green_yield() == 0 && kill(getpid(), SIGABRT);
}

static size_t lines_with(const char *said, const char *what)
{
    size_t count = 0;
    for (const char *at = said; (at = strstr(at, what)); at++)
        count++;
    return count;
}

Test(fault, a_long_list_is_cut)
{
    static const struct {
        size_t threads, listed;
        const char *more; /* NULL: nothing is said of more */
    } rows_of_crowds[] = {{199, 199, NULL},
                          {200, 200, NULL},
                          {201, 200, "]: and 1 more green threads\n"},
                          {1000, 200, "]: and 800 more green threads\n"}};
    static char said[64 * 1024];
    for (size_t i = 0; i < sizeof rows_of_crowds / sizeof *rows_of_crowds; i++) {
        size_t threads = rows_of_crowds[i].threads;
        const char *more = rows_of_crowds[i].more;
        cr_expect_eq(run_signal(play, &(struct scene){start_a_crowd, &threads}, said, sizeof said), SIGABRT);
        cr_expect_eq(lines_with(said, "]: green thread '"), rows_of_crowds[i].listed);
        cr_expect_eq(lines_with(said, " more green threads"), more != NULL);
        cr_expect(!more || strstr(said, more), "%s", said);
        cr_expect_eq(lines_with(said, "]: crash: green thread"), 1);
    }
}

/* A description that is no memory any more: the list ends there, the process as it would have. */
static int describe_nowhere(void *arg)
{
    (void)arg;
    char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct str what = {page, 10}, harmless = STR("GET /");
    start("first", &harmless, 1);
    start("broken", &what, 1);
    return green_yield() == 0 && kill(getpid(), SIGABRT);
}

Test(fault, a_fault_in_the_list_ends_the_list_only, .disabled = SANITIZE_OWNS_SIGNALS)
{
    char said[2048];
    cr_expect_eq(run_signal(play, &(struct scene){describe_nowhere, NULL}, said, sizeof said), SIGABRT);
    cr_expect_eq(lines_with(said, "]: green thread 'first' is waiting"), 1);
    cr_expect_eq(lines_with(said, "'broken'"), 0);
    cr_expect_eq(lines_with(said, "]: crash: green thread 'main' was stopped by signal 6\n"), 1);
}

/* Nobody reads its standard error, and there is room for a part of the list only. */
static void play_unread(void *arg)
{
    int ends[2];
    if (pipe(ends) < 0 || fcntl(ends[1], F_SETPIPE_SZ, 4096) < 0 || dup2(ends[1], STDERR_FILENO) < 0)
        _exit(1);
    play(arg);
}

Test(fault, it_ends_even_if_the_log_takes_no_more)
{
    size_t threads = 200;
    cr_expect_eq(run_signal(play_unread, &(struct scene){start_a_crowd, &threads}, NULL, 0), SIGABRT);
}

/* ---- afterwards ---- */

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

/* ---- what is not ours ---- */

static volatile sig_atomic_t alarms;

static void on_alarm(int number)
{
    alarms += number == SIGALRM;
}

static int raise_alarm(void *arg)
{
    (void)arg;
    return raise(SIGALRM);
}

Test(fault, a_signal_that_has_a_handler_keeps_it)
{
    signal(SIGALRM, on_alarm);
    cr_expect_eq(green_run(&(struct green_options){0}, raise_alarm, NULL), 0);
    cr_expect_eq(alarms, 1);
    raise(SIGALRM);
    cr_expect_eq(alarms, 2);
}

static void run_alarm_ignored(void *arg)
{
    (void)arg;
    signal(SIGALRM, SIG_IGN);
    if (green_run(&(struct green_options){0}, raise_alarm, NULL) < 0)
        abort();
}

Test(fault, a_signal_that_was_ignored_is_not)
{
    char said[2048];
    cr_expect_eq(run_signal(run_alarm_ignored, NULL, said, sizeof said), SIGALRM);
    cr_expect_not_null(strstr(said, "was stopped by signal 14"), "%s", said);
}
