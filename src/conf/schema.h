/* schema.h: tables of directives, and how a mapping is read by one.
 *
 * Each layer describes its part of the configuration by a table that stands beside the structure it fills:
 *
 *     static const struct conf_key limits_keys[] = {
 *         {"header_size", CONF_SIZE, offsetof(struct limits, header_size), .fallback = "32k",
 *          .min = 1 << 10, .max = 1 << 20, .doc = "request line and header fields"},
 *         ...
 *     };
 *     const struct conf_table limits_table = CONF_TABLE("limits", limits_keys);
 *
 * A table is read by conf_read_map(), which is also what a CUSTOM key calls for mappings of its own.
 */
#ifndef TERN_CONF_SCHEMA_H
#define TERN_CONF_SCHEMA_H

#include "conf/value.h"

struct conf_table {
    const char *what; /* what the mapping describes, for messages: "limits", "a route" */
    const struct conf_key *keys;
    size_t count;
    const struct conf_table *more; /* further keys of the same mapping and target, or NULL */
    /* Tells key i of those in the same mapping that somebody else reads; false: there are no more. NULL: none. */
    bool (*others)(size_t i, struct conf_key *key);
};

/* The table of an array of keys. */
#define CONF_TABLE(what_, keys_)                                                                                       \
    {                                                                                                                  \
        .what = what_, .keys = keys_, .count = sizeof(keys_) / sizeof *(keys_)                                         \
    }

/* Walks all keys that a mapping may have by its table, those of others included:
 *
 *     for (struct conf_walk walk = {.table = table}; conf_next(&walk);)
 *         ... walk.key->name ...
 */
struct conf_walk {
    const struct conf_table *table; /* the rest of the way starts here */
    size_t i, other;
    const struct conf_key *key;
    struct conf_key copy; /* of another's key */
};

bool conf_next(struct conf_walk *walk);

/* Whether both keys are of the same choice. */
bool conf_same_choice(const struct conf_key *a, const struct conf_key *b);

/* Whether the key is of a choice, and the first of it. */
bool conf_opens_choice(const struct conf_table *table, const struct conf_key *key);

/* Reads a mapping into the target. A key that no table has, a missing one that is required, a choice that is not made
 * or made twice, and a value that does not fit are errors, and all of them are reported. A missing key with a fallback
 * is appended to the mapping and read like the others, so that the tree is the effective configuration afterwards. */
int conf_read_map(struct conf_reader *r, struct conf_node *map, const struct conf_table *table, void *target)
    __attribute__((warn_unused_result));

/* The same for a mapping that several tables share, each with a target of its own: keys of others are left alone. */
int conf_read_keys(struct conf_reader *r, struct conf_node *map, const struct conf_table *table, void *target)
    __attribute__((warn_unused_result));

#endif
