/* wheel.h: thousands of coarse timeouts at the cost of a list link.
 *
 * A ring of WHEEL_SLOTS slots, each WHEEL_TICK long (Varghese and Lauck, "Hashed and Hierarchical Timing Wheels",
 * SOSP 1987, scheme 6). A node fires at most one tick after its deadline, never before. Deadlines further away than
 * one turn stay in their slot and are looked at once a turn.
 *
 * Re-arming is lazy: moving a deadline AWAY writes one word and leaves the node where it is; when its old slot comes
 * round, the node is put where it belongs. So a connection that does a thousand reads within its timeout is linked
 * once. Nodes are intrusive; the wheel owns none of them. A node must be unlinked before its memory ends.
 */
#ifndef TERN_BASE_WHEEL_H
#define TERN_BASE_WHEEL_H

#include "base/clock.h"
#include "base/list.h"

enum { WHEEL_SLOTS = 512 };
#define WHEEL_TICK (128 * NSEC_MS)

struct wheel_node {
    struct list link; /* in a slot, or to itself */
    nsec deadline;    /* when it is to fire */
    nsec slot_end;    /* when the slot it is linked in comes round */
    void (*fire)(struct wheel_node *node);
};

struct wheel {
    struct list slots[WHEEL_SLOTS];
    uint64_t occupied[WHEEL_SLOTS / 64]; /* a bit for each slot that may hold nodes */
    uint64_t tick;                       /* the last tick that has fired */
    size_t count;                        /* nodes linked */
};

void wheel_init(struct wheel *w, nsec now);

static inline void wheel_node_init(struct wheel_node *node, void (*fire)(struct wheel_node *))
{
    list_init(&node->link);
    node->fire = fire;
}

static inline bool wheel_linked(const struct wheel_node *node)
{
    return !list_empty(&node->link);
}

/* (Re)arms a node. Not for NSEC_NEVER. */
void wheel_arm(struct wheel *w, struct wheel_node *node, nsec deadline);

/* Unlinks a node, if it is linked. */
void wheel_disarm(struct wheel *w, struct wheel_node *node);

/* Fires what is due: unlinks the node, then calls its `fire`, which may arm or disarm any node. */
void wheel_advance(struct wheel *w, nsec now);

/* When wheel_advance() next has something to look at; NSEC_NEVER when the wheel is empty. */
nsec wheel_next(const struct wheel *w);

/* Whether every invariant holds; for tests. */
bool wheel_check(const struct wheel *w);

#endif
