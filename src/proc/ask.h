/* ask.h: what workers ask their master (proc/consult.h is their side of it).
 *
 * A line of the control protocol that changes nothing is answered as for a client of the socket: the answer goes to the
 * worker as a file in memory. A worker that asks more than it may, or hands over nonsense, is refused like any client.
 */
#ifndef TERN_PROC_ASK_H
#define TERN_PROC_ASK_H

#include "proc/state.h"

enum { ASKS = 4 }; /* that one worker may have under way: each may keep a report of every worker in memory */

/* A worker asks. */
void ask_hear(const struct child *child, const struct message *message);

/* It has ended: nobody waits for what it has asked. */
void ask_forget(struct master *m, pid_t pid);

#endif
