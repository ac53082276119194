/* resolve_job.h: one look at the system's names, by getaddrinfo(3): a job for the blocking pool.
 *
 * The system's resolver reads /etc/hosts, asks name servers and waits for them, which can take many seconds. It knows
 * the order in which addresses are to be tried (RFC 6724).
 */
#ifndef TERN_NET_RESOLVE_JOB_H
#define TERN_NET_RESOLVE_JOB_H

#include "net/resolve.h"

struct resolve_job {
    char name[RESOLVE_NAME_MOST + 1];
    int error; /* 0, or as of resolve() */
    const char *why;
    struct resolved found; /* without a port; families take turns (RFC 8305, 4), so that no long list hides one */
};

/* Looks the name up. `arg` is the job. */
void resolve_job_run(void *arg);

#endif
