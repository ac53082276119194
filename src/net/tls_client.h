/* tls_client.h: streams that are secured by TLS 1.2 or 1.3 with this side as the client (RFC 8446, RFC 5246).
 *
 *     error = connect_place(s, &place, deadline, &why);
 *     if (!error)
 *         error = tls_client_handshake(s, context, &terms, deadline, &why);
 *
 * When its handshake is done the stream is used like any other, and like that of a server (tls_stream.h): a write never
 * waits for the peer to say something, a read sends by itself what has to be answered, and an end that was not announced
 * (close_notify) is -ECONNRESET, since it may be somebody else's doing.
 *
 * A server is who it says to be when an authority that is trusted vouches for it, and for its name. Ciphers are AEAD
 * with an ephemeral exchange of keys, and no other. Sessions are not resumed.
 */
#ifndef TERN_NET_TLS_CLIENT_H
#define TERN_NET_TLS_CLIENT_H

#include "net/tls_stream.h"

/* Whom to trust: for any number of connections, and read-only once it is made. */
struct tls_client_context;

struct tls_client_settings {
    const char *ca;  /* a file with the certificates of authorities, in PEM; NULL: those that the system trusts */
    bool unverified; /* whoever answers is taken for the one who is meant */
};

/* Makes one. It belongs to the caller, who frees it when no handshake is left that uses it. Reads files: for the start of
 * a process, not for between two requests. 0, -ENOMEM, -EINVAL: there is no certificate in the file, or one that is
 * broken; or -errno of the file; *why says so. */
int tls_client_context_new(struct tls_client_context **context, const struct tls_client_settings *settings,
                           const char **why) __attribute__((warn_unused_result));
void tls_client_context_free(struct tls_client_context *context);

/* What is wanted of a server. */
struct tls_client_terms {
    struct str name;      /* its name, or its IP address: asked for (SNI), and looked for in its certificate */
    struct str protocols; /* offered (ALPN, RFC 7301), the best first: "h2,http/1.1"; empty: none */
};

/* Makes a plain stream, on which nothing was said yet, one that is secured. It has to lie in memory of stream_tls.size
 * bytes. On an error it is good for nothing but stream_close(), and *why says, in words for a log that are constant,
 * what it is. 0; tls_protocol() and tls_peer_of() tell what was agreed on, and the name in the latter is the server's;
 *
 *   -EKEYREJECTED   the server's certificate does not prove who it is;
 *   -EPROTO         it does not speak TLS, or not on our terms;
 *   -ECONNRESET     it has left;
 *   -EINVAL         the terms are none: no name, though it is to be verified, one that is too long, or has a NUL in it;
 *   -ETIMEDOUT, -ECANCELED, -ENOMEM, -errno. */
int tls_client_handshake(struct stream *s, const struct tls_client_context *context,
                         const struct tls_client_terms *terms, nsec deadline, const char **why) GREEN_WAITS;

#endif
