/* worker.h: what a worker does for its modules as a whole, beside the handlers of its routes. */
#ifndef TERN_MODULE_WORKER_H
#define TERN_MODULE_WORKER_H

#include "base/out.h"
#include "green/green.h"

/* Lets the modules that have been loaded start, on the main green thread. 0 or -errno: a module's start failed, as
 * `why` says in one line; those before it have been stopped again. */
int module_worker_start(struct out *why) GREEN_WAITS;

/* Tells them that the worker is to end: the first time counts. */
void module_worker_retire(void);
bool module_worker_is_stopping(void);

/* After the last request: cancels and joins the threads of the worker's scope, and lets the modules stop. */
void module_worker_stop(void);

#endif
