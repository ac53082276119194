/* wheel_test.c: random operations on a wheel and on a model that looks at every node. */
#include "base/wheel.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { NODES = 64 };

struct timeout {
    struct wheel_node node;
    nsec deadline; /* the model's; NSEC_NEVER when it is not armed */
    nsec due;      /* the deadline, or when it was armed, if that was later */
    unsigned fired;
};

static struct wheel wheel;
static struct timeout timeouts[NODES];
static nsec now, start = 1000000 * NSEC_SEC + 12345;

static void on_fire(struct wheel_node *node)
{
    struct timeout *t = container_of(node, struct timeout, node);
    cr_assert_not(wheel_linked(node), "a node fires unlinked");
    cr_assert_leq(t->deadline, now, "fired before its deadline");
    t->deadline = NSEC_NEVER;
    t->fired++;
}

static void setup(void)
{
    now = start;
    wheel_init(&wheel, now);
    for (int i = 0; i < NODES; i++) {
        wheel_node_init(&timeouts[i].node, on_fire);
        timeouts[i].deadline = NSEC_NEVER;
        timeouts[i].fired = 0;
    }
}

TestSuite(wheel, .init = setup);

static void arm(int i, nsec deadline)
{
    timeouts[i].deadline = deadline;
    timeouts[i].due = deadline > now ? deadline : now;
    wheel_arm(&wheel, &timeouts[i].node, deadline);
    cr_assert(wheel_linked(&timeouts[i].node));
}

static void disarm(int i)
{
    timeouts[i].deadline = NSEC_NEVER;
    wheel_disarm(&wheel, &timeouts[i].node);
    cr_assert_not(wheel_linked(&timeouts[i].node));
}

static void advance(nsec to)
{
    now = to;
    wheel_advance(&wheel, now);
}

/* What holds after each operation: no node is late, every armed one is linked, and the next look is not too late. */
static void check(void)
{
    size_t armed = 0;
    nsec next = wheel_next(&wheel);
    cr_assert(wheel_check(&wheel));
    for (int i = 0; i < NODES; i++) {
        const struct timeout *t = &timeouts[i];
        cr_assert_eq(wheel_linked(&t->node), t->deadline != NSEC_NEVER);
        if (t->deadline == NSEC_NEVER)
            continue;
        armed++;
        cr_assert_lt(now, nsec_add(t->due, WHEEL_TICK), "node %d is late", i);
        cr_assert_leq(next, nsec_add(t->due, WHEEL_TICK), "the next look comes too late for node %d", i);
    }
    cr_assert_eq(wheel.count, armed);
    cr_assert_eq(next == NSEC_NEVER, armed == 0);
}

Test(wheel, an_empty_one_sleeps_for_ever)
{
    cr_expect_eq(wheel_next(&wheel), NSEC_NEVER);
    advance(now + 3600 * NSEC_SEC);
    check();
    disarm(0);
    check();
}

Test(wheel, fires_once_within_a_tick)
{
    arm(0, now + 10 * NSEC_SEC);
    advance(now + 10 * NSEC_SEC - 1);
    cr_expect_eq(timeouts[0].fired, 0);
    advance(now + WHEEL_TICK + 1);
    cr_expect_eq(timeouts[0].fired, 1);
    advance(now + 100 * NSEC_SEC);
    cr_expect_eq(timeouts[0].fired, 1);
    check();
}

Test(wheel, what_is_already_due_fires_with_the_next_tick)
{
    arm(0, now - NSEC_SEC);
    arm(1, 0);
    arm(2, INT64_MIN);
    advance(now + WHEEL_TICK);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(timeouts[i].fired, 1);
    check();
}

Test(wheel, a_deadline_beyond_one_turn_waits_its_turns)
{
    nsec turn = WHEEL_SLOTS * WHEEL_TICK, deadline = now + 5 * turn / 2;
    arm(0, deadline);
    arm(1, INT64_MAX - 1);
    while (now < deadline) {
        cr_assert_eq(timeouts[0].fired, 0);
        nsec next = wheel_next(&wheel);
        cr_assert_gt(next, now);
        advance(next);
        check();
    }
    cr_expect_eq(timeouts[0].fired, 1);
    cr_expect_eq(timeouts[1].fired, 0);
}

Test(wheel, moving_a_deadline_away_leaves_the_node_in_place)
{
    arm(0, now + NSEC_SEC);
    nsec first = timeouts[0].node.slot_end;
    for (int i = 0; i < 100; i++)
        arm(0, now + 20 * NSEC_SEC + i);
    cr_expect_eq(timeouts[0].node.slot_end, first);
    advance(now + 19 * NSEC_SEC);
    check();
    cr_expect_eq(timeouts[0].fired, 0);
    arm(0, now + NSEC_SEC / 2);
    advance(now + NSEC_SEC / 2 + WHEEL_TICK);
    cr_expect_eq(timeouts[0].fired, 1, "moved nearer, it fires earlier");
}

static void on_fire_disarm_next(struct wheel_node *node)
{
    on_fire(node);
    disarm((int)(container_of(node, struct timeout, node) - timeouts) + 1);
}

Test(wheel, what_fires_may_disarm_what_is_due_as_well)
{
    timeouts[0].node.fire = on_fire_disarm_next;
    for (int i = 0; i < 3; i++)
        arm(i, now + NSEC_SEC);
    advance(now + 2 * NSEC_SEC);
    cr_expect_eq(timeouts[0].fired, 1);
    cr_expect_eq(timeouts[1].fired, 0);
    cr_expect_eq(timeouts[2].fired, 1);
    check();
}

static void on_fire_rearm(struct wheel_node *node)
{
    on_fire(node);
    arm((int)(container_of(node, struct timeout, node) - timeouts), now + NSEC_SEC);
}

Test(wheel, what_fires_may_arm_itself)
{
    timeouts[0].node.fire = on_fire_rearm;
    arm(0, now + NSEC_SEC);
    for (int i = 0; i < 100; i++)
        advance(now + NSEC_SEC / 2);
    cr_expect_geq(timeouts[0].fired, 33);
    cr_expect_leq(timeouts[0].fired, 50);
    check();
}

Test(wheel, a_process_that_was_stopped_for_hours_fires_each_node_once)
{
    for (int i = 0; i < NODES; i++)
        arm(i, now + i * NSEC_SEC);
    advance(now + 7 * 3600 * NSEC_SEC);
    for (int i = 0; i < NODES; i++)
        cr_expect_eq(timeouts[i].fired, 1);
    check();
}

Test(wheel, a_clock_that_stands_still_fires_nothing)
{
    arm(0, now + NSEC_SEC);
    advance(now);
    advance(now - NSEC_SEC);
    cr_expect_eq(timeouts[0].fired, 0);
}

/* Mostly near deadlines, some far beyond one turn, some in the past. */
static nsec random_deadline(void)
{
    static const nsec spans[] = {NSEC_MS, NSEC_SEC, 60 * NSEC_SEC, 200 * NSEC_SEC};
    return now - NSEC_SEC / 4 + (nsec)(drand48() * (double)spans[rand() % 4]);
}

static void on_fire_do_something(struct wheel_node *node)
{
    on_fire(node);
    int other = rand() % NODES;
    if (rand() % 2)
        arm(other, random_deadline());
    else
        disarm(other);
}

Test(wheel, random_operations_agree_with_the_model)
{
    srand(7);
    srand48(7);
    for (int i = 0; i < NODES; i += 4)
        timeouts[i].node.fire = on_fire_do_something;
    for (int step = 0; step < 100000; step++) {
        int i = rand() % NODES;
        switch (rand() % 6) {
        case 0:
            disarm(i);
            break;
        case 1:
            advance(now + (nsec)(drand48() * (double)(rand() % 100 ? NSEC_SEC / 5 : 90 * NSEC_SEC)));
            break;
        case 2:
            advance(wheel_next(&wheel) > now && wheel_next(&wheel) != NSEC_NEVER ? wheel_next(&wheel) : now);
            break;
        default:
            arm(i, random_deadline());
        }
        check();
    }
}
