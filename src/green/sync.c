/* sync.c: see sync.h. */
#include "green/sync.h"

#include <errno.h>

#include "green/wait.h"

void green_mutex_init(struct green_mutex *mutex)
{
    mutex->owner = NULL;
    list_init(&mutex->waiting);
}

void green_cond_init(struct green_cond *cond)
{
    list_init(&cond->waiting);
}

void green_sem_init(struct green_sem *sem, size_t count)
{
    sem->count = count;
    list_init(&sem->waiting);
}

int green_mutex_lock(struct green_mutex *mutex, nsec deadline)
{
    if (!mutex->owner) {
        mutex->owner = green_self();
        return 0;
    }
    if (mutex->owner == green_self())
        return -EDEADLK;
    return wait_in(&mutex->waiting, GREEN_WAIT_LOCK, deadline); /* on 0 the one who unlocked has made us its owner */
}

int green_mutex_unlock(struct green_mutex *mutex)
{
    if (mutex->owner != green_self())
        return -EPERM;
    mutex->owner = wake_one(&mutex->waiting, 0);
    return 0;
}

static void lock_deaf(struct green_mutex *mutex)
{
    if (!mutex->owner)
        mutex->owner = green_self();
    else
        wait_in_deaf(&mutex->waiting, GREEN_WAIT_LOCK);
}

int green_cond_wait(struct green_cond *cond, struct green_mutex *mutex, nsec deadline)
{
    int result = mutex ? green_mutex_unlock(mutex) : 0;
    if (result)
        return result;
    result = wait_in(&cond->waiting, GREEN_WAIT_CONDITION, deadline);
    if (mutex)
        lock_deaf(mutex);
    return result;
}

int green_cond_wait_peer(struct green_cond *cond, nsec deadline)
{
    return wait_in(&cond->waiting, GREEN_WAIT_WINDOW, deadline);
}

void green_cond_signal(struct green_cond *cond)
{
    wake_one(&cond->waiting, 0);
}

void green_cond_broadcast(struct green_cond *cond)
{
    while (wake_one(&cond->waiting, 0))
        ;
}

int green_sem_wait(struct green_sem *sem, nsec deadline)
{
    if (sem->count) {
        sem->count--;
        return 0;
    }
    return wait_in(&sem->waiting, GREEN_WAIT_SEMAPHORE, deadline);
}

void green_sem_post(struct green_sem *sem)
{
    if (!wake_one(&sem->waiting, 0))
        sem->count++;
}
