/* green.c: see green.h: threads as their users see them. sched.c runs them, wait.c is how they wait. */
#include <errno.h>

#include "green/core.h"
#include "green/stack.h"

int green_spawn(struct green **thread, const char *name, green_fn *fn, void *arg)
{
    return green_start(thread, name, fn, arg, NULL);
}

int green_go(const char *name, green_fn *fn, void *arg)
{
    struct green *t;
    int error = green_start(&t, name, fn, arg, NULL);
    if (error)
        return error;
    t->detached = true;
    t->what = STR(""); /* it may outlive what it would inherit */
    t->label = NULL;
    return 0;
}

int green_join(struct green *thread, int *result, nsec deadline)
{
    if (thread->joiner)
        return -EBUSY;
    if (thread->state != GREEN_DONE) {
        thread->joiner = green_self();
        int error = green_suspend(GREEN_WAIT_THREAD, deadline);
        thread->joiner = NULL;
        if (error && thread->state != GREEN_DONE)
            return error;
    }
    if (result)
        *result = thread->result;
    green_reap(thread);
    return 0;
}

int green_yield(void)
{
    if (green_cancelled())
        return -ECANCELED;
    green_pass();
    return 0;
}

void green_give_way(void)
{
    green_pass();
}

/* Stands in the queue of tasks for a thread that waits for those before it. */
struct bookmark {
    struct green_task task;
    struct green *thread;
};

static int on_bookmark(struct green_task *task)
{
    green_wake(container_of(task, struct bookmark, task)->thread, 0);
    return 0;
}

static void on_bookmark_refused(struct green_task *task, int error)
{
    (void)error; /* its turn has come, if without a thread */
    on_bookmark(task);
}

int green_yield_to_tasks(void)
{
    static const struct green_task_kind kind = {.name = "bookmark", .run = on_bookmark, .refused = on_bookmark_refused};
    struct bookmark bookmark = {.task = {.kind = &kind}, .thread = green_self()};
    if (green_cancelled())
        return -ECANCELED;
    green_post(&bookmark.task);
    (void)!green_suspend_deaf(GREEN_WAIT_TURN); /* the queue points to this frame */
    return 0;
}

bool green_cancelled(void)
{
    return green_self() && green_self()->cancelled;
}

bool green_killed(void)
{
    return green_self() && green_self()->killed;
}

void green_describe(struct str what)
{
    green_self()->what = what;
}

struct str green_description(void)
{
    return green_self()->what;
}

void green_label(const struct green_label *label)
{
    green_self()->label = label;
}

void green_take_census(struct green_census *census)
{
    struct stack_census stacks;
    stack_pool_census(&stacks);
    *census = (struct green_census){.stacks = stacks.stacks,
                                    .stack_size = stacks.size,
                                    .high_water = stacks.high_water,
                                    .resident = stacks.resident,
                                    .guard_pages = stacks.guard_pages};
    green_count(census);
}
