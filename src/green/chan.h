/* chan.h: channels: messages of one size from green thread to green thread (Hoare, "Communicating Sequential
 * Processes", CACM 1978).
 *
 * A message is copied once: into the receiver's own variable when it already waits, else into the ring. A channel with
 * room 0 has no ring: sender and receiver meet. Messages arrive in the order in which they were sent, and those in the
 * ring when it is closed are still received. Where there are no green threads, what would have to wait is -EPERM.
 */
#ifndef TERN_GREEN_CHAN_H
#define TERN_GREEN_CHAN_H

#include "base/list.h"
#include "green/green.h"

struct green_chan {
    size_t size;      /* bytes of a message */
    size_t room;      /* messages the ring holds */
    size_t at, count; /* the oldest message, and how many there are */
    char *ring;
    struct list senders, receivers;
    bool closed;
};

/* 0 or -ENOMEM. */
int green_chan_init(struct green_chan *chan, size_t message_size, size_t room) GREEN_WAITS;

/* Frees the ring. Nobody may wait on it: close it and join first. */
void green_chan_free(struct green_chan *chan);

/* Sends or receives one message: 0, or -EPIPE: the channel is closed (for a receiver: and empty), or -ETIMEDOUT,
 * -ECANCELED: then nothing was sent or received. */
int green_send(struct green_chan *chan, const void *message, nsec deadline) GREEN_WAITS;
int green_recv(struct green_chan *chan, void *message, nsec deadline) GREEN_WAITS;

/* No more messages: all who wait, and all later senders, get -EPIPE. */
void green_chan_close(struct green_chan *chan);

/* One of several operations, whichever can be done first. */
struct green_case {
    struct green_chan *chan;
    void *message; /* sent from here, or received into */
    bool send;
    /* private: */
    int index;
    struct list link;
    struct green *thread;
};

/* Does exactly one of `count` operations and returns its index; *result is then 0 or -EPIPE. -ETIMEDOUT or
 * -ECANCELED: none was done. When several can be done at once, the first of them in the array is. */
int green_select(struct green_case *cases, int count, int *result, nsec deadline) GREEN_WAITS;

#endif
