/* idle_job.c: a module whose job has nothing to run. */
#include "tern.h"

#include <stddef.h>

static const struct tern_job jobs[] = {{.name = "idle"}, {.name = NULL}};

const struct tern_module tern_module = {.abi = TERN_ABI, .name = "idle_job", .jobs = jobs};
