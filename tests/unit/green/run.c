/* run.c: see run.h. */
#include "run.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trace/memory.h"

static char notes[1024];
static size_t noted;

static int run_it(void *arg)
{
    void (**body)(void) = arg;
    (*body)();
    struct green_census census;
    green_take_census(&census);
    cr_expect_eq(census.live, 1, "%zu threads are left over", census.live - 1);
    return 0;
}

void run_body(const struct green_options *options, void (*body)(void))
{
    cr_assert_eq(green_run(options, run_it, &body), 0);
}

struct green *run_spawn(green_fn *fn, void *arg)
{
    struct green *thread = NULL;
    cr_assert_eq(green_spawn(&thread, "test", fn, arg), 0);
    return thread;
}

int run_join(struct green *thread)
{
    int result = 0;
    cr_assert_eq(green_join(thread, &result, NSEC_NEVER), 0);
    return result;
}

void run_yield(void)
{
    cr_assert_eq(green_yield(), 0);
}

nsec run_in(nsec ms)
{
    return clock_monotonic() + ms * NSEC_MS;
}

void run_note(char letter)
{
    cr_assert_lt(noted, sizeof notes - 1);
    notes[noted++] = letter;
}

const char *run_noted(void)
{
    static char text[sizeof notes];
    memcpy(text, notes, noted);
    text[noted] = '\0';
    noted = 0;
    return text;
}

void run_needs_memory(void)
{
    char copy;
    if (trace_peek(&copy, notes, 1) != 1)
        cr_skip_test("nobody reads memory for us here");
}

static _Noreturn void be_child(void (*fn)(void *arg), void *arg, int error)
{
    dup2(error, STDERR_FILENO);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    signal(SIGSEGV, SIG_DFL);
    fn(arg);
    _exit(0);
}

static size_t read_all(int fd, char *to, size_t size)
{
    size_t n = 0;
    char rest[256];
    for (ssize_t got;; n += (size_t)got) {
        got = n < size ? read(fd, to + n, size - n) : read(fd, rest, sizeof rest);
        if (got <= 0)
            return n < size ? n : size;
    }
}

int run_signal(void (*fn)(void *arg), void *arg, char *said, size_t size)
{
    int ends[2], status;
    cr_assert_eq(pipe(ends), 0);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0)
        be_child(fn, arg, ends[1]);
    close(ends[1]);
    size_t n = read_all(ends[0], said, said ? size - 1 : 0);
    if (said)
        said[n] = '\0';
    close(ends[0]);
    cr_assert_eq(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}
