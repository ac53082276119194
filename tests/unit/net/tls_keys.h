/* tls_keys.h: what the tests of TLS share: keys and certificates, made by the library in the test's own process. */
#ifndef TERN_TESTS_NET_TLS_KEYS_H
#define TERN_TESTS_NET_TLS_KEYS_H

#include <openssl/evp.h>
#include <openssl/x509.h>

/* "EC" (of P-256) or "RSA" (of 2048 bits). */
EVP_PKEY *tls_keys_make(const char *kind);

/* A certificate for a key; `days`: until it ends, from now on. Its issuer is its subject, where that is NULL. */
X509 *tls_keys_certify(EVP_PKEY *key, const char *subject, const char *issuer, EVP_PKEY *issuer_key, int days);

/* The same with an extension more, as openssl.cnf has it, NID_subject_alt_name and "DNS:example.test" say; signed anew
 * by its issuer's key. */
void tls_keys_extend(X509 *x509, EVP_PKEY *issuer_key, int nid, const char *value);

#endif
