/* explain_verb.h: the verb `explain`, by the configuration that serves. */
#ifndef TERN_PROC_EXPLAIN_VERB_H
#define TERN_PROC_EXPLAIN_VERB_H

#include "proc/control.h"

/* As a row of the actions. */
void explain_verb(void *server, struct control_request *request);

#endif
