/* green.c: see green.h and core.h. */
#include <errno.h>
#include <ev.h>

#include "green/core.h"
#include "green/stack.h"
#include "green/switch.h"

enum {
    BURST = 256, /* hand-overs before the loop polls again: a poll is then a small share of the work */
    DEFAULT_STACK = 64 * 1024,
    DEFAULT_THREADS = 20000,
};

/* Waits that end within this time get a timer of their own, exact to the millisecond; longer ones share the wheel. */
#define PRECISE NSEC_SEC

struct queue {
    struct green *first, *last;
};

static struct {
    struct green *running;
    void *loop_sp; /* the loop's own stack, while a green thread runs */
    struct queue resumed, fresh;
    struct green_task *first_task, *last_task; /* the last one means something while there is a first one */
    unsigned burst;                            /* hand-overs left */
    size_t live, most_live, max;
    uint64_t spawned;
    struct green *ended;              /* its stack is given back when nobody stands on it any more */
    struct sanitize_context sanitize; /* the loop's */
} core;

static void push(struct queue *q, struct green *thread)
{
    thread->next = NULL;
    if (q->last)
        q->last->next = thread;
    else
        q->first = thread;
    q->last = thread;
}

static struct green *pop(struct queue *q)
{
    struct green *thread = q->first;
    if (thread && !(q->first = thread->next))
        q->last = NULL;
    return thread;
}

static int make(struct green **made, const char *name, green_fn *fn, void *arg);

static int run_task(void *task)
{
    return ((struct green_task *)task)->kind->run(task);
}

static struct green_task *pop_task(void)
{
    struct green_task *task = core.first_task;
    if (task) {
        core.first_task = task->next;
        __builtin_prefetch(core.first_task);
    }
    return task;
}

static void on_wheel(struct wheel_node *node)
{
    struct green *thread = container_of(node, struct green, timer);
    green_wake(thread, -ETIMEDOUT);
}

/* Field by field: a structure cleared as a whole costs as much as the rest of a spawn. */
static void prepare(struct green *thread, const char *name, green_fn *fn, void *arg)
{
    thread->sp = NULL;
    thread->state = GREEN_READY;
    thread->cancelled = thread->deaf = thread->detached = false;
    thread->fn = fn;
    thread->arg = arg;
    thread->name = name;
    thread->what = STR("");
    thread->joiner = NULL;
    thread->scope = NULL;
    list_init(&thread->in_scope);
    wheel_node_init(&thread->timer, on_wheel);
}

/* A thread for the first task that one can be had for. */
static struct green *start_task(void)
{
    for (struct green_task *task; (task = pop_task());) {
        struct green *thread;
        int error = make(&thread, task->kind->name, run_task, task);
        if (!error) {
            thread->detached = true;
            return thread;
        }
        task->kind->refused(task, error);
    }
    return NULL;
}

/* The last quarter of a burst turns the order round, so that threads that wake each other for ever starve nobody. */
static bool finish_first(void)
{
    return core.burst > BURST / 4;
}

/* Finish before you start: threads that were waiting go before new ones, and these before tasks that have no stack yet,
 * which bounds memory under load. */
static struct green *next_ready(void)
{
    struct green *thread = finish_first() ? pop(&core.resumed) : start_task();
    if (!thread)
        thread = pop(&core.fresh);
    if (!thread)
        thread = finish_first() ? start_task() : pop(&core.resumed);
    return thread;
}

static bool anything_ready(void)
{
    return core.resumed.first || core.fresh.first || core.first_task;
}

static void run(void *arg);

/* After every switch, on the new stack. */
static void arrive(struct sanitize_context *self)
{
    sanitize_arrive(self);
    if (core.ended) {
        sanitize_end(&core.ended->sanitize);
        stack_give(core.ended);
        core.ended = NULL;
    }
}

/* Leaves the context `from` for a thread; a fresh one has no context to resume yet. */
static void go_on_with(void **from, struct green *thread)
{
    thread->state = GREEN_RUNNING;
    if (thread->sp)
        green_switch(from, thread->sp);
    else
        green_enter(from, thread, run, thread);
}

/* Leaves the running thread for the next one that is ready, or for the loop when the burst is over. */
static void hand_over(struct green *self, bool last)
{
    struct green *next = core.burst ? next_ready() : NULL;
    core.running = next;
    core.burst -= next != NULL;
    if (next == self) {
        self->state = GREEN_RUNNING;
        return;
    }
    sanitize_leave(&self->sanitize, next ? &next->sanitize : &core.sanitize, last);
    if (next)
        go_on_with(&self->sp, next);
    else
        green_switch(&self->sp, core.loop_sp);
    arrive(&self->sanitize);
}

bool green_run_ready(void)
{
    core.burst = BURST;
    struct green *first = next_ready();
    if (first) {
        core.burst--;
        core.running = first;
        sanitize_leave(&core.sanitize, &first->sanitize, false);
        go_on_with(&core.loop_sp, first);
        arrive(&core.sanitize);
    }
    return anything_ready();
}

static void release(struct green *thread)
{
    thread->state = GREEN_FREE;
    core.live--;
    core.ended = thread;
}

/* A thread that nobody waits for ends, and a task is next: it goes on as that one's thread, on its own warm stack. */
static bool become_next_task(struct green *self)
{
    bool others_first = finish_first() && (core.resumed.first || core.fresh.first);
    struct green_task *task = self->detached && core.burst && !others_first ? pop_task() : NULL;
    if (!task)
        return false;
    core.burst--;
    core.spawned++;
    prepare(self, task->kind->name, run_task, task);
    self->state = GREEN_RUNNING;
    self->detached = true;
    return true;
}

/* The first and last function on every green stack. */
static void run(void *arg)
{
    struct green *self = arg;
    arrive(&self->sanitize);
    do {
        self->result = self->fn(self->arg);
        wheel_disarm(green_wheel(), &self->timer);
    } while (become_next_task(self));
    if (self->scope) {
        green_scope_ended(self->scope, self);
        release(self);
    } else if (self->detached) {
        release(self);
    } else {
        self->state = GREEN_DONE;
        if (self->joiner)
            green_wake(self->joiner, 0);
    }
    hand_over(self, true);
    __builtin_unreachable();
}

static int make(struct green **made, const char *name, green_fn *fn, void *arg)
{
    if (core.live >= core.max)
        return -EAGAIN;
    struct green *t = stack_take();
    if (!t)
        return -ENOMEM;
    prepare(t, name, fn, arg);
    sanitize_begin(&t->sanitize, stack_low(t), stack_room(t));
    if (++core.live > core.most_live)
        core.most_live = core.live;
    core.spawned++;
    *made = t;
    return 0;
}

int green_start(struct green **thread, const char *name, green_fn *fn, void *arg, struct green_scope *scope)
{
    int error = make(thread, name, fn, arg);
    if (error)
        return error;
    (*thread)->scope = scope;
    push(&core.fresh, *thread);
    return 0;
}

void green_post(struct green_task *task)
{
    task->next = NULL;
    if (core.first_task)
        core.last_task->next = task;
    else
        core.first_task = task;
    core.last_task = task;
}

int green_spawn(struct green **thread, const char *name, green_fn *fn, void *arg)
{
    return green_start(thread, name, fn, arg, NULL);
}

int green_go(const char *name, green_fn *fn, void *arg)
{
    struct green *t;
    int error = green_start(&t, name, fn, arg, NULL);
    if (!error)
        t->detached = true;
    return error;
}

int green_join(struct green *thread, int *result, nsec deadline)
{
    if (thread->joiner)
        return -EBUSY;
    if (thread->state != GREEN_DONE) {
        thread->joiner = core.running;
        int error = green_suspend(deadline);
        thread->joiner = NULL;
        if (error && thread->state != GREEN_DONE)
            return error;
    }
    if (result)
        *result = thread->result;
    thread->state = GREEN_FREE;
    core.live--;
    sanitize_end(&thread->sanitize);
    stack_give(thread);
    return 0;
}

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

static int suspend(struct green *self)
{
    self->state = GREEN_WAITING;
    hand_over(self, false);
    return self->result;
}

static int suspend_precisely(struct green *self, nsec deadline)
{
    green_update_now();
    nsec left = deadline > green_now() ? deadline - green_now() : 0;
    struct precise precise = {.thread = self};
    ev_timer_init(&precise.timer, on_precise, (double)left / NSEC_SEC, 0.);
    ev_timer_start(green_loop(), &precise.timer);
    int result = suspend(self);
    ev_timer_stop(green_loop(), &precise.timer);
    return result;
}

int green_suspend(nsec deadline)
{
    struct green *self = core.running;
    if (self->cancelled)
        return -ECANCELED;
    if (deadline <= green_now())
        return -ETIMEDOUT;
    if (deadline == NSEC_NEVER) {
        wheel_disarm(green_wheel(), &self->timer);
        return suspend(self);
    }
    if (deadline - green_now() < PRECISE) {
        wheel_disarm(green_wheel(), &self->timer);
        return suspend_precisely(self, deadline);
    }
    /* After the wait the node stays where it is: the next wait will most likely only move the deadline away. Should
     * it fire meanwhile it finds a thread that does not wait, which green_wake() leaves alone. */
    wheel_arm(green_wheel(), &self->timer, deadline);
    return suspend(self);
}

int green_suspend_deaf(void)
{
    struct green *self = core.running;
    wheel_disarm(green_wheel(), &self->timer);
    self->deaf = true;
    int result = suspend(self);
    self->deaf = false;
    return result;
}

bool green_wake(struct green *thread, int result)
{
    if (thread->state != GREEN_WAITING)
        return false;
    thread->state = GREEN_READY;
    thread->result = result;
    push(&core.resumed, thread);
    return true;
}

void green_cancel(struct green *thread)
{
    thread->cancelled = true;
    if (!thread->deaf)
        green_wake(thread, -ECANCELED);
}

bool green_cancelled(void)
{
    return core.running && core.running->cancelled;
}

int green_yield(void)
{
    struct green *self = core.running;
    if (self->cancelled)
        return -ECANCELED;
    self->state = GREEN_READY;
    push(&core.fresh, self);
    hand_over(self, false);
    return 0;
}

int green_sleep(nsec duration)
{
    green_update_now();
    int result = green_suspend(nsec_add(green_now(), duration));
    return result == -ETIMEDOUT ? 0 : result;
}

struct green *green_self(void)
{
    return core.running;
}

void green_describe(struct str what)
{
    core.running->what = what;
}

void green_take_census(struct green_census *census)
{
    struct stack_census stacks;
    stack_pool_census(&stacks);
    *census = (struct green_census){.live = core.live,
                                    .most_live = core.most_live,
                                    .spawned = core.spawned,
                                    .stacks = stacks.stacks,
                                    .stack_size = stacks.size,
                                    .high_water = stacks.high_water,
                                    .resident = stacks.resident,
                                    .guard_pages = stacks.guard_pages};
}

struct each {
    void (*fn)(const struct green_view *view, void *arg);
    void *arg;
};

static void view(void *block, void *arg)
{
    const struct green *thread = block;
    const struct each *each = arg;
    if (thread->state == GREEN_FREE || thread->state == GREEN_DONE)
        return;
    struct green_view v = {.name = thread->name, .what = thread->what, .waiting = thread->state == GREEN_WAITING};
    if (thread->state != GREEN_RUNNING && thread->sp)
        v.depth = (size_t)((const char *)thread - (const char *)thread->sp);
    each->fn(&v, each->arg);
}

void green_each(void (*fn)(const struct green_view *view, void *arg), void *arg)
{
    stack_each(view, &(struct each){fn, arg});
}

int green_core_init(const struct green_options *options)
{
    core.max = options->threads ? options->threads : DEFAULT_THREADS;
    /* One more stack than threads: one that has just ended may still stand on its own when the next one starts. */
    int error = stack_pool_init(options->stack ? options->stack : DEFAULT_STACK, sizeof(struct green), core.max + 1);
    if (error)
        return error;
    if (core.max >= stack_pool_max())
        core.max = stack_pool_max() - 1;
    sanitize_adopt(&core.sanitize);
    return 0;
}

void green_core_free(void)
{
    stack_pool_free();
    core.live = core.most_live = core.spawned = 0; /* the first thread has ended, but nobody joined it */
    core.resumed = core.fresh = (struct queue){0};
    core.first_task = NULL;
}
