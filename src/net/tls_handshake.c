/* tls_handshake.c: tls_handshake() of tls_stream.h, which is OpenSSL's, and what it is asked on its way: which name,
 * which protocol, which certificate.
 */
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "green/offload.h"
#include "net/tls_core.h"

int tls_handshake_begin(struct tls_stream *t)
{
    int error = tls_bio_attach(t, t->peer.endpoint->ssl);
    if (!error)
        SSL_set_accept_state(t->ssl);
    return error;
}

/* ---- what a handshake asks ---- */

/* The name that a client wants: of a list with one host name (RFC 6066, 3). */
static struct str wanted_name(SSL *ssl)
{
    enum { HEAD = 5 }; /* the list's size, the kind of name, its size */
    const unsigned char *bytes;
    size_t n;
    if (!SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &bytes, &n) || n < HEAD ||
        bytes[2] != TLSEXT_NAMETYPE_host_name || n != HEAD + (size_t)(bytes[3] << 8 | bytes[4]))
        return STR("");
    return (struct str){(const char *)bytes + HEAD, n - HEAD};
}

static int verify_mode(const struct tls_context *context)
{
    static const int modes[] = {
        [TLS_VERIFY_OFF] = SSL_VERIFY_NONE,
        [TLS_VERIFY_OPTIONAL] = SSL_VERIFY_PEER,
        [TLS_VERIFY_ON] = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
    };
    return modes[context->settings.client_verify];
}

/* The library takes the terms of resuming over by itself. */
static bool use_context(SSL *ssl, const struct tls_context *context)
{
    if (!SSL_set_SSL_CTX(ssl, context->ssl) || !SSL_set_min_proto_version(ssl, context->least) ||
        !SSL_set_max_proto_version(ssl, context->most))
        return false;
    SSL_set_verify(ssl, verify_mode(context), NULL);
    SSL_clear_options(ssl, SSL_OP_NO_TICKET);
    SSL_set_options(ssl, SSL_CTX_get_options(context->ssl) & SSL_OP_NO_TICKET);
    return true;
}

/* The first thing in a handshake, and the second, if the client is asked for other keys: what it wants then is what
 * counts, so the terms are set anew, whatever they were (RFC 8446, 4.1.2). */
static int on_client_hello(SSL *ssl, int *alert, void *arg)
{
    struct tls_stream *t = tls_bio_stream(ssl);
    const struct tls_endpoint *endpoint = &t->peer.endpoint->endpoint;
    struct str name = wanted_name(ssl);
    (void)arg;
    const struct tls_context *found = NULL;
    if (endpoint->choose && (name.n || t->peer.endpoint->count == 0))
        found = endpoint->choose(endpoint->sites, name);
    t->peer.chosen = found ? found : t->peer.endpoint;
    free(t->name);
    t->name = name.n ? strndup(name.p, name.n) : NULL;
    t->peer.name = str_of(t->name);
    t->nameless = t->peer.chosen->count == 0;
    *alert = t->nameless ? SSL_AD_UNRECOGNIZED_NAME : SSL_AD_INTERNAL_ERROR;
    bool usable = !t->nameless && use_context(ssl, t->peer.chosen);
    return usable ? SSL_CLIENT_HELLO_SUCCESS : SSL_CLIENT_HELLO_ERROR;
}

/* RFC 7301, 3.2: who offers only what we don't speak is told so. */
static int on_alpn(SSL *ssl, const unsigned char **chosen, unsigned char *size, const unsigned char *offered,
                   unsigned n, void *arg)
{
    static const unsigned char ours[] = "\x02h2\x08http/1.1";
    bool http2 = tls_bio_stream(ssl)->peer.endpoint->endpoint.http2;
    const unsigned char *list = http2 ? ours : ours + 3;
    unsigned char *found;
    (void)arg;
    if (SSL_select_next_proto(&found, size, list, (unsigned)sizeof ours - 1 - (http2 ? 0 : 3), offered, n) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = found;
    tls_bio_stream(ssl)->protocol = (struct str){(const char *)found, *size};
    return SSL_TLSEXT_ERR_OK;
}

/* TLS 1.2 says so by its ciphers, too. */
static bool has_ecdsa_cipher(const SSL *ssl)
{
    const STACK_OF(SSL_CIPHER) *ciphers = SSL_get_client_ciphers(ssl);
    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++)
        if (SSL_CIPHER_get_auth_nid(sk_SSL_CIPHER_value(ciphers, i)) == NID_auth_ecdsa)
            return true;
    return SSL_version(ssl) == TLS1_3_VERSION;
}

static bool takes_ecdsa(SSL *ssl)
{
    int count = SSL_get_sigalgs(ssl, -1, NULL, NULL, NULL, NULL, NULL), sign;
    for (int i = 0; i < count; i++)
        if (SSL_get_sigalgs(ssl, i, &sign, NULL, NULL, NULL, NULL) && sign == EVP_PKEY_EC)
            return has_ecdsa_cipher(ssl);
    return false;
}

/* A certificate is about to be chosen, and then something is signed with its key. With RSA that takes long enough for
 * others to notice (up to a millisecond, ECDSA a twentieth of it), and so does the exchange of keys with P-384: the
 * handshake stops here, and goes on on the pool. */
static int on_certificate(SSL *ssl, void *arg)
{
    struct tls_stream *t = tls_bio_stream(ssl);
    const struct tls_context *context = t->peer.chosen;
    (void)arg;
    bool rsa = context->has_rsa && !(context->has_ecdsa && takes_ecdsa(ssl));
    t->for_pool = !t->on_pool && (rsa || SSL_get_shared_group(ssl, 0) == NID_secp384r1);
    return t->for_pool ? -1 : 1;
}

static int on_status(SSL *ssl, void *arg)
{
    const struct tls_context *context = tls_bio_stream(ssl)->peer.chosen;
    const X509 *own = SSL_get_certificate(ssl);
    (void)arg;
    for (size_t i = 0; i < context->count; i++) {
        struct str ocsp = context->certificates[i].ocsp;
        unsigned char *copy = context->certificates[i].x509 == own && ocsp.n ? OPENSSL_memdup(ocsp.p, ocsp.n) : NULL;
        if (copy) {
            SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)ocsp.n);
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_NOACK;
}

void tls_handshake_prepare(const struct tls_context *context)
{
    SSL_CTX_set_client_hello_cb(context->ssl, on_client_hello, NULL);
    SSL_CTX_set_alpn_select_cb(context->ssl, on_alpn, NULL);
    SSL_CTX_set_cert_cb(context->ssl, on_certificate, NULL);
    SSL_CTX_set_tlsext_status_cb(context->ssl, on_status);
    SSL_CTX_set_keylog_callback(context->ssl, tls_take_secret);
    SSL_CTX_set_verify(context->ssl, verify_mode(context), NULL);
}

/* ---- the handshake ---- */

/* A part of it, with what it has to say gathered in a batch. */
struct step {
    struct tls_stream *t;
    int result, error; /* of SSL_do_handshake(), and what that means */
    size_t records;    /* that it has made */
    const char *why;
};

static void take_step(void *arg)
{
    struct step *step = arg;
    step->result = SSL_do_handshake(step->t->ssl);
    step->error = SSL_get_error(step->t->ssl, step->result);
    step->why = step->error == SSL_ERROR_SSL ? tls_error() : "the client has left";
    long verified = SSL_get_verify_result(step->t->ssl);
    if (step->error == SSL_ERROR_SSL && verified != X509_V_OK)
        step->why = X509_verify_cert_error_string(verified); /* of the client's certificate */
    ERR_clear_error();
}

/* The same on the pool: it has a batch of its own, and finds the inbox empty. */
static int take_step_on_pool(struct step *step)
{
    struct tls_stream *t = step->t;
    struct tls_batch *batch = malloc(sizeof *batch);
    if (!batch)
        return -ENOMEM;
    batch->size = 0;
    t->batch = batch;
    t->on_pool = true;
    int error = green_offload(take_step, step, NSEC_NEVER);
    if (error == -EAGAIN) { /* the pool has too much to do: then it is here that it takes long */
        take_step(step);
        error = 0;
    }
    t->on_pool = false;
    t->batch = NULL;
    int sent = error ? error : tls_outbox_send(&t->out, &t->stream, batch, false);
    free(batch);
    return sent;
}

/* An answer to who does not speak TLS is not TLS. */
static int take_step_here(struct step *step)
{
    static const struct str refusal = STR_INIT("\x15\3\3\0\2\2\x32"); /* a fatal alert: decode_error */
    struct tls_stream *t = step->t;
    tls_begin(t);
    take_step(step);
    if (t->plain)
        t->batch->size = 0;
    if (t->giant)
        (void)tls_batch_add(t->batch, refusal.p, refusal.n);
    step->records = tls_batch_records(t->batch);
    /* A client of TLS 1.3 waits for nothing after its last word: a ticket may go with the first answer. */
    bool done = step->result == 1 && SSL_version(t->ssl) == TLS1_3_VERSION;
    return tls_end(t, done ? TLS_HOLD : TLS_SEND);
}

/* "CN=alice,O=Example", malloc'ed; NULL: the client has shown no certificate. */
static char *subject_of(const SSL *ssl)
{
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    BIO *bio = certificate ? BIO_new(BIO_s_mem()) : NULL;
    char *bytes, *copy = NULL;
    if (bio && X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) >= 0) {
        long n = BIO_get_mem_data(bio, &bytes);
        copy = strndup(bytes, (size_t)n);
    }
    BIO_free(bio);
    return copy;
}

/* All that is needed of the library's connection is taken out of it. */
static int conclude(struct tls_stream *t, const struct step *step)
{
    t->subject = subject_of(t->ssl);
    t->peer.subject = str_of(t->subject);
    return tls_take_over(t, step->records);
}

/* What a step that has not finished the handshake means for it. */
static int judge(struct tls_stream *t, const struct step *step, nsec deadline, const char **why)
{
    if (step->error == SSL_ERROR_WANT_READ)
        return green_now() < deadline ? -EAGAIN : -ETIMEDOUT;
    t->broken = true;
    tls_handshake_end(t); /* what is still to come is not listened to, and need not keep the library's memory */
    *why = t->nameless ? "no certificate for the name that it asks for" : step->why;
    return t->plain ? -EPROTONOSUPPORT : -EPROTO;
}

int tls_handshake(struct stream *s, nsec deadline, const char **why)
{
    struct tls_stream *t = container_of(s, struct tls_stream, stream);
    for (;;) {
        struct step step = {.t = t};
        int error = (t->for_pool ? take_step_on_pool : take_step_here)(&step);
        t->for_pool = step.error == SSL_ERROR_WANT_X509_LOOKUP;
        if (error == -EAGAIN)
            error = tls_handshake_flush(t, deadline);
        if (error)
            return error;
        if (step.result == 1)
            return conclude(t, &step);
        if (!t->for_pool)
            return judge(t, &step, deadline, why);
    }
}
