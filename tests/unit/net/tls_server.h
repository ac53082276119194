/* tls_server.h: what the tests of net/tls_client.c share: a stream, and the server at its other end, which is OpenSSL's
 * own, with blocking calls on a thread of the system.
 *
 * Certificates are in a table, each under a name; their authority is in the file tls_server_ca, and most are for
 * site.test, *.wild.test, f*.part.test, 192.0.2.1 and 2001:db8::1.
 *
 *   good, rsa      as they should be; keys on P-256 and of 2048 bits
 *   expired        not valid any more
 *   client         good for clients alone
 *   nameless       for no name but its common one, which is site.test
 *   self           signed by itself
 *   foreign        of another authority
 */
#ifndef TERN_TESTS_NET_TLS_SERVER_H
#define TERN_TESTS_NET_TLS_SERVER_H

#include <openssl/ssl.h>

#include "../green/run.h"
#include "net/tls_client.h"

struct tls_server {
    const char *certificate;
    int version;                        /* the only one it speaks; 0: 1.2 and 1.3 */
    const char *cipher;                 /* the only one it speaks, of that version; NULL: any */
    const char *protocols;              /* as they are sent, "\x02h2": others are refused; NULL: it knows of none */
    void (*instead)(int fd);            /* of a handshake */
    void (*serve)(SSL *ssl, void *arg); /* after it; NULL: it takes leave at once */
    void *arg;
    int buffer; /* bytes of the sockets' buffers; 0: as usual */
    /* what it has seen: once tls_server_end() has returned */
    bool accepted;
    char error[128]; /* of the handshake, in the library's words */
    char name[64];   /* that it was asked for; empty: none */
};

extern const char tls_server_ca[];

/* Makes the certificates, in a directory of its own; the other takes that away. */
void tls_server_setup(void);
void tls_server_teardown(void);

/* Starts a server, and connects the stream to it: plain, in memory that is good for one that is secured. */
struct stream *tls_server_start(struct tls_server *server);

/* Closes the stream, and waits for the server. */
void tls_server_end(void);

/* A handshake with it on usual terms: its authority is trusted. */
int tls_server_shake(const char *name, nsec deadline, const char **why);

/* A context that trusts its authority, or everybody. Made once. */
const struct tls_client_context *tls_server_trust(bool unverified);

#endif
