/* h2_stream.c: a stream: its memory, and the green thread that answers it.
 *
 * A stream lives until the session has forgotten it and its thread has ended, whichever is last. Blocks are kept for
 * the next streams, so that a worker in its stride asks for no memory.
 */
#include <errno.h>
#include <stdlib.h>

#include "http/h2.h"
#include "http/record.h"
#include "http/refusal.h"
#include "log/log.h"

enum { SPARE = 256 }; /* blocks that are kept */

static struct {
    struct list blocks;
    size_t count;
} spare = {.blocks = LIST_INIT(spare.blocks)};

static struct h2_stream *take_block(void)
{
    struct list *l = spare.blocks.next;
    if (l == &spare.blocks)
        return malloc(sizeof(struct h2_stream));
    list_unlink(l);
    spare.count--;
    return container_of(l, struct h2_stream, link);
}

static void give_block(struct h2_stream *s)
{
    if (spare.count == SPARE) {
        free(s);
        return;
    }
    list_push_front(&spare.blocks, &s->link);
    spare.count++;
}

static void release(struct h2_stream *s)
{
    list_unlink(&s->link);
    list_unlink(&s->ready);
    h2_body_forget(s);
    arena_clear(&s->x.arena);
    arena_clear(&s->out.arena);
    s->h2->count--;
    s->h2->idle_until = nsec_add(green_now(), s->x.server->timeouts.idle);
    give_block(s);
}

/* ---- its thread ---- */

static int refuse(struct h2_stream *s, int status, const char *reason)
{
    int error = http_send_refusal(&s->x, status, reason);
    http_log_refusal(&s->x, status);
    return error;
}

static int answer(struct h2_stream *s)
{
    const struct http_verdict *verdict = &s->head.verdict;
    if (verdict->status)
        return refuse(s, verdict->status, verdict->wrong);
    s->h2->conn->owner->score->requests++;
    const struct http_outcome *refusal;
    int error = http_answer(&s->x, &refusal);
    if (refusal)
        return refuse(s, refusal->status, refusal->reason);
    return error;
}

static enum h2_code code_of(int error)
{
    return error == -ETIMEDOUT || error == -ECANCELED ? H2_CANCEL : H2_INTERNAL_ERROR;
}

/* Its thread has ended, or was never to be had: what is left is to send what it has said. */
static void leave(struct h2_stream *s, int error)
{
    struct h2 *h2 = s->h2;
    s->thread = NULL;
    s->running = false;
    h2->running--;
    if (error)
        h2_reset(s, code_of(error));
    h2_body_forget(s);
    arena_clear(&s->x.arena);
    if (!s->open)
        release(s);
    if (h2->running == 0)
        h2_wake(h2);
    if (h2->running == 0 && h2->left)
        h2_end(h2);
}

static int on_turn(struct green_task *task)
{
    struct h2_stream *s = container_of(task, struct h2_stream, task);
    s->thread = green_self();
    if (green_accounts)
        http_times_start(&s->x.times, s->x.times.read);
    green_describe(s->x.request.line);
    int error = s->error ? s->error : answer(s); /* it may have been taken back before its turn came */
    if (error)
        s->error = s->error ? s->error : error;
    if (s->error && !s->x.reason)
        s->x.reason = http_cut_reason(s->error, s->body.error);
    conn_record(s->h2->conn, &s->x);
    green_describe(STR(""));
    green_label(NULL);
    leave(s, error);
    return 0;
}

/* A peer that is told so may ask again at once, without a doubt (RFC 9113, 8.7). */
static void on_refused(struct green_task *task, int error)
{
    struct h2_stream *s = container_of(task, struct h2_stream, task);
    s->x.reason = error == -EAGAIN ? "limits.green_threads reached" : "no memory";
    log_limited(LOG_LEVEL_WARN, "stream refused: %s", s->x.reason);
    conn_record(s->h2->conn, &s->x);
    h2_reset(s, H2_REFUSED_STREAM);
    h2_stream_fail(s, error);
    leave(s, 0);
}

void h2_stream_post(struct h2_stream *s)
{
    static const struct green_task_kind kind = {.name = "stream", .run = on_turn, .refused = on_refused};
    s->task.kind = &kind;
    s->running = true;
    s->x.times.read = green_ready_since();
    s->h2->running++;
    s->h2->posted = true;
    s->h2->conn->requests++;
    green_post(&s->task);
}

/* ---- its life ---- */

struct h2_stream *h2_stream_open(struct h2 *h2, int32_t id)
{
    struct h2_stream *s = take_block();
    if (!s)
        return NULL;
    const struct conn *conn = h2->conn;
    s->h2 = h2;
    s->id = id;
    s->thread = NULL;
    s->error = 0;
    s->open = true;
    s->reset = s->running = s->answered = s->continues = false;
    s->head = (struct h2_head){.room = H2_FIELDS};
    s->body = (struct h2_body){0};
    s->out = (struct h2_output){0};
    s->x = (struct exchange){.ops = &h2_ops,
                             .server = conn->owner->server,
                             .peer = &conn->peer,
                             .tls = conn_tls(conn),
                             .times.begun = green_ready_since()};
    s->x.request = (struct http_request){
        .method = METHOD_UNKNOWN, .minor = 1, .fields = s->frame_fields, .length = HTTP_LENGTH_UNKNOWN};
    arena_init(&s->x.arena, s->frame_arena, sizeof s->frame_arena);
    arena_init(&s->out.arena, s->frame_output, sizeof s->frame_output);
    green_cond_init(&s->changed);
    list_init(&s->ready);
    list_init(&s->link);
    list_push_back(&h2->streams, &s->link);
    h2->count++;
    return s;
}

void h2_stream_fail(struct h2_stream *s, int error)
{
    if (!s->error)
        s->error = error;
    green_cond_broadcast(&s->changed);
}

void h2_stream_closed(struct h2_stream *s)
{
    s->open = false;
    list_unlink(&s->ready);
    if (!s->running) {
        release(s);
        return;
    }
    if (!s->body.ended)
        s->body.error = s->body.error ? s->body.error : -ECONNRESET;
    if (!s->answered)
        h2_stream_fail(s, -ECONNRESET);
    else
        green_cond_broadcast(&s->changed);
}

void h2_stream_ready(struct h2_stream *s)
{
    struct h2 *h2 = s->h2;
    if (!s->open)
        return;
    if (h2->look_until == NSEC_NEVER)
        h2->look_until = nsec_add(green_now(), s->x.server->timeouts.write);
    if (list_empty(&s->ready))
        list_push_back(&h2->ready, &s->ready);
    h2_wake(h2);
}

int h2_stream_wait(struct h2_stream *s, nsec deadline)
{
    if (s->error)
        return s->error;
    int error = green_cond_wait_peer(&s->changed, deadline);
    return s->error ? s->error : error;
}
