/* node.h: the configuration as a tree.
 *
 * What a file says, before anybody knows what it means: scalars, sequences and mappings in the order in which they are
 * written, each with the place it was read from. Defaults are added to the same tree while it is read into structures
 * (schema.h), so in the end it is the effective configuration.
 *
 * Nodes live in the arena of the reader that made them. A node is in one place of one tree: an alias becomes a copy.
 */
#ifndef TERN_CONF_NODE_H
#define TERN_CONF_NODE_H

#include "base/arena.h"
#include "base/out.h"

enum conf_node_kind {
    CONF_SCALAR,
    CONF_SEQUENCE,
    CONF_MAPPING,
};

struct conf_node {
    enum conf_node_kind kind;
    bool quoted;                /* a scalar in quotes or in block style: never null */
    bool secret;                /* masked when it is shown */
    bool broken;                /* its text could not be made out; that is reported already */
    unsigned line, col;         /* where the value starts; both count from 1 */
    unsigned key_line, key_col; /* where its key starts */
    struct str file;            /* what `line` counts in */
    struct str key;             /* in a mapping; else empty. NUL-terminated */
    struct str text;            /* of a scalar. NUL-terminated, UTF-8, no NUL inside */
    struct conf_node *parent;   /* NULL: the root */
    struct conf_node *next;     /* the next sibling, or NULL */
    struct conf_node *first, *last;
};

/* Walks the children of a sequence or mapping. */
#define conf_each(child, node) for (struct conf_node *child = (node)->first; child; child = child->next)

/* Walks the items of a sequence; a node of another kind counts as a sequence of one. */
#define conf_each_item(item, node) for (struct conf_node *item = NULL; (item = conf_item_after((node), item));)

/* The item behind `item`; behind NULL: the first one. NULL: no more. */
static inline struct conf_node *conf_item_after(struct conf_node *node, struct conf_node *item)
{
    if (node->kind != CONF_SEQUENCE)
        return item ? NULL : node;
    return item ? item->next : node->first;
}

/* How many rounds conf_each_item() takes. */
size_t conf_item_count(const struct conf_node *node);

/* The child with that key, or NULL. */
struct conf_node *conf_find(const struct conf_node *map, struct str key);

/* Whether it is a scalar without a value: empty, ~ or null, unquoted. */
bool conf_is_null(const struct conf_node *node);

/* Makes `child` the last one of `parent`. */
void conf_append(struct conf_node *parent, struct conf_node *child);

/* Takes a child out of its parent. */
void conf_remove(struct conf_node *child);

/* Writes where the node stands in its tree: sites[0].routes[2].path. Nothing for the root. */
void conf_path(const struct conf_node *node, struct out *o);

/* "a mapping", "a list", "a value": for messages. */
const char *conf_kind_name(const struct conf_node *node);

#endif
