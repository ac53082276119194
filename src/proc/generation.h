/* generation.h: one configuration, and the workers that serve it.
 *
 *   STARTING   its workers are on their way; another generation may serve meanwhile.
 *   SERVING    all were ready once. A worker that dies is replaced.
 *   DRAINING   it takes no new connections, finishes what it has, and ends with its last worker.
 *
 * Who makes a generation is told of the moments that matter, in `owner`. A generation that has no worker left
 * while it drains frees itself, right after its owner has been told.
 */
#ifndef TERN_PROC_GENERATION_H
#define TERN_PROC_GENERATION_H

#include "base/scoreboard.h"
#include "proc/crew.h"
#include "proc/listeners.h"

struct master;
struct generation;

enum generation_state { STARTING, SERVING, DRAINING };

struct generation_owner {
    void (*ready)(struct generation *generation);                   /* it is SERVING now */
    void (*failed)(struct generation *generation, const char *why); /* it could not start, and is DRAINING now */
    void (*retired)(struct generation *generation);                 /* none of its workers accepts any more */
    void (*gone)(struct generation *generation);                    /* its last worker has ended */
};

struct generation {
    struct list link; /* in the master's list, the newest first */
    struct master *master;
    const struct generation_owner *owner;
    unsigned number;
    enum generation_state state;
    bool patience;               /* while STARTING: see generation_start() */
    struct config *config;       /* its own */
    struct listener **listeners; /* used by it, config->listen_count of them; NULL: given up */
    struct scoreboard board;
    struct child *children; /* its workers */
    size_t count, ready;
    struct crew crew;
    struct alarm deadline; /* of its state */
    nsec started;
    char why[MESSAGE_TEXT];
};

/* Makes a generation of `config`, which it owns from now on, also when it fails; opens its listeners and logs. What
 * goes wrong is told to `errors`. 0 or -errno. */
int generation_new(struct generation **generation, struct master *master, struct config *config, FILE *errors)
    __attribute__((warn_unused_result));

/* Starts its workers. Without `patience` they have half a minute to be ready in, and the death of any is the failure of
 * all; with it, one that crashes is started again. 0 or -errno; then it is to be freed. */
int generation_start(struct generation *generation, const struct generation_owner *owner, bool patience)
    __attribute__((warn_unused_result));

/* From any state to DRAINING. MESSAGE_RETIRE: others serve on; MESSAGE_STOP: nobody does; MESSAGE_CUT: at once. */
void generation_retire(struct generation *generation, enum message_kind how);

/* A message to each of its workers that is there to hear it. */
void generation_tell(struct generation *generation, enum message_kind kind, uint32_t number);

/* What became of a process; false: it is none of its own. The generation may be gone afterwards. */
bool generation_reap(struct generation *generation, pid_t pid, int status);

/* Whether any of its workers may still take new connections. */
bool generation_accepts(const struct generation *generation);

/* Connections that its workers have open. */
uint64_t generation_connections(const struct generation *generation);

/* Requests that its workers have cut so far. */
uint64_t generation_cut(const struct generation *generation);

/* One that drains ends, if none of its processes is left; else that is a matter of time. */
void generation_try_end(struct generation *generation);

/* It can't start, and drains: for the reason given, unless one of its processes has told a better one. */
void generation_fail(struct generation *generation, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Frees a generation that has no processes. */
void generation_free(struct generation *generation);

#endif
