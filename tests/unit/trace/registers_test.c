/* registers_test.c: copies of stacks, and what is guessed of them. */
#include "trace/registers.h"

#include "../green/run.h"
#include <string.h>

enum { BASE = 0x10000, WORD = 8 };

static struct trace_capture capture;

TestSuite(registers, .init = run_needs_memory);

/* A stack that starts at BASE, of `count` words. */
static void lay(const uint64_t *words, size_t count)
{
    memset(&capture, 0, sizeof capture);
    capture.from = BASE;
    capture.size = count * WORD;
    memcpy(capture.stack, words, count * WORD);
}

#define AT(word) (BASE + (word)*UINT64_C(8))
#define CODE 0x401000

Test(registers, words_outside_of_the_copy_are_not_there)
{
    static const uint64_t words[] = {1, 2, 3};
    uint64_t got;
    lay(words, 3);
    static const uint64_t outside[] = {0, BASE - 8, BASE - 1, AT(2) + 1, AT(3), UINT64_MAX, UINT64_MAX - 7};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
        cr_expect_not(trace_read(&capture, outside[i], &got), "row %zu", i);
    for (size_t i = 0; i < 3; i++) {
        cr_expect(trace_read(&capture, AT(i), &got));
        cr_expect_eq(got, words[i]);
    }
    lay(words, 0);
    cr_expect_not(trace_read(&capture, BASE, &got));
}

Test(registers, what_is_no_chain_of_frames_is_no_guess)
{
    static const uint64_t stacks[][6] = {
        {0, 0, 0, 0, 0, 0},
        {0, CODE, 0, CODE, 0, CODE},              /* bottoms only */
        {AT(2), CODE, AT(0), CODE, 0, 0},         /* back */
        {AT(0), CODE, 0, 0, 0, 0},                /* to itself */
        {AT(2) + 4, CODE, 0, CODE, 0, 0},         /* no word */
        {AT(2), 0, 0, CODE, 0, 0},                /* no return address */
        {AT(2), CODE, 0, 0, 0, 0},                /* the same at the bottom */
        {AT(6), CODE, 0, 0, 0, 0},                /* out of the copy */
        {AT(2), CODE, AT(5), CODE, CODE, 0},      /* the return address is outside */
        {UINT64_MAX - 7, CODE, 0, CODE, CODE, 0}, /* far away */
    };
    for (size_t i = 0; i < sizeof stacks / sizeof *stacks; i++) {
        lay(stacks[i], 6);
        cr_expect_eq(trace_guess_frame(&capture, 0), 0, "row %zu", i);
    }
}

Test(registers, each_start_of_a_chain_is_a_guess)
{
    /*                              0  1      2     3      4  5      6  7 */
    static const uint64_t words[] = {7, AT(4), CODE, AT(6), AT(6), CODE, 0, CODE};
    lay(words, 8);
    cr_expect_eq(trace_guess_frame(&capture, 0), AT(1));
    cr_expect_eq(trace_guess_frame(&capture, AT(1)), AT(3));
    cr_expect_eq(trace_guess_frame(&capture, AT(3)), AT(4));
    cr_expect_eq(trace_guess_frame(&capture, AT(4)), 0);
    lay(words + 4, 4); /* where the stack pointer points is one, too */
    capture.from = AT(4);
    cr_expect_eq(trace_guess_frame(&capture, 0), AT(4));
    cr_expect_eq(trace_guess_frame(&capture, AT(4)), 0);
}

Test(registers, the_stack_is_copied_from_its_pointer_up)
{
    char here[256];
    uint64_t word, expected;
    for (size_t i = 0; i < sizeof here; i++)
        here[i] = (char)i;
    capture.registers.known = 0;
    trace_set(&capture.registers, TRACE_SP, (uint64_t)(uintptr_t)here);
    trace_copy_stack(&capture);
    cr_assert_geq(capture.size, sizeof here);
    memcpy(&expected, here + 48, sizeof expected);
    cr_expect(trace_read(&capture, (uint64_t)(uintptr_t)here + 48, &word));
    cr_expect_eq(word, expected);
    cr_expect(trace_knows(&capture.registers, TRACE_SP));
    cr_expect_not(trace_knows(&capture.registers, TRACE_FP));
}
