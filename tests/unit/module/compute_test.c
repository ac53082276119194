/* compute_test.c: the worker's side of a job. The other side is played by the test. */
#include "module/compute.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/descriptors.h"
#include "../green/run.h"
#include "green/sync.h"
#include "kernel.h"
#include "module/compute_message.h"
#include "net/rights.h"

enum { ROOM = 16 };

static int queue[2];

static void open_queue(void)
{
    cr_assert_eq(compute_queue_open(queue), 0);
}

TestSuite(compute, .init = open_queue);

/* What a caller asks for, and what it gets. */
struct call {
    const char *name;
    struct str in;
    char out[ROOM];
    nsec deadline;
};

static int call(void *arg)
{
    struct call *c = arg;
    return compute_run(c->name, c->in, c->out, sizeof c->out, c->deadline);
}

static struct call call_of(const char *name, const char *in)
{
    return (struct call){.name = name, .in = str_of(in), .deadline = NSEC_NEVER};
}

static void take(struct compute_message *message, int fds[static COMPUTE_FDS])
{
    cr_assert_eq(rights_receive(queue[1], message, sizeof *message, fds, COMPUTE_FDS, MSG_DONTWAIT), sizeof *message);
}

/* A caller that has sent its job, which the test has in its hands. */
static struct green *begin(struct call *c, struct compute_message *message, int fds[static COMPUTE_FDS])
{
    struct green *caller = run_spawn(call, c);
    run_yield();
    take(message, fds);
    return caller;
}

static void answer(int pipe, int64_t result)
{
    cr_assert_eq(write(pipe, &(struct compute_answer){.result = result}, sizeof(struct compute_answer)),
                 sizeof(struct compute_answer));
}

/* ---- what is refused ---- */

GreenTest(compute, without_processes)
{
    compute_client_init(-1);
    cr_expect_eq(compute_run("job", STR(""), NULL, 0, NSEC_NEVER), -ENOTSUP);
    compute_client_free();
    compute_client_init(queue[0]);
    compute_client_free();
    cr_expect_eq(compute_run("job", STR(""), NULL, 0, NSEC_NEVER), -ENOTSUP);
}

GreenTest(compute, what_is_out_of_bounds_is_not_sent)
{
    static const char longest[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    static const struct {
        const char *name;
        size_t in, room;
        nsec deadline;
        int result;
    } rows[] = {
        {longest, 0, 0, NSEC_NEVER, -EMSGSIZE},
        {"job", COMPUTE_BYTES_MAX + 1, 0, NSEC_NEVER, -EMSGSIZE},
        {"job", 0, COMPUTE_BYTES_MAX + 1, NSEC_NEVER, -EMSGSIZE},
        {"job", SIZE_MAX, SIZE_MAX, NSEC_NEVER, -EMSGSIZE},
        {"job", 0, 0, 0, -ETIMEDOUT},
        {"job", 0, 0, 1, -ETIMEDOUT},
        {"job", 0, 0, -NSEC_SEC, -ETIMEDOUT},
    };
    compute_client_init(queue[0]);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct str in = {longest, rows[i].in};
        size_t before = open_descriptors();
        cr_expect_eq(compute_run(rows[i].name, in, NULL, rows[i].room, rows[i].deadline), rows[i].result, "row %zu", i);
        cr_expect_eq(open_descriptors(), before, "row %zu", i);
    }
    compute_client_free();
    cr_expect_eq(recv(queue[1], &(char){0}, 1, MSG_DONTWAIT), -1);
}

GreenTest(compute, what_the_kernel_refuses)
{
    static const struct {
        int *call, why, result;
    } rows[] = {
        {&refuse_memory, EMFILE, -EMFILE},  {&refuse_memory, ENOMEM, -ENOMEM}, {&refuse_size, ENOMEM, -ENOMEM},
        {&refuse_size, EFBIG, -ENOMEM},     {&refuse_bytes, ENOSPC, -ENOMEM},  {&refuse_bytes, EIO, -EIO},
        {&refuse_pipe, EMFILE, -EMFILE},    {&refuse_pipe, ENFILE, -ENFILE},   {&refuse_message, ETOOMANYREFS, -EMFILE},
        {&refuse_message, ENOMEM, -ENOMEM}, {&refuse_message, EPIPE, -EPIPE},  {&refuse_message, ECONNRESET, -EPIPE},
    };
    compute_client_init(queue[0]);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct call c = call_of("job", "in");
        size_t before = open_descriptors();
        *rows[i].call = rows[i].why;
        cr_expect_eq(call(&c), rows[i].result, "row %zu", i);
        cr_expect_eq(open_descriptors(), before, "row %zu", i);
    }
    compute_client_free();
}

GreenTest(compute, processes_that_are_gone_for_good)
{
    struct call c = call_of("job", "in");
    compute_client_init(queue[0]);
    close(queue[1]);
    cr_expect_eq(call(&c), -EPIPE);
    compute_client_free();
}

/* ---- what answers come to ---- */

GreenTest(compute, an_answer_counts_if_it_makes_sense)
{
    static const struct {
        int64_t answer;
        size_t size; /* of it */
        int result;
    } rows[] = {
        {0, 0, -EPIPE},
        {0, 1, -EPIPE},
        {0, 7, -EPIPE},
        {ROOM + 1, 8, -EPIPE},
        {INT64_MAX, 8, -EPIPE},
        {INT64_MIN, 8, -EPIPE},
        {(int64_t)1 << 32, 8, -EPIPE},
        {COMPUTE_RESULT_LEAST - 1, 8, -EPIPE},
        {COMPUTE_RESULT_LEAST, 8, COMPUTE_RESULT_LEAST},
        {-EACCES, 8, -EACCES},
        {-1, 8, -1},
        {0, 8, 0},
        {1, 8, 1},
        {ROOM, 8, ROOM},
    };
    compute_client_init(queue[0]);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t before = open_descriptors();
        struct call c = call_of("job", "in");
        struct compute_message message;
        int fds[COMPUTE_FDS];
        struct green *caller = begin(&c, &message, fds);
        cr_assert_eq(write(fds[COMPUTE_ANSWER], &rows[i].answer, rows[i].size), (ssize_t)rows[i].size);
        rights_close(fds, COMPUTE_FDS);
        cr_expect_eq(run_join(caller), rows[i].result, "row %zu", i);
        cr_expect_eq(open_descriptors(), before, "row %zu", i);
    }
    compute_client_free();
}

GreenTest(compute, the_message_says_what_was_asked)
{
    compute_client_init(queue[0]);
    struct call c = call_of("the job", "some input");
    c.deadline = run_in(60000);
    struct compute_message message;
    char in[ROOM] = "";
    int fds[COMPUTE_FDS];
    struct green *caller = begin(&c, &message, fds);
    cr_expect_str_eq(message.name, "the job");
    cr_expect(message.in == 10 && message.room == ROOM && message.deadline == c.deadline);
    cr_expect(compute_memory_fits(fds[COMPUTE_MEMORY], &message));
    cr_expect_eq(pread(fds[COMPUTE_MEMORY], in, 11, 0), 11);
    cr_expect_str_eq(in, "some input");
    cr_assert_eq(pwrite(fds[COMPUTE_MEMORY], "some output", 11, (off_t)compute_output_at(10)), 11);
    answer(fds[COMPUTE_ANSWER], 11);
    cr_expect_eq(run_join(caller), 11);
    cr_expect_arr_eq(c.out, "some output", 12);
    rights_close(fds, COMPUTE_FDS);
    compute_client_free();
}

/* Or a read beyond its end would be the end of who looks at it. */
GreenTest(compute, the_memory_of_a_job_keeps_its_size)
{
    compute_client_init(queue[0]);
    struct call c = call_of("job", "in");
    struct compute_message message;
    int fds[COMPUTE_FDS];
    struct green *caller = begin(&c, &message, fds);
    cr_expect_eq(ftruncate(fds[COMPUTE_MEMORY], 0), -1);
    cr_expect_eq(ftruncate(fds[COMPUTE_MEMORY], 1 << 20), -1);
    cr_expect_eq(fcntl(fds[COMPUTE_MEMORY], F_ADD_SEALS, F_SEAL_WRITE), -1);
    answer(fds[COMPUTE_ANSWER], ROOM);
    cr_expect_eq(run_join(caller), ROOM);
    rights_close(fds, COMPUTE_FDS);
    compute_client_free();
}

/* ---- who gives up ---- */

/* Nobody can read the answer any more. */
static void expect_unread(int pipe)
{
    struct compute_answer late = {.result = 0};
    cr_expect(write(pipe, &late, sizeof late) < 0 && errno == EPIPE);
}

GreenTest(compute, a_job_that_is_not_answered_in_time)
{
    signal(SIGPIPE, SIG_IGN);
    compute_client_init(queue[0]);
    struct call c = call_of("job", "in");
    struct compute_message message;
    int fds[COMPUTE_FDS];
    c.deadline = run_in(200);
    cr_expect_eq(run_join(begin(&c, &message, fds)), -ETIMEDOUT);
    expect_unread(fds[COMPUTE_ANSWER]);
    rights_close(fds, COMPUTE_FDS);
    compute_client_free();
}

GreenTest(compute, a_caller_that_is_cancelled)
{
    signal(SIGPIPE, SIG_IGN);
    compute_client_init(queue[0]);
    struct call c = call_of("job", "in");
    struct compute_message message;
    int fds[COMPUTE_FDS];
    struct green *caller = begin(&c, &message, fds);
    green_cancel(caller);
    cr_expect_eq(run_join(caller), -ECANCELED);
    expect_unread(fds[COMPUTE_ANSWER]);
    rights_close(fds, COMPUTE_FDS);
    compute_client_free();
}

/* ---- a queue that is full ---- */

enum { CALLERS = 40 };

static bool is_full(void)
{
    struct compute_message nothing = {.in = 0};
    return rights_send(queue[0], &nothing, sizeof nothing, NULL, 0) == -EAGAIN;
}

/* Callers for more jobs than the queue has room for. */
static void fill_queue(struct green **callers, struct call *calls, nsec deadline)
{
    cr_assert_eq(setsockopt(queue[0], SOL_SOCKET, SO_SNDBUF, &(int){1}, sizeof(int)), 0); /* the least there is */
    for (size_t i = 0; i < CALLERS; i++) {
        calls[i] = call_of("job", "in");
        calls[i].deadline = deadline;
        callers[i] = run_spawn(call, &calls[i]);
    }
    run_yield();
    cr_assert(is_full());
}

GreenTest(compute, a_full_queue_is_waited_for)
{
    static struct call calls[CALLERS];
    struct green *callers[CALLERS];
    compute_client_init(queue[0]);
    fill_queue(callers, calls, NSEC_NEVER);
    for (int64_t i = 0; i < CALLERS; i++) {
        struct compute_message message;
        int fds[COMPUTE_FDS];
        for (ssize_t got = -EAGAIN; got == -EAGAIN; run_yield())
            got = rights_receive(queue[1], &message, sizeof message, fds, COMPUTE_FDS, MSG_DONTWAIT);
        answer(fds[COMPUTE_ANSWER], i % ROOM);
        rights_close(fds, COMPUTE_FDS);
    }
    for (int i = 0; i < CALLERS; i++)
        cr_expect_eq(run_join(callers[i]), i % ROOM, "caller %d", i); /* each in its turn */
    compute_client_free();
}

GreenTest(compute, a_full_queue_is_not_waited_for_too_long)
{
    static struct call calls[CALLERS];
    struct green *callers[CALLERS];
    compute_client_init(queue[0]);
    size_t before = open_descriptors();
    fill_queue(callers, calls, run_in(200));
    for (size_t i = 0; i < CALLERS; i++)
        cr_expect_eq(run_join(callers[i]), -ETIMEDOUT, "caller %zu", i);
    cr_expect_eq(open_descriptors(), before);
    compute_client_free();
}

GreenTest(compute, who_waits_for_a_full_queue_may_be_cancelled)
{
    static struct call calls[CALLERS];
    struct green *callers[CALLERS];
    compute_client_init(queue[0]);
    fill_queue(callers, calls, NSEC_NEVER);
    for (size_t i = CALLERS; i-- > 0;)
        green_cancel(callers[i]);
    for (size_t i = 0; i < CALLERS; i++)
        cr_expect_eq(run_join(callers[i]), -ECANCELED, "caller %zu", i);
    compute_client_free();
}
