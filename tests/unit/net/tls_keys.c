/* tls_keys.c: see tls_keys.h. */
#include "tls_keys.h"

#include <criterion/criterion.h>
#include <openssl/x509v3.h>
#include <string.h>

EVP_PKEY *tls_keys_make(const char *kind)
{
    EVP_PKEY *key = strcmp(kind, "EC") == 0 ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048);
    cr_assert_not_null(key, "%s", kind);
    return key;
}

static X509_NAME *name_of(const char *common_name)
{
    X509_NAME *name = X509_NAME_new();
    cr_assert(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common_name, -1, -1, 0));
    return name;
}

X509 *tls_keys_certify(EVP_PKEY *key, const char *subject, const char *issuer, EVP_PKEY *issuer_key, int days)
{
    X509 *x509 = X509_new();
    X509_NAME *own = name_of(subject), *others = name_of(issuer ? issuer : subject);
    cr_assert(X509_set_version(x509, X509_VERSION_3));
    static long serial;
    cr_assert(ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial));
    cr_assert(X509_set_subject_name(x509, own) && X509_set_issuer_name(x509, others));
    cr_assert(X509_time_adj_ex(X509_getm_notBefore(x509), -365, 0, NULL));
    cr_assert(X509_time_adj_ex(X509_getm_notAfter(x509), days, 0, NULL));
    cr_assert(X509_set_pubkey(x509, key));
    cr_assert(X509_sign(x509, issuer_key ? issuer_key : key, EVP_sha256()));
    X509_NAME_free(own);
    X509_NAME_free(others);
    return x509;
}

void tls_keys_extend(X509 *x509, EVP_PKEY *issuer_key, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    cr_assert_not_null(extension, "%s", value);
    cr_assert(X509_add_ext(x509, extension, -1));
    cr_assert(X509_sign(x509, issuer_key, EVP_sha256()));
    X509_EXTENSION_free(extension);
}
