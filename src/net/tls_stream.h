/* tls_stream.h: a stream that is secured by TLS. */
#ifndef TERN_NET_TLS_STREAM_H
#define TERN_NET_TLS_STREAM_H

#include "base/str.h"
#include "net/stream.h"

/* What the handshake has told. */
struct tls_peer {
    const char *version; /* "TLSv1.3" */
    const char *cipher;  /* "TLS_AES_256_GCM_SHA384" */
    struct str name;     /* that the client asked for (SNI); empty: none */
    struct str subject;  /* of the client's certificate, which was verified (RFC 4514); empty: none */
};

#endif
