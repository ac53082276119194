/* nameless.c: a module that does not say what it is called. */
#include "tern.h"

const struct tern_module tern_module = {.abi = TERN_ABI};
