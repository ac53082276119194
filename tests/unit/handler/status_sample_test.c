/* status_sample_test.c: what is told of a board from one look to the next. */
#include "handler/status_sample.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "base/scoreboard.h"
#include "base/version.h"
#include "http/inspect.h"

enum { WORKERS = 2 };

static struct arena arena;
static struct scoreboard board;
static struct status_sampler sampler;

static void setup(void)
{
    arena_init(&arena, NULL, 0);
    cr_assert_eq(scoreboard_open(&board, WORKERS, 1), 0);
    http_inspection = (struct http_inspection){.board = &board, .generation = 3, .started = clock_monotonic()};
    cr_assert_eq(status_sampler_init(&sampler, &arena, &board), 0);
}

static void teardown(void)
{
    scoreboard_close(&board);
    arena_clear(&arena);
}

TestSuite(status_sample, .init = setup, .fini = teardown);

static bool has(struct str text, const char *part)
{
    return memmem(text.p, text.n, part, strlen(part)) != NULL;
}

#define expect_part(text, part) cr_expect(has((text), (part)), "%s is not in " STR_FMT, (part), STR_ARG(text))
#define SPAN(count, quantile) "{\"count\":" count ",\"p50\":" quantile ",\"p99\":" quantile ",\"p999\":" quantile "}"

Test(status_sample, numbers_as_they_stand)
{
    *scoreboard_slot(&board, 1) = (struct score){.connections = 1,
                                                 .idle = 2,
                                                 .threads = 3,
                                                 .waiting = 4,
                                                 .ready = 5,
                                                 .accepted = 6,
                                                 .requests = 7,
                                                 .cut = 8,
                                                 .stalls = 9,
                                                 .slow = 10};
    struct str text = status_sample(&sampler);
    expect_part(text, "event: sample\ndata: {\"version\":\"" TERN_VERSION "\",\"generation\":3,\"uptime_ms\":");
    expect_part(text, "{\"connections\":1,\"idle\":2,\"accepted\":6,\"requests\":7,\"threads\":3,\"waiting\":4,"
                      "\"ready\":5,\"stalls\":9,\"slow\":10,\"cut\":8,\"latency\":" SPAN("0", "0"));
}

/* Nobody has looked before the first look, so nothing has been since then. */
Test(status_sample, spans_are_of_what_was_since_the_last_look)
{
    struct score *score = scoreboard_slot(&board, 0);
    histogram_add(&score->latency, NSEC_SEC);
    struct str text = status_sample(&sampler);
    expect_part(text, "],\"latency\":" SPAN("0", "0") ",\"lag\":" SPAN("0", "0") "}");
    histogram_add(&score->latency, 5 * 1000);
    histogram_add(&scoreboard_slot(&board, 1)->latency, 5 * 1000);
    histogram_add(&score->lag, 2 * 1000);
    text = status_sample(&sampler);
    expect_part(text, "\"cut\":0,\"latency\":" SPAN("1", "6") ",\"lag\":" SPAN("1", "3") "}");
    expect_part(text, "],\"latency\":" SPAN("2", "6") ",\"lag\":" SPAN("1", "3") "}");
    text = status_sample(&sampler);
    expect_part(text, "],\"latency\":" SPAN("0", "0") ",\"lag\":" SPAN("0", "0") "}");
}

Test(status_sample, the_largest_numbers_fit)
{
    for (size_t i = 0; i < WORKERS; i++)
        memset(scoreboard_slot(&board, i), 0xff, sizeof(struct score));
    struct str text = status_sample(&sampler);
    expect_part(text, "\"cut\":18446744073709551615,");
    cr_expect(str_ends(text, STR("}\n\n")), "cut short: " STR_FMT, STR_ARG(text));
}

Test(status_sample, no_board)
{
    struct status_sampler none;
    cr_assert_eq(status_sampler_init(&none, &arena, NULL), 0);
    expect_part(status_sample(&none), "\"workers\":[],\"latency\":" SPAN("0", "0"));
}
