/* registry.h: every handler there is. A new one is a file of its own and a row here. */
#ifndef TERN_HANDLER_REGISTRY_H
#define TERN_HANDLER_REGISTRY_H

#include "http/route.h"

/* Ends in NULL. */
extern const struct http_handler *const handler_registry[];

extern const struct http_handler handler_files, handler_respond, handler_redirect, handler_echo, handler_module,
    handler_metrics, handler_status;

#endif
