/* timer.h: coarse timeouts for what has no thread, such as a connection between two requests.
 *
 * A timer is a node of the loop's wheel (base/wheel.h): it fires within a wheel tick after its deadline, on the loop's
 * stack, where nothing may wait. Moving a deadline away, the common case, costs one store. Its owner disarms it before
 * its memory ends.
 */
#ifndef TERN_GREEN_TIMER_H
#define TERN_GREEN_TIMER_H

#include "base/wheel.h"

static inline void green_timer_init(struct wheel_node *timer, void (*fire)(struct wheel_node *timer))
{
    wheel_node_init(timer, fire);
}

/* Sets or moves the deadline; not for NSEC_NEVER. */
void green_timer_arm(struct wheel_node *timer, nsec deadline);

void green_timer_disarm(struct wheel_node *timer);

static inline bool green_timer_armed(const struct wheel_node *timer)
{
    return wheel_linked(timer);
}

#endif
