/* h2_budget_test.c: what a peer may cost. */
#include "http/h2_budget.c" // NOLINT(bugprone-suspicious-include)

#include <criterion/criterion.h>

static int charge_until_spent(struct h2_budget *budget, enum h2_event event)
{
    int n = 0;
    while (n < 100000 && h2_budget_charge(budget, event))
        n++;
    return n;
}

static int run(void *arg)
{
    (void)arg;
    struct h2_budget budget;
    for (enum h2_event event = 0; event < H2_EVENTS; event++) {
        h2_budget_init(&budget);
        int n = charge_until_spent(&budget, event);
        cr_expect_eq(n<100000, costs[event]> 0, "event %d: %d", event, n);
        cr_expect_leq(n * costs[event], POINTS + 1, "event %d: %d", event, n);
    }
    return 0;
}

Test(h2_budget, what_is_of_no_use_is_bounded)
{
    cr_assert_eq(green_run(&(struct green_options){0}, run, NULL), 0);
}

static int run_useful(void *arg)
{
    (void)arg;
    struct h2_budget budget;
    h2_budget_init(&budget);
    for (int i = 0; i < 100000; i++) { /* an answer, and the windows that its receiver opens for it */
        cr_assert(h2_budget_charge(&budget, H2_DATA_SENT));
        cr_assert(h2_budget_charge(&budget, H2_ANSWERED));
        cr_assert(h2_budget_charge(&budget, H2_WINDOW_UPDATE));
        cr_assert(h2_budget_charge(&budget, H2_WINDOW_UPDATE));
    }
    cr_expect_leq(budget.points, POINTS, "it earns no credit");
    charge_until_spent(&budget, H2_PING);
    budget.as_of -= 3 * NSEC_SEC;
    cr_expect_eq(charge_until_spent(&budget, H2_PING) * costs[H2_PING], 3 * RATE - costs[H2_PING]);
    budget.as_of -= 1000000 * NSEC_SEC;
    cr_expect_leq(charge_until_spent(&budget, H2_PING) * costs[H2_PING], POINTS);
    return 0;
}

Test(h2_budget, what_is_of_use_pays_for_itself_and_time_for_the_rest)
{
    cr_assert_eq(green_run(&(struct green_options){0}, run_useful, NULL), 0);
}
