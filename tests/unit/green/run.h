/* run.h: what the tests of green/ share: a test whose body is a green thread, and notes of what ran when.
 *
 *     GreenTest(chan, messages_keep_their_order, .threads = 8)
 *     {
 *         ... may wait ...
 *     }
 *
 * The body runs on the first green thread, with the options given. When it returns no other thread may be left.
 */
#ifndef TERN_TESTS_GREEN_RUN_H
#define TERN_TESTS_GREEN_RUN_H

#include <criterion/criterion.h>
#include <errno.h>

#include "green/green.h"

#define GreenTest(suite, name, ...)                                                                                    \
    static void suite##_##name##_body(void);                                                                           \
    Test(suite, name)                                                                                                  \
    {                                                                                                                  \
        run_body(&(struct green_options){__VA_ARGS__}, suite##_##name##_body);                                         \
    }                                                                                                                  \
    static void suite##_##name##_body(void)

void run_body(const struct green_options *options, void (*body)(void));

/* Start, end and yield as they are when nothing goes wrong. run_join() returns the thread's result. */
struct green *run_spawn(green_fn *fn, void *arg);
int run_join(struct green *thread);
void run_yield(void);

/* A point in time so many milliseconds from now. */
nsec run_in(nsec ms);

/* Notes: each thread writes a letter when it gets somewhere; what was noted, in order, since the last look. */
void run_note(char letter);
const char *run_noted(void);

/* Skips a test, or as `.init` a suite, where the kernel, or an emulator, does not read memory for us. */
void run_needs_memory(void);

/* Whether a child that runs fn(arg) is ended by a signal, and by which; 0: it returned. What it wrote to its standard
 * error is stored in `said`, if that is not NULL. */
int run_signal(void (*fn)(void *arg), void *arg, char *said, size_t size);

#endif
