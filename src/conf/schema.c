/* schema.c: see schema.h. */
#include "conf/schema.h"
#include "conf/yaml.h"

#include <errno.h>

bool conf_next(struct conf_walk *walk)
{
    for (; walk->table; walk->table = walk->table->more, walk->i = walk->other = 0) {
        if (walk->i < walk->table->count) {
            walk->key = &walk->table->keys[walk->i++];
            return true;
        }
        if (walk->table->others && walk->table->others(walk->other++, &walk->copy)) {
            walk->key = &walk->copy;
            return true;
        }
    }
    return false;
}

/* Stops the walk at the key of that name. False: there is none. */
static bool find_key(struct conf_walk *walk, struct str name)
{
    while (conf_next(walk))
        if (str_eq(name, str_of(walk->key->name)))
            return true;
    return false;
}

static bool is_anothers(const struct conf_walk *walk)
{
    return walk->key == &walk->copy;
}

static int refuse_unknown(struct conf_reader *r, const struct conf_node *value, const struct conf_table *table)
{
    struct str_guess guess = str_guess(value->key);
    for (struct conf_walk walk = {.table = table}; conf_next(&walk);)
        str_guess_try(&guess, str_of(walk.key->name));
    if (guess.best.p)
        conf_error_key(r, value, "unknown key in %s; did you mean `" STR_FMT "`?", table->what, STR_ARG(guess.best));
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
        struct conf_walk walk = {.table = table};
        bool known = find_key(&walk, value->key);
        if (known ? is_anothers(&walk) : others)
            continue;
        int status = known ? read_field(r, value, walk.key, target) : refuse_unknown(r, value, table);
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

/* ---- choices ---- */

bool conf_same_choice(const struct conf_key *a, const struct conf_key *b)
{
    return a->choice && b->choice && strcmp(a->choice, b->choice) == 0;
}

bool conf_opens_choice(const struct conf_table *table, const struct conf_key *key)
{
    struct conf_walk walk = {.table = table};
    while (key->choice && conf_next(&walk))
        if (conf_same_choice(walk.key, key))
            return strcmp(walk.key->name, key->name) == 0;
    return false;
}

static int refuse_none(struct conf_reader *r, const struct conf_node *map, const struct conf_table *table,
                       const struct conf_key *first)
{
    char buffer[256];
    struct out names = out_on(buffer, sizeof buffer);
    for (struct conf_walk walk = {.table = table}; conf_next(&walk);) {
        if (!conf_same_choice(walk.key, first))
            continue;
        out_put(&names, out_len(&names) ? STR(", `") : STR("`"));
        out_put(&names, str_of(walk.key->name));
        out_char(&names, '`');
    }
    conf_error(r, map, "lacks a %s, one of " STR_FMT, first->choice, STR_ARG(out_str(&names)));
    return -EINVAL;
}

/* `first` opens the choice. */
static int check_choice(struct conf_reader *r, const struct conf_node *map, const struct conf_table *table,
                        const struct conf_key *first)
{
    const struct conf_node *made = NULL;
    int result = 0;
    conf_each (value, map) {
        struct conf_walk walk = {.table = table};
        if (!find_key(&walk, value->key) || !conf_same_choice(walk.key, first))
            continue;
        if (made) {
            conf_error_key(r, value, "a second %s beside `" STR_FMT "`", first->choice, STR_ARG(made->key));
            result = -EINVAL;
        }
        made = made ? made : value;
    }
    return made ? result : refuse_none(r, map, table, first);
}

static int check_choices(struct conf_reader *r, const struct conf_node *map, const struct conf_table *table)
{
    int result = 0;
    for (struct conf_walk walk = {.table = table}; conf_next(&walk);) {
        int status = conf_opens_choice(table, walk.key) ? check_choice(r, map, table, walk.key) : 0;
        result = status ? status : result;
    }
    return result;
}

/* ---- mappings ---- */

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
    int choice = check_choices(r, map, table);
    result = result ? result : choice;
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
