/* offload.c: see offload.h.
 *
 * One mutex guards the queue; jobs are linked through nodes on their waiters' stacks. Finished jobs go on a lock-free
 * list (any thread pushes, only the loop takes all), and ev_async wakes the loop: libev writes to its eventfd only
 * when the loop sleeps, so a burst of completions costs one system call. Threads start with the first job, and have
 * every signal blocked but those of a crash.
 */
#include "green/offload.h"

#include <errno.h>
#include <ev.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "green/core.h"

enum { DEFAULT_THREADS = 4, DEFAULT_QUEUE = 1024 };

struct job {
    struct list link; /* in the queue */
    struct job *next; /* in the list of finished ones */
    void (*fn)(void *arg);
    void *arg;
    struct green *waiter;
    bool done; /* the loop has seen it finished */
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct list queue;
    size_t queued, queue_room;
    bool stop;
    pthread_t *threads;
    size_t count, wanted;
    _Atomic(struct job *) finished;
    ev_async wake;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER};

static _Thread_local const struct green *volatile client; /* whose job this OS thread of the pool is at */

const struct green *green_offload_client(void)
{
    return client;
}

static void finish(struct job *job)
{
    job->next = atomic_load_explicit(&pool.finished, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&pool.finished, &job->next, job, memory_order_release,
                                                  memory_order_relaxed))
        ;
    ev_async_send(green_loop(), &pool.wake);
}

static struct job *next_job(void)
{
    while (list_empty(&pool.queue) && !pool.stop)
        pthread_cond_wait(&pool.work, &pool.lock);
    struct list *l = list_pop_front(&pool.queue);
    if (!l)
        return NULL;
    pool.queued--;
    return container_of(l, struct job, link);
}

static void *serve(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&pool.lock);
    for (struct job *job; (job = next_job());) {
        pthread_mutex_unlock(&pool.lock);
        client = job->waiter;
        job->fn(job->arg);
        client = NULL; /* it may be gone as soon as the job is finished */
        finish(job);
        pthread_mutex_lock(&pool.lock);
    }
    pthread_mutex_unlock(&pool.lock);
    return NULL;
}

static void on_finished(struct ev_loop *loop, ev_async *async, int events)
{
    (void)loop, (void)async, (void)events;
    struct job *job = atomic_exchange_explicit(&pool.finished, NULL, memory_order_acquire);
    while (job) {
        struct job *next = job->next; /* read before the waiter, on whose stack the job lies, can run */
        job->done = true;
        green_wake(job->waiter, 0);
        job = next;
    }
}

/* Fewer threads than wanted are good enough; none at all is an error. */
static int start_threads(void)
{
    sigset_t blocked, before;
    sigfillset(&blocked);
    green_fault_spare(&blocked);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    int error = 0;
    while (pool.count < pool.wanted && !error) {
        error = pthread_create(&pool.threads[pool.count], NULL, serve, NULL);
        if (!error)
            pool.count++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pool.count ? 0 : -error;
}

static int enqueue(struct job *job)
{
    int error = 0;
    pthread_mutex_lock(&pool.lock);
    if (pool.queued == pool.queue_room) {
        error = -EAGAIN;
    } else {
        list_push_back(&pool.queue, &job->link);
        pool.queued++;
        pthread_cond_signal(&pool.work);
    }
    pthread_mutex_unlock(&pool.lock);
    return error;
}

/* True: the job was still in the queue, and will not run. */
static bool withdraw(struct job *job)
{
    pthread_mutex_lock(&pool.lock);
    bool queued = !list_empty(&job->link);
    if (queued) {
        list_unlink(&job->link);
        pool.queued--;
    }
    pthread_mutex_unlock(&pool.lock);
    return queued;
}

static int await(struct job *job, nsec deadline)
{
    int result = green_suspend(GREEN_WAIT_POOL, deadline);
    if (result == 0 || withdraw(job))
        return result;
    if (!job->done)
        green_suspend_deaf(GREEN_WAIT_POOL);
    return 0;
}

int green_offload(void (*fn)(void *arg), void *arg, nsec deadline)
{
    int error = pool.count ? 0 : start_threads();
    if (error)
        return error;
    struct job job = {.fn = fn, .arg = arg, .waiter = green_self()};
    list_init(&job.link);
    error = enqueue(&job);
    if (error)
        return error;
    return await(&job, deadline);
}

size_t green_offload_threads(void)
{
    return pool.wanted;
}

int green_offload_init(const struct green_options *options)
{
    pool.wanted = options->pool ? options->pool : DEFAULT_THREADS;
    pool.queue_room = options->pool_queue ? options->pool_queue : DEFAULT_QUEUE;
    pool.threads = calloc(pool.wanted, sizeof *pool.threads);
    if (!pool.threads)
        return -ENOMEM;
    list_init(&pool.queue);
    pool.stop = false;
    ev_async_init(&pool.wake, on_finished);
    ev_async_start(green_loop(), &pool.wake);
    return 0;
}

void green_offload_free(void)
{
    pthread_mutex_lock(&pool.lock);
    pool.stop = true;
    pthread_cond_broadcast(&pool.work);
    pthread_mutex_unlock(&pool.lock);
    while (pool.count)
        pthread_join(pool.threads[--pool.count], NULL);
    free(pool.threads);
    ev_async_stop(green_loop(), &pool.wake);
}
