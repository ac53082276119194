/* top.c: see top.h. */
#include "proc/top.h"

#include <stdlib.h>

#include "proc/actions.h"
#include "proc/reply.h"

enum {
    HEAD_ROOM = 256,
    WORKER_ROOM = 1024 + 2 * HISTOGRAM_BUCKETS * 27, /* numbers of 20 digits and their keys; pairs of 3 and 20 */
};

/* Most buckets are empty; the others as pairs of their number and their count. */
static void put_histogram(struct json *j, const char *key, const struct histogram *histogram)
{
    json_open(j, key, '[');
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        if (histogram->buckets[i] == 0)
            continue;
        json_open(j, NULL, '[');
        json_u64(j, NULL, i);
        json_u64(j, NULL, histogram->buckets[i]);
        json_close(j, ']');
    }
    json_close(j, ']');
}

static const struct {
    const char *key;
    size_t offset;
} counts[] = {
    {"connections", offsetof(struct score, connections)},
    {"idle", offsetof(struct score, idle)},
    {"accepted", offsetof(struct score, accepted)},
    {"requests", offsetof(struct score, requests)},
    {"threads", offsetof(struct score, threads)},
    {"waiting", offsetof(struct score, waiting)},
    {"ready", offsetof(struct score, ready)},
    {"stalls", offsetof(struct score, stalls)},
    {"slow", offsetof(struct score, slow)},
    {"cut", offsetof(struct score, cut)},
};

static void put_worker(struct json *j, const struct generation *g, size_t i)
{
    struct score score;
    scoreboard_read(&g->board, i, &score);
    json_open(j, NULL, '{');
    json_u64(j, "index", i);
    json_u64(j, "pid", (uint64_t)g->children[i].pid);
    json_u64(j, "generation", g->number);
    json_text(j, "state", str_of(actions_state_of(&g->children[i])));
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++)
        json_u64(j, counts[k].key, *(const uint64_t *)((const char *)&score + counts[k].offset));
    put_histogram(j, "latency", &score.latency);
    put_histogram(j, "lag", &score.lag);
    json_close(j, '}');
}

static size_t room_for(const struct master *m)
{
    size_t room = HEAD_ROOM;
    list_each (l, next, &m->generations)
        room += container_of(l, struct generation, link)->count * WORKER_ROOM;
    return room;
}

void top_verb(void *server, struct control_request *request)
{
    const struct master *m = server;
    size_t room = room_for(m);
    char *text = malloc(room);
    if (!text) {
        reply_without_memory(request);
        return;
    }
    struct out o = out_on(text, room);
    struct json j = reply_begin(&o);
    json_u64(&j, "at_ms", (uint64_t)(clock_monotonic() / NSEC_MS));
    json_open(&j, "workers", '[');
    list_each (l, next, &m->generations) {
        const struct generation *g = container_of(l, struct generation, link);
        for (size_t i = 0; i < g->count; i++)
            if (g->children[i].pid || g->state == SERVING)
                put_worker(&j, g, i);
    }
    json_close(&j, ']');
    reply_finish(&j, request);
    free(text);
}
