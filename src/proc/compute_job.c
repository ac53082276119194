/* compute_job.c: see compute_job.h. */
#include "proc/compute_job.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "log/log.h"
#include "module/compute_message.h"
#include "net/rights.h"

int compute_desk_open(struct compute_desk *desk)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    return timer_create(CLOCK_MONOTONIC, &event, &desk->killer) < 0 ? -errno : 0;
}

void compute_desk_close(struct compute_desk *desk)
{
    timer_delete(desk->killer);
}

static void arm(const struct compute_desk *desk, nsec at)
{
    const struct itimerspec when = {.it_value = {.tv_sec = at / NSEC_SEC, .tv_nsec = at % NSEC_SEC}};
    timer_settime(desk->killer, TIMER_ABSTIME, &when, NULL);
}

/* From here to the end of the job, its death is the answer; afterwards a deadline that passes harms nobody. */
static ssize_t run(const struct compute_desk *desk, const struct tern_job *job, const struct compute_message *m,
                   char *memory)
{
    struct compute_slot *slot = desk->slot;
    memcpy(slot->job, m->name, sizeof slot->job);
    slot->deadline = m->deadline;
    arm(desk, m->deadline);
    ssize_t result = job->run(memory, m->in, memory + compute_output_at(m->in), m->room);
    arm(desk, 0);
    slot->job[0] = '\0';
    slot->jobs++;
    return result > (ssize_t)m->room ? -EMSGSIZE : result;
}

static ssize_t run_mapped(const struct compute_desk *desk, const struct compute_message *m, int fd)
{
    const struct tern_job *job = desk->source->find(m->name);
    if (!job)
        return -ENOSYS;
    size_t size = compute_output_at(m->in) + m->room;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        return -ENOMEM;
    ssize_t result = run(desk, job, m, memory);
    munmap(memory, size);
    return result;
}

/* Whoever asked is gone when nobody can read the answer, and has given up at its deadline. */
static bool is_wanted(const struct compute_message *m, int answer)
{
    struct pollfd pipe = {.fd = answer};
    return clock_monotonic() < m->deadline && poll(&pipe, 1, 0) == 0;
}

static bool is_sound(const struct compute_message *m, ssize_t size, const int fds[static COMPUTE_FDS])
{
    return size == sizeof *m && fds[COMPUTE_MEMORY] >= 0 && fds[COMPUTE_ANSWER] >= 0 &&
           memchr(m->name, '\0', sizeof m->name) && compute_memory_fits(fds[COMPUTE_MEMORY], m);
}

static void serve_message(const struct compute_desk *desk, const struct compute_message *m,
                          const int fds[static COMPUTE_FDS])
{
    if (!is_wanted(m, fds[COMPUTE_ANSWER]))
        return;
    const struct compute_answer answer = {.result = run_mapped(desk, m, fds[COMPUTE_MEMORY])};
    (void)!write(fds[COMPUTE_ANSWER], &answer, sizeof answer); /* if it is not there to read, nobody waits for it */
}

int compute_serve(struct compute_desk *desk)
{
    struct compute_message message;
    int fds[COMPUTE_FDS];
    ssize_t got = rights_receive(desk->queue, &message, sizeof message, fds, COMPUTE_FDS, 0);
    if (got <= 0)
        return got != -ECONNRESET ? (int)got : 0;
    if (is_sound(&message, got, fds))
        serve_message(desk, &message, fds);
    else
        log_limited(LOG_LEVEL_ERROR, "what came as a job is none");
    rights_close(fds, COMPUTE_FDS);
    return 1;
}
