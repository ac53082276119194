/* gate.c: requests that wait for each other, for tests that have to know how many wait at once.
 *
 *     wait    waits until the gate is open; from then on it always is
 *     count   how many wait
 *     open    opens it
 */
#include "tern.h"

#include <errno.h>

static struct tern_chan *gate; /* of this worker; it carries nothing, and is closed once the gate is open */
static unsigned waiting;

static int serve_wait(struct tern_request *r, void *state)
{
    char nothing;
    (void)state;
    waiting++;
    int error = tern_chan_recv(gate, &nothing, TERN_NEVER);
    waiting--;
    return error == -EPIPE ? tern_printf(r, "open\n") : error;
}

static int serve_count(struct tern_request *r, void *state)
{
    (void)state;
    return tern_printf(r, "%u\n", waiting);
}

static int serve_open(struct tern_request *r, void *state)
{
    (void)state;
    tern_chan_close(gate);
    return tern_status(r, 204);
}

static int start(void)
{
    gate = tern_chan_open(1, 0);
    return gate ? 0 : -ENOMEM;
}

static void stop(void)
{
    tern_chan_free(gate);
}

static const struct tern_handler handlers[] = {
    {.name = "wait", .serve = serve_wait},
    {.name = "count", .serve = serve_count},
    {.name = "open", .serve = serve_open},
    {.name = NULL},
};

const struct tern_module tern_module = {
    .abi = TERN_ABI, .name = "gate", .handlers = handlers, .start = start, .stop = stop};
