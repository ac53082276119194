/* module.h: the handler `module`, for processes that want its modules without serving anything. */
#ifndef TERN_HANDLER_MODULE_H
#define TERN_HANDLER_MODULE_H

#include "base/out.h"
#include "http/route.h"

/* Loads the module of a route, if that is its handler. 0, -errno as of module_load(). */
int module_handler_load(const struct http_route *route, struct out *why) __attribute__((warn_unused_result));

#endif
