/* modules.h: what processes do with the modules of their configuration: workers start them, compute processes
 * take their jobs. */
#ifndef TERN_PROC_MODULES_H
#define TERN_PROC_MODULES_H

#include "module/compute.h"
#include "proc/config.h"

/* Starts the handlers that want to be started, and then the modules, on the main green thread. 0, or -errno: `why` says
 * what is the matter, in one line. */
int modules_start(struct config *config, struct out *why) GREEN_WAITS;

/* After the last request. */
void modules_stop(const struct config *config);

/* For a compute process: where the jobs of a configuration are; NULL: it has no modules. The result ends with `config`.
 * -ENOMEM: there is no memory. */
int modules_find_source(struct config *config, const struct compute_source **source)
    __attribute__((warn_unused_result));

#endif
