/* spent.c: see spent.h. sched.c tells when threads are switched and woken. */
#include "green/spent.h"

#include "green/core.h"

bool green_accounts;

static nsec stamp; /* when the clock was read last: the running thread is charged from here on */
static bool asked; /* the running thread has asked for it since it got its turn */

static nsec settle(struct green *thread, nsec now)
{
    thread->spent.running += now - stamp;
    thread->spent.at = now;
    return stamp = now;
}

void green_account_switch(struct green *from, struct green *to)
{
    nsec now = clock_monotonic();
    asked = false;
    if (from)
        from->ready_at = settle(from, now); /* if it is ready */
    stamp = now;
    if (to && to != from) {
        to->spent.queue += now - to->ready_at;
        to->spent.at = now;
    }
}

void green_account_start(struct green *thread)
{
    if (!asked)
        stamp = clock_monotonic();
    asked = false;
    thread->spent = (struct green_spent){.at = stamp, .queue = stamp - thread->ready_at};
}

void green_spent_add(struct green_spent *to, struct green_spent spent)
{
    to->at = to->at > spent.at ? to->at : spent.at;
    to->running += spent.running;
    to->queue += spent.queue;
    to->pool += spent.pool;
    to->client += spent.client;
    to->upstream += spent.upstream;
}

nsec green_account_stamp(void)
{
    return stamp;
}

nsec green_account_ready(void)
{
    return stamp > green_now() ? stamp : green_now();
}

void green_account_wait(struct green *thread)
{
    static const uint8_t accounts[GREEN_WAITS_COUNT] = {
        [GREEN_WAIT_POOL] = offsetof(struct green_spent, pool),
        [GREEN_WAIT_CLIENT] = offsetof(struct green_spent, client),
        [GREEN_WAIT_WINDOW] = offsetof(struct green_spent, client),
        [GREEN_WAIT_DESCRIPTOR] = offsetof(struct green_spent, upstream),
    };
    thread->ready_at = green_account_ready();
    nsec waited = thread->ready_at - thread->spent.at;
    uint8_t account = accounts[thread->wait];
    if (account && waited > 0)
        *(nsec *)(void *)((char *)&thread->spent + account) += waited;
}

/* ---- tasks ---- */

/* An idle connection is a task, and has no room for the time. Since tasks are taken in the order in which they were
 * posted, it is kept once for all that came after one poll. With no room for that, they share it with those before. */
enum { MARKS = 128 };

static struct {
    struct mark {
        uint64_t first; /* task, by its number */
        nsec at;
    } marks[MARKS];
    uint64_t oldest, next; /* marks, each at its number % MARKS */
    uint64_t posted, taken;
} tasks;

static struct mark *mark(uint64_t number)
{
    return &tasks.marks[number % MARKS];
}

void green_account_post(void)
{
    nsec at = green_polled();
    bool same = tasks.next > tasks.oldest && mark(tasks.next - 1)->at == at;
    if (!same && tasks.next - tasks.oldest < MARKS)
        *mark(tasks.next++) = (struct mark){tasks.posted, at};
    tasks.posted++;
}

nsec green_account_take(void)
{
    while (tasks.next - tasks.oldest > 1 && mark(tasks.oldest + 1)->first <= tasks.taken)
        tasks.oldest++;
    tasks.taken++;
    return mark(tasks.oldest)->at;
}

void green_account_init(bool accounts)
{
    green_accounts = accounts;
    tasks.oldest = tasks.next = tasks.posted = tasks.taken = 0;
}

/* ---- for everybody ---- */

struct green_spent green_spent(void)
{
    struct green *self = green_self();
    if (!green_accounts)
        return (struct green_spent){0};
    if (!self) /* the loop spends nothing, but knows the time */
        return (struct green_spent){.at = clock_monotonic()};
    settle(self, clock_monotonic());
    asked = true;
    return self->spent;
}

struct green_spent green_spent_before(void)
{
    return green_accounts ? green_self()->spent : (struct green_spent){0};
}

nsec green_ready_since(void)
{
    return green_accounts ? green_self()->ready_at : 0;
}
