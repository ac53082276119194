/* modules.h: what a process of a configuration does with its modules: a worker starts them. */
#ifndef TERN_PROC_MODULES_H
#define TERN_PROC_MODULES_H

#include "proc/config.h"

/* Starts the handlers that want to be started, and then the modules, on the main green thread. 0, or -errno: `why` says
 * what is the matter, in one line. */
int modules_start(struct config *config, struct out *why) GREEN_WAITS;

/* After the last request. */
void modules_stop(const struct config *config);

#endif
