/* compute_test.c: a worker's side and compute processes, against each other. */
#include "proc/compute.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../green/run.h"
#include "jobs.h"
#include "log/log.h"
#include "proc/worker.h"

static int queue[2], master; /* our end of the pair with the process that started last */
static struct config config = {.jobs = &jobs_source};
static struct compute_slot *slot;

static void begin(void)
{
    jobs_open();
    slot = mmap(NULL, sizeof *slot, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(slot, MAP_FAILED);
    cr_assert_eq(compute_queue_open(queue), 0);
}

TestSuite(compute_process, .init = begin);

static pid_t start_process(void)
{
    int pair[2];
    pid_t parent = getpid();
    cr_assert_eq(message_pair(pair), 0);
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        close(queue[0]);
        close(pair[0]);
        const struct forked self = {.what = "compute process", .master = pair[1], .master_pid = parent};
        _exit(compute_process_run(
            &(struct compute_process){.self = &self, .config = &config, .queue = queue[1], .slot = slot}));
    }
    close(pair[1]);
    master = pair[0];
    return pid;
}

/* The signal that ended it, or 0. */
static int reap(pid_t pid)
{
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* Kills it if it has not ended yet. */
static void dismiss(pid_t pid)
{
    kill(pid, SIGKILL);
    cr_assert_eq(reap(pid), SIGKILL);
}

static int job(void *name)
{
    return compute_run(name, STR("in"), NULL, 0, NSEC_NEVER);
}

static void wait_for(atomic_bool *flag)
{
    while (!*flag)
        cr_assert_eq(green_sleep(NSEC_MS), 0);
}

GreenTest(compute_process, jobs_one_after_the_other)
{
    static const struct {
        const char *name;
        struct str in;
        size_t room;
        int result;
        struct str out;
    } rows[] = {
        {"elephant", STR_INIT("in"), 8, -ENOSYS, STR_INIT("")}, {"refuse", STR_INIT("in"), 8, -EACCES, STR_INIT("")},
        {"boast", STR_INIT("in"), 8, -EMSGSIZE, STR_INIT("")},  {"babble", STR_INIT("in"), 8, -EPIPE, STR_INIT("")},
        {"reverse", STR_INIT(""), 0, 0, STR_INIT("")},          {"reverse", STR_INIT(""), 8, 0, STR_INIT("")},
        {"reverse", STR_INIT("abc"), 8, 3, STR_INIT("cba")},    {"fill", STR_INIT(""), 8, 8, STR_INIT("xxxxxxxx")},
    };
    pid_t pid = start_process();
    compute_client_init(queue[0]);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[16] = "";
        int result = compute_run(rows[i].name, rows[i].in, out, rows[i].room, run_in(60000));
        cr_expect_eq(result, rows[i].result, "row %zu: %d", i, result);
        cr_expect(str_eq(rows[i].out, str_of(out)), "row %zu: %s", i, out);
    }
    compute_client_free();
    dismiss(pid);
}

GreenTest(compute_process, a_job_of_many_slices)
{
    enum { SIZE = (5 << 20) + 7 };
    char *in = malloc(SIZE), *out = malloc(SIZE);
    cr_assert(in && out);
    for (size_t i = 0; i < SIZE; i++)
        in[i] = (char)(i * 31 + (i >> 16));
    pid_t pid = start_process();
    compute_client_init(queue[0]);
    cr_expect_eq(compute_run("reverse", (struct str){in, SIZE}, out, SIZE, NSEC_NEVER), SIZE);
    size_t wrong = 0;
    for (size_t i = 0; i < SIZE; i++)
        wrong += out[i] != in[SIZE - 1 - i];
    cr_expect_eq(wrong, 0);
    compute_client_free();
    dismiss(pid);
    free(in);
    free(out);
}

/* The caller is told, and the next process goes on where it stood. */
GreenTest(compute_process, a_crash_costs_one_job)
{
    static const struct {
        char *name;
        int signal;
    } rows[] = {{"crash", SIGSEGV}, {"leave", 0}};
    compute_client_init(queue[0]);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pid_t pid = start_process();
        struct green *ill = run_spawn(job, rows[i].name), *well = run_spawn(job, "count");
        cr_expect_eq(run_join(ill), -EPIPE, "%s", rows[i].name);
        cr_expect_eq(reap(pid), rows[i].signal, "%s", rows[i].name);
        cr_expect_str_eq(slot->job, rows[i].name);
        pid = start_process();
        cr_expect_eq(run_join(well), 0, "%s", rows[i].name);
        dismiss(pid);
    }
    compute_client_free();
    cr_expect_eq(jobs_board->counted, 2);
}

GreenTest(compute_process, a_job_that_hangs_is_killed_at_its_deadline)
{
    compute_client_init(queue[0]);
    pid_t pid = start_process();
    nsec deadline = 0;
    while (!jobs_board->hanging) { /* it may come so late that it is not even begun */
        deadline = run_in(50);
        cr_expect_eq(compute_run("hang", STR(""), NULL, 0, deadline), -ETIMEDOUT);
    }
    cr_expect_eq(reap(pid), SIGKILL);
    cr_expect_str_eq(slot->job, "hang");
    cr_expect_eq(slot->deadline, deadline);
    struct green *next = run_spawn(job, "count");
    pid = start_process();
    cr_expect_eq(run_join(next), 0);
    dismiss(pid);
    compute_client_free();
}

GreenTest(compute_process, who_is_cancelled_while_its_job_is_queued)
{
    compute_client_init(queue[0]);
    struct green *early = run_spawn(job, "count"), *late = run_spawn(job, "count");
    run_yield();
    green_cancel(early);
    cr_expect_eq(run_join(early), -ECANCELED);
    pid_t pid = start_process();
    cr_expect_eq(run_join(late), 0);
    cr_expect_eq(jobs_board->counted, 1);
    dismiss(pid);
    compute_client_free();
}

GreenTest(compute_process, who_is_cancelled_while_its_job_runs)
{
    compute_client_init(queue[0]);
    pid_t pid = start_process();
    struct green *early = run_spawn(job, "hold"), *late = run_spawn(job, "count");
    wait_for(&jobs_board->holding);
    green_cancel(early);
    cr_expect_eq(run_join(early), -ECANCELED);
    cr_expect_eq(jobs_board->counted, 0);
    jobs_board->go = true;
    cr_expect_eq(run_join(late), 0); /* by the same process */
    cr_expect_eq(jobs_board->counted, 1);
    dismiss(pid);
    compute_client_free();
}

GreenTest(compute_process, others_run_while_one_is_busy)
{
    compute_client_init(queue[0]);
    pid_t one = start_process(), other = start_process();
    struct green *long_one = run_spawn(job, "hold");
    wait_for(&jobs_board->holding);
    for (int i = 0; i < 20; i++)
        cr_expect_eq(job("count"), 0);
    jobs_board->go = true;
    cr_expect_eq(run_join(long_one), 0);
    dismiss(one);
    dismiss(other);
    compute_client_free();
}

/* ---- the master ---- */

static void expect_message(enum message_kind kind, const char *text)
{
    struct pollfd pair = {.fd = master, .events = POLLIN};
    struct message m;
    int fd;
    cr_assert_eq(poll(&pair, 1, 20000), 1, "no message");
    cr_assert_eq(message_receive(master, &m, &fd), 1);
    cr_expect(m.kind == kind, "%u", m.kind);
    cr_expect_str_eq(m.text, text);
}

Test(compute_process, it_says_when_it_is_ready_and_ends_when_nobody_is_left)
{
    int status;
    pid_t pid = start_process();
    expect_message(MESSAGE_READY, "");
    cr_expect_eq(jobs_run(queue[0], "count"), 0);
    close(queue[0]);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FINE, "%#x", (unsigned)status);
    cr_expect_eq(slot->jobs, 1);
}

Test(compute_process, modules_that_cannot_be_loaded)
{
    int status;
    struct compute_source broken = jobs_source;
    broken.modules = "hello.so: no such file";
    config.jobs = &broken;
    pid_t pid = start_process();
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILED, "%#x", (unsigned)status);
    expect_message(MESSAGE_FAILED, "compute process 0 cannot load its modules: hello.so: no such file");
}

/* Whoever rotates logs need not wait for the end of a job. */
Test(compute_process, a_log_is_taken_while_a_job_runs)
{
    int pipe, log = open("/dev/null", O_WRONLY | O_CLOEXEC);
    pid_t pid = start_process();
    expect_message(MESSAGE_READY, "");
    pipe = jobs_send(queue[0], "hold", STR(""), 0, NSEC_NEVER);
    while (!jobs_board->holding)
        usleep(1000);
    cr_assert_eq(message_tell(master, MESSAGE_LEVEL, LOG_LEVEL_ERROR), 0);
    cr_assert_eq(message_send(master, &(struct message){.kind = MESSAGE_ERROR_LOG}, log), 0);
    expect_message(MESSAGE_TAKEN, "");
    jobs_board->go = true;
    cr_expect_eq(jobs_answer(pipe), 0);
    dismiss(pid);
}

Test(compute_process, it_gives_way_to_workers)
{
    pid_t pid = start_process();
    expect_message(MESSAGE_READY, "");
    cr_expect_eq(sched_getscheduler(pid), SCHED_BATCH);
    errno = 0;
    cr_expect_eq(getpriority(PRIO_PROCESS, (id_t)pid), getpriority(PRIO_PROCESS, 0) + 5);
    dismiss(pid);
}
