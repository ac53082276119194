/* json_schema.c: see json_schema.h. */
#include "conf/json_schema.h"

#include <errno.h>

#include "base/json.h"
#include "conf/describe.h"
#include "conf/json_pretty.h"
#include "conf/yaml.h"

enum { SCHEMA_ROOM = 1 << 20, TEXT_ROOM = 2048 }; /* bytes of the whole, and of one description */

struct writer {
    struct json json;
    struct arena *arena;
};

static void put_value(struct writer *w, const struct conf_key *key);

static void put_text(struct writer *w, const char *name, const char *text)
{
    json_text(&w->json, name, str_of(text));
}

static void put_texts(struct writer *w, const char *name, const char *const *texts)
{
    json_open(&w->json, name, '[');
    for (; *texts; texts++)
        put_text(w, NULL, *texts);
    json_close(&w->json, ']');
}

/* ---- single values ---- */

#define ENVIRONMENT "\\$\\{"
/* Words that are no paths, as they are spelled for the most part. */
#define MISPLACED "[Oo]n|[Oo]ff|[Tt]rue|[Ff]alse|[Yy]es|[Nn]o|[Nn]one|stdout|stderr|syslog"

/* What the values of a kind look like, but for its words. */
struct scalar {
    const char *types[4]; /* ends in NULL */
    const char *pattern;  /* of those that are strings; NULL: any */
};

static const struct scalar scalars[] = {
    [CONF_BOOL] = {{"boolean", "string"}, "^(O(n|N|ff|FF)|T(rue|RUE)|F(alse|ALSE)|Y(es|ES)|N(o|O))$|" ENVIRONMENT},
    [CONF_INT] = {{"integer", "string"}, "^[0-9]+$|" ENVIRONMENT},
    [CONF_SIZE] = {{"integer", "string"}, "^[0-9]+[kKmMgG]?$|" ENVIRONMENT},
    [CONF_TIME] = {{"integer", "string"}, "^[0-9]+([mM]?[sS]|[mMhHdDwWyY])?$|" ENVIRONMENT},
    [CONF_TEXT] = {{"string", "number", "boolean"}, NULL},
    [CONF_PATH] = {{"string", "number"}, "^(?!(" MISPLACED ")$)."},
    [CONF_ENUM] = {{"string"}, ENVIRONMENT},
    [CONF_TEXTS] = {{"string", "number", "boolean"}, NULL},
};

static bool is_number(const struct conf_key *key)
{
    return key->kind == CONF_INT || key->kind == CONF_SIZE || key->kind == CONF_TIME;
}

/* A duration without a unit is in seconds; its bounds may be shorter ones. */
static void put_bounds(struct writer *w, const struct conf_key *key)
{
    int64_t unit = key->kind == CONF_TIME ? NSEC_SEC : 1;
    json_u64(&w->json, "minimum", (uint64_t)((key->min + unit - 1) / unit));
    if (key->max && key->max != INT64_MAX)
        json_u64(&w->json, "maximum", (uint64_t)(key->max / unit));
}

static void put_scalar(struct writer *w, const struct conf_key *key)
{
    struct scalar scalar = scalars[key->kind];
    if (key->pattern)
        scalar = (struct scalar){{"string"}, arena_printf(w->arena, "%s|" ENVIRONMENT, key->pattern).p};
    if (scalar.types[1])
        put_texts(w, "type", scalar.types);
    else
        put_text(w, "type", scalar.types[0]);
    if (is_number(key))
        put_bounds(w, key);
    if (scalar.pattern)
        put_text(w, "pattern", scalar.pattern);
}

/* ---- mappings ---- */

static void put_description(struct writer *w, const struct conf_key *key)
{
    char text[TEXT_ROOM];
    struct out o = out_on(text, sizeof text);
    conf_put_doc(&o, key);
    out_text(&o, "\nTakes ");
    conf_put_takes(&o, key);
    out_char(&o, '.');
    json_text(&w->json, "description", out_str(&o));
}

/* Where the default is a mapping, its keys have theirs. */
static void put_default(struct writer *w, const struct conf_key *key)
{
    struct conf_reader reader;
    struct conf_node *value;
    uint64_t number;
    conf_reader_init(&reader, w->arena);
    if (!key->fallback || conf_parse(&reader, STR("default"), str_of(key->fallback), &value) < 0)
        return;
    if (value->kind == CONF_SEQUENCE) {
        json_open(&w->json, "default", '[');
        conf_each (item, value)
            json_text(&w->json, NULL, item->text);
        json_close(&w->json, ']');
    } else if (value->kind == CONF_SCALAR && is_number(key) && str_to_u64(value->text, &number) == 0) {
        json_u64(&w->json, "default", number);
    } else if (value->kind == CONF_SCALAR) {
        json_text(&w->json, "default", value->text);
    }
}

static void put_properties(struct writer *w, const struct conf_table *table)
{
    json_open(&w->json, "properties", '{');
    for (struct conf_walk walk = {.table = table}; conf_next(&walk);) {
        json_open(&w->json, walk.key->name, '{');
        put_description(w, walk.key);
        put_default(w, walk.key);
        put_value(w, walk.key);
        json_close(&w->json, '}');
    }
    json_close(&w->json, '}');
    json_bool(&w->json, "additionalProperties", false);
}

static void put_required_name(struct writer *w, const char *name)
{
    json_open(&w->json, NULL, '{');
    put_texts(w, "required", (const char *const[]){name, NULL});
    json_close(&w->json, '}');
}

static void put_required(struct writer *w, const struct conf_table *table)
{
    bool any = false;
    for (struct conf_walk walk = {.table = table}; conf_next(&walk);) {
        if (!walk.key->required)
            continue;
        if (!any)
            json_open(&w->json, "required", '[');
        any = true;
        put_text(w, NULL, walk.key->name);
    }
    if (any)
        json_close(&w->json, ']');
}

/* Exactly one of the keys of a choice. */
static void put_choice(struct writer *w, const struct conf_table *table, const struct conf_key *first)
{
    json_open(&w->json, NULL, '{');
    json_open(&w->json, "oneOf", '[');
    for (struct conf_walk walk = {.table = table}; conf_next(&walk);)
        if (conf_same_choice(walk.key, first))
            put_required_name(w, walk.key->name);
    json_close(&w->json, ']');
    json_close(&w->json, '}');
}

static void put_choices(struct writer *w, const struct conf_table *table)
{
    bool any = false;
    for (struct conf_walk walk = {.table = table}; conf_next(&walk);) {
        if (!conf_opens_choice(table, walk.key))
            continue;
        if (!any)
            json_open(&w->json, "allOf", '[');
        any = true;
        put_choice(w, table, walk.key);
    }
    if (any)
        json_close(&w->json, ']');
}

static void put_mapping(struct writer *w, const struct conf_table *table)
{
    put_text(w, "type", "object");
    put_properties(w, table);
    put_required(w, table);
    put_choices(w, table);
}

static void put_entries(struct writer *w, const struct conf_key *key)
{
    put_text(w, "type", "object");
    if (key->pattern) {
        json_open(&w->json, "propertyNames", '{');
        put_text(w, "pattern", key->pattern);
        json_close(&w->json, '}');
    }
    json_open(&w->json, "additionalProperties", '{');
    put_value(w, key->entry);
    json_close(&w->json, '}');
}

/* ---- values ---- */

static const char *const *words_of(const struct conf_key *key)
{
    static const char *const switches[] = {"on", "off", "true", "false", "yes", "no", NULL};
    return key->kind == CONF_BOOL ? switches : key->words;
}

/* How many forms one value may have. */
static size_t count_forms(const struct conf_key *key)
{
    size_t count = key->kind == CONF_CUSTOM ? !!key->table + !!key->entry : 1 + !!words_of(key);
    if (key->single)
        count += count_forms(key->single) + (conf_how_many(key->single) == CONF_ONE_OR_LIST);
    return count;
}

/* One of several forms stands in braces of its own. */
static void open_form(struct writer *w, bool several)
{
    if (several)
        json_open(&w->json, NULL, '{');
}

static void close_form(struct writer *w, bool several)
{
    if (several)
        json_close(&w->json, '}');
}

static void put_list(struct writer *w, const struct conf_key *key)
{
    struct conf_key item = *key;
    item.kind = key->kind == CONF_TEXTS ? CONF_TEXT : key->kind;
    item.many = CONF_ONE;
    put_text(w, "type", "array");
    if ((key->kind == CONF_CUSTOM || key->kind == CONF_TEXTS) && key->min)
        json_u64(&w->json, "minItems", (uint64_t)key->min);
    json_open(&w->json, "items", '{');
    put_value(w, &item);
    json_close(&w->json, '}');
}

static void put_plain_forms(struct writer *w, const struct conf_key *key, bool several)
{
    if (words_of(key)) {
        open_form(w, several);
        put_texts(w, "enum", words_of(key));
        close_form(w, several);
    }
    open_form(w, several);
    if (key->kind == CONF_MAP)
        put_mapping(w, key->table);
    else
        put_scalar(w, key);
    close_form(w, several);
}

static void put_forms(struct writer *w, const struct conf_key *key, bool several);

static void put_custom_forms(struct writer *w, const struct conf_key *key, bool several)
{
    if (key->single)
        put_forms(w, key->single, several);
    if (key->table) {
        open_form(w, several);
        put_mapping(w, key->table);
        close_form(w, several);
    }
    if (key->entry) {
        open_form(w, several);
        put_entries(w, key);
        close_form(w, several);
    }
}

static void put_forms(struct writer *w, const struct conf_key *key, bool several)
{
    enum conf_many many = conf_how_many(key);
    if (many != CONF_LIST)
        (key->kind == CONF_CUSTOM ? put_custom_forms : put_plain_forms)(w, key, several);
    if (many != CONF_ONE) {
        open_form(w, several);
        put_list(w, key);
        close_form(w, several);
    }
}

static void put_value(struct writer *w, const struct conf_key *key)
{
    enum conf_many many = conf_how_many(key);
    bool several = many == CONF_ONE_OR_LIST || (many == CONF_ONE && count_forms(key) > 1);
    if (several)
        json_open(&w->json, "anyOf", '[');
    put_forms(w, key, several);
    if (several)
        json_close(&w->json, ']');
}

/* ---- the whole ---- */

/* A file that leaves something to others need not have it itself. */
static void put_file(struct writer *w, const char *title, const struct conf_table *table, const char *elsewhere)
{
    json_open(&w->json, NULL, '{');
    put_text(w, "$schema", "http://json-schema.org/draft-07/schema#");
    put_text(w, "title", title);
    put_text(w, "type", "object");
    put_properties(w, table);
    json_open(&w->json, "anyOf", '[');
    put_required_name(w, elsewhere);
    json_open(&w->json, NULL, '{');
    put_required(w, table);
    json_close(&w->json, '}');
    json_close(&w->json, ']');
    json_close(&w->json, '}');
}

int conf_json_schema(FILE *f, const char *title, const struct conf_table *table, const char *elsewhere)
{
    struct arena arena;
    arena_init(&arena, NULL, 0);
    int error = -ENOMEM;
    char *text = arena_alloc(&arena, SCHEMA_ROOM);
    if (text) {
        struct out o = out_on(text, SCHEMA_ROOM);
        struct writer w = {json_on(&o), &arena};
        put_file(&w, title, table, elsewhere);
        error = o.full ? -ENOMEM : json_pretty(f, out_str(&o));
    }
    arena_clear(&arena);
    return error;
}
