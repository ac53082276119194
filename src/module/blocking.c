/* blocking.c: what modules have done by threads of the pool. */
#include <errno.h>

#include "green/offload.h"
#include "module/caller.h"
#include "module/scope.h"

struct call {
    tern_fn *fn;
    void *arg;
    int result;
};

static void run_call(void *arg)
{
    struct call *call = arg;
    call->result = call->fn(call->arg);
}

int tern_blocking(tern_fn *fn, void *arg, tern_time deadline)
{
    if (!module_is_placed(__func__))
        return -EPERM;
    struct call call = {.fn = fn, .arg = arg};
    int error = green_offload(run_call, &call, deadline);
    return error ? error : call.result;
}

struct blocking_operation {
    tern_fn *fn;
    void *arg;
    tern_time deadline;
};

static int run_blocking(void *arg)
{
    const struct blocking_operation *operation = arg;
    return tern_blocking(operation->fn, operation->arg, operation->deadline);
}

int tern_start_blocking(struct tern_scope *scope, struct tern_future **future, tern_fn *fn, void *arg,
                        tern_time deadline)
{
    const struct blocking_operation operation = {fn, arg, deadline};
    return module_start_operation(scope, future, run_blocking, &operation, sizeof operation);
}
