/* reactor.c: see reactor.h. */
#include "proc/reactor.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { LEAST_ROOM = 16 };

void reactor_init(struct reactor *reactor)
{
    *reactor = (struct reactor){0};
    list_init(&reactor->watches);
    list_init(&reactor->alarms);
}

void reactor_free(struct reactor *reactor)
{
    free(reactor->polled);
    free(reactor->watched);
}

void reactor_watch(struct reactor *reactor, struct watch *watch)
{
    list_unlink(&watch->link);
    list_push_back(&reactor->watches, &watch->link);
}

void reactor_unwatch(struct reactor *reactor, struct watch *watch)
{
    list_unlink(&watch->link);
    for (size_t i = 0; i < reactor->count; i++)
        if (reactor->watched[i] == watch)
            reactor->watched[i] = NULL;
}

void reactor_arm(struct reactor *reactor, struct alarm *alarm, nsec at)
{
    list_unlink(&alarm->link);
    alarm->at = at;
    list_push_back(&reactor->alarms, &alarm->link);
}

void reactor_disarm(struct alarm *alarm)
{
    list_unlink(&alarm->link);
}

/* ---- one round ---- */

static int make_room(struct reactor *reactor, size_t wanted)
{
    if (wanted <= reactor->room)
        return 0;
    size_t room = wanted < LEAST_ROOM ? LEAST_ROOM : 2 * wanted;
    struct pollfd *polled = realloc(reactor->polled, room * sizeof *polled);
    if (!polled)
        return -ENOMEM;
    reactor->polled = polled;
    struct watch **watched = realloc(reactor->watched, room * sizeof(struct watch *));
    if (!watched)
        return -ENOMEM;
    reactor->watched = watched;
    reactor->room = room;
    return 0;
}

static int gather(struct reactor *reactor)
{
    size_t count = 0;
    list_each (l, next, &reactor->watches)
        count++;
    int error = make_room(reactor, count);
    if (error)
        return error;
    reactor->count = 0;
    list_each (l, next, &reactor->watches) {
        struct watch *watch = container_of(l, struct watch, link);
        reactor->watched[reactor->count] = watch;
        reactor->polled[reactor->count++] = (struct pollfd){.fd = watch->fd, .events = watch->events};
    }
    return 0;
}

/* Until the first alarm; -1: there is none. Rounded up, so that it is due when poll() returns. */
static int milliseconds_left(const struct reactor *reactor)
{
    static const nsec longest = 3600 * NSEC_SEC;
    nsec first = NSEC_NEVER;
    list_each (l, next, &reactor->alarms) {
        const struct alarm *alarm = container_of(l, struct alarm, link);
        first = alarm->at < first ? alarm->at : first;
    }
    if (first == NSEC_NEVER)
        return -1;
    nsec left = first - clock_monotonic();
    return left <= 0 ? 0 : left > longest ? (int)(longest / NSEC_MS) : (int)((left + NSEC_MS - 1) / NSEC_MS);
}

/* Those that are due go to a list of their own first: one that is armed anew waits for the next round. */
static void ring_due(struct reactor *reactor)
{
    struct list due;
    nsec now = clock_monotonic();
    list_init(&due);
    list_each (l, next, &reactor->alarms) {
        if (container_of(l, struct alarm, link)->at > now)
            continue;
        list_unlink(l);
        list_push_back(&due, l);
    }
    for (struct list *l; (l = list_pop_front(&due));) {
        struct alarm *alarm = container_of(l, struct alarm, link);
        alarm->ring(alarm);
    }
}

int reactor_turn(struct reactor *reactor)
{
    int error = gather(reactor);
    if (error)
        return error;
    int found = poll(reactor->polled, reactor->count, milliseconds_left(reactor));
    error = found < 0 ? -errno : 0;
    for (size_t i = 0; i < reactor->count && found > 0; i++)
        if (reactor->polled[i].revents && reactor->watched[i])
            reactor->watched[i]->ready(reactor->watched[i], reactor->polled[i].revents);
    reactor->count = 0;
    ring_due(reactor);
    return error;
}

void reactor_abandon(struct reactor *reactor)
{
    list_each (l, next, &reactor->watches)
        close(container_of(l, struct watch, link)->fd);
    reactor_free(reactor);
}
