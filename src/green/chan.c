/* chan.c: see chan.h. A case that can't be done at once is a node in
 * its channel's queue; whoever completes it copies the message and wakes its thread with the case's index, with
 * CLOSED set if what completed it was the end of the channel. */
#include "green/chan.h"

#include <errno.h>
#include <stdlib.h>

#include "green/core.h"

enum { CLOSED = 1 << 30 }; /* a flag beside the index: the operation ended with -EPIPE */

int green_chan_init(struct green_chan *chan, size_t message_size, size_t room)
{
    *chan = (struct green_chan){.size = message_size, .room = room};
    list_init(&chan->senders);
    list_init(&chan->receivers);
    if (room == 0)
        return 0;
    chan->ring = calloc(room, message_size);
    return chan->ring ? 0 : -ENOMEM;
}

void green_chan_free(struct green_chan *chan)
{
    free(chan->ring);
    chan->ring = NULL;
}

/* Most messages are a pointer: those need no call (a tenth of what a message costs). */
static void copy(const struct green_chan *chan, void *to, const void *from)
{
    if (chan->size == sizeof(void *))
        memcpy(to, from, sizeof(void *));
    else
        memcpy(to, from, chan->size);
}

static void *slot(struct green_chan *chan, size_t index)
{
    size_t at = chan->at + index;
    return chan->ring + (at < chan->room ? at : at - chan->room) * chan->size;
}

/* The first case in a queue whose thread still waits, after its wait was ended; its message is still there, since
 * the thread has not run yet. */
static struct green_case *complete_one(struct list *queue, int flags)
{
    for (struct list *l; (l = list_pop_front(queue));) {
        struct green_case *c = container_of(l, struct green_case, link);
        if (green_wake(c->thread, c->index | flags))
            return c;
    }
    return NULL;
}

static bool try_send(struct green_chan *chan, const void *message)
{
    struct green_case *receiver = complete_one(&chan->receivers, 0);
    if (receiver)
        copy(chan, receiver->message, message);
    else if (chan->count < chan->room)
        copy(chan, slot(chan, chan->count++), message);
    else
        return false;
    return true;
}

static bool try_recv(struct green_chan *chan, void *message)
{
    if (chan->count == 0) {
        struct green_case *sender = complete_one(&chan->senders, 0);
        if (sender)
            copy(chan, message, sender->message);
        return sender != NULL;
    }
    copy(chan, message, slot(chan, 0));
    chan->at = chan->at + 1 == chan->room ? 0 : chan->at + 1;
    chan->count--;
    struct green_case *sender = complete_one(&chan->senders, 0);
    if (sender)
        copy(chan, slot(chan, chan->count++), sender->message);
    return true;
}

/* True: the case is done, with *result. */
static bool attempt(struct green_case *c, int *result)
{
    *result = 0;
    if (c->send && c->chan->closed)
        *result = -EPIPE;
    else if (c->send)
        return try_send(c->chan, c->message);
    else if (try_recv(c->chan, c->message))
        return true;
    else if (c->chan->closed)
        *result = -EPIPE;
    return *result != 0;
}

static void enqueue(struct green_case *c, int index)
{
    c->index = index;
    c->thread = green_self();
    list_push_back(c->send ? &c->chan->senders : &c->chan->receivers, &c->link);
}

int green_select(struct green_case *cases, int count, int *result, nsec deadline)
{
    for (int i = 0; i < count; i++)
        if (attempt(&cases[i], result))
            return i;
    if (!green_self())
        return -EPERM;
    for (int i = 0; i < count; i++)
        enqueue(&cases[i], i);
    int woken = green_suspend(GREEN_WAIT_CHANNEL, deadline);
    for (int i = 0; i < count; i++)
        list_unlink(&cases[i].link);
    if (woken < 0)
        return woken;
    *result = woken & CLOSED ? -EPIPE : 0;
    return woken & ~CLOSED;
}

/* A select of one case, without the loops: this is the common use. */
static int do_one(struct green_case *c, nsec deadline)
{
    int result;
    if (attempt(c, &result))
        return result;
    if (!green_self())
        return -EPERM;
    enqueue(c, 0);
    result = green_suspend(GREEN_WAIT_CHANNEL, deadline);
    list_unlink(&c->link);
    return result == CLOSED ? -EPIPE : result;
}

int green_send(struct green_chan *chan, const void *message, nsec deadline)
{
    return do_one(&(struct green_case){.chan = chan, .message = (void *)message, .send = true}, deadline);
}

int green_recv(struct green_chan *chan, void *message, nsec deadline)
{
    return do_one(&(struct green_case){.chan = chan, .message = message}, deadline);
}

void green_chan_close(struct green_chan *chan)
{
    chan->closed = true;
    while (complete_one(&chan->receivers, CLOSED) || complete_one(&chan->senders, CLOSED))
        ;
}
