/* scope.c: green threads of modules: scopes, and futures, which are what such a thread will have come to. */
#include "module/scope.h"

#include <errno.h>
#include <stdlib.h>

#include "green/sync.h"
#include "module/caller.h"

struct tern_future {
    struct list link; /* in its scope's */
    struct tern_scope *scope;
    struct green *thread;       /* until it has ended */
    struct green_cond *changed; /* of who waits for it; NULL: nobody */
    tern_fn *fn;
    void *arg;
    int result;
    bool done, forgotten; /* nobody will ask */
    _Alignas(max_align_t) char operation[];
};

static struct tern_scope worker_scope = {.inner = LIST_INIT(worker_scope.inner)};

/* ---- scopes ---- */

void module_scope_init(struct tern_scope *scope)
{
    green_scope_enter(&scope->green);
    list_init(&scope->futures);
    list_init(&scope->inner);
    list_init(&scope->link);
    scope->what = green_description();
}

static void free_future(struct tern_future *future)
{
    list_unlink(&future->link);
    free(future);
}

/* Its own threads first: scopes that they have opened they close themselves, unless somebody has forgotten one. Until
 * the threads of such a one have ended, they may start others here. */
void module_scope_end(struct tern_scope *scope)
{
    green_scope_leave(&scope->green);
    while (!list_empty(&scope->inner)) {
        tern_scope_close(container_of(scope->inner.next, struct tern_scope, link));
        green_scope_leave(&scope->green);
    }
    list_each (l, next, &scope->futures)
        free_future(container_of(l, struct tern_future, link));
}

void module_worker_scope_init(void)
{
    module_scope_init(&worker_scope);
    worker_scope.what = STR("a thread of its own");
}

void module_worker_scope_end(void)
{
    module_scope_end(&worker_scope);
}

struct tern_scope *tern_scope_open(struct tern_scope *parent)
{
    struct tern_scope *scope = module_is_placed(__func__) ? malloc(sizeof *scope) : NULL,
                      *outer = parent ? parent : &worker_scope;
    if (!scope)
        return NULL;
    module_scope_init(scope);
    scope->what = outer->what;
    list_push_back(&outer->inner, &scope->link);
    return scope;
}

int tern_scope_join(struct tern_scope *scope, tern_time deadline)
{
    if (!module_is_placed(__func__))
        return -EPERM;
    return green_scope_join(&scope->green, deadline);
}

void tern_scope_close(struct tern_scope *scope)
{
    if (!module_is_placed(__func__))
        return;
    list_unlink(&scope->link);
    module_scope_end(scope);
    free(scope);
}

/* ---- futures ---- */

static int run(void *arg)
{
    struct tern_future *future = arg;
    int result = future->fn(future->arg);
    future->result = result;
    future->done = true;
    future->thread = NULL;
    if (future->changed)
        green_cond_signal(future->changed);
    if (future->forgotten)
        free_future(future);
    return result;
}

static struct tern_future *make(struct tern_scope *scope, tern_fn *fn, void *arg, size_t operation)
{
    struct tern_future *future = malloc(sizeof *future + operation);
    if (!future)
        return NULL;
    *future = (struct tern_future){.scope = scope, .fn = fn, .arg = arg};
    list_push_back(&scope->futures, &future->link);
    return future;
}

static int start(struct tern_future *future, struct tern_future **told)
{
    struct str own = green_description();
    future->forgotten = told == NULL;
    green_describe(future->scope->what); /* which the thread inherits; ours may end before it */
    int error = green_scope_go_as(&future->scope->green, "module", run, future, &future->thread);
    green_describe(own);
    if (error)
        free_future(future);
    else if (told)
        *told = future;
    return error;
}

int tern_start(struct tern_scope *scope, struct tern_future **told, tern_fn *fn, void *arg)
{
    if (!module_is_placed(__func__))
        return -EPERM;
    struct tern_future *future = make(scope ? scope : &worker_scope, fn, arg, 0);
    return future ? start(future, told) : -ENOMEM;
}

int module_start_operation(struct tern_scope *scope, struct tern_future **told, tern_fn *fn, const void *operation,
                           size_t n)
{
    if (!module_is_placed(__func__))
        return -EPERM;
    struct tern_future *future = make(scope ? scope : &worker_scope, fn, NULL, n);
    if (!future)
        return -ENOMEM;
    memcpy(future->operation, operation, n);
    future->arg = future->operation;
    return start(future, told);
}

int tern_await_first(struct tern_future *const *futures, size_t n, tern_time deadline)
{
    if (!module_is_placed(__func__))
        return -EPERM;
    struct green_cond changed;
    green_cond_init(&changed);
    for (size_t i = 0; i < n; i++)
        if (futures[i]->done)
            return (int)i;
    for (size_t i = 0; i < n; i++)
        if (futures[i]->changed)
            return -EBUSY;
    for (size_t i = 0; i < n; i++)
        futures[i]->changed = &changed;
    int result = n ? green_cond_wait(&changed, NULL, deadline) : -EINVAL;
    for (size_t i = n; i-- > 0;) {
        futures[i]->changed = NULL;
        if (futures[i]->done) /* whatever else has ended the wait */
            result = (int)i;
    }
    return result;
}

int tern_await(struct tern_future *future, int *result, tern_time deadline)
{
    int error = tern_await_first(&future, 1, deadline);
    if (error)
        return error;
    if (result)
        *result = future->result;
    free_future(future);
    return 0;
}

void tern_cancel(struct tern_future *future)
{
    if (future->thread)
        green_cancel(future->thread);
}
