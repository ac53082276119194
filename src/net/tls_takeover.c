/* tls_takeover.c: the keys of a handshake that is done are taken over from the library, of either side: what follows is
 * sealed and opened by us (tls_cipher.h).
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>

#include "net/tls_core.h"

static unsigned hex_value(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* The library tells the secrets of TLS 1.3 in the form of the key log of NSS: "LABEL random secret", in hexadecimal. */
void tls_take_secret(const SSL *ssl, const char *line)
{
    struct tls_stream *t = tls_bio_stream(ssl);
    struct str secret = str_of(line), label = str_cut(&secret, ' ');
    str_cut(&secret, ' ');
    bool servers = str_eq(label, STR("SERVER_TRAFFIC_SECRET_0"));
    if ((!servers && !str_eq(label, STR("CLIENT_TRAFFIC_SECRET_0"))) || secret.n > (size_t)2 * TLS_SECRET)
        return;
    unsigned char *to = servers == SSL_is_server(ssl) ? t->sealer.secret : t->opener.secret;
    for (size_t i = 0; i + 1 < secret.n; i += 2)
        to[i / 2] = (unsigned char)(hex_value(secret.p[i]) << 4 | hex_value(secret.p[i + 1]));
}

/* What was sealed after our Finished, tickets, was sealed with the keys that we take over (RFC 8446, 4.6.1). */
static int take_over_13(struct tls_stream *t, const struct tls_suite *suite, size_t sealed)
{
    int error = tls_cipher_start(&t->opener, suite, false);
    if (!error)
        error = tls_cipher_start(&t->sealer, suite, true);
    t->sealer.sequence = sealed;
    return error;
}

/* Each side has sealed its Finished. */
static int take_over_12(struct tls_stream *t, const struct tls_suite *suite)
{
    struct tls_secrets_12 secrets;
    bool is_client = !SSL_is_server(t->ssl);
    SSL_SESSION_get_master_key(SSL_get_session(t->ssl), secrets.master, sizeof secrets.master);
    SSL_get_server_random(t->ssl, secrets.randoms, SSL3_RANDOM_SIZE);
    SSL_get_client_random(t->ssl, secrets.randoms + SSL3_RANDOM_SIZE, SSL3_RANDOM_SIZE);
    int error = tls_cipher_start_12(is_client ? &t->sealer : &t->opener, is_client ? &t->opener : &t->sealer, suite,
                                    &secrets, is_client);
    t->opener.sequence = t->sealer.sequence = 1;
    OPENSSL_cleanse(&secrets, sizeof secrets);
    return error;
}

int tls_take_over(struct tls_stream *t, size_t sealed)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(t->ssl);
    const struct tls_suite *suite = tls_suite_find(SSL_CIPHER_get_protocol_id(cipher));
    bool is13 = SSL_version(t->ssl) == TLS1_3_VERSION;
    int error = !suite ? -EPROTO : is13 ? take_over_13(t, suite, sealed) : take_over_12(t, suite);
    t->peer.version = SSL_get_version(t->ssl);
    t->peer.cipher = SSL_CIPHER_get_name(cipher);
    t->ready = !error;
    tls_handshake_end(t);
    return error;
}
