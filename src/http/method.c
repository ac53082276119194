/* method.c: see method.h. */
#include "http/method.h"

#define METHOD_NAME(name, text) STR_INIT(text),
static const struct str names[] = {METHODS(METHOD_NAME)};

enum method method_of(struct str name)
{
    size_t i = 0;
    while (i < sizeof names / sizeof *names && !str_eq(names[i], name))
        i++;
    return (enum method)i;
}

struct str method_name(enum method method)
{
    return names[method];
}
