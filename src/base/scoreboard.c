/* scoreboard.c: see scoreboard.h. A slot is whole pages: the worker's counters, its stalls, its routes. */
#include "base/scoreboard.h"

#include <errno.h>
#include <sys/mman.h>

enum { PAGE = 4096, ALIGNMENT = 128 };

const uint32_t scoreboard_bounds[ROUTE_BOUNDS] = {100,   250,    500,    1000,   2500,    5000,    10000,   25000,
                                                  50000, 100000, 250000, 500000, 1000000, 2500000, 10000000};

_Static_assert(_Alignof(struct score) == sizeof(uint64_t), "a copy may lie in any memory, an arena's say");

/* Where the parts of a slot begin. */
static const size_t stalls_at = sizeof(struct score);
static const size_t routes_at =
    (sizeof(struct score) + sizeof(struct stall_log) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;

int scoreboard_open(struct scoreboard *board, size_t count, size_t routes)
{
    size_t slot, size;
    if (__builtin_mul_overflow(routes, sizeof(struct route_score), &slot) ||
        __builtin_add_overflow(slot, routes_at + PAGE - 1, &slot))
        return -ENOMEM;
    slot = slot / PAGE * PAGE;
    if (__builtin_mul_overflow(count, slot, &size) || size == 0)
        return -ENOMEM;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return -ENOMEM;
    board->memory = memory;
    board->count = count;
    board->routes = routes;
    board->slot = slot;
    return 0;
}

void scoreboard_close(struct scoreboard *board)
{
    if (board->memory)
        munmap(board->memory, board->count * board->slot);
    *board = (struct scoreboard){.memory = NULL};
}

struct score *scoreboard_slot(const struct scoreboard *board, size_t index)
{
    return (struct score *)(void *)(board->memory + index * board->slot);
}

struct stall_log *scoreboard_stalls(const struct scoreboard *board, size_t index)
{
    return (struct stall_log *)(void *)(board->memory + index * board->slot + stalls_at);
}

struct route_score *scoreboard_routes(const struct scoreboard *board, size_t index)
{
    return (struct route_score *)(void *)(board->memory + index * board->slot + routes_at);
}

/* Relaxed loads say what is meant: each word is read once, at whatever moment. */
static void read_words(void *to, const void *shared, size_t size)
{
    uint64_t *word = to;
    const uint64_t *from = shared;
    for (size_t i = 0; i < size / sizeof *word; i++)
        word[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

void scoreboard_read(const struct scoreboard *board, size_t index, struct score *score)
{
    read_words(score, scoreboard_slot(board, index), sizeof *score);
}

void scoreboard_read_route(const struct scoreboard *board, size_t index, size_t route, struct route_score *score)
{
    read_words(score, &scoreboard_routes(board, index)[route], sizeof *score);
}

_Static_assert(ROUTE_BOUNDS == 15, "four comparisons find a bucket");

static unsigned find_bucket(uint64_t us)
{
    unsigned bucket = 0;
    for (unsigned step = 8; step; step /= 2)
        if (us > scoreboard_bounds[bucket + step - 1])
            bucket += step;
    return bucket;
}

void scoreboard_count(struct route_score *score, unsigned status, uint64_t bytes, nsec duration)
{
    score->classes[status / 100 < ROUTE_CLASSES ? status / 100 : 0]++;
    score->bytes += bytes;
    if (duration == SCOREBOARD_UNTIMED)
        return;
    uint64_t us = duration > 0 ? (uint64_t)duration / 1000 : 0;
    score->sum += us;
    score->buckets[find_bucket(us)]++;
}

void scoreboard_inherit(struct scoreboard *board, size_t index)
{
    struct score *score = scoreboard_slot(board, index);
    score->connections = score->idle = score->threads = score->waiting = score->ready = 0;
    score->restarts++;
}
