/* undefined.c: a module that needs what nobody has. */
#include "tern.h"

int tern_test_symbol_of_nobody(void);

static int serve(struct tern_request *r, void *state)
{
    (void)state;
    return tern_printf(r, "%d\n", tern_test_symbol_of_nobody());
}

static const struct tern_handler handlers[] = {{.name = "undefined", .serve = serve}, {.name = NULL}};

const struct tern_module tern_module = {.abi = TERN_ABI, .name = "undefined", .handlers = handlers};
