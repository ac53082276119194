/* auth_hash.h: hashes of passwords, as crypt(5) writes them: the only part that sees libcrypt.
 *
 * Taken are those that are fit for passwords today: bcrypt ($2b$, $2y$), SHA-512 ($6$), SHA-256 ($5$) and yescrypt
 * ($y$). They are slow on purpose, 1 to 300 ms as a rule, so checking is work for the blocking pool. Some can be made
 * to take days; what takes longer than a few seconds is refused.
 */
#ifndef TERN_POLICY_AUTH_HASH_H
#define TERN_POLICY_AUTH_HASH_H

#include "base/str.h"

enum {
    AUTH_PASSWORD_MAX = 511, /* bytes that libcrypt takes */
    AUTH_HASH_MAX = 383,     /* bytes of a hash */
};

/* Why this is not a hash to check passwords against; NULL: it is one. The text shows nothing of it. */
const char *auth_hash_objection(struct str hash);

/* Whether a password has this hash; both are NUL-terminated. 1 or 0; -ENOMEM; -EINVAL: libcrypt can't make sense of the
 * hash after all; -ERANGE: nor of so long a password. A comparison takes the same time wherever it differs. For any
 * thread that has 40 KiB of stack. */
int auth_hash_check(const char *password, const char *hash) __attribute__((warn_unused_result));

#endif
