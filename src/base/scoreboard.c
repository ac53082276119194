/* scoreboard.c: see scoreboard.h. */
#include "base/scoreboard.h"

#include <errno.h>
#include <sys/mman.h>

int scoreboard_open(struct scoreboard *board, size_t count)
{
    size_t size;
    if (__builtin_mul_overflow(count, sizeof(struct score), &size) || size == 0)
        return -ENOMEM;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return -ENOMEM;
    board->slots = memory;
    board->count = count;
    return 0;
}

void scoreboard_close(struct scoreboard *board)
{
    if (board->slots)
        munmap(board->slots, board->count * sizeof *board->slots);
    *board = (struct scoreboard){.slots = NULL};
}

struct score *scoreboard_slot(const struct scoreboard *board, size_t index)
{
    return &board->slots[index];
}

/* Relaxed loads say what is meant: each word is read once, at whatever moment. */
struct score scoreboard_read(const struct scoreboard *board, size_t index)
{
    const struct score *slot = &board->slots[index];
    return (struct score){
        .connections = __atomic_load_n(&slot->connections, __ATOMIC_RELAXED),
        .idle = __atomic_load_n(&slot->idle, __ATOMIC_RELAXED),
        .accepted = __atomic_load_n(&slot->accepted, __ATOMIC_RELAXED),
        .requests = __atomic_load_n(&slot->requests, __ATOMIC_RELAXED),
        .cut = __atomic_load_n(&slot->cut, __ATOMIC_RELAXED),
        .access_lost = __atomic_load_n(&slot->access_lost, __ATOMIC_RELAXED),
        .beat = __atomic_load_n(&slot->beat, __ATOMIC_RELAXED),
    };
}

void scoreboard_inherit(struct scoreboard *board, size_t index)
{
    board->slots[index].connections = 0;
    board->slots[index].idle = 0;
}
