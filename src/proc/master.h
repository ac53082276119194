/* master.h: the process that never serves: it opens the sockets, keeps the workers alive, and tells them to stop. */
#ifndef TERN_PROC_MASTER_H
#define TERN_PROC_MASTER_H

#include "proc/config.h"

/* Runs the server until it is told to stop. The exit status of the program. */
int master_run(struct config *config);

#endif
