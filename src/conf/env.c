/* env.c: see env.h. */
#include "conf/env.h"
#include "base/utf8.h"

#include <errno.h>
#include <stdlib.h>

static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = char_lower(s.p[i]);
        bool digit = c >= '0' && c <= '9';
        if (c != '_' && !(c >= 'a' && c <= 'z') && !(digit && i > 0))
            return false;
    }
    return s.n > 0;
}

static bool is_utf8(struct str s)
{
    while (s.n)
        if (utf8_next(&s) < 0)
            return false;
    return true;
}

/* What stands between the braces: NAME or NAME:-default. */
static int resolve(struct conf_reader *r, const struct conf_node *scalar, struct str reference, struct str *value)
{
    const char *separator = memmem(reference.p, reference.n, ":-", 2);
    struct str name = separator ? str_range(reference.p, separator) : reference;
    if (!is_name(name)) {
        conf_error(r, scalar, "`${" STR_FMT "}` does not name an environment variable", STR_ARG(reference));
        return -EINVAL;
    }
    struct str name_z = arena_copy(r->arena, name);
    if (!name_z.p)
        return -ENOMEM;
    *value = str_of(getenv(name_z.p));
    if (separator && value->n == 0)
        *value = str_skip(reference, name.n + 2);
    if (!value->p)
        conf_error(r, scalar, "the environment variable %s is not set", name_z.p);
    else if (!is_utf8(*value))
        conf_error(r, scalar, "the environment variable %s is not UTF-8", name_z.p);
    else
        return 0;
    return -EINVAL;
}

/* Writes what the front of *rest stands for, and takes it off. */
static int expand_front(struct conf_reader *r, const struct conf_node *scalar, struct str *rest, FILE *f)
{
    if (str_starts(*rest, STR("$${"))) {
        fputs("${", f);
        *rest = str_skip(*rest, 3);
        return 0;
    }
    if (!str_starts(*rest, STR("${"))) {
        fputc(rest->p[0], f);
        *rest = str_skip(*rest, 1);
        return 0;
    }
    *rest = str_skip(*rest, 2);
    if (str_find(*rest, '}') == rest->n) {
        conf_error(r, scalar, "`${` without `}`");
        return -EINVAL;
    }
    struct str value;
    int status = resolve(r, scalar, str_cut(rest, '}'), &value);
    if (!status)
        fwrite(value.p, 1, value.n, f);
    return status;
}

int conf_expand(struct conf_reader *r, struct conf_node *scalar)
{
    struct str rest = scalar->text;
    if (!memmem(rest.p, rest.n, "${", 2))
        return 0;
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    if (!f)
        return -ENOMEM;
    int status = 0;
    while (rest.n && !status)
        status = expand_front(r, scalar, &rest, f);
    if (fclose(f) && !status)
        status = -ENOMEM;
    if (!status)
        scalar->text = arena_copy(r->arena, (struct str){text, n});
    free(text);
    return status || scalar->text.p ? status : -ENOMEM;
}
