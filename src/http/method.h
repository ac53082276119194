/* method.h: request methods (RFC 9110, 9; RFC 5789) that tern itself has an opinion on. */
#ifndef TERN_HTTP_METHOD_H
#define TERN_HTTP_METHOD_H

#include "base/str.h"

#define METHODS(X)                                                                                                \
    X(GET)                                                                                                             \
    X(HEAD)                                                                                                            \
    X(POST)                                                                                                            \
    X(PUT)                                                                                                             \
    X(DELETE)                                                                                                          \
    X(OPTIONS)                                                                                                         \
    X(PATCH)                                                                                                           \
    X(CONNECT)                                                                                                         \
    X(TRACE)

#define METHOD_ENUM(name) METHOD_##name,
enum method { METHODS(METHOD_ENUM) METHOD_OTHER };

/* The method of that name, which is case-sensitive; METHOD_OTHER for all that are not above. */
enum method method_of(struct str name);

#endif
