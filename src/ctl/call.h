/* call.h: a connection to the control socket of a server. */
#ifndef TERN_CTL_CALL_H
#define TERN_CTL_CALL_H

#include "base/clock.h"
#include "base/str.h"

#include <sys/types.h>

struct call {
    int fd;
    char *text; /* the last answer */
    size_t n, room;
};

/* Connects. 0 or -errno. A timeout is for the whole of it; NSEC_NEVER: there is none. */
int call_open(struct call *call, const char *path, nsec timeout) __attribute__((warn_unused_result));

void call_close(struct call *call);

/* The process that listens, or -errno; -ESRCH: it can't be seen from here. */
pid_t call_peer(const struct call *call) __attribute__((warn_unused_result));

/* Sends a line, which has its newline, and waits for the one that answers it: without its newline, valid until the
 * next call_ask() or call_close(). 0 or -errno; -ENODATA: the connection was closed instead. */
int call_ask(struct call *call, struct str line, nsec timeout, struct str *answer) __attribute__((warn_unused_result));

/* What an error of these means, for people. */
const char *call_reason(int error);

#endif
