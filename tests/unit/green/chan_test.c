/* chan_test.c: channels without and with a ring: refusals, order, the end of a channel, and choice between several. */
#include "green/chan.h"

#include "run.h"

enum { MANY = 1000 };

static struct green_chan chan, other;

static void open_both(size_t room)
{
    cr_assert_eq(green_chan_init(&chan, sizeof(long), room), 0);
    cr_assert_eq(green_chan_init(&other, sizeof(long), room), 0);
}

static void free_both(void)
{
    green_chan_free(&chan);
    green_chan_free(&other);
}

static int try_send(struct green_chan *c, long message)
{
    return green_send(c, &message, 1);
}

static int try_recv(struct green_chan *c)
{
    long message = -1;
    int error = green_recv(c, &message, 1);
    return error ? error : (int)message;
}

/* ---- the end of a channel ---- */

GreenTest(chan, a_closed_one_refuses_messages_but_gives_those_it_has)
{
    static const size_t rooms[] = {0, 1, 4};
    for (size_t i = 0; i < 3; i++) {
        open_both(rooms[i]);
        for (size_t k = 0; k < rooms[i]; k++)
            cr_expect_eq(try_send(&chan, (long)k), 0);
        green_chan_close(&chan);
        green_chan_close(&chan);
        cr_expect_eq(try_send(&chan, 9), -EPIPE);
        for (size_t k = 0; k < rooms[i]; k++)
            cr_expect_eq(try_recv(&chan), (int)k);
        cr_expect_eq(try_recv(&chan), -EPIPE);
        cr_expect_eq(try_recv(&chan), -EPIPE);
        free_both();
    }
}

static int send_seven(void *arg)
{
    return green_send(arg, &(long){7}, NSEC_NEVER);
}

static int recv_one(void *arg)
{
    long message = -1;
    int error = green_recv(arg, &message, NSEC_NEVER);
    return error ? error : (int)message;
}

GreenTest(chan, a_close_ends_every_wait)
{
    struct green *threads[6];
    open_both(0);
    for (size_t i = 0; i < 3; i++) {
        threads[i] = run_spawn(send_seven, &chan);
        threads[i + 3] = run_spawn(recv_one, &other);
    }
    run_yield();
    green_chan_close(&chan);
    green_chan_close(&other);
    for (size_t i = 0; i < 6; i++)
        cr_expect_eq(run_join(threads[i]), -EPIPE);
    free_both();
}

/* ---- waits that end without a message ---- */

GreenTest(chan, no_message_is_given_to_one_that_was_cancelled)
{
    open_both(0);
    struct green *first = run_spawn(recv_one, &chan), *second = run_spawn(recv_one, &chan);
    run_yield();
    green_cancel(first);
    cr_expect_eq(try_send(&chan, 5), 0);
    cr_expect_eq(run_join(first), -ECANCELED);
    cr_expect_eq(run_join(second), 5);
    free_both();
}

GreenTest(chan, no_message_comes_from_one_that_was_cancelled)
{
    static const size_t rooms[] = {0, 2};
    for (size_t i = 0; i < 2; i++) {
        open_both(rooms[i]);
        for (size_t k = 0; k < rooms[i]; k++)
            cr_expect_eq(try_send(&chan, (long)k), 0);
        struct green *sender = run_spawn(send_seven, &chan);
        run_yield();
        green_cancel(sender);
        for (size_t k = 0; k < rooms[i]; k++)
            cr_expect_eq(try_recv(&chan), (int)k);
        cr_expect_eq(try_recv(&chan), -ETIMEDOUT);
        cr_expect_eq(run_join(sender), -ECANCELED);
        free_both();
    }
}

GreenTest(chan, a_message_that_was_handed_over_stays_so)
{
    open_both(0);
    struct green *receiver = run_spawn(recv_one, &chan);
    run_yield();
    cr_expect_eq(try_send(&chan, 6), 0);
    green_cancel(receiver);
    cr_expect_eq(run_join(receiver), 6);
    free_both();
}

/* ---- messages ---- */

GreenTest(chan, a_ring_holds_as_many_as_it_has_room_for)
{
    open_both(3);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 3; i++)
            cr_expect_eq(try_send(&chan, round + i), 0);
        cr_expect_eq(try_send(&chan, 9), -ETIMEDOUT);
        for (int i = 0; i < 3; i++)
            cr_expect_eq(try_recv(&chan), round + i);
        cr_expect_eq(try_recv(&chan), -ETIMEDOUT);
        cr_expect_eq(try_send(&chan, 0), 0); /* the ring turns by one each round */
        cr_expect_eq(try_recv(&chan), 0);
    }
    free_both();
}

static int send_many(void *arg)
{
    for (long i = 0; i < MANY; i++)
        cr_assert_eq(green_send(arg, &i, NSEC_NEVER), 0);
    green_chan_close(arg);
    return 0;
}

GreenTest(chan, messages_arrive_in_order)
{
    static const size_t rooms[] = {0, 1, 7, 2 * MANY};
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        long message, count = 0;
        open_both(rooms[i]);
        struct green *sender = run_spawn(send_many, &chan);
        while (green_recv(&chan, &message, NSEC_NEVER) == 0)
            cr_assert_eq(message, count++);
        cr_expect_eq(count, MANY);
        cr_expect_eq(run_join(sender), 0);
        free_both();
    }
}

struct sending {
    long message;
    struct green *thread;
};

static int send_it(void *arg)
{
    struct sending *sending = arg;
    return green_send(&chan, &sending->message, NSEC_NEVER);
}

GreenTest(chan, senders_are_served_in_the_order_they_came)
{
    static const size_t rooms[] = {0, 2};
    struct sending sendings[6];
    for (size_t k = 0; k < 2; k++) {
        open_both(rooms[k]);
        for (int i = 0; i < 6; i++) {
            sendings[i].message = i;
            sendings[i].thread = run_spawn(send_it, &sendings[i]);
        }
        run_yield();
        for (int i = 0; i < 6; i++)
            cr_expect_eq(try_recv(&chan), i);
        for (int i = 0; i < 6; i++)
            cr_expect_eq(run_join(sendings[i].thread), 0);
        free_both();
    }
}

GreenTest(chan, receivers_are_served_in_the_order_they_came)
{
    struct green *threads[4];
    open_both(0);
    for (int i = 0; i < 4; i++)
        threads[i] = run_spawn(recv_one, &chan);
    run_yield();
    for (int i = 0; i < 4; i++)
        cr_expect_eq(try_send(&chan, i), 0);
    for (int i = 0; i < 4; i++)
        cr_expect_eq(run_join(threads[i]), i);
    free_both();
}

struct big {
    char bytes[300];
};

static int send_big(void *arg)
{
    struct big big;
    memset(big.bytes, 'b', sizeof big);
    return green_send(arg, &big, NSEC_NEVER);
}

GreenTest(chan, messages_of_any_size_are_copied_whole)
{
    static const size_t rooms[] = {0, 3};
    for (size_t i = 0; i < 2; i++) {
        struct big got = {{0}};
        cr_assert_eq(green_chan_init(&chan, sizeof got, rooms[i]), 0);
        struct green *sender = run_spawn(send_big, &chan);
        cr_expect_eq(green_recv(&chan, &got, NSEC_NEVER), 0);
        for (size_t k = 0; k < sizeof got; k++)
            cr_assert_eq(got.bytes[k], 'b');
        cr_expect_eq(run_join(sender), 0);
        green_chan_free(&chan);
    }
}

/* ---- choice ---- */

static int choose(long *in, long *out, int *result, nsec deadline)
{
    struct green_case cases[] = {{.chan = &chan, .message = in}, {.chan = &other, .message = out, .send = true}};
    *result = 1;
    return green_select(cases, 2, result, deadline);
}

GreenTest(chan, a_select_does_the_first_that_can_be_done)
{
    long in = 0, out = 2;
    int result;
    open_both(1);
    cr_expect_eq(try_send(&chan, 1), 0);
    cr_expect_eq(choose(&in, &out, &result, 1), 0, "both could be done");
    cr_expect_eq(result, 0);
    cr_expect_eq(in, 1);
    cr_expect_eq(choose(&in, &out, &result, 1), 1);
    cr_expect_eq(result, 0);
    cr_expect_eq(choose(&in, &out, &result, 1), -ETIMEDOUT);
    cr_expect_eq(try_recv(&other), 2);
    cr_expect_eq(try_recv(&other), -ETIMEDOUT, "it was sent once");
    green_chan_close(&other);
    cr_expect_eq(choose(&in, &out, &result, 1), 1);
    cr_expect_eq(result, -EPIPE);
    free_both();
}

struct choice {
    long in, out;
    int result;
};

static int choose_it(void *arg)
{
    struct choice *choice = arg;
    return choose(&choice->in, &choice->out, &choice->result, NSEC_NEVER);
}

GreenTest(chan, a_waiting_select_does_exactly_one)
{
    struct choice choice = {.out = 3};
    open_both(0);
    struct green *thread = run_spawn(choose_it, &choice);
    run_yield();
    cr_expect_eq(try_send(&chan, 8), 0);
    cr_expect_eq(try_recv(&other), -ETIMEDOUT, "the other case is off");
    cr_expect_eq(run_join(thread), 0);
    cr_expect_eq(choice.result, 0);
    cr_expect_eq(choice.in, 8);

    thread = run_spawn(choose_it, &choice);
    run_yield();
    cr_expect_eq(try_recv(&other), 3);
    cr_expect_eq(try_send(&chan, 8), -ETIMEDOUT);
    cr_expect_eq(run_join(thread), 1);
    cr_expect_eq(choice.result, 0);
    free_both();
}

GreenTest(chan, a_close_ends_a_waiting_select_by_its_case)
{
    struct choice choices[2] = {{0}};
    open_both(0);
    struct green *a = run_spawn(choose_it, &choices[0]);
    run_yield();
    green_chan_close(&other);
    cr_expect_eq(run_join(a), 1);
    cr_expect_eq(choices[0].result, -EPIPE);
    free_both();
}

GreenTest(chan, a_select_does_not_meet_itself)
{
    long in = 0, out = 1;
    int result;
    open_both(0);
    struct green_case cases[] = {{.chan = &chan, .message = &out, .send = true}, {.chan = &chan, .message = &in}};
    cr_expect_eq(green_select(cases, 2, &result, run_in(2)), -ETIMEDOUT);
    cr_expect_eq(try_recv(&chan), -ETIMEDOUT, "nothing of it is left in the channel");
    cr_expect_eq(try_send(&chan, 1), -ETIMEDOUT);
    free_both();
}

GreenTest(chan, two_selects_meet)
{
    struct choice choice = {.out = 4};
    long in = 0, out = 5;
    int result;
    open_both(0);
    struct green *thread = run_spawn(choose_it, &choice);
    run_yield();
    struct green_case cases[] = {{.chan = &other, .message = &in}, {.chan = &chan, .message = &out, .send = true}};
    cr_expect_eq(green_select(cases, 2, &result, 1), 0);
    cr_expect_eq(in, 4);
    cr_expect_eq(run_join(thread), 1);
    free_both();
}
