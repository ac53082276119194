/* metrics.c: `metrics`: what all workers of a generation have counted, for Prometheus.
 *
 * Any worker tells of all of them: the counters lie in memory that they share. Labels are bounded by the
 * configuration: a worker's index, a route, a class of statuses; nothing that a client sends becomes one.
 */
#include <errno.h>
#include <time.h>

#include "base/version.h"
#include "handler/metrics_routes.h"
#include "handler/registry.h"
#include "http/inspect.h"

struct metrics {
    int64_t routes;
};

static const struct conf_key keys[] = {
    {"routes", CONF_INT, offsetof(struct metrics, routes), .fallback = "200", .min = 0, .max = 10000,
     .doc = "how many routes have metrics of their own; the others are counted together, as route=\"other\""},
};

static const struct conf_table table = CONF_TABLE("metrics", keys);

/* ---- of workers ---- */

/* A label with the worker's index, whose digits lie beside it. */
struct worker_label {
    struct metrics_labels labels;
    char digits[24];
};

static void name_worker(struct worker_label *label, size_t index)
{
    struct out o = out_on(label->digits, sizeof label->digits);
    out_u64(&o, index);
    label->labels = (struct metrics_labels){.v = {{"worker", out_str(&o)}}, .n = 1};
}

static uint64_t word_at(const struct score *score, size_t offset)
{
    return *(const uint64_t *)(const void *)((const char *)score + offset);
}

static size_t workers(void)
{
    return http_inspection.board ? http_inspection.board->count : 0;
}

#define AT(member) offsetof(struct score, member)

static const struct counter {
    const char *name, *help;
    size_t at;
} counters[] = {
    {"tern_connections_accepted_total", "Connections accepted.", AT(accepted)},
    {"tern_worker_requests_total",
     "Requests answered, or begun to be, but for those that could not be read: tern_requests_total has them.",
     AT(requests)},
    {"tern_requests_cut_total", "Requests ended before their answer was whole.", AT(cut)},
    {"tern_requests_slow_total", "Requests that took longer than `slow`.", AT(slow)},
    {"tern_stalls_total", "Green threads that did not yield for longer than `timeouts.stall`.", AT(stalls)},
    {"tern_worker_restarts_total", "Processes that took the place of a worker that had ended.", AT(restarts)},
    {"tern_access_log_lost_total", "Lines that the access log could not take.", AT(access_lost)},
};

static void put_counter(struct metrics_text *t, const struct counter *counter)
{
    metrics_family(t, counter->name, "counter", counter->help);
    for (size_t i = 0; i < workers(); i++) {
        struct worker_label label;
        struct score score;
        name_worker(&label, i);
        scoreboard_read(http_inspection.board, i, &score);
        metrics_sample(t, &label.labels, word_at(&score, counter->at));
    }
}

/* What is in one of two states: the second one has the rest. */
static const struct gauge {
    const char *name, *help;
    size_t whole, first;
    struct str states[2];
} gauges[] = {
    {"tern_connections", "Open connections.", AT(connections), AT(idle), {STR_INIT("idle"), STR_INIT("active")}},
    {"tern_green_threads",
     "Green threads, as of the last turn of the loop, after which none of them runs.",
     AT(threads),
     AT(waiting),
     {STR_INIT("waiting"), STR_INIT("ready")}},
};

static void put_states(struct metrics_text *t, const struct gauge *gauge, size_t worker)
{
    struct worker_label label;
    struct score score;
    name_worker(&label, worker);
    scoreboard_read(http_inspection.board, worker, &score);
    struct metrics_label *state = &label.labels.v[label.labels.n++];
    uint64_t whole = word_at(&score, gauge->whole), first = word_at(&score, gauge->first);
    *state = (struct metrics_label){"state", gauge->states[0]};
    metrics_sample(t, &label.labels, first);
    *state = (struct metrics_label){"state", gauge->states[1]};
    metrics_sample(t, &label.labels, whole > first ? whole - first : 0); /* they were not read in one moment */
}

static void put_gauge(struct metrics_text *t, const struct gauge *gauge)
{
    metrics_family(t, gauge->name, "gauge", gauge->help);
    for (size_t i = 0; i < workers(); i++)
        put_states(t, gauge, i);
}

static const struct timing {
    const char *name, *help;
    size_t at;
} timings[] = {
    {"tern_worker_request_duration_seconds", "From the first byte of a request to the end of its answer.", AT(latency)},
    {"tern_loop_lag_seconds",
     "How long what was ready waited for its turn at most, since the poll before, for each turn of the loop.", AT(lag)},
};

static void put_timing(struct metrics_text *t, const struct timing *timing)
{
    uint64_t counts[METRICS_BOUNDS + 1];
    struct metrics_spread spread = {metrics_bounds, counts, METRICS_BOUNDS, 0};
    metrics_family(t, timing->name, "histogram", timing->help);
    for (size_t i = 0; i < workers(); i++) {
        struct worker_label label;
        struct score score;
        name_worker(&label, i);
        scoreboard_read(http_inspection.board, i, &score);
        const struct histogram *histogram = (const void *)((const char *)&score + timing->at);
        metrics_condense(histogram, counts);
        spread.sum = histogram->sum;
        metrics_spread(t, &label.labels, &spread);
    }
}

/* ---- of the server ---- */

static void put_server(struct metrics_text *t)
{
    static const struct metrics_labels none = {.n = 0}, version = {.v = {{"version", STR_INIT(TERN_VERSION)}}, .n = 1};
    metrics_family(t, "tern_build_info", "gauge", "The version that runs; the value is 1.");
    metrics_sample(t, &version, 1);
    metrics_family(t, "tern_generation", "gauge", "The generation of the configuration: counters begin with it.");
    metrics_sample(t, &none, http_inspection.generation);
    nsec age = clock_monotonic() - http_inspection.started;
    metrics_family(t, "tern_start_time_seconds", "gauge", "When the master has started, in seconds since 1970.");
    metrics_sample(t, &none, (uint64_t)((clock_read(CLOCK_REALTIME) - age) / NSEC_SEC));
}

static int put_all(struct metrics_text *t, const struct metrics *metrics)
{
    put_server(t);
    for (size_t i = 0; i < sizeof gauges / sizeof *gauges; i++)
        put_gauge(t, &gauges[i]);
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++)
        put_counter(t, &counters[i]);
    for (size_t i = 0; i < sizeof timings / sizeof *timings; i++)
        put_timing(t, &timings[i]);
    metrics_put_routes(t, (size_t)metrics->routes);
    return metrics_text_finish(t);
}

static int serve(struct exchange *x, const void *settings)
{
    struct metrics_text *t = arena_alloc(&x->arena, sizeof *t);
    if (!t)
        return http_send_status(x, 503, STR(""));
    int error =
        http_head(x, 200, STR("Content-Type: " METRICS_TYPE "\r\nCache-Control: no-store\r\n"), HTTP_LENGTH_UNKNOWN);
    metrics_text_init(t, x);
    if (!error && !x->response.no_content)
        error = put_all(t, settings);
    return error ? error : http_end(x);
}

const struct http_handler handler_metrics = {
    .name = STR_INIT("metrics"),
    .doc = "what the server has counted, for Prometheus: {}",
    .table = &table,
    .size = sizeof(struct metrics),
    .methods = 1ULL << METHOD_GET | 1ULL << METHOD_HEAD,
    .serve = serve,
};
