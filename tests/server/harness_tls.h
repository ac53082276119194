/* harness_tls.h: a client that speaks TLS, by OpenSSL, with every octet on the wire in the hands of the test.
 *
 * A tls_open()ed client is a struct client as any other: what is sent and taken is what is inside. Below it is the raw
 * one, on whose socket the records go. OpenSSL itself never sees the socket, so that a test may send a ClientHello in
 * pieces, cut it, write what it likes between two records, and end the connection at any octet.
 */
#ifndef TERN_TESTS_SERVER_HARNESS_TLS_H
#define TERN_TESTS_SERVER_HARNESS_TLS_H

#include "harness_client.h"

#include <openssl/ssl.h>

/* What came of a handshake, or of a connection: the number of an alert (RFC 8446, 6), or one of these. */
enum {
    TLS_FINE = -1,  /* done, and no alert */
    TLS_ENDED = -2, /* the connection has ended without a word */
    TLS_BROKEN = -3 /* we could not go on with what the server has sent */
};

struct tls_setup {
    int port;                /* of 127.0.0.1 */
    const char *name;        /* asked for by SNI; NULL: no SNI */
    const char *alpn;        /* "h2,http/1.1"; NULL: no ALPN */
    int version;             /* TLS1_2_VERSION: this one alone; 0: 1.2 and 1.3 */
    const char *ciphers;     /* of TLS 1.2 and before; NULL: all */
    const char *suites;      /* of TLS 1.3; NULL: all */
    const char *groups;      /* "X25519:P-256"; NULL: OpenSSL's */
    const char *sigalgs;     /* "ECDSA+SHA256"; NULL: OpenSSL's */
    const char *certificate; /* of the client, a name of harness_pki.h; NULL: none */
    const char *trusted;     /* the server's chain must end there, a name too; NULL: nothing is checked */
    SSL_SESSION *session;    /* to be resumed; NULL: none */
    unsigned padding;        /* octets of an extension that nobody knows, in the ClientHello; 0: it is not there */
    unsigned segment;        /* what is sent goes out in writes of so many octets; 0: at once */
    bool slow;               /* with a small receive buffer */
};

struct tls {
    SSL *ssl;
    struct client *raw; /* with the socket, and the records */
    unsigned segment;
    int alert;            /* the first that has come, close_notify aside; TLS_FINE: none */
    bool closed;          /* close_notify has come */
    unsigned handshakes;  /* that were completed */
    unsigned tickets;     /* that have come, or sessions that could be resumed by their id */
    SSL_SESSION *session; /* the last of those; NULL: none */
    unsigned char
        secret[EVP_MAX_MD_SIZE]; /* that our records of TLS 1.3 are encrypted with, when the handshake is done */
    size_t secret_size;
};

/* Connects; nothing is sent yet. tls_start(.port = port, .name = "site.test"): with what differs from the usual. */
struct client *tls_start_as(const struct tls_setup *setup) __attribute__((returns_nonnull));

/* Goes on with the handshake to its end: TLS_FINE, or what came instead. In TLS 1.3 the server's last word on our
 * certificate comes later: tls_outcome(). */
int tls_shake(struct client *c);

/* Both; the handshake must be done. */
struct client *tls_open_as(const struct tls_setup *setup) __attribute__((returns_nonnull));

/* Connects, tries, and reads until the connection says what it thinks: TLS_FINE when a request was answered. */
int tls_try_as(const struct tls_setup *setup);

#define tls_start(...) tls_start_as(&(struct tls_setup){__VA_ARGS__})
#define tls_open(...) tls_open_as(&(struct tls_setup){__VA_ARGS__})
#define tls_hello(...) tls_hello_as(&(struct tls_setup){__VA_ARGS__})
#define tls_try(...) tls_try_as(&(struct tls_setup){__VA_ARGS__})

struct tls *tls_of(const struct client *c);

/* Waits for the end of the connection, unless an alert has come; the alert, or TLS_ENDED. */
int tls_outcome(struct client *c);

/* What OpenSSL wants to send now, instead of sending it; empty: nothing. */
struct str tls_pending(struct client *c);

/* Sends it. */
void tls_flush(struct client *c);

/* The ClientHello of such a client, which is not sent. */
struct str tls_hello_as(const struct tls_setup *setup);

/* The common name of the server's certificate. */
const char *tls_server_name(const struct client *c) __attribute__((returns_nonnull));

/* What was agreed on: "h2", or "" for nothing. */
const char *tls_alpn(const struct client *c) __attribute__((returns_nonnull));

bool tls_resumed(const struct client *c);

/* A session that can be resumed, which the caller has not to free: asks for "/hello" first, for tickets come with an
 * answer at the latest. NULL: the server gave none. */
SSL_SESSION *tls_session(struct client *c);

/* A record of TLS 1.3, encrypted as our n-th since the handshake (the first one is 0), with this type inside (RFC 8446,
 * 5.2). The connection has to use TLS_AES_128_GCM_SHA256. */
struct str tls_seal(struct client *c, uint64_t n, unsigned char type, struct str content);

/* Records that are not encrypted, cut into records of so many octets each. */
struct str tls_fragment(struct str records, size_t size);

#endif
