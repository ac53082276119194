/* harness_pki.h: keys and certificates, made by the openssl command in the test's directory.
 *
 * Those that tests need are in a table, each under a name. What is asked for is made, with what it stands on, once a
 * test. A name gives these files in "pki":
 *
 *   NAME.pem        the certificate, and behind it the chain up to the root, without the root
 *   NAME.leaf.pem   the certificate alone
 *   NAME.key        its private key, PKCS #8 in PEM
 *
 *   root            signs: inter
 *   inter           signs all those below
 *   ecdsa, rsa      of the server, for localhost, 127.0.0.1 and example.test; keys on P-256 and of 2048 bits
 *   next, next-rsa  of the server too, for the same names: what replaces the former ones
 *   site, wild      of sites, for site.test, and for *.wild.test
 *   outdated        of the server, not valid any more
 *   client          of a client, CN=Alice,O=Tern
 *   expired         of a client, not valid any more
 *   other-root      signs: other, a client of somebody else
 *   self            of the server, signed by itself
 */
#ifndef TERN_TESTS_SERVER_HARNESS_PKI_H
#define TERN_TESTS_SERVER_HARNESS_PKI_H

#include "base/str.h"

/* Makes what the names stand for; the last one is NULL. */
void pki_make_all(const char *const *names);

#define pki_make(...) pki_make_all((const char *const[]){__VA_ARGS__, NULL})

/* Makes those whose files a text names, as a configuration does: "@DIR@/pki/ecdsa.pem". */
void pki_make_for(const char *text);

/* The path of such a file, which is there then: pki_file("ecdsa", "key"). */
const char *pki_file(const char *name, const char *kind) __attribute__((returns_nonnull));

/* What is in it. */
struct str pki_read(const char *name, const char *kind);

/* Puts the key and certificate of one name into the place of another's, by rename: what a renewal does. */
void pki_replace(const char *name, const char *by);

/* Makes "pki/FILE": the key, encrypted with a passphrase. */
void pki_encrypt(const char *name, const char *file);

/* Makes "pki/FILE": an OCSP response for a certificate that its issuer has signed; good, or revoked. */
void pki_ocsp(const char *name, const char *file, bool revoked);

#endif
