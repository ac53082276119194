/* compute_jobs.c: jobs that do what a job may do, and what it should not.
 *
 *     settings: {within: 5s, room: 64k, plain: off}
 *
 * A request names one in its query, `?job=echo`, and its content is the job's input. The answer is the output, or the
 * name of the error; with `plain` the error is the handler's own.
 */
#include "tern.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CONTENT = 64 << 20, PATH = 512, A_MOMENT = 1000000 /* ns */ };

/* ---- in a compute process ---- */

static ssize_t put(void *out, size_t room, const char *format, long long number)
{
    int n = snprintf(out, room, format, number);
    return n < 0 || (size_t)n >= room ? -ENOSPC : n;
}

static ssize_t run_echo(const void *in, size_t n, void *out, size_t room)
{
    if (n > room)
        return -ENOSPC;
    memcpy(out, in, n);
    return (ssize_t)n;
}

static ssize_t run_sum(const void *in, size_t n, void *out, size_t room)
{
    const unsigned char *bytes = in;
    long long sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += bytes[i];
    return put(out, room, "%lld\n", sum);
}

static ssize_t run_pid(const void *in, size_t n, void *out, size_t room)
{
    (void)in;
    (void)n;
    return put(out, room, "%lld\n", getpid());
}

/* The input names a directory. A file there tells that this process is at it, and it ends when there is one that is
 * named "open". */
static ssize_t run_hold(const void *in, size_t n, void *out, size_t room)
{
    char path[PATH];
    snprintf(path, sizeof path, "%s/%d", (const char *)in, getpid());
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return -errno;
    close(fd);
    snprintf(path, sizeof path, "%s/open", (const char *)in);
    while (access(path, F_OK) != 0)
        nanosleep(&(struct timespec){.tv_nsec = A_MOMENT}, NULL);
    return run_pid(in, n, out, room);
}

static ssize_t run_loop(const void *in, size_t n, void *out, size_t room)
{
    volatile bool forever = true;
    (void)in;
    (void)n;
    (void)out;
    (void)room;
    while (forever)
        ;
    return 0;
}

static ssize_t run_abort(const void *in, size_t n, void *out, size_t room)
{
    (void)in;
    (void)n;
    (void)out;
    (void)room;
    abort();
}

static ssize_t run_exit(const void *in, size_t n, void *out, size_t room)
{
    (void)n;
    (void)out;
    (void)room;
    exit(atoi(in));
}

static ssize_t run_boast(const void *in, size_t n, void *out, size_t room)
{
    (void)in;
    (void)n;
    (void)out;
    return (ssize_t)room + 1;
}

static ssize_t run_fail(const void *in, size_t n, void *out, size_t room)
{
    (void)in;
    (void)n;
    (void)out;
    (void)room;
    return -EDOM;
}

static const struct tern_job jobs[] = {
    {"echo", run_echo},   {"sum", run_sum},   {"pid", run_pid},     {"hold", run_hold}, {"loop", run_loop},
    {"abort", run_abort}, {"exit", run_exit}, {"boast", run_boast}, {"fail", run_fail}, {NULL, NULL},
};

/* ---- in a worker ---- */

struct caller {
    tern_time within;
    size_t room;
    bool plain;
};

static int open_caller(struct tern_settings *settings, void **state)
{
    struct caller *caller = calloc(1, sizeof *caller);
    if (!caller)
        return -ENOMEM;
    caller->within = tern_setting_time(settings, "within", 60 * TERN_SEC, 3600 * TERN_SEC);
    caller->room = tern_setting_size(settings, "room", 64 << 10, CONTENT);
    caller->plain = tern_setting_bool(settings, "plain", false);
    *state = caller;
    return 0;
}

static int serve_caller(struct tern_request *r, void *state)
{
    const struct caller *caller = state;
    const char *job = tern_query(r, "job");
    char *in, *out = tern_alloc(r, caller->room);
    size_t n;
    int error = out && job ? tern_read_all(r, CONTENT, &in, &n) : -EINVAL;
    if (error)
        return error;
    ssize_t made = tern_compute(job, in, n, out, caller->room, tern_after(caller->within));
    if (made >= 0)
        return tern_write(r, out, (size_t)made);
    return caller->plain || made == -ECANCELED ? (int)made : tern_printf(r, "%s\n", strerrorname_np((int)-made));
}

static const struct tern_handler handlers[] = {
    {.name = "call", .serve = serve_caller, .open = open_caller, .close = free},
    {.name = NULL},
};

const struct tern_module tern_module = {.abi = TERN_ABI, .name = "compute_jobs", .handlers = handlers, .jobs = jobs};
