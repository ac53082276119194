/* auth_basic.h: the credentials of the Basic authentication scheme (RFC 7617). */
#ifndef TERN_POLICY_AUTH_BASIC_H
#define TERN_POLICY_AUTH_BASIC_H

#include "policy/auth_hash.h"

enum { AUTH_USER_MAX = 255 }; /* bytes */

/* Who asks wipes it (explicit_bzero) as soon as it has served. */
struct auth_basic {
    struct str user;                                       /* in `bytes` */
    const char *password;                                  /* in `bytes`, NUL-terminated */
    char bytes[AUTH_USER_MAX + 1 + AUTH_PASSWORD_MAX + 3]; /* decoded; in groups of three */
};

/* Reads the value of an Authorization field. The base 64 must be that of RFC 4648, 4, to the letter: padded, nothing
 * between, no bit set that is not used. Control characters are in neither part (RFC 7617, 2). 0, or -EINVAL for
 * anything else, such as another scheme, or no field at all. */
int auth_basic_read(struct str field, struct auth_basic *basic) __attribute__((warn_unused_result));

#endif
