/* crew_test.c: a generation with compute processes, and workers that have nothing to do. The test is their master. */
#include "proc/crew.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../conf/folder.h"
#include "jobs.h"
#include "proc/inquiry.h"
#include "proc/state.h"
#include "proc/worker.h"

enum { CREW = 2 };

static struct master m;
static struct generation *g; /* NULL: it is gone */
static bool ready;
static char failed[MESSAGE_TEXT]; /* why */
static struct compute_source source;

/* ---- a master ---- */

static void on_ready(struct generation *generation)
{
    ready = generation == g;
}

static void on_failed(struct generation *generation, const char *why)
{
    (void)generation;
    snprintf(failed, sizeof failed, "%s", why);
}

static void on_retired(struct generation *generation)
{
    (void)generation;
}

static void on_gone(struct generation *generation)
{
    cr_expect_eq(children_running(generation->crew.children, generation->crew.count), 0);
    if (generation == g)
        g = NULL;
}

static const struct generation_owner owner = {on_ready, on_failed, on_retired, on_gone};

/* The loop must not wait for what only a signal would tell. */
static void on_tick(struct alarm *alarm)
{
    reactor_arm(&m.reactor, alarm, nsec_add(clock_monotonic(), NSEC_MS));
}

static struct alarm tick = {.ring = on_tick};

static void turn(void)
{
    int status, error = reactor_turn(&m.reactor);
    cr_assert(error == 0 || error == -EINTR);
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        list_each (l, next, &m.generations)
            if (generation_reap(container_of(l, struct generation, link), pid, status))
                break;
}

static void begin(void)
{
    jobs_open();
    folder_enter();
    source = jobs_source;
    m = (struct master){.upgrade = {.predecessor.fd = -1, .pair.fd = -1}, .descriptors = 256};
    list_init(&m.generations);
    list_init(&tick.link);
    reactor_init(&m.reactor);
    listeners_init(&m.listeners);
    control_init(&m.control, &m.reactor);
    inquiry_init(&m);
    reopen_init(&m);
    notify_open(&m.notify);
    on_tick(&tick);
}

TestSuite(crew, .init = begin);

/* With `patience` what crashes at the start is started again. */
static void start(const char *compute, bool patience)
{
    char text[256];
    snprintf(text, sizeof text,
             "workers: 1\ncontrol: off\nlisten: 'unix:socket'\n%s\n"
             "sites: [{routes: [{path: /, respond: {body: x}}]}]\n",
             compute);
    folder_write("tern.yaml", text);
    struct config *config = config_load(&(struct config_options){.file = "tern.yaml"}, stderr);
    cr_assert_not_null(config);
    config->jobs = &source;
    cr_assert_eq(generation_new(&g, &m, config, stderr), 0);
    cr_assert_eq(generation_start(g, &owner, patience), 0);
}

static bool all_ready(void)
{
    bool all = ready;
    for (size_t i = 0; i < g->crew.count; i++)
        all &= g->crew.children[i].ready;
    return all;
}

static void start_all(void)
{
    start("compute: 2", true);
    while (!all_ready())
        turn();
    cr_assert_eq(g->crew.count, CREW);
}

static void stop_all(void)
{
    list_each (l, next, &m.generations)
        generation_retire(container_of(l, struct generation, link), MESSAGE_STOP);
    while (!list_empty(&m.generations))
        turn();
    folder_leave();
}

/* The answer to a job; the master goes on meanwhile. */
static int64_t run_job(const char *name, nsec deadline)
{
    int pipe = jobs_send(g->crew.queue[CREW_WORKERS], name, STR("in"), sizeof(pid_t), deadline);
    for (struct pollfd end = {.fd = pipe, .events = POLLIN}; poll(&end, 1, 0) == 0;)
        turn();
    return jobs_answer(pipe);
}

static unsigned restarts(void)
{
    unsigned sum = 0;
    for (size_t i = 0; i < g->crew.count; i++)
        sum += g->crew.children[i].restarts;
    return sum;
}

static unsigned quick_deaths(void)
{
    unsigned sum = 0;
    for (size_t i = 0; i < g->crew.count; i++)
        sum += g->crew.children[i].quick_deaths;
    return sum;
}

static void await_restarts(unsigned count)
{
    while (restarts() < count || !all_ready())
        turn();
    cr_expect_eq(restarts(), count);
}

/* ---- the tests ---- */

Test(crew, without_any)
{
    start("compute: 0", true);
    while (!ready)
        turn();
    cr_expect_eq(g->crew.count, 0);
    cr_expect_eq(g->crew.queue[CREW_WORKERS], -1);
    stop_all();
}

Test(crew, a_configuration_without_modules_needs_none)
{
    const struct config config = {.compute = 3};
    struct generation without = {.config = (struct config *)&config};
    struct crew crew;
    cr_assert_eq(crew_open(&crew, &without), 0);
    cr_expect_eq(crew.count, 0);
    cr_expect_eq(crew_start(&crew), 0);
    cr_expect_not(crew_dismiss(&crew));
    crew_close(&crew);
    folder_leave();
}

Test(crew, it_works)
{
    start_all();
    for (int i = 0; i < 50; i++)
        cr_expect_eq(run_job("count", NSEC_NEVER), 0);
    cr_expect_eq(jobs_board->counted, 50);
    cr_expect_eq(crew_look(&g->crew, 0).jobs + crew_look(&g->crew, 1).jobs, 50);
    cr_expect_eq(restarts(), 0);
    stop_all();
}

/* It may come so late that it is not even begun. */
static void hang(void)
{
    for (jobs_board->hanging = false; !jobs_board->hanging;)
        cr_expect_eq(run_job("hang", clock_monotonic() + 5 * NSEC_MS), -EPIPE);
}

/* More often in a row than a process may die that is to blame for it. */
Test(crew, what_a_job_kills_is_replaced_at_once)
{
    enum { TIMES = 16 };
    start_all();
    for (unsigned i = 1; i <= TIMES; i++) {
        if (i % 2)
            cr_expect_eq(run_job("crash", NSEC_NEVER), -EPIPE);
        else
            hang();
        await_restarts(i);
        cr_expect_eq(run_job("count", NSEC_NEVER), 0);
    }
    cr_expect_eq(jobs_board->counted, TIMES);
    cr_expect_eq(quick_deaths(), 0);
    stop_all();
}

Test(crew, one_that_dies_without_a_job_is_to_blame)
{
    start_all();
    kill(g->crew.children[0].pid, SIGKILL);
    await_restarts(1);
    cr_expect_eq(quick_deaths(), 1);
    cr_expect_eq(g->state, SERVING);
    stop_all();
}

/* No worker ends for it. */
Test(crew, modules_that_break_while_it_serves)
{
    start_all();
    source.modules = "broken";
    pid_t worker = g->children[0].pid;
    kill(g->crew.children[0].pid, SIGKILL);
    while (g->crew.children[0].quick_deaths < 3)
        turn();
    cr_expect_eq(g->state, SERVING);
    cr_expect_eq(g->children[0].pid, worker);
    cr_expect_eq(run_job("count", NSEC_NEVER), 0);
    cr_expect_str_eq(failed, "");
    stop_all();
}

Test(crew, modules_that_cannot_be_loaded_at_the_start)
{
    for (int patience = 0; patience < 2; patience++) {
        failed[0] = '\0';
        source.modules = "hello.so: no such file";
        start("compute: 1", patience);
        reactor_unwatch(&m.reactor, &g->children[0].pair); /* a worker that is not ready yet */
        while (g)
            turn();
        cr_expect_str_eq(failed, "compute process 0 cannot load its modules: hello.so: no such file");
    }
    folder_leave();
}

Test(crew, it_ends_with_the_last_worker)
{
    start_all();
    pid_t pids[CREW];
    for (size_t i = 0; i < CREW; i++)
        pids[i] = g->crew.children[i].pid;
    close(jobs_send(g->crew.queue[CREW_WORKERS], "hang", STR(""), 0, NSEC_NEVER));
    stop_all();
    for (size_t i = 0; i < CREW; i++)
        cr_expect(kill(pids[i], 0) < 0 && errno == ESRCH);
}

/* Jobs of requests that end are still done. */
Test(crew, it_is_refilled_while_the_generation_drains)
{
    start_all();
    kill(g->children[0].pid, SIGSTOP); /* a worker that takes its time */
    generation_retire(g, MESSAGE_RETIRE);
    cr_expect_eq(run_job("crash", NSEC_NEVER), -EPIPE);
    while (restarts() < 1)
        turn();
    cr_expect_eq(run_job("count", NSEC_NEVER), 0);
    kill(g->children[0].pid, SIGCONT);
    stop_all();
}

/* Which ends of the queues of two generations a process has open: a bit for each. */
static unsigned ends_of(pid_t pid, struct crew *const crews[2])
{
    char path[64], ours[64], theirs[64];
    unsigned ends = 0;
    for (int fd = 0; fd < 256; fd++) {
        snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
        ssize_t n = readlink(path, theirs, sizeof theirs);
        for (unsigned i = 0; n > 0 && i < 4; i++) {
            snprintf(path, sizeof path, "/proc/self/fd/%d", crews[i / 2]->queue[i % 2]);
            ends |= readlink(path, ours, sizeof ours) == n && memcmp(ours, theirs, (size_t)n) == 0 ? 1U << i : 0;
        }
    }
    return ends;
}

/* Or the end of one would not be seen by its processes. */
Test(crew, each_process_has_one_end_of_one_queue)
{
    enum { FIRST = 1, SECOND = 1 << 2 };
    start_all();
    struct generation *first = g;
    ready = false;
    start("compute: 1", true);
    while (!all_ready())
        turn();
    struct crew *const crews[2] = {&first->crew, &g->crew};
    cr_expect_eq(ends_of(first->children[0].pid, crews), FIRST << CREW_WORKERS);
    cr_expect_eq(ends_of(first->crew.children[0].pid, crews), FIRST << CREW_PROCESSES);
    cr_expect_eq(ends_of(g->children[0].pid, crews), SECOND << CREW_WORKERS);
    cr_expect_eq(ends_of(g->crew.children[0].pid, crews), SECOND << CREW_PROCESSES);
    stop_all();
}
