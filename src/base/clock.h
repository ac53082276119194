/* clock.h: time as tern counts it: nanoseconds of the monotonic clock, in a signed 64-bit integer. */
#ifndef TERN_BASE_CLOCK_H
#define TERN_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

typedef int64_t nsec; /* a duration, or a point in time, by context */

#define NSEC_MS ((nsec)1000000)
#define NSEC_SEC ((nsec)1000000000)
#define NSEC_NEVER INT64_MAX /* as a deadline: wait for ever */

static inline nsec clock_read(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (nsec)t.tv_sec * NSEC_SEC + t.tv_nsec;
}

static inline nsec clock_monotonic(void)
{
    return clock_read(CLOCK_MONOTONIC);
}

/* start + duration, and "never" rather than an overflow. */
static inline nsec nsec_add(nsec start, nsec duration)
{
    nsec sum;
    return __builtin_add_overflow(start, duration, &sum) ? NSEC_NEVER : sum;
}

#endif
