/* inspect.h: a worker looks at its green threads, because its master asks for it (proc/inquiry.h).
 *
 * That is done by a green thread that lives as long as there is a question, one question after the other. It lets the
 * others run again and again: however many threads there are, nobody waits for longer than it takes to look at a few.
 */
#ifndef TERN_PROC_INSPECT_H
#define TERN_PROC_INSPECT_H

#include "green/scope.h"
#include "proc/message.h"

/* From now on questions are answered to the master at this end of the pair, by threads of the scope. */
void inspect_begin(int master, struct green_scope *scope);

/* Answers a MESSAGE_INQUIRE, now or later. */
void inspect_serve(const struct message *message);

/* Before the scope is left: what is not answered yet is not answered any more. */
void inspect_end(void);

#endif
