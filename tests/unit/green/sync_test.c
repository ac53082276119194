/* sync_test.c: mutex, condition and semaphore: who is refused, who is served, in which order. */
#include "green/sync.h"

#include "run.h"

static struct green_mutex mutex;
static struct green_cond cond;
static struct green_sem sem;

static void setup(void)
{
    green_mutex_init(&mutex);
    green_cond_init(&cond);
    green_sem_init(&sem, 0);
}

TestSuite(sync, .init = setup);

static void lock(void)
{
    cr_assert_eq(green_mutex_lock(&mutex, NSEC_NEVER), 0);
}

static void unlock(void)
{
    cr_assert_eq(green_mutex_unlock(&mutex), 0);
}

/* ---- what is refused ---- */

static int unlock_it(void *arg)
{
    (void)arg;
    return green_mutex_unlock(&mutex);
}

static int cond_wait_it(void *arg)
{
    (void)arg;
    return green_cond_wait(&cond, &mutex, NSEC_NEVER);
}

GreenTest(sync, only_its_owner_unlocks_a_mutex)
{
    cr_expect_eq(green_mutex_unlock(&mutex), -EPERM, "nobody has it");
    cr_expect_eq(green_cond_wait(&cond, &mutex, NSEC_NEVER), -EPERM);
    lock();
    cr_expect_eq(run_join(run_spawn(unlock_it, NULL)), -EPERM);
    cr_expect_eq(run_join(run_spawn(cond_wait_it, NULL)), -EPERM);
    unlock();
    cr_expect_eq(green_mutex_unlock(&mutex), -EPERM);
}

GreenTest(sync, a_mutex_is_not_recursive)
{
    lock();
    cr_expect_eq(green_mutex_lock(&mutex, NSEC_NEVER), -EDEADLK);
    unlock();
    lock();
    unlock();
}

static char letters[] = "abc";

static void start_three(struct green *threads[3], green_fn *fn)
{
    for (size_t i = 0; i < 3; i++)
        threads[i] = run_spawn(fn, &letters[i]);
    run_yield();
}

/* ---- mutex ---- */

static int lock_note_unlock(void *arg)
{
    lock();
    run_note(*(char *)arg);
    run_yield();
    run_note(*(char *)arg);
    unlock();
    return 0;
}

static int lock_until_cancelled(void *arg)
{
    (void)arg;
    int error = green_mutex_lock(&mutex, NSEC_NEVER);
    if (error)
        return error;
    unlock();
    return 0;
}

GreenTest(sync, a_mutex_is_held_across_waits_and_handed_on_in_order)
{
    struct green *threads[3];
    lock();
    start_three(threads, lock_note_unlock);
    cr_expect_str_eq(run_noted(), "");
    unlock();
    cr_expect_eq(green_mutex_lock(&mutex, 1), -ETIMEDOUT, "it was handed to a thread, nobody slips in between");
    for (size_t i = 0; i < 3; i++)
        run_join(threads[i]);
    cr_expect_str_eq(run_noted(), "aabbcc");
    lock();
    unlock();
}

GreenTest(sync, a_mutex_passes_over_who_was_cancelled)
{
    lock();
    struct green *a = run_spawn(lock_until_cancelled, NULL), *b = run_spawn(lock_until_cancelled, NULL);
    run_yield();
    green_cancel(a);
    unlock();
    cr_expect_eq(run_join(a), -ECANCELED);
    cr_expect_eq(run_join(b), 0);
}

GreenTest(sync, a_cancel_that_comes_too_late_leaves_the_mutex_held)
{
    lock();
    struct green *a = run_spawn(lock_until_cancelled, NULL);
    run_yield();
    unlock();
    green_cancel(a);
    cr_expect_eq(run_join(a), 0);
    lock();
    unlock();
}

/* ---- condition ---- */

static int await_and_note(void *arg)
{
    lock();
    int result = green_cond_wait(&cond, &mutex, NSEC_NEVER);
    run_note(*(char *)arg);
    unlock();
    return result;
}

GreenTest(sync, a_signal_wakes_the_one_that_waits_longest)
{
    struct green *threads[3];
    green_cond_signal(&cond); /* nobody waits: it is not remembered */
    start_three(threads, await_and_note);
    cr_expect_str_eq(run_noted(), "");
    for (size_t i = 0; i < 3; i++) {
        green_cond_signal(&cond);
        cr_expect_eq(run_join(threads[i]), 0);
    }
    cr_expect_str_eq(run_noted(), "abc");
}

GreenTest(sync, a_broadcast_wakes_all_that_wait)
{
    struct green *threads[3];
    start_three(threads, await_and_note);
    green_cond_broadcast(&cond);
    for (size_t i = 0; i < 3; i++)
        cr_expect_eq(run_join(threads[i]), 0);
    cr_expect_str_eq(run_noted(), "abc");
}

GreenTest(sync, the_signal_is_not_lost_on_one_that_was_cancelled)
{
    struct green *threads[3];
    start_three(threads, await_and_note);
    green_cancel(threads[0]);
    green_cond_signal(&cond);
    cr_expect_eq(run_join(threads[0]), -ECANCELED);
    cr_expect_eq(run_join(threads[1]), 0);
    green_cond_signal(&cond);
    cr_expect_eq(run_join(threads[2]), 0);
}

GreenTest(sync, a_cancelled_wait_still_returns_with_the_mutex)
{
    struct green *thread = run_spawn(await_and_note, "x");
    run_yield();
    lock();
    green_cancel(thread);
    run_yield();
    run_yield();
    run_note('m');
    unlock();
    cr_expect_eq(run_join(thread), -ECANCELED);
    cr_expect_str_eq(run_noted(), "mx");
}

/* ---- semaphore ---- */

static int take_and_note(void *arg)
{
    int result = green_sem_wait(&sem, NSEC_NEVER);
    run_note(*(char *)arg);
    return result;
}

GreenTest(sync, a_semaphore_counts)
{
    green_sem_init(&sem, 2);
    green_sem_post(&sem);
    for (size_t i = 0; i < 3; i++)
        cr_expect_eq(green_sem_wait(&sem, 1), 0);
    cr_expect_eq(green_sem_wait(&sem, 1), -ETIMEDOUT);
}

GreenTest(sync, a_semaphore_serves_in_order_and_nobody_slips_in_between)
{
    struct green *threads[3];
    start_three(threads, take_and_note);
    green_sem_post(&sem);
    cr_expect_eq(green_sem_wait(&sem, 1), -ETIMEDOUT, "this one was handed to the first");
    green_sem_post(&sem);
    green_sem_post(&sem);
    for (size_t i = 0; i < 3; i++)
        cr_expect_eq(run_join(threads[i]), 0);
    cr_expect_str_eq(run_noted(), "abc");
    cr_expect_eq(sem.count, 0);
}

GreenTest(sync, a_post_passes_over_who_was_cancelled)
{
    struct green *threads[3];
    start_three(threads, take_and_note);
    for (size_t i = 0; i < 3; i++)
        green_cancel(threads[i]);
    green_sem_post(&sem);
    for (size_t i = 0; i < 3; i++)
        cr_expect_eq(run_join(threads[i]), -ECANCELED);
    cr_expect_eq(sem.count, 1);
}
