/* core.h: the heart of the green layer: control blocks, the run queue, and the one wait. Private to this folder.
 *
 * A thread is in one of four states. Only the running one is in none of the lists:
 *
 *            spawn            resume            end
 *   (pool) --------> READY ----------> RUNNING ------> DONE (until joined) --> (pool)
 *                      ^                  |
 *                      |  green_wake()    | green_suspend()
 *                      +---- WAITING <----+
 *
 * Every wait of every kind is green_suspend(): event, deadline and cancel are three ways to end it, and the first one
 * wins, because green_wake() does nothing to a thread that no longer waits. A primitive that can be waited for keeps
 * a node on the waiter's stack in a list of its own, and takes it out when green_suspend() returns: no allocation,
 * and nothing to clean up but that node.
 *
 * libev's callbacks run on the loop's stack and only ever wake threads or spawn them; no green thread runs inside one.
 * A thread that waits hands the processor straight to the next one that is ready; when none is, or after a burst of
 * BURST hand-overs, to the loop, which polls.
 */
#ifndef TERN_GREEN_CORE_H
#define TERN_GREEN_CORE_H

#include <signal.h>
#include <stdatomic.h>

#include "base/list.h"
#include "base/wheel.h"
#include "green/green.h"
#include "green/sanitize.h"
#include "green/spent.h"
#include "green/view.h"

struct ev_loop;
struct green_scope;

enum green_state { GREEN_FREE, GREEN_READY, GREEN_WAITING, GREEN_RUNNING, GREEN_DONE };

struct green {
    void *sp;           /* where green_switch() resumes it; NULL before it first ran */
    struct green *next; /* in a run queue */
    uint8_t state;      /* enum green_state */
    bool cancelled;
    bool deaf; /* to cancels, during this wait */
    bool detached;
    bool killed; /* cancelled by green_kill() */
    int result;  /* of the wait that ended, later of the thread */
    green_fn *fn;
    void *arg;
    const char *name;
    struct str what;
    const struct green_label *label;
    uint64_t number;
    struct green *joiner;
    struct green_scope *scope; /* that joins it; NULL: none */
    struct list in_scope;
    struct wheel_node timer; /* of a wait with a far deadline; stays linked after it, see green_suspend() */
    struct sanitize_context sanitize;
    uint8_t wait;             /* enum green_wait: what the present one is for ... */
    int wait_fd;              /* ... and the descriptor, or -1 */
    nsec until;               /* its deadline */
    struct green_spent spent; /* while accounts are kept; `at` is when it began or ceased to run last */
    nsec ready_at;            /* the same: since when it waits for its turn */
};

/* For who watches from another OS thread whether the loop gets on: one that reads the same number of turns twice, and
 * not that the loop sleeps, has seen the same thread, or the same callback, run all the time. The loop is the only
 * writer. */
struct green_pulse {
    _Atomic(uint64_t) turns;         /* of threads and of the loop so far */
    atomic_bool asleep;              /* in its poll */
    _Atomic(struct green *) running; /* NULL: the loop itself */
};
extern struct green_pulse green_pulse;

/* The loop has got on, and `running` has its turn. */
static inline void green_pulse_beat(struct green *running)
{
    uint64_t turns = atomic_load_explicit(&green_pulse.turns, memory_order_relaxed);
    atomic_store_explicit(&green_pulse.running, running, memory_order_relaxed);
    atomic_store_explicit(&green_pulse.turns, turns + 1, memory_order_release);
}

static inline struct green *green_pulse_running(void)
{
    return atomic_load_explicit(&green_pulse.running, memory_order_relaxed);
}

/* ---- loop.c ---- */

/* The libev loop, for the files of this layer that own watchers. */
struct ev_loop *green_loop(void);

/* The wheel for coarse timeouts, driven by one ev_timer. */
struct wheel *green_wheel(void);

/* Reads the clock again: before a precise timer is set. */
void green_update_now(void);

/* What green_now() was right after the last poll. */
nsec green_polled(void);

/* ---- sched.c ---- */

/* Makes a thread that is joined by a scope, or, if that is NULL, by green_join(). */
int green_start(struct green **thread, const char *name, green_fn *fn, void *arg,
                struct green_scope *scope) GREEN_WAITS;

/* Gives back what is left of a thread that is DONE. */
void green_reap(struct green *thread);

/* Parks the running thread until green_wake(); the result is what that was given. */
int green_park(void);

/* Ends the wait of a thread with a result. False: it was not waiting any more. */
bool green_wake(struct green *thread, int result);

/* Puts the running thread behind all others that are ready. */
void green_pass(void);

/* Runs what is ready, at most a burst of it. Called by the loop. True: more is ready. */
bool green_run_ready(void);

/* Fills in what the scheduler knows: live, most_live, spawned. */
void green_count(struct green_census *census);

/* Start and end of the whole. */
int green_core_init(const struct green_options *options) GREEN_WAITS;
void green_core_free(void);

/* ---- wait.c ---- */

/* Parks the running thread until green_wake(), its deadline or a cancel. The result is what was given to
 * green_wake(), or -ETIMEDOUT or -ECANCELED; the last at once for a thread cancelled before. */
int green_suspend(enum green_wait wait, nsec deadline) GREEN_WAITS;

/* The same for a descriptor of one of these kinds. */
int green_suspend_on(enum green_wait wait, int fd, nsec deadline) GREEN_WAITS;

/* The same for what must not be left half done: deaf to cancels, without a deadline. */
int green_suspend_deaf(enum green_wait wait);

/* ---- spent.c ---- */

/* While accounts are kept: the running thread, or the loop, which is NULL, gives way to another thread or the loop; a
 * thread starts with its next task; one that waits is woken. */
void green_account_switch(struct green *from, struct green *to);
void green_account_start(struct green *thread);
void green_account_wait(struct green *thread);

/* The same: a task is put into the queue; the next one is taken out, and when it was put there: at the poll before. */
void green_account_post(void);
nsec green_account_take(void);

/* Before the first thread. */
void green_account_init(bool accounts);

/* Adds what another thread has spent. */
void green_spent_add(struct green_spent *to, struct green_spent spent);

/* When the clock was read last for the sake of accounts. */
nsec green_account_stamp(void);

/* Since when a thread is ready that becomes so now: as exactly as can be told without reading the clock. */
nsec green_account_ready(void);

/* ---- the other files ---- */

/* Tells a scope that one of its threads ended (scope.c). */
void green_scope_ended(struct green_scope *scope, struct green *thread);

/* The blocking pool (offload.c), and, on an OS thread of it, the green thread whose job it is at, which can't go away
 * meanwhile; NULL on any other, and between jobs. The latter is safe in a signal handler. */
int green_offload_init(const struct green_options *options) GREEN_WAITS;
void green_offload_free(void);
const struct green *green_offload_client(void);

/* The descriptors of others (poll.c). */
void green_poll_init(void);
void green_poll_free(void);

/* The report of a stack overflow or another crash (fault.c). */
int green_fault_init(void) GREEN_WAITS;
void green_fault_free(void);

/* Takes the signals that are reported out of a set that is to be blocked. */
void green_fault_spare(sigset_t *set);

#endif
