/* schema.c: see schema.h. */
#include "conf/schema.h"
#include "conf/yaml.h"

#include <errno.h>

static const struct conf_key *find_key(const struct conf_table *table, struct str name)
{
    for (; table; table = table->more)
        for (size_t i = 0; i < table->count; i++)
            if (str_eq(name, str_of(table->keys[i].name)))
                return &table->keys[i];
    return NULL;
}

/* The key that was probably meant, or NULL. */
static const char *nearest(const struct conf_table *table, struct str name)
{
    const char *best = NULL;
    unsigned limit = (unsigned)name.n / 4 + 2;
    for (; table; table = table->more) {
        for (size_t i = 0; i < table->count; i++) {
            unsigned distance = str_distance(name, str_of(table->keys[i].name), limit);
            if (distance < limit) {
                limit = distance;
                best = table->keys[i].name;
            }
        }
    }
    return best;
}

static int refuse_unknown(struct conf_reader *r, const struct conf_node *value, const struct conf_table *table)
{
    const char *meant = nearest(table, value->key);
    if (meant)
        conf_error_key(r, value, "unknown key in %s; did you mean `%s`?", table->what, meant);
    else
        conf_error_key(r, value, "unknown key in %s", table->what);
    return -EINVAL;
}

static int read_field(struct conf_reader *r, struct conf_node *value, const struct conf_key *key, void *target)
{
    void *field = (char *)target + key->offset;
    value->secret |= key->secret;
    if (key->kind == CONF_CUSTOM && !key->read)
        return 0;
    if (key->kind != CONF_MAP && key->kind != CONF_CUSTOM)
        return conf_read_value(r, value, key, field);
    if (value->broken)
        return -EINVAL;
    if (conf_is_null(value)) {
        conf_error(r, value, "has no value");
        return -EINVAL;
    }
    return key->kind == CONF_MAP ? conf_read_map(r, value, key->table, field) : key->read(r, value, field);
}

static int read_present(struct conf_reader *r, struct conf_node *map, const struct conf_table *table, bool others,
                        void *target)
{
    int result = 0;
    conf_each (value, map) {
        const struct conf_key *key = find_key(table, value->key);
        if (!key && others)
            continue;
        int status = key ? read_field(r, value, key, target) : refuse_unknown(r, value, table);
        if (status == -ENOMEM)
            return status;
        result = status ? status : result;
    }
    return result;
}

static int read_default(struct conf_reader *r, struct conf_node *map, const struct conf_key *key, void *target)
{
    struct conf_node *value;
    int status = conf_parse(r, STR("default"), str_of(key->fallback), &value);
    if (status)
        return status;
    value->key = str_of(key->name);
    conf_append(map, value);
    return read_field(r, value, key, target);
}

static int read_missing(struct conf_reader *r, struct conf_node *map, const struct conf_key *key, void *target)
{
    if (conf_find(map, str_of(key->name)))
        return 0;
    if (key->fallback)
        return read_default(r, map, key, target);
    if (!key->required)
        return 0;
    conf_error(r, map, "lacks `%s`%s%s", key->name, key->doc ? ": " : "", key->doc ? key->doc : "");
    return -EINVAL;
}

/* `others`: keys that are not the table's are somebody else's. */
static int read_map(struct conf_reader *r, struct conf_node *map, const struct conf_table *table, bool others,
                    void *target)
{
    if (map->broken)
        return -EINVAL;
    if (map->kind != CONF_MAPPING) {
        if (conf_is_null(map))
            conf_error(r, map, "has no value");
        else
            conf_error(r, map, "takes a mapping, not %s", conf_kind_name(map));
        return -EINVAL;
    }
    int result = read_present(r, map, table, others, target);
    for (; table; table = table->more) {
        for (size_t i = 0; i < table->count && result != -ENOMEM; i++) {
            int status = read_missing(r, map, &table->keys[i], target);
            result = status ? status : result;
        }
    }
    return result;
}

int conf_read_map(struct conf_reader *r, struct conf_node *map, const struct conf_table *table, void *target)
{
    return read_map(r, map, table, false, target);
}

int conf_read_keys(struct conf_reader *r, struct conf_node *map, const struct conf_table *table, void *target)
{
    return read_map(r, map, table, true, target);
}
