/* harness_tls.c: see harness_tls.h. OpenSSL reads from and writes to memory; what is there goes by the raw client. */
#include "harness_tls.h"

#include "harness.h"
#include "harness_file.h"
#include "harness_pki.h"
#include "harness_response.h"

#include <criterion/criterion.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/x509.h>

enum {
    PIECE = 16 * 1024,
    RECORD_HEAD = 5,
    APPLICATION_DATA = 23,
    TAG = 16,                  /* octets at the end of an encrypted record */
    UNKNOWN_EXTENSION = 0xfe77 /* of those for private use (RFC 8446, 11) */
};

struct tls *tls_of(const struct client *c)
{
    return c->secret;
}

/* ---- what OpenSSL tells ---- */

static struct tls *tls_of_ssl(const SSL *ssl)
{
    return SSL_get_app_data(ssl);
}

static void on_event(const SSL *ssl, int where, int what)
{
    struct tls *tls = tls_of_ssl(ssl);
    if (where & SSL_CB_HANDSHAKE_DONE)
        tls->handshakes++;
    if (where != SSL_CB_READ_ALERT)
        return;
    if ((what & 0xff) == SSL_AD_CLOSE_NOTIFY)
        tls->closed = true;
    else if (tls->alert == TLS_FINE)
        tls->alert = what & 0xff;
}

static int on_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls *tls = tls_of_ssl(ssl);
    SSL_SESSION_free(tls->session);
    tls->session = session;
    tls->tickets++;
    return 1; /* it is ours now */
}

/* A line of the key log: what it is, the client's random, the secret. */
static void on_secret(const SSL *ssl, const char *line)
{
    static const char label[] = "CLIENT_TRAFFIC_SECRET_0 ";
    struct tls *tls = tls_of_ssl(ssl);
    if (strncmp(line, label, sizeof label - 1) != 0)
        return;
    const char *hex = strrchr(line, ' ') + 1;
    OPENSSL_hexstr2buf_ex(tls->secret, sizeof tls->secret, &tls->secret_size, hex, '\0');
}

/* ---- the layer ---- */

struct str tls_pending(struct client *c)
{
    BIO *out = SSL_get_wbio(tls_of(c)->ssl);
    size_t n = BIO_ctrl_pending(out);
    char *bytes = harness_alloc(n + 1);
    return (struct str){bytes, n && BIO_read(out, bytes, (int)n) > 0 ? n : 0};
}

void tls_flush(struct client *c)
{
    struct tls *tls = tls_of(c);
    char piece[PIECE];
    size_t most = tls->segment && tls->segment < PIECE ? tls->segment : PIECE;
    for (int n; (n = BIO_read(SSL_get_wbio(tls->ssl), piece, (int)most)) > 0;)
        client_send(tls->raw, (struct str){piece, (size_t)n});
}

/* Gives OpenSSL what has come; waits for it. False: it is the end. */
static bool feed(struct tls *tls)
{
    if (client_peek(tls->raw, 1).n == 0)
        return false;
    BIO_write(SSL_get_rbio(tls->ssl), tls->raw->bytes, (int)tls->raw->n);
    tls->raw->n = 0;
    return true;
}

/* Sends what a call to OpenSSL has left to be sent; whether that wants more from the server, and more has come. */
static bool go_on(struct client *c, int returned)
{
    struct tls *tls = tls_of(c);
    int error = SSL_get_error(tls->ssl, returned);
    tls_flush(c);
    return error == SSL_ERROR_WANT_READ && feed(tls);
}

static bool receive(struct client *c)
{
    struct tls *tls = tls_of(c);
    char piece[PIECE];
    int n;
    do {
        ERR_clear_error();
        n = SSL_read(tls->ssl, piece, sizeof piece);
    } while (n <= 0 && go_on(c, n));
    tls_flush(c);
    c->ended = n <= 0;
    c->reset = tls->raw->reset;
    client_append(c, (struct str){piece, n > 0 ? (size_t)n : 0});
    return n > 0;
}

static bool pending(const struct client *c)
{
    const struct tls *tls = tls_of(c);
    return tls->raw->n > 0 || SSL_pending(tls->ssl) > 0 || BIO_ctrl_pending(SSL_get_rbio(tls->ssl)) > 0;
}

static void send_all(struct client *c, struct str bytes)
{
    struct tls *tls = tls_of(c);
    while (bytes.n && !c->ended && !tls->raw->ended) {
        int n = SSL_write(tls->ssl, bytes.p, bytes.n < PIECE ? (int)bytes.n : PIECE);
        if (n <= 0) /* the server has sent an alert; the next read tells */
            return;
        tls_flush(c);
        bytes = str_skip(bytes, (size_t)n);
    }
}

static void finish(struct client *c)
{
    SSL_shutdown(tls_of(c)->ssl);
    tls_flush(c);
}

static void shut(struct client *c)
{
    client_close(tls_of(c)->raw);
}

static const struct client_layer layer = {
    .receive = receive, .pending = pending, .send = send_all, .finish = finish, .close = shut};

/* ---- connections ---- */

static int add_padding(SSL *ssl, unsigned type, unsigned context, const unsigned char **out, size_t *n, X509 *x,
                       size_t i, int *alert, void *size)
{
    (void)ssl, (void)type, (void)context, (void)x, (void)i, (void)alert;
    *n = *(const unsigned *)size;
    *out = (const unsigned char *)file_fill('p', *n).p;
    return 1;
}

static void set_padding(SSL_CTX *context, unsigned size)
{
    unsigned *kept = harness_alloc(sizeof *kept);
    *kept = size;
    cr_assert_eq(
        SSL_CTX_add_custom_ext(context, UNKNOWN_EXTENSION, SSL_EXT_CLIENT_HELLO, add_padding, NULL, kept, NULL, NULL),
        1);
}

static void release(void *arg)
{
    struct tls *tls = arg;
    SSL_free(tls->ssl);
    SSL_SESSION_free(tls->session);
}

static void set_alpn(SSL *ssl, const char *names)
{
    unsigned char wire[256];
    size_t n = strlen(names) + 1;
    cr_assert_leq(n, sizeof wire);
    for (const char *at = names; *at;) {
        size_t length = strcspn(at, ",");
        wire[at - names] = (unsigned char)length;
        memcpy(wire + (at - names) + 1, at, length);
        at += length + (at[length] == ',');
    }
    cr_assert_eq(SSL_set_alpn_protos(ssl, wire, (unsigned)n), 0);
}

/* Everything is allowed to this client, that the server may refuse it. */
static SSL_CTX *context_of(const struct tls_setup *setup)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    cr_assert_not_null(context);
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, on_session);
    SSL_CTX_set_keylog_callback(context, on_secret);
    SSL_CTX_set_info_callback(context, on_event);
    bool good = SSL_CTX_set_min_proto_version(context, setup->version ? setup->version : TLS1_2_VERSION) &&
                SSL_CTX_set_max_proto_version(context, setup->version) &&
                SSL_CTX_set_cipher_list(context, setup->ciphers ? setup->ciphers : "ALL:@SECLEVEL=0") &&
                (!setup->suites || SSL_CTX_set_ciphersuites(context, setup->suites)) &&
                (!setup->groups || SSL_CTX_set1_groups_list(context, setup->groups)) &&
                (!setup->sigalgs || SSL_CTX_set1_sigalgs_list(context, setup->sigalgs));
    cr_assert(good, "OpenSSL refuses the setup of a client: %s", ERR_error_string(ERR_get_error(), NULL));
    return context;
}

static void set_certificates(SSL_CTX *context, const struct tls_setup *setup)
{
    if (setup->certificate) {
        const char *chain = pki_file(setup->certificate, "pem"), *key = pki_file(setup->certificate, "key");
        cr_assert_eq(SSL_CTX_use_certificate_chain_file(context, chain), 1);
        cr_assert_eq(SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM), 1);
    }
    if (setup->trusted) {
        cr_assert_eq(SSL_CTX_load_verify_file(context, pki_file(setup->trusted, "pem")), 1);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    }
}

/* A copy, for OpenSSL marks one that was used as used up. */
static void set_session(SSL *ssl, const SSL_SESSION *session)
{
    SSL_SESSION *copy = SSL_SESSION_dup(session);
    cr_assert(copy && SSL_set_session(ssl, copy) == 1);
    SSL_SESSION_free(copy);
}

static SSL *ssl_of(const struct tls_setup *setup, struct tls *tls)
{
    SSL_CTX *context = context_of(setup);
    set_certificates(context, setup);
    if (setup->padding)
        set_padding(context, setup->padding);
    SSL *ssl = SSL_new(context);
    SSL_CTX_free(context);
    cr_assert_not_null(ssl);
    SSL_set_app_data(ssl, tls);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl);
    if (setup->name)
        cr_assert_eq(SSL_set_tlsext_host_name(ssl, setup->name), 1);
    if (setup->name && setup->trusted)
        cr_assert_eq(SSL_set1_host(ssl, setup->name), 1);
    if (setup->alpn)
        set_alpn(ssl, setup->alpn);
    if (setup->session)
        set_session(ssl, setup->session);
    return ssl;
}

static struct tls *tls_make(const struct tls_setup *setup)
{
    struct tls *tls = harness_alloc(sizeof *tls);
    *tls = (struct tls){.segment = setup->segment, .alert = TLS_FINE};
    tls->ssl = ssl_of(setup, tls);
    cr_assert_eq(arena_defer(harness_memory(), release, tls), 0, "out of memory");
    return tls;
}

struct client *tls_start_as(const struct tls_setup *setup)
{
    struct tls *tls = tls_make(setup);
    tls->raw = setup->slow ? client_open_slow(setup->port) : client_open(setup->port);
    return client_above(tls->raw, &layer, tls);
}

int tls_shake(struct client *c)
{
    struct tls *tls = tls_of(c);
    int done;
    do {
        ERR_clear_error();
        done = SSL_do_handshake(tls->ssl);
    } while (done <= 0 && go_on(c, done));
    tls_flush(c);
    if (done == 1)
        return TLS_FINE;
    if (tls->alert != TLS_FINE)
        return tls->alert;
    return tls->raw->ended ? TLS_ENDED : TLS_BROKEN;
}

struct client *tls_open_as(const struct tls_setup *setup)
{
    struct client *c = tls_start_as(setup);
    int outcome = tls_shake(c);
    cr_assert_eq(outcome, TLS_FINE, "the handshake ends with %d (%s)", outcome,
                 outcome >= 0 ? SSL_alert_desc_string_long(outcome) : ERR_error_string(ERR_peek_last_error(), NULL));
    return c;
}

int tls_outcome(struct client *c)
{
    client_drain(c);
    return tls_of(c)->alert == TLS_FINE ? TLS_ENDED : tls_of(c)->alert;
}

int tls_try_as(const struct tls_setup *setup)
{
    struct client *c = tls_start_as(setup);
    int outcome = tls_shake(c);
    if (outcome == TLS_FINE && get(c, "/hello").status == 0)
        outcome = tls_outcome(c);
    client_close(c);
    return outcome;
}

const char *tls_server_name(const struct client *c)
{
    X509 *certificate = SSL_get0_peer_certificate(tls_of(c)->ssl);
    char name[128] = "";
    cr_assert_not_null(certificate);
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
    return harness_text("%s", name);
}

const char *tls_alpn(const struct client *c)
{
    const unsigned char *name;
    unsigned n;
    SSL_get0_alpn_selected(tls_of(c)->ssl, &name, &n);
    return harness_text("%.*s", (int)n, (const char *)name);
}

bool tls_resumed(const struct client *c)
{
    return SSL_session_reused(tls_of(c)->ssl) == 1;
}

SSL_SESSION *tls_session(struct client *c)
{
    assert_status(get(c, "/hello"), 200);
    return tls_of(c)->session;
}

/* ---- records by hand ---- */

struct str tls_hello_as(const struct tls_setup *setup)
{
    struct client c = {.secret = tls_make(setup)};
    SSL_do_handshake(tls_of(&c)->ssl);
    return tls_pending(&c);
}

/* HKDF-Expand-Label of our secret (RFC 8446, 7.1). */
static void derive(const struct tls *tls, char *label, unsigned char *to, size_t n)
{
    char prefix[] = "tls13 ", digest[] = "SHA256";
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    OSSL_PARAM parameters[] = {OSSL_PARAM_int("mode", &mode),
                               OSSL_PARAM_utf8_string("digest", digest, sizeof digest - 1),
                               OSSL_PARAM_octet_string("key", (void *)tls->secret, tls->secret_size),
                               OSSL_PARAM_octet_string("prefix", prefix, sizeof prefix - 1),
                               OSSL_PARAM_octet_string("label", label, strlen(label)),
                               OSSL_PARAM_END};
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS13-KDF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    cr_assert_eq(EVP_KDF_derive(context, to, n, parameters), 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}

static void encrypt(const unsigned char *key, const unsigned char *nonce, struct str head, struct str plain,
                    unsigned char *to)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int n, rest;
    bool good = EVP_EncryptInit_ex(context, EVP_aes_128_gcm(), NULL, key, nonce) &&
                EVP_EncryptUpdate(context, NULL, &n, (const unsigned char *)head.p, (int)head.n) &&
                EVP_EncryptUpdate(context, to, &n, (const unsigned char *)plain.p, (int)plain.n) &&
                EVP_EncryptFinal_ex(context, to + n, &rest) &&
                EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG, to + plain.n);
    cr_assert(good, "cannot encrypt");
    EVP_CIPHER_CTX_free(context);
}

struct str tls_make_record(struct client *c, uint64_t n, unsigned char type, struct str content)
{
    unsigned char key[16], nonce[12];
    size_t inside = content.n + 1, sealed = inside + TAG;
    unsigned char *record = harness_alloc(RECORD_HEAD + sealed), *plain = harness_alloc(inside);
    cr_assert_eq(SSL_CIPHER_get_id(SSL_get_current_cipher(tls_of(c)->ssl)), TLS1_3_CK_AES_128_GCM_SHA256);
    derive(tls_of(c), "key", key, sizeof key);
    derive(tls_of(c), "iv", nonce, sizeof nonce);
    for (size_t i = 0; i < sizeof n; i++)
        nonce[sizeof nonce - 1 - i] ^= (unsigned char)(n >> 8 * i);
    memcpy(plain, content.p, content.n);
    plain[content.n] = type;
    memcpy(record, (unsigned char[]){APPLICATION_DATA, 3, 3, (unsigned char)(sealed >> 8), (unsigned char)sealed},
           RECORD_HEAD);
    encrypt(key, nonce, (struct str){(char *)record, RECORD_HEAD}, (struct str){(char *)plain, inside},
            record + RECORD_HEAD);
    return (struct str){(char *)record, RECORD_HEAD + sealed};
}

struct str tls_fragment(struct str records, size_t size)
{
    char *to = harness_alloc((RECORD_HEAD + 1) * records.n), *at = to;
    while (records.n >= RECORD_HEAD) {
        size_t left = (size_t)(unsigned char)records.p[3] << 8 | (unsigned char)records.p[4];
        struct str head = {records.p, 3}, content = {records.p + RECORD_HEAD, left};
        cr_assert_leq(RECORD_HEAD + left, records.n);
        for (size_t n; content.n; content = str_skip(content, n)) {
            n = content.n < size ? content.n : size;
            memcpy(at, head.p, head.n);
            at[3] = (char)(n >> 8);
            at[4] = (char)n;
            memcpy(at + RECORD_HEAD, content.p, n);
            at += RECORD_HEAD + n;
        }
        records = str_skip(records, RECORD_HEAD + left);
    }
    return str_range(to, at);
}
