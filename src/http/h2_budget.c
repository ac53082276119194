/* h2_budget.c: see h2_budget.h. */
#include "http/h2_budget.h"

#include "green/green.h"

enum {
    POINTS = 2000, /* at most, and at first */
    RATE = 100,    /* that come back in a second */
    USEFUL = 1024, /* bytes of content in a frame */
    WINDOWS = 2,   /* that are opened for one: the stream's and the connection's */
};

/* Taking back a request: 333 at once, 16 a second for ever. A browser that leaves a page takes back some dozens. */
static const int costs[H2_EVENTS] = {
    [H2_EMPTY_DATA] = 2, [H2_PRIORITY] = 1, [H2_RST_STREAM] = 1,    [H2_TAKEN_BACK] = 5,
    [H2_SETTINGS] = 10,  [H2_PING] = 2,     [H2_WINDOW_UPDATE] = 1, [H2_CONTINUATION] = 2,
    [H2_OTHER] = 1,      [H2_MISTAKE] = 5,  [H2_DATA_SENT] = -2,    [H2_ANSWERED] = -4,
};

void h2_budget_init(struct h2_budget *budget)
{
    *budget = (struct h2_budget){.points = POINTS, .as_of = green_now()};
}

static void refill(struct h2_budget *budget)
{
    nsec earned = (green_now() - budget->as_of) / (NSEC_SEC / RATE);
    if (earned == 0)
        return;
    budget->as_of += earned * (NSEC_SEC / RATE);
    budget->points = earned < POINTS - budget->points ? budget->points + (int)earned : POINTS;
}

bool h2_budget_charge(struct h2_budget *budget, enum h2_event event)
{
    if (budget->points <= costs[event])
        refill(budget);
    budget->windows += event == H2_WINDOW_UPDATE && budget->windows < POINTS;
    budget->points -= costs[event];
    if (budget->points > POINTS)
        budget->points = POINTS;
    return budget->points > 0;
}

void h2_budget_sent(struct h2_budget *budget, size_t n)
{
    int windows = budget->windows < WINDOWS ? budget->windows : WINDOWS;
    budget->windows -= windows;
    if (n >= USEFUL)
        (void)h2_budget_charge(budget, H2_DATA_SENT);
    else
        budget->points += windows * costs[H2_WINDOW_UPDATE];
}
