/* thread.c: see thread.h. */
#include "ctl/thread.h"

static void put_quoted(struct out *o, struct str s)
{
    out_char(o, '`');
    out_put(o, s);
    out_char(o, '`');
}

/* ---- names ---- */

bool thread_id_read(struct str text, struct thread_id *id, struct out *why)
{
    struct str number = text, pid = str_cut(&number, '.');
    if (str_to_u64(pid, &id->pid) == 0 && str_to_u64(number, &id->number) == 0 && id->pid && id->number)
        return true;
    put_quoted(why, text);
    out_text(why, " is no thread: one is PID.NUMBER, as `threads` lists them");
    return false;
}

/* ---- filters ---- */

enum { STATE, WAIT, ROUTE, HANDLER, AGE, LIMIT, SORT, KEYS };

static const char *const states[] = {"ready", "waiting", "running", "cancelled", NULL};
static const char *const waits[] = {"timer",     "client",    "window",  "descriptor", "pool", "lock",
                                    "condition", "semaphore", "channel", "thread",     "turn", NULL};
static const char *const sorts[] = {
    [THREAD_SORT_AGE] = "age", [THREAD_SORT_CPU] = "cpu", [THREAD_SORT_STACK] = "stack", NULL};

const struct thread_key thread_keys[] = {
    [STATE] = {"state", "a state", states},
    [WAIT] = {"wait", "what a thread may wait for", waits},
    [ROUTE] = {"route", "the path of a route", NULL},
    [HANDLER] = {"handler", "the name of a handler", NULL},
    [AGE] = {"age", "a time, such as 1s or 50ms", NULL},
    [LIMIT] = {"limit", "a number, from 1 on", NULL},
    [SORT] = {"sort", "an order", sorts},
    [KEYS] = {.name = NULL},
};

static int find_key(struct str name)
{
    int key = 0;
    while (key < KEYS && !str_eq(name, str_of(thread_keys[key].name)))
        key++;
    return key;
}

/* The index of a value; -1: there is none. */
static int find_value(const char *const *values, struct str value)
{
    for (int i = 0; values[i]; i++)
        if (str_eq(value, str_of(values[i])))
            return i;
    return -1;
}

static bool is_text(struct str value, struct str *text)
{
    *text = value;
    return value.n > 0;
}

static bool take(struct thread_filter *filter, int key, struct str value)
{
    const char *const *values = thread_keys[key].values;
    int found = values ? find_value(values, value) : 0;
    if (found < 0)
        return false;
    switch (key) {
    case STATE:
        filter->state = value;
        return true;
    case WAIT:
        filter->wait = value;
        return true;
    case SORT:
        filter->sort = (enum thread_sort)found;
        return true;
    case ROUTE:
        return is_text(value, &filter->route);
    case HANDLER:
        return is_text(value, &filter->handler);
    case AGE:
        return str_to_time(value, &filter->age) == 0;
    default:
        return str_to_u64(value, &filter->limit) == 0 && filter->limit > 0;
    }
}

static void say_no_key(struct str word, struct out *why)
{
    put_quoted(why, word);
    out_text(why, " picks no threads: KEY=VALUE does, and a key is");
    for (const struct thread_key *key = thread_keys; key->name; key++) {
        out_put(why, key == thread_keys ? STR(" ") : key[1].name ? STR(", ") : STR(" or "));
        out_put(why, str_of(key->name));
    }
}

static void say_no_value(const struct thread_key *key, struct str value, struct out *why)
{
    out_put(why, str_of(key->name));
    out_text(why, " takes ");
    out_put(why, str_of(key->takes));
    for (const char *const *known = key->values; known && *known; known++) {
        out_put(why, known == key->values ? STR(" (") : STR(", "));
        out_put(why, str_of(*known));
    }
    out_put(why, key->values ? STR("), not ") : STR(", not "));
    put_quoted(why, value);
}

/* `seen`: the keys that came before. */
static bool read_word(struct thread_filter *filter, struct str word, unsigned *seen, struct out *why)
{
    struct str value = word, name = str_cut(&value, '=');
    int key = name.n < word.n ? find_key(name) : KEYS;
    if (key == KEYS) {
        say_no_key(word, why);
    } else if (*seen & 1U << key) {
        out_put(why, name);
        out_text(why, " is there twice");
    } else if (!take(filter, key, value)) {
        say_no_value(&thread_keys[key], value, why);
    } else {
        *seen |= 1U << key;
        return true;
    }
    return false;
}

/* The next word, and with it the name of a module's handler behind "handler=module", which is how lists show it. */
static struct str next_word(struct str *words)
{
    struct str whole = *words, word = str_cut(words, ' '), rest = str_trim(*words), name = str_cut(&rest, ' ');
    if (!str_eq(word, STR("handler=module")) || name.n == 0 || str_find(name, '=') < name.n)
        return word;
    *words = rest;
    return str_range(whole.p, name.p + name.n);
}

bool thread_filter_read(struct str words, struct thread_filter *filter, struct out *why)
{
    unsigned seen = 0;
    bool good = true;
    *filter = (struct thread_filter){.limit = UINT64_MAX};
    while (good && (words = str_trim(words)).n)
        good = read_word(filter, next_word(&words), &seen, why);
    return good;
}

/* ---- whom they pick ---- */

/* Whether what is looked for is the whole name, or all of it behind a prefix that ends so. */
static bool is_named(struct str wanted, struct str name, bool (*is_prefix)(struct str prefix))
{
    if (wanted.n == 0 || str_eq(wanted, name))
        return true;
    return str_ends(name, wanted) && is_prefix((struct str){name.p, name.n - wanted.n});
}

static bool is_site(struct str prefix)
{
    return str_find(prefix, '/') == prefix.n;
}

static bool is_kind(struct str prefix)
{
    return str_eq(prefix, STR("module "));
}

bool thread_filter_route(const struct thread_filter *filter, struct str route)
{
    return is_named(filter->route, route, is_site);
}

bool thread_filter_handler(const struct thread_filter *filter, struct str handler)
{
    return is_named(filter->handler, handler, is_kind);
}
