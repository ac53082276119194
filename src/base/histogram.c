/* histogram.c: see histogram.h. */
#include "base/histogram.h"

uint64_t histogram_bound(unsigned bucket)
{
    if (bucket < 8)
        return bucket + 1;
    unsigned octave = bucket / 8 + 2;
    return (uint64_t)(bucket % 8 + 9) << (octave - 3);
}

uint64_t histogram_count(const struct histogram *histogram)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        count += histogram->buckets[i];
    return count;
}

uint64_t histogram_quantile(const struct histogram *histogram, double share)
{
    uint64_t count = histogram_count(histogram), below = 0;
    if (count == 0)
        return 0;
    double wanted = share * (double)count;
    unsigned bucket = 0;
    for (; bucket < HISTOGRAM_BUCKETS - 1; bucket++) {
        below += histogram->buckets[bucket];
        if (below > 0 && (double)below >= wanted)
            break;
    }
    return histogram_bound(bucket);
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    into->sum += from->sum;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        into->buckets[i] += from->buckets[i];
}

void histogram_subtract(struct histogram *from, const struct histogram *earlier)
{
    from->sum -= earlier->sum;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        from->buckets[i] -= earlier->buckets[i];
}
