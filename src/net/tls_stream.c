/* tls_stream.c: see tls_stream.h.
 *
 * OpenSSL never waits here, and never sees a socket: it reads and writes through a BIO of ours, which says "later" when
 * the inbox has no complete record. Each operation begins with the buffers of the worker and ends by putting away what
 * is left in them; in between no other green thread runs. Its queue of errors is empty between two operations.
 */
#include "net/tls_stream.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/tls_core.h"

enum {
    SMALL_RECORD = 1400, /* fits into a packet, so that the first bytes can be used when the first packet has come */
    SMALL_BYTES = 64 * 1024, /* sent in small records, while the network is being tried */
};
#define SLOW_AGAIN NSEC_SEC /* of silence: the network may be another one */

static struct tls_stream *of(const struct stream *s)
{
    return container_of((struct stream *)s, struct tls_stream, stream);
}

/* ---- the BIO ---- */

static struct tls_stream *behind(BIO *bio)
{
    return BIO_get_data(bio);
}

struct tls_stream *tls_stream_of(const SSL *ssl)
{
    return behind(SSL_get_rbio(ssl));
}

static int bio_read(BIO *bio, char *to, size_t n, size_t *got)
{
    struct tls_stream *t = behind(bio);
    BIO_clear_retry_flags(bio);
    ssize_t taken = t->on_pool ? -EAGAIN : tls_inbox_take(&t->in, &t->stream, to, n);
    if (taken == -EAGAIN)
        BIO_set_retry_read(bio);
    if (taken > 0 && !t->heard) {
        t->heard = true;
        t->plain = *to >= 'A' && *to <= 'Z';
    }
    *got = taken > 0 ? (size_t)taken : 0;
    return taken > 0;
}

static int bio_write(BIO *bio, const char *bytes, size_t n, size_t *written)
{
    BIO_clear_retry_flags(bio);
    struct tls_batch *batch = behind(bio)->batch;
    *written = batch && tls_batch_add(batch, bytes, n) ? n : 0;
    return *written > 0;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH; /* what is in the batch goes out when the operation ends */
}

/* Made once, for all streams. */
static BIO_METHOD *bio_method(void)
{
    static BIO_METHOD *method;
    if (method)
        return method;
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tern stream");
    if (!method)
        return NULL;
    BIO_meth_set_read_ex(method, bio_read);
    BIO_meth_set_write_ex(method, bio_write);
    BIO_meth_set_ctrl(method, bio_ctrl);
    return method;
}

int tls_stream_start(struct stream *s, const struct tls_context *context)
{
    struct tls_stream *t = of(s);
    BIO_METHOD *method = bio_method();
    BIO *bio = method ? BIO_new(method) : NULL;
    *t = (struct tls_stream){.stream = *s, .peer = {.endpoint = context, .chosen = context}};
    t->ssl = bio ? SSL_new(context->ssl) : NULL;
    if (!t->ssl) {
        BIO_free(bio);
        ERR_clear_error();
        return -ENOMEM;
    }
    BIO_set_data(bio, t);
    BIO_set_init(bio, 1);
    SSL_set_bio(t->ssl, bio, bio);
    SSL_set_accept_state(t->ssl);
    return 0;
}

/* ---- operations ---- */

void tls_begin(struct tls_stream *t)
{
    tls_inbox_begin(&t->in);
    t->batch = tls_batch_begin();
}

int tls_end(struct tls_stream *t, bool more)
{
    int kept = tls_inbox_end(&t->in);
    int error = tls_outbox_send(&t->out, &t->stream, t->batch, more);
    t->batch = NULL;
    t->broken |= kept < 0 || (error && error != -EAGAIN);
    return kept < 0 ? kept : error;
}

/* What a call that did not succeed means: 0: the peer has ended in good order; -EAGAIN, -errno. */
static int failure(struct tls_stream *t, int result)
{
    switch (SSL_get_error(t->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        t->broken = true;
        ERR_clear_error();
        return t->in.ended ? -ECONNRESET : -ECONNABORTED;
    }
}

const struct tls_peer *tls_peer_of(const struct stream *s)
{
    return of(s)->ready ? &of(s)->peer : NULL;
}

struct str tls_protocol(const struct stream *s)
{
    const unsigned char *name;
    unsigned n;
    SSL_get0_alpn_selected(of(s)->ssl, &name, &n);
    return (struct str){(const char *)name, n};
}

/* ---- reading ---- */

static ssize_t tls_read(struct stream *s, void *to, size_t n)
{
    struct tls_stream *t = of(s);
    size_t done = 0, got;
    ssize_t result = 0;
    if (t->broken)
        return -ECONNABORTED;
    tls_begin(t);
    do {
        int read = SSL_read_ex(t->ssl, (char *)to + done, n - done, &got);
        result = read ? 1 : failure(t, read);
        done += read ? got : 0;
    } while (result > 0 && done < n && (tls_inbox_has_record(&t->in) || !t->in.dry));
    (void)!tls_end(t, false); /* what it may have had to answer goes out with the next write, if it can't now */
    return done ? (ssize_t)done : result;
}

/* ---- writing ---- */

static size_t record_size(const struct tls_stream *t)
{
    return t->small < SMALL_BYTES ? SMALL_RECORD : TLS_RECORD;
}

/* Puts bytes into records, and these into the batch, which has room for TLS_BATCH of them. */
static int seal(struct tls_stream *t, const char *bytes, size_t n)
{
    for (size_t done; n; bytes += done, n -= done) {
        size_t record = record_size(t);
        int written = SSL_write_ex(t->ssl, bytes, record < n ? record : n, &done);
        if (!written)
            return failure(t, written);
        t->small += t->small < SMALL_BYTES ? (uint32_t)done : 0;
    }
    return 0;
}

/* Small pieces share a record; what fills one by itself is sealed where it is. */
static ssize_t seal_pieces(struct tls_stream *t, const struct iovec *pieces, int count)
{
    static char together[TLS_RECORD];
    size_t sealed = 0, gathered = 0;
    int error = 0;
    for (int i = 0; i < count && !error; i++) {
        struct str piece = {pieces[i].iov_base, pieces[i].iov_len};
        while (piece.n && sealed + gathered < TLS_BATCH && !error) {
            size_t room = TLS_RECORD - gathered, n = piece.n < room ? piece.n : room;
            bool alone = gathered == 0 && (n == TLS_RECORD || i + 1 == count);
            if (!alone)
                memcpy(together + gathered, piece.p, n);
            gathered += n;
            if (gathered == TLS_RECORD || i + 1 == count) {
                error = seal(t, alone ? piece.p : together, gathered);
                sealed += gathered;
                gathered = 0;
            }
            piece = str_skip(piece, n);
        }
    }
    if (gathered && !error)
        error = seal(t, together, gathered);
    return error ? error : (ssize_t)(sealed + gathered);
}

/* A write begins by finishing the one before. Bytes: those that it took, and never told of. */
static ssize_t resume(struct tls_stream *t)
{
    if (t->broken)
        return -ECONNABORTED;
    int error = t->out.unsent ? tls_outbox_send(&t->out, &t->stream, tls_batch_begin(), false) : 0;
    if (error)
        return error;
    size_t owed = t->owed;
    t->owed = 0;
    return (ssize_t)owed;
}

static void begin_write(struct tls_stream *t)
{
    if (green_now() - t->wrote > SLOW_AGAIN)
        t->small = 0;
    t->wrote = green_now();
    tls_begin(t);
}

/* What was sealed counts as taken when all of it is sent: whoever waits until then waits for the peer. */
static ssize_t end_write(struct tls_stream *t, ssize_t sealed, bool more)
{
    int error = tls_end(t, more);
    if (sealed < 0)
        return sealed;
    t->owed = error == -EAGAIN ? (uint32_t)sealed : 0;
    return error ? error : sealed;
}

static ssize_t tls_write(struct stream *s, const struct iovec *pieces, int count, bool more)
{
    struct tls_stream *t = of(s);
    ssize_t owed = resume(t);
    if (owed)
        return owed;
    begin_write(t);
    return end_write(t, seal_pieces(t, pieces, count), more);
}

static ssize_t seal_file(struct tls_stream *t, int file, off_t at, size_t n)
{
    static char content[TLS_RECORD];
    size_t sealed = 0;
    while (sealed < n && sealed < TLS_BATCH) {
        size_t left = n - sealed;
        ssize_t got = pread(file, content, left < sizeof content ? left : sizeof content, at + (off_t)sealed);
        if (got <= 0)
            return sealed || got == 0 ? (ssize_t)sealed : -errno;
        int error = seal(t, content, (size_t)got);
        if (error)
            return error;
        sealed += (size_t)got;
    }
    return (ssize_t)sealed;
}

static ssize_t tls_sendfile(struct stream *s, int file, off_t *at, size_t n)
{
    struct tls_stream *t = of(s);
    ssize_t sent = resume(t);
    if (sent == 0) {
        begin_write(t);
        sent = end_write(t, seal_file(t, file, *at, n), false);
    }
    *at += sent > 0 ? sent : 0;
    return sent;
}

/* ---- the end ---- */

/* Tells the peer that nothing more comes (RFC 8446, 6.1), so that it knows that nothing was cut off. */
static void say_end(struct tls_stream *t)
{
    if (!t->ready || t->broken || SSL_get_shutdown(t->ssl) & SSL_SENT_SHUTDOWN)
        return;
    tls_begin(t);
    (void)!SSL_shutdown(t->ssl);
    ERR_clear_error();
    (void)!tls_end(t, false); /* if there is no room, the peer does not even read what came before */
}

static void tls_shutdown(struct stream *s)
{
    say_end(of(s));
    shutdown(s->fd.fd, SHUT_WR); /* a failure means that there is no peer any more */
}

static void tls_close(struct stream *s)
{
    struct tls_stream *t = of(s);
    say_end(t);
    SSL_free(t->ssl);
    tls_boxes_free(&t->in, &t->out);
    free(t->name);
    free(t->subject);
    green_fd_close(&s->fd);
}

const struct stream_ops stream_tls = {
    .size = sizeof(struct tls_stream),
    .read = tls_read,
    .write = tls_write,
    .sendfile = tls_sendfile,
    .shutdown = tls_shutdown,
    .close = tls_close,
};
