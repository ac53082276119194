/* auth_verify.h: whether a password is right, without holding anybody up.
 *
 * A hash takes a tenth of a second of a processor. It is made on the blocking pool, two at a time, so that files can
 * still be read there; who comes meanwhile waits for his turn. What was right stays known for five minutes: each worker
 * has a table of a thousand such facts. A fact is that a password has a hash, which nothing can make untrue. All that
 * is kept of it are 128 bits of a keyed hash.
 */
#ifndef TERN_POLICY_AUTH_VERIFY_H
#define TERN_POLICY_AUTH_VERIFY_H

#include "green/green.h"
#include "policy/auth_users.h"

/* Whether a user has this password (NUL-terminated, at most AUTH_PASSWORD_MAX). 1 or 0; 0 takes as long for a name that
 * nobody has. -ETIMEDOUT: ten seconds were not enough for those who came before; -EAGAIN, -ENOMEM: nor is there a
 * thread, or memory; -ECANCELED. */
int auth_verify(const struct auth_users *users, struct str name, const char *password) GREEN_WAITS;

#endif
