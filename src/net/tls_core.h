/* tls_core.h: what the files of TLS share: contexts, sessions and handshakes, which see OpenSSL, and tls_stream.c.
 * Private to them. */
#ifndef TERN_NET_TLS_CORE_H
#define TERN_NET_TLS_CORE_H

#include "base/list.h"
#include "net/tls_cipher.h"
#include "net/tls_context.h"
#include "net/tls_records.h"
#include "net/tls_stream.h"

struct ssl_ctx_st;
struct ssl_st;
struct x509_st;

/* A certificate in use, and what its authority says of it. */
struct tls_certificate {
    struct x509_st *x509;
    struct str ocsp; /* empty: nothing */
};

struct tls_context {
    struct ssl_ctx_st *ssl;
    struct tls_settings settings;
    struct tls_certificate *certificates;
    size_t count;
    bool has_ecdsa, has_rsa;
    int least, most;               /* versions of the protocol */
    unsigned char authorities[32]; /* of clients: a digest of their certificates */
    unsigned char id[32];          /* of the terms on which sessions are resumed */
    struct tls_endpoint endpoint;
};

struct tls_stream {
    struct stream stream;
    struct ssl_st *ssl; /* during the handshake; then NULL */
    struct tls_inbox in;
    struct tls_outbox out;
    struct tls_batch *batch; /* where records go that are being made; NULL between two operations */
    struct tls_cipher opener, sealer;
    struct tls_peer peer;
    char *name, *subject; /* of `peer`, malloc'ed; or NULL */
    struct str protocol;  /* as agreed on (ALPN) */
    nsec wrote;           /* when it last did */
    uint32_t small;       /* bytes sent since it went slow */
    uint32_t owed;        /* bytes that a write took, and has not told of, since they are not all sent */
    uint32_t served;      /* bytes of content that have not made up for an idle record yet */
    uint8_t idle_records; /* that brought none, and were not made up for */
    uint8_t ticket_head;  /* bytes of its head that have come of a ticket; 0: none is coming ... */
    uint32_t ticket;      /* ... and bytes of it that are still to come, as far as its head says so */
    bool is_client;
    bool heard;    /* something has come */
    bool plain;    /* and that was a letter: no record of TLS begins so, but every request of HTTP */
    bool giant;    /* its ClientHello says that it is longer than any is */
    bool ready;    /* the handshake is done */
    bool broken;   /* nothing more can be read or written */
    bool nameless; /* nobody has a certificate for the name that the client wants */
    bool on_pool;  /* this part of the handshake may take its time */
    bool for_pool; /* what comes next takes long: it belongs there */
    bool ended;    /* the peer has said that nothing more comes */
    bool said_end; /* we have */
};

/* Every operation stands between these two. tls_begin() makes what was left over ready; tls_end() puts away what is
 * left, and what was made is sent, sent with more to come, or put by until the next operation. 0; -EAGAIN: something is
 * still to be sent; -errno. */
enum tls_ending { TLS_SEND, TLS_SEND_MORE, TLS_HOLD };
void tls_begin(struct tls_stream *t);
int tls_end(struct tls_stream *t, enum tls_ending how);

/* Makes a context answer what a handshake asks, and resume sessions; false: no memory. */
void tls_handshake_prepare(const struct tls_context *context);
bool tls_session_prepare(struct tls_context *context) __attribute__((warn_unused_result));

/* Starts a handshake of a server. 0 or -ENOMEM. */
int tls_handshake_begin(struct tls_stream *t) __attribute__((warn_unused_result));

/* Makes the library's connection, which reads and writes by way of the stream; and the stream of one. 0 or -ENOMEM. */
int tls_bio_attach(struct tls_stream *t, struct ssl_ctx_st *context) __attribute__((warn_unused_result));
struct tls_stream *tls_bio_stream(const struct ssl_st *ssl);

/* What was said has to get to the peer before it can answer. 0, -ETIMEDOUT, -ECANCELED, -errno. */
int tls_handshake_flush(struct tls_stream *t, nsec deadline) GREEN_WAITS;

/* Hears of the secrets of TLS 1.3: a callback that every context of the library has. */
void tls_take_secret(const struct ssl_st *ssl, const char *line);

/* The handshake is done: takes its keys over, of which our side has sealed so many records, and ends the library's
 * connection. 0, -ENOMEM or -EPROTO: a cipher that we do not speak. */
int tls_take_over(struct tls_stream *t, size_t sealed) __attribute__((warn_unused_result));

/* Ends the library's connection: frees what a handshake has needed. */
void tls_handshake_end(struct tls_stream *t);

/* Gives the library its heap (tls_heap.h), if it has none yet: before anything else is asked of it. */
void tls_give_heap(void);

/* Takes the first error off the library's queue, as text, and forgets the others. */
const char *tls_error(void);

#endif
