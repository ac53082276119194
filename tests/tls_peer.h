/* tls_peer.h: both ends of a connection of TLS whose handshake never was: for tests and fuzzers of what follows one.
 *
 * The keys are as good as any that were agreed on, and the same every time.
 */
#ifndef TERN_TESTS_TLS_PEER_H
#define TERN_TESTS_TLS_PEER_H

#include "net/tls_cipher.h"

struct tls_terms {
    const char *name;
    unsigned suite;
    bool is13;
};

static const struct tls_terms tls_terms[] = {
    {"TLS 1.3, AES-128-GCM", 0x1301, true},       {"TLS 1.3, AES-256-GCM", 0x1302, true},
    {"TLS 1.3, ChaCha20-Poly1305", 0x1303, true}, {"TLS 1.2, AES-128-GCM", 0xc02b, false},
    {"TLS 1.2, AES-256-GCM", 0xc030, false},      {"TLS 1.2, ChaCha20-Poly1305", 0xcca8, false},
};

enum { TLS_TERMS = sizeof tls_terms / sizeof *tls_terms, TLS_SEALED_MOST = TLS_RECORD + 512 };

/* One direction, at both of its ends. */
struct tls_way {
    struct tls_cipher sealer, opener;
};

/* What goes to the server, and what comes from it. */
struct tls_ways {
    struct tls_way in, out;
};

static inline int tls_peer_start_13(struct tls_way *way, const struct tls_suite *suite, int filling)
{
    memset(way->sealer.secret, filling, TLS_SECRET);
    memset(way->opener.secret, filling, TLS_SECRET);
    int error = tls_cipher_start(&way->sealer, suite, true);
    return error ? error : tls_cipher_start(&way->opener, suite, false);
}

static inline int tls_peer_start_12(struct tls_ways *ways, const struct tls_suite *suite)
{
    static const struct tls_secrets_12 secrets = {"master", "randoms"};
    int error = tls_cipher_start_12(&ways->in.opener, &ways->out.sealer, suite, &secrets, false);
    return error ? error : tls_cipher_start_12(&ways->in.sealer, &ways->out.opener, suite, &secrets, true);
}

/* 0, or less. */
static inline int tls_peer_start(struct tls_ways *ways, const struct tls_terms *terms)
{
    const struct tls_suite *suite = tls_suite_find(terms->suite);
    *ways = (struct tls_ways){.in = {.sealer = {.sequence = 0}}};
    if (!terms->is13)
        return tls_peer_start_12(ways, suite);
    int error = tls_peer_start_13(&ways->in, suite, 'i');
    return error ? error : tls_peer_start_13(&ways->out, suite, 'o');
}

static inline void tls_peer_end(struct tls_ways *ways)
{
    tls_cipher_end(&ways->in.sealer);
    tls_cipher_end(&ways->in.opener);
    tls_cipher_end(&ways->out.sealer);
    tls_cipher_end(&ways->out.opener);
}

#endif
