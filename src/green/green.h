/* green.h: green threads.
 *
 * A green thread is a function with a stack of its own that runs until it waits. Thousands live in one process, on
 * one OS thread: between two waits nothing else of the process runs, so what they share needs no lock. Every call
 * of this layer that can wait says so by taking a deadline; it returns >= 0, or -errno:
 *
 *   -ETIMEDOUT   the deadline (a point in time of green_now(), or NSEC_NEVER) passed first;
 *   -ECANCELED   the thread was cancelled: this wait and every later one ends so.
 *
 * Never rely on errno across a wait: another thread will have changed it. Pointers to a thread's stack are good for
 * other threads only while it can't have returned.
 *
 * All of this may be called only between green_run()'s start and its end, and only from the OS thread that called
 * it; calls that wait, only from a green thread.
 */
#ifndef TERN_GREEN_GREEN_H
#define TERN_GREEN_GREEN_H

#include "base/clock.h"
#include "base/str.h"

#define GREEN_WAITS __attribute__((warn_unused_result))

struct score;
struct stall_log;
struct green; /* a green thread; a pointer to it is good until it is joined, or, if detached, until it ends */

/* What a thread runs. Its result is handed to who joins it. */
typedef int green_fn(void *arg);

struct green_options {
    size_t stack;             /* bytes of address space of each stack; 0: 64 KiB */
    size_t threads;           /* most green threads alive at once; 0: 20000 */
    size_t pool;              /* OS threads for green_offload(); 0: 4 */
    size_t pool_queue;        /* jobs that may wait for one of them; 0: 1024 */
    bool accounts;            /* of where each thread's time goes (green/spent.h) */
    nsec stall;               /* how long a thread may run before it is reported (green/monitor.h); 0: for ever */
    struct stall_log *stalls; /* where it is; NULL: in the log only */
    struct score *score;      /* where threads and the lag of the loop are told (base/scoreboard.h); NULL: nowhere */
};

/* Makes a loop, runs main_fn on the first green thread until it returns, and ends the loop. The result is that
 * function's, or -errno when there was no memory to start. The other threads must have ended by then: scopes see to
 * that. Call it after fork(), never before. */
int green_run(const struct green_options *options, green_fn *main_fn, void *arg) GREEN_WAITS;

/* The monotonic clock as of the last time the loop looked: free, and at most one burst of work old. */
nsec green_now(void);

/* Starts a thread. `name` must outlive it. -EAGAIN: there are as many as there may be; -ENOMEM.
 * green_spawn: *thread must be joined. green_go: nobody joins it, its result is dropped. */
int green_spawn(struct green **thread, const char *name, green_fn *fn, void *arg) GREEN_WAITS;
int green_go(const char *name, green_fn *fn, void *arg) GREEN_WAITS;

/* Work for a thread to be: a node in whatever that thread will serve. It gets a stack only when its turn comes, so that
 * a thousand connections that turn readable at once run one after the other on the same warm stack. */
struct green_task {
    struct green_task *next;
    const struct green_task_kind *kind;
};

struct green_task_kind {
    const char *name;                                    /* of the thread */
    int (*run)(struct green_task *task);                 /* on a green thread that nobody joins */
    void (*refused)(struct green_task *task, int error); /* instead, when none is to be had; must not wait */
};

/* Queues a task; it must not be queued already. */
void green_post(struct green_task *task);

/* Waits for the end of a thread, stores its result, and gives its memory back. On -ETIMEDOUT and -ECANCELED the
 * thread is as it was, still to be joined. One joiner at a time: -EBUSY for a second. */
int green_join(struct green *thread, int *result, nsec deadline) GREEN_WAITS;

/* Makes the present wait of a thread and all later ones return -ECANCELED. Does not wait for it to end. */
void green_cancel(struct green *thread);

/* Whether the running thread has been cancelled: for loops that compute and never wait. */
bool green_cancelled(void);

/* Cancels the thread of that number (green/view.h), for who runs the server: 0, or -ESRCH: it lives no more. And
 * whether that was done to the running thread. */
int green_kill(uint64_t number) GREEN_WAITS;
bool green_killed(void);

/* Lets every other thread that can run have its turn. 0, or -ECANCELED. */
int green_yield(void) GREEN_WAITS;

/* The same for who was cancelled, had a wait refused, and may try that again for ever. */
void green_give_way(void);

/* The same as green_yield(), for tasks that have been posted, too: they have run, or wait, when it returns. For who has
 * just posted some and wants to go on with what they leave behind. */
int green_yield_to_tasks(void) GREEN_WAITS;

/* Waits for a time, to within a millisecond; a second and more: to within a tick of the wheel. 0, or -ECANCELED. */
int green_sleep(nsec duration) GREEN_WAITS;

/* The running thread; NULL on the loop's own stack. */
struct green *green_self(void);

/* Whether the caller is a green thread. Unlike all else here it may be asked anywhere and at any time: it is false on
 * the loop's own stack, on every other OS thread, outside green_run(), and in a child of fork(), which has no loop. */
bool green_here(void);

/* What this thread does at the moment, for whoever lists threads or reads a crash report, such as the request line.
 * The bytes must stay until they are replaced or the thread ends. */
void green_describe(struct str what);

/* What the running thread has said so last. */
struct str green_description(void);

/* Whom a thread works for: for the same readers, and for who picks threads by it. */
struct green_label {
    struct str handler; /* "files", "module sleep" */
    struct str route;   /* its path in the configuration */
};

/* The label of the running thread; NULL: none. It must stay as what describes it. Threads that one starts inherit its
 * label and its description, unless nobody joins them. */
void green_label(const struct green_label *label);

/* The census: how many there are, how deep their stacks have been. */
struct green_census {
    size_t live, most_live; /* threads now, and at most */
    uint64_t spawned;       /* ever */
    size_t stacks;          /* made so far; those not in use are pooled */
    size_t stack_size;      /* bytes of address space of each */
    size_t high_water;      /* most bytes any of them ever touched, in whole pages */
    size_t resident;        /* bytes of memory of all stacks */
    bool guard_pages;       /* guards cost no mappings (MADV_GUARD_INSTALL) */
};
void green_take_census(struct green_census *census);

/* The part of it that costs nothing to know. */
struct green_counts {
    size_t live, waiting, ready; /* the running thread is in neither of the latter */
};
struct green_counts green_count_threads(void);

/* The event library below, with its version, and whether this kernel guards stacks by pages: for -V. */
const char *green_library(void);
bool green_guards_pages(void);

#endif
