/* life.c: a module that logs what becomes of it in each worker. Its setting `name` tells copies of it apart, and
 * `start` is what its start comes to. */
#include "tern.h"

#include <errno.h>
#include <stddef.h>

/* A test puts a copy with another digit in the place of this file. */
static const char version[] = "version 1";

static const char *name = "life";
static bool fails;

static int wait_for_the_end(void *arg)
{
    (void)arg;
    int result = tern_sleep(TERN_NEVER);
    tern_log(NULL, TERN_NOTICE, "%s: thread %s", name, result == -ECANCELED ? "cancelled" : "ended");
    return result;
}

static int start(void)
{
    tern_log(NULL, TERN_NOTICE, "%s: start", name);
    return fails ? -EADDRINUSE : tern_start(NULL, NULL, wait_for_the_end, NULL);
}

static void retire(void)
{
    tern_log(NULL, TERN_NOTICE, "%s: retire, %s", name, tern_stopping() ? "stopping" : "not stopping");
}

static void stop(void)
{
    tern_log(NULL, TERN_NOTICE, "%s: stop", name);
}

static int open_life(struct tern_settings *settings, void **state)
{
    (void)state;
    name = tern_setting_text(settings, "name", "life");
    fails = tern_setting_bool(settings, "fails", false);
    return 0;
}

static void close_life(void *state)
{
    (void)state;
    tern_log(NULL, TERN_NOTICE, "%s: close", name);
}

static int serve(struct tern_request *r, void *state)
{
    (void)state;
    return tern_write(r, version, sizeof version - 1);
}

static const struct tern_handler handlers[] = {
    {.name = "life", .serve = serve, .open = open_life, .close = close_life},
    {.name = NULL},
};

const struct tern_module tern_module = {
    .abi = TERN_ABI,
    .name = "life",
    .handlers = handlers,
    .start = start,
    .stop = stop,
    .retire = retire,
};
