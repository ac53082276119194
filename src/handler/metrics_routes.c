/* metrics_routes.c: see metrics_routes.h. */
#include "handler/metrics_routes.h"

#include "base/scoreboard.h"
#include "http/inspect.h"
#include "http/server.h"
#include "http/site.h"

/* Routes that are told of as one, and what all workers have counted of them. */
struct group {
    struct metrics_labels labels;
    struct route_score sum;
    size_t members;
};

static struct group group_named(struct str route, struct str handler)
{
    return (struct group){.labels = {.v = {{"route", route}, {"handler", handler}}, .n = 2}};
}

static void add(struct route_score *sum, const struct route_score *score)
{
    uint64_t *to = (uint64_t *)sum;
    const uint64_t *from = (const uint64_t *)score;
    for (size_t i = 0; i < sizeof *sum / sizeof *to; i++)
        to[i] += from[i];
}

static void take_in(struct group *group, const struct http_route *route)
{
    const struct scoreboard *board = http_inspection.board;
    struct route_score score;
    group->members++;
    for (size_t worker = 0; worker < board->count; worker++) {
        scoreboard_read_route(board, worker, route->index, &score);
        add(&group->sum, &score);
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
    if (group.members)
        family->put(t, &group.labels, &group.sum);
}

/* What sites have missed is told of as one, like the routes behind the first `most`. */
static void put_family(struct metrics_text *t, const struct family *family, size_t most)
{
    const struct http_sites *sites = &t->x->server->sites;
    struct group missing = group_named(STR(""), http_missing.name), others = group_named(STR("other"), STR("other"));
    size_t configured = 0;
    for (const struct http_route *route = sites->routes; route; route = route->next) {
        struct group own = group_named(route->label.route, route->label.handler), *group = &own;
        if (route->handler != &http_missing)
            group = ++configured > most ? &others : &own;
        else if (route != &sites->unmet)
            group = &missing;
        take_in(group, route);
        put_group(t, family, own);
    }
    put_group(t, family, missing);
    put_group(t, family, others);
}

void metrics_put_routes(struct metrics_text *t, size_t most)
{
    for (size_t i = 0; i < sizeof families / sizeof *families && http_inspection.board; i++) {
        metrics_family(t, families[i].name, families[i].type, families[i].help);
        put_family(t, &families[i], most);
    }
}
