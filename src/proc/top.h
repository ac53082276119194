/* top.h: the verb `top`: what the workers of all generations have counted up to now.
 *
 * Counts only grow, but for what is now; whoever wants rates and quantiles asks twice and takes the difference.
 */
#ifndef TERN_PROC_TOP_H
#define TERN_PROC_TOP_H

#include "proc/state.h"

/* As a row of the actions. */
void top_verb(void *server, struct control_request *request);

#endif
