/* objects.h: shared objects that are structures of a test's own: dlopen() finds these, once there are any, and nothing
 * else. */
#ifndef TERN_TESTS_MODULE_OBJECTS_H
#define TERN_TESTS_MODULE_OBJECTS_H

#include <stddef.h>

#include "tern.h"

struct object {
    const char *path;
    const struct tern_module *module; /* NULL: it has no such symbol */
};

extern struct objects {
    const struct object *v;
    size_t n;
    const char *error; /* of what is not found */
    int open;          /* opened, less closed */
    int opened;        /* ever */
} objects;

#endif
