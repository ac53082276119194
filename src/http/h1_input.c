/* h1_input.c: see h1.h. */
#include <errno.h>
#include <stdlib.h>

#include "http/h1.h"

void h1_input_init(struct h1_input *in, void *frame, size_t size)
{
    *in = (struct h1_input){.bytes = frame, .room = size, .readable = true};
}

void h1_input_free(struct h1_input *in)
{
    free(in->heap);
}

/* Room behind `end`, by moving what is not used yet down to `base`. */
static size_t make_room(struct h1_input *in)
{
    if (in->at == in->end)
        in->at = in->end = in->base;
    if (in->end == in->room && in->at > in->base) {
        memmove(in->bytes + in->base, in->bytes + in->at, in->end - in->at);
        in->end -= in->at - in->base;
        in->at = in->base;
    }
    return in->room - in->end;
}

/* A short read means that the socket is empty: the next one would only say so. */
static ssize_t received(struct h1_input *in, const struct stream *s, ssize_t got, size_t room)
{
    in->readable = got == (ssize_t)room || s->more;
    if (got > 0)
        in->end += (size_t)got;
    return got;
}

ssize_t h1_input_try(struct h1_input *in, struct stream *s)
{
    size_t room = make_room(in);
    if (room == 0)
        return -ENOBUFS;
    return received(in, s, stream_try_read(s, in->bytes + in->end, room), room);
}

ssize_t h1_input_wait(struct h1_input *in, struct stream *s, nsec deadline)
{
    size_t room = make_room(in);
    if (room == 0)
        return -ENOBUFS;
    return received(in, s, stream_read(s, in->bytes + in->end, room, deadline), room);
}

static int move_to_heap(struct h1_input *in, size_t size)
{
    char *heap = malloc(size);
    if (!heap)
        return -ENOMEM;
    memcpy(heap, in->bytes + in->at, in->end - in->at);
    free(in->heap);
    in->heap = in->bytes = heap;
    in->end -= in->at;
    in->at = in->base = 0;
    in->room = size;
    return 0;
}

int h1_input_grow(struct h1_input *in, size_t most)
{
    if (in->room >= most)
        return -ENOBUFS;
    return move_to_heap(in, 2 * in->room < most ? 2 * in->room : most);
}

int h1_input_restore(struct h1_input *in, struct str bytes)
{
    int error = bytes.n > in->room ? move_to_heap(in, bytes.n) : 0;
    if (error)
        return error;
    memcpy(in->bytes, bytes.p, bytes.n);
    in->end = bytes.n;
    return 0;
}

void h1_input_pin(struct h1_input *in)
{
    in->base = in->at;
}

void h1_input_unpin(struct h1_input *in, void *frame, size_t size)
{
    in->base = 0;
    size_t left = in->end - in->at;
    if (in->bytes != frame && left <= size) { /* they are on the heap, or in the arena of the exchange that ends */
        memcpy(frame, in->bytes + in->at, left);
        free(in->heap);
        *in = (struct h1_input){.bytes = frame, .end = left, .room = size, .readable = in->readable};
    }
}
