/* acts.h: what test modules have in common: handlers by the rest of the path, and a gate to wait at. */
#ifndef TERN_TESTS_MODULES_ACTS_H
#define TERN_TESTS_MODULES_ACTS_H

#include "tern.h"

#include <errno.h>
#include <string.h>

struct act {
    const char *name; /* the rest of the path; NULL ends them */
    int (*serve)(struct tern_request *r);
};

/* Serves by the one that is asked for. */
static inline int act_serve(struct tern_request *r, const struct act *acts)
{
    const char *rest = tern_get(r, TERN_REST);
    for (const struct act *act = acts; act->name; act++)
        if (strcmp(rest, act->name) == 0)
            return act->serve(r);
    return tern_fail(r, 404);
}

/* ---- the gate ---- */

/* Whoever receives from it waits until another request sends, or the worker is to end. */
static struct tern_chan *gate __attribute__((unused));

/* As a module's `start`, `retire` and `stop`. */
static inline int gate_start(void)
{
    gate = tern_chan_open(1, 0);
    return gate ? 0 : -ENOMEM;
}

static inline void gate_retire(void)
{
    tern_chan_close(gate);
}

static inline void gate_stop(void)
{
    tern_chan_free(gate);
}

#endif
