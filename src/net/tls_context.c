/* tls_context.c: see tls_context.h: from files to an SSL_CTX. */
#include "net/tls_context.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "log/log.h"
#include "net/tls_core.h"
#include "net/tls_heap.h"

/* Mozilla's intermediate profile, version 5.7, but for its three ciphers with DHE: whoever speaks those speaks ECDHE,
 * too, and they cost a server far more. The server's order counts: AES of 128 bits is as good as any and the fastest; a
 * client that puts ChaCha20 first has no instructions for AES, and gets it. */
static const char usual_ciphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
static const char suites[] = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
static const char groups[] = "X25519:P-256:P-384";

const char *tls_error(void)
{
    unsigned long code = ERR_get_error();
    const char *text = code ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    return text ? text : "for no reason that is known";
}

const char *tls_library(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}

/* ---- the library's heap ---- */

static void *heap_alloc(size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return tls_heap_alloc(n);
}

static void *heap_realloc(void *old, size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return tls_heap_realloc(old, n);
}

static void heap_free(void *block, const char *file, int line)
{
    (void)file, (void)line;
    tls_heap_free(block);
}

/* The library takes no heap once it has allocated anything, so this comes before anything else is asked of it: no
 * process uses it before its configuration has made a context, for tls_library() allocates nothing. */
void tls_give_heap(void)
{
    static bool given;
    if (given || !TLS_HEAP_USED)
        return;
    given = true;
    if (!CRYPTO_set_mem_functions(heap_alloc, heap_realloc, heap_free))
        log_warn("private keys will be in core dumps: OpenSSL was used before it could be given a heap of its own");
}

/* A key was copied through vector registers, and the wide ones keep what they have until the next large copy: a fork
 * hands them on, and a core dump shows them. Copies of nothing, of all sizes that are made in different ways, go over
 * them. */
static void wash_registers(void)
{
    static char from[16 * 1024], to[sizeof from];
    for (volatile size_t n = 1; n <= sizeof from; n += n < 1024 ? 16 : 1024)
        memcpy(to, from, n <= sizeof from ? n : sizeof from);
    __asm__ volatile("" : : "r"(to) : "memory"); /* or nobody would want them */
}

/* ---- reading files ---- */

/* Where in the configuration something comes from, and who is told. */
struct source {
    struct conf_reader *r;
    const struct conf_node *at;
    struct str path;
};

static int complain(const struct source *source, const char *why)
{
    conf_error(source->r, source->at, STR_FMT ": %s", STR_ARG(source->path), why);
    return -EINVAL;
}

/* The content of a file, in the library's memory. NULL: why has been told. */
static BIO *open_file(const struct source *source)
{
    BIO *bio = BIO_new(BIO_s_mem());
    FILE *file = fopen(source->path.p, "re");
    char bytes[4096];
    if (file && bio) {
        setvbuf(file, NULL, _IONBF, 0); /* or a key would stay in memory that others use */
        for (size_t n; (n = fread(bytes, 1, sizeof bytes, file)) > 0;)
            BIO_write(bio, bytes, (int)n);
        OPENSSL_cleanse(bytes, sizeof bytes);
    }
    if (!file || !bio || ferror(file)) {
        complain(source, bio ? strerror(errno) : "no memory");
        BIO_free(bio);
        bio = NULL;
    }
    if (file)
        fclose(file);
    return bio;
}

static int no_passphrase(char *to, int size, int writing, void *asked)
{
    (void)to, (void)size, (void)writing;
    *(bool *)asked = true;
    return -1;
}

static EVP_PKEY *load_key(const struct source *source)
{
    BIO *bio = open_file(source);
    bool asked = false;
    if (!bio)
        return NULL;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked);
    BIO_free(bio);
    if (key)
        return key;
    ERR_clear_error();
    complain(source,
             asked ? "the key has a passphrase, which nobody could type in; take it off" : "no private key in it");
    return NULL;
}

static void free_chain(STACK_OF(X509) * chain)
{
    sk_X509_pop_free(chain, X509_free);
}

/* All certificates of a file. NULL: why has been told. */
static STACK_OF(X509) * load_chain(const struct source *source)
{
    BIO *bio = open_file(source);
    STACK_OF(X509) *chain = bio ? sk_X509_new_null() : NULL;
    if (!chain) {
        BIO_free(bio);
        return NULL;
    }
    for (X509 *x509; (x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL));)
        if (!sk_X509_push(chain, x509))
            X509_free(x509);
    BIO_free(bio);
    unsigned long error = ERR_peek_last_error();
    bool ended = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    if (ended && sk_X509_num(chain) > 0)
        return chain;
    complain(source, ended ? "no certificate in it" : "a certificate in it is broken");
    free_chain(chain);
    return NULL;
}

/* The server's own certificate comes first, then that of whoever has signed it, and so on (RFC 8446, 4.4.2). One that
 * has expired is better than no server. */
static int check_chain(const struct source *source, STACK_OF(X509) * chain)
{
    for (int i = 0; i + 1 < sk_X509_num(chain); i++)
        if (X509_NAME_cmp(X509_get_issuer_name(sk_X509_value(chain, i)),
                          X509_get_subject_name(sk_X509_value(chain, i + 1))) != 0)
            return complain(source, "the certificates are in the wrong order: each must be followed by the one of its "
                                    "authority");
    if (X509_cmp_current_time(X509_get0_notAfter(sk_X509_value(chain, 0))) > 0)
        return 0;
    if (!source->r->must_start)
        return complain(source, "the certificate has expired");
    log_warn("tls.certificate: " STR_FMT " has expired", STR_ARG(source->path));
    return 0;
}

/* ---- certificates ---- */

static int use_pair(struct tls_context *context, const struct source *source, STACK_OF(X509) * chain, EVP_PKEY *key)
{
    X509 *own = sk_X509_shift(chain);
    int type = EVP_PKEY_get_base_id(key), result = 0;
    bool *has = type == EVP_PKEY_RSA ? &context->has_rsa : &context->has_ecdsa;
    if (*has)
        result = complain(source, "a second certificate of the same kind; one of ECDSA and one of RSA go together");
    else if (!X509_check_private_key(own, key))
        result = complain(source, "the key does not belong to the certificate");
    else if (SSL_CTX_use_cert_and_key(context->ssl, own, key, chain, 1) != 1)
        result = complain(source, tls_error());
    ERR_clear_error();
    *has = true;
    context->certificates[context->count++].x509 = own;
    return result;
}

static int load_pair(struct tls_context *context, struct conf_reader *r, const struct conf_node *node, size_t i)
{
    const struct tls_settings *settings = &context->settings;
    struct source certificate = {r, tls_conf_item(node, STR("certificate"), i), settings->certificates.v[i]};
    struct source key = certificate;
    if (settings->keys.n)
        key = (struct source){r, tls_conf_item(node, STR("key"), i), settings->keys.v[i]};
    STACK_OF(X509) *chain = load_chain(&certificate);
    EVP_PKEY *private = load_key(&key);
    int error = chain && private ? check_chain(&certificate, chain) : -EINVAL;
    if (!error)
        error = use_pair(context, &key, chain, private);
    EVP_PKEY_free(private);
    free_chain(chain);
    return error;
}

/* What a response says of a certificate; V_OCSP_CERTSTATUS_UNKNOWN also when it does not speak of it. *until: how long
 * that holds; NULL: it does not say. */
static int ocsp_status(OCSP_BASICRESP *basic, const X509 *certificate, ASN1_GENERALIZEDTIME **until)
{
    const ASN1_INTEGER *own = X509_get0_serialNumber(certificate);
    for (int i = 0; i < OCSP_resp_count(basic); i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
        ASN1_INTEGER *serial;
        OCSP_id_get0_info(NULL, NULL, NULL, &serial, (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(single));
        if (ASN1_INTEGER_cmp(serial, own) == 0)
            return OCSP_single_get0_status(single, NULL, NULL, NULL, until);
    }
    return V_OCSP_CERTSTATUS_UNKNOWN;
}

/* What is wrong with a response; NULL: nothing. */
static const char *judge_ocsp(OCSP_RESPONSE *response, const X509 *certificate, bool *late)
{
    ASN1_GENERALIZEDTIME *until = NULL;
    if (!response)
        return "not an OCSP response in DER";
    if (OCSP_response_status(response) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        return "an OCSP response that says no more than that there is none";
    OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
    int status = basic ? ocsp_status(basic, certificate, &until) : V_OCSP_CERTSTATUS_UNKNOWN;
    *late = until && X509_cmp_current_time(until) < 0;
    OCSP_BASICRESP_free(basic);
    if (status == V_OCSP_CERTSTATUS_REVOKED)
        return "an OCSP response that says that the certificate is revoked";
    return status == V_OCSP_CERTSTATUS_GOOD ? NULL : "an OCSP response for another certificate";
}

/* A response is sent as it is. One that is out of date is not sent: clients would take that worse than none. */
static int load_ocsp(struct tls_context *context, struct conf_reader *r, const struct conf_node *node, size_t i)
{
    struct source source = {r, tls_conf_item(node, STR("ocsp"), i), context->settings.ocsp.v[i]};
    BIO *bio = open_file(&source);
    if (!bio)
        return -EINVAL;
    char *bytes;
    bool late = false;
    long n = BIO_get_mem_data(bio, &bytes);
    const unsigned char *at = (const unsigned char *)bytes;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, n);
    const char *wrong = judge_ocsp(response, context->certificates[i].x509, &late);
    struct str copy = late ? STR("") : arena_copy(r->arena, (struct str){bytes, (size_t)n});
    OCSP_RESPONSE_free(response);
    BIO_free(bio);
    ERR_clear_error();
    if (wrong)
        return complain(&source, wrong);
    if (late)
        log_warn("tls.ocsp: " STR_FMT " is out of date, and not sent", STR_ARG(source.path));
    context->certificates[i].ocsp = copy;
    return copy.p ? 0 : -ENOMEM;
}

/* Whose clients may come in is a part of the terms on which a session is resumed. */
static bool note_authority(struct tls_context *context, const X509 *authority)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size;
    if (!X509_digest(authority, EVP_sha256(), digest, &size))
        return false;
    for (size_t i = 0; i < sizeof context->authorities; i++)
        context->authorities[i] ^= digest[i];
    return true;
}

static int load_clients_authorities(struct tls_context *context, struct conf_reader *r, const struct conf_node *node)
{
    struct source source = {r, conf_find(node, STR("client_ca")), context->settings.client_ca};
    STACK_OF(X509) *authorities = load_chain(&source);
    int error = authorities ? 0 : -EINVAL;
    for (int i = 0; i < (authorities ? sk_X509_num(authorities) : 0) && !error; i++) {
        X509 *authority = sk_X509_value(authorities, i);
        if (!X509_STORE_add_cert(SSL_CTX_get_cert_store(context->ssl), authority) ||
            !SSL_CTX_add_client_CA(context->ssl, authority) || !note_authority(context, authority))
            error = complain(&source, tls_error());
    }
    free_chain(authorities);
    return error;
}

/* ---- making one ---- */

static int least_version(const struct tls_settings *settings, struct str not_this, int this, int other)
{
    for (size_t i = 0; i < settings->protocols.n; i++)
        if (!str_eq(settings->protocols.v[i], not_this))
            return this;
    return other;
}

static bool set_terms(struct tls_context *context)
{
    SSL_CTX *ssl = context->ssl;
    const struct tls_settings *settings = &context->settings;
    context->least = least_version(settings, STR("TLSv1.3"), TLS1_2_VERSION, TLS1_3_VERSION);
    context->most = least_version(settings, STR("TLSv1.2"), TLS1_3_VERSION, TLS1_2_VERSION);
    uint64_t options = SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                       SSL_OP_PRIORITIZE_CHACHA | (settings->session_tickets ? 0 : SSL_OP_NO_TICKET);
    SSL_CTX_set_options(ssl, options);
    SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_dh_auto(ssl, 1);
    return SSL_CTX_set_min_proto_version(ssl, context->least) && SSL_CTX_set_max_proto_version(ssl, context->most) &&
           SSL_CTX_set_ciphersuites(ssl, suites) && SSL_CTX_set1_groups_list(ssl, groups) &&
           SSL_CTX_set_cipher_list(ssl, usual_ciphers);
}

static int load_files(struct tls_context *context, struct conf_reader *r, const struct conf_node *node)
{
    int first = 0;
    for (size_t i = 0; i < context->settings.certificates.n; i++) {
        int error = load_pair(context, r, node, i);
        first = first ? first : error;
    }
    for (size_t i = 0; i < context->settings.ocsp.n && !first; i++)
        first = load_ocsp(context, r, node, i);
    int error = context->settings.client_ca.n ? load_clients_authorities(context, r, node) : 0;
    return first ? first : error;
}

static void free_context(void *arg)
{
    struct tls_context *context = arg;
    for (size_t i = 0; i < context->count; i++)
        X509_free(context->certificates[i].x509);
    SSL_CTX_free(context->ssl);
}

static struct tls_context *new_context(struct conf_reader *r, const struct tls_settings *settings)
{
    struct tls_context *context = arena_zalloc(r->arena, sizeof *context);
    if (!context)
        return NULL;
    context->settings = *settings;
    context->certificates = arena_zalloc(r->arena, settings->certificates.n * sizeof *context->certificates);
    context->ssl = SSL_CTX_new(TLS_server_method());
    if (context->certificates && context->ssl && arena_defer(r->arena, free_context, context) == 0)
        return context;
    SSL_CTX_free(context->ssl);
    return NULL;
}

/* Ciphers without authentication of what they protect, and those that few have, are none of ours (tls_cipher.h). */
static int set_ciphers(struct tls_context *context, struct conf_reader *r, const struct conf_node *node)
{
    if (!node)
        return 0;
    const char *wanted = context->settings.ciphers.p;
    if (context->settings.ciphers.n == 0 || !SSL_CTX_set_cipher_list(context->ssl, wanted)) {
        conf_error(r, node, "has no cipher of TLS 1.2 that is known");
        return -EINVAL;
    }
    const STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(context->ssl);
    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
        const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(ciphers, i);
        if (tls_suite_find(SSL_CIPHER_get_protocol_id(cipher)))
            continue;
        conf_error(r, node, "%s is not spoken: only AES-GCM and ChaCha20-Poly1305 are", SSL_CIPHER_get_name(cipher));
        return -EINVAL;
    }
    return 0;
}

int tls_context_read(struct conf_reader *r, struct conf_node *node, void *field)
{
    struct tls_settings settings;
    tls_give_heap();
    if (node->kind != CONF_MAPPING) {
        conf_error(r, node, "takes a mapping such as {certificate: cert.pem, key: key.pem}, not %s",
                   conf_kind_name(node));
        return -EINVAL;
    }
    int error = tls_conf_read(r, node, &settings);
    if (error)
        return error;
    struct tls_context *context = new_context(r, &settings);
    if (!context || !set_terms(context))
        return -ENOMEM;
    tls_handshake_prepare(context);
    error = set_ciphers(context, r, conf_find(node, STR("ciphers")));
    int load_error = load_files(context, r, node);
    if (!load_error && !tls_session_prepare(context))
        load_error = -ENOMEM;
    wash_registers();
    ERR_clear_error();
    *(struct tls_context **)field = context;
    return error ? error : load_error;
}

/* ---- what others ask ---- */

bool tls_context_has_certificate(const struct tls_context *context)
{
    return context->count > 0;
}

bool tls_context_asks(const struct tls_context *context)
{
    return context->settings.client_verify != TLS_VERIFY_OFF;
}

bool tls_context_demands(const struct tls_context *context)
{
    return context->settings.client_verify == TLS_VERIFY_ON;
}

void tls_context_set_endpoint(struct tls_context *context, const struct tls_endpoint *endpoint)
{
    context->endpoint = *endpoint;
}
