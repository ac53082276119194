/* h2_budget.h: what a peer may cost.
 *
 * In HTTP/2 a few bytes can make work: frames that mean nothing, requests that are taken back as soon as they are made
 * (CVE-2023-44487), mistakes that make the server take them back (CVE-2025-8671). Each connection has points, which
 * come back with time; what is work without use costs some, and what is useful gives some back, since a busy
 * connection has its honest share of small frames. A peer that has none left is told to calm down, and cut off.
 */
#ifndef TERN_HTTP_H2_BUDGET_H
#define TERN_HTTP_H2_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"

enum h2_event {
    H2_OTHER,      /* frames that are unknown, or out of place */
    H2_EMPTY_DATA, /* a frame of content without content, but for padding, which is not the last one */
    H2_PRIORITY,   /* RFC 7540's, which means nothing here, or RFC 9218's */
    H2_RST_STREAM, /* of any stream ... */
    H2_TAKEN_BACK, /* ... and in addition, of a request that was not answered yet */
    H2_SETTINGS,
    H2_PING,
    H2_WINDOW_UPDATE,
    H2_CONTINUATION,
    H2_MISTAKE,   /* for which a stream had to be reset */
    H2_DATA_SENT, /* a frame of content worth the name: its receiver may well open windows for it */
    H2_ANSWERED,  /* a response, to its end */
    H2_EVENTS,
};

struct h2_budget {
    int points;
    int windows; /* that were opened, and paid for, and for which no content has been sent yet */
    nsec as_of;
};

void h2_budget_init(struct h2_budget *budget);

/* An event has come to pass. False: the budget is spent. */
bool h2_budget_charge(struct h2_budget *budget, enum h2_event event);

/* A frame of n bytes of content was sent. One that is hardly more than its head gives back no more than what opening
 * the windows for it has cost. */
void h2_budget_sent(struct h2_budget *budget, size_t n);

#endif
