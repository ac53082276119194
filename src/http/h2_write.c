/* h2_write.c: the response, on its way from a handler to the session.
 *
 * The head and the first bytes of content are kept in the stream, and the handler goes on: that is all there is to most
 * answers, whose thread never waits. Of a longer one the handler waits until the session has taken it, which does so as
 * the peer's flow control and the socket let it.
 */
#include <errno.h>
#include <unistd.h>

#include "http/h2.h"
#include "http/status.h"

/* Fields that are about a connection of HTTP/1, and must not be sent (RFC 9113, 8.2.2). */
static bool is_of_connection(struct str name)
{
    static const struct str names[] = {STR_INIT("connection"), STR_INIT("keep-alive"), STR_INIT("transfer-encoding"),
                                       STR_INIT("proxy-connection"), STR_INIT("upgrade")};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq(names[i], name))
            return true;
    return false;
}

/* One line of a head, its name in lower case (RFC 9113, 8.2.1). */
static void put_field(struct out *o, struct str line)
{
    char *name = o->at;
    size_t n = str_find(line, ':');
    out_put(o, line);
    for (size_t i = 0; i < n; i++)
        name[i] = char_lower(name[i]);
    if (is_of_connection((struct str){name, n}))
        o->at = name;
}

static int put_fields(struct h2_stream *s, const struct http_head *head)
{
    enum { LENGTH_SIZE = sizeof "content-length: 18446744073709551615\r\n" };
    size_t size = head->fields.n + LENGTH_SIZE;
    char *text = arena_alloc(&s->out.arena, size);
    if (!text)
        return -ENOMEM;
    struct out o = out_on(text, size);
    for (struct str rest = head->fields; rest.n;) {
        size_t line = str_find(rest, '\n') + 1;
        line = line > rest.n ? rest.n : line;
        put_field(&o, (struct str){rest.p, line});
        rest = str_skip(rest, line);
    }
    if (head->length != HTTP_LENGTH_UNKNOWN && !http_status_bodiless(head->status)) {
        out_text(&o, "content-length: ");
        out_u64(&o, (uint64_t)head->length);
        out_text(&o, "\r\n");
    }
    s->out.fields = out_str(&o);
    return 0;
}

static int head(struct exchange *x, const struct http_head *head)
{
    struct h2_stream *s = container_of(x, struct h2_stream, x);
    struct h2_output *out = &s->out;
    int error = s->error ? s->error : put_fields(s, head);
    if (error)
        return error;
    struct out status = out_on(out->status, sizeof out->status);
    out_digits(&status, (unsigned)head->status, sizeof out->status);
    out->endless = head->length == HTTP_LENGTH_UNKNOWN;
    out->promised = out->endless ? 0 : (uint64_t)head->length;
    out->bodiless = x->response.no_content || head->length == 0;
    out->ended = out->bodiless;
    out->has_head = true;
    h2_stream_ready(s);
    return 0;
}

/* n bytes of content are about to be handed over: the last ones can be told from the others, so that no empty frame
 * need follow them. */
static void count(struct h2_output *out, size_t n)
{
    if (h2_output_left(out) == 0)
        out->progress = green_now();
    if (out->endless)
        return;
    out->promised -= n < out->promised ? n : out->promised;
    out->ended = out->promised == 0;
}

static bool keep(struct h2_output *out, struct str bytes)
{
    if (bytes.n > H2_GATHERED)
        return false;
    if (!out->bytes) {
        size_t room = out->endless || out->promised > H2_GATHERED - bytes.n ? H2_GATHERED : out->promised + bytes.n;
        out->bytes = arena_alloc(&out->arena, room);
        if (!out->bytes)
            return false;
        out->room = room;
    }
    if (out->at == out->end)
        out->at = out->end = 0;
    if (bytes.n > out->room - out->end)
        return false;
    memcpy(out->bytes + out->end, bytes.p, bytes.n);
    out->end += bytes.n;
    return true;
}

/* Waits until the session has taken what is not kept. Otherwise it is taken back: it ends with this call. */
static int wait_until_taken(struct h2_stream *s)
{
    struct h2_output *out = &s->out;
    int error = 0;
    h2_stream_ready(s);
    while (!error && (out->direct.n || out->file_left))
        error = h2_stream_wait(s, NSEC_NEVER);
    if (error) {
        out->direct.n = out->file_left = 0;
        out->file = -1;
        out->stamp = NULL;
        s->error = s->error ? s->error : error;
    }
    return error;
}

static int content(struct exchange *x, struct str bytes)
{
    struct h2_stream *s = container_of(x, struct h2_stream, x);
    if (s->error)
        return s->error;
    count(&s->out, bytes.n);
    bool kept = keep(&s->out, bytes);
    x->response.sent += bytes.n;
    if (kept) {
        h2_stream_ready(s);
        return 0;
    }
    s->out.direct = bytes;
    return wait_until_taken(s);
}

static int file(struct exchange *x, int fd, off_t at, size_t n, const struct file_stamp *stamp)
{
    struct h2_stream *s = container_of(x, struct h2_stream, x);
    struct h2_output *out = &s->out;
    if (s->error)
        return s->error;
    count(out, n);
    out->file = fd;
    out->file_at = at;
    out->file_left = n;
    out->stamp = stamp;
    out->stale = false;
    return wait_until_taken(s);
}

/* The session has been told of each piece, and sends it in its next turn. */
static int flush(struct exchange *x)
{
    return container_of(x, struct h2_stream, x)->error;
}

static int end(struct exchange *x)
{
    struct h2_stream *s = container_of(x, struct h2_stream, x);
    if (s->error)
        return s->error;
    s->out.ended = true;
    h2_stream_ready(s);
    return 0;
}

const struct exchange_ops h2_ops = {
    .head = head,
    .content = content,
    .file = file,
    .flush = flush,
    .end = end,
    .read = h2_read,
};

/* ---- for the session ---- */

/* By the rules of stream_sendfile(), and like that it does not wait for a disk: a handler makes sure that what it hands
 * over is in memory, a window at a time (net/file_window.h). */
static int take_file(struct h2_stream *s, char *to, size_t n)
{
    struct h2_output *out = &s->out;
    if (out->stale && !file_still_is(out->file, out->stamp))
        return -ESTALE;
    out->stale = true;
    for (size_t done = 0; done < n;) {
        ssize_t got = pread(out->file, to + done, n - done, out->file_at);
        if (got <= 0 && !(got < 0 && errno == EINTR))
            return -EIO;
        done += got > 0 ? (size_t)got : 0;
        out->file_at += got > 0 ? got : 0;
    }
    out->file_left -= n;
    s->x.response.sent += n;
    return 0;
}

int h2_output_take(struct h2_stream *s, char *to, size_t n)
{
    struct h2_output *out = &s->out;
    if (s->error || n > h2_output_left(out))
        return s->error ? s->error : -ECANCELED; /* it was taken back while a frame for it waited for room */
    size_t kept = out->end - out->at < n ? out->end - out->at : n;
    size_t direct = out->direct.n < n - kept ? out->direct.n : n - kept;
    if (kept)
        memcpy(to, out->bytes + out->at, kept);
    if (direct)
        memcpy(to + kept, out->direct.p, direct);
    out->at += kept;
    out->direct = str_skip(out->direct, direct);
    out->progress = green_now();
    size_t rest = n - kept - direct;
    int error = rest ? take_file(s, to + kept + direct, rest) : 0;
    if (!error && out->direct.n == 0 && out->file_left == 0)
        green_cond_signal(&s->changed);
    return error;
}
