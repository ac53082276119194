/* answer.c: see answer.h. The only file that sees jansson: an answer is a value of its own under another name. */
#include "ctl/answer.h"

#include <jansson.h>

static json_t *member(const struct answer *answer, const char *key)
{
    return json_object_get((const json_t *)answer, key);
}

static struct str text_of(const json_t *value)
{
    return (struct str){json_string_value(value), json_string_length(value)};
}

/* JSON may have line ends and tabs between its parts; what tern sends has none. */
static bool has_controls(struct str line)
{
    size_t i = 0;
    while (i < line.n && (unsigned char)line.p[i] >= 0x20)
        i++;
    return i < line.n;
}

bool answer_is_fine(struct str line)
{
    return str_starts(line, STR("{\"ok\":true")) && str_ends(line, STR("}")) && !has_controls(line);
}

struct answer *answer_read(struct str line)
{
    if (has_controls(line))
        return NULL;
    json_t *value = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    if (json_is_object(value))
        return (struct answer *)value;
    json_decref(value);
    return NULL;
}

void answer_free(struct answer *answer)
{
    json_decref((json_t *)answer);
}

struct str answer_text(const struct answer *answer, const char *key)
{
    return text_of(member(answer, key));
}

uint64_t answer_u64(const struct answer *answer, const char *key)
{
    json_int_t value = json_integer_value(member(answer, key));
    return value < 0 ? 0 : (uint64_t)value;
}

bool answer_bool(const struct answer *answer, const char *key)
{
    return json_is_true(member(answer, key));
}

bool answer_knows(const struct answer *answer, const char *key)
{
    return member(answer, key);
}

size_t answer_count(const struct answer *answer, const char *key)
{
    return json_array_size(member(answer, key));
}

const struct answer *answer_item(const struct answer *answer, const char *key, size_t i)
{
    const json_t *item = json_array_get(member(answer, key), i);
    return json_is_object(item) ? (const struct answer *)item : NULL;
}

struct str answer_text_item(const struct answer *answer, const char *key, size_t i)
{
    return text_of(json_array_get(member(answer, key), i));
}
