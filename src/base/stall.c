/* stall.c: see stall.h. */
#include "base/stall.h"

#include <stdatomic.h>
#include <string.h>

static void write_record(struct stall_record *record, const struct stall *stall)
{
    uint64_t writing = record->version | 1; /* it is odd already where a worker died while it wrote */
    __atomic_store_n(&record->version, writing, __ATOMIC_RELAXED);
    atomic_thread_fence(memory_order_release);
    memcpy(&record->stall, stall, sizeof *stall);
    __atomic_store_n(&record->version, writing + 1, __ATOMIC_RELEASE);
}

void stall_write(struct stall_log *log, const struct stall *stall)
{
    write_record(&log->records[stall->number % STALLS_KEPT], stall);
    if (log->count < stall->number)
        __atomic_store_n(&log->count, stall->number, __ATOMIC_RELAXED);
}

bool stall_read(const struct stall_log *log, size_t index, struct stall *stall)
{
    if (index >= STALLS_KEPT)
        return false;
    const struct stall_record *record = &log->records[index];
    uint64_t before = __atomic_load_n(&record->version, __ATOMIC_ACQUIRE);
    memcpy(stall, &record->stall, sizeof *stall);
    atomic_thread_fence(memory_order_acquire);
    uint64_t after = __atomic_load_n(&record->version, __ATOMIC_RELAXED);
    return before == after && before % 2 == 0 && stall->number > 0;
}

void stall_end_all(struct stall_log *log, uint64_t pid)
{
    struct stall stall;
    for (size_t i = 0; i < STALLS_KEPT; i++) {
        if (!stall_read(log, i, &stall) || stall.pid != pid || stall.over != STALL_GOES_ON)
            continue;
        stall.over = STALL_KILLED;
        write_record(&log->records[i], &stall);
    }
}
