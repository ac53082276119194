/* crew.c: see crew.h. */
#include "proc/crew.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "module/compute_message.h"
#include "proc/compute.h"
#include "proc/state.h"
#include "proc/worker.h"

/* ---- in the new process ---- */

static _Noreturn void become_process(struct child *child, const struct forked *self)
{
    struct generation *g = child->generation;
    forked_leave_master(g->master, g, NULL, 0);
    crew_leave(&g->crew, CREW_PROCESSES);
    access_close(g->config->http.access);
    g->config->http.access = NULL;
    const struct compute_process process = {.self = self,
                                            .config = g->config,
                                            .queue = g->crew.queue[CREW_PROCESSES],
                                            .slot = &g->crew.slots[child->index]};
    exit(compute_process_run(&process));
}

/* ---- what becomes of it ---- */

static bool heard(struct child *child, const struct message *message, int fd)
{
    (void)fd;
    child->ready |= message->kind == MESSAGE_READY;
    return message->kind == MESSAGE_READY;
}

struct compute_slot crew_look(const struct crew *crew, size_t index)
{
    struct compute_slot seen;
    memcpy(&seen, &crew->slots[index], sizeof seen);
    seen.job[sizeof seen.job - 1] = '\0';
    return seen;
}

static void say_end(const struct child *child, const struct ending *ending, const struct compute_slot *at)
{
    char during[sizeof " in job " + COMPUTE_NAME_SIZE] = "";
    bool late = WIFSIGNALED(ending->status) && WTERMSIG(ending->status) == SIGKILL && clock_monotonic() >= at->deadline;
    if (at->job[0])
        snprintf(during, sizeof during, " in job %s", at->job);
    if (at->job[0] && late)
        log_limited(LOG_LEVEL_WARN, "job %s was not done by its deadline: compute process %zu [%d] was killed", at->job,
                    child->index, (int)ending->pid);
    else
        child_say_end(child, ending, during);
}

/* For what a job does to a process the next one is not to blame: whoever asked for that job has paid for it. */
static void ended(struct child *child, const struct ending *ending)
{
    struct generation *g = child->generation;
    const struct compute_slot at = crew_look(&g->crew, child->index);
    bool workers = children_running(g->children, g->count) > 0;
    if (workers)
        say_end(child, ending, &at);
    g->crew.slots[child->index].job[0] = '\0';
    if (child_is_hopeless(child, ending))
        generation_fail(g, "compute process %zu could not start", child->index);
    else if (g->state != DRAINING || (workers && ending->was_ready))
        child_plan_restart(child, at.job[0] == '\0');
    generation_try_end(g);
}

static const struct child_kind kind = {
    .name = "compute process", .restarts = LOG_LEVEL_INFO, .become = become_process, .heard = heard, .ended = ended};

/* ---- the whole ---- */

int crew_open(struct crew *crew, struct generation *g)
{
    size_t count = g->config->jobs ? (size_t)g->config->compute : 0;
    *crew = (struct crew){.queue = {-1, -1}};
    if (count == 0)
        return 0;
    crew->children = children_new(&kind, g, count);
    if (!crew->children)
        return -ENOMEM;
    void *memory = mmap(NULL, count * sizeof *crew->slots, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return -ENOMEM;
    crew->slots = memory;
    crew->count = count;
    return compute_queue_open(crew->queue);
}

void crew_close(struct crew *crew)
{
    crew_leave(crew, CREW_ENDS);
    if (crew->slots)
        munmap(crew->slots, crew->count * sizeof *crew->slots);
    for (size_t i = 0; i < crew->count; i++)
        reactor_disarm(&crew->children[i].restart);
    free(crew->children);
    *crew = (struct crew){.queue = {-1, -1}};
}

int crew_start(struct crew *crew)
{
    int error = 0;
    for (size_t i = 0; i < crew->count && !error; i++)
        error = child_start(&crew->children[i]);
    return error;
}

bool crew_dismiss(struct crew *crew)
{
    for (size_t i = 0; i < crew->count; i++)
        reactor_disarm(&crew->children[i].restart);
    children_kill(crew->children, crew->count);
    return children_running(crew->children, crew->count) > 0;
}

void crew_leave(struct crew *crew, int kept)
{
    for (int i = 0; i < CREW_ENDS; i++)
        if (i != kept && crew->queue[i] >= 0) {
            close(crew->queue[i]);
            crew->queue[i] = -1;
        }
}
