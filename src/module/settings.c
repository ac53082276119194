/* settings.c: see settings.h, and tern.h for what modules see. A setting is read as a key of the server's own would be,
 * so that its values look the same and its errors are as exact. */
#include "module/settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>

#include "conf/schema.h"

/* A key that was asked for. */
struct asked {
    struct asked *next;
    struct str key;
};

int module_settings_init(struct tern_settings *s, struct conf_reader *r, struct conf_node *node,
                         const struct conf_node *owner)
{
    *s = (struct tern_settings){.r = r, .owner = owner};
    if (node && node->kind != CONF_MAPPING && !conf_is_null(node)) {
        conf_error(r, node, "takes a mapping, not %s", conf_kind_name(node));
        return -EINVAL;
    }
    s->node = node && node->kind == CONF_MAPPING ? node : NULL;
    return 0;
}

static bool was_asked(const struct tern_settings *s, struct str key)
{
    for (const struct asked *asked = s->asked; asked; asked = asked->next)
        if (str_eq(asked->key, key))
            return true;
    return false;
}

static void note(struct tern_settings *s, struct str key)
{
    struct asked *asked = was_asked(s, key) ? NULL : arena_alloc(s->r->arena, sizeof *asked);
    if (!asked)
        return;
    *asked = (struct asked){s->asked, arena_copy(s->r->arena, key)};
    s->asked = asked;
}

static void refuse(const struct tern_settings *s, const struct conf_node *node)
{
    struct str_guess guess = str_guess(node->key);
    for (const struct asked *asked = s->asked; asked; asked = asked->next)
        str_guess_try(&guess, asked->key);
    if (guess.best.p)
        conf_error_key(s->r, node, "unknown key; did you mean `" STR_FMT "`?", STR_ARG(guess.best));
    else
        conf_error_key(s->r, node, "unknown key");
}

void module_settings_check(const struct tern_settings *s)
{
    if (s->node)
        conf_each (child, s->node)
            if (!was_asked(s, child->key))
                refuse(s, child);
    for (const struct tern_settings *inner = s->first; inner; inner = inner->next)
        module_settings_check(inner);
}

/* ---- values ---- */

static struct conf_node *find(struct tern_settings *s, const char *key)
{
    note(s, str_of(key));
    return s->node ? conf_find(s->node, str_of(key)) : NULL;
}

/* Reads a value of the kind that `as` says. False: there is none, and the fallback counts, unless it is required. */
static bool read_value(struct tern_settings *s, const char *key, const struct conf_key *as, void *field)
{
    struct conf_node *node = find(s, key);
    if (!node && as->required)
        conf_error(s->r, s->node ? s->node : s->owner, "lacks `%s`", key);
    return node && conf_read_value(s->r, node, as, field) == 0;
}

const char *tern_setting_text(struct tern_settings *s, const char *key, const char *fallback)
{
    const struct conf_key as = {.name = key, .kind = CONF_TEXT, .required = !fallback};
    struct str value;
    return read_value(s, key, &as, &value) ? value.p : fallback ? fallback : "";
}

static bool is_within(int64_t value, int64_t least, int64_t most)
{
    return value >= least && value <= most;
}

int64_t tern_setting_int(struct tern_settings *s, const char *key, int64_t fallback, int64_t least, int64_t most)
{
    bool required = !is_within(fallback, least, most);
    const struct conf_key as = {.name = key, .kind = CONF_INT, .min = least, .max = most, .required = required};
    int64_t value;
    if (!read_value(s, key, &as, &value))
        return required ? least : fallback;
    if (value > most) /* which a table does not say of 0 */
        tern_setting_wrong(s, key, "%" PRId64 " is out of range (%" PRId64 " to %" PRId64 ")", value, least, most);
    return value;
}

uint64_t tern_setting_size(struct tern_settings *s, const char *key, uint64_t fallback, uint64_t most)
{
    bool required = fallback > most;
    const struct conf_key as = {
        .name = key, .kind = CONF_SIZE, .max = most > INT64_MAX ? INT64_MAX : (int64_t)most, .required = required};
    uint64_t value;
    return read_value(s, key, &as, &value) ? value : required ? 0 : fallback;
}

tern_time tern_setting_time(struct tern_settings *s, const char *key, tern_time fallback, tern_time most)
{
    bool required = !is_within(fallback, 0, most);
    const struct conf_key as = {.name = key, .kind = CONF_TIME, .max = most, .required = required};
    nsec value;
    return read_value(s, key, &as, &value) ? value : required ? 0 : fallback;
}

bool tern_setting_bool(struct tern_settings *s, const char *key, bool fallback)
{
    const struct conf_key as = {.name = key, .kind = CONF_BOOL};
    bool value;
    return read_value(s, key, &as, &value) ? value : fallback;
}

const char *tern_setting_item(struct tern_settings *s, const char *key, size_t i)
{
    static const struct conf_key as = {.kind = CONF_TEXT};
    struct conf_node *list = find(s, key);
    struct str value;
    if (!list)
        return NULL;
    conf_each_item (item, list)
        if (i-- == 0)
            return conf_read_value(s->r, item, &as, &value) == 0 ? value.p : "";
    return NULL;
}

struct tern_settings *tern_setting_map(struct tern_settings *s, const char *key)
{
    struct conf_node *node = find(s, key);
    for (struct tern_settings *known = s->first; known; known = known->next)
        if (known->owner == node)
            return known;
    struct tern_settings *inner = node ? arena_alloc(s->r->arena, sizeof *inner) : NULL;
    if (!inner || module_settings_init(inner, s->r, node, node) < 0)
        return NULL;
    inner->next = s->first;
    s->first = inner;
    return inner;
}

int tern_setting_wrong(struct tern_settings *s, const char *key, const char *format, ...)
{
    struct conf_node *node = key ? find(s, key) : NULL;
    va_list args;
    va_start(args, format);
    struct str why = arena_vprintf(s->r->arena, format, args);
    va_end(args);
    conf_error(s->r, node ? node : s->node ? s->node : s->owner, "%s", why.p ? why.p : "out of memory");
    return -EINVAL;
}
