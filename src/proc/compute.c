/* compute.c: see compute.h. */
#include "proc/compute.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "log/log.h"
#include "proc/worker.h"

enum {
    NICE = 5, /* a worker that is busy, too, gets three quarters of the processor that they share */
    WHY_SIZE = 160,
};

/* Workers first: a job has time. Of tasks in batches the scheduler expects no hurry, so a worker that wakes up need not
 * wait for the end of their turn: on a processor that it shared with a job, 99 of 100 times it ran within 0.1 ms rather
 * than within 0.3 ms. */
static void give_way(void)
{
    int nice = getpriority(PRIO_PROCESS, 0) + NICE;
    if (sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){0}) < 0 || setpriority(PRIO_PROCESS, 0, nice) < 0)
        log_warn("a compute process does not give way to workers: %s", strerror(errno));
}

/* ---- the master ---- */

static void serve_message(int master, const struct message *message, int fd)
{
    if (message->kind == MESSAGE_LEVEL)
        log_threshold = (enum log_level)message->number;
    else
        forked_take_log(master, NULL, message, fd);
}

/* Until it is gone, or a job has closed our end; what becomes of us then is orphan.c's affair, or that job's. */
static void *obey(void *arg)
{
    const struct forked *self = arg;
    int got;
    do {
        struct pollfd pair = {.fd = self->master, .events = POLLIN};
        struct message message;
        int fd;
        (void)!poll(&pair, 1, -1);
        got = message_receive(self->master, &message, &fd);
        if (got > 0)
            serve_message(self->master, &message, fd);
    } while (got > 0 || got == -EAGAIN || got == -EINTR || got == -EBADMSG);
    return NULL;
}

/* All signals are for the thread that runs jobs. */
static int start_obeying(const struct forked *self)
{
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread, NULL, obey, (void *)self);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!error)
        pthread_detach(thread);
    return -error;
}

/* ---- the jobs ---- */

static int serve(struct compute_desk *desk, const struct forked *self)
{
    int result;
    if (message_tell(self->master, MESSAGE_READY, 0) < 0)
        log_error("compute process %zu cannot reach its master", self->index);
    do
        result = compute_serve(desk);
    while (result > 0 || result == -EINTR);
    return result;
}

int compute_process_run(const struct compute_process *process)
{
    char why[WHY_SIZE] = "";
    const struct forked *self = process->self;
    const struct compute_source *source = process->config->jobs;
    struct compute_desk desk = {.queue = process->queue, .source = source, .slot = process->slot};
    prctl(PR_SET_NAME, "tern-compute");
    give_way();
    int status = forked_become(self, process->config);
    if (status)
        return status;
    if (source->load(source->modules, why, sizeof why) < 0)
        return forked_fail(self, "load its modules", why);
    int error = compute_desk_open(&desk);
    if (error)
        return forked_fail(self, "keep deadlines", strerror(-error));
    error = start_obeying(self);
    if (!error)
        error = serve(&desk, self);
    compute_desk_close(&desk);
    return error ? forked_fail(self, "serve", strerror(-error)) : EXIT_FINE;
}
