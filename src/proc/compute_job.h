/* compute_job.h: one job after the other, in a compute process. The worker's side of it is module/compute.h.
 *
 * A job's deadline is kept by the kernel: a timer that sends SIGKILL is armed before the job begins, so one that hangs
 * needs nobody to watch it, and there is no moment at which the wrong job could be killed.
 */
#ifndef TERN_PROC_COMPUTE_JOB_H
#define TERN_PROC_COMPUTE_JOB_H

#include <time.h>

#include "module/compute.h"

/* What a process is at, in memory that it shares with the master, for when it dies. */
struct compute_slot {
    _Alignas(128) char job[COMPUTE_NAME_SIZE]; /* empty: it waits for one */
    nsec deadline;                             /* of that job */
    uint64_t jobs;                             /* that were run to their end, this one not counted */
};

struct compute_desk {
    int queue; /* the processes' end of it */
    const struct compute_source *source;
    struct compute_slot *slot;
    timer_t killer;
};

/* Makes the timer; the rest is filled in. 0 or -errno. */
int compute_desk_open(struct compute_desk *desk) __attribute__((warn_unused_result));

void compute_desk_close(struct compute_desk *desk);

/* Waits for a message, and runs the job that it asks for; one that nobody waits for any more is passed over. 1; 0: no
 * worker is left; or -errno. */
int compute_serve(struct compute_desk *desk) __attribute__((warn_unused_result));

#endif
