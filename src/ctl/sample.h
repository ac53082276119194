/* sample.h: what workers had counted at a moment, and what they have done between two of them.
 *
 * A worker is known by its generation and its place in it. One that was not there before, or has counted less than
 * before, has begun anew: all that it has counted is of this interval.
 */
#ifndef TERN_CTL_SAMPLE_H
#define TERN_CTL_SAMPLE_H

#include <stdio.h>

#include "base/histogram.h"
#include "ctl/answer.h"

enum sample_count {
    SAMPLE_INDEX,
    SAMPLE_PID,
    SAMPLE_GENERATION,
    SAMPLE_CONNECTIONS,
    SAMPLE_IDLE,
    SAMPLE_THREADS,
    SAMPLE_WAITING,
    SAMPLE_READY,
    SAMPLE_STALLS,
    SAMPLE_SLOW,
    SAMPLE_REQUESTS,
    SAMPLE_ACCEPTED,
    SAMPLE_COUNTS
};

struct sample_worker {
    uint64_t counts[SAMPLE_COUNTS];
    char state[16];
    struct histogram latency, lag;
};

struct sample {
    uint64_t at; /* milliseconds of the server's clock */
    struct sample_worker *workers;
    size_t count;
};

/* Takes an answer to `top` apart. 0; -EBADMSG: it is none; -ENOMEM. */
int sample_read(struct sample *sample, const struct answer *answer) __attribute__((warn_unused_result));

void sample_free(struct sample *sample);

/* Prints a line for each worker, below one for all of them if there are several: rates, quantiles and shares are those
 * of the time since `before`; NULL: they are not known yet. Columns that matter less are left out until what is left is
 * no wider than `width`. 0 or -ENOMEM. */
int sample_print(FILE *f, const struct sample *sample, const struct sample *before, size_t width)
    __attribute__((warn_unused_result));

#endif
