/* actions.h: what each verb of the control socket does, and the answers to those that take time. */
#ifndef TERN_PROC_ACTIONS_H
#define TERN_PROC_ACTIONS_H

#include "proc/state.h"

/* Opens the control socket of a configuration, or takes over `inherited`, a listening one, or -1; control_start() makes
 * it answer. One that is not asked for in so many words may well be missing. 0 or -errno; then why has been told to
 * `errors`. */
int actions_open(struct master *m, const struct config *config, int inherited, FILE *errors)
    __attribute__((warn_unused_result));

/* The same for a configuration that is to take over: control_commit() or control_abandon() follows. */
int actions_prepare(struct master *m, const struct config *config, FILE *errors) __attribute__((warn_unused_result));

/* Does what a line asks for that came on another way than the socket; it stays until it is answered. */
void actions_run(struct master *m, struct control_request *request, struct str line);

/* What a worker is at: "starting", "serving", "draining"; "waiting": it died too often, and is started again later;
 * "silent": it owes a sign of life. */
const char *actions_state_of(const struct child *child);

void actions_reloaded(struct control_request *request, const struct generation *generation);
void actions_upgraded(struct control_request *request, pid_t pid, struct str version);
void actions_reopened(struct control_request *request, unsigned logs);

#endif
