/* tls_context.h: what secures a listener or a site: certificates with their keys, and the terms.
 *
 * A context is made while the configuration is read, by the master, which may read keys that its workers may not, and
 * is read-only afterwards. It ends with the reader's arena.
 *
 * A connection begins with the context of the endpoint it came in at. When its client says which name it wants (SNI,
 * RFC 6066, 3), that of the name's site takes over, before anything is decided.
 */
#ifndef TERN_NET_TLS_CONTEXT_H
#define TERN_NET_TLS_CONTEXT_H

#include "conf/schema.h"
#include "net/tls_conf.h"

struct tls_context;

/* Reads the value of `tls` into a struct tls_context * (a CONF_CUSTOM key): loads certificates and keys, and looks
 * whether they fit. */
int tls_context_read(struct conf_reader *r, struct conf_node *node, void *context) __attribute__((warn_unused_result));

/* Whether it has a certificate: that of a listener need not, where sites have theirs. */
bool tls_context_has_certificate(const struct tls_context *context);

/* Whether a client is asked for a certificate, and whether it has to show one. */
bool tls_context_asks(const struct tls_context *context);
bool tls_context_demands(const struct tls_context *context);

/* What there is to say of the context of an endpoint, once all of the configuration has been read. */
struct tls_endpoint {
    bool http2;                                                              /* is offered (ALPN, RFC 7301) */
    const struct tls_context *(*choose)(const void *sites, struct str name); /* for a name; NULL: none has it */
    const void *sites;
};
void tls_context_set_endpoint(struct tls_context *context, const struct tls_endpoint *endpoint);

/* The library, with its version: for -V. */
const char *tls_library(void);

#endif
