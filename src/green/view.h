/* view.h: looking at green threads while they stand still.
 *
 * Whoever looks runs, so every other thread is parked or waits for its turn, with all its frames intact: a list of them
 * is an ordinary loop. What is seen is good until the next wait.
 *
 * Threads are numbered as they start, and a number is never used again. Tasks (green_post()) count as threads of their
 * own, although they take over the stack of the one before.
 */
#ifndef TERN_GREEN_VIEW_H
#define TERN_GREEN_VIEW_H

#include "green/green.h"

/* What a thread waits for. */
enum green_wait {
    GREEN_WAIT_NOTHING,
    GREEN_WAIT_TIMER,
    GREEN_WAIT_CLIENT,     /* the descriptor of a client's connection */
    GREEN_WAIT_WINDOW,     /* a client's connection, by way of the thread that owns it: content, or room to send */
    GREEN_WAIT_DESCRIPTOR, /* any other one */
    GREEN_WAIT_POOL,       /* a thread of the blocking pool, and the job that it has */
    GREEN_WAIT_LOCK,
    GREEN_WAIT_CONDITION,
    GREEN_WAIT_SEMAPHORE,
    GREEN_WAIT_CHANNEL,
    GREEN_WAIT_THREAD, /* the end of another thread, or of all threads of a scope */
    GREEN_WAIT_TURN,   /* the tasks posted before */
    GREEN_WAITS_COUNT
};

/* Their names: "timer", "client" ... */
extern const char *const green_wait_names[GREEN_WAITS_COUNT];

enum green_standing { GREEN_STANDS_READY, GREEN_STANDS_WAITING, GREEN_STANDS_RUNNING };

struct green_view {
    const struct green *thread;
    uint64_t number;
    const char *name;                /* of what runs on it */
    struct str what;                 /* as described last (green_describe()) */
    const struct green_label *label; /* whom it works for; NULL: nobody has said */
    enum green_standing standing;
    bool cancelled;
    enum green_wait wait; /* while waiting */
    int fd;               /* of a wait for a descriptor; -1: none, or several */
    nsec until;           /* the deadline of the wait; NSEC_NEVER: none */
    nsec since;           /* when it began to stand so; 0: no accounts are kept */
    nsec running;         /* that it has run so far; 0: the same */
    size_t depth;         /* bytes of stack in use; 0 for the running thread */
};

/* Calls fn for every thread that lives. fn must not wait. */
void green_each(void (*fn)(const struct green_view *view, void *arg), void *arg);

/* The same for the threads on stacks `from` to `from + count` - 1, for who wants to let others run in between: 0 is the
 * first stack there is. False: those were the last. A thread may start or end meanwhile; one that lives all the time is
 * seen once. */
bool green_each_in(size_t from, size_t count, void (*fn)(const struct green_view *view, void *arg), void *arg);

/* The thread of that number; false: it lives no more. */
bool green_find(uint64_t number, struct green_view *view);

/* Bytes of the stack of a thread that were ever touched, in whole pages: that of its thread and those before it which
 * had the same stack. Costs a system call. */
size_t green_high_water(const struct green *thread);

#endif
