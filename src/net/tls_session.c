/* tls_session.c: sessions that are resumed: by tickets, which clients keep, or from the cache of the server.
 *
 * Both work with any worker of any generation: see tls_tickets.h and tls_cache.h.
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include "net/tls_cache.h"
#include "net/tls_core.h"
#include "net/tls_tickets.h"

enum { SESSION_SECONDS = 12 * 3600 }; /* that a session may be resumed, if the keys of tickets last as long */

/* ---- tickets ---- */

/* Seals a ticket, or finds the key to open one: AES-256-CBC, and HMAC-SHA-256 over all of it (RFC 5077, 4). 1; 2:
 * opened, and the client gets a new one: of TLS 1.3 always, since there each is used once (RFC 8446, C.4); 0: no such
 * key. */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac,
                     int sealing)
{
    struct tls_ticket_key key;
    bool old = false;
    if (sealing ? !tls_tickets_newest(&key) : !tls_tickets_find(name, &key, &old))
        return 0;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac, sizeof key.mac),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_end(),
    };
    bool done = EVP_MAC_CTX_set_params(mac, params);
    if (sealing) {
        memcpy(name, key.name, sizeof key.name);
        done = done && RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) == 1;
    }
    done = done && EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.cipher, iv, sealing);
    OPENSSL_cleanse(&key, sizeof key);
    return done ? 1 + (old || SSL_version(ssl) == TLS1_3_VERSION) : -1;
}

static struct str id_of(const SSL_SESSION *session)
{
    unsigned n;
    const unsigned char *id = SSL_SESSION_get_id(session, &n);
    return (struct str){(const char *)id, n};
}

/* A session that its client keeps in a ticket is not kept here. */
static int on_new_session(SSL *ssl, SSL_SESSION *session)
{
    unsigned char bytes[TLS_SESSION_SIZE], *to = bytes;
    bool ticket =
        !(SSL_get_options(ssl) & SSL_OP_NO_TICKET) && SSL_SESSION_get_protocol_version(session) > TLS1_2_VERSION;
    int size = ticket ? 0 : i2d_SSL_SESSION(session, NULL);
    if (size <= 0 || size > (int)sizeof bytes || i2d_SSL_SESSION(session, &to) != size)
        return 0;
    nsec time = SSL_SESSION_get_timeout(session) * NSEC_SEC;
    tls_cache_put(id_of(session), (struct str){(const char *)bytes, (size_t)size}, nsec_add(clock_monotonic(), time));
    OPENSSL_cleanse(bytes, sizeof bytes);
    return 0;
}

/* Whether its client has shown a certificate that is no longer valid: then it has to show another one. */
static bool is_over(const SSL_SESSION *session)
{
    const X509 *shown = SSL_SESSION_get0_peer((SSL_SESSION *)session);
    return shown && X509_cmp_current_time(X509_get0_notAfter(shown)) < 0;
}

static SSL_SESSION *on_get_session(SSL *ssl, const unsigned char *id, int n, int *copy)
{
    char bytes[TLS_SESSION_SIZE];
    const unsigned char *at = (const unsigned char *)bytes;
    size_t size = tls_cache_get((struct str){(const char *)id, (size_t)n}, bytes);
    (void)ssl;
    *copy = 0;
    SSL_SESSION *session = size ? d2i_SSL_SESSION(NULL, &at, (long)size) : NULL;
    OPENSSL_cleanse(bytes, size);
    if (session && is_over(session)) {
        SSL_SESSION_free(session);
        return NULL;
    }
    return session;
}

static void on_remove_session(SSL_CTX *ssl, SSL_SESSION *session)
{
    (void)ssl;
    tls_cache_remove(id_of(session));
}

/* A ticket was opened, or could not be. Who gets no session back gets a new ticket. */
static SSL_TICKET_RETURN on_opened(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t n,
                                   SSL_TICKET_STATUS status, void *arg)
{
    (void)ssl, (void)name, (void)n, (void)arg;
    bool opened = status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW;
    if (!opened || is_over(session))
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

/* ---- on which terms ---- */

/* Sessions are resumed where the same clients may come in: by certificates from the same files, so that one can be
 * renewed, and of clients of the same authorities. */
static bool set_id(struct tls_context *context)
{
    const struct tls_settings *settings = &context->settings;
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    bool done = digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
    for (size_t i = 0; i < settings->certificates.n && done; i++)
        done = EVP_DigestUpdate(digest, settings->certificates.v[i].p, settings->certificates.v[i].n + 1);
    done = done && EVP_DigestUpdate(digest, context->authorities, sizeof context->authorities) &&
           EVP_DigestUpdate(digest, &settings->client_verify, sizeof settings->client_verify) &&
           EVP_DigestFinal_ex(digest, context->id, NULL);
    EVP_MD_CTX_free(digest);
    return done && SSL_CTX_set_session_id_context(context->ssl, context->id, sizeof context->id);
}

bool tls_session_prepare(struct tls_context *context)
{
    SSL_CTX *ssl = context->ssl;
    SSL_CTX_set_timeout(ssl, SESSION_SECONDS);
    SSL_CTX_set_num_tickets(ssl, 1);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(ssl, on_ticket);
    SSL_CTX_set_session_ticket_cb(ssl, NULL, on_opened, NULL);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ssl, on_new_session);
    SSL_CTX_sess_set_get_cb(ssl, on_get_session);
    SSL_CTX_sess_set_remove_cb(ssl, on_remove_session);
    return set_id(context);
}
