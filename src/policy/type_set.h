/* type_set.h: a set of media types, some of them as wildcards, that is asked by a few probes of a hash table.
 *
 * Its members are types ("application/json"), all types of a kind (text/ and a star), all types whose structured syntax
 * is told by a suffix (RFC 6839: a star for the kind, and one before "+json"), or every type (two stars). Case does not
 * matter.
 */
#ifndef TERN_POLICY_TYPE_SET_H
#define TERN_POLICY_TYPE_SET_H

#include "base/arena.h"
#include "base/hash.h"

enum { TYPE_SET_NAME_MAX = 127 }; /* bytes of a type; none that is registered is half as long */

struct type_set {
    struct hash members;
};

/* An empty set, which ends with the arena. 0, -ENOMEM, or what hash_init() failed with. */
int type_set_init(struct type_set *set, struct arena *arena) __attribute__((warn_unused_result));

/* Puts a member in, in the arena's memory. 0, -EINVAL: it is none of those above; -ENOMEM. */
int type_set_add(struct type_set *set, struct arena *arena, struct str member) __attribute__((warn_unused_result));

/* Whether a media type is in it; its parameters, as they stand in a Content-Type field, are passed over. */
bool type_set_has(const struct type_set *set, struct str type);

#endif
