/* loop.c: one libev loop, and what drives it.
 *
 * A pass is: run what is ready, set the wheel's timer, poll. The loop is made here, after fork(); it polls with epoll
 * whatever the environment says, and uses neither ev_signal nor ev_periodic. A worker that has nothing to do sleeps
 * without a timer.
 */
#include <errno.h>
#include <ev.h>
#include <stdio.h>

#include "base/scoreboard.h"
#include "green/core.h"
#include "green/monitor.h"
#include "green/stack.h"
#include "green/timer.h"

#define DECAY_PERIOD 1. /* seconds */

static struct {
    struct ev_loop *ev;
    ev_check check;       /* first of the callbacks after a poll: reads the clock */
    ev_timer wheel_timer; /* when the wheel next has something to look at */
    nsec wheel_at;        /* what that timer is set to; NSEC_NEVER: it is stopped */
    ev_timer decay;       /* runs while there are more free stacks than are worth keeping */
    ev_async refused;     /* sent when a descriptor could not be watched */
    struct wheel wheel;
    nsec now;
    nsec polled;         /* what it was after the last poll: threads set it forward since then */
    struct score *score; /* NULL: nobody wants to know */
} loop;

struct ev_loop *green_loop(void)
{
    return loop.ev;
}

struct wheel *green_wheel(void)
{
    return &loop.wheel;
}

nsec green_now(void)
{
    return loop.now;
}

void green_timer_arm(struct wheel_node *timer, nsec deadline)
{
    wheel_arm(&loop.wheel, timer, deadline);
}

void green_timer_disarm(struct wheel_node *timer)
{
    wheel_disarm(&loop.wheel, timer);
}

void green_update_now(void)
{
    ev_now_update(loop.ev);
    loop.now = clock_monotonic();
}

nsec green_polled(void)
{
    return loop.polled;
}

static void on_check(struct ev_loop *ev, ev_check *check, int events)
{
    (void)ev, (void)check, (void)events;
    loop.now = loop.polled = clock_monotonic();
}

static void on_wheel_timer(struct ev_loop *ev, ev_timer *timer, int events)
{
    (void)ev, (void)timer, (void)events;
    loop.wheel_at = NSEC_NEVER;
    wheel_advance(&loop.wheel, loop.now);
}

static void set_wheel_timer(void)
{
    nsec next = wheel_next(&loop.wheel);
    if (next == loop.wheel_at)
        return;
    loop.wheel_at = next;
    ev_timer_stop(loop.ev, &loop.wheel_timer);
    if (next == NSEC_NEVER)
        return;
    nsec left = next > loop.now ? next - loop.now : 0;
    ev_timer_set(&loop.wheel_timer, (double)left / NSEC_SEC, 0.);
    ev_timer_start(loop.ev, &loop.wheel_timer);
}

static void on_decay(struct ev_loop *ev, ev_timer *timer, int events)
{
    (void)events;
    stack_decay();
    if (!stack_surplus())
        ev_timer_stop(ev, timer);
}

static void set_decay_timer(void)
{
    if (stack_surplus() && !ev_is_active(&loop.decay)) {
        ev_timer_set(&loop.decay, DECAY_PERIOD, DECAY_PERIOD);
        ev_timer_start(loop.ev, &loop.decay);
    }
}

static void on_refused(struct ev_loop *ev, ev_async *async, int events)
{
    (void)ev, (void)async, (void)events;
}

/* What epoll has no room for gets an event at once; but libev would go to sleep on it. */
static void before_poll(struct ev_loop *ev)
{
    if (ev_pending_count(ev))
        ev_async_send(ev, &loop.refused);
    atomic_store_explicit(&green_pulse.asleep, true, memory_order_release);
}

static void after_poll(struct ev_loop *ev)
{
    (void)ev;
    green_pulse_beat(NULL);
    atomic_store(&green_pulse.asleep, false);
    green_monitor_awake();
}

static int loop_init(void)
{
    loop.ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV | EVFLAG_NOINOTIFY);
    if (!loop.ev)
        return -ENOMEM;
    ev_check_init(&loop.check, on_check);
    ev_set_priority(&loop.check, EV_MAXPRI);
    ev_check_start(loop.ev, &loop.check);
    ev_async_init(&loop.refused, on_refused);
    ev_async_start(loop.ev, &loop.refused);
    ev_set_loop_release_cb(loop.ev, before_poll, after_poll);
    ev_timer_init(&loop.wheel_timer, on_wheel_timer, 0., 0.);
    ev_timer_init(&loop.decay, on_decay, DECAY_PERIOD, DECAY_PERIOD);
    loop.wheel_at = NSEC_NEVER;
    loop.now = loop.polled = clock_monotonic();
    wheel_init(&loop.wheel, loop.now);
    return 0;
}

static void loop_free(void)
{
    ev_timer_stop(loop.ev, &loop.wheel_timer);
    ev_timer_stop(loop.ev, &loop.decay);
    ev_async_stop(loop.ev, &loop.refused);
    ev_check_stop(loop.ev, &loop.check);
    ev_loop_destroy(loop.ev);
    loop.ev = NULL;
}

/* What was ready last has waited for its turn since the poll that told so. */
static void keep_score(struct score *score)
{
    struct green_counts counts = green_count_threads();
    score->threads = counts.live;
    score->waiting = counts.waiting;
    score->ready = counts.ready;
    if (green_accounts)
        histogram_add(&score->lag, green_account_stamp() - loop.polled);
}

static void run_until_done(const struct green *main_thread)
{
    for (;;) {
        bool more = green_run_ready();
        if (main_thread->state == GREEN_DONE)
            return;
        if (loop.score)
            keep_score(loop.score);
        set_wheel_timer();
        set_decay_timer();
        ev_run(loop.ev, more ? EVRUN_NOWAIT : EVRUN_ONCE);
    }
}

int green_run(const struct green_options *options, green_fn *main_fn, void *arg)
{
    int result = loop_init();
    if (result)
        return result;
    loop.score = options->score;
    green_poll_init();
    result = green_core_init(options);
    if (result)
        goto free_loop;
    result = green_fault_init();
    if (result)
        goto free_core;
    green_monitor_start(options);
    result = green_offload_init(options);
    if (result)
        goto stop_monitor;
    struct green *main_thread;
    result = green_spawn(&main_thread, "main", main_fn, arg);
    if (result)
        goto free_offload;
    run_until_done(main_thread);
    result = main_thread->result;
free_offload:
    green_offload_free();
stop_monitor:
    green_monitor_stop();
    green_fault_free();
free_core:
    green_core_free();
free_loop:
    green_poll_free();
    loop_free();
    return result;
}

const char *green_library(void)
{
    static char text[32];
    snprintf(text, sizeof text, "libev %d.%d", ev_version_major(), ev_version_minor());
    return text;
}

bool green_guards_pages(void)
{
    return stack_guards_pages();
}
