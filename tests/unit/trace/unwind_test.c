/* unwind_test.c: backtraces of known chains of functions. */
#include "trace/unwind.h"

#include "../green/run.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "../../kept.h"

static struct trace_capture capture;
static char text[4096];

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info;
    trace_interrupted(&capture.registers, context);
    trace_copy_stack(&capture);
}

KEPT int be_interrupted(int value);
KEPT int call_it(int value);
KEPT int call_the_caller(int value);
KEPT int descend(int levels);

KEPT int be_interrupted(int value)
{
    raise(SIGUSR1);
    return value + 1;
}

KEPT int call_it(int value)
{
    return be_interrupted(value) + 1;
}

KEPT int call_the_caller(int value)
{
    return call_it(value) + 1;
}

KEPT int descend(int levels)
{
    volatile int below = levels > 0 ? descend(levels - 1) : be_interrupted(0);
    return below + 1;
}

static void catch_signals(void)
{
    run_needs_memory();
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &action, NULL);
}

TestSuite(unwind, .init = catch_signals);

static size_t lines(void)
{
    size_t count = 0;
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        count++;
    return count;
}

/* A line that has the name of a function, and those behind it. */
static const char *frame_of(const char *from, const char *function)
{
    char name[64];
    snprintf(name, sizeof name, " %s+0x", function);
    const char *at = from ? strstr(from, name) : NULL;
    cr_expect_not_null(at, "no %s, or not there, in:\n%s", function, text);
    return at;
}

Test(unwind, functions_from_the_innermost_out)
{
    static const char *const functions[] = {"be_interrupted", "call_it", "call_the_caller"};
    cr_assert_eq(call_the_caller(1), 4);
    size_t n = trace_unwind(&capture, text, sizeof text);
    cr_assert_eq(n, strlen(text));
    cr_expect_eq(strncmp(text, "#0 ", 3), 0);
    const char *at = text;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        at = frame_of(at, functions[i]);
        const char *source = at ? strstr(at, "(unwind_test.c:") : NULL, *end = at ? strchr(at, '\n') : NULL;
        cr_expect(source && source < end, "%s", text);
        cr_expect(end && strncmp(end - 8, " in unit", 8) == 0, "%s", text);
    }
}

Test(unwind, a_deep_stack_is_cut)
{
    cr_assert_eq(descend(200), 202);
    trace_unwind(&capture, text, sizeof text);
    cr_expect_leq(lines(), TRACE_FRAMES);
    cr_expect_geq(lines(), TRACE_FRAMES / 2, "%s", text);
    frame_of(text, "descend");
}

Test(unwind, lines_are_whole)
{
    call_the_caller(1);
    for (size_t size = 1; size < 200; size += 7) {
        memset(text, 'x', sizeof text);
        size_t n = trace_unwind(&capture, text, size);
        cr_assert_lt(n, size);
        cr_assert_eq(text[n], '\0');
        cr_assert(n == 0 || text[n - 1] == '\n');
        cr_assert_eq(text[size], 'x');
    }
}

/* As of a thread that the kernel holds. Nothing leads to the bottom of a green stack here: what is found is what the
 * stack pointer alone shows. */
Test(unwind, without_a_frame_pointer_the_innermost_is_found)
{
    cr_assert_eq(call_the_caller(1), 4);
    struct trace_registers all = capture.registers;
    capture.registers = (struct trace_registers){.pc = all.pc};
    trace_set(&capture.registers, TRACE_SP, all.values[TRACE_SP]);
    trace_unwind(&capture, text, sizeof text);
    cr_expect_eq(strncmp(text, "#0 ", 3), 0, "%s", text);
}

Test(unwind, registers_that_mean_nothing)
{
    static const uint64_t wild[] = {0, 1, 0x1000, UINT64_MAX, UINT64_C(1) << 63, (UINT64_C(1) << 47) - 16};
    for (size_t i = 0; i < sizeof wild / sizeof *wild; i++)
        for (size_t k = 0; k < sizeof wild / sizeof *wild; k++) {
            capture.registers = (struct trace_registers){.pc = wild[i]};
            trace_set(&capture.registers, TRACE_SP, wild[k]);
            trace_copy_stack(&capture);
            trace_unwind(&capture, text, sizeof text);
            cr_expect_leq(lines(), 1, "%s", text);
        }
}
