/* metrics_text_test.c: lines of Prometheus' text format: escapes, seconds, buckets, and pieces. */
#include "handler/metrics_text.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "../green/run.h"
#include "answer.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static struct answer answer;
static struct metrics_text *text;

static void begin(void)
{
    answer_begin(&answer, METHOD_GET, "/metrics", NULL, NULL);
    cr_assert_eq(http_head(&answer.x, 200, STR(""), HTTP_LENGTH_UNKNOWN), 0);
    text = malloc(sizeof *text);
    cr_assert_not_null(text);
    metrics_text_init(text, &answer.x);
    metrics_family(text, "n", "gauge", "h");
}

static void end(void)
{
    free(text);
    answer_end(&answer);
}

/* What is written in between, without the lines of the family. */
static struct str written(void)
{
    cr_assert_eq(metrics_text_finish(text), 0);
    struct str all = answer_content(&answer);
    (void)str_cut(&all, '\n');
    (void)str_cut(&all, '\n');
    return all;
}

/* ---- labels ---- */

static const struct {
    const char *value, *line;
} values[] = {
    {"", "n{a=\"\"} 7\n"},
    {"/x", "n{a=\"/x\"} 7\n"},
    {"\\", "n{a=\"\\\\\"} 7\n"},
    {"\"", "n{a=\"\\\"\"} 7\n"},
    {"\n", "n{a=\"\\n\"} 7\n"},
    {"\\n", "n{a=\"\\\\n\"} 7\n"},
    {"a\"} 1\nb{c=\"", "n{a=\"a\\\"} 1\\nb{c=\\\"\"} 7\n"},
    {"\t{,}=# ", "n{a=\"\t{,}=# \"} 7\n"},
    {"\xc3\xa4", "n{a=\"\xc3\xa4\"} 7\n"},
    {"\xff\xc3", "n{a=\"\xef\xbf\xbd\xef\xbf\xbd\"} 7\n"},
};

GreenTest(metrics_text, values_of_labels_are_escaped, .stack = 256 * 1024)
{
    for (size_t i = 0; i < COUNT(values); i++) {
        begin();
        metrics_sample(text, &(struct metrics_labels){.v = {{"a", str_of(values[i].value)}}, .n = 1}, 7);
        struct str got = written();
        cr_expect(str_eq(got, str_of(values[i].line)), STR_FMT, STR_ARG(got));
        end();
    }
}

GreenTest(metrics_text, numbers_and_several_labels, .stack = 256 * 1024)
{
    begin();
    metrics_sample(text, &(struct metrics_labels){.n = 0}, 0);
    metrics_sample(text, &(struct metrics_labels){.v = {{"a", STR("1")}, {"b", STR("2")}}, .n = 2}, UINT64_MAX);
    struct str got = written();
    cr_expect(str_eq(got, STR("n 0\nn{a=\"1\",b=\"2\"} 18446744073709551615\n")), STR_FMT, STR_ARG(got));
    cr_expect(answer_has(&answer, "# HELP n h\n# TYPE n gauge\n"));
    end();
}

/* ---- histograms ---- */

GreenTest(metrics_text, buckets_are_cumulated, .stack = 256 * 1024)
{
    static const uint32_t bounds[] = {1, 250, 1000000, 2500000};
    static const uint64_t counts[] = {1, 0, 5, 0, 2};
    const struct metrics_labels label = {.v = {{"a", STR("x")}}, .n = 1}, none = {.n = 0};
    begin();
    metrics_spread(text, &label, &(struct metrics_spread){bounds, counts, 4, 12345600});
    metrics_spread(text, &none, &(struct metrics_spread){bounds, counts, 0, 0});
    struct str got = written();
    cr_expect(str_eq(got, STR("n_bucket{a=\"x\",le=\"0.000001\"} 1\nn_bucket{a=\"x\",le=\"0.00025\"} 1\n"
                              "n_bucket{a=\"x\",le=\"1\"} 6\nn_bucket{a=\"x\",le=\"2.5\"} 6\n"
                              "n_bucket{a=\"x\",le=\"+Inf\"} 8\nn_sum{a=\"x\"} 12.3456\nn_count{a=\"x\"} 8\n"
                              "n_bucket{le=\"+Inf\"} 1\nn_sum 0\nn_count 1\n")),
              STR_FMT, STR_ARG(got));
    end();
}

/* What takes less than a bound is below it, and what takes as long or longer is not: no count is moved. */
Test(metrics_text, condensed_histograms_are_exact)
{
    for (size_t i = 0; i < METRICS_BOUNDS; i++) {
        struct histogram histogram = {.sum = 0};
        uint64_t counts[METRICS_BOUNDS + 1];
        histogram_add(&histogram, (nsec)metrics_bounds[i] * 1000 - 1);
        histogram_add(&histogram, (nsec)metrics_bounds[i] * 1000);
        histogram_add(&histogram, (nsec)metrics_bounds[i] * 1000);
        metrics_condense(&histogram, counts);
        cr_expect_eq(counts[i], 1, "%zu: %llu", i, (unsigned long long)counts[i]);
        cr_expect_eq(counts[i + 1], 2, "%zu: %llu", i, (unsigned long long)counts[i + 1]);
    }
    struct histogram longest = {.buckets = {[HISTOGRAM_BUCKETS - 1] = 3, [0] = 4}};
    uint64_t counts[METRICS_BOUNDS + 1];
    metrics_condense(&longest, counts);
    cr_expect_eq(counts[0], 4);
    cr_expect_eq(counts[METRICS_BOUNDS], 3);
}

/* ---- pieces ---- */

enum { LINES = 20000 };

static int count_turns(void *arg)
{
    size_t *turns = arg;
    while (green_yield() == 0)
        (*turns)++;
    return 0;
}

GreenTest(metrics_text, others_run_between_pieces, .stack = 256 * 1024)
{
    size_t turns = 0;
    begin();
    struct green *other = run_spawn(count_turns, &turns);
    for (uint64_t i = 0; i < LINES; i++)
        metrics_sample(text, &(struct metrics_labels){.n = 0}, i);
    struct str got = written();
    for (uint64_t i = 0; i < LINES; i++) {
        struct str line = str_cut(&got, '\n');
        cr_assert_eq(strtoull(line.p + 2, NULL, 10), i, STR_FMT, STR_ARG(line));
    }
    cr_expect_eq(got.n, 0);
    cr_expect_eq(answer.pieces, answer.n / METRICS_PIECE + 1);
    cr_expect_geq(turns, answer.pieces - 2, "others have had %zu turns in %zu pieces", turns, answer.pieces);
    end();
    green_cancel(other);
    cr_expect_eq(run_join(other), 0);
}

GreenTest(metrics_text, the_first_error_counts, .stack = 256 * 1024)
{
    begin();
    answer.fail_from = 2;
    for (uint64_t i = 0; i < LINES; i++)
        metrics_sample(text, &(struct metrics_labels){.n = 0}, i);
    cr_expect_eq(metrics_text_finish(text), -ECONNRESET);
    cr_expect_eq(answer.pieces, 2, "nothing is sent after an error");
    end();
}
