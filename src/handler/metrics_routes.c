/* metrics_routes.c: see metrics_routes.h. */
#include "handler/metrics_routes.h"

#include "base/scoreboard.h"
#include "http/inspect.h"
#include "http/server.h"

/* Routes that are told of as one: from one index to before another, which may be the same: none. */
struct group {
    size_t from, to;
    struct metrics_labels labels;
};

static void add(struct route_score *sum, const struct route_score *score)
{
    uint64_t *to = (uint64_t *)sum;
    const uint64_t *from = (const uint64_t *)score;
    for (size_t i = 0; i < sizeof *sum / sizeof *to; i++)
        to[i] += from[i];
}

static void sum_up(const struct group *group, struct route_score *sum)
{
    const struct scoreboard *board = http_inspection.board;
    struct route_score score;
    *sum = (struct route_score){.bytes = 0};
    for (size_t worker = 0; worker < board->count; worker++)
        for (size_t route = group->from; route < group->to; route++) {
            scoreboard_read_route(board, worker, route, &score);
            add(sum, &score);
        }
}

/* ---- families ---- */

static void put_requests(struct metrics_text *t, struct metrics_labels *labels, const struct route_score *score)
{
    static const struct str classes[ROUTE_CLASSES] = {STR_INIT("none"), STR_INIT("1xx"), STR_INIT("2xx"),
                                                      STR_INIT("3xx"),  STR_INIT("4xx"), STR_INIT("5xx")};
    struct metrics_label *class = &labels->v[labels->n++];
    for (size_t i = 0; i < ROUTE_CLASSES; i++) {
        *class = (struct metrics_label){"class", classes[i]};
        metrics_sample(t, labels, score->classes[i]);
    }
}

static void put_bytes(struct metrics_text *t, struct metrics_labels *labels, const struct route_score *score)
{
    metrics_sample(t, labels, score->bytes);
}

static void put_durations(struct metrics_text *t, struct metrics_labels *labels, const struct route_score *score)
{
    metrics_spread(t, labels, &(struct metrics_spread){scoreboard_bounds, score->buckets, ROUTE_BOUNDS, score->sum});
}

static const struct family {
    const char *name, *type, *help;
    void (*put)(struct metrics_text *t, struct metrics_labels *labels, const struct route_score *score);
} families[] = {
    {"tern_requests_total", "counter", "Requests that have ended, by the class of their status.", put_requests},
    {"tern_response_bytes_total", "counter", "Bytes of content sent.", put_bytes},
    {"tern_request_duration_seconds", "histogram", "From the first byte of a request to the end of its answer.",
     put_durations},
};

static void put_group(struct metrics_text *t, const struct family *family, struct group group)
{
    struct route_score sum;
    sum_up(&group, &sum);
    family->put(t, &group.labels, &sum);
}

static struct metrics_labels labels_of(const struct http_route *route)
{
    const struct green_label *label = &route->label;
    return (struct metrics_labels){.v = {{"route", label->route}, {"handler", label->handler}}, .n = 2};
}

void metrics_put_routes(struct metrics_text *t, size_t most)
{
    const struct http_sites *sites = &t->x->server->sites;
    size_t count = http_inspection.board ? http_inspection.board->routes : 0, own = count < most ? count : most;
    const struct group others = {own, count, {.v = {{"route", STR("other")}, {"handler", STR("")}}, .n = 2}};
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        const struct family *family = &families[i];
        metrics_family(t, family->name, family->type, family->help);
        for (const struct http_route *route = sites->routes; route && route->index < own; route = route->next)
            put_group(t, family, (struct group){route->index, route->index + 1, labels_of(route)});
        if (own < count)
            put_group(t, family, others);
    }
}
