/* sleep.c: a handler that waits before it answers, as one would for a slow upstream: for measurements.
 *
 *     module: {file: sleep.so, handler: sleep, settings: {time: 100ms}}
 */
#include "tern.h"

#include <errno.h>
#include <stdlib.h>

struct wait {
    tern_time time;
};

static int open_sleep(struct tern_settings *settings, void **state)
{
    struct wait *wait = calloc(1, sizeof *wait);
    if (!wait)
        return -ENOMEM;
    wait->time = tern_setting_time(settings, "time", 100 * TERN_MS, 3600 * TERN_SEC);
    *state = wait;
    return 0;
}

static int serve_sleep(struct tern_request *r, void *state)
{
    const struct wait *wait = state;
    int error = tern_sleep(wait->time);
    return error ? error : tern_printf(r, "Hello, World\n");
}

static const struct tern_handler handlers[] = {
    {.name = "sleep", .serve = serve_sleep, .open = open_sleep, .close = free},
    {.name = NULL},
};

const struct tern_module tern_module = {.abi = TERN_ABI, .name = "sleep", .handlers = handlers};
