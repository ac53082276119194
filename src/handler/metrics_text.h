/* metrics_text.h: a writer of Prometheus' text format, 0.0.4.
 *
 * What is written leaves in pieces, between which others run: whoever writes begins a family, writes its samples, and
 * so on with the next one. A family has one place in the text, and a set of labels stands in it once.
 *
 *     metrics_family(&t, "tern_requests_total", "counter", "Requests.");
 *     metrics_sample(&t, &(struct metrics_labels){.v = {{"class", STR("2xx")}}, .n = 1}, 12);
 *
 * The first error is kept, and nothing is written after it: look at it once, at the end.
 */
#ifndef TERN_HANDLER_METRICS_TEXT_H
#define TERN_HANDLER_METRICS_TEXT_H

#include "base/histogram.h"
#include "http/exchange.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum { METRICS_LABELS = 3, METRICS_PIECE = 16 * 1024 };

struct metrics_text {
    struct exchange *x;
    const char *family;
    struct out out;
    int error;
    char piece[METRICS_PIECE];
};

struct metrics_labels {
    struct metrics_label {
        const char *name;
        struct str value; /* any bytes: what is no UTF-8 comes out as U+FFFD */
    } v[METRICS_LABELS];
    size_t n;
};

/* How durations are spread: `counts` has a number for each bound, of those that took longer than the bound before and
 * not longer than this one, and one more for the rest. Microseconds. */
struct metrics_spread {
    const uint32_t *bounds;
    const uint64_t *counts;
    size_t n; /* of the bounds */
    uint64_t sum;
};

/* For an exchange whose head has been sent. */
void metrics_text_init(struct metrics_text *t, struct exchange *x);

/* Begins a family: its name, which must stay; counter, gauge or histogram; and a sentence without `\`. */
void metrics_family(struct metrics_text *t, const char *name, const char *type, const char *help);

void metrics_sample(struct metrics_text *t, const struct metrics_labels *labels, uint64_t value);

/* All samples of a histogram: cumulated buckets, sum and count. */
void metrics_spread(struct metrics_text *t, const struct metrics_labels *labels, const struct metrics_spread *spread);

/* Sends the rest. 0 or the first error. */
int metrics_text_finish(struct metrics_text *t) GREEN_WAITS;

/* ---- base/histogram.h in few buckets ---- */

/* Powers of two, each of which is the bound of a bucket there: nothing is counted in the wrong one. */
enum { METRICS_BOUNDS = 19 };
extern const uint32_t metrics_bounds[METRICS_BOUNDS];

void metrics_condense(const struct histogram *histogram, uint64_t counts[static METRICS_BOUNDS + 1]);

#endif
