/* h2_conn.c: a connection of HTTP/2, served top to bottom, and how it ends. */
#include <errno.h>
#include <stdlib.h>

#include "http/h2.h"
#include "http/outcome.h"
#include "log/log.h"

#define PING_TIME NSEC_SEC /* for the peer to have heard that the end is near */

/* What a worker receives into, and gathers in: nothing waits between a read and its use, or a frame and its write. */
static char input[16 * 1024], output[H2_SEND_SIZE + H2_FRAME_ROOM];

/* What comes next, beside -errno: the connection is over, without a word. */
enum next {
    GO_ON,
    PARK,   /* nothing is left to do */
    LINGER, /* the last word has been said */
};

/* ---- receiving ---- */

/* The peer sends nothing any more, but may well want to have its answers (RFC 9112, 9.6 says so of HTTP/1). */
static void on_end(struct h2 *h2)
{
    h2->ended = true;
    list_each (l, next, &h2->streams) {
        struct h2_stream *s = container_of(l, struct h2_stream, link);
        if (!s->body.ended)
            s->body.error = -ECONNRESET;
        green_cond_broadcast(&s->changed);
    }
}

/* What is there, up to a buffer of it; does not wait. A short read means that it was all. */
static int receive(struct h2 *h2)
{
    if (!h2->readable || h2->ended || h2->code)
        return 0;
    size_t kept = h2_scan_kept(&h2->scan, input), room = sizeof input - kept;
    ssize_t got = stream_try_read(&h2->conn->stream, input + kept, room);
    h2->readable = got == (ssize_t)room || h2->conn->stream.more;
    if (got == 0)
        on_end(h2);
    else if (got > 0)
        h2_receive(h2, (struct str){input, kept + (size_t)got});
    return got < 0 && got != -EAGAIN ? (int)got : 0;
}

/* ---- sending ---- */

/* What the socket does not take now is kept. */
static int keep_unsent(struct h2 *h2, struct str rest)
{
    char *bytes = malloc(rest.n);
    if (!bytes)
        return -ENOMEM;
    memcpy(bytes, rest.p, rest.n);
    h2->unsent.bytes = bytes;
    h2->unsent.at = 0;
    h2->unsent.end = rest.n;
    h2->unsent.progress = green_now();
    h2->unsent.blocked = true;
    return -EAGAIN;
}

/* Writes as much as the socket takes, off the front of *bytes. 0, -EAGAIN or -errno. */
static int put(struct h2 *h2, struct str *bytes)
{
    struct stream *stream = &h2->conn->stream;
    while (bytes->n) {
        struct iovec piece = {(void *)bytes->p, bytes->n};
        ssize_t sent = stream->ops->write(stream, &piece, 1, false);
        if (sent < 0)
            return (int)sent;
        *bytes = str_skip(*bytes, (size_t)sent);
    }
    return 0;
}

static int send_unsent(struct h2 *h2)
{
    struct str rest = {h2->unsent.bytes + h2->unsent.at, h2->unsent.end - h2->unsent.at};
    size_t before = rest.n;
    int error = put(h2, &rest);
    h2->unsent.at = h2->unsent.end - rest.n;
    if (rest.n < before)
        h2->unsent.progress = green_now();
    h2->unsent.blocked = rest.n > 0;
    if (rest.n)
        return error;
    free(h2->unsent.bytes);
    h2->unsent.bytes = NULL;
    return 0;
}

/* What the stream itself holds back goes out, too, before anybody waits for the peer. */
static int flush(struct h2 *h2)
{
    struct stream *stream = &h2->conn->stream;
    int error = stream->ops->flush ? stream->ops->flush(stream) : 0;
    if (error != -EAGAIN)
        return error;
    h2->unsent.blocked = true;
    h2->unsent.progress = green_now();
    return -EAGAIN;
}

/* Sends what there is, without waiting. 0: all of it; -EAGAIN: the socket is full; -EBUSY: there is more, but others
 * should have their turn. */
static int send_all(struct h2 *h2)
{
    if (h2->unsent.blocked)
        return -EAGAIN;
    int error = h2->unsent.bytes ? send_unsent(h2) : 0;
    for (size_t sent = 0; !error;) {
        ssize_t n = h2_gather(h2, output);
        if (n <= 0)
            return n < 0 ? (int)n : flush(h2);
        struct str rest = {output, (size_t)n};
        error = put(h2, &rest);
        if (error == -EAGAIN)
            error = keep_unsent(h2, rest);
        sent += (size_t)n;
        if (!error && sent >= STREAM_BURST)
            error = -EBUSY;
    }
    return error;
}

/* ---- what takes too long ---- */

static nsec earliest(nsec a, nsec b)
{
    return a < b ? a : b;
}

static nsec write_deadline(const struct h2 *h2, nsec progress)
{
    return nsec_add(progress, h2->conn->owner->server->timeouts.write);
}

/* Streams of which the peer has taken nothing for too long are reset; when to look again. */
static nsec look_at_streams(struct h2 *h2)
{
    nsec next_look = NSEC_NEVER;
    list_each (l, next, &h2->streams) {
        struct h2_stream *s = container_of(l, struct h2_stream, link);
        if (!s->open || s->error || h2_output_left(&s->out) == 0)
            continue;
        nsec until = write_deadline(h2, s->out.progress);
        if (until <= green_now()) {
            h2_reset(s, H2_CANCEL);
            h2_stream_fail(s, -ETIMEDOUT);
        } else {
            next_look = earliest(next_look, until);
        }
    }
    return next_look;
}

static int look_at_clock(struct h2 *h2)
{
    nsec now = green_now();
    if (h2->unsent.blocked && write_deadline(h2, h2->unsent.progress) <= now)
        return -ETIMEDOUT;
    if (h2->look_until <= now)
        h2->look_until = look_at_streams(h2);
    if (h2->head_until <= now) {
        h2->head_until = NSEC_NEVER;
        h2_session_abort(h2, H2_NO_ERROR);
    }
    return 0;
}

static nsec next_deadline(const struct h2 *h2)
{
    nsec until = earliest(earliest(h2->look_until, h2->head_until), h2->farewell_until);
    return h2->unsent.blocked ? earliest(until, write_deadline(h2, h2->unsent.progress)) : until;
}

/* ---- the farewell ---- */

static void say_goodbye(struct h2 *h2)
{
    h2_session_leave(h2);
    h2->farewell = H2_LEAVING;
    h2->farewell_until = NSEC_NEVER;
}

/* RFC 9113, 6.8: requests that are on their way while the peer is told would be lost: it is warned, and what it has
 * sent before it knew is served. */
static void warn(struct h2 *h2)
{
    h2_session_warn(h2);
    h2->farewell = H2_WARNED;
    h2->farewell_until = nsec_add(green_now(), PING_TIME);
}

static void see_to_farewell(struct h2 *h2)
{
    const struct conn *conn = h2->conn;
    int64_t most = conn->owner->server->limits.requests_per_connection;
    if (h2->farewell != H2_LEAVING && most && conn->requests >= most)
        say_goodbye(h2);
    else if (h2->farewell == H2_STAYING && conn->owner->draining)
        warn(h2);
    else if (h2->farewell == H2_STAYING && h2->count == 0 && h2->idle_until <= green_now())
        say_goodbye(h2);
    else if (h2->farewell == H2_WARNED && (h2->answered_ping || h2->farewell_until <= green_now()))
        say_goodbye(h2);
}

static void see_to_abort(struct h2 *h2)
{
    if (!h2->code || h2->aborted)
        return;
    h2->aborted = true;
    h2_session_abort(h2, h2->code);
    char client[PEER_TEXT];
    struct str peer = peer_print(&h2->conn->peer, client);
    log_limited(LOG_LEVEL_NOTICE, "client " STR_FMT ": HTTP/2 ended: %s", STR_ARG(peer),
                h2->code == H2_ENHANCE_YOUR_CALM ? "it makes work without use"
                : h2->code == H2_INTERNAL_ERROR  ? "no memory"
                                                 : "it does not keep to the protocol");
}

/* ---- the loop ---- */

/* Whatever a peer sends goes one way: what came of it has its turn, and what that has to say is sent. */
static int take_step(struct h2 *h2)
{
    int error = h2_memory_is_short() ? -ENOMEM : receive(h2);
    if (!error && h2->posted) {
        h2->posted = false;
        error = green_yield_to_tasks();
    }
    if (!error)
        error = look_at_clock(h2);
    if (error)
        return error;
    see_to_farewell(h2);
    see_to_abort(h2);
    return send_all(h2);
}

/* Waits for the peer, for a stream that has something to say, or for a deadline. */
static int wait(struct h2 *h2)
{
    int directions = (h2->ended ? 0 : GREEN_READABLE) | (h2->unsent.blocked ? GREEN_WRITABLE : 0);
    int ready = green_fd_ready(&h2->conn->stream.fd, directions, next_deadline(h2));
    h2->readable |= ready > 0 && ready & GREEN_READABLE;
    h2->unsent.blocked &= ready < 0 || !(ready & GREEN_WRITABLE);
    return ready > 0 || ready == -EINTR || ready == -ETIMEDOUT ? 0 : ready;
}

/* The peer says nothing any more, so it will open no window for what is left. */
static void give_up(struct h2 *h2)
{
    list_each (l, next, &h2->streams) {
        struct h2_stream *s = container_of(l, struct h2_stream, link);
        if (h2_output_left(&s->out))
            h2_stream_fail(s, -ECONNRESET);
    }
}

/* After a step: `sent` is what send_all() came to. */
static int decide(struct h2 *h2, int sent)
{
    if (sent == -EAGAIN)
        return wait(h2);
    if (h2_session_over(h2))
        return LINGER;
    if (h2->ended && h2->running == 0 && sent != -EBUSY)
        return -ECONNRESET;
    if (h2->ended && !sent)
        give_up(h2);
    bool failed = h2->code && !h2->aborted; /* while it was sent */
    if (sent == -EBUSY || h2->readable || h2->posted || failed)
        return green_yield();
    if (h2->count == 0 && h2->farewell == H2_STAYING && !h2->conn->owner->draining)
        return PARK;
    return wait(h2);
}

static int serve(struct h2 *h2)
{
    h2->readable = true;
    for (;;) {
        int sent = take_step(h2);
        if (sent && sent != -EAGAIN && sent != -EBUSY)
            return sent;
        int next = decide(h2, sent);
        if (next != GO_ON)
            return next;
    }
}

/* ---- the end ---- */

static void forget(struct conn_kept *kept)
{
    struct h2 *h2 = container_of(kept, struct h2, kept);
    list_each (l, next, &h2->streams)
        h2_stream_closed(container_of(l, struct h2_stream, link));
    h2_session_close(h2);
    free(h2->unsent.bytes);
    free(h2);
}

void h2_end(struct h2 *h2)
{
    conn_close(h2->conn);
}

/* The server stops: a peer that still waits for answers is told that there will be none, if it can be told at once. */
static void say_stop(struct h2 *h2)
{
    h2_session_abort(h2, H2_NO_ERROR);
    (void)!send_all(h2);
}

static void fail_streams(struct h2 *h2, int error)
{
    list_each (l, next, &h2->streams) {
        struct h2_stream *s = container_of(l, struct h2_stream, link);
        if (green_killed() && !s->x.reason)
            s->x.reason = HTTP_KILLED;
        h2_stream_fail(s, error);
    }
}

static void cancel_streams(struct h2 *h2)
{
    list_each (l, next, &h2->streams) {
        struct h2_stream *s = container_of(l, struct h2_stream, link);
        if (s->thread)
            green_cancel(s->thread);
    }
}

/* There is no peer any more for who still works on an answer: what they do next fails, and ends them. True: all of them
 * have ended. False: this thread was cancelled, and they are, too: the last of them turns off the light. */
static bool end_streams(struct h2 *h2, int next)
{
    if (next == -ECANCELED)
        say_stop(h2);
    fail_streams(h2, next == -ECANCELED ? -ECANCELED : -ECONNRESET);
    if (h2->running && next == LINGER)
        stream_shutdown(&h2->conn->stream); /* the peer need not wait for them */
    while (h2->running && next != -ECANCELED)
        next = green_fd_ready(&h2->conn->stream.fd, 0, NSEC_NEVER);
    if (h2->running == 0)
        return true;
    cancel_streams(h2);
    h2->left = true;
    h2->conn->thread = NULL;
    return false;
}

static void serve_kept(struct conn *conn)
{
    struct h2 *h2 = container_of(conn->kept, struct h2, kept);
    int next = serve(h2);
    if (next == PARK) {
        conn_park_until(conn, h2->idle_until);
        return;
    }
    if (!end_streams(h2, next))
        return;
    conn->kept = NULL;
    forget(&h2->kept);
    if (next == LINGER)
        conn_linger(conn);
    else
        conn_close(conn);
}

static void drain(struct conn *conn)
{
    if (conn->state == CONN_IDLE)
        conn_start(conn);
    else
        h2_wake(container_of(conn->kept, struct h2, kept));
}

/* To make room for another one, say: an idle connection has nothing else to say. */
static void farewell(struct conn *conn)
{
    say_stop(container_of(conn->kept, struct h2, kept));
}

/* ---- the beginning ---- */

static const struct conn_protocol protocol = {
    .serve = serve_kept,
    .drain = drain,
    .farewell = farewell,
    .forget = forget,
};

int h2_begin(struct conn *conn, struct str received)
{
    struct h2 *h2 = malloc(sizeof *h2);
    if (!h2)
        return -ENOMEM;
    *h2 = (struct h2){.kept.protocol = &protocol,
                      .conn = conn,
                      .farewell_until = NSEC_NEVER,
                      .head_until = NSEC_NEVER,
                      .look_until = NSEC_NEVER};
    h2->idle_until = nsec_add(green_now(), conn->owner->server->timeouts.idle);
    list_init(&h2->streams);
    list_init(&h2->ready);
    h2_budget_init(&h2->budget);
    int error = h2_session_open(h2);
    if (error) {
        free(h2);
        return error;
    }
    conn->kept = &h2->kept;
    if (received.n)
        h2_receive(h2, received);
    return 0;
}

void h2_serve(struct conn *conn, struct str received)
{
    if (h2_begin(conn, received) == 0)
        serve_kept(conn);
    else
        conn_close(conn);
}
