/* child.h: a process that the master has forked for a generation, and that is started again when it dies.
 *
 * It speaks to the master over a socket pair (message.h). What it is for is its kind's affair: a worker
 * (generation.c), a compute process (crew.c).
 */
#ifndef TERN_PROC_CHILD_H
#define TERN_PROC_CHILD_H

#include "log/log.h"
#include "proc/forked.h"
#include "proc/message.h"
#include "proc/reactor.h"

struct generation;
struct child;

/* How one has ended. */
struct ending {
    pid_t pid;
    int status; /* of waitpid() */
    bool was_ready;
};

struct child_kind {
    const char *name;        /* "worker" */
    enum log_level restarts; /* how aloud the start of another one in its place is told */

    /* In the new process: what it does until it ends. It does not return. */
    void (*become)(struct child *child, const struct forked *self);

    /* It says something that is not for all kinds the same; `fd` is the descriptor that came with it, or -1, and stays
     * the caller's. False: that means nothing. */
    bool (*heard)(struct child *child, const struct message *message, int fd);

    /* It is gone; all that it has said has been heard. */
    void (*ended)(struct child *child, const struct ending *ending);
};

struct child {
    const struct child_kind *kind;
    struct generation *generation;
    size_t index;         /* among those of its kind */
    pid_t pid;            /* 0: not running */
    struct watch pair;    /* our end of the socket pair */
    struct alarm restart; /* when it may be started again */
    bool ready;
    nsec started;
    unsigned quick_deaths; /* in a row */
    unsigned restarts;
    unsigned logs_due; /* files that it has been handed and not confirmed */

    /* Of a worker. */
    nsec asked;   /* since when it owes a sign of life; 0: it does not */
    bool aborted; /* it was told to say what it does, and die */
    bool accepts; /* new connections, as far as we know */
};

/* `count` of a kind, none running; the caller frees them. NULL: no memory. */
struct child *children_new(const struct child_kind *kind, struct generation *generation, size_t count)
    __attribute__((warn_unused_result));

size_t children_running(const struct child *children, size_t count) __attribute__((pure));

/* A message to each that is there to hear it. */
void children_tell(const struct child *children, size_t count, enum message_kind kind, uint32_t number);

void children_kill(const struct child *children, size_t count);

/* The one that is this process, or NULL. */
struct child *children_find(struct child *children, size_t count, pid_t pid) __attribute__((pure));

/* Forks. 0 or -errno. */
int child_start(struct child *child) __attribute__((warn_unused_result));

/* Starts another one in the place of one that has ended: at once, unless it keeps dying young, which is held against it
 * only with `blame`. */
void child_plan_restart(struct child *child, bool blame);

/* The process was reaped. The child may be gone afterwards, with its generation. */
void child_ended(struct child *child, int status);

/* Whether it could not even start, and neither could the next one: then its generation can't. */
bool child_is_hopeless(const struct child *child, const struct ending *ending);

/* Logs that it has ended, and how; `during` says what it was at: " in ..." or "". */
void child_say_end(const struct child *child, const struct ending *ending, const char *during);

#endif
