/* times_test.c: the arithmetic of a request's times, and how they are written. */
#include "http/times.h"

#include "../green/run.h"
#include "log/access_format.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* ---- where the time went ---- */

struct row {
    const char *what;
    struct http_times times;
    struct green_spent now;
    struct access_times expected;
    nsec other;
};

static const struct row rows[] = {
    {"refused before its head was whole", {.begun = 100}, {.at = 150, .running = 7}, {.total = 50, .header = 50}, 0},
    {"no thread has served it",
     {.begun = 100, .read = 110},
     {.at = 150, .running = 7, .queue = 3},
     {.total = 50, .header = 10, .queue = 40},
     0},
    {"served at once",
     {.begun = 100, .read = 100, .before = {.at = 100}},
     {.at = 150, .running = 50},
     {.total = 50, .cpu = 50},
     0},
    {"what its thread had spent before is not its own",
     {.begun = 100,
      .read = 120,
      .before = {.at = 120, .running = 1000, .queue = 2000, .pool = 3000, .client = 4000, .upstream = 5000}},
     {.at = 220, .running = 1001, .queue = 2002, .pool = 3003, .client = 4004, .upstream = 5005},
     {.total = 120, .header = 20, .queue = 2, .cpu = 1, .pool = 3, .upstream = 5, .client = 4},
     85},
    {"threads that it has joined waited at once",
     {.begun = 100, .read = 100, .before = {.at = 100}},
     {.at = 150, .upstream = 150},
     {.total = 50, .upstream = 150},
     0},
};

static void expect_same(const struct row *row, const struct access_times *spent)
{
    const struct access_times *e = &row->expected;
    cr_expect_eq(spent->total, e->total, "%s", row->what);
    cr_expect_eq(spent->header, e->header, "%s", row->what);
    cr_expect_eq(spent->queue, e->queue, "%s", row->what);
    cr_expect_eq(spent->cpu, e->cpu, "%s", row->what);
    cr_expect_eq(spent->pool, e->pool, "%s", row->what);
    cr_expect_eq(spent->upstream, e->upstream, "%s", row->what);
    cr_expect_eq(spent->client, e->client, "%s", row->what);
    cr_expect_eq(http_times_other(spent), row->other, "%s", row->what);
}

Test(times, where_they_went)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct access_times spent = http_times_until(&rows[i].times, &rows[i].now);
        expect_same(&rows[i], &spent);
    }
}

/* ---- the moment when a thread begins to serve ---- */

GreenTest(times, a_turn_that_was_waited_for_is_the_queue, .accounts = true)
{
    struct green_spent self = green_spent();
    struct http_times times = {.begun = self.at - 50};
    http_times_start(&times, self.at - 30);
    struct access_times spent = http_times_until(&times, &self);
    cr_expect_eq(spent.header, 20);
    cr_expect_eq(spent.queue, 30);
    cr_expect_eq(spent.total, 50);
    cr_expect_eq(spent.cpu, 0);
}

GreenTest(times, a_thread_that_runs_already_waits_for_nothing, .accounts = true)
{
    struct green_spent self = green_spent();
    struct http_times times = {.begun = self.at};
    http_times_start(&times, 0);
    struct access_times spent = http_times_until(&times, &self);
    cr_expect_eq(spent.header, 0);
    cr_expect_eq(spent.queue, 0);
}

/* ---- as text ---- */

static const struct {
    nsec duration;
    const char *text;
} durations[] = {
    {0, "0.0"},         {NSEC_MS / 10 - 1, "0.0"},      {NSEC_MS / 10, "0.1"}, {NSEC_MS, "1.0"},
    {12345678, "12.3"}, {3600 * NSEC_SEC, "3600000.0"}, {-1, "0.0"},
};

Test(times, durations)
{
    for (size_t i = 0; i < COUNT(durations); i++) {
        char text[32];
        struct out o = out_on(text, sizeof text);
        http_times_put(&o, durations[i].duration);
        cr_expect(str_eq(out_str(&o), str_of(durations[i].text)), STR_FMT, STR_ARG(out_str(&o)));
    }
}

Test(times, all_accounts)
{
    char text[256];
    struct out o = out_on(text, sizeof text);
    const struct access_times times = {.total = 99 * NSEC_MS,
                                       .header = NSEC_MS,
                                       .queue = 2 * NSEC_MS,
                                       .cpu = 3 * NSEC_MS,
                                       .pool = 4 * NSEC_MS,
                                       .upstream = 5 * NSEC_MS,
                                       .client = 6 * NSEC_MS};
    http_times_put_all(&o, &times, STR("="));
    cr_expect(str_eq(out_str(&o), STR("header=1.0, queue=2.0, cpu=3.0, pool=4.0, upstream=5.0, client=6.0")), STR_FMT,
              STR_ARG(out_str(&o)));
    cr_expect_eq(http_times_other(&times), 78 * NSEC_MS);
}
