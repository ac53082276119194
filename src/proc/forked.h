/* forked.h: what every process does that the master has forked, whatever it is for. */
#ifndef TERN_PROC_FORKED_H
#define TERN_PROC_FORKED_H

#include "log/access.h"
#include "proc/config.h"
#include "proc/message.h"

struct master;
struct generation;

/* Who it is. */
struct forked {
    const char *what; /* "worker" */
    size_t index;     /* among those of its kind */
    int master;       /* our end of the socket pair, see message.h */
    pid_t master_pid;
};

/* Closes what belongs to the master, and to other generations than `own`: its children tell by the end of their own
 * pairs that it is gone. Of the listening sockets, `kept` stay. */
void forked_leave_master(struct master *m, const struct generation *own, const int *kept, size_t count);

/* Leaves signals to the master, drops its privileges, and sees to it that it does not outlive the master by more than
 * it needs to drain. 0, or the status to exit with; then the master has been told why. */
int forked_become(const struct forked *self, const struct config *config) __attribute__((warn_unused_result));

/* Tells the log, and the master, who tells whoever waits for us to be ready, that we cannot do something, and why. The
 * status to exit with. */
int forked_fail(const struct forked *self, const char *what, const char *why);

/* Takes the file of a log that came with a message, and confirms that. `access` may be NULL: none is kept. */
void forked_take_log(int master, struct access_log *access, const struct message *message, int fd);

#endif
