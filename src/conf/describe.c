/* describe.c: see describe.h. */
#include "conf/describe.h"

/* ---- words and ranges ---- */

/* a; a or b; a, b or c */
static void put_words(struct out *o, const char *const *words)
{
    for (size_t i = 0; words[i]; i++) {
        if (i > 0)
            out_put(o, words[i + 1] ? STR(", ") : STR(" or "));
        out_put(o, str_of(words[i]));
    }
}

/* a, b, or what follows */
static void put_words_before(struct out *o, const char *const *words)
{
    for (size_t i = 0; words && words[i]; i++) {
        out_put(o, str_of(words[i]));
        out_put(o, words[i + 1] ? STR(", ") : STR(", or "));
    }
}

static bool has_maximum(const struct conf_key *key)
{
    return key->max != 0 && key->max != INT64_MAX;
}

static void put_number(struct out *o, const struct conf_key *key)
{
    static const char *const names[] = {[CONF_INT] = "a number", [CONF_SIZE] = "a size", [CONF_TIME] = "a duration"};
    put_words_before(o, key->words);
    out_put(o, str_of(names[key->kind]));
    if (!has_maximum(key) && key->min == 0)
        return;
    out_put(o, has_maximum(key) ? STR(" from ") : STR(", "));
    conf_put_range(o, key);
}

/* ---- kinds ---- */

static void put_bool(struct out *o, const struct conf_key *key)
{
    (void)key;
    out_text(o, "on or off");
}

static void put_text(struct out *o, const struct conf_key *key)
{
    put_words_before(o, key->words);
    out_text(o, "a text");
}

static void put_path(struct out *o, const struct conf_key *key)
{
    put_words_before(o, key->words);
    out_text(o, "a path");
}

static void put_enum(struct out *o, const struct conf_key *key)
{
    put_words(o, key->words);
}

static void put_map(struct out *o, const struct conf_key *key)
{
    (void)key;
    out_text(o, "a mapping");
}

/* All that a value may be, on its own. */
static void put_custom(struct out *o, const struct conf_key *key)
{
    const char *start = o->at;
    if (key->single)
        conf_put_takes(o, key->single);
    if (key->table) {
        out_put(o, o->at > start ? STR(", or ") : STR(""));
        out_text(o, "a mapping");
    }
    if (key->entry) {
        out_put(o, o->at > start ? STR(", or ") : STR(""));
        out_text(o, "a mapping of ");
        out_put(o, str_of(key->entry->name));
        out_text(o, " to ");
        conf_put_takes(o, key->entry);
    }
    if (o->at == start)
        out_text(o, "anything");
}

typedef void (*put_fn)(struct out *o, const struct conf_key *key);

static const put_fn kinds[] = {
    [CONF_BOOL] = put_bool, [CONF_INT] = put_number,    [CONF_SIZE] = put_number, [CONF_TIME] = put_number,
    [CONF_TEXT] = put_text, [CONF_PATH] = put_path,     [CONF_ENUM] = put_enum,   [CONF_TEXTS] = put_text,
    [CONF_MAP] = put_map,   [CONF_CUSTOM] = put_custom,
};

enum conf_many conf_how_many(const struct conf_key *key)
{
    return key->kind == CONF_TEXTS ? CONF_ONE_OR_LIST : key->many;
}

void conf_put_takes(struct out *o, const struct conf_key *key)
{
    enum conf_many many = conf_how_many(key);
    if (many == CONF_LIST)
        out_text(o, "a list; each item is ");
    if (key->takes) {
        put_words_before(o, key->words);
        out_put(o, str_of(key->takes));
    } else {
        kinds[key->kind](o, key);
    }
    if (many == CONF_ONE_OR_LIST)
        out_text(o, ", or a list of such");
}

void conf_put_doc(struct out *o, const struct conf_key *key)
{
    struct str doc = str_of(key->doc);
    if (doc.n && doc.p[0] >= 'a' && doc.p[0] <= 'z') {
        out_char(o, (char)(doc.p[0] - 'a' + 'A'));
        doc = str_skip(doc, 1);
    }
    out_put(o, doc);
    if (!str_ends(doc, STR(".")))
        out_char(o, '.');
}
