/* h1_write.c: responses. Pieces gather in the frame's buffer and go out together, with the answers to all requests
 * that came together: one send for most of them. */
#include <errno.h>

#include "http/h1.h"
#include "http/own_fields.h"
#include "http/status.h"

enum { SMALL_PIECES = 256 }; /* what has a small bound: a status line, the common fields, the framing */

static nsec write_timeout(const struct h1 *h)
{
    return h->x.server->timeouts.write;
}

void h1_forget(struct h1 *h)
{
    if (h->out.start)
        h1_buffer_give(h->out.start);
    h->out = (struct out){0};
}

static int flush_with(struct h1 *h, struct str last, bool more)
{
    struct iovec pieces[] = {{h->out.start, out_len(&h->out)}, {(void *)last.p, last.n}};
    int error = stream_write(&h->conn->stream, pieces, last.n ? 2 : 1, more, write_timeout(h));
    h1_forget(h);
    return error;
}

int h1_flush(struct h1 *h)
{
    return out_len(&h->out) ? flush_with(h, STR(""), false) : 0;
}

/* Where there is a word for the end, it goes out with the rest. What the kernel would keep for the same purpose is lost
 * if something comes before the socket is closed. */
int h1_end(struct h1 *h)
{
    struct stream *stream = &h->conn->stream;
    int error = out_len(&h->out) ? flush_with(h, STR(""), stream_has_word_for_end(stream)) : 0;
    return error ? error : stream_end(stream, write_timeout(h));
}

/* Whether n bytes gather without anything being sent. */
static bool gathers(const struct h1 *h, size_t n)
{
    return n <= (h->out.start ? out_room(&h->out) : H1_OUT_SIZE);
}

/* Makes room for n bytes, of which there are fewer than a buffer takes: what is there already is sent. */
static int make_room(struct h1 *h, size_t n)
{
    if (n <= out_room(&h->out))
        return 0;
    int error = out_len(&h->out) ? flush_with(h, STR(""), true) : 0;
    char *buffer = error ? NULL : h1_buffer_take();
    if (buffer)
        h->out = out_on(buffer, H1_OUT_SIZE);
    return error ? error : buffer ? 0 : -ENOMEM;
}

int h1_put(struct h1 *h, struct str bytes)
{
    if (!gathers(h, bytes.n) && bytes.n > H1_OUT_SIZE / 2)
        return flush_with(h, bytes, true);
    int error = make_room(h, bytes.n);
    if (!error)
        out_put(&h->out, bytes);
    return error;
}

/* The fields that frame the content and say whether the connection goes on; and the empty line. */
static void put_framing(struct h1 *h, struct out *o, int64_t length)
{
    bool old = h->x.request.minor == 0;
    h->chunked = length == HTTP_LENGTH_UNKNOWN && !old && !h->x.response.no_content;
    if (length == HTTP_LENGTH_UNKNOWN && old)
        h->keep_alive = false; /* the end of the connection is the end of the content */
    if (h->chunked) {
        out_text(o, "Transfer-Encoding: chunked\r\n");
    } else if (length != HTTP_LENGTH_UNKNOWN && !http_status_bodiless(h->x.response.status)) {
        out_text(o, "Content-Length: ");
        out_u64(o, (uint64_t)length);
        out_text(o, "\r\n");
    }
    if (!h->keep_alive)
        out_text(o, "Connection: close\r\n");
    else if (old)
        out_text(o, "Connection: keep-alive\r\n");
    out_text(o, "\r\n");
}

static int head(struct exchange *x, const struct http_head *head)
{
    struct h1 *h = container_of(x, struct h1, x);
    /* When a head is written is when the end is announced: a drain may have begun since the request came. And where
     * the peer was not told to go on, what follows can't be told from content; too much of that is not read at all. */
    const struct h1_body *body = &h->body;
    bool too_long = body->framing == H1_LENGTH && body->left > H1_DRAINED;
    if (conn_is_last(h->conn, h1_buffered(&h->in).n > 0) ||
        (!body->ended && (body->expects || body->error || too_long)))
        h->keep_alive = false;
    int error = make_room(h, SMALL_PIECES);
    out_put(&h->out, http_status_line(head->status));
    out_put(&h->out, http_own_fields());
    if (!error)
        error = h1_put(h, head->fields);
    if (!error)
        error = make_room(h, SMALL_PIECES);
    put_framing(h, &h->out, head->length);
    return error;
}

static int put_chunk_size(struct h1 *h, size_t n)
{
    char line[24];
    struct out o = out_on(line, sizeof line);
    out_hex(&o, n);
    out_text(&o, "\r\n");
    return h1_put(h, out_str(&o));
}

static int content_chunked(struct h1 *h, struct str bytes)
{
    int error = put_chunk_size(h, bytes.n);
    if (!error)
        error = h1_put(h, bytes);
    return error ? error : h1_put(h, STR("\r\n"));
}

static int content_plain(struct h1 *h, struct str bytes)
{
    if (gathers(h, bytes.n))
        return h1_put(h, bytes);
    return flush_with(h, bytes, h->x.response.sent + bytes.n < (uint64_t)h->x.response.length);
}

static int content(struct exchange *x, struct str bytes)
{
    struct h1 *h = container_of(x, struct h1, x);
    int error = h->chunked ? content_chunked(h, bytes) : content_plain(h, bytes);
    x->response.sent += error ? 0 : bytes.n;
    return error;
}

static int file(struct exchange *x, int fd, off_t at, size_t n, const struct file_stamp *stamp)
{
    struct h1 *h = container_of(x, struct h1, x);
    int error = h->chunked ? put_chunk_size(h, n) : 0;
    if (!error)
        error = flush_with(h, STR(""), true);
    off_t start = at;
    if (!error)
        error = stream_sendfile(&h->conn->stream, fd, &at, n, stamp, write_timeout(h));
    x->response.sent += (uint64_t)(at - start);
    if (error)
        return error;
    return h->chunked ? h1_put(h, STR("\r\n")) : 0;
}

static int flush(struct exchange *x)
{
    struct h1 *h = container_of(x, struct h1, x);
    int error = h1_flush(h);
    return error ? error : stream_flush(&h->conn->stream, write_timeout(h));
}

static int end(struct exchange *x)
{
    struct h1 *h = container_of(x, struct h1, x);
    return h->chunked ? h1_put(h, STR("0\r\n\r\n")) : 0;
}

const struct exchange_ops h1_ops = {
    .head = head,
    .content = content,
    .file = file,
    .flush = flush,
    .end = end,
    .read = h1_read,
};
