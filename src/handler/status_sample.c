/* status_sample.c: see status_sample.h. */
#include "handler/status_sample.h"

#include <errno.h>

#include "base/json.h"
#include "base/version.h"
#include "http/inspect.h"

enum { COMMON_SIZE = 1024, WORKER_SIZE = 640 }; /* bytes of text at most */

struct status_span {
    struct histogram latency, lag;
};

static size_t workers(const struct status_sampler *s)
{
    return s->board ? s->board->count : 0;
}

int status_sampler_init(struct status_sampler *s, struct arena *arena, const struct scoreboard *board)
{
    *s = (struct status_sampler){.board = board};
    s->size = COMMON_SIZE + workers(s) * WORKER_SIZE;
    s->before = arena_zalloc(arena, (workers(s) + 1) * sizeof *s->before);
    s->text = arena_alloc(arena, s->size);
    return s->before && s->text ? 0 : -ENOMEM;
}

/* ---- spans of time ---- */

static void put_quantile(struct json *j, const char *key, const struct histogram *histogram, double share)
{
    json_u64(j, key, histogram_quantile(histogram, share));
}

static void put_histogram(struct json *j, const char *key, const struct histogram *histogram)
{
    json_open(j, key, '{');
    json_u64(j, "count", histogram_count(histogram));
    put_quantile(j, "p50", histogram, 0.5);
    put_quantile(j, "p99", histogram, 0.99);
    put_quantile(j, "p999", histogram, 0.999);
    json_close(j, '}');
}

static void put_span(struct json *j, const struct status_span *span)
{
    put_histogram(j, "latency", &span->latency);
    put_histogram(j, "lag", &span->lag);
}

/* What a worker has done since the last look. */
static void take(struct status_sampler *s, size_t worker, struct score *score, struct status_span *span)
{
    scoreboard_read(s->board, worker, score);
    const struct status_span now = {score->latency, score->lag}, *before = s->begun ? &s->before[worker] : &now;
    *span = now;
    histogram_subtract(&span->latency, &before->latency);
    histogram_subtract(&span->lag, &before->lag);
    s->before[worker] = now;
}

/* ---- the sample ---- */

static void put_worker(struct json *j, const struct score *score, const struct status_span *span)
{
    json_open(j, NULL, '{');
    json_u64(j, "connections", score->connections);
    json_u64(j, "idle", score->idle);
    json_u64(j, "accepted", score->accepted);
    json_u64(j, "requests", score->requests);
    json_u64(j, "threads", score->threads);
    json_u64(j, "waiting", score->waiting);
    json_u64(j, "ready", score->ready);
    json_u64(j, "stalls", score->stalls);
    json_u64(j, "slow", score->slow);
    json_u64(j, "cut", score->cut);
    put_span(j, span);
    json_close(j, '}');
}

static void put_workers(struct status_sampler *s, struct json *j, struct status_span *all)
{
    json_open(j, "workers", '[');
    for (size_t i = 0; i < workers(s); i++) {
        struct score score;
        struct status_span span;
        take(s, i, &score, &span);
        put_worker(j, &score, &span);
        histogram_merge(&all->latency, &span.latency);
        histogram_merge(&all->lag, &span.lag);
    }
    json_close(j, ']');
}

struct str status_sample(struct status_sampler *s)
{
    struct out o = out_on(s->text, s->size);
    struct json j = json_on(&o);
    struct status_span all = {.latency.sum = 0};
    nsec now = clock_monotonic();
    out_text(&o, "event: sample\ndata: ");
    json_open(&j, NULL, '{');
    json_text(&j, "version", STR(TERN_VERSION));
    json_u64(&j, "generation", http_inspection.generation);
    json_u64(&j, "uptime_ms", (uint64_t)((now - http_inspection.started) / NSEC_MS));
    json_u64(&j, "at_ms", (uint64_t)(now / NSEC_MS));
    put_workers(s, &j, &all);
    put_span(&j, &all);
    json_close(&j, '}');
    out_text(&o, "\n\n");
    s->begun = true;
    return out_str(&o);
}
