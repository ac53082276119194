/* wait.c: the one wait: an event, a deadline or a cancel ends it, whichever comes first; see core.h. */
#include "green/wait.h"

#include <errno.h>
#include <ev.h>

/* Waits that end within this time get a timer of their own, exact to the millisecond; longer ones share the wheel. */
#define PRECISE NSEC_SEC

/* A timer of its own, on the waiter's stack. */
struct precise {
    ev_timer timer;
    struct green *thread;
};

static void on_precise(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)events;
    struct precise *precise = container_of(timer, struct precise, timer);
    green_wake(precise->thread, -ETIMEDOUT);
}

static int park_precisely(struct green *self, nsec deadline)
{
    green_update_now();
    nsec left = deadline > green_now() ? deadline - green_now() : 0;
    struct precise precise = {.thread = self};
    ev_timer_init(&precise.timer, on_precise, (double)left / NSEC_SEC, 0.);
    ev_timer_start(green_loop(), &precise.timer);
    int result = green_park();
    ev_timer_stop(green_loop(), &precise.timer);
    return result;
}

int green_suspend_on(enum green_wait wait, int fd, nsec deadline)
{
    struct green *self = green_self();
    if (self->cancelled)
        return -ECANCELED;
    if (deadline <= green_now())
        return -ETIMEDOUT;
    self->wait = (uint8_t)wait;
    self->wait_fd = fd;
    self->until = deadline;
    if (deadline == NSEC_NEVER) {
        wheel_disarm(green_wheel(), &self->timer);
        return green_park();
    }
    if (deadline - green_now() < PRECISE) {
        wheel_disarm(green_wheel(), &self->timer);
        return park_precisely(self, deadline);
    }
    /* After the wait the node stays where it is: the next wait will most likely only move the deadline away. Should
     * it fire meanwhile it finds a thread that does not wait, which green_wake() leaves alone. */
    wheel_arm(green_wheel(), &self->timer, deadline);
    return green_park();
}

int green_suspend(enum green_wait wait, nsec deadline)
{
    return green_suspend_on(wait, -1, deadline);
}

int green_suspend_deaf(enum green_wait wait)
{
    struct green *self = green_self();
    wheel_disarm(green_wheel(), &self->timer);
    self->wait = (uint8_t)wait;
    self->wait_fd = -1;
    self->until = NSEC_NEVER;
    self->deaf = true;
    int result = green_park();
    self->deaf = false;
    return result;
}

void green_cancel(struct green *thread)
{
    thread->cancelled = true;
    if (!thread->deaf)
        green_wake(thread, -ECANCELED);
}

int green_sleep(nsec duration)
{
    green_update_now();
    int result = green_suspend(GREEN_WAIT_TIMER, nsec_add(green_now(), duration));
    return result == -ETIMEDOUT ? 0 : result;
}
