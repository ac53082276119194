/* type_set.c: see type_set.h. */
#include "policy/type_set.h"

#include <errno.h>

#include "base/out.h"
#include "http/token.h"

enum { MEMBERS_EXPECTED = 16 };

static void free_members(void *members)
{
    hash_free(members);
}

int type_set_init(struct type_set *set, struct arena *arena)
{
    int error = hash_init(&set->members, MEMBERS_EXPECTED);
    if (!error && arena_defer(arena, free_members, &set->members) < 0) {
        hash_free(&set->members);
        error = -ENOMEM;
    }
    return error;
}

static bool has_star(struct str s)
{
    return str_find(s, '*') < s.n;
}

static bool is_member(struct str kind, struct str subtype)
{
    bool any_kind = str_eq(kind, STR("*"));
    if (!http_is_token(kind) || !http_is_token(subtype) || kind.n + subtype.n >= TYPE_SET_NAME_MAX)
        return false;
    if (any_kind && str_starts(subtype, STR("*+")))
        return subtype.n > 2 && !has_star(str_skip(subtype, 2));
    if (str_eq(subtype, STR("*")))
        return any_kind || !has_star(kind);
    return !has_star(kind) && !has_star(subtype);
}

static void put_lower(struct out *o, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        out_char(o, char_lower(s.p[i]));
}

int type_set_add(struct type_set *set, struct arena *arena, struct str member)
{
    struct str subtype = member, kind = str_cut(&subtype, '/');
    if (!is_member(kind, subtype))
        return -EINVAL;
    struct hash_node *node = arena_zalloc(arena, sizeof *node + member.n);
    if (!node)
        return -ENOMEM;
    struct out o = out_on(node + 1, member.n);
    put_lower(&o, member);
    node->key = out_str(&o);
    int error = hash_insert(&set->members, node);
    return error == -EEXIST ? 0 : error;
}

static bool has(const struct type_set *set, struct str kind, struct str subtype)
{
    char name[TYPE_SET_NAME_MAX + 1];
    struct out o = out_on(name, sizeof name);
    put_lower(&o, kind);
    out_char(&o, '/');
    put_lower(&o, subtype);
    return !o.full && hash_find(&set->members, out_str(&o));
}

/* "*+json" of "ld+json"; empty when there is no suffix. */
static struct str suffix_of(struct str subtype, char text[static TYPE_SET_NAME_MAX])
{
    size_t at = subtype.n;
    while (at && subtype.p[at - 1] != '+')
        at--;
    struct out o = out_on(text, TYPE_SET_NAME_MAX);
    if (at) {
        out_text(&o, "*+");
        out_put(&o, str_skip(subtype, at));
    }
    return o.full ? STR("") : out_str(&o);
}

bool type_set_has(const struct type_set *set, struct str type)
{
    char text[TYPE_SET_NAME_MAX];
    struct str subtype = str_trim(str_cut(&type, ';')), kind = str_cut(&subtype, '/');
    const struct str any = STR("*");
    if (!kind.n || !subtype.n)
        return false;
    if (has(set, kind, subtype) || has(set, kind, any) || has(set, any, any))
        return true;
    struct str suffix = suffix_of(subtype, text);
    return suffix.n && has(set, any, suffix);
}
