/* tls_client.c: see tls_client.h. The handshake is OpenSSL's, by way of tls_bio.c; what comes after it is not
 * (tls_takeover.c, tls_stream.c). So a connection that lasts needs no more memory than that of a server.
 */
#include "net/tls_client.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <unistd.h>

#include "net/addr.h"
#include "net/tls_core.h"

enum { NAME_MOST = 255, PROTOCOLS_MOST = 255 }; /* bytes; of all protocols together, as they are sent */

/* Those that tls_cipher.h speaks. Of TLS 1.3 they are the library's usual ones. */
static const char ciphers_12[] = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:!aDSS";

struct tls_client_context {
    SSL_CTX *ssl;
};

/* ---- contexts ---- */

static bool set_terms(SSL_CTX *ssl, const struct tls_client_settings *settings)
{
    SSL_CTX_set_options(ssl, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
    SSL_CTX_set_verify(ssl, settings->unverified ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_keylog_callback(ssl, tls_take_secret);
    return SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) && SSL_CTX_set_cipher_list(ssl, ciphers_12);
}

static int load_authorities(SSL_CTX *ssl, const char *ca, const char **why)
{
    if (ca && access(ca, R_OK) < 0) {
        *why = strerrordesc_np(errno);
        return -errno;
    }
    if (ca ? SSL_CTX_load_verify_file(ssl, ca) : SSL_CTX_set_default_verify_paths(ssl))
        return 0;
    *why = tls_error();
    return -EINVAL;
}

int tls_client_context_new(struct tls_client_context **made, const struct tls_client_settings *settings,
                           const char **why)
{
    tls_give_heap();
    *why = strerrordesc_np(ENOMEM);
    int error = -ENOMEM;
    struct tls_client_context *context = calloc(1, sizeof *context);
    if (!context)
        return error;
    context->ssl = SSL_CTX_new(TLS_client_method());
    if (!context->ssl)
        goto free_context;
    if (!set_terms(context->ssl, settings))
        goto free_ssl;
    error = settings->unverified ? 0 : load_authorities(context->ssl, settings->ca, why);
    if (error)
        goto free_ssl;
    *made = context;
    return 0;
free_ssl:
    SSL_CTX_free(context->ssl);
free_context:
    free(context);
    ERR_clear_error();
    return error;
}

void tls_client_context_free(struct tls_client_context *context)
{
    SSL_CTX_free(context->ssl);
    free(context);
}

/* ---- terms ---- */

/* Without the dot at its end that a name may have (RFC 6066, 3). */
static struct str bare(struct str name)
{
    return (struct str){name.p, name.n - str_ends(name, STR("."))};
}

static bool are_sound(const struct tls_client_context *context, const struct tls_client_terms *terms)
{
    struct str name = bare(terms->name);
    bool verified = SSL_CTX_get_verify_mode(context->ssl) != SSL_VERIFY_NONE;
    return (name.n > 0 || !verified) && name.n <= NAME_MOST && str_find(name, '\0') == name.n &&
           terms->protocols.n < PROTOCOLS_MOST;
}

/* What the stream has of the terms: the name, NUL-terminated, and behind it the protocols. */
static int keep_terms(struct tls_stream *t, const struct tls_client_terms *terms)
{
    struct str name = bare(terms->name), protocols = terms->protocols;
    t->name = malloc(name.n + 1 + protocols.n);
    if (!t->name)
        return -ENOMEM;
    struct out o = out_on(t->name, name.n + 1 + protocols.n);
    out_put(&o, name);
    out_char(&o, '\0');
    out_put(&o, protocols);
    t->peer.name = (struct str){t->name, name.n};
    t->protocol = (struct str){t->name + name.n + 1, protocols.n}; /* until one of them is chosen */
    return 0;
}

/* An address is not asked for: SNI is for names (RFC 6066, 3). */
static bool want_name(SSL *ssl, struct str name)
{
    X509_VERIFY_PARAM *wanted = SSL_get0_param(ssl);
    struct addr ignored;
    if (name.n == 0)
        return true;
    if (addr_from_ip(name, 0, &ignored) == 0)
        return X509_VERIFY_PARAM_set1_ip_asc(wanted, name.p);
    X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(wanted, name.p, name.n) && SSL_set_tlsext_host_name(ssl, name.p);
}

/* Each with its size in front (RFC 7301, 3.1). */
static bool offer_protocols(SSL *ssl, struct str protocols)
{
    unsigned char offer[PROTOCOLS_MOST];
    struct out o = out_on(offer, sizeof offer);
    while (protocols.n) {
        struct str one = str_cut(&protocols, ',');
        out_char(&o, (char)one.n);
        out_put(&o, one);
    }
    return out_len(&o) == 0 || SSL_set_alpn_protos(ssl, offer, (unsigned)out_len(&o)) == 0;
}

/* ---- the handshake ---- */

static int begin(struct stream *s, const struct tls_client_context *context, const struct tls_client_terms *terms)
{
    struct tls_stream *t = container_of(s, struct tls_stream, stream);
    *t = (struct tls_stream){.stream = *s, .is_client = true};
    s->ops = &stream_tls;
    int error = are_sound(context, terms) ? keep_terms(t, terms) : -EINVAL;
    if (!error)
        error = tls_bio_attach(t, context->ssl);
    if (error)
        return error;
    SSL_set_connect_state(t->ssl);
    return want_name(t->ssl, t->peer.name) && offer_protocols(t->ssl, t->protocol) ? 0 : -EINVAL;
}

/* What a step that can't be followed by another one means. */
static int judge(const struct tls_stream *t, int error, const char **why)
{
    long verified = SSL_get_verify_result(t->ssl);
    if (error != SSL_ERROR_SSL) {
        *why = "the server has left";
        return -ECONNRESET;
    }
    *why = tls_error();
    if (t->plain) {
        *why = "the server does not speak TLS";
    } else if (verified != X509_V_OK && SSL_get_verify_mode(t->ssl) != SSL_VERIFY_NONE) {
        *why = X509_verify_cert_error_string(verified);
        return -EKEYREJECTED;
    }
    return -EPROTO;
}

/* 0: it is done. -EAGAIN: the server's next words have not come yet. Of a failure it is told as far as it listens. */
static int take_step(struct tls_stream *t, nsec deadline, const char **why)
{
    tls_begin(t);
    int result = SSL_do_handshake(t->ssl), error = SSL_get_error(t->ssl, result);
    int verdict = result == 1 ? 0 : error == SSL_ERROR_WANT_READ ? -EAGAIN : judge(t, error, why);
    ERR_clear_error();
    int sent = tls_end(t, TLS_SEND);
    if (verdict && verdict != -EAGAIN)
        return verdict;
    if (sent == -EAGAIN)
        sent = tls_handshake_flush(t, deadline);
    return sent ? sent : verdict;
}

static int shake_hands(struct tls_stream *t, nsec deadline, const char **why)
{
    for (;;) {
        int error = take_step(t, deadline, why);
        if (error != -EAGAIN)
            return error;
        error = green_fd_readable(&t->stream.fd, deadline);
        if (error)
            return error;
    }
}

/* The protocol that the server has chosen of those offered; empty: none. */
static int take_protocol(struct tls_stream *t)
{
    struct str offered = t->protocol;
    const unsigned char *chosen;
    unsigned n;
    SSL_get0_alpn_selected(t->ssl, &chosen, &n);
    t->protocol = STR("");
    while (n && offered.n) {
        struct str one = str_cut(&offered, ',');
        if (str_eq(one, (struct str){(const char *)chosen, n})) {
            t->protocol = one;
            return 0;
        }
    }
    return n ? -EPROTO : 0;
}

int tls_client_handshake(struct stream *s, const struct tls_client_context *context,
                         const struct tls_client_terms *terms, nsec deadline, const char **why)
{
    struct tls_stream *t = container_of(s, struct tls_stream, stream);
    *why = NULL;
    int error = begin(s, context, terms);
    if (!error)
        error = shake_hands(t, deadline, why);
    if (!error)
        error = take_protocol(t);
    if (!error)
        error = tls_take_over(t, 0);
    if (!error)
        return 0;
    t->broken = true;
    tls_handshake_end(t);
    ERR_clear_error();
    if (!*why)
        *why = strerrordesc_np(-error);
    return error;
}
