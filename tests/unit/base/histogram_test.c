/* histogram_test.c: buckets, their bounds, quantiles. */
#include "base/histogram.h"

#include <criterion/criterion.h>

#define US (NSEC_MS / 1000)

static struct histogram h;

Test(histogram, every_duration_is_below_the_bound_of_its_bucket_and_not_below_the_one_before)
{
    for (uint64_t us = 0; us < (uint64_t)1 << 31; us += us / 64 + 1) {
        unsigned bucket = histogram_bucket((nsec)us * US);
        cr_assert_lt(us, histogram_bound(bucket), "%llu", (unsigned long long)us);
        if (bucket)
            cr_assert_geq(us, histogram_bound(bucket - 1), "%llu", (unsigned long long)us);
    }
}

Test(histogram, a_bucket_is_an_eighth_of_its_value_wide_at_most)
{
    for (unsigned i = 8; i < HISTOGRAM_BUCKETS; i++)
        cr_expect_leq((histogram_bound(i) - histogram_bound(i - 1)) * 8, histogram_bound(i - 1));
}

Test(histogram, what_is_out_of_range_is_in_the_last_and_the_first)
{
    histogram_add(&h, NSEC_NEVER);
    histogram_add(&h, -1);
    cr_expect_eq(h.buckets[HISTOGRAM_BUCKETS - 1], 1);
    cr_expect_eq(h.buckets[0], 1);
    cr_expect_eq(histogram_count(&h), 2);
}

Test(histogram, quantiles)
{
    cr_expect_eq(histogram_quantile(&h, 0.5), 0, "of nothing");
    for (int i = 0; i < 990; i++)
        histogram_add(&h, 5 * US);
    for (int i = 0; i < 10; i++)
        histogram_add(&h, 1000 * US);
    cr_expect_eq(histogram_quantile(&h, 0.5), 6);
    cr_expect_eq(histogram_quantile(&h, 0.99), 6);
    cr_expect_eq(histogram_quantile(&h, 0.991), histogram_bound(histogram_bucket(1000 * US)));
    cr_expect_eq(histogram_quantile(&h, 1), histogram_bound(histogram_bucket(1000 * US)));
    cr_expect_eq(h.sum, 990 * 5 + 10 * 1000);
}

Test(histogram, what_is_merged_can_be_subtracted)
{
    struct histogram a = {0}, b = {0};
    histogram_add(&a, 3 * US);
    histogram_add(&b, 3 * US);
    histogram_add(&b, 77 * US);
    histogram_merge(&a, &b);
    cr_expect_eq(histogram_count(&a), 3);
    cr_expect_eq(a.sum, 83);
    histogram_subtract(&a, &b);
    cr_expect_eq(histogram_count(&a), 1);
    cr_expect_eq(a.sum, 3);
    cr_expect_eq(a.buckets[3], 1);
}
