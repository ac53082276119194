/* reactor.h: what the master waits for: descriptors that turn ready, and points in time.
 *
 * The master forks, and what it forks runs an event loop of its own; so its own loop is nothing but poll() over a list.
 * Each watch and alarm lies in the structure it belongs to, which container_of() finds. Callbacks may add and remove
 * any of them, their own included.
 */
#ifndef TERN_PROC_REACTOR_H
#define TERN_PROC_REACTOR_H

#include "base/clock.h"
#include "base/list.h"

#include <poll.h>

struct watch {
    struct list link; /* list_init() before the first use */
    int fd;
    short events; /* of poll() */
    void (*ready)(struct watch *watch, short events);
};

struct alarm {
    struct list link; /* list_init() before the first use */
    nsec at;
    void (*ring)(struct alarm *alarm);
};

struct reactor {
    struct list watches, alarms;
    struct pollfd *polled; /* of the round that runs, and whose they are; NULL: removed since */
    struct watch **watched;
    size_t room, count;
};

void reactor_init(struct reactor *reactor);

/* The memory of the reactor itself. */
void reactor_free(struct reactor *reactor);

/* Calls `ready` whenever one of `events`, an error or the end of the stream shows. Watching twice is watching once. */
void reactor_watch(struct reactor *reactor, struct watch *watch);

/* Stops that. The descriptor stays open. */
void reactor_unwatch(struct reactor *reactor, struct watch *watch);

/* Calls `ring` once, at `at` or soon after; arming again moves it. */
void reactor_arm(struct reactor *reactor, struct alarm *alarm, nsec at);
void reactor_disarm(struct alarm *alarm);

/* Waits for the next event and serves all that are due. 0, -EINTR or -ENOMEM. */
int reactor_turn(struct reactor *reactor) __attribute__((warn_unused_result));

/* In a forked child: closes the descriptors of all watches, which are the parent's business. */
void reactor_abandon(struct reactor *reactor);

#endif
