/* crash.c: a handler that ends its worker, in the way that the rest of the path says. */
#include "acts.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

static int write_nowhere(struct tern_request *r)
{
    *(volatile int *)NULL = 1;
    return tern_printf(r, "still here\n");
}

static int write_nowhere_too(void *arg)
{
    *(volatile int *)NULL = 1;
    return arg != NULL;
}

static int block(struct tern_request *r)
{
    (void)r;
    return tern_blocking(write_nowhere_too, NULL, TERN_NEVER);
}

static int give_up(struct tern_request *r)
{
    (void)r;
    abort();
}

static int leave(struct tern_request *r)
{
    (void)r;
    exit(EXIT_SUCCESS);
}

/* Deeper than any stack of a green thread: each call has a kilobyte that it must keep. */
static int descend(volatile char *above, int depth)
{
    volatile char here[1024];
    here[0] = *above;
    int below = depth > 0 ? descend(here, depth - 1) : 0;
    return below + here[0];
}

static int overflow(struct tern_request *r)
{
    char top = 1;
    return tern_printf(r, "%d\n", descend(&top, 1 << 20));
}

static int loop(struct tern_request *r)
{
    for (volatile bool always = true; always;)
        ;
    return tern_printf(r, "out of it\n");
}

/* For who wants to have a request under way. */
static int wait(struct tern_request *r)
{
    (void)r;
    return tern_sleep(TERN_NEVER);
}

static int serve(struct tern_request *r, void *state)
{
    static const struct act acts[] = {{"null", write_nowhere}, {"abort", give_up}, {"exit", leave},
                                      {"overflow", overflow},  {"loop", loop},     {"wait", wait},
                                      {"blocking", block},     {NULL, NULL}};
    (void)state;
    return act_serve(r, acts);
}

static const struct tern_handler handlers[] = {{.name = "crash", .serve = serve}, {.name = NULL}};

const struct tern_module tern_module = {.abi = TERN_ABI, .name = "crash", .handlers = handlers};
