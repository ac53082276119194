/* registry.c: see registry.h. */
#include "policy/registry.h"

const struct http_policy *const policy_registry[] = {
    &policy_access,  &policy_redirect, &policy_limit,    &policy_auth,          &policy_hsts,
    &policy_headers, &policy_expires,  &policy_compress, &policy_server_timing, NULL,
};
