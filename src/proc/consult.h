/* consult.h: a worker asks its master (http/inspect.h), which answers as it would over the control socket. */
#ifndef TERN_PROC_CONSULT_H
#define TERN_PROC_CONSULT_H

#include "green/green.h"
#include "proc/message.h"

/* From now on the master is asked at this end of the pair. */
void consult_begin(int master);

/* Asks a line. A descriptor of a file in memory with the answer, the caller's to close; or -errno: -EMSGSIZE: the line
 * is too long; -EAGAIN: the master has too much to do; -ENODATA: it had no room for an answer; -ETIMEDOUT,
 * -ECANCELED. */
int consult(struct str line, nsec deadline) GREEN_WAITS;

/* Gives a MESSAGE_REPORT, and the descriptor that came with it or -1, to who waits for it. The descriptor is taken. */
void consult_serve(const struct message *message, int fd);

#endif
