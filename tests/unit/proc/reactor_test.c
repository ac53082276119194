#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "proc/reactor.h"

struct source {
    struct watch watch;
    struct alarm alarm;
    struct reactor *reactor;
    struct source *other; /* to be removed by this one */
    int calls;
    nsec again; /* when to ring once more; 0: never */
};

static void on_ready(struct watch *watch, short events)
{
    struct source *s = container_of(watch, struct source, watch);
    char byte;
    s->calls++;
    cr_expect(events & POLLIN);
    cr_expect_eq(read(watch->fd, &byte, 1), 1);
    if (s->other)
        reactor_unwatch(s->reactor, &s->other->watch);
}

static void on_ring(struct alarm *alarm)
{
    struct source *s = container_of(alarm, struct source, alarm);
    s->calls++;
    if (s->other)
        reactor_disarm(&s->other->alarm);
    if (s->again)
        reactor_arm(s->reactor, alarm, clock_monotonic() + s->again);
}

static struct source make(struct reactor *r, int fd)
{
    return (struct source){
        .watch = {.fd = fd, .events = POLLIN, .ready = on_ready}, .alarm.ring = on_ring, .reactor = r};
}

static void prepare(struct source *s)
{
    list_init(&s->watch.link);
    list_init(&s->alarm.link);
}

Test(reactor, a_watch_that_is_removed_in_the_same_round_is_not_called)
{
    struct reactor r;
    int a[2], b[2];
    cr_assert_eq(pipe(a), 0);
    cr_assert_eq(pipe(b), 0);
    reactor_init(&r);
    struct source first = make(&r, a[0]), second = make(&r, b[0]);
    prepare(&first);
    prepare(&second);
    first.other = &second;
    reactor_watch(&r, &first.watch);
    reactor_watch(&r, &second.watch);
    cr_assert_eq(write(a[1], "x", 1) + write(b[1], "x", 1), 2);
    cr_assert_eq(reactor_turn(&r), 0);
    cr_expect_eq(first.calls, 1);
    cr_expect_eq(second.calls, 0);
    reactor_free(&r);
}

Test(reactor, watching_twice_is_watching_once)
{
    struct reactor r;
    int a[2];
    cr_assert_eq(pipe(a), 0);
    reactor_init(&r);
    struct source s = make(&r, a[0]);
    prepare(&s);
    reactor_watch(&r, &s.watch);
    reactor_watch(&r, &s.watch);
    cr_assert_eq(write(a[1], "xy", 2), 2);
    cr_assert_eq(reactor_turn(&r), 0);
    cr_expect_eq(s.calls, 1);
    reactor_free(&r);
}

Test(reactor, an_alarm_that_is_armed_while_it_rings_waits_for_the_next_round)
{
    struct reactor r;
    reactor_init(&r);
    struct source s = make(&r, -1);
    prepare(&s);
    s.again = 1;
    reactor_arm(&r, &s.alarm, 0);
    cr_assert_eq(reactor_turn(&r), 0);
    cr_expect_eq(s.calls, 1);
    cr_assert_eq(reactor_turn(&r), 0);
    cr_expect_eq(s.calls, 2);
    reactor_free(&r);
}

Test(reactor, an_alarm_that_is_disarmed_by_another_of_the_round_does_not_ring)
{
    struct reactor r;
    reactor_init(&r);
    struct source first = make(&r, -1), second = make(&r, -1);
    prepare(&first);
    prepare(&second);
    first.other = &second;
    reactor_arm(&r, &first.alarm, 0);
    reactor_arm(&r, &second.alarm, 0);
    cr_assert_eq(reactor_turn(&r), 0);
    cr_expect_eq(first.calls, 1);
    cr_expect_eq(second.calls, 0);
    reactor_free(&r);
}

Test(reactor, arming_again_moves_an_alarm)
{
    struct reactor r;
    int a[2];
    cr_assert_eq(pipe(a), 0);
    reactor_init(&r);
    struct source late = make(&r, a[0]);
    prepare(&late);
    reactor_watch(&r, &late.watch);
    reactor_arm(&r, &late.alarm, 0);
    reactor_arm(&r, &late.alarm, NSEC_NEVER);
    cr_assert_eq(write(a[1], "x", 1), 1);
    cr_assert_eq(reactor_turn(&r), 0);
    cr_expect_eq(late.calls, 1, "by its descriptor alone");
    reactor_free(&r);
}

Test(reactor, many_watches_and_an_abandoned_one)
{
    enum { MANY = 100 };
    struct reactor r;
    static struct source s[MANY];
    int pipes[MANY][2];
    reactor_init(&r);
    for (int i = 0; i < MANY; i++) {
        cr_assert_eq(pipe(pipes[i]), 0);
        s[i] = make(&r, pipes[i][0]);
        prepare(&s[i]);
        reactor_watch(&r, &s[i].watch);
        cr_assert_eq(write(pipes[i][1], "x", 1), 1);
    }
    cr_assert_eq(reactor_turn(&r), 0);
    for (int i = 0; i < MANY; i++)
        cr_expect_eq(s[i].calls, 1);
    reactor_abandon(&r);
    for (int i = 0; i < MANY; i++)
        cr_expect(fcntl(pipes[i][0], F_GETFD) < 0 && errno == EBADF);
}
