/* scope.c: see scope.h. */
#include "green/scope.h"

#include "green/core.h"

void green_scope_enter(struct green_scope *scope)
{
    *scope = (struct green_scope){0};
    list_init(&scope->members);
}

int green_scope_go_as(struct green_scope *scope, const char *name, green_fn *fn, void *arg, struct green **thread)
{
    int error = green_start(thread, name, fn, arg, scope);
    if (error)
        return error;
    list_push_back(&scope->members, &(*thread)->in_scope);
    if (scope->leaving)
        green_cancel(*thread);
    return 0;
}

int green_scope_go(struct green_scope *scope, const char *name, green_fn *fn, void *arg)
{
    struct green *thread;
    return green_scope_go_as(scope, name, fn, arg, &thread);
}

void green_scope_ended(struct green_scope *scope, struct green *thread)
{
    list_unlink(&thread->in_scope);
    if (green_accounts)
        green_spent_add(&scope->spent, green_spent());
    if (thread->result < 0 && scope->error == 0)
        scope->error = thread->result;
    if (list_empty(&scope->members) && scope->joiner)
        green_wake(scope->joiner, 0);
}

/* What its threads have spent becomes the running thread's. */
static void take_over(struct green_scope *scope)
{
    if (scope->spent.at == 0)
        return;
    green_spent_add(&green_self()->spent, scope->spent);
    scope->spent = (struct green_spent){0};
}

int green_scope_join(struct green_scope *scope, nsec deadline)
{
    while (!list_empty(&scope->members)) {
        scope->joiner = green_self();
        int error = green_suspend(GREEN_WAIT_THREAD, deadline);
        scope->joiner = NULL;
        if (error && !list_empty(&scope->members))
            return error;
    }
    take_over(scope);
    return scope->error;
}

void green_scope_cancel(struct green_scope *scope)
{
    list_each (l, next, &scope->members)
        green_cancel(container_of(l, struct green, in_scope));
}

void green_scope_leave(struct green_scope *scope)
{
    scope->leaving = true;
    green_scope_cancel(scope);
    while (!list_empty(&scope->members)) {
        scope->joiner = green_self();
        green_suspend_deaf(GREEN_WAIT_THREAD);
        scope->joiner = NULL;
    }
    take_over(scope);
}
