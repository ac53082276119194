/* state_test.c: what the kernel says of an OS thread. */
#include "trace/state.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIX "0x1 0x2 0x3 0x4 0x5 0x6 "

Test(state, what_is_no_such_line_says_nothing)
{
    static const char *const lines[] = {
        "",
        "\n",
        "running", /* cut */
        "running \n",
        "Running\n",
        "sleeping\n",
        "-1\n",
        "-1 0x10\n",
        "-1 0x10 0x20 0x30\n",
        "-2 0x10 0x20\n",
        "-1 " SIX "0x10 0x20\n",
        "35\n",
        "35 0x10 0x20\n",
        "35 " SIX "0x10\n",
        "35 " SIX "0x10 0x20 0x30\n",
        "35 " SIX "0x10 0x20", /* cut */
        "35 " SIX "0x10 20\n",
        "35 " SIX "0x10 0x\n",
        "35 " SIX "0x10 0xG\n",
        "35 " SIX "0x10 0x2A\n",
        "35 " SIX "0x10 0x11112222333344445\n",
        "35  " SIX "0x10 0x20\n",
        "0x23 " SIX "0x10 0x20\n",
        "99999999999 " SIX "0x10 0x20\n",
        " 35 " SIX "0x10 0x20\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct trace_state state = trace_parse_state(str_of(lines[i]));
        cr_expect_eq(state.doing, TRACE_UNKNOWN, "row %zu", i);
    }
}

Test(state, what_the_kernel_writes_is_understood)
{
    static const struct {
        const char *line;
        struct trace_state state;
    } rows[] = {
        {"running\n", {TRACE_RUNS, -1, 0, 0}},
        {"-1 0x7ffc1122aabb 0x5566\n", {TRACE_FAULT, -1, 0x7ffc1122aabb, 0x5566}},
        {"35 " SIX "0x7ffc1122aabb 0xffffffffffffffff\n", {TRACE_CALL, 35, 0x7ffc1122aabb, UINT64_MAX}},
        {"0 0x0 0x0 0x0 0x0 0x0 0x0 0x10 0x20\n", {TRACE_CALL, 0, 0x10, 0x20}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct trace_state got = trace_parse_state(str_of(rows[i].line)), expected = rows[i].state;
        cr_expect_eq(got.doing, expected.doing, "row %zu", i);
        cr_expect_eq(got.call, expected.call, "row %zu", i);
        cr_expect_eq(got.sp, expected.sp, "row %zu", i);
        cr_expect_eq(got.pc, expected.pc, "row %zu", i);
    }
}

struct sleeper {
    int ends[2]; /* it reads from the first one */
    int file;
    pthread_barrier_t ready;
};

static void *sleep_in_read(void *arg)
{
    struct sleeper *sleeper = arg;
    char c;
    sleeper->file = trace_open_state();
    pthread_barrier_wait(&sleeper->ready);
    return syscall(SYS_read, sleeper->ends[0], &c, 1, 0L, 0L, 0L) == 1 ? arg : NULL;
}

/* Of a thread that waits for a pipe, however long it takes to get there. */
Test(state, a_thread_in_a_system_call)
{
    struct sleeper sleeper;
    pthread_t thread;
    void *result;
    char name[32] = "";
    cr_assert_eq(pipe(sleeper.ends), 0);
    pthread_barrier_init(&sleeper.ready, NULL, 2);
    cr_assert_eq(pthread_create(&thread, NULL, sleep_in_read, &sleeper), 0);
    pthread_barrier_wait(&sleeper.ready);
    if (sleeper.file == -ENOENT)
        cr_skip_test("this kernel, or an emulator, does not tell what threads are at");
    cr_assert_geq(sleeper.file, 0);
    struct trace_state state;
    do
        state = trace_read_state(sleeper.file);
    while (state.doing != TRACE_CALL || state.call != SYS_read);
    trace_call_name(state.call, name, sizeof name);
    cr_expect_str_eq(name, "read");
    cr_expect_neq(state.sp, 0);
    cr_expect_neq(state.pc, 0);
    cr_assert_eq(write(sleeper.ends[1], "x", 1), 1);
    cr_assert_eq(pthread_join(thread, &result), 0);
    cr_expect_not_null(result);
    close(sleeper.file);
}

Test(state, one_that_runs_and_one_that_can_not_be_asked)
{
    int file = trace_open_state();
    if (file == -ENOENT)
        cr_skip_test("this kernel, or an emulator, does not tell what threads are at");
    cr_assert_geq(file, 0);
    cr_expect_neq(trace_read_state(file).doing, TRACE_UNKNOWN);
    close(file);
    cr_expect_eq(trace_read_state(-1).doing, TRACE_UNKNOWN);
}

Test(state, system_calls_have_names)
{
    static const struct {
        long call;
        const char *name;
    } rows[] = {{SYS_read, "read"},   {SYS_nanosleep, "nanosleep"}, {SYS_clock_nanosleep, "clock_nanosleep"},
                {SYS_futex, "futex"}, {1000000, "1000000"},         {-1, "-1"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char name[32], tight[4];
        trace_call_name(rows[i].call, name, sizeof name);
        cr_expect_str_eq(name, rows[i].name);
        trace_call_name(rows[i].call, tight, sizeof tight);
        cr_expect_eq(strncmp(tight, rows[i].name, sizeof tight - 1), 0);
        cr_expect_lt(strlen(tight), sizeof tight);
    }
}
