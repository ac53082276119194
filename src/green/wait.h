/* wait.h: queues of waiting threads, for the primitives that can be waited for. Private to the green layer.
 *
 * The node lies on the waiter's stack and is in the queue for as long as the wait lasts. A wait that ended by its
 * deadline or a cancel leaves its node in the queue until the thread runs again; wake_one() passes over it.
 */
#ifndef TERN_GREEN_WAIT_H
#define TERN_GREEN_WAIT_H

#include "green/core.h"

struct waiter {
    struct list link;
    struct green *thread;
};

/* Parks the running thread in a queue. The result is green_suspend()'s. */
static inline int wait_in(struct list *queue, enum green_wait wait, nsec deadline)
{
    struct waiter waiter = {.thread = green_self()};
    list_push_back(queue, &waiter.link);
    int result = green_suspend(wait, deadline);
    list_unlink(&waiter.link);
    return result;
}

static inline int wait_in_deaf(struct list *queue, enum green_wait wait)
{
    struct waiter waiter = {.thread = green_self()};
    list_push_back(queue, &waiter.link);
    int result = green_suspend_deaf(wait);
    list_unlink(&waiter.link);
    return result;
}

/* Ends the wait of the first thread in a queue that still waits, and returns that thread; NULL: there is none. */
static inline struct green *wake_one(struct list *queue, int result)
{
    for (struct list *l; (l = list_pop_front(queue));) {
        struct green *thread = container_of(l, struct waiter, link)->thread;
        if (green_wake(thread, result))
            return thread;
    }
    return NULL;
}

#endif
