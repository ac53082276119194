/* registry.h: every policy there is. A new one is a file of its own and a row here.
 *
 * They are asked in this order: an address that may not come in is turned away before anything else, no
 * password is asked for where it would travel readable, and guessing passwords runs into the limit. The last ones only
 * dress the response.
 */
#ifndef TERN_POLICY_REGISTRY_H
#define TERN_POLICY_REGISTRY_H

#include "http/route.h"

/* Ends in NULL. */
extern const struct http_policy *const policy_registry[];

extern const struct http_policy policy_access, policy_redirect, policy_limit, policy_auth;
extern const struct http_policy policy_hsts, policy_headers, policy_expires, policy_compress, policy_server_timing;

#endif
