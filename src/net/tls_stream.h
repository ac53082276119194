/* tls_stream.h: a stream that is secured by TLS 1.2 or 1.3 (RFC 5246, RFC 8446).
 *
 * It is used like any other (stream.h) once its handshake is done. OpenSSL does the protocol; what it reads and writes
 * goes through buffers of ours (tls_records.h): one recv for what has come, one send for what was written.
 *
 * A handshake holds no thread while its peer is silent: its state is in the stream. It waits only for room to send, and
 * for the pool, where a signature of RSA is made.
 */
#ifndef TERN_NET_TLS_STREAM_H
#define TERN_NET_TLS_STREAM_H

#include "base/str.h"
#include "net/stream.h"

struct tls_context;

extern const struct stream_ops stream_tls;

/* What the handshake has told. */
struct tls_peer {
    const char *version;                /* "TLSv1.3" */
    const char *cipher;                 /* "TLS_AES_256_GCM_SHA384" */
    struct str name;                    /* that the client asked for (SNI); empty: none */
    struct str subject;                 /* of the client's certificate, which was verified (RFC 4514); empty: none */
    const struct tls_context *endpoint; /* where it came in; NULL: this side is the client */
    const struct tls_context *chosen;   /* by the name; or the same */
};

/* Makes a stream one that is secured, right after stream_init(). 0 or -ENOMEM. */
int tls_stream_start(struct stream *s, const struct tls_context *context) __attribute__((warn_unused_result));

/* Goes on with the handshake. 0: it is done. -EAGAIN: the peer's next words have not come yet, wait until the stream is
 * readable. -EPROTONOSUPPORT: the peer speaks plain HTTP, and is to be answered so. -EPROTO: it failed, and the peer
 * was told as far as it listens; *why says why. -ETIMEDOUT: the deadline has passed. -ECANCELED, -errno. */
int tls_handshake(struct stream *s, nsec deadline, const char **why) GREEN_WAITS;

/* What the handshake has told; NULL before it is done. */
const struct tls_peer *tls_peer_of(const struct stream *s);

/* The protocol that was agreed on (ALPN): "h2", "http/1.1"; empty: none. */
struct str tls_protocol(const struct stream *s);

#endif
