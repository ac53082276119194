/* memory_test.c: reading what may not be there. */
#include "trace/memory.h"

#include "../green/run.h"
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t page;

TestSuite(memory, .init = run_needs_memory);

/* Two pages that are there, and one that is not. */
static char *two_pages(void)
{
    page = (size_t)sysconf(_SC_PAGESIZE);
    char *at = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(at, MAP_FAILED);
    cr_assert_eq(mprotect(at + 2 * page, page, PROT_NONE), 0);
    for (size_t i = 0; i < 2 * page; i++)
        at[i] = (char)(i % 251);
    return at;
}

Test(memory, what_is_there_is_copied_up_to_what_is_not)
{
    char *at = two_pages();
    static char copy[64 * 1024];
    const struct {
        size_t from, size, got;
    } rows[] = {{0, 1, 1},
                {0, page, page},
                {1, page, page},
                {0, 2 * page, 2 * page},
                {0, sizeof copy, 2 * page},
                {3, sizeof copy, 2 * page - 3},
                {2 * page - 1, 1, 1},
                {2 * page - 1, 2, 1},
                {2 * page, 1, 0},
                {2 * page, sizeof copy, 0},
                {0, 0, 0}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        memset(copy, 0, sizeof copy);
        errno = EDOM;
        cr_expect_eq(trace_peek(copy, at + rows[i].from, rows[i].size), rows[i].got, "row %zu", i);
        cr_expect_eq(memcmp(copy, at + rows[i].from, rows[i].got), 0, "row %zu", i);
        cr_expect_eq(errno, EDOM);
    }
}

Test(memory, there_is_nothing_at_the_ends_of_the_address_space)
{
    char copy[64];
    cr_expect_eq(trace_peek(copy, NULL, sizeof copy), 0);
    cr_expect_eq(trace_peek(copy, (const char *)(UINTPTR_MAX - 8), 4), 0);
    cr_expect_eq(trace_peek(copy, (const char *)(UINTPTR_MAX - 8), sizeof copy), 0);
}
