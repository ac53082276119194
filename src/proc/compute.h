/* compute.h: a compute process: it runs the jobs of modules, one at a time, and nothing else.
 *
 * It is a plain process without green threads: a job may block, compute for minutes, or crash. A second thread listens
 * to the master meanwhile, so that a log is taken over at once, whatever the job does.
 */
#ifndef TERN_PROC_COMPUTE_H
#define TERN_PROC_COMPUTE_H

#include "proc/compute_job.h"
#include "proc/forked.h"

struct compute_process {
    const struct forked *self;
    const struct config *config;
    int queue; /* the processes' end of it */
    struct compute_slot *slot;
};

/* Runs jobs until no worker is left. The exit status. */
int compute_process_run(const struct compute_process *process);

#endif
