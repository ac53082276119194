/* caller.h: whether who calls a function of tern.h is on a green thread: mistakes of modules are told, not suffered. */
#ifndef TERN_MODULE_CALLER_H
#define TERN_MODULE_CALLER_H

#include <stdbool.h>

#include "green/green.h"

/* Logs that `call` was made where it must not be. */
void module_say_misplaced(const char *call) __attribute__((cold));

/* False: the caller is on no green thread, and `call` is to be refused with -EPERM; that is logged. */
static inline bool module_is_placed(const char *call)
{
    if (__builtin_expect(green_here(), 1))
        return true;
    module_say_misplaced(call);
    return false;
}

#endif
