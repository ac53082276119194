/* hello.c: the least there is to a module, and the first thing to copy.
 *
 *     module: {file: hello.so, handler: hello, settings: {greeting: Hello}}
 */
#include "tern.h"

#include <errno.h>
#include <stdlib.h>

struct hello {
    const char *greeting;
};

static int open_hello(struct tern_settings *settings, void **state)
{
    struct hello *hello = calloc(1, sizeof *hello);
    if (!hello)
        return -ENOMEM;
    hello->greeting = tern_setting_text(settings, "greeting", "Hello");
    *state = hello;
    return 0;
}

static int serve_hello(struct tern_request *r, void *state)
{
    const struct hello *hello = state;
    const char *name = tern_query(r, "name");
    return tern_printf(r, "%s, %s!\n", hello->greeting, name ? name : tern_get(r, TERN_PEER));
}

static const struct tern_handler handlers[] = {
    {.name = "hello", .serve = serve_hello, .open = open_hello, .close = free},
    {.name = NULL},
};

const struct tern_module tern_module = {.abi = TERN_ABI, .name = "hello", .handlers = handlers};
