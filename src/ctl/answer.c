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

static uint64_t number_of(const json_t *value)
{
    json_int_t number = json_integer_value(value);
    return number < 0 ? 0 : (uint64_t)number;
}

static const struct answer *object_of(const json_t *value)
{
    return json_is_object(value) ? (const struct answer *)value : NULL;
}

uint64_t answer_u64(const struct answer *answer, const char *key)
{
    return number_of(member(answer, key));
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
    return object_of(json_array_get(member(answer, key), i));
}

const struct answer *answer_member(const struct answer *answer, const char *key)
{
    return object_of(member(answer, key));
}

struct str answer_text_item(const struct answer *answer, const char *key, size_t i)
{
    return text_of(json_array_get(member(answer, key), i));
}

void answer_pair(const struct answer *answer, const char *key, size_t i, uint64_t pair[static 2])
{
    const json_t *item = json_array_get(member(answer, key), i);
    pair[0] = number_of(json_array_get(item, 0));
    pair[1] = number_of(json_array_get(item, 1));
}

/* ---- what it comes to ---- */

static const struct {
    struct str code;
    enum ctl_status status;
} troubles[] = {
    {STR_INIT(CTL_CODE_FAILED), CTL_FAILED},
    {STR_INIT(CTL_CODE_USAGE), CTL_USAGE},
    {STR_INIT(CTL_CODE_REFUSED), CTL_REFUSED},
};

enum ctl_status answer_status(const struct answer *answer)
{
    struct str code = answer_text(answer, "code");
    if (answer_bool(answer, "ok"))
        return CTL_FINE;
    for (size_t i = 0; i < sizeof troubles / sizeof *troubles; i++)
        if (str_eq(code, troubles[i].code))
            return troubles[i].status;
    return CTL_FAILED;
}
