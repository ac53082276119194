/* value.c: see value.h. */
#include "conf/value.h"

#include <errno.h>
#include <inttypes.h>

struct unit {
    const char *name;
    int64_t factor;
};

/* Largest first; the last one divides whatever is left. */
static const struct unit no_units[] = {{"", 1}};
static const struct unit size_units[] = {{"g", 1 << 30}, {"m", 1 << 20}, {"k", 1 << 10}, {"", 1}};
static const struct unit time_units[] = {{"y", 365 * 86400 * NSEC_SEC},
                                         {"w", 7 * 86400 * NSEC_SEC},
                                         {"d", 86400 * NSEC_SEC},
                                         {"h", 3600 * NSEC_SEC},
                                         {"m", 60 * NSEC_SEC},
                                         {"s", NSEC_SEC},
                                         {"ms", NSEC_MS},
                                         {"ns", 1}};

/* A kind of number: how it is read, and how it is spoken of. */
struct number {
    int (*parse)(struct str text, int64_t *value);
    const struct unit *units;
    const char *what;
};

static int parse_int(struct str text, int64_t *value)
{
    uint64_t number;
    bool negative = str_starts(text, STR("-"));
    int error = str_to_u64(str_skip(text, negative), &number);
    if (error || number > INT64_MAX)
        return error ? error : -ERANGE;
    if (negative && number == 0)
        return -EINVAL;
    *value = negative ? -(int64_t)number : (int64_t)number;
    return 0;
}

static int parse_size(struct str text, int64_t *value)
{
    uint64_t bytes;
    int error = str_to_size(text, &bytes);
    *value = error ? 0 : (int64_t)bytes;
    return error;
}

static const struct number numbers[] = {
    [CONF_INT] = {parse_int, no_units, "a number"},
    [CONF_SIZE] = {parse_size, size_units, "a size (bytes, or with k, m or g)"},
    [CONF_TIME] = {str_to_time, time_units, "a duration (seconds, or with ms, s, m, h, d, w or y)"},
};

enum { SHOWN_MAX = 60 }; /* bytes of a value that a message shows */

static struct str shown(const struct conf_node *value)
{
    struct str text = value->secret ? STR("***") : value->text;
    if (text.n <= SHOWN_MAX)
        return text;
    size_t n = SHOWN_MAX;
    while (n > 0 && ((unsigned char)text.p[n] & 0xc0) == 0x80)
        n--;
    return (struct str){text.p, n};
}

static const char *const off_words[] = {"off", NULL};
const struct conf_key conf_off = {.kind = CONF_ENUM, .words = off_words};

/* In the largest unit that divides it: 1m, 1500ms. */
static void put_amount(struct out *o, int64_t n, const struct unit *unit)
{
    while (unit->factor > 1 && n % unit->factor)
        unit++;
    if (n < 0)
        out_char(o, '-');
    out_u64(o, (n < 0 ? 0 - (uint64_t)n : (uint64_t)n) / (uint64_t)unit->factor);
    if (n)
        out_put(o, str_of(unit->name));
}

void conf_put_range(struct out *o, const struct conf_key *key)
{
    const struct unit *units = numbers[key->kind].units;
    put_amount(o, key->min, units);
    if (key->max == 0) {
        out_text(o, " or more");
        return;
    }
    out_text(o, " to ");
    put_amount(o, key->max, units);
}

static void put_words(struct out *o, const char *const *words)
{
    for (size_t i = 0; words[i]; i++) {
        if (i > 0)
            out_text(o, ", ");
        out_put(o, str_of(words[i]));
    }
}

/* The index of the text among the words, or -1. */
static int find_word(const char *const *words, struct str text)
{
    for (int i = 0; words && words[i]; i++)
        if (str_eq(text, str_of(words[i])))
            return i;
    return -1;
}

/* `what` and `words`, or one of them, is what the text should have been. */
static int refuse(struct conf_reader *r, const struct conf_node *value, const char *what, const char *const *words)
{
    char buffer[256];
    struct out wanted = out_on(buffer, sizeof buffer);
    out_put(&wanted, str_of(what));
    if (words) {
        out_put(&wanted, what ? STR(", nor one of ") : STR("one of "));
        put_words(&wanted, words);
    }
    conf_error(r, value, "`" STR_FMT "` is not " STR_FMT, STR_ARG(shown(value)), STR_ARG(out_str(&wanted)));
    return -EINVAL;
}

static int refuse_range(struct conf_reader *r, const struct conf_node *value, const struct conf_key *key)
{
    char buffer[64];
    struct out range = out_on(buffer, sizeof buffer);
    conf_put_range(&range, key);
    conf_error(r, value, STR_FMT " is out of range (" STR_FMT ")", STR_ARG(shown(value)), STR_ARG(out_str(&range)));
    return -EINVAL;
}

static int read_bool(struct conf_reader *r, struct conf_node *value, const struct conf_key *key, void *field)
{
    static const char *const on[] = {"on", "On", "ON", "true", "True", "TRUE", "yes", "Yes", "YES", NULL};
    static const char *const off[] = {"off", "Off", "OFF", "false", "False", "FALSE", "no", "No", "NO", NULL};
    (void)key;
    bool yes = find_word(on, value->text) >= 0;
    if (!yes && find_word(off, value->text) < 0)
        return refuse(r, value, "on or off", NULL);
    *(bool *)field = yes;
    return 0;
}

/* The field of a SIZE is unsigned, which has the same representation in the range of both. */
static int read_number(struct conf_reader *r, struct conf_node *value, const struct conf_key *key, void *field)
{
    const struct number *kind = &numbers[key->kind];
    int64_t n;
    int error = kind->parse(value->text, &n);
    if (error == -EINVAL)
        return refuse(r, value, kind->what, key->words);
    if (error || n < key->min || (key->max && n > key->max))
        return refuse_range(r, value, key);
    *(int64_t *)field = n;
    return 0;
}

static int read_int(struct conf_reader *r, struct conf_node *value, const struct conf_key *key, void *field)
{
    int word = find_word(key->words, value->text);
    if (word < 0)
        return read_number(r, value, key, field);
    *(int64_t *)field = -1 - word;
    return 0;
}

static int read_enum(struct conf_reader *r, struct conf_node *value, const struct conf_key *key, void *field)
{
    int word = find_word(key->words, value->text);
    if (word < 0)
        return refuse(r, value, NULL, key->words);
    *(int *)field = word;
    return 0;
}

static int read_text(struct conf_reader *r, struct conf_node *value, const struct conf_key *key, void *field)
{
    (void)r;
    (void)key;
    *(struct str *)field = value->text;
    return 0;
}

static bool is_misplaced(struct str text)
{
    static const char *const words[] = {"on", "off",  "true",   "false",  "yes",
                                        "no", "none", "stdout", "stderr", "syslog"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_eq_nocase(text, str_of(words[i])))
            return true;
    return text.n == 0;
}

static int read_path(struct conf_reader *r, struct conf_node *value, const struct conf_key *key, void *field)
{
    struct str text = value->text;
    *(struct str *)field = text;
    if (find_word(key->words, text) >= 0 || !is_misplaced(text))
        return 0;
    char buffer[64];
    struct out words = out_on(buffer, sizeof buffer);
    if (key->words) {
        put_words(&words, key->words);
        out_text(&words, ", or ");
    }
    conf_error(r, value, "`" STR_FMT "` is no path; write " STR_FMT "the path of the file, such as ./" STR_FMT,
               STR_ARG(text), STR_ARG(out_str(&words)), STR_ARG(text.n ? text : STR("name")));
    return -EINVAL;
}

typedef int (*read_fn)(struct conf_reader *r, struct conf_node *value, const struct conf_key *key, void *field);

/* Of the kinds that take one scalar. */
static const read_fn readers[] = {
    [CONF_BOOL] = read_bool, [CONF_INT] = read_int,   [CONF_SIZE] = read_number, [CONF_TIME] = read_number,
    [CONF_TEXT] = read_text, [CONF_PATH] = read_path, [CONF_ENUM] = read_enum,
};

static int read_scalar(struct conf_reader *r, struct conf_node *value, const struct conf_key *key, void *field)
{
    value->secret |= key->secret;
    if (value->broken)
        return -EINVAL;
    if (value->kind == CONF_SCALAR && !conf_is_null(value))
        return readers[key->kind](r, value, key, field);
    if (value->kind == CONF_SCALAR)
        conf_error(r, value, "has no value");
    else
        conf_error(r, value, "takes a single value, not %s", conf_kind_name(value));
    return -EINVAL;
}

static int read_texts(struct conf_reader *r, struct conf_node *list, const struct conf_key *key, void *field)
{
    static const struct conf_key item_key = {.kind = CONF_TEXT};
    struct conf_texts texts = {.n = conf_item_count(list)};
    if (texts.n < (size_t)key->min) {
        conf_error(r, list, "is an empty list");
        return -EINVAL;
    }
    texts.v = arena_alloc(r->arena, texts.n * sizeof *texts.v);
    if (!texts.v)
        return -ENOMEM;
    int result = 0;
    struct str *text = texts.v;
    conf_each_item (item, list) {
        item->secret |= key->secret;
        int status = read_scalar(r, item, &item_key, text++);
        result = status ? status : result;
    }
    if (!result)
        *(struct conf_texts *)field = texts;
    return result;
}

int conf_read_value(struct conf_reader *r, struct conf_node *value, const struct conf_key *key, void *field)
{
    return (key->kind == CONF_TEXTS ? read_texts : read_scalar)(r, value, key, field);
}
