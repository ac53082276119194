/* sample.c: see sample.h; what is in a sample. sample_print.c shows it. */
#include "ctl/sample.h"

#include <errno.h>
#include <stdlib.h>

static const char *const keys[SAMPLE_COUNTS] = {
    [SAMPLE_INDEX] = "index",
    [SAMPLE_PID] = "pid",
    [SAMPLE_GENERATION] = "generation",
    [SAMPLE_CONNECTIONS] = "connections",
    [SAMPLE_IDLE] = "idle",
    [SAMPLE_THREADS] = "threads",
    [SAMPLE_WAITING] = "waiting",
    [SAMPLE_READY] = "ready",
    [SAMPLE_STALLS] = "stalls",
    [SAMPLE_SLOW] = "slow",
    [SAMPLE_REQUESTS] = "requests",
    [SAMPLE_ACCEPTED] = "accepted",
};

static void read_histogram(struct histogram *histogram, const struct answer *worker, const char *key)
{
    for (size_t i = 0; i < answer_count(worker, key); i++) {
        uint64_t pair[2];
        answer_pair(worker, key, i, pair);
        if (pair[0] < HISTOGRAM_BUCKETS)
            histogram->buckets[pair[0]] = pair[1];
    }
}

static void read_worker(struct sample_worker *worker, const struct answer *answer)
{
    for (size_t i = 0; i < SAMPLE_COUNTS; i++)
        worker->counts[i] = answer_u64(answer, keys[i]);
    struct str state = answer_text(answer, "state");
    for (size_t i = 0; i < state.n && i < sizeof worker->state - 1; i++)
        worker->state[i] = state.p[i] >= 'a' && state.p[i] <= 'z' ? state.p[i] : '?';
    read_histogram(&worker->latency, answer, "latency");
    read_histogram(&worker->lag, answer, "lag");
}

int sample_read(struct sample *sample, const struct answer *answer)
{
    *sample = (struct sample){.at = answer_u64(answer, "at_ms"), .count = answer_count(answer, "workers")};
    if (sample->at == 0)
        return -EBADMSG;
    sample->workers = calloc(sample->count + 1, sizeof *sample->workers);
    if (!sample->workers)
        return -ENOMEM;
    for (size_t i = 0; i < sample->count; i++)
        read_worker(&sample->workers[i], answer_item(answer, "workers", i));
    return 0;
}

void sample_free(struct sample *sample)
{
    free(sample->workers);
    *sample = (struct sample){.at = 0};
}
