/* tls_cipher.h: the protection of records, once a handshake has agreed on keys (RFC 8446, 5.2 to 5.5; RFC 5246,
 * 6.2.3.3).
 *
 * What OpenSSL keeps for a connection is 13.7 KB, most of it for a handshake that is over. What is left to do needs,
 * for each direction, a key, a counter and an algorithm. So the handshake is OpenSSL's, and so are the algorithms
 * (EVP); the few lines between them, which put a record together and count, are here. All ciphers are AEAD: AES-GCM
 * (RFC 5288) and ChaCha20-Poly1305 (RFC 7905). There is no other, and so no padding to go wrong with.
 */
#ifndef TERN_NET_TLS_CIPHER_H
#define TERN_NET_TLS_CIPHER_H

#include "base/str.h"

enum {
    TLS_RECORD = 16 * 1024, /* bytes of content of a record, at most (RFC 8446, 5.1) */
    TLS_HEAD = 5,           /* bytes before it: a type, a version, a size */
    TLS_SEALED = 30,        /* bytes that sealing adds, at most: a head, a nonce, a type, a tag */
    TLS_SECRET = 48,        /* bytes of a secret, at most */
};

/* What is in a record. */
enum tls_type { TLS_CHANGE_CIPHER_SPEC = 20, TLS_ALERT, TLS_HANDSHAKE, TLS_DATA };

/* What is wrong (RFC 8446, 6); 0: nothing is. */
enum tls_alert {
    TLS_CLOSE_NOTIFY = 0,
    TLS_UNEXPECTED_MESSAGE = 10,
    TLS_BAD_RECORD_MAC = 20,
    TLS_RECORD_OVERFLOW = 22,
    TLS_ILLEGAL_PARAMETER = 47,
    TLS_DECODE_ERROR = 50,
    TLS_INTERNAL_ERROR = 80,
    TLS_USER_CANCELED = 90,
    TLS_NO_RENEGOTIATION = 100,
};

struct tls_suite; /* a cipher, and the digest that goes with it */

/* One direction of a connection. */
struct tls_cipher {
    struct evp_cipher_ctx_st *evp;
    const struct tls_suite *suite;
    uint64_t sequence; /* of the next record */
    bool is13;         /* of TLS 1.3 */
    bool seals;        /* rather than opens */
    unsigned char iv[12];
    unsigned char secret[TLS_SECRET]; /* of TLS 1.3: the next key is derived from it */
};

/* The suite of that number in IANA's registry; NULL: it is not one of ours. */
const struct tls_suite *tls_suite_find(unsigned id);

/* Starts a direction of TLS 1.3, whose traffic secret is there already (7.3). 0 or -ENOMEM. */
int tls_cipher_start(struct tls_cipher *c, const struct tls_suite *suite, bool seals)
    __attribute__((warn_unused_result));

/* What both sides of TLS 1.2 have agreed on. */
struct tls_secrets_12 {
    unsigned char master[48];
    unsigned char randoms[64]; /* the server's, then the client's */
};

/* Starts both directions of TLS 1.2 (RFC 5246, 6.3): `client` is for what the client sends, `server` for what the
 * server does. The one that is our own seals, the other opens. 0 or -ENOMEM. */
int tls_cipher_start_12(struct tls_cipher *client, struct tls_cipher *server, const struct tls_suite *suite,
                        const struct tls_secrets_12 *secrets, bool is_client) __attribute__((warn_unused_result));

/* Of TLS 1.3: goes on with the next key (7.2). 0 or -ENOMEM. */
int tls_cipher_update(struct tls_cipher *c) __attribute__((warn_unused_result));

/* Whether the key has been used as often as it may be (5.5), or, in TLS 1.2, the counter is about to end. */
static inline bool tls_cipher_is_worn(const struct tls_cipher *c)
{
    return c->sequence >= 1ULL << 24 && (c->is13 || c->sequence >= 1ULL << 48);
}

/* Makes a record of at most TLS_RECORD bytes of content, at `to`, which has room for TLS_SEALED more. Its size; 0: it
 * can't be made. */
size_t tls_cipher_seal(struct tls_cipher *c, char *to, enum tls_type type, struct str content);

/* Opens a record of n bytes, at least TLS_HEAD, in place. 0: *type and *content say what was in it; else what is wrong
 * with it, be it that it is not as long as it says. */
enum tls_alert tls_cipher_open(struct tls_cipher *c, char *record, size_t n, enum tls_type *type, struct str *content);

void tls_cipher_end(struct tls_cipher *c);

#endif
