/* spent.c: see spent.h. sched.c tells when threads are switched and woken. */
#include "green/spent.h"

#include "green/core.h"

bool green_accounts;

static nsec since; /* when the running thread began to run */

void green_account_switch(struct green *from)
{
    nsec now = clock_monotonic();
    if (from) {
        from->spent.running += now - since;
        from->spent.at = now;
    }
    since = now;
}

/* A wait ends when its thread is woken, not when that runs again. green_now() is the time of the poll that told so; for
 * a thread that another one wakes it may be before the wait. */
void green_account_wait(struct green *thread)
{
    nsec waited = green_now() - thread->spent.at;
    if (thread->charged && waited > 0)
        *thread->charged += waited;
}

struct green_spent green_spent(void)
{
    struct green_spent spent = {0};
    if (!green_accounts)
        return spent;
    spent = green_self()->spent;
    spent.at = clock_monotonic();
    spent.running += spent.at - since;
    return spent;
}
