/* compute_job_test.c: what comes through the queue, and what a process makes of it. */
#include "proc/compute_job.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/descriptors.h"
#include "jobs.h"
#include "net/rights.h"

static int queue[2];
static struct compute_slot slot;
static struct compute_desk desk = {.source = &jobs_source, .slot = &slot};

static void begin(void)
{
    jobs_open();
    cr_assert_eq(compute_queue_open(queue), 0);
    desk.queue = queue[1];
    cr_assert_eq(compute_desk_open(&desk), 0);
}

static void end(void)
{
    compute_desk_close(&desk);
    cr_expect_eq(slot.job[0], '\0');
}

TestSuite(compute_job, .init = begin, .fini = end);

/* ---- what is no job ---- */

static int plain_memory(size_t size)
{
    int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    cr_assert(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
    return fd;
}

static int sealed_memory(size_t size, int seals)
{
    int fd = plain_memory(size);
    cr_assert_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

/* A message about memory of 64 bytes for the input and 10 for the output, and the end of a pipe. */
static void expect_refused(const struct compute_message *message, size_t size, int memory, size_t fds, const char *what)
{
    int ends[2];
    char c;
    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    int both[] = {memory, ends[1]};
    cr_assert_eq(rights_send(queue[0], message, size, both, fds), 0);
    rights_close(both, 2);
    size_t before = open_descriptors();
    cr_expect_eq(compute_serve(&desk), 1, "%s", what);
    cr_expect_eq(read(ends[0], &c, 1), 0, "%s was answered", what);
    cr_expect_eq(open_descriptors(), before, "%s left descriptors", what);
    cr_expect_eq(jobs_board->counted, 0, "%s was run", what);
    close(ends[0]);
}

Test(compute_job, messages_that_are_none)
{
    static const struct compute_message good = {.name = "count", .in = 5, .room = 10, .deadline = NSEC_NEVER};
    enum { ALL = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL, SIZE = 74 };
    struct compute_message m = good;
    expect_refused(&m, sizeof m, sealed_memory(SIZE, ALL), 0, "one without descriptors");
    expect_refused(&m, sizeof m, sealed_memory(SIZE, ALL), 1, "one with one descriptor");
    expect_refused(&m, 1, sealed_memory(SIZE, ALL), 2, "a short one");
    expect_refused(&m, sizeof m - 1, sealed_memory(SIZE, ALL), 2, "one that lacks a byte");
    expect_refused(&m, sizeof m, sealed_memory(SIZE - 1, ALL), 2, "one with too little memory");
    expect_refused(&m, sizeof m, sealed_memory(SIZE + 1, ALL), 2, "one with too much memory");
    expect_refused(&m, sizeof m, sealed_memory(0, ALL), 2, "one with no memory");
    expect_refused(&m, sizeof m, plain_memory(SIZE), 2, "one whose memory has no seals");
    expect_refused(&m, sizeof m, sealed_memory(SIZE, F_SEAL_GROW), 2, "one whose memory may shrink");
    expect_refused(&m, sizeof m, dup(queue[0]), 2, "one with a socket for memory");
    m.in = UINT32_MAX;
    expect_refused(&m, sizeof m, sealed_memory(SIZE, ALL), 2, "one with too long an input");
    m = good;
    m.room = UINT32_MAX;
    expect_refused(&m, sizeof m, sealed_memory(SIZE, ALL), 2, "one with too much room");
    m = good;
    memset(m.name, 'x', sizeof m.name);
    expect_refused(&m, sizeof m, sealed_memory(SIZE, ALL), 2, "one whose name does not end");
    struct {
        struct compute_message m;
        char more;
    } longer = {.m = good};
    expect_refused(&longer.m, sizeof longer, sealed_memory(SIZE, ALL), 2, "a long one");
}

Test(compute_job, what_nobody_waits_for_is_not_run)
{
    int late = jobs_send(queue[0], "count", STR(""), 0, clock_monotonic());
    int past = jobs_send(queue[0], "count", STR(""), 0, -NSEC_SEC);
    close(jobs_send(queue[0], "count", STR(""), 0, NSEC_NEVER)); /* who asked is gone */
    int last = jobs_send(queue[0], "count", STR(""), 0, NSEC_NEVER);
    size_t before = open_descriptors();
    for (int i = 0; i < 4; i++)
        cr_expect_eq(compute_serve(&desk), 1);
    cr_expect_eq(open_descriptors(), before);
    cr_expect_eq(jobs_board->counted, 1);
    cr_expect_eq(jobs_answer(late), -EPIPE);
    cr_expect_eq(jobs_answer(past), -EPIPE);
    cr_expect_eq(jobs_answer(last), 0);
    cr_expect_eq(slot.jobs, 1);
}

Test(compute_job, the_end_of_the_queue)
{
    int pipe = jobs_send(queue[0], "count", STR(""), 0, NSEC_NEVER);
    close(queue[0]);
    cr_expect_eq(compute_serve(&desk), 1);
    cr_expect_eq(jobs_answer(pipe), 0);
    cr_expect_eq(compute_serve(&desk), 0);
}

/* ---- what is one ---- */

Test(compute_job, results)
{
    static const struct {
        const char *name;
        struct str in;
        size_t room;
        int64_t result;
    } rows[] = {
        {"elephant", STR_INIT(""), 0, -ENOSYS},
        {"", STR_INIT(""), 0, -ENOSYS},
        {"refuse", STR_INIT("in"), 0, -EACCES},
        {"boast", STR_INIT(""), 0, -EMSGSIZE},
        {"boast", STR_INIT("in"), 100, -EMSGSIZE},
        {"reverse", STR_INIT("ab"), 1, -EMSGSIZE},
        {"reverse", STR_INIT("ab"), 0, -EMSGSIZE},
        {"babble", STR_INIT(""), 0, -123456},
        {"reverse", STR_INIT(""), 0, 0},
        {"reverse", STR_INIT("ab"), 2, 2},
        {"reverse", STR_INIT("ab"), 1 << 20, 2},
        {"fill", STR_INIT(""), 4097, 4097},
        {"fill", STR_INIT(""), COMPUTE_BYTES_MAX, COMPUTE_BYTES_MAX},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int pipe = jobs_send(queue[0], rows[i].name, rows[i].in, rows[i].room, clock_monotonic() + 3600 * NSEC_SEC);
        cr_assert_eq(compute_serve(&desk), 1);
        cr_expect_eq(jobs_answer(pipe), rows[i].result, "row %zu", i);
    }
}

static ssize_t look_closely(const void *in, size_t n, void *out, size_t room)
{
    (void)room;
    cr_expect_eq(((const char *)in)[n], '\0');
    cr_expect_eq((uintptr_t)out % _Alignof(max_align_t), 0);
    cr_expect_eq((uintptr_t)in % _Alignof(max_align_t), 0);
    cr_expect_str_eq(slot.job, "look");
    return (ssize_t)n;
}

static const struct tern_job *find_look(const char *name)
{
    static const struct tern_job look = {"look", look_closely};
    (void)name;
    return &look;
}

Test(compute_job, what_a_job_is_given)
{
    static const struct compute_source source = {.find = find_look};
    static const char bytes[200] = "";
    desk.source = &source;
    for (size_t n = 0; n < sizeof bytes; n++) {
        int pipe = jobs_send(queue[0], "look", (struct str){bytes, n}, sizeof bytes, NSEC_NEVER);
        cr_assert_eq(compute_serve(&desk), 1);
        cr_expect_eq(jobs_answer(pipe), (int64_t)n);
    }
}

/* Its timer is not left armed. */
Test(compute_job, a_deadline_after_the_end_of_its_job)
{
    nsec deadline = clock_monotonic() + 300 * NSEC_MS;
    int pipe = jobs_send(queue[0], "count", STR(""), 0, deadline);
    cr_assert_eq(compute_serve(&desk), 1);
    cr_expect_eq(jobs_answer(pipe), 0);
    while (clock_monotonic() < deadline + 20 * NSEC_MS)
        usleep(1000);
    cr_expect_eq(jobs_board->counted, 1);
}
