/* yaml.h: YAML text becomes a tree of nodes.
 *
 * YAML 1.1 as libyaml reads it, less what a configuration has no use for: one document, keys are scalars and unique,
 * no tags. Anchors and aliases work; an alias is a copy of what it names, so the bounds on nodes and depth also hold
 * against "billion laughs". `${NAME}` in a scalar reads the environment (env.h).
 */
#ifndef TERN_CONF_YAML_H
#define TERN_CONF_YAML_H

#include "conf/report.h"

enum {
    CONF_NODES_MAX = 100000, /* of one text */
    CONF_DEPTH_MAX = 64,     /* sequences and mappings inside each other */
    CONF_KEYS_MAX = 2000,    /* of one mapping */
    CONF_KEY_SIZE_MAX = 200, /* bytes of a key */
    CONF_ANCHORS_MAX = 256,
};

/* Parses a text; file_name (copied) is for messages. An empty text is an empty mapping. 0: *root is the tree, though
 * errors may have been collected that do not hinder further reading, such as a duplicate key; ask conf_failed() in the
 * end. -EINVAL: no tree. -ENOMEM. */
int conf_parse(struct conf_reader *r, struct str file_name, struct str text, struct conf_node **root)
    __attribute__((warn_unused_result));

/* The library below, with its version: for -V. */
const char *conf_library(void);

#endif
