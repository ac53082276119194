/* sample_test.c: what workers have done between two looks at them. */
#include "ctl/sample.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

static int read_line(struct sample *sample, const char *line)
{
    struct answer *answer = answer_read(str_of(line));
    cr_assert_not_null(answer, "%s", line);
    int error = sample_read(sample, answer);
    answer_free(answer);
    return error;
}

static struct sample sample_of(const char *line)
{
    struct sample sample;
    cr_assert_eq(read_line(&sample, line), 0, "%s", line);
    return sample;
}

Test(sample, rejects)
{
    static const char *const table[] = {"{}", "{\"at_ms\":0,\"workers\":[]}", "{\"at_ms\":\"1\"}",
                                        "{\"workers\":[{}]}"};
    struct sample sample;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        cr_expect_eq(read_line(&sample, table[i]), -EBADMSG, "%s", table[i]);
}

Test(sample, what_a_server_says_is_not_believed)
{
    struct sample sample = sample_of("{\"at_ms\":1,\"workers\":[null,7,{\"state\":\"\\u001b[2Jserving and more\","
                                     "\"latency\":[[240,1],[5000000000,1],[239,2],[-1,3],7],\"lag\":{}}]}");
    cr_assert_eq(sample.count, 3);
    cr_expect_str_eq(sample.workers[0].state, "");
    cr_expect_str_eq(sample.workers[2].state, "???"
                                              "?serving?and");
    cr_expect_eq(sample.workers[2].latency.buckets[239], 2);
    cr_expect_eq(histogram_count(&sample.workers[2].lag), 0);
    sample_free(&sample);
}

/* ---- what is shown ---- */

static void expect_shown(const char *before, const char *now, size_t width, const char *expected)
{
    char *text;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    struct sample earlier = {.at = 0}, sample = sample_of(now);
    if (before)
        earlier = sample_of(before);
    cr_assert_not_null(f);
    cr_expect_eq(sample_print(f, &sample, before ? &earlier : NULL, width), 0);
    cr_assert_eq(fclose(f), 0);
    cr_expect_str_eq(text, expected);
    sample_free(&sample);
    sample_free(&earlier);
    free(text);
}

#define LINE(at, workers) "{\"at_ms\":" at ",\"workers\":[" workers "]}"
#define WORKER(index, generation, requests, accepted, latency)                                                         \
    "{\"index\":" index ",\"pid\":7,\"generation\":" generation ",\"state\":\"serving\",\"connections\":5,\"idle\":4," \
    "\"accepted\":" accepted ",\"requests\":" requests ",\"threads\":9,\"waiting\":8,\"ready\":1,\"stalls\":2,"        \
    "\"slow\":3,\"latency\":[" latency "],\"lag\":[[3," requests "]]}"

/* Few columns tell enough. */
enum { NARROW = 1 };

Test(sample, a_first_look_knows_no_rates)
{
    expect_shown(
        NULL, LINE("1000", WORKER("0", "1", "500", "10", "[4,500]")), SIZE_MAX,
        "WORKER  PID  GEN  STATE    REQ/S  P50  P99  P99.9  LAG99  OPEN  IDLE  SHARE  THREADS  WAITING  READY  "
        "STALLS  SLOW\n"
        "     0    7    1  serving      -    -    -      -      -     5     4   100%        9        8      1  "
        "     2     3\n");
}

Test(sample, rates_quantiles_and_shares_are_of_the_interval)
{
    expect_shown(
        LINE("1000", WORKER("0", "1", "500", "10", "[4,500]") "," WORKER("1", "1", "100", "90", "[80,100]")),
        LINE("3000", WORKER("0", "1", "1500", "13", "[4,500],[5,1000]") "," WORKER("1", "1", "100", "91", "[80,100]")),
        SIZE_MAX,
        "WORKER  PID  GEN  STATE    REQ/S  P50  P99  P99.9  LAG99  OPEN  IDLE  SHARE  THREADS  WAITING  READY  "
        "STALLS  SLOW\n"
        "   all                       500  6us  6us    6us    4us    10     8   100%       18       16      2  "
        "     4     6\n"
        "     0    7    1  serving    500  6us  6us    6us    4us     5     4    75%        9        8      1  "
        "     2     3\n"
        "     1    7    1  serving      0    -    -      -      -     5     4    25%        9        8      1  "
        "     2     3\n");
}

Test(sample, without_new_connections_shares_are_of_all_so_far)
{
    static const char workers[] = LINE("2000", WORKER("0", "1", "1", "30", "") "," WORKER("1", "1", "1", "10", ""));
    struct sample sample = sample_of(workers);
    char *text;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    cr_expect_eq(sample_print(f, &sample, &sample, SIZE_MAX), 0);
    fclose(f);
    cr_expect(strstr(text, "  100%  ") && strstr(text, "   75%  ") && strstr(text, "   25%  "), "%s", text);
    free(text);
    sample_free(&sample);
}

/* Another worker, another generation, and one that has counted less than before: all of them are new. */
Test(sample, who_is_new_begins_at_zero)
{
    static const char before[] = LINE("1000", WORKER("0", "1", "500", "10", "[4,500]"));
    expect_shown(before, LINE("2000", WORKER("1", "1", "600", "10", "[5,600]")), NARROW,
                 "WORKER  REQ/S  P99  OPEN\n     1    600  6us     5\n");
    expect_shown(before, LINE("2000", WORKER("0", "2", "600", "10", "[5,600]")), NARROW,
                 "WORKER  REQ/S  P99  OPEN\n     0    600  6us     5\n");
    expect_shown(before, LINE("2000", WORKER("0", "1", "400", "10", "[5,400]")), NARROW,
                 "WORKER  REQ/S  P99  OPEN\n     0    400  6us     5\n");
    expect_shown(before, LINE("2000", WORKER("0", "1", "600", "9", "[5,600]")), NARROW,
                 "WORKER  REQ/S  P99  OPEN\n     0    600  6us     5\n");
}

Test(sample, durations_have_two_or_three_digits)
{
    static const struct {
        const char *bucket, *shown;
    } table[] = {{"[0,1]", "1us"},    {"[63,1]", "1.0ms"}, {"[62,1]", "960us"},
                 {"[87,1]", "8.2ms"}, {"[100,1]", "27ms"}, {"[140,1]", "852ms"},
                 {"[144,1]", "1.2s"}, {"[170,1]", "12s"},  {"[239,1]", "4295s"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char line[512], *text;
        size_t size;
        snprintf(line, sizeof line, "{\"at_ms\":2,\"workers\":[{\"latency\":[%s]}]}", table[i].bucket);
        struct sample sample = sample_of(line), before = {.at = 1};
        FILE *f = open_memstream(&text, &size);
        cr_expect_eq(sample_print(f, &sample, &before, NARROW), 0);
        fclose(f);
        cr_expect(strstr(text, table[i].shown), "%s: %s", table[i].shown, text);
        free(text);
        sample_free(&sample);
    }
}

Test(sample, columns_are_left_out_until_it_fits)
{
    struct sample sample = sample_of(LINE("1", WORKER("0", "1", "1", "1", "")));
    size_t last = SIZE_MAX;
    for (size_t width = 200; width > 0; width -= 5) {
        char *text;
        size_t size;
        FILE *f = open_memstream(&text, &size);
        cr_expect_eq(sample_print(f, &sample, NULL, width), 0);
        fclose(f);
        size_t n = strcspn(text, "\n");
        cr_expect(n <= width || n == strlen("WORKER  REQ/S  P99  OPEN"), "%zu: %s", width, text);
        cr_expect_leq(n, last);
        last = n;
        free(text);
    }
    sample_free(&sample);
}

Test(sample, no_workers_at_all)
{
    expect_shown(NULL, LINE("1", ""), NARROW, "WORKER  REQ/S  P99  OPEN\n");
}
