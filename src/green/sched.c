/* sched.c: which thread runs next, and how it gets the processor; see core.h.
 *
 * Three queues: threads that were waiting, threads that have not run yet, and tasks, which have no stack yet.
 */
#include <errno.h>
#include <pthread.h>

#include "green/core.h"
#include "green/stack.h"
#include "green/switch.h"

enum {
    BURST = 256, /* hand-overs before the loop polls again: a poll is then a small share of the work */
    DEFAULT_STACK = 64 * 1024,
    DEFAULT_THREADS = 20000,
};

struct queue {
    struct green *first, *last;
};

static struct {
    void *loop_sp; /* the loop's own stack, while a green thread runs */
    struct queue resumed, fresh;
    struct green_task *first_task, *last_task; /* the last one means something while there is a first one */
    nsec task_posted;                          /* when the one was that was taken last; 0 without accounts */
    unsigned burst;                            /* hand-overs left */
    size_t live, most_live, waiting, max;
    uint64_t spawned;
    struct green *ended;              /* its stack is given back when nobody stands on it any more */
    struct sanitize_context sanitize; /* the loop's */
} core;

struct green_pulse green_pulse;

/* Set on the OS thread that runs the loop, which alone may look at `core`. */
static __thread bool runs_loop;

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

static int make(struct green **made, const struct green *self, const char *name, green_fn *fn, void *arg);

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
        core.task_posted = green_accounts ? green_account_take() : 0;
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
    thread->cancelled = thread->deaf = thread->detached = thread->killed = false;
    thread->fn = fn;
    thread->arg = arg;
    thread->name = name;
    thread->number = ++core.spawned;
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
        int error = make(&thread, NULL, task->kind->name, run_task, task);
        if (!error) {
            thread->detached = true;
            thread->ready_at = core.task_posted;
            return thread;
        }
        task->kind->refused(task, error);
    }
    return NULL;
}

/* The second half of a burst turns the order round, so that threads that wake each other for ever starve nobody, and
 * what is to start does not wait for all that ends: of thousands that sleep equally long, those that came late would
 * wake late, in a crowd that grows until the processor is idle between two of them. */
static bool finish_first(void)
{
    return core.burst > BURST / 2;
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
    green_pulse_beat(next);
    core.burst -= next != NULL;
    if (green_accounts)
        green_account_switch(self, next);
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
        green_pulse_beat(first);
        if (green_accounts)
            green_account_switch(NULL, first);
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
    green_pulse_beat(self);
    prepare(self, task->kind->name, run_task, task);
    self->state = GREEN_RUNNING;
    self->detached = true;
    self->what = STR("");
    self->label = NULL;
    self->ready_at = core.task_posted;
    if (green_accounts)
        green_account_start(self);
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

/* `self`: whose label and description it inherits; NULL: nobody's. */
static int make(struct green **made, const struct green *self, const char *name, green_fn *fn, void *arg)
{
    if (core.live >= core.max)
        return -EAGAIN;
    struct green *t = stack_take();
    if (!t)
        return -ENOMEM;
    prepare(t, name, fn, arg);
    t->what = self ? self->what : STR("");
    t->label = self ? self->label : NULL;
    t->spent = (struct green_spent){0};
    t->ready_at = green_accounts ? green_account_ready() : 0;
    sanitize_begin(&t->sanitize, stack_low(t), stack_room(t));
    if (++core.live > core.most_live)
        core.most_live = core.live;
    *made = t;
    return 0;
}

int green_start(struct green **thread, const char *name, green_fn *fn, void *arg, struct green_scope *scope)
{
    int error = make(thread, green_self(), name, fn, arg);
    if (error)
        return error;
    (*thread)->scope = scope;
    push(&core.fresh, *thread);
    return 0;
}

void green_post(struct green_task *task)
{
    task->next = NULL;
    if (green_accounts)
        green_account_post();
    if (core.first_task)
        core.last_task->next = task;
    else
        core.first_task = task;
    core.last_task = task;
}

int green_park(void)
{
    struct green *self = green_pulse_running();
    self->state = GREEN_WAITING;
    core.waiting++;
    hand_over(self, false);
    return self->result;
}

void green_pass(void)
{
    struct green *self = green_pulse_running();
    self->state = GREEN_READY;
    push(&core.fresh, self);
    hand_over(self, false);
}

bool green_wake(struct green *thread, int result)
{
    if (thread->state != GREEN_WAITING)
        return false;
    if (green_accounts)
        green_account_wait(thread);
    core.waiting--;
    thread->state = GREEN_READY;
    thread->result = result;
    push(&core.resumed, thread);
    return true;
}

void green_reap(struct green *thread)
{
    thread->state = GREEN_FREE;
    core.live--;
    sanitize_end(&thread->sanitize);
    stack_give(thread);
}

struct green *green_self(void)
{
    return green_pulse_running();
}

bool green_here(void)
{
    return runs_loop && green_pulse_running();
}

void green_count(struct green_census *census)
{
    census->live = core.live;
    census->most_live = core.most_live;
    census->spawned = core.spawned;
}

struct green_counts green_count_threads(void)
{
    size_t running = green_pulse_running() != NULL;
    return (struct green_counts){core.live, core.waiting, core.live - core.waiting - running};
}

/* A child of fork() has a copy of the threads, but shares the descriptors that the loop polls: it must not wait. */
static void forget_loop(void)
{
    runs_loop = false;
}

static void forget_loop_in_children(void)
{
    static bool done;
    if (!done)
        done = pthread_atfork(NULL, NULL, forget_loop) == 0;
}

int green_core_init(const struct green_options *options)
{
    green_account_init(options->accounts);
    core.max = options->threads ? options->threads : DEFAULT_THREADS;
    /* One more stack than threads: one that has just ended may still stand on its own when the next one starts. */
    int error = stack_pool_init(options->stack ? options->stack : DEFAULT_STACK, sizeof(struct green), core.max + 1);
    if (error)
        return error;
    if (core.max >= stack_pool_max())
        core.max = stack_pool_max() - 1;
    sanitize_adopt(&core.sanitize);
    forget_loop_in_children();
    runs_loop = true;
    return 0;
}

void green_core_free(void)
{
    runs_loop = false;
    stack_pool_free();
    core.live = core.most_live = core.waiting = core.spawned = 0; /* the first thread has ended, but nobody joined it */
    core.resumed = core.fresh = (struct queue){0};
    core.first_task = NULL;
}
