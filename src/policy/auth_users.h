/* auth_users.h: who may come in with which password, from a mapping and from htpasswd files.
 *
 * All problems are found while the configuration is read, and no message shows a hash. The users live in the reader's
 * arena and do not change afterwards.
 */
#ifndef TERN_POLICY_AUTH_USERS_H
#define TERN_POLICY_AUTH_USERS_H

#include "base/hash.h"
#include "conf/value.h"

struct auth_user;

struct auth_users {
    struct hash by_name;
    const struct auth_user **all; /* once they are sealed */
};

/* No users yet. 0, -ENOMEM, or what getrandom() failed with. */
int auth_users_init(struct auth_users *users, struct arena *arena) __attribute__((warn_unused_result));

/* What a mapping of users has for each name. */
extern const struct conf_key auth_users_entry;

/* Adds those of a mapping of names to hashes. */
int auth_users_read(struct conf_reader *r, struct conf_node *node, struct auth_users *users)
    __attribute__((warn_unused_result));

/* Adds those of a file as htpasswd writes it: a line "name:hash" for each, empty ones and ones that start with # aside.
 * Errors are reported with the file's own lines; those about the file itself, at the node. */
int auth_users_load(struct conf_reader *r, const struct conf_node *node, const char *path, struct auth_users *users)
    __attribute__((warn_unused_result));

/* After the last one has been added, and there is one: they can be looked for. 0 or -ENOMEM. */
int auth_users_seal(struct auth_users *users, struct arena *arena) __attribute__((warn_unused_result));

/* The hash to check a password against (NUL-terminated), whoever it is. True: it is that user's. False: nobody has the
 * name, and it is the hash of somebody else, always the same for the same name: so checking takes as long as it takes
 * for users. */
bool auth_users_find(const struct auth_users *users, struct str name, const char **hash);

#endif
