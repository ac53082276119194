/* job.c: a module with a job, and a handler to name it by. */
#include "tern.h"

#include <errno.h>
#include <string.h>

static ssize_t copy(const void *in, size_t n, void *out, size_t room)
{
    if (n > room)
        return -EMSGSIZE;
    memcpy(out, in, n);
    return (ssize_t)n;
}

static int serve(struct tern_request *r, void *state)
{
    (void)state;
    return tern_printf(r, "there is a job\n");
}

static const struct tern_handler handlers[] = {{.name = "serve", .serve = serve}, {.name = NULL}};

static const struct tern_job jobs[] = {{.name = "copy", .run = copy}, {.name = NULL}};

const struct tern_module tern_module = {.abi = TERN_ABI, .name = "job", .handlers = handlers, .jobs = jobs};
