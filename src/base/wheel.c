/* wheel.c: see wheel.h. */
#include "base/wheel.h"

static struct list *slot_of(struct wheel *w, uint64_t tick)
{
    return &w->slots[tick % WHEEL_SLOTS];
}

static void mark(struct wheel *w, uint64_t tick)
{
    w->occupied[tick % WHEEL_SLOTS / 64] |= 1ULL << (tick % 64);
}

static void unmark(struct wheel *w, uint64_t tick)
{
    w->occupied[tick % WHEEL_SLOTS / 64] &= ~(1ULL << (tick % 64));
}

void wheel_init(struct wheel *w, nsec now)
{
    *w = (struct wheel){.tick = (uint64_t)(now / WHEEL_TICK)};
    for (size_t i = 0; i < WHEEL_SLOTS; i++)
        list_init(&w->slots[i]);
}

/* The first tick at which `deadline` has passed, within one turn from now. */
static uint64_t tick_for(const struct wheel *w, nsec deadline)
{
    uint64_t tick = deadline <= 0 ? 0 : ((uint64_t)deadline + WHEEL_TICK - 1) / WHEEL_TICK;
    uint64_t first = w->tick + 1, last = w->tick + WHEEL_SLOTS - 1;
    if (tick < first)
        return first;
    return tick > last ? last : tick;
}

static void link_node(struct wheel *w, struct wheel_node *node)
{
    uint64_t tick = tick_for(w, node->deadline);
    node->slot_end = (nsec)tick * WHEEL_TICK;
    list_push_back(slot_of(w, tick), &node->link);
    mark(w, tick);
    w->count++;
}

void wheel_arm(struct wheel *w, struct wheel_node *node, nsec deadline)
{
    node->deadline = deadline;
    if (wheel_linked(node)) {
        if (deadline >= node->slot_end)
            return; /* lazy: its old slot will find it and move it on */
        wheel_disarm(w, node);
    }
    link_node(w, node);
}

void wheel_disarm(struct wheel *w, struct wheel_node *node)
{
    if (!wheel_linked(node))
        return;
    list_unlink(&node->link);
    w->count--;
}

static void fire_slot(struct wheel *w, nsec now)
{
    struct list due = LIST_INIT(due);
    struct list *slot = slot_of(w, w->tick);
    unmark(w, w->tick);
    if (!list_empty(slot)) {
        list_insert_before(slot, &due); /* `due` takes the slot's place in its ring ... */
        list_unlink(slot);              /* ... and the slot is empty */
    }
    /* Taken one by one, since what fires may disarm others that are due as well. */
    for (struct list *l; (l = list_pop_front(&due));) {
        struct wheel_node *node = container_of(l, struct wheel_node, link);
        w->count--;
        if (node->deadline > now)
            link_node(w, node);
        else
            node->fire(node);
    }
}

void wheel_advance(struct wheel *w, nsec now)
{
    uint64_t target = (uint64_t)(now / WHEEL_TICK);
    /* After a long sleep (a stopped process) one turn visits every slot there is. */
    if (target > w->tick + WHEEL_SLOTS)
        w->tick = target - WHEEL_SLOTS;
    while (w->tick < target) {
        w->tick++;
        fire_slot(w, now);
    }
}

nsec wheel_next(const struct wheel *w)
{
    if (w->count == 0)
        return NSEC_NEVER;
    for (uint64_t tick = w->tick + 1; tick <= w->tick + WHEEL_SLOTS;) {
        uint64_t word = w->occupied[tick % WHEEL_SLOTS / 64] >> (tick % 64);
        if (word)
            return (nsec)(tick + (uint64_t)__builtin_ctzll(word)) * WHEEL_TICK;
        tick += 64 - tick % 64;
    }
    return NSEC_NEVER;
}

bool wheel_check(const struct wheel *w)
{
    size_t count = 0;
    for (size_t i = 0; i < WHEEL_SLOTS; i++) {
        bool marked = w->occupied[i / 64] >> (i % 64) & 1;
        if (!marked && !list_empty(&w->slots[i]))
            return false;
        for (const struct list *l = w->slots[i].next; l != &w->slots[i]; l = l->next, count++) {
            const struct wheel_node *node = container_of(l, struct wheel_node, link);
            if ((uint64_t)(node->slot_end / WHEEL_TICK) % WHEEL_SLOTS != i || l->next->prev != l)
                return false;
        }
    }
    return count == w->count;
}
