/* metrics_text.c: see metrics_text.h. */
#include "handler/metrics_text.h"

#include "base/utf8.h"

#define NO_TEXT "\xef\xbf\xbd" /* U+FFFD */

const uint32_t metrics_bounds[METRICS_BOUNDS] = {1U << 6,  1U << 7,  1U << 8,  1U << 9,  1U << 10, 1U << 11, 1U << 12,
                                                 1U << 13, 1U << 14, 1U << 15, 1U << 16, 1U << 17, 1U << 18, 1U << 19,
                                                 1U << 20, 1U << 21, 1U << 22, 1U << 23, 1U << 24};

void metrics_condense(const struct histogram *histogram, uint64_t counts[static METRICS_BOUNDS + 1])
{
    unsigned to = 0;
    memset(counts, 0, (METRICS_BOUNDS + 1) * sizeof *counts);
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        while (to < METRICS_BOUNDS && histogram_bound(i) > metrics_bounds[to])
            to++;
        counts[to] += histogram->buckets[i];
    }
}

/* ---- pieces ---- */

void metrics_text_init(struct metrics_text *t, struct exchange *x)
{
    t->x = x;
    t->family = NULL;
    t->error = 0;
    t->out = out_on(t->piece, sizeof t->piece);
}

/* Many routes are milliseconds of work, for which nobody else is to wait. */
static void send_piece(struct metrics_text *t)
{
    if (!t->error)
        t->error = http_content(t->x, out_str(&t->out));
    if (!t->error)
        t->error = green_yield();
    t->out = out_on(t->piece, sizeof t->piece);
}

static void put(struct metrics_text *t, struct str s)
{
    while (s.n) {
        size_t room = out_room(&t->out), n = s.n < room ? s.n : room;
        out_bytes(&t->out, s.p, n);
        s = str_skip(s, n);
        if (s.n)
            send_piece(t);
    }
}

#define put_text(t, literal) put((t), STR(literal))

static void put_u64(struct metrics_text *t, uint64_t value)
{
    char digits[24];
    struct out o = out_on(digits, sizeof digits);
    out_u64(&o, value);
    put(t, out_str(&o));
}

/* As short as it gets: 0.00025, 1, 2.5 */
static void put_seconds(struct metrics_text *t, uint64_t us)
{
    char digits[32];
    struct out o = out_on(digits, sizeof digits);
    out_u64(&o, us / 1000000);
    out_char(&o, '.');
    out_digits(&o, (unsigned)(us % 1000000), 6);
    while (o.at[-1] == '0')
        o.at--;
    o.at -= o.at[-1] == '.';
    put(t, out_str(&o));
}

/* ---- labels ---- */

static struct str escape(struct str character)
{
    switch (character.p[0]) {
    case '\\':
        return STR("\\\\");
    case '"':
        return STR("\\\"");
    case '\n':
        return STR("\\n");
    default:
        return character;
    }
}

static void put_value(struct metrics_text *t, struct str value)
{
    while (value.n) {
        struct str rest = value;
        int32_t code = utf8_next(&rest);
        put(t, code < 0 ? STR(NO_TEXT) : escape((struct str){value.p, value.n - rest.n}));
        value = rest;
    }
}

static void put_name(struct metrics_text *t, char before, const char *name)
{
    put(t, (struct str){&before, 1});
    put(t, str_of(name));
    put_text(t, "=\"");
}

/* With the bound of a bucket as the last label: LE_NONE, LE_ALL, or microseconds. */
#define LE_NONE UINT64_MAX
#define LE_ALL (UINT64_MAX - 1)

static void put_labels(struct metrics_text *t, const struct metrics_labels *labels, uint64_t le)
{
    char before = '{';
    for (size_t i = 0; i < labels->n; i++, before = ',') {
        put_name(t, before, labels->v[i].name);
        put_value(t, labels->v[i].value);
        put_text(t, "\"");
    }
    if (le != LE_NONE) {
        put_name(t, before, "le");
        if (le == LE_ALL)
            put_text(t, "+Inf");
        else
            put_seconds(t, le);
        put_text(t, "\"");
    }
    if (labels->n || le != LE_NONE)
        put_text(t, "}");
}

/* ---- samples ---- */

void metrics_family(struct metrics_text *t, const char *name, const char *type, const char *help)
{
    t->family = name;
    put_text(t, "# HELP ");
    put(t, str_of(name));
    put_text(t, " ");
    put(t, str_of(help));
    put_text(t, "\n# TYPE ");
    put(t, str_of(name));
    put_text(t, " ");
    put(t, str_of(type));
    put_text(t, "\n");
}

static void begin_sample(struct metrics_text *t, struct str suffix, const struct metrics_labels *labels, uint64_t le)
{
    put(t, str_of(t->family));
    put(t, suffix);
    put_labels(t, labels, le);
    put_text(t, " ");
}

static void put_sample(struct metrics_text *t, struct str suffix, const struct metrics_labels *labels, uint64_t le,
                       uint64_t value)
{
    begin_sample(t, suffix, labels, le);
    put_u64(t, value);
    put_text(t, "\n");
}

void metrics_sample(struct metrics_text *t, const struct metrics_labels *labels, uint64_t value)
{
    put_sample(t, STR(""), labels, LE_NONE, value);
}

void metrics_spread(struct metrics_text *t, const struct metrics_labels *labels, const struct metrics_spread *spread)
{
    uint64_t count = 0;
    for (size_t i = 0; i <= spread->n; i++) {
        count += spread->counts[i];
        put_sample(t, STR("_bucket"), labels, i < spread->n ? spread->bounds[i] : LE_ALL, count);
    }
    begin_sample(t, STR("_sum"), labels, LE_NONE);
    put_seconds(t, spread->sum);
    put_text(t, "\n");
    put_sample(t, STR("_count"), labels, LE_NONE, count);
}

int metrics_text_finish(struct metrics_text *t)
{
    if (!t->error && out_len(&t->out))
        t->error = http_content(t->x, out_str(&t->out));
    return t->error;
}
