/* h2_body.c: the content of a request, on its way to a handler (RFC 9113, 8.1).
 *
 * It gathers in a buffer of the stream. Its peer gets the room for it back as the handler takes it: flow control holds
 * back who sends faster than that, and bounds the buffer.
 */
#include <errno.h>
#include <stdlib.h>

#include "http/h2.h"
#include "http/pace.h"

enum { ROOM = 16 * 1024 }; /* of a buffer at first: a frame */

/* Room for n more bytes behind `end`: by moving what is there to the front, else by doubling. */
static bool make_room(struct h2_body *body, size_t n)
{
    if (body->at) {
        memmove(body->bytes, body->bytes + body->at, body->end - body->at);
        body->end -= body->at;
        body->at = 0;
    }
    if (n <= body->room - body->end)
        return true;
    size_t room = body->room ? body->room : ROOM;
    while (room - body->end < n)
        room *= 2;
    char *bytes = realloc(body->bytes, room);
    if (!bytes)
        return false;
    body->bytes = bytes;
    body->room = room;
    return true;
}

bool h2_body_put(struct h2_stream *s, struct str bytes)
{
    struct h2_body *body = &s->body;
    if (body->unwanted) {
        h2_consume(s, bytes.n);
        return true;
    }
    if (bytes.n > body->room - body->end && !make_room(body, bytes.n))
        return false;
    memcpy(body->bytes + body->end, bytes.p, bytes.n);
    body->end += bytes.n;
    green_cond_signal(&s->changed);
    return true;
}

void h2_body_forget(struct h2_stream *s)
{
    struct h2_body *body = &s->body;
    body->unwanted = true;
    if (body->end > body->at)
        h2_consume(s, body->end - body->at);
    free(body->bytes);
    body->bytes = NULL;
    body->at = body->end = body->room = 0;
}

/* RFC 9110, 10.1.1: once, and only if nothing of the content has come yet. */
static void ask_for_it(struct h2_stream *s)
{
    s->body.expects = false;
    if (s->body.total || s->x.response.status)
        return;
    s->continues = true;
    h2_stream_ready(s);
}

static int wait_for_content(struct h2_stream *s)
{
    struct h2_body *body = &s->body;
    while (body->at == body->end && !body->ended) {
        if (body->expects)
            ask_for_it(s);
        int error = body->error;
        if (!error)
            error = h2_stream_wait(s, http_body_deadline(s->x.server, &body->started, body->total));
        if (error)
            return error;
    }
    return 0;
}

static ssize_t take(struct h2_stream *s, void *to, size_t n)
{
    struct h2_body *body = &s->body;
    if (n > body->end - body->at)
        n = body->end - body->at;
    if (body->total + n > s->x.server->limits.body_size)
        return -EMSGSIZE;
    memcpy(to, body->bytes + body->at, n);
    body->at += n;
    if (body->at == body->end)
        body->at = body->end = 0;
    body->total += n;
    h2_consume(s, n);
    return (ssize_t)n;
}

ssize_t h2_read(struct exchange *x, void *to, size_t n)
{
    struct h2_stream *s = container_of(x, struct h2_stream, x);
    if (s->body.error || n == 0)
        return s->body.error;
    int error = wait_for_content(s);
    ssize_t got = error ? error : s->body.at < s->body.end ? take(s, to, n) : 0;
    if (got < 0)
        s->body.error = (int)got;
    return got;
}
