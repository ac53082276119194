/* timer_test.c: coarse timeouts for what has no thread. */
#include "green/timer.h"

#include "run.h"

struct timeout {
    struct wheel_node timer;
    nsec deadline;
    unsigned fired;
};

static void on_fire(struct wheel_node *timer)
{
    struct timeout *t = container_of(timer, struct timeout, timer);
    cr_expect_null(green_self(), "it fires on the loop's stack");
    cr_expect_geq(clock_monotonic(), t->deadline);
    cr_expect_not(green_timer_armed(timer));
    t->fired++;
}

static void arm(struct timeout *t, nsec deadline)
{
    t->deadline = deadline;
    green_timer_arm(&t->timer, deadline);
    cr_expect(green_timer_armed(&t->timer));
}

GreenTest(timer, fires_once_unless_it_is_disarmed_or_moved_away)
{
    struct timeout timeouts[5] = {{.fired = 0}};
    for (size_t i = 0; i < 5; i++)
        green_timer_init(&timeouts[i].timer, on_fire);
    arm(&timeouts[0], green_now());
    arm(&timeouts[1], run_in(30));
    arm(&timeouts[2], run_in(30));
    arm(&timeouts[3], run_in(30));
    green_timer_disarm(&timeouts[2].timer);
    green_timer_disarm(&timeouts[2].timer);
    arm(&timeouts[3], run_in(3600 * 1000));
    arm(&timeouts[4], run_in(3600 * 1000));
    arm(&timeouts[4], run_in(30)); /* nearer */
    cr_expect_eq(green_sleep(400 * NSEC_MS), 0);
    cr_expect_eq(timeouts[0].fired, 1);
    cr_expect_eq(timeouts[1].fired, 1);
    cr_expect_eq(timeouts[2].fired, 0);
    cr_expect_eq(timeouts[3].fired, 0);
    cr_expect_eq(timeouts[4].fired, 1);
    cr_expect(green_timer_armed(&timeouts[3].timer));
    green_timer_disarm(&timeouts[3].timer);
    cr_expect_not(green_timer_armed(&timeouts[3].timer));
}

GreenTest(timer, one_that_fires_may_arm_itself_again)
{
    struct timeout t = {.fired = 0};
    green_timer_init(&t.timer, on_fire);
    for (unsigned i = 1; i <= 2; i++) {
        arm(&t, green_now());
        cr_expect_eq(green_sleep(300 * NSEC_MS), 0);
        cr_expect_eq(t.fired, i);
    }
}
