/* run.c: see run.h. */
#include "run.h"

#include "conf/dump.h"

#include <criterion/criterion.h>
#include <stdlib.h>

void conf_run_start(struct conf_run *run, struct str text)
{
    arena_init(&run->arena, NULL, 0);
    conf_reader_init(&run->reader, &run->arena);
    run->root = NULL;
    run->status = conf_parse(&run->reader, STR("t"), text, &run->root);
}

void conf_run_end(struct conf_run *run)
{
    arena_clear(&run->arena);
}

const char *conf_run_errors(struct conf_run *run)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    conf_report(&run->reader, f);
    fclose(f);
    const char *copy = arena_copy(&run->arena, (struct str){text, n}).p;
    free(text);
    return copy;
}

struct str conf_run_dump(struct conf_run *run)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    cr_assert_eq(conf_dump(f, run->root), 0);
    fclose(f);
    struct str copy = arena_copy(&run->arena, (struct str){text, n});
    free(text);
    return copy;
}

bool conf_run_same(const struct conf_node *a, const struct conf_node *b)
{
    if (a->kind != b->kind || !str_eq(a->key, b->key) || conf_is_null(a) != conf_is_null(b))
        return false;
    if (a->kind == CONF_SCALAR)
        return conf_is_null(a) || str_eq(a->text, b->text);
    const struct conf_node *left = a->first, *right = b->first;
    for (; left && right; left = left->next, right = right->next)
        if (!conf_run_same(left, right))
            return false;
    return left == right;
}
