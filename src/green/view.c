/* view.c: see view.h. */
#include <errno.h>

#include "green/core.h"
#include "green/stack.h"

const char *const green_wait_names[GREEN_WAITS_COUNT] = {
    [GREEN_WAIT_NOTHING] = "nothing", [GREEN_WAIT_TIMER] = "timer",           [GREEN_WAIT_CLIENT] = "client",
    [GREEN_WAIT_WINDOW] = "window",   [GREEN_WAIT_DESCRIPTOR] = "descriptor", [GREEN_WAIT_POOL] = "pool",
    [GREEN_WAIT_LOCK] = "lock",       [GREEN_WAIT_CONDITION] = "condition",   [GREEN_WAIT_SEMAPHORE] = "semaphore",
    [GREEN_WAIT_CHANNEL] = "channel", [GREEN_WAIT_THREAD] = "thread",         [GREEN_WAIT_TURN] = "turn",
};

static bool lives(const struct green *thread)
{
    return thread->state == GREEN_READY || thread->state == GREEN_WAITING || thread->state == GREEN_RUNNING;
}

static enum green_standing standing_of(const struct green *thread)
{
    return thread->state == GREEN_WAITING   ? GREEN_STANDS_WAITING
           : thread->state == GREEN_RUNNING ? GREEN_STANDS_RUNNING
                                            : GREEN_STANDS_READY;
}

static struct green_view view_of(const struct green *thread)
{
    bool waits = thread->state == GREEN_WAITING, ready = thread->state == GREEN_READY;
    bool parked = (waits || ready) && thread->sp;
    return (struct green_view){
        .thread = thread,
        .number = thread->number,
        .name = thread->name,
        .what = thread->what,
        .label = thread->label,
        .standing = standing_of(thread),
        .cancelled = thread->cancelled,
        .wait = waits ? thread->wait : GREEN_WAIT_NOTHING,
        .fd = waits ? thread->wait_fd : -1,
        .until = waits ? thread->until : NSEC_NEVER,
        .since = ready ? thread->ready_at : thread->spent.at,
        .running = thread->spent.running,
        .depth = parked ? (size_t)((const char *)thread - (const char *)thread->sp) : 0,
    };
}

struct each {
    void (*fn)(const struct green_view *view, void *arg);
    void *arg;
};

static void see(void *block, void *arg)
{
    const struct each *each = arg;
    if (!lives(block))
        return;
    struct green_view view = view_of(block);
    each->fn(&view, each->arg);
}

void green_each(void (*fn)(const struct green_view *view, void *arg), void *arg)
{
    stack_each(see, &(struct each){fn, arg});
}

bool green_each_in(size_t from, size_t count, void (*fn)(const struct green_view *view, void *arg), void *arg)
{
    return stack_each_in(from, count, see, &(struct each){fn, arg});
}

struct search {
    uint64_t number;
    struct green *found;
};

static void compare(void *block, void *arg)
{
    struct search *search = arg;
    struct green *thread = block;
    if (thread->number == search->number && lives(thread))
        search->found = thread;
}

static struct green *find(uint64_t number)
{
    struct search search = {.number = number};
    stack_each(compare, &search);
    return search.found;
}

bool green_find(uint64_t number, struct green_view *view)
{
    const struct green *thread = find(number);
    if (thread)
        *view = view_of(thread);
    return thread;
}

int green_kill(uint64_t number)
{
    struct green *thread = find(number);
    if (!thread)
        return -ESRCH;
    thread->killed = true;
    green_cancel(thread);
    return 0;
}

size_t green_high_water(const struct green *thread)
{
    return stack_high_water(thread);
}
