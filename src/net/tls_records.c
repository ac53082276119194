/* tls_records.c: see tls_records.h. */
#include "net/tls_records.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    TYPE_FIRST = 20,
    TYPE_LAST = 24,                  /* of a record: change_cipher_spec ... heartbeat */
    RECORD_MOST = TLS_RECORD + 2048, /* of TLS 1.2, as it is sent (RFC 5246, 6.2.3) */
    UNSENT_MOST = 4 * TLS_BATCH,     /* kept for a peer that takes nothing and makes us answer */
};

/* ---- in ---- */

static struct {
    size_t at, end;
    char bytes[TLS_HEAD + RECORD_MOST];
} incoming;

void tls_inbox_begin(struct tls_inbox *in)
{
    incoming.at = 0;
    incoming.end = in->kept_size;
    in->dry = false;
    if (!in->kept)
        return;
    memcpy(incoming.bytes, in->kept, in->kept_size);
    free(in->kept);
    in->kept = NULL;
    in->kept_size = 0;
}

int tls_inbox_end(struct tls_inbox *in)
{
    size_t left = incoming.end - incoming.at;
    if (left == 0)
        return 0;
    in->kept = malloc(left);
    if (!in->kept)
        return -ENOMEM;
    memcpy(in->kept, incoming.bytes + incoming.at, left);
    in->kept_size = (uint32_t)left;
    return 0;
}

/* The size of the record in front, with its head; 0: it is not complete. What is none is taken for complete, so that
 * the library can say what it is. */
static size_t record_in_front(void)
{
    const unsigned char *head = (const unsigned char *)incoming.bytes + incoming.at;
    size_t there = incoming.end - incoming.at;
    if (there < TLS_HEAD)
        return 0;
    size_t content = (size_t)(head[3] << 8 | head[4]);
    if (content > RECORD_MOST || head[0] < TYPE_FIRST || head[0] > TYPE_LAST)
        return there;
    return there < TLS_HEAD + content ? 0 : TLS_HEAD + content;
}

bool tls_inbox_has_more(const struct tls_inbox *in)
{
    return in->content || record_in_front() || !in->dry;
}

/* One look at the socket: a read that comes back short says that there is no more. */
static int receive(struct tls_inbox *in, struct stream *s)
{
    memmove(incoming.bytes, incoming.bytes + incoming.at, incoming.end - incoming.at);
    incoming.end -= incoming.at;
    incoming.at = 0;
    size_t room = sizeof incoming.bytes - incoming.end;
    ssize_t got = recv(s->fd.fd, incoming.bytes + incoming.end, room, 0);
    in->dry = got < (ssize_t)room;
    in->ended = got == 0;
    if (got < 0)
        return errno == EINTR ? -EAGAIN : -errno;
    incoming.end += (size_t)got;
    return 0;
}

/* Makes sure that a complete record is in front: its size; otherwise as tls_inbox_take(). */
static ssize_t await_record(struct tls_inbox *in, struct stream *s)
{
    size_t size;
    while ((size = record_in_front()) == 0) {
        if (in->ended || in->dry)
            return in->ended ? 0 : -EAGAIN;
        int error = receive(in, s);
        if (error)
            return error;
    }
    return (ssize_t)size;
}

ssize_t tls_inbox_take(struct tls_inbox *in, struct stream *s, void *to, size_t n)
{
    ssize_t size = in->record ? in->record : await_record(in, s);
    if (size <= 0)
        return size;
    if (n > (size_t)size)
        n = (size_t)size;
    memcpy(to, incoming.bytes + incoming.at, n);
    incoming.at += n;
    in->record = (uint16_t)((size_t)size - n);
    return (ssize_t)n;
}

const unsigned char *tls_inbox_peek(const struct tls_inbox *in, size_t n)
{
    return n <= in->record ? (const unsigned char *)incoming.bytes + incoming.at : NULL;
}

ssize_t tls_inbox_next(struct tls_inbox *in, struct stream *s, char **record)
{
    ssize_t size = await_record(in, s);
    if (size > 0) {
        *record = incoming.bytes + incoming.at;
        incoming.at += (size_t)size;
    }
    return size;
}

void tls_inbox_opened(struct tls_inbox *in, struct str content)
{
    size_t start = (size_t)(content.p - incoming.bytes);
    in->content = (uint16_t)content.n;
    in->rest = (uint16_t)(incoming.at - start - content.n);
    incoming.at = start;
}

size_t tls_inbox_read(struct tls_inbox *in, void *to, size_t n)
{
    if (n > in->content)
        n = in->content;
    memcpy(to, incoming.bytes + incoming.at, n);
    incoming.at += n;
    in->content -= (uint16_t)n;
    if (in->content == 0) {
        incoming.at += in->rest;
        in->rest = 0;
    }
    return n;
}

/* ---- out ---- */

struct tls_batch *tls_batch_begin(void)
{
    static struct tls_batch outgoing;
    outgoing.size = 0;
    return &outgoing;
}

bool tls_batch_add(struct tls_batch *batch, const void *bytes, size_t n)
{
    if (n > sizeof batch->bytes - batch->size)
        return false;
    memcpy(batch->bytes + batch->size, bytes, n);
    batch->size += n;
    return true;
}

size_t tls_batch_records(const struct tls_batch *batch)
{
    size_t count = 0;
    for (size_t at = 0; at + TLS_HEAD <= batch->size; count++) {
        const unsigned char *head = (const unsigned char *)batch->bytes + at;
        at += TLS_HEAD + (size_t)(head[3] << 8 | head[4]);
    }
    return count;
}

static ssize_t send_bytes(struct stream *s, const char *bytes, size_t n, bool more)
{
    ssize_t sent = send(s->fd.fd, bytes, n, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    if (sent < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    return sent;
}

static int send_unsent(struct tls_outbox *out, struct stream *s, bool more)
{
    out->held = false;
    ssize_t sent = out->unsent ? send_bytes(s, out->unsent + out->at, out->size - out->at, more) : 0;
    if (sent < 0)
        return (int)sent;
    out->at += (uint32_t)sent;
    if (out->at < out->size)
        return -EAGAIN;
    free(out->unsent);
    *out = (struct tls_outbox){.unsent = NULL};
    return 0;
}

/* Appends to what is left over. */
static int keep(struct tls_outbox *out, const char *bytes, size_t n)
{
    size_t left = out->size - out->at;
    if (left + n > UNSENT_MOST)
        return -ENOBUFS;
    char *all = malloc(left + n);
    if (!all)
        return -ENOMEM;
    if (left && out->unsent)
        memcpy(all, out->unsent + out->at, left);
    if (n)
        memcpy(all + left, bytes, n);
    free(out->unsent);
    *out = (struct tls_outbox){.unsent = all, .size = (uint32_t)(left + n)};
    return 0;
}

int tls_outbox_hold(struct tls_outbox *out, struct tls_batch *batch)
{
    bool held = out->held || !out->unsent;
    int error = batch->size ? keep(out, batch->bytes, batch->size) : 0;
    out->held = held && out->unsent;
    batch->size = 0;
    return error;
}

void tls_outbox_unhold(struct tls_outbox *out, struct tls_batch *batch)
{
    if (!out->held || !tls_batch_add(batch, out->unsent, out->size))
        return;
    free(out->unsent);
    *out = (struct tls_outbox){.unsent = NULL};
}

int tls_outbox_send(struct tls_outbox *out, struct stream *s, struct tls_batch *batch, bool more)
{
    int error = send_unsent(out, s, more || batch->size);
    if (batch->size == 0 || (error && error != -EAGAIN))
        return error;
    ssize_t sent = error ? 0 : send_bytes(s, batch->bytes, batch->size, more);
    if (sent < 0)
        return (int)sent;
    size_t left = batch->size - (size_t)sent;
    error = left ? keep(out, batch->bytes + sent, left) : 0;
    batch->size = 0;
    return error ? error : left ? -EAGAIN : 0;
}

void tls_boxes_free(struct tls_inbox *in, struct tls_outbox *out)
{
    free(in->kept);
    free(out->unsent);
}
