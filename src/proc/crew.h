/* crew.h: the compute processes of a generation, as the master sees them.
 *
 * They are forked with its workers and share a queue with them, which the master keeps at both ends: so a job that
 * waits there outlives the process that might have taken it, and a process that dies is replaced by one that goes on
 * where it stood. Once the generation serves, nothing that they do can make it fail. They end with its last worker:
 * there is nobody left to work for.
 *
 * A generation without modules has none, whatever is configured.
 */
#ifndef TERN_PROC_CREW_H
#define TERN_PROC_CREW_H

#include "proc/child.h"
#include "proc/compute_job.h"

enum { CREW_WORKERS, CREW_PROCESSES, CREW_ENDS }; /* the ends of the queue */

struct crew {
    struct child *children;
    size_t count;
    int queue[CREW_ENDS];       /* -1: there is none */
    struct compute_slot *slots; /* one for each, shared with it */
};

/* Makes one of as many as the generation is configured to have. 0 or -errno; then it is to be closed. */
int crew_open(struct crew *crew, struct generation *generation) __attribute__((warn_unused_result));

/* Frees it; none may be running. */
void crew_close(struct crew *crew);

/* Starts all of them. 0 or -errno. */
int crew_start(struct crew *crew) __attribute__((warn_unused_result));

/* Kills those that run, and starts no more. Whether any has yet to be reaped. */
bool crew_dismiss(struct crew *crew);

/* In a forked process: closes the ends of the queue but `kept`; CREW_ENDS: none is kept. */
void crew_leave(struct crew *crew, int kept);

/* What a process is at: a copy, since it may be changed meanwhile, and in whatever way by one that has gone astray. */
struct compute_slot crew_look(const struct crew *crew, size_t index);

#endif
