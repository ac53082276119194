/* probe.c: see probe.h.
 *
 * The child says before each handler which one it is about to start, and afterwards what was wrong; so the last thing
 * that a child has said that crashed is where it crashed. At last it says that it is through: code that is not ours may
 * have ended the process before, and with success. What it says is not believed to be text, and whatever it does, it
 * has no more than a moment to end after its last word: the master waits for it, and for nothing longer.
 */
#include "proc/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log/log.h"
#include "module/loader.h"
#include "proc/privs.h"

enum {
    TEXT = 768,        /* bytes of a message */
    PATIENCE = 10,     /* seconds for all handlers together */
    LAST_MOMENT = 500, /* milliseconds from its last word to its end */
};

enum kind {
    BEGINS, /* a handler is about to be started */
    WRONG,  /* this is wrong with it */
    DONE,   /* all of them have been */
};

/* One write to a pipe, and whole. */
struct report {
    enum kind kind;
    unsigned line, col;
    char file[256];
    char text[TEXT]; /* what is wrong; of a handler that is about to be started where its key stands */
};

_Static_assert(sizeof(struct report) <= 4096, "a pipe takes it in one piece (PIPE_BUF)");

/* ---- the child ---- */

static void fill(char *to, size_t size, struct str text)
{
    snprintf(to, size, STR_FMT, STR_ARG(text));
}

static void say(int to, const struct report *report)
{
    if (write(to, report, sizeof *report) != sizeof *report)
        _exit(EXIT_FAILURE);
}

static void say_begins(int to, const struct conf_node *at)
{
    struct report report = {.kind = BEGINS, .line = at->line, .col = at->col};
    struct out path = out_on(report.text, sizeof report.text - 1);
    fill(report.file, sizeof report.file, at->file);
    conf_path(at, &path);
    *path.at = '\0';
    say(to, &report);
}

static void say_errors(int to, const struct conf_reader *r)
{
    for (size_t i = 0; i < r->kept; i++) {
        const struct conf_message *e = &r->errors[i];
        struct report report = {.kind = WRONG, .line = e->line, .col = e->col};
        fill(report.file, sizeof report.file, e->file);
        fill(report.text, sizeof report.text, e->text);
        say(to, &report);
    }
}

/* The master's sockets lead to clients, to whoever administers it, and to its other processes. */
static void leave_master(int kept)
{
    int log = log_target(), first = kept < log ? kept : log, second = kept < log ? log : kept;
    if (first > STDERR_FILENO + 1)
        (void)!close_range(STDERR_FILENO + 1, (unsigned)first - 1, 0);
    first = first > STDERR_FILENO ? first : STDERR_FILENO;
    if (second > first + 1)
        (void)!close_range((unsigned)first + 1, (unsigned)second - 1, 0);
    (void)!close_range((unsigned)second + 1, ~0U, 0);
}

static void start_route(struct http_route *route, struct conf_reader *r, int to)
{
    conf_reader_init(r, r->arena);
    say_begins(to, route->at);
    int error = route->handler->start(r, route, route->settings);
    if (error && !conf_failed(r))
        conf_error(r, route->at, "%s", strerror(-error));
    say_errors(to, r);
}

/* What the master does when it is to abort is not for us: it would take its workers along. And nobody waits for us any
 * more when it is gone; that comes after the change of user, which would undo it. */
static int become_user(const struct config *config, pid_t master)
{
    signal(SIGCHLD, SIG_DFL);
    signal(SIGABRT, SIG_DFL);
    int error = privs_drop(config->user, config->group);
    if (!error && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
        error = -errno;
    if (getppid() != master)
        _exit(EXIT_FAILURE);
    return error;
}

static _Noreturn void try_all(const struct config *config, struct conf_reader *r, pid_t master, int to)
{
    conf_reader_init(r, r->arena);
    leave_master(to);
    int error = become_user(config, master);
    if (error)
        conf_error(r, config->tree, "cannot become the user that workers run as: %s", strerror(-error));
    say_errors(to, r);
    module_set_directory(config->modules.p);
    for (struct http_route *route = config->http.sites.starts; route && !error; route = route->next_start)
        start_route(route, r, to);
    say(to, &(struct report){.kind = DONE});
    _exit(EXIT_SUCCESS);
}

/* ---- the parent ---- */

/* The next report, in time. False: there are no more, or the child says nothing: then *silent. */
static bool next_report(int from, nsec deadline, struct report *report, bool *silent)
{
    struct pollfd pipe = {.fd = from, .events = POLLIN};
    for (;;) {
        nsec left = deadline - clock_monotonic();
        int ready = left > 0 ? poll(&pipe, 1, (int)(left / NSEC_MS) + 1) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        *silent = ready == 0;
        if (ready <= 0)
            return false;
        ssize_t got = read(from, report, sizeof *report);
        report->file[sizeof report->file - 1] = report->text[sizeof report->text - 1] = '\0';
        if (got >= 0 || errno != EINTR)
            return got == sizeof *report;
    }
}

/* How the child came to its end, and whether it had to be helped. */
struct verdict {
    bool silent, lingered;
    int status;
};

/* Code that closes descriptors which are not its own closes the one that we listen to. */
static void await_end(pid_t child, struct verdict *v)
{
    struct pollfd end = {.fd = pidfd_open(child, 0), .events = POLLIN};
    v->lingered = v->silent || end.fd < 0 || poll(&end, 1, LAST_MOMENT) <= 0;
    if (end.fd >= 0)
        close(end.fd);
    if (v->lingered)
        kill(child, SIGKILL);
    while (waitpid(child, &v->status, 0) < 0 && errno == EINTR)
        ;
}

/* What the last handler did to its process, which was not through. */
static void judge(struct conf_reader *r, const struct report *last, const struct verdict *v)
{
    char text[TEXT];
    int status = v->status;
    if (v->silent)
        snprintf(text, sizeof text, "did not come to an end within %d s", PATIENCE);
    else if (v->lingered)
        snprintf(text, sizeof text, "closes descriptors that are not its own while it is loaded or opened");
    else if (WIFSIGNALED(status))
        snprintf(text, sizeof text, "crashes while it is loaded or opened, by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(text, sizeof text, "ends its process while it is loaded or opened, with status %d",
                 WEXITSTATUS(status));
    conf_error_at(r, arena_copy(r->arena, str_of(last->file)), last->line, last->col, "%s: %s", last->text, text);
}

static int listen_to(struct conf_reader *r, pid_t child, int from)
{
    struct report report = {.kind = BEGINS}, last = report;
    struct verdict verdict = {.silent = false};
    nsec deadline = nsec_add(clock_monotonic(), PATIENCE * NSEC_SEC);
    size_t failed = r->failed;
    while (report.kind != DONE && next_report(from, deadline, &report, &verdict.silent)) {
        if (report.kind == BEGINS)
            last = report;
        else if (report.kind == WRONG)
            conf_error_at(r, arena_copy(r->arena, str_of(report.file)), report.line, report.col, "%s", report.text);
    }
    await_end(child, &verdict);
    if (report.kind != DONE)
        judge(r, &last, &verdict);
    return r->failed > failed ? -EINVAL : 0;
}

int probe_check(struct conf_reader *r, const struct config *config)
{
    int ends[2];
    if (!config->http.sites.starts)
        return 0;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    pid_t master = getpid(), child = fork();
    int error = child < 0 ? -errno : 0;
    if (child == 0)
        try_all(config, r, master, ends[1]);
    close(ends[1]);
    if (!error)
        error = listen_to(r, child, ends[0]);
    close(ends[0]);
    return error;
}
