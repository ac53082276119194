/* tls_records.h: sealed bytes on their way in and out, of which the TLS library sees records only.
 *
 * Bytes are received into, and gathered in, buffers of the worker's: a connection has memory of its own only for what
 * is left over when it waits: records that nobody wanted yet, a record that has not come to its end, bytes that the
 * socket did not take. So a peer that sends a record octet by octet costs the octets it has sent, and an idle
 * connection nothing.
 *
 * Between two calls of `begin` and `end` nothing may wait: the buffers are for one connection at a time.
 */
#ifndef TERN_NET_TLS_RECORDS_H
#define TERN_NET_TLS_RECORDS_H

#include "base/str.h"
#include "net/stream.h"
#include "net/tls_cipher.h"

enum { TLS_BATCH = 64 * 1024 }; /* bytes of content that are sealed before they are sent */

/* What has come. */
struct tls_inbox {
    char *kept; /* malloc'ed; NULL: nothing is left over */
    uint32_t kept_size;
    uint16_t record;  /* bytes of a record that are still to be taken */
    uint16_t content; /* bytes of an opened record that are still to be read ... */
    uint16_t rest;    /* ... and those behind them, which mean nothing any more */
    bool dry;         /* the socket has no more */
    bool ended;       /* the peer's end has come */
};

/* Sealed bytes that are to be sent together. */
struct tls_batch {
    size_t size;
    char bytes[TLS_BATCH + 4096]; /* with what sealing adds, in small records */
};

/* What is to be sent. */
struct tls_outbox {
    char *unsent; /* malloc'ed; NULL: nothing is left over */
    uint32_t at, size;
    bool held; /* nothing of it was sent yet, and need not be */
};

/* Makes what was kept ready to be taken. */
void tls_inbox_begin(struct tls_inbox *in);

/* Takes up to n bytes of records that are complete, receiving what is there. Bytes; 0: the peer's end; -EAGAIN: no
 * further record is complete; -errno. */
ssize_t tls_inbox_take(struct tls_inbox *in, struct stream *s, void *to, size_t n);

/* The next n bytes of the record that is being taken; NULL: it has not so many. */
const unsigned char *tls_inbox_peek(const struct tls_inbox *in, size_t n);

/* The same as taking for a whole record: its size. It stays where it is until the next call. */
ssize_t tls_inbox_next(struct tls_inbox *in, struct stream *s, char **record);

/* That record was opened, and this is its content: to be read piece by piece, before the next one. */
void tls_inbox_opened(struct tls_inbox *in, struct str content);
size_t tls_inbox_read(struct tls_inbox *in, void *to, size_t n);

/* Whether there may be more to take without waiting. */
bool tls_inbox_has_more(const struct tls_inbox *in);

/* Keeps what was not taken. 0 or -ENOMEM. */
int tls_inbox_end(struct tls_inbox *in);

/* The batch of this worker, empty. */
struct tls_batch *tls_batch_begin(void);

/* Adds sealed bytes. False: they do not fit. */
bool tls_batch_add(struct tls_batch *batch, const void *bytes, size_t n);

static inline size_t tls_batch_room(const struct tls_batch *batch)
{
    return sizeof batch->bytes - batch->size;
}

/* The records that it consists of. */
size_t tls_batch_records(const struct tls_batch *batch);

/* Puts a batch by, to be sent with the next one. 0, -ENOMEM or -ENOBUFS. */
int tls_outbox_hold(struct tls_outbox *out, struct tls_batch *batch) __attribute__((warn_unused_result));

/* Starts an empty batch with what was put by, as far as it fits. */
void tls_outbox_unhold(struct tls_outbox *out, struct tls_batch *batch);

/* Sends what was left over, then the batch, and keeps what the socket does not take; `more`: as of stream_write().
 * 0; -EAGAIN: something was kept; -errno. */
int tls_outbox_send(struct tls_outbox *out, struct stream *s, struct tls_batch *batch, bool more);

/* Frees both. */
void tls_boxes_free(struct tls_inbox *in, struct tls_outbox *out);

#endif
