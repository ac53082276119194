/* include.c: see include.h. */
#include "conf/include.h"

#include <errno.h>
#include <glob.h>

static const struct conf_key patterns_key = {
    .kind = CONF_TEXTS, .min = 1, .takes = "a file or a pattern", .pattern = "."};

static const struct conf_key include_keys[] = {
    {"include", CONF_CUSTOM, .single = &patterns_key,
     .doc =
         "further files, relative to this one: conf.d/*.yaml; lists append, mappings merge, and of single values the "
         "later one counts"},
};

const struct conf_table conf_include_table = CONF_TABLE("the configuration", include_keys);

/* One main file, while its includes are read. */
struct load {
    struct conf_reader *reader;
    struct str folder; /* of the main file, with its slash; empty: the working directory */
    struct conf_node *root;
    const struct conf_node *name; /* that is being included */
};

/* The included one takes the place of an earlier one. */
static void replace(struct conf_node *old, const struct conf_node *new)
{
    struct conf_node *parent = old->parent, *next = old->next;
    *old = *new;
    old->parent = parent;
    old->next = next;
    conf_each (child, old)
        child->parent = old;
}

/* Makes `into` say what `from` says too. `from` is used up. A key with nothing below it adds nothing to a list or a
 * mapping. */
static void merge(struct conf_reader *r, struct conf_node *into, struct conf_node *from)
{
    if (into->kind != CONF_SCALAR && conf_is_null(from))
        return;
    if (conf_is_null(into)) {
        replace(into, from);
        return;
    }
    if (into->kind != from->kind) {
        conf_error(r, from, "is %s, but %s in " STR_FMT ":%u", conf_kind_name(from), conf_kind_name(into),
                   STR_ARG(into->file), into->line);
        return;
    }
    if (into->kind == CONF_SCALAR) {
        replace(into, from);
        return;
    }
    for (struct conf_node *child = from->first, *next; child; child = next) {
        next = child->next;
        struct conf_node *old = into->kind == CONF_MAPPING ? conf_find(into, child->key) : NULL;
        if (old)
            merge(r, old, child);
        else
            conf_append(into, child);
    }
}

static int include_file(struct load *l, const char *path)
{
    struct conf_node *root;
    int status = conf_parse_file(l->reader, path, l->name, &root);
    if (status)
        return status;
    const struct conf_node *include = conf_find(root, STR("include"));
    if (include)
        conf_error_key(l->reader, include, "an included file includes no others");
    else if (root->kind != CONF_MAPPING)
        conf_error(l->reader, root, "is %s, not a mapping", conf_kind_name(root));
    else
        merge(l->reader, l->root, root);
    return 0;
}

static int include_matches(struct load *l, const glob_t *matches)
{
    int result = 0;
    for (size_t i = 0; i < matches->gl_pathc && result != -ENOMEM; i++) {
        int status = include_file(l, matches->gl_pathv[i]);
        result = status ? status : result;
    }
    return result;
}

/* A folder that is not there matches nothing; one that cannot be read may hide something. */
static int is_unreadable(const char *path, int error)
{
    (void)path;
    return error != ENOENT && error != ENOTDIR;
}

/* The pattern that matches the name itself, or NULL. */
static char *escape(struct arena *arena, struct str name)
{
    char *pattern = arena_alloc(arena, 2 * name.n + 1), *to = pattern;
    if (!pattern)
        return NULL;
    for (size_t i = 0; i < name.n; i++) {
        if (strchr("*?[\\", name.p[i]))
            *to++ = '\\';
        *to++ = name.p[i];
    }
    *to = '\0';
    return pattern;
}

static bool has_wildcards(struct str pattern)
{
    for (; pattern.n; pattern = str_skip(pattern, pattern.p[0] == '\\' ? 2 : 1))
        if (strchr("*?", pattern.p[0]) || (pattern.p[0] == '[' && str_find(pattern, ']') < pattern.n))
            return true;
    return false;
}

/* What is no pattern must be there: reading it tells why it is not. */
static int include_pattern(struct load *l, struct str name)
{
    struct str folder = str_starts(name, STR("/")) ? STR("") : l->folder;
    struct str path = arena_printf(l->reader->arena, STR_FMT STR_FMT, STR_ARG(folder), STR_ARG(name));
    const char *escaped = escape(l->reader->arena, folder);
    struct str pattern = {.n = 0};
    if (escaped)
        pattern = arena_printf(l->reader->arena, "%s" STR_FMT, escaped, STR_ARG(name));
    if (!path.p || !pattern.p)
        return -ENOMEM;
    glob_t matches;
    int status = glob(pattern.p, 0, is_unreadable, &matches);
    if (status == GLOB_NOMATCH)
        return has_wildcards(name) ? 0 : include_file(l, path.p);
    if (status == GLOB_ABORTED)
        conf_error(l->reader, l->name, "cannot read a folder of %s", path.p);
    if (status)
        return status == GLOB_NOSPACE ? -ENOMEM : -EINVAL;
    status = include_matches(l, &matches);
    globfree(&matches);
    return status;
}

static int include_all(struct load *l, struct conf_node *include)
{
    struct conf_texts patterns;
    int result = conf_read_value(l->reader, include, &patterns_key, &patterns);
    if (result)
        return result;
    size_t i = 0;
    conf_each_item (name, include) {
        l->name = name;
        int status = include_pattern(l, patterns.v[i++]);
        if (status == -ENOMEM)
            return status;
        result = status ? status : result;
    }
    return result;
}

static struct str folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? str_range(path, slash + 1) : STR("");
}

int conf_load(struct conf_reader *r, const char *path, struct conf_node **root)
{
    int status = conf_parse_file(r, path, NULL, root);
    struct conf_node *include = status ? NULL : conf_find(*root, STR("include"));
    if (!include)
        return status;
    struct load l = {.reader = r, .folder = folder_of(path), .root = *root};
    status = include_all(&l, include);
    conf_remove(include);
    return status;
}
