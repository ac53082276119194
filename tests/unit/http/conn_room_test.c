/* conn_room_test.c: at the limit of connections: who waits for room, and who makes it. */
#include <unistd.h>

#include "pair.h"

#define RoomTest(name) PairTest(conn_room, 16, name)

/* Somebody who waits for room. */
static struct {
    struct green *thread;
    bool has_room;
} waiter;

static int wait_for_room(void *arg)
{
    (void)arg;
    int error = conns_wait_room(&pair_conns);
    waiter.has_room = !error;
    return error;
}

static void start_waiter(void)
{
    waiter.has_room = false;
    cr_assert_eq(green_spawn(&waiter.thread, "waiter", wait_for_room, NULL), 0);
    for (int i = 0; i < 5; i++)
        cr_assert_eq(green_yield(), 0);
}

static void finish_waiter(void)
{
    int result;
    wait_for(waiter.has_room);
    cr_assert_eq(green_join(waiter.thread, &result, NSEC_NEVER), 0);
}

/* A connection whose request is answered, and which waits for the last byte of its content. */
static struct pair open_busy(void)
{
    struct pair p = pair_open();
    pair_say(&p, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx");
    pair_expect_status(&p, 200);
    cr_assert_eq(p.conn->state, CONN_ACTIVE);
    return p;
}

static void finish_busy(const struct pair *p)
{
    pair_say(p, "y");
}

/* A connection that has just become idle can be done without as well as one that has long been. */
RoomTest(a_busy_connection_that_turns_idle_makes_room)
{
    struct pair first = open_busy(), second = open_busy();
    pair_conns.max = 2;
    start_waiter();
    cr_expect_not(waiter.has_room, "both are busy");
    finish_busy(&second);
    finish_waiter();
    cr_expect(pair_is_over(&second));
    cr_expect_not(pair_is_over(&first));
    cr_expect_eq(pair_conns.count, 1);
}

RoomTest(a_head_that_begins_makes_room)
{
    struct pair p = open_busy();
    pair_conns.max = 1;
    start_waiter();
    cr_expect_not(waiter.has_room, "it is busy");
    pair_say(&p, "yGET");
    finish_waiter();
    pair_expect_status(&p, 503);
    cr_expect_eq(pair_routes[0].classes[5], 1);
    cr_expect(pair_is_over(&p));
}

RoomTest(a_connection_that_lingers_makes_room)
{
    struct pair p = open_busy();
    pair_conns.max = 1;
    start_waiter();
    pair_say(&p, "ybad\r\n\r\n");
    finish_waiter();
    pair_expect_status(&p, 400);
    cr_expect(pair_is_over(&p));
}

/* However many are busy. */
PairTest(conn_room, 128, few_idle_ones_among_many_busy_ones)
{
    enum { BUSY = 90, IDLE = 5 };
    struct pair busy[BUSY], idle[IDLE];
    for (size_t i = 0; i < BUSY; i++)
        busy[i] = open_busy();
    for (size_t i = 0; i < IDLE; i++)
        idle[i] = pair_open();
    for (size_t i = 0; i < IDLE; i++) {
        pair_conns.max = pair_conns.count;
        start_waiter();
        finish_waiter();
        for (size_t k = 0; k < IDLE; k++)
            cr_expect_eq(pair_is_over(&idle[k]), k <= i, "the %zuth of %zu", k, i);
    }
    cr_expect_eq(pair_conns.count, BUSY);
    for (size_t i = 0; i < BUSY; i++)
        finish_busy(&busy[i]);
    for (size_t i = 0; i < BUSY; i++)
        wait_for(busy[i].conn->state == CONN_IDLE);
}

/* Of those in one state the one that has been in it for longest goes first. */
RoomTest(who_has_been_idle_for_longest_makes_room)
{
    struct pair first = pair_open(), second = pair_open(), third = pair_open();
    pair_say(&first, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    pair_expect_status(&first, 200);
    wait_for(first.conn->state == CONN_IDLE);
    pair_conns.max = 3;
    cr_expect_eq(conns_wait_room(&pair_conns), 0);
    cr_expect(pair_is_over(&second) && !pair_is_over(&first) && !pair_is_over(&third));
    pair_conns.max = 2;
    cr_expect_eq(conns_wait_room(&pair_conns), 0);
    cr_expect(pair_is_over(&third) && !pair_is_over(&first));
}

/* The least loss goes first: a connection between requests, one that lingers, one in a head, however little time that
 * has left. */
RoomTest(whoever_has_no_thread_makes_room)
{
    struct pair lingering = pair_open(), idle = pair_open(), slow = pair_open();
    pair_server.timeouts.header = 1800 * NSEC_SEC;
    pair_say_piece(&slow, "GET", 3);
    pair_server.timeouts.header = 3600 * NSEC_SEC;
    pair_say(&lingering, "bad\r\n\r\n");
    wait_for(lingering.conn->state == CONN_LINGERING);
    pair_conns.max = 3;
    cr_expect_eq(conns_wait_room(&pair_conns), 0);
    wait_for(pair_is_over(&idle));
    cr_expect_eq(pair_conns.count, 2);
    pair_conns.max = 2;
    cr_expect_eq(conns_wait_room(&pair_conns), 0);
    pair_expect_status(&lingering, 400);
    wait_for(pair_is_over(&lingering));
    pair_conns.max = 1;
    cr_expect_eq(conns_wait_room(&pair_conns), 0);
    pair_expect_status(&slow, 503);
    wait_for(pair_is_over(&slow));
    cr_expect_eq(pair_conns.count, 0);
}
