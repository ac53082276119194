/* scope.h: structured concurrency: threads that can't outlive the block that started them.
 *
 *     struct green_scope scope;
 *     green_scope_enter(&scope);
 *     error = green_scope_go(&scope, "left", left, &job);
 *     if (!error)
 *         error = green_scope_go(&scope, "right", right, &job);
 *     if (!error)
 *         error = green_scope_join(&scope, deadline);
 *     green_scope_leave(&scope);       -- cancels and joins whatever still runs
 *
 * So a thread's arguments may lie on the stack of the one that started it. The scope belongs to one thread,
 * which joins it; others may start theirs in it as long as it has not been left.
 *
 * Who joins a scope takes over what its threads have spent (green/spent.h): their running and their waiting count as
 * its own. Where several wait at once, that is more than the time that passed.
 */
#ifndef TERN_GREEN_SCOPE_H
#define TERN_GREEN_SCOPE_H

#include "base/list.h"
#include "green/spent.h"

struct green_scope {
    struct list members;
    struct green *joiner;     /* while green_scope_join() waits */
    int error;                /* the first negative result of a thread that ended */
    struct green_spent spent; /* by its threads that have ended, and nobody has joined yet; `at` is 0: nothing */
    bool leaving;             /* whoever starts now is cancelled already */
};

void green_scope_enter(struct green_scope *scope);

/* Starts a thread in the scope. -EAGAIN or -ENOMEM as green_spawn(). */
int green_scope_go(struct green_scope *scope, const char *name, green_fn *fn, void *arg) GREEN_WAITS;

/* The same for who wants to cancel it: *thread is good until it ends. */
int green_scope_go_as(struct green_scope *scope, const char *name, green_fn *fn, void *arg,
                      struct green **thread) GREEN_WAITS;

/* Waits until every thread of the scope has ended; the result is the first negative one of theirs, or 0. On
 * -ETIMEDOUT and -ECANCELED they go on. */
int green_scope_join(struct green_scope *scope, nsec deadline) GREEN_WAITS;

/* Cancels every thread of the scope. */
void green_scope_cancel(struct green_scope *scope);

/* Cancels and joins, those too that its threads start meanwhile. It waits for as long as they need, even in a thread
 * that has itself been cancelled. */
void green_scope_leave(struct green_scope *scope);

#endif
