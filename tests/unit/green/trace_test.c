/* trace_test.c: what the stacks of parked threads say. */
#include "green/trace.h"

#include <stdlib.h>

#include "../../kept.h"
#include "green/core.h"
#include "run.h"

TestSuite(trace, .init = run_needs_memory);

KEPT int innermost(nsec duration);
KEPT int middle(nsec duration);
KEPT int outermost(void *arg);

KEPT int innermost(nsec duration)
{
    int error = green_sleep(duration);
    return error ? error : 1;
}

KEPT int middle(nsec duration)
{
    return innermost(duration) + 1;
}

KEPT int outermost(void *arg)
{
    return middle(*(const nsec *)arg) + 1;
}

static uint64_t number_of(const struct green *thread)
{
    return thread->number;
}

/* Whether these words follow each other in that order. */
static bool in_order(const char *text, const char *const *words)
{
    for (; *words && text; words++)
        text = strstr(text, *words);
    return text != NULL;
}

GreenTest(trace, a_parked_thread_tells_the_functions_that_it_is_in)
{
    static const char *const functions[] = {"#0 ",        " innermost+0x", "(trace_test.c:", " in unit\n", " middle+0x",
                                            " in unit\n", " outermost+0x", " run+0x",        NULL};
    nsec long_time = 3600 * NSEC_SEC;
    char text[3072];
    struct green *sleeper = run_spawn(outermost, &long_time);
    run_yield();
    int n = green_trace(number_of(sleeper), text, sizeof text, NSEC_NEVER);
    cr_assert_eq((size_t)n, strlen(text));
    cr_expect(in_order(text, functions), "%s", text);
    const char *last = strstr(text, " run+0x");
    cr_expect(last && strchr(last, '\n')[1] == '\0', "more than its own functions:\n%s", text);
    cr_expect_null(strstr(text, "green_enter"));
    green_cancel(sleeper);
    cr_expect_lt(run_join(sleeper), 0);
}

GreenTest(trace, what_has_no_room_is_left_out_by_the_line)
{
    nsec long_time = 3600 * NSEC_SEC;
    char whole[3072], text[3072];
    struct green *sleeper = run_spawn(outermost, &long_time);
    run_yield();
    int n = green_trace(number_of(sleeper), whole, sizeof whole, NSEC_NEVER);
    cr_assert_gt(n, 100);
    static const size_t sizes[] = {1, 2, 40, 100};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int written = green_trace(number_of(sleeper), text, sizes[i], NSEC_NEVER);
        cr_assert_geq(written, 0);
        cr_assert_lt((size_t)written, sizes[i]);
        cr_expect_eq(memcmp(text, whole, (size_t)written), 0);
        cr_expect(written == 0 || text[written - 1] == '\n');
    }
    green_cancel(sleeper);
    cr_expect_lt(run_join(sleeper), 0);
}

GreenTest(trace, who_has_no_frames_gets_none)
{
    nsec no_time = 0;
    char text[256];
    struct green *fresh = run_spawn(outermost, &no_time);
    uint64_t number = number_of(fresh);
    cr_expect_eq(green_trace(number, text, sizeof text, NSEC_NEVER), 0);
    cr_expect_str_eq(text, "");
    cr_expect_eq(green_trace(number_of(green_self()), text, sizeof text, NSEC_NEVER), -EBUSY);
    cr_expect_eq(run_join(fresh), 3);
    cr_expect_eq(green_trace(number, text, sizeof text, NSEC_NEVER), -ESRCH);
}
