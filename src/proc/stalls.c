/* stalls.c: see stalls.h. Workers write their logs while they are read here, and one that has gone astray may write
 * anything: so of a record only the copy is looked at, and no text in it is trusted to end. */
#include "proc/stalls.h"

#include <stdlib.h>

#include "base/stall.h"
#include "proc/reply.h"
#include "proc/state.h"

enum { ROOM = 1024, ESCAPED = 6 };

/* Where a record is, and since when it has been there. */
struct place {
    const struct generation *generation;
    size_t worker, index;
    int64_t at;
};

/* ---- finding ---- */

static size_t count_workers(const struct master *m)
{
    size_t count = 0;
    list_each (l, next, &m->generations)
        count += container_of(l, struct generation, link)->count;
    return count;
}

static size_t find_in(const struct generation *g, size_t worker, struct place *places)
{
    struct stall stall;
    size_t count = 0;
    for (size_t i = 0; i < STALLS_KEPT; i++)
        if (stall_read(scoreboard_stalls(&g->board, worker), i, &stall))
            places[count++] = (struct place){g, worker, i, stall.at};
    return count;
}

static size_t find_all(const struct master *m, struct place *places)
{
    size_t count = 0;
    list_each (l, next, &m->generations) {
        const struct generation *g = container_of(l, struct generation, link);
        for (size_t i = 0; i < g->count; i++)
            count += find_in(g, i, places + count);
    }
    return count;
}

static int newest_first(const void *a, const void *b)
{
    int64_t first = ((const struct place *)a)->at, second = ((const struct place *)b)->at;
    return (first < second) - (first > second);
}

/* ---- telling ---- */

static struct str text_in(const char *room, size_t size)
{
    return (struct str){room, strnlen(room, size)};
}

static uint64_t milliseconds(int64_t time)
{
    return time > 0 ? (uint64_t)(time / NSEC_MS) : 0;
}

static void put_stall(struct json *j, const struct place *place, const struct stall *stall)
{
    json_open(j, NULL, '{');
    json_u64(j, "at_ms", milliseconds(stall->at));
    json_u64(j, "worker", place->worker);
    json_u64(j, "generation", place->generation->number);
    reply_id(j, stall->pid, stall->thread);
    json_u64(j, "lasted_ms", milliseconds(stall->lasted));
    json_bool(j, "over", stall->over != STALL_GOES_ON);
    if (stall->over == STALL_KILLED)
        json_bool(j, "killed", true);
    reply_text(j, "name", text_in(stall->name, sizeof stall->name));
    reply_text(j, "handler", text_in(stall->handler, sizeof stall->handler));
    reply_text(j, "route", text_in(stall->route, sizeof stall->route));
    reply_text(j, "request", text_in(stall->request, sizeof stall->request));
    reply_text(j, "cause", text_in(stall->cause, sizeof stall->cause));
    reply_lines(j, "trace", text_in(stall->trace, sizeof stall->trace));
    json_close(j, '}');
}

/* One that is being written at this moment is left out. */
static void put_place(struct json *j, const struct place *place)
{
    struct stall stall;
    if (stall_read(scoreboard_stalls(&place->generation->board, place->worker), place->index, &stall))
        put_stall(j, place, &stall);
}

void stalls_verb(void *server, struct control_request *request)
{
    const struct master *m = server;
    struct place *places = calloc(count_workers(m) * STALLS_KEPT + 1, sizeof *places);
    size_t count = places ? find_all(m, places) : 0, shown = count < STALLS_SHOWN ? count : STALLS_SHOWN;
    size_t room = ROOM + shown * (ROOM + ESCAPED * sizeof(struct stall));
    char *text = places ? malloc(room) : NULL;
    if (text) {
        struct out o = out_on(text, room);
        struct json j = reply_begin(&o);
        qsort(places, count, sizeof *places, newest_first);
        json_open(&j, "stalls", '[');
        for (size_t i = 0; i < shown; i++)
            put_place(&j, &places[i]);
        json_close(&j, ']');
        reply_finish(&j, request);
    } else {
        reply_without_memory(request);
    }
    free(text);
    free(places);
}
