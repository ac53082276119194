/* histogram.h: how long things take, counted by their order of magnitude.
 *
 * A bucket for each microsecond up to 8, then eight buckets for each doubling, up to an hour and more: a quantile is
 * wrong by an eighth at most, and adding is a shift and an increment. One writer counts in it; readers in other
 * processes see each count whole (base/scoreboard.h says why).
 *
 * After G. Tene's HdrHistogram.
 */
#ifndef TERN_BASE_HISTOGRAM_H
#define TERN_BASE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

enum { HISTOGRAM_BUCKETS = 240 };

struct histogram {
    uint64_t sum; /* of all, in microseconds */
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* The bucket of a duration. */
static inline unsigned histogram_bucket(nsec duration)
{
    uint64_t us = duration > 0 ? (uint64_t)duration / 1000 : 0;
    if (us < 8)
        return (unsigned)us;
    unsigned octave = 63 - (unsigned)__builtin_clzll(us),
             bucket = (octave - 2) * 8 + (unsigned)(us >> (octave - 3) & 7);
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static inline void histogram_add(struct histogram *histogram, nsec duration)
{
    histogram->sum += duration > 0 ? (uint64_t)duration / 1000 : 0;
    histogram->buckets[histogram_bucket(duration)]++;
}

/* The least number of microseconds that is too many for a bucket. */
uint64_t histogram_bound(unsigned bucket) __attribute__((const));

/* How many durations are in it. */
uint64_t histogram_count(const struct histogram *histogram) __attribute__((pure));

/* The duration, in microseconds, that a share of all (0.99, say) is less than; 0: it is empty. */
uint64_t histogram_quantile(const struct histogram *histogram, double share) __attribute__((pure));

/* Adds the counts of another one; takes away those of an earlier state of the same one. */
void histogram_merge(struct histogram *into, const struct histogram *from);
void histogram_subtract(struct histogram *from, const struct histogram *earlier);

#endif
