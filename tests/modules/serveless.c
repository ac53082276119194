/* serveless.c: a module whose second handler has nothing to serve with. */
#include "tern.h"

#include <stddef.h>

static int serve(struct tern_request *r, void *state)
{
    (void)state;
    return tern_printf(r, "served\n");
}

static const struct tern_handler handlers[] = {{.name = "whole", .serve = serve}, {.name = "hollow"}, {.name = NULL}};

const struct tern_module tern_module = {.abi = TERN_ABI, .name = "serveless", .handlers = handlers};
