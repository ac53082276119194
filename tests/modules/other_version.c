/* other_version.c: a module of an interface that does not exist yet. */
#include "tern.h"

const struct tern_module tern_module = {.abi = TERN_ABI + 1, .name = "other_version"};
