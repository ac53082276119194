/* jobs.c: what modules have done by compute processes. */
#include <errno.h>

#include "module/caller.h"
#include "module/compute.h"
#include "module/scope.h"

ssize_t tern_compute(const char *job, const void *in, size_t n, void *out, size_t room, tern_time deadline)
{
    if (!module_is_placed(__func__))
        return -EPERM;
    return compute_run(job, (struct str){in, n}, out, room, deadline);
}

struct compute_operation {
    const char *job;
    const void *in;
    size_t n;
    void *out;
    size_t room;
    tern_time deadline;
};

/* The bytes made are at most as many as a message may have, which is less than an int holds. */
static int run_compute(void *arg)
{
    const struct compute_operation *operation = arg;
    return (int)tern_compute(operation->job, operation->in, operation->n, operation->out, operation->room,
                             operation->deadline);
}

int tern_start_compute(struct tern_scope *scope, struct tern_future **future, const char *job, const void *in, size_t n,
                       void *out, size_t room, tern_time deadline)
{
    const struct compute_operation operation = {job, in, n, out, room, deadline};
    return module_start_operation(scope, future, run_compute, &operation, sizeof operation);
}
