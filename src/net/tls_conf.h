/* tls_conf.h: `tls` in the configuration, as it is written: of a listener, or of a site. */
#ifndef TERN_NET_TLS_CONF_H
#define TERN_NET_TLS_CONF_H

#include "conf/schema.h"

enum tls_verify { TLS_VERIFY_UNSAID = -1, TLS_VERIFY_OFF, TLS_VERIFY_OPTIONAL, TLS_VERIFY_ON };

struct tls_settings {
    struct conf_texts certificates; /* files: each a chain, the server's own certificate first */
    struct conf_texts keys;         /* files in the same order; n is 0: the key is in the certificate's file */
    struct conf_texts ocsp;         /* files in the same order; n is 0: none */
    struct conf_texts protocols;
    struct str ciphers; /* of TLS 1.2; empty: the usual ones */
    struct str client_ca;
    int client_verify; /* enum tls_verify */
    bool session_tickets;
};

extern const struct conf_table tls_conf_table;

/* Reads the mapping, and checks what can be told without looking into a file. */
int tls_conf_read(struct conf_reader *r, struct conf_node *node, struct tls_settings *settings)
    __attribute__((warn_unused_result));

/* Where the i-th text of a list stands, or the whole value if that is a lone text: for messages. */
const struct conf_node *tls_conf_item(const struct conf_node *node, struct str key, size_t i);

#endif
