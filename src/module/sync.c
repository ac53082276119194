/* sync.c: time, mutexes and channels of modules: the green layer's, behind types that show nothing of it. */
#include <errno.h>
#include <stdlib.h>

#include "green/chan.h"
#include "green/sync.h"
#include "module/caller.h"
#include "module/worker.h"
#include "tern.h"

/* ---- time ---- */

tern_time tern_now(void)
{
    return green_now();
}

tern_time tern_after(tern_time duration)
{
    return nsec_add(green_now(), duration);
}

int tern_sleep(tern_time duration)
{
    if (!module_is_placed(__func__))
        return -EPERM;
    return green_sleep(duration);
}

int tern_yield(void)
{
    if (!module_is_placed(__func__))
        return -EPERM;
    return green_yield();
}

bool tern_cancelled(void)
{
    return green_cancelled();
}

bool tern_stopping(void)
{
    return module_worker_is_stopping();
}

/* ---- mutexes ---- */

_Static_assert(sizeof(struct green_mutex) <= sizeof(struct tern_mutex), "a module's mutex has room for ours");

/* All zero is one that was never used. */
static struct green_mutex *mutex_of(struct tern_mutex *mutex)
{
    struct green_mutex *own = (struct green_mutex *)mutex;
    if (!own->waiting.next)
        green_mutex_init(own);
    return own;
}

int tern_lock(struct tern_mutex *mutex, tern_time deadline)
{
    if (!module_is_placed(__func__))
        return -EPERM;
    return green_mutex_lock(mutex_of(mutex), deadline);
}

int tern_unlock(struct tern_mutex *mutex)
{
    return green_mutex_unlock(mutex_of(mutex));
}

/* ---- channels ---- */

struct tern_chan {
    struct green_chan green;
};

struct tern_chan *tern_chan_open(size_t message_size, size_t room)
{
    struct tern_chan *chan = malloc(sizeof *chan);
    if (chan && green_chan_init(&chan->green, message_size, room) == 0)
        return chan;
    free(chan);
    return NULL;
}

void tern_chan_close(struct tern_chan *chan)
{
    green_chan_close(&chan->green);
}

void tern_chan_free(struct tern_chan *chan)
{
    green_chan_free(&chan->green);
    free(chan);
}

int tern_chan_send(struct tern_chan *chan, const void *message, tern_time deadline)
{
    return green_send(&chan->green, message, deadline);
}

int tern_chan_recv(struct tern_chan *chan, void *message, tern_time deadline)
{
    return green_recv(&chan->green, message, deadline);
}

int tern_select(const struct tern_case *cases, int n, int *result, tern_time deadline)
{
    struct green_case own[TERN_CASES];
    if (n < 1 || n > TERN_CASES)
        return -EINVAL;
    for (int i = 0; i < n; i++)
        own[i] = (struct green_case){.chan = &cases[i].chan->green, .message = cases[i].message, .send = cases[i].send};
    return green_select(own, n, result, deadline);
}
