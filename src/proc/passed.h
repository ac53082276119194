/* passed.h: listening sockets that another process opened and handed over: systemd, or our own predecessor.
 *
 * Both use the same convention (sd_listen_fds(3)): descriptors from 3 on, $LISTEN_FDS of them, for the process
 * $LISTEN_PID, with names in $LISTEN_FDNAMES. A socket that our predecessor has opened itself has an empty name there.
 */
#ifndef TERN_PROC_PASSED_H
#define TERN_PROC_PASSED_H

#include "net/addr.h"

struct passed_socket {
    int fd; /* -1: it has been taken */
    struct addr addr;
    struct str name;
    bool ours; /* opened by tern */
};

struct passed {
    struct passed_socket *sockets;
    size_t count;
    char *names; /* memory of the names */
};

/* Takes over what the environment tells of, and forgets it there, so that no child takes it for its own. What is no
 * listening stream socket is reported and closed. `inherited`: a predecessor tells it. 0 or -ENOMEM. */
int passed_read(struct passed *passed, bool inherited) __attribute__((warn_unused_result));

/* The next one that nobody has taken, with this name, if one is given, else with this address; NULL: there is none. */
struct passed_socket *passed_find(struct passed *passed, struct str name, const struct addr *addr);

/* Closes those that nobody took, which is worth a warning, and frees the rest. */
void passed_close(struct passed *passed);

/* In a child that is about to exec: puts the descriptors where its successor expects them, and the environment that
 * tells of them. names[i] is empty for a socket of ours. 0 or -errno. */
int passed_on(const int *fds, const struct str *names, size_t count) __attribute__((warn_unused_result));

#endif
