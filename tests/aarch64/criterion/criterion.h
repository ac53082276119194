/* criterion.h: as much of Criterion as the unit tests use, for a machine that is only emulated.
 *
 * Criterion runs each test in a process that it maps and patches by hand, which qemu-user does not stand. Here a test
 * runs in a forked child, and what the parent sees of its end decides: the expected exit status or signal, or none of
 * them after a failed expectation. Names that only tests of the upper layers use are missing.
 */
#ifndef TERN_TESTS_CRITERION_H
#define TERN_TESTS_CRITERION_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CRITERION_SECONDS = 120 }; /* what a test may take before it is ended */

struct criterion_options {
    void (*init)(void);
    void (*fini)(void);
    int signal, exit_code;
    bool disabled;
    double timeout;
    const char *description;
};

/* A test, or a suite that has options for all of its tests. */
struct criterion_entry {
    struct criterion_entry *next;
    const char *suite, *name;
    void (*run)(void);
    struct criterion_options options;
};

/* Every file of tests has a copy of what is weak here; the linker keeps one. */
__attribute__((weak)) struct criterion_entry *criterion_tests, *criterion_suites;
__attribute__((weak)) bool criterion_failed;

#define criterion_register(list, symbol, ...)                                                                          \
    static struct criterion_entry symbol##_entry = {__VA_ARGS__};                                                      \
    __attribute__((constructor)) static void symbol##_register(void)                                                   \
    {                                                                                                                  \
        symbol##_entry.next = list;                                                                                    \
        list = &symbol##_entry;                                                                                        \
    }

#define TestSuite(suite_name, ...)                                                                                     \
    criterion_register(criterion_suites, suite_name##_suite, .suite = #suite_name, .options = {__VA_ARGS__});          \
    struct criterion_entry

#define Test(suite_name, test_name, ...)                                                                               \
    static void suite_name##_##test_name##_test(void);                                                                 \
    criterion_register(criterion_tests, suite_name##_##test_name##_test, .suite = #suite_name, .name = #test_name,     \
                       .run = suite_name##_##test_name##_test, .options = {__VA_ARGS__});                              \
    static void suite_name##_##test_name##_test(void)

/* A failed expectation is noted, a failed assertion ends its test. */
#define criterion_check(end, condition, ...)                                                                           \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                            \
            fprintf(stderr, "    " __VA_ARGS__);                                                                       \
            fputc('\n', stderr);                                                                                       \
            criterion_failed = true;                                                                                   \
            if (end)                                                                                                   \
                _exit(EXIT_FAILURE);                                                                                   \
        }                                                                                                              \
    } while (0)

#define cr_assert(condition, ...) criterion_check(true, condition, __VA_ARGS__)
#define cr_assert_not(condition, ...) criterion_check(true, !(condition), __VA_ARGS__)
#define cr_assert_null(p, ...) criterion_check(true, (p) == NULL, __VA_ARGS__)
#define cr_assert_not_null(p, ...) criterion_check(true, (p) != NULL, __VA_ARGS__)
#define cr_assert_eq(a, b, ...) criterion_check(true, (a) == (b), __VA_ARGS__)
#define cr_assert_neq(a, b, ...) criterion_check(true, (a) != (b), __VA_ARGS__)
#define cr_assert_lt(a, b, ...) criterion_check(true, (a) < (b), __VA_ARGS__)
#define cr_assert_leq(a, b, ...) criterion_check(true, (a) <= (b), __VA_ARGS__)
#define cr_assert_gt(a, b, ...) criterion_check(true, (a) > (b), __VA_ARGS__)
#define cr_assert_geq(a, b, ...) criterion_check(true, (a) >= (b), __VA_ARGS__)
#define cr_assert_str_eq(a, b, ...) criterion_check(true, strcmp(a, b) == 0, __VA_ARGS__)
#define cr_assert_arr_eq(a, b, n, ...) criterion_check(true, memcmp(a, b, n) == 0, __VA_ARGS__)
#define cr_assert_fail(...) criterion_check(true, false, __VA_ARGS__)

#define cr_expect(condition, ...) criterion_check(false, condition, __VA_ARGS__)
#define cr_expect_not(condition, ...) criterion_check(false, !(condition), __VA_ARGS__)
#define cr_expect_null(p, ...) criterion_check(false, (p) == NULL, __VA_ARGS__)
#define cr_expect_not_null(p, ...) criterion_check(false, (p) != NULL, __VA_ARGS__)
#define cr_expect_eq(a, b, ...) criterion_check(false, (a) == (b), __VA_ARGS__)
#define cr_expect_neq(a, b, ...) criterion_check(false, (a) != (b), __VA_ARGS__)
#define cr_expect_lt(a, b, ...) criterion_check(false, (a) < (b), __VA_ARGS__)
#define cr_expect_leq(a, b, ...) criterion_check(false, (a) <= (b), __VA_ARGS__)
#define cr_expect_gt(a, b, ...) criterion_check(false, (a) > (b), __VA_ARGS__)
#define cr_expect_geq(a, b, ...) criterion_check(false, (a) >= (b), __VA_ARGS__)
#define cr_expect_str_eq(a, b, ...) criterion_check(false, strcmp(a, b) == 0, __VA_ARGS__)
#define cr_expect_arr_eq(a, b, n, ...) criterion_check(false, memcmp(a, b, n) == 0, __VA_ARGS__)

/* One that can't be tried here counts as passed. */
#define cr_skip_test(...)                                                                                              \
    do {                                                                                                               \
        fprintf(stderr, "%s:%d: skipped: ", __FILE__, __LINE__);                                                       \
        fprintf(stderr, "" __VA_ARGS__);                                                                               \
        fputc('\n', stderr);                                                                                           \
        _exit(EXIT_SUCCESS);                                                                                           \
    } while (0)

static const struct criterion_entry *criterion_suite_of(const struct criterion_entry *test)
{
    static const struct criterion_entry none;
    for (const struct criterion_entry *suite = criterion_suites; suite; suite = suite->next)
        if (strcmp(suite->suite, test->suite) == 0)
            return suite;
    return &none;
}

static void criterion_run_here(const struct criterion_entry *test)
{
    const struct criterion_options *own = &test->options, *shared = &criterion_suite_of(test)->options;
    void (*init)(void) = own->init ? own->init : shared->init;
    void (*fini)(void) = own->fini ? own->fini : shared->fini;
    alarm(CRITERION_SECONDS);
    if (init)
        init();
    test->run();
    if (fini)
        fini();
    exit(criterion_failed ? EXIT_FAILURE : EXIT_SUCCESS);
}

static bool criterion_run(const struct criterion_entry *test)
{
    pid_t child = fork();
    if (child == 0)
        criterion_run_here(test);
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child)
        return false;
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == test->options.signal;
    return test->options.signal == 0 && WEXITSTATUS(status) == test->options.exit_code;
}

__attribute__((weak)) int main(void)
{
    int passed = 0, failed = 0;
    puts("Running every test in a child"); /* starts the heap too, which a test that counts bytes would see */
    fflush(stdout);
    for (const struct criterion_entry *test = criterion_tests; test; test = test->next) {
        if (test->options.disabled)
            continue;
        bool good = criterion_run(test);
        if (!good)
            fprintf(stderr, "FAIL %s::%s\n", test->suite, test->name);
        passed += good;
        failed += !good;
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed || !passed;
}

#endif
