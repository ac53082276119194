/* caller.c: see caller.h. */
#include "module/caller.h"

#include "log/log.h"

void module_say_misplaced(const char *call)
{
    log_limited(LOG_LEVEL_ERROR, "module: %s() was called outside of a green thread, and did nothing", call);
}
