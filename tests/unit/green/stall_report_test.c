/* stall_report_test.c: how a stall is told. */
#include "green/stall_report.h"

#include <string.h>
#include <sys/syscall.h>

#include "run.h"

Test(stall_report, causes)
{
    static const struct {
        struct trace_state state;
        nsec time, cpu;
        const char *cause;
    } rows[] = {
        {{.doing = TRACE_UNKNOWN}, 100 * NSEC_MS, 0, "unknown"},
        {{.doing = TRACE_FAULT}, 100 * NSEC_MS, 0, "page fault"},
        {{.doing = TRACE_CALL, .call = SYS_nanosleep}, 100 * NSEC_MS, 0, "system call nanosleep"},
        {{.doing = TRACE_CALL, .call = 1000000}, 100 * NSEC_MS, 0, "system call 1000000"},
        {{.doing = TRACE_RUNS}, 100 * NSEC_MS, 100 * NSEC_MS, "CPU"},
        {{.doing = TRACE_RUNS}, 100 * NSEC_MS, 25 * NSEC_MS, "CPU"},
        {{.doing = TRACE_RUNS}, 100 * NSEC_MS, 24 * NSEC_MS, "CPU, which it had for 24 of 100 ms only"},
        {{.doing = TRACE_RUNS}, 0, 0, "CPU"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stall stall = {0};
        stall_report_cause(&stall, &rows[i].state, rows[i].time, rows[i].cpu);
        cr_expect_str_eq(stall.cause, rows[i].cause);
    }
}

static void begin_all(void *arg)
{
    (void)arg;
    static const struct stall stalls[] = {
        {.lasted = 104 * NSEC_MS, .cause = "CPU"},
        {.lasted = 104 * NSEC_MS, .thread = 7, .name = "accept", .cause = "page fault"},
        {.lasted = 104 * NSEC_MS,
         .thread = 7,
         .name = "connection",
         .handler = "files",
         .route = "/",
         .request = "GET / HTTP/1.1",
         .cause = "system call openat"},
        {.lasted = 104 * NSEC_MS,
         .thread = 7,
         .name = "connection",
         .handler = "module a",
         .request = "GET /a",
         .cause = "system call openat"},
        {.lasted = 104 * NSEC_MS, .thread = 7, .name = "job", .handler = "module a", .cause = "CPU"},
    };
    for (size_t i = 0; i < sizeof stalls / sizeof *stalls; i++)
        stall_report_begin(&stalls[i]);
    stall_report_end(&stalls[2]);
}

Test(stall_report, the_subject_is_what_is_known_of_it)
{
    static const char *const lines[] = {
        "stall: the event loop has not yielded for 104 ms: CPU\n",
        "stall: green thread 'accept' has not yielded for 104 ms: page fault\n",
        "stall: GET / HTTP/1.1 (files, route /) has not yielded for 104 ms: system call openat\n",
        "stall: GET /a (module a) has not yielded for 104 ms: system call openat; use tern_blocking()\n",
        "stall: green thread 'job' (module a) has not yielded for 104 ms: CPU\n",
        "stall: GET / HTTP/1.1 (files, route /) has yielded after 104 ms\n",
    };
    char said[4096];
    cr_assert_eq(run_signal(begin_all, NULL, said, sizeof said), 0);
    const char *at = said;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        at = strstr(at, lines[i]);
        cr_assert_not_null(at, "no %s, or not there, in:\n%s", lines[i], said);
    }
}

static void trace_many(void *arg)
{
    static const struct stall stall = {.trace = "#0 f+0x1\n#1 g+0x2\n"};
    for (int i = 0; i < *(const int *)arg; i++)
        stall_report_trace(&stall);
}

/* All of them are on record. */
Test(stall_report, of_many_stalls_the_first_traces_are_logged)
{
    char said[16 * 1024];
    int many = 25;
    size_t count = 0;
    cr_assert_eq(run_signal(trace_many, &many, said, sizeof said), 0);
    for (const char *at = said; (at = strstr(at, "stall:   #0 f+0x1\n")); at++)
        count++;
    cr_expect_eq(count, 10, "%s", said);
}
