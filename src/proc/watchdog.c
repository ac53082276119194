/* watchdog.c: see watchdog.h. */
#include "proc/watchdog.h"

#include <signal.h>

#include "log/log.h"
#include "proc/state.h"

enum { QUESTIONS = 4 }; /* in the time that a worker may be silent */
#define LEAST_PERIOD (100 * NSEC_MS)
#define TIME_TO_START (30 * NSEC_SEC) /* for a worker that takes the place of another */
#define TIME_TO_REPORT (2 * NSEC_SEC) /* for a worker to say what it does, before it is killed */

static nsec patience(const struct child *child)
{
    return child->generation->config->http.timeouts.stall_kill;
}

static void end(struct child *child, nsec silent)
{
    if (!child->aborted) {
        child->aborted = true;
        log_error("worker %zu [%d] has shown no sign of life for %lld ms, and is replaced", child->index,
                  (int)child->pid, (long long)(silent / NSEC_MS));
        kill(child->pid, SIGABRT);
    } else if (silent >= patience(child) + TIME_TO_REPORT) {
        kill(child->pid, SIGKILL);
    }
}

/* Whether it has answered the last question. */
static bool look_at(struct child *child, nsec now)
{
    if (!child->pid || child->generation->state == STARTING)
        return true;
    if (!child->ready) {
        if (now - child->started >= TIME_TO_START)
            end(child, now - child->started);
        return now - child->started < patience(child);
    }
    if (child->asked) {
        nsec silent = now - child->asked;
        if (patience(child) && silent >= patience(child))
            end(child, silent);
        return false;
    }
    /* What can't be sent now, because the queue is full, has not been answered either. */
    child->asked = now;
    (void)!message_tell(child->pair.fd, MESSAGE_PING, 0);
    return true;
}

static bool look_at_all(const struct master *m, nsec now)
{
    bool alive = true;
    list_each (l, next, &m->generations) {
        struct generation *g = container_of(l, struct generation, link);
        for (size_t i = 0; i < g->count; i++)
            alive &= look_at(&g->children[i], now);
    }
    return alive;
}

/* The whole machine stood still, or we did: workers have had no time to answer. */
static void forgive(const struct master *m, nsec now)
{
    list_each (l, next, &m->generations) {
        struct generation *g = container_of(l, struct generation, link);
        for (size_t i = 0; i < g->count; i++)
            if (g->children[i].asked)
                g->children[i].asked = now;
    }
}

static void on_alarm(struct alarm *alarm)
{
    struct master *m = container_of(alarm, struct master, watchdog.alarm);
    nsec now = clock_monotonic();
    if (now - alarm->at > m->watchdog.period)
        forgive(m, now);
    if (look_at_all(m, now) && m->notify.watchdog)
        notify_alive(&m->notify);
    reactor_arm(&m->reactor, alarm, nsec_add(now, m->watchdog.period));
}

void watchdog_init(struct master *m)
{
    list_init(&m->watchdog.alarm.link);
    m->watchdog.alarm.ring = on_alarm;
}

void watchdog_set(struct master *m)
{
    nsec limits[] = {m->current->config->http.timeouts.stall_kill, m->notify.watchdog}, period = NSEC_NEVER;
    for (size_t i = 0; i < 2; i++)
        if (limits[i] && limits[i] / QUESTIONS < period)
            period = limits[i] / QUESTIONS;
    reactor_disarm(&m->watchdog.alarm);
    m->watchdog.period = period < LEAST_PERIOD ? LEAST_PERIOD : period;
    if (period != NSEC_NEVER)
        reactor_arm(&m->reactor, &m->watchdog.alarm, nsec_add(clock_monotonic(), m->watchdog.period));
}
