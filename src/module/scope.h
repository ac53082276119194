/* scope.h: scopes and futures of tern.h; private to this layer. */
#ifndef TERN_MODULE_SCOPE_H
#define TERN_MODULE_SCOPE_H

#include "green/scope.h"
#include "tern.h"

struct tern_scope {
    struct green_scope green;
    struct list futures; /* that nobody has awaited yet */
    struct list inner;   /* scopes that were opened in it */
    struct list link;    /* in its parent's */
    struct str what;     /* its threads do: it lives as long as they; of one inside another: what that one's do */
};

/* What its threads do is what the running one does, which they must not outlive. */
void module_scope_init(struct tern_scope *scope);

/* Cancels and joins its threads, and frees its futures. */
void module_scope_end(struct tern_scope *scope);

/* The worker's own scope: from the first to the last module. */
void module_worker_scope_init(void);
void module_worker_scope_end(void);

/* A future whose thread runs `run` with an operation of n bytes, which is copied. As tern_start(). */
int module_start_operation(struct tern_scope *scope, struct tern_future **future, tern_fn *run, const void *operation,
                           size_t n) GREEN_WAITS;

#endif
