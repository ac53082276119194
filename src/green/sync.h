/* sync.h: mutex, condition and semaphore for green threads.
 *
 * Between two waits nothing else runs, so most shared data needs none of these: a mutex is for an invariant that
 * must hold ACROSS a wait. All are fair: who waits longest is served first, and is handed the thing itself, so
 * nobody can slip in between. None has anything to free; none may be moved while a thread waits.
 */
#ifndef TERN_GREEN_SYNC_H
#define TERN_GREEN_SYNC_H

#include "base/list.h"
#include "green/green.h"

struct green_mutex {
    struct green *owner;
    struct list waiting;
};

struct green_cond {
    struct list waiting;
};

struct green_sem {
    size_t count;
    struct list waiting;
};

void green_mutex_init(struct green_mutex *mutex);
void green_cond_init(struct green_cond *cond);
void green_sem_init(struct green_sem *sem, size_t count);

/* 0, or -ETIMEDOUT, -ECANCELED, or -EDEADLK: this thread has it already. */
int green_mutex_lock(struct green_mutex *mutex, nsec deadline) GREEN_WAITS;

/* By its owner only: -EPERM for any other thread. */
int green_mutex_unlock(struct green_mutex *mutex);

/* Unlocks the mutex, waits for a signal, and locks it again; the mutex is held on return, whatever the result. No mutex
 * (NULL) is needed by who tests the condition and waits without another wait in between. */
int green_cond_wait(struct green_cond *cond, struct green_mutex *mutex, nsec deadline) GREEN_WAITS;

/* The same without a mutex, for what a client is to bring about: it is on the client's account. */
int green_cond_wait_peer(struct green_cond *cond, nsec deadline) GREEN_WAITS;

void green_cond_signal(struct green_cond *cond);
void green_cond_broadcast(struct green_cond *cond);

/* Takes one; 0, -ETIMEDOUT or -ECANCELED. */
int green_sem_wait(struct green_sem *sem, nsec deadline) GREEN_WAITS;
void green_sem_post(struct green_sem *sem);

#endif
