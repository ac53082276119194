/* registry.c: see registry.h. */
#include "handler/registry.h"

const struct http_handler *const handler_registry[] = {
    &handler_files,  &handler_respond, &handler_redirect, &handler_echo,
    &handler_module, &handler_metrics, &handler_status,   NULL,
};
