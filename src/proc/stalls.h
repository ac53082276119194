/* stalls.h: the action `stalls` of the control socket: what the workers of all generations have been caught at. */
#ifndef TERN_PROC_STALLS_H
#define TERN_PROC_STALLS_H

#include "proc/control.h"

enum { STALLS_SHOWN = 100 }; /* the newest of them */

/* `server` is the master. */
void stalls_verb(void *server, struct control_request *request);

#endif
