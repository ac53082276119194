/* tls_records.h: sealed bytes on their way in and out, of which the TLS library sees records only.
 *
 * Bytes are received into, and gathered in, buffers of the worker's: a connection has memory of its own only for what is
 * left over when it waits: records that nobody wanted yet, a record that has not come to its end, bytes that the socket
 * did not take. So a peer that sends a record octet by octet costs the octets it has sent, and an idle connection
 * nothing.
 *
 * Between two calls of `begin` and `end` nothing may wait: the buffers are for one connection at a time.
 */
#ifndef TERN_NET_TLS_RECORDS_H
#define TERN_NET_TLS_RECORDS_H

#include "net/stream.h"

enum {
    TLS_RECORD = 16 * 1024, /* bytes of content of a record, at most (RFC 8446, 5.1) */
    TLS_BATCH = 64 * 1024,  /* bytes of content that are sealed before they are sent */
};

/* What has come. */
struct tls_inbox {
    char *kept; /* malloc'ed; NULL: nothing is left over */
    uint32_t kept_size;
    uint32_t record; /* bytes of the record being taken that are still to be taken */
    bool dry;        /* the socket has no more */
    bool ended;      /* the peer's end has come */
};

/* Sealed bytes that are to be sent together. */
struct tls_batch {
    size_t size;
    char bytes[TLS_BATCH + 4096]; /* with what sealing adds, in the smallest records */
};

/* What is to be sent. */
struct tls_outbox {
    char *unsent; /* malloc'ed; NULL: nothing is left over */
    uint32_t at, size;
};

/* Makes what was kept ready to be taken. */
void tls_inbox_begin(struct tls_inbox *in);

/* Takes up to n bytes of records that are complete, receiving what is there. Bytes; 0: the peer's end; -EAGAIN: no
 * further record is complete; -errno. */
ssize_t tls_inbox_take(struct tls_inbox *in, struct stream *s, void *to, size_t n);

/* Whether a further record could be taken at once. */
bool tls_inbox_has_record(const struct tls_inbox *in);

/* The first byte that has come and was not taken; -1: there is none. */
int tls_inbox_peek(const struct tls_inbox *in);

/* Keeps what was not taken. 0 or -ENOMEM. */
int tls_inbox_end(struct tls_inbox *in);

/* The batch of this worker, empty. */
struct tls_batch *tls_batch_begin(void);

/* Adds sealed bytes. False: they do not fit. */
bool tls_batch_add(struct tls_batch *batch, const void *bytes, size_t n);

/* Sends what was left over, then the batch, and keeps what the socket does not take; `more`: as of stream_write().
 * 0; -EAGAIN: something was kept; -errno. */
int tls_outbox_send(struct tls_outbox *out, struct stream *s, struct tls_batch *batch, bool more);

/* Frees both. */
void tls_boxes_free(struct tls_inbox *in, struct tls_outbox *out);

#endif
