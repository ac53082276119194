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
};

/* The table of an array of keys. */
#define CONF_TABLE(what, keys)                                                                                         \
    {                                                                                                                  \
        what, keys, sizeof(keys) / sizeof *(keys), NULL                                                                \
    }

/* Reads a mapping into the target. A key that no table has, a missing one that is required, and a value that does not
 * fit are errors, and all of them are reported. A missing key with a fallback is appended to the mapping and read like
 * the others, so that the tree is the effective configuration afterwards. */
int conf_read_map(struct conf_reader *r, struct conf_node *map, const struct conf_table *table, void *target)
    __attribute__((warn_unused_result));

/* The same for a mapping that several tables share, each with a target of its own: keys of others are left alone. */
int conf_read_keys(struct conf_reader *r, struct conf_node *map, const struct conf_table *table, void *target)
    __attribute__((warn_unused_result));

#endif
