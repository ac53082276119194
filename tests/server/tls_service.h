/* tls_service.h: the server with TLS ports: what the tests of TLS have in common.
 *
 * A configuration is put together from the macros below. The certificates that it names are made (harness_pki.h), and
 * ternctl finds the server (service.h) if it has TLS_CONTROL.
 */
#ifndef TERN_TESTS_SERVER_TLS_SERVICE_H
#define TERN_TESTS_SERVER_TLS_SERVICE_H

#include "harness_pki.h"
#include "harness_response.h"
#include "harness_server.h"
#include "harness_tls.h"

/* In `tls`: a pair of certificate and key, or an ECDSA and an RSA one. */
#define TLS_PAIR(name) "certificate: @DIR@/pki/" name ".pem, key: @DIR@/pki/" name ".key"
#define TLS_BOTH "certificate: [@DIR@/pki/ecdsa.pem, @DIR@/pki/rsa.pem], key: [@DIR@/pki/ecdsa.key, @DIR@/pki/rsa.key]"

/* An item of `listen`: TLS_PORT("@PORT1@", TLS_PAIR("rsa")); and the only one. */
#define TLS_PORT(port, tls) "{address: \"127.0.0.1:" port "\", tls: {" tls "}}"
#define TLS_LISTEN(tls) "listen: [" TLS_PORT("@PORT@", tls) "]\n"

#define TLS_ROUTES                                                                                                     \
    "routes: [{exact: /hello, respond: {type: text/plain, body: hello}}, {exact: /echo, echo: {}}, "                   \
    "{path: /files/, files: {root: @DIR@/www}}]"
#define TLS_SITES "sites: [{" TLS_ROUTES "}]\n"
#define TLS_CONTROL "control: @DIR@/run/control.sock\n"

/* One worker, both certificates. */
#define TLS_USUAL                                                                                                      \
    "workers: 1\n" TLS_CONTROL TLS_LISTEN(TLS_BOTH)                                                                    \
    TLS_SITES

struct server tls_serve(const char *config);

/* Puts another configuration into the place of the one that there is. */
void tls_write(const char *config);

/* The worker of a server that has one. */
pid_t tls_worker(const struct server *server);

/* Whether a new connection is served, over TLS. */
bool tls_serves(int port);

/* The common name of the certificate that a new connection gets. */
const char *tls_served_name(int port) __attribute__((returns_nonnull));

/* An alert, or what came instead of one, in words. */
const char *tls_text(int outcome) __attribute__((returns_nonnull));

#define assert_hello(answer)                                                                                           \
    do {                                                                                                               \
        struct response greeted = (answer);                                                                            \
        assert_status(greeted, 200);                                                                                   \
        assert_body(greeted, STR("hello"));                                                                            \
    } while (0)

#endif
