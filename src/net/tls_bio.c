/* tls_bio.c: what lies between the library and a stream while there is a handshake, of either side.
 *
 * The library never waits, and never sees a socket: it reads and writes through a BIO of ours, which says "later" when
 * the inbox has no complete record. Its queue of errors is empty between two steps. When it is done, the keys are taken
 * over (tls_takeover.c), and what it has kept for the connection is freed.
 */
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "net/tls_core.h"

enum { HELLO_MOST = 20 * 1024 }; /* bytes of a ClientHello */

/* ---- the BIO ---- */

static struct tls_stream *behind(BIO *bio)
{
    return BIO_get_data(bio);
}

struct tls_stream *tls_bio_stream(const SSL *ssl)
{
    return behind(SSL_get_rbio(ssl));
}

/* Whether a ClientHello follows the head of a record, and says to be longer than any is: the library would make room
 * for it before it has come. Elsewhere a record may begin with any bytes. */
static bool is_giant(const struct tls_stream *t, const char *head)
{
    bool possible = SSL_get_state(t->ssl) == TLS_ST_BEFORE || SSL_get_state(t->ssl) == TLS_ST_EARLY_DATA;
    const unsigned char *message = tls_inbox_peek(&t->in, 4);
    return possible && head[0] == TLS_HANDSHAKE && message && message[0] == SSL3_MT_CLIENT_HELLO &&
           (message[1] << 16 | message[2] << 8 | message[3]) > HELLO_MOST;
}

static int bio_read(BIO *bio, char *to, size_t n, size_t *got)
{
    struct tls_stream *t = behind(bio);
    BIO_clear_retry_flags(bio);
    ssize_t taken = t->on_pool ? -EAGAIN : tls_inbox_take(&t->in, &t->stream, to, n);
    if (taken == -EAGAIN)
        BIO_set_retry_read(bio);
    t->giant = taken == TLS_HEAD && is_giant(t, to);
    if (t->giant)
        taken = -EMSGSIZE;
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

/* ---- the library's connection ---- */

int tls_bio_attach(struct tls_stream *t, SSL_CTX *context)
{
    BIO_METHOD *method = bio_method();
    BIO *bio = method ? BIO_new(method) : NULL;
    t->ssl = bio ? SSL_new(context) : NULL;
    if (!t->ssl) {
        BIO_free(bio);
        ERR_clear_error();
        return -ENOMEM;
    }
    BIO_set_data(bio, t);
    BIO_set_init(bio, 1);
    SSL_set_bio(t->ssl, bio, bio);
    return 0;
}

/* A peer that leaves without a word does not harm its session (RFC 5246, 7.2.1); the library would forget it. */
void tls_handshake_end(struct tls_stream *t)
{
    if (t->ssl && t->ready)
        SSL_set_shutdown(t->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(t->ssl);
    t->ssl = NULL;
}

int tls_handshake_flush(struct tls_stream *t, nsec deadline)
{
    for (;;) {
        struct tls_batch *nothing = tls_batch_begin();
        int error = tls_outbox_send(&t->out, &t->stream, nothing, false);
        if (error != -EAGAIN)
            return error;
        error = green_fd_writable(&t->stream.fd, deadline);
        if (error)
            return error;
    }
}
