/* parked.c: a handler that waits, in the way that the rest of the path says, until it is cancelled. */
#include "acts.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

static struct tern_mutex mutex;
static int never[2], later[2]; /* pipes: nobody writes to the first, /release to the second */

static int sleep_for_ever(void *arg)
{
    (void)arg;
    return tern_sleep(TERN_NEVER);
}

static int wait_in_timer(struct tern_request *r)
{
    (void)r;
    return tern_sleep(3600 * TERN_SEC);
}

static int wait_in_descriptor(struct tern_request *r)
{
    struct pollfd end = {.fd = never[0], .events = POLLIN};
    return poll(&end, 1, -1) > 0 ? tern_printf(r, "read\n") : -errno;
}

static int wait_in_channel(struct tern_request *r)
{
    char token;
    int error = tern_chan_recv(gate, &token, TERN_NEVER);
    return error ? error : tern_printf(r, "received\n");
}

/* The first one has it, and sleeps; the others wait for it. */
static int wait_in_lock(struct tern_request *r)
{
    (void)r;
    int error = tern_lock(&mutex, TERN_NEVER);
    if (error)
        return error;
    error = tern_sleep(TERN_NEVER);
    int unlocked = tern_unlock(&mutex);
    return error ? error : unlocked;
}

static int wait_in_thread(struct tern_request *r)
{
    int error = tern_start(tern_scope_of(r), NULL, sleep_for_ever, NULL);
    return error ? error : tern_scope_join(tern_scope_of(r), TERN_NEVER);
}

static int wait_in_client(struct tern_request *r)
{
    char byte;
    ssize_t n = tern_read(r, &byte, 1);
    return n < 0 ? (int)n : tern_printf(r, "%zd read\n", n);
}

static int read_pipe(void *arg)
{
    char byte;
    (void)arg;
    return read(later[0], &byte, 1) == 1 ? 0 : -EIO;
}

static int wait_in_pool(struct tern_request *r)
{
    int error = tern_blocking(read_pipe, NULL, TERN_NEVER);
    if (!error)
        error = tern_yield();
    return error ? error : tern_printf(r, "blocked\n");
}

static int release(struct tern_request *r)
{
    return write(later[1], "x", 1) == 1 ? tern_printf(r, "released\n") : -errno;
}

/* As many children as the query says, all asleep. */
static int wait_with_many(struct tern_request *r)
{
    const char *count = tern_query(r, "count");
    int error = 0;
    for (long left = count ? strtol(count, NULL, 10) : 0; left > 0 && !error; left--)
        error = tern_start(tern_scope_of(r), NULL, sleep_for_ever, NULL);
    return error ? error : tern_scope_join(tern_scope_of(r), TERN_NEVER);
}

static int pass(struct tern_request *r)
{
    return tern_printf(r, "passed\n");
}

static int serve(struct tern_request *r, void *state)
{
    static const struct act acts[] = {{"timer", wait_in_timer},
                                      {"descriptor", wait_in_descriptor},
                                      {"channel", wait_in_channel},
                                      {"lock", wait_in_lock},
                                      {"thread", wait_in_thread},
                                      {"client", wait_in_client},
                                      {"pool", wait_in_pool},
                                      {"release", release},
                                      {"many", wait_with_many},
                                      {"pass", pass},
                                      {NULL, NULL}};
    (void)state;
    return act_serve(r, acts);
}

static int start(void)
{
    if (pipe(never) < 0 || pipe(later) < 0)
        return -errno;
    return gate_start();
}

static const struct tern_handler handlers[] = {{.name = "parked", .serve = serve}, {.name = NULL}};

const struct tern_module tern_module = {
    .abi = TERN_ABI, .name = "parked", .handlers = handlers, .start = start, .stop = gate_stop};
