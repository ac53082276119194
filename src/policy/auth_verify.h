/* auth_verify.h: whether a password is right, without holding anybody up.
 *
 * What was right stays known for five minutes: each worker has a table of a thousand such facts. A fact is that a
 * password has a hash, which nothing can make untrue. All that is kept of it are 128 bits of a keyed hash. What is not
 * known is found out in turn (auth_queue.h).
 */
#ifndef TERN_POLICY_AUTH_VERIFY_H
#define TERN_POLICY_AUTH_VERIFY_H

#include "policy/auth_queue.h"
#include "policy/auth_users.h"

/* Whether a user has this password (NUL-terminated, at most AUTH_PASSWORD_MAX), as a peer says. 1 or 0; 0 takes as long
 * for a name that nobody has. -EBUSY, -ETIMEDOUT, -EAGAIN: it can't be found out now; -ENOMEM; -ECANCELED. */
int auth_verify(const struct auth_users *users, const struct peer *peer, struct str name,
                const char *password) GREEN_WAITS;

#endif
