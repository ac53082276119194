/* thread_verbs.h: the actions of the control socket that are about green threads (docs/ternctl.1 says what they
 * answer). `server` is the master. */
#ifndef TERN_PROC_THREAD_VERBS_H
#define TERN_PROC_THREAD_VERBS_H

#include "proc/control.h"

void thread_verb_threads(void *server, struct control_request *request);
void thread_verb_stack(void *server, struct control_request *request);
void thread_verb_kill(void *server, struct control_request *request);

/* "drain" and "drain show": what is left of the generations that drain. */
void thread_verb_drain(void *server, struct control_request *request);

#endif
