/* sample_print.c: sample_print() of sample.h: a table of what workers have done since the last look. */
#include "ctl/sample.h"
#include "ctl/table.h"

/* What a line tells of a worker, or of all. */
struct row {
    struct sample_worker now; /* its histograms are those of the interval */
    uint64_t requests, accepted, all_accepted;
    uint64_t ms; /* of the interval; 0: there is none */
};

/* ---- differences ---- */

static const struct sample_worker *find_earlier(const struct sample *before, const struct sample_worker *worker)
{
    static const enum sample_count same[] = {SAMPLE_INDEX, SAMPLE_GENERATION},
                                   growing[] = {SAMPLE_REQUESTS, SAMPLE_ACCEPTED};
    for (size_t i = 0; before && i < before->count; i++) {
        const uint64_t *then = before->workers[i].counts, *now = worker->counts;
        if (then[same[0]] == now[same[0]] && then[same[1]] == now[same[1]])
            return then[growing[0]] <= now[growing[0]] && then[growing[1]] <= now[growing[1]] ? &before->workers[i]
                                                                                              : NULL;
    }
    return NULL;
}

static struct row row_of(const struct sample *sample, const struct sample *before, const struct sample_worker *worker)
{
    const struct sample_worker *earlier = find_earlier(before, worker);
    struct row row = {.now = *worker};
    row.ms = before && sample->at > before->at ? sample->at - before->at : 0;
    row.requests = worker->counts[SAMPLE_REQUESTS];
    row.accepted = worker->counts[SAMPLE_ACCEPTED];
    if (earlier) {
        row.requests -= earlier->counts[SAMPLE_REQUESTS];
        row.accepted -= earlier->counts[SAMPLE_ACCEPTED];
        histogram_subtract(&row.now.latency, &earlier->latency);
        histogram_subtract(&row.now.lag, &earlier->lag);
    }
    return row;
}

static void add_to_all(struct row *all, const struct row *row)
{
    for (size_t i = 0; i < SAMPLE_COUNTS; i++)
        all->now.counts[i] += row->now.counts[i];
    histogram_merge(&all->now.latency, &row->now.latency);
    histogram_merge(&all->now.lag, &row->now.lag);
    all->requests += row->requests;
    all->accepted += row->accepted;
    all->ms = row->ms;
}

/* ---- cells ---- */

enum { CELL = 32 };

static void put_count(struct out *o, const struct row *row, int count)
{
    out_u64(o, row->now.counts[count]);
}

static void put_state(struct out *o, const struct row *row, int unused)
{
    (void)unused;
    out_put(o, str_of(row->now.state));
}

/* What is not known yet, here and below. */
static void put_unknown(struct out *o)
{
    out_char(o, '-');
}

static void put_rate(struct out *o, const struct row *row, int unused)
{
    (void)unused;
    if (row->ms)
        out_u64(o, (row->requests * 1000 + row->ms / 2) / row->ms);
    else
        put_unknown(o);
}

/* Two or three digits of it: the buckets that it is from are no finer. */
static void put_duration(struct out *o, uint64_t us)
{
    static const struct {
        double from, unit;
        int digits;
        const char *name;
    } scale[] = {{10e6, 1e6, 0, "s"}, {1e6, 1e6, 1, "s"}, {10e3, 1e3, 0, "ms"}, {1e3, 1e3, 1, "ms"}, {0, 1, 0, "us"}};
    char text[CELL];
    size_t i = 0;
    while ((double)us < scale[i].from)
        i++;
    snprintf(text, sizeof text, "%.*f%s", scale[i].digits, (double)us / scale[i].unit, scale[i].name);
    out_put(o, str_of(text));
}

static void put_quantile(struct out *o, const struct row *row, const struct histogram *histogram, int per_mille)
{
    if (row->ms && histogram_count(histogram))
        put_duration(o, histogram_quantile(histogram, per_mille / 1000.0));
    else
        put_unknown(o);
}

static void put_latency(struct out *o, const struct row *row, int per_mille)
{
    put_quantile(o, row, &row->now.latency, per_mille);
}

static void put_lag(struct out *o, const struct row *row, int per_mille)
{
    put_quantile(o, row, &row->now.lag, per_mille);
}

/* Of the connections that all of them have accepted. */
static void put_share(struct out *o, const struct row *row, int unused)
{
    (void)unused;
    if (row->all_accepted) {
        out_u64(o, (100 * row->accepted + row->all_accepted / 2) / row->all_accepted);
        out_char(o, '%');
    } else {
        put_unknown(o);
    }
}

/* ---- the table ---- */

enum { RANKS = 5 };

/* Of a higher rank: the sooner it is left out. */
static const struct field {
    struct table_column column;
    int rank;
    void (*put)(struct out *o, const struct row *row, int which);
    int which;
    bool single; /* means nothing for all of them together */
} fields[] = {
    {{"WORKER", true}, 0, put_count, SAMPLE_INDEX, true},
    {{"PID", true}, 3, put_count, SAMPLE_PID, true},
    {{"GEN", true}, 4, put_count, SAMPLE_GENERATION, true},
    {{"STATE", false}, 2, put_state, 0, true},
    {{"REQ/S", true}, 0, put_rate, 0, false},
    {{"P50", true}, 1, put_latency, 500, false},
    {{"P99", true}, 0, put_latency, 990, false},
    {{"P99.9", true}, 2, put_latency, 999, false},
    {{"LAG99", true}, 1, put_lag, 990, false},
    {{"OPEN", true}, 0, put_count, SAMPLE_CONNECTIONS, false},
    {{"IDLE", true}, 2, put_count, SAMPLE_IDLE, false},
    {{"SHARE", true}, 3, put_share, 0, false},
    {{"THREADS", true}, 1, put_count, SAMPLE_THREADS, false},
    {{"WAITING", true}, 3, put_count, SAMPLE_WAITING, false},
    {{"READY", true}, 3, put_count, SAMPLE_READY, false},
    {{"STALLS", true}, 1, put_count, SAMPLE_STALLS, false},
    {{"SLOW", true}, 2, put_count, SAMPLE_SLOW, false},
};

enum { FIELDS = sizeof fields / sizeof *fields };

static size_t choose(const struct field *chosen[static FIELDS], struct table_column columns[static FIELDS], int rank)
{
    size_t n = 0;
    for (size_t i = 0; i < FIELDS; i++)
        if (fields[i].rank <= rank) {
            columns[n] = fields[i].column;
            chosen[n++] = &fields[i];
        }
    return n;
}

static void add_row(struct table *table, const struct field *const *chosen, const struct row *row, bool single)
{
    table_add(table);
    for (size_t i = 0; i < table->width; i++) {
        char text[CELL];
        struct out o = out_on(text, sizeof text);
        if (single || !chosen[i]->single)
            chosen[i]->put(&o, row, chosen[i]->which);
        table_put(table, i, out_str(&o));
    }
    if (!single)
        table_put(table, 0, STR("all"));
}

static void add_rows(struct table *table, const struct field *const *chosen, const struct sample *sample,
                     const struct sample *before)
{
    struct row all = {.ms = 0};
    for (size_t i = 0; i < sample->count; i++) {
        struct row row = row_of(sample, before, &sample->workers[i]);
        add_to_all(&all, &row);
    }
    /* When nobody has come of late, who came before tells how they are shared out. */
    bool of_late = all.accepted > 0;
    all.accepted = all.all_accepted = of_late ? all.accepted : all.now.counts[SAMPLE_ACCEPTED];
    if (sample->count > 1)
        add_row(table, chosen, &all, false);
    for (size_t i = 0; i < sample->count; i++) {
        struct row row = row_of(sample, before, &sample->workers[i]);
        row.all_accepted = all.all_accepted;
        row.accepted = of_late ? row.accepted : row.now.counts[SAMPLE_ACCEPTED];
        add_row(table, chosen, &row, true);
    }
}

int sample_print(FILE *f, const struct sample *sample, const struct sample *before, size_t width)
{
    const struct field *chosen[FIELDS];
    struct table_column columns[FIELDS];
    for (int rank = RANKS - 1;; rank--) {
        struct table table = table_of(columns, choose(chosen, columns, rank));
        add_rows(&table, chosen, sample, before);
        bool fits = table.failed || rank == 0 || table_width(&table) <= width;
        int error = fits ? table_print(&table, f) : 0;
        table_free(&table);
        if (fits)
            return error;
    }
}
