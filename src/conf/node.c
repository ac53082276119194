/* node.c: see node.h. */
#include "conf/node.h"

size_t conf_item_count(const struct conf_node *node)
{
    if (node->kind != CONF_SEQUENCE)
        return 1;
    size_t count = 0;
    conf_each (item, node)
        count++;
    return count;
}

struct conf_node *conf_find(const struct conf_node *map, struct str key)
{
    conf_each (child, map)
        if (str_eq(child->key, key))
            return child;
    return NULL;
}

bool conf_is_null(const struct conf_node *node)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    if (node->kind != CONF_SCALAR || node->quoted)
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_eq(node->text, str_of(words[i])))
            return true;
    return false;
}

void conf_append(struct conf_node *parent, struct conf_node *child)
{
    child->parent = parent;
    child->next = NULL;
    *(parent->last ? &parent->last->next : &parent->first) = child;
    parent->last = child;
}

void conf_remove(struct conf_node *child)
{
    struct conf_node *parent = child->parent, *before = NULL;
    for (struct conf_node *node = parent->first; node != child; node = node->next)
        before = node;
    *(before ? &before->next : &parent->first) = child->next;
    if (parent->last == child)
        parent->last = before;
    child->parent = child->next = NULL;
}

static uint64_t index_of(const struct conf_node *item)
{
    uint64_t index = 0;
    for (const struct conf_node *node = item->parent->first; node != item; node = node->next)
        index++;
    return index;
}

void conf_path(const struct conf_node *node, struct out *o)
{
    if (!node->parent)
        return;
    conf_path(node->parent, o);
    if (node->parent->kind == CONF_SEQUENCE) {
        out_char(o, '[');
        out_u64(o, index_of(node));
        out_char(o, ']');
        return;
    }
    if (out_len(o))
        out_char(o, '.');
    out_put(o, node->key);
}

const char *conf_kind_name(const struct conf_node *node)
{
    static const char *const names[] = {
        [CONF_SCALAR] = "a value", [CONF_SEQUENCE] = "a list", [CONF_MAPPING] = "a mapping"};
    return names[node->kind];
}
