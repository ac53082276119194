/* compute.h: jobs that need a processor for longer than a green thread may have it, and are run in another process.
 *
 * A job is a function of bytes, known by its name. A worker hands it to one of the compute processes that its master
 * keeps (proc/crew.h), and the green thread that asked waits; the worker's others go on. All workers of a generation
 * share one queue, and whichever compute process is idle takes the next job out of it.
 *
 * Input and output lie in memory that was made for this job alone, and the answer comes through a pipe that was made
 * for it, too: so whatever becomes of the process, whether it crashes, hangs or writes where it should not, costs this
 * job and no other. The worker never maps that memory, but reads and writes it as a file: nothing that is done to it
 * can fault here, and what is looked at is a copy.
 */
#ifndef TERN_MODULE_COMPUTE_H
#define TERN_MODULE_COMPUTE_H

#include <sys/types.h>

#include "green/green.h"
#include "tern.h"

enum {
    COMPUTE_NAME_SIZE = 64,        /* of a job, with the NUL that ends it */
    COMPUTE_BYTES_MAX = 64 << 20,  /* of input, and of output */
    COMPUTE_RESULT_LEAST = -0xfff, /* the least number that the kernel, too, takes for an -errno */
};

/* ---- for workers ---- */

/* Jobs go to this end of the queue from now on, which is ours to close; -1: there are no compute processes. On a green
 * thread; compute_client_free(), when no job is on its way any more. */
void compute_client_init(int queue);
void compute_client_free(void);

/* Runs the job of this name on `in`, and waits for its end. Up to `room` bytes of output are stored at `out`. Their
 * number, or what the job has returned that is negative, or:
 *
 *   -EPIPE       the process that ran it has died, or answered nonsense;
 *   -ETIMEDOUT   the deadline has passed: the job was killed, or never begins;
 *   -ECANCELED   the thread was cancelled: the job, if it runs, is left to end by itself or by its deadline;
 *   -ENOSYS      there is no job of that name;
 *   -ENOTSUP     there are no compute processes;
 *   -EMSGSIZE    the name or `in` is too long, or `room` too large; or the job claims more output than there is room;
 *   -ENOMEM, -EMFILE, -ENFILE: memory or descriptors are out.
 *
 * What `out` holds after an error is undefined. */
int compute_run(const char *name, struct str in, void *out, size_t room, nsec deadline) GREEN_WAITS;

/* ---- for compute processes ---- */

/* Where jobs come from: the modules of a configuration. */
struct compute_source {
    /* Makes them ready, once, in each process. 0, or -errno with the reason as a text. */
    int (*load)(void *modules, char *why, size_t size);

    /* The job of this name, or NULL. After load() only. */
    const struct tern_job *(*find)(const char *name);

    void *modules; /* for load() */
};

#endif
