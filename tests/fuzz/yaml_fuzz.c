/* yaml_fuzz.c: configurations: whatever the text, a tree or messages; and a tree that is written reads the same. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "conf/dump.h"
#include "conf/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static bool same(const struct conf_node *a, const struct conf_node *b)
{
    if (a->kind != b->kind || !str_eq(a->key, b->key) || conf_is_null(a) != conf_is_null(b))
        return false;
    if (a->kind == CONF_SCALAR)
        return conf_is_null(a) || str_eq(a->text, b->text);
    const struct conf_node *left = a->first, *right = b->first;
    for (; left && right && same(left, right); left = left->next)
        right = right->next;
    return left == right;
}

static struct str dump(struct arena *arena, const struct conf_node *root)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    if (!f || conf_dump(f, root) < 0)
        abort();
    fclose(f);
    struct str copy = arena_copy(arena, (struct str){text, n});
    free(text);
    return copy;
}

static void check_dump(struct arena *arena, const struct conf_node *root)
{
    struct conf_reader reader;
    struct conf_node *again;
    conf_reader_init(&reader, arena);
    struct str text = dump(arena, root);
    if (str_find(text, '$') < text.n) /* a reference to the environment is read once, and not again */
        return;
    if (conf_parse(&reader, STR("again"), text, &again) < 0 || conf_failed(&reader) || !same(root, again))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct arena arena;
    struct conf_reader reader;
    struct conf_node *root;
    arena_init(&arena, NULL, 0);
    conf_reader_init(&reader, &arena);
    int error = conf_parse(&reader, STR("fuzz"), (struct str){(const char *)bytes, n}, &root);
    if ((error != 0 && error != -EINVAL) || (error && !conf_failed(&reader)))
        abort();
    if (!error && !conf_failed(&reader))
        check_dump(&arena, root);
    arena_clear(&arena);
    return 0;
}
