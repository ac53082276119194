/* method.c: see method.h. */
#include "http/method.h"

#define METHOD_NAME(name) STR_INIT(#name),
static const struct str names[] = {METHODS(METHOD_NAME)};

enum method method_of(struct str name)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq(names[i], name))
            return (enum method)i;
    return METHOD_OTHER;
}
