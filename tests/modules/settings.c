/* settings.c: handlers with settings of every kind, and such that do not open. */
#include "tern.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ITEMS = 4, TEXT = 512 };

struct every {
    char text[TEXT]; /* all of them, as they were read */
};

static int put_items(struct tern_settings *settings, char *to, size_t room)
{
    int n = 0;
    const char *item;
    for (size_t i = 0; i < ITEMS && (item = tern_setting_item(settings, "list", i)); i++)
        n += snprintf(to + n, room - (size_t)n, " %s", item);
    return n;
}

static int open_every(struct tern_settings *settings, void **state)
{
    struct every *every = calloc(1, sizeof *every);
    if (!every)
        return -ENOMEM;
    *state = every;
    const char *text = tern_setting_text(settings, "text", NULL);
    long long number = tern_setting_int(settings, "number", 7, -10, 100);
    unsigned long long size = tern_setting_size(settings, "size", 1024, 1 << 20);
    long long time = tern_setting_time(settings, "time", TERN_SEC, 60 * TERN_SEC) / TERN_MS;
    bool flag = tern_setting_bool(settings, "flag", false);
    int n = snprintf(every->text, TEXT, "%s %lld %llu %lld %d", text, number, size, time, flag);
    struct tern_settings *inner = tern_setting_map(settings, "inner");
    if (inner)
        n += snprintf(every->text + n, (size_t)(TEXT - n), " %s", tern_setting_text(inner, "depth", NULL));
    put_items(settings, every->text + n, (size_t)(TEXT - n));
    return 0;
}

static int serve_every(struct tern_request *r, void *state)
{
    const struct every *every = state;
    return tern_printf(r, "%s\n", every->text);
}

/* ---- such that do not open ---- */

static int fail_without_a_word(struct tern_settings *settings, void **state)
{
    (void)settings, (void)state;
    return -EACCES;
}

static int blame_a_key(struct tern_settings *settings, void **state)
{
    (void)state;
    const char *colour = tern_setting_text(settings, "colour", "red");
    return tern_setting_wrong(settings, "colour", "%s is no colour", colour);
}

static int blame_all(struct tern_settings *settings, void **state)
{
    (void)state;
    return tern_setting_wrong(settings, NULL, "they do not go together");
}

/* What it has said counts, whatever it returns. */
static int blame_and_go_on(struct tern_settings *settings, void **state)
{
    (void)blame_a_key(settings, state);
    return 0;
}

static int crash(struct tern_settings *settings, void **state)
{
    (void)settings, (void)state;
    abort();
}

static int leave(struct tern_settings *settings, void **state)
{
    (void)settings, (void)state;
    exit(EXIT_SUCCESS);
}

static int serve_nothing(struct tern_request *r, void *state)
{
    (void)state;
    return tern_fail(r, 404);
}

static const struct tern_handler handlers[] = {
    {.name = "every", .serve = serve_every, .open = open_every, .close = free},
    {.name = "silent", .serve = serve_nothing, .open = fail_without_a_word},
    {.name = "picky", .serve = serve_nothing, .open = blame_a_key},
    {.name = "pickier", .serve = serve_nothing, .open = blame_all},
    {.name = "lenient", .serve = serve_nothing, .open = blame_and_go_on},
    {.name = "crash", .serve = serve_nothing, .open = crash},
    {.name = "leave", .serve = serve_nothing, .open = leave},
    {.name = "none", .serve = serve_nothing},
    {.name = NULL},
};

const struct tern_module tern_module = {.abi = TERN_ABI, .name = "settings", .handlers = handlers};
