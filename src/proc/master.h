/* master.h: the process that never serves: it opens the sockets, keeps workers alive, and replaces or stops them. */
#ifndef TERN_PROC_MASTER_H
#define TERN_PROC_MASTER_H

#include "proc/config.h"

/* Runs the server until it is told to stop. `config`, which is freed, is what `options` have led to, and is read again
 * by them; `arguments` are main's, for an upgrade. The exit status of the program. */
int master_run(const struct config_options *options, struct config *config, char **arguments);

/* Tells the server that is being upgraded, if there is one, why this one can't start. */
void upgrade_report_failure(const char *why);

#endif
