/* status_sample.h: what the workers have done since the last look, and what they do now, as an event with JSON.
 *
 *     {"version": "0.1.0", "generation": 2, "uptime_ms": 5000, "at_ms": 123456, "latency": {SPAN}, "lag": {SPAN},
 *      "workers": [{"connections": 4, "idle": 1, "accepted": 9, "requests": 20, "threads": 12, "waiting": 10,
 *                   "ready": 1, "stalls": 0, "slow": 0, "cut": 0, "latency": {SPAN}, "lag": {SPAN}}]}
 *
 * Numbers of a worker are those of base/scoreboard.h: what only grows is told as it stands, since the last stream may
 * have ended in between. A span is {"count": 3, "p50": 120, "p99": 250, "p999": 250}: of what has ended since the last
 * look, in microseconds; the first one has none.
 */
#ifndef TERN_HANDLER_STATUS_SAMPLE_H
#define TERN_HANDLER_STATUS_SAMPLE_H

#include "base/arena.h"
#include "base/out.h"

struct scoreboard;

struct status_sampler {
    const struct scoreboard *board;
    struct status_span *before; /* of each worker, since it has started, at the last look */
    bool begun;                 /* there was one */
    char *text;
    size_t size;
};

/* Its memory is the arena's: for a board, which may be NULL. 0 or -ENOMEM. */
int status_sampler_init(struct status_sampler *s, struct arena *arena, const struct scoreboard *board)
    __attribute__((warn_unused_result));

/* Looks. The event, with its name and the blank line at its end, is good until the next look. */
struct str status_sample(struct status_sampler *s);

#endif
