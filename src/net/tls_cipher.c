/* tls_cipher.c: see tls_cipher.h. */
#include "net/tls_cipher.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>

enum {
    NONCE = 12,
    TAG = 16,
    SALT = 4,
    EXPLICIT = 8,
    KEY = 32,
    EXPANSION = 256, /* bytes that a record of TLS 1.3 has more than content, at most: type, padding, tag */
};

enum algorithm { AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305, ALGORITHMS };

static const struct {
    const char *name;
    size_t key;
    bool is_gcm;
} algorithms[ALGORITHMS] = {
    [AES_128_GCM] = {"AES-128-GCM", 16, true},
    [AES_256_GCM] = {"AES-256-GCM", 32, true},
    [CHACHA20_POLY1305] = {"ChaCha20-Poly1305", 32, false},
};

struct tls_suite {
    unsigned id;
    enum algorithm algorithm;
    const char *digest;
};

static const char sha256[] = "SHA256", sha384[] = "SHA384";

static const struct tls_suite suites[] = {
    {0x1301, AES_128_GCM, sha256}, {0x1302, AES_256_GCM, sha384}, {0x1303, CHACHA20_POLY1305, sha256},
    {0xc02b, AES_128_GCM, sha256}, {0xc02c, AES_256_GCM, sha384}, {0xcca9, CHACHA20_POLY1305, sha256},
    {0xc02f, AES_128_GCM, sha256}, {0xc030, AES_256_GCM, sha384}, {0xcca8, CHACHA20_POLY1305, sha256},
    {0x009e, AES_128_GCM, sha256}, {0x009f, AES_256_GCM, sha384}, {0xccaa, CHACHA20_POLY1305, sha256},
    {0x009c, AES_128_GCM, sha256}, {0x009d, AES_256_GCM, sha384},
};

const struct tls_suite *tls_suite_find(unsigned id)
{
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
        if (suites[i].id == id)
            return &suites[i];
    return NULL;
}

/* ---- keys ---- */

/* Looked up by name once: the library takes its time for that. */
static const EVP_CIPHER *evp_cipher(enum algorithm algorithm)
{
    static EVP_CIPHER *found[ALGORITHMS];
    if (!found[algorithm])
        found[algorithm] = EVP_CIPHER_fetch(NULL, algorithms[algorithm].name, NULL);
    return found[algorithm];
}

static const EVP_MD *evp_digest(const struct tls_suite *suite)
{
    return suite->digest == sha256 ? EVP_sha256() : EVP_sha384();
}

/* HKDF-Expand-Label without a context (RFC 8446, 7.1). No more than one block of HMAC is ever wanted. */
static bool expand(const struct tls_suite *suite, const unsigned char *secret, const char *label, unsigned char *to,
                   size_t n)
{
    unsigned char info[32] = {(unsigned char)(n >> 8), (unsigned char)n}, block[EVP_MAX_MD_SIZE];
    size_t size = strlen(label), at = 3 + size;
    info[2] = (unsigned char)size;
    memcpy(info + 3, label, size);
    info[at] = 0;     /* bytes of context */
    info[at + 1] = 1; /* the number of the block (RFC 5869, 2.3) */
    const EVP_MD *digest = evp_digest(suite);
    if (!HMAC(digest, secret, EVP_MD_get_size(digest), info, at + 2, block, NULL))
        return false;
    memcpy(to, block, n);
    OPENSSL_cleanse(block, sizeof block);
    return true;
}

/* Takes a key into use, in a context that may have another one. */
static int use_key(struct tls_cipher *c, const unsigned char *key)
{
    if (!c->evp)
        c->evp = EVP_CIPHER_CTX_new();
    c->sequence = 0;
    if (c->evp && EVP_CipherInit_ex(c->evp, evp_cipher(c->suite->algorithm), NULL, key, NULL, c->seals))
        return 0;
    return -ENOMEM;
}

static int derive(struct tls_cipher *c)
{
    unsigned char key[KEY];
    bool done = expand(c->suite, c->secret, "tls13 key", key, algorithms[c->suite->algorithm].key) &&
                expand(c->suite, c->secret, "tls13 iv", c->iv, sizeof c->iv);
    int error = done ? use_key(c, key) : -ENOMEM;
    OPENSSL_cleanse(key, sizeof key);
    return error;
}

int tls_cipher_start(struct tls_cipher *c, const struct tls_suite *suite, bool seals)
{
    c->suite = suite;
    c->seals = seals;
    c->is13 = true;
    return derive(c);
}

int tls_cipher_update(struct tls_cipher *c)
{
    unsigned char next[TLS_SECRET] = {0};
    if (!expand(c->suite, c->secret, "tls13 traffic upd", next, (size_t)EVP_MD_get_size(evp_digest(c->suite))))
        return -ENOMEM;
    memcpy(c->secret, next, sizeof next);
    OPENSSL_cleanse(next, sizeof next);
    return derive(c);
}

/* PRF(master, "key expansion", randoms) (RFC 5246, 5 and 6.3) */
static bool expand_12(const struct tls_suite *suite, const struct tls_secrets_12 *secrets, unsigned char *to, size_t n)
{
    static const char label[] = "key expansion";
    static EVP_KDF *prf;
    if (!prf)
        prf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_TLS1_PRF, NULL);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)suite->digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, (void *)secrets->master, sizeof secrets->master),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, (void *)label, sizeof label - 1),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, (void *)secrets->randoms, sizeof secrets->randoms),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF_CTX *context = prf ? EVP_KDF_CTX_new(prf) : NULL;
    bool done = context && EVP_KDF_derive(context, to, n, params) > 0;
    EVP_KDF_CTX_free(context);
    return done;
}

int tls_cipher_start_12(struct tls_cipher *client, struct tls_cipher *server, const struct tls_suite *suite,
                        const struct tls_secrets_12 *secrets, bool is_client)
{
    unsigned char block[2 * (KEY + NONCE)];
    size_t key = algorithms[suite->algorithm].key, iv = algorithms[suite->algorithm].is_gcm ? SALT : NONCE;
    bool done = expand_12(suite, secrets, block, 2 * (key + iv));
    client->suite = server->suite = suite;
    client->is13 = server->is13 = false;
    client->seals = is_client;
    server->seals = !is_client;
    memcpy(client->iv, block + 2 * key, iv);
    memcpy(server->iv, block + 2 * key + iv, iv);
    int error = done ? use_key(client, block) : -ENOMEM;
    if (!error)
        error = use_key(server, block + key);
    OPENSSL_cleanse(block, sizeof block);
    return error;
}

void tls_cipher_end(struct tls_cipher *c)
{
    EVP_CIPHER_CTX_free(c->evp);
    OPENSSL_cleanse(c->secret, sizeof c->secret);
    c->evp = NULL;
}

/* ---- records ---- */

/* Bytes of the nonce that stand in the record: of TLS 1.2, the counter (RFC 5288, 3). */
static size_t explicit_size(const struct tls_cipher *c)
{
    return !c->is13 && algorithms[c->suite->algorithm].is_gcm ? EXPLICIT : 0;
}

static void put_number(unsigned char *to, uint64_t number, size_t n)
{
    while (n--) {
        to[n] = (unsigned char)number;
        number >>= 8;
    }
}

static void put_head(char *to, enum tls_type type, size_t size)
{
    unsigned char head[TLS_HEAD] = {(unsigned char)type, 3, 3};
    put_number(head + 3, size, 2);
    memcpy(to, head, sizeof head);
}

static size_t size_said(const char *head)
{
    return (size_t)((unsigned char)head[3] << 8 | (unsigned char)head[4]);
}

/* The counter is mixed into the iv (RFC 8446, 5.3; RFC 7905, 2); with GCM of TLS 1.2 it, or what the peer says in its
 * place, follows a salt (RFC 5288, 3). */
static void make_nonce(const struct tls_cipher *c, const char *stated, unsigned char nonce[static NONCE])
{
    memcpy(nonce, c->iv, NONCE);
    if (explicit_size(c)) {
        memcpy(nonce + SALT, stated, EXPLICIT);
        return;
    }
    unsigned char counter[EXPLICIT];
    put_number(counter, c->sequence, sizeof counter);
    for (size_t i = 0; i < sizeof counter; i++)
        nonce[NONCE - EXPLICIT + i] ^= counter[i];
}

/* What is protected beside the content: in TLS 1.3 the record's head (RFC 8446, 5.2), before the counter, the type, the
 * version and the content's size (RFC 5246, 6.2.3.3). */
static int add_context(const struct tls_cipher *c, const char *head, size_t content)
{
    unsigned char context[EXPLICIT + TLS_HEAD];
    int ignored;
    put_number(context, c->sequence, EXPLICIT);
    memcpy(context + EXPLICIT, head, TLS_HEAD);
    if (c->is13)
        return EVP_CipherUpdate(c->evp, NULL, &ignored, (const unsigned char *)head, TLS_HEAD);
    put_number(context + EXPLICIT + 3, content, 2);
    return EVP_CipherUpdate(c->evp, NULL, &ignored, context, sizeof context);
}

size_t tls_cipher_seal(struct tls_cipher *c, char *to, enum tls_type type, struct str content)
{
    size_t stated = explicit_size(c), inner = content.n + c->is13, size = stated + inner + TAG;
    unsigned char nonce[NONCE], inner_type = (unsigned char)type, *at = (unsigned char *)to + TLS_HEAD + stated;
    int n = 0;
    put_head(to, c->is13 ? TLS_DATA : type, size);
    if (stated)
        put_number((unsigned char *)to + TLS_HEAD, c->sequence, stated);
    make_nonce(c, to + TLS_HEAD, nonce);
    bool done = EVP_CipherInit_ex(c->evp, NULL, NULL, NULL, nonce, -1) && add_context(c, to, content.n) &&
                EVP_CipherUpdate(c->evp, at, &n, (const unsigned char *)content.p, (int)content.n) &&
                (!c->is13 || EVP_CipherUpdate(c->evp, at + content.n, &n, &inner_type, 1)) &&
                EVP_CipherFinal_ex(c->evp, at + inner, &n) &&
                EVP_CIPHER_CTX_ctrl(c->evp, EVP_CTRL_AEAD_GET_TAG, TAG, at + inner);
    c->sequence++;
    return done ? TLS_HEAD + size : 0;
}

/* Of TLS 1.3 the type is the last byte that is not padding (RFC 8446, 5.4). */
static enum tls_alert find_type(enum tls_type *type, struct str *content)
{
    while (content->n && content->p[content->n - 1] == 0)
        content->n--;
    if (content->n == 0)
        return TLS_UNEXPECTED_MESSAGE;
    *type = (enum tls_type)(unsigned char)content->p[--content->n];
    return 0;
}

enum tls_alert tls_cipher_open(struct tls_cipher *c, char *record, size_t n, enum tls_type *type, struct str *content)
{
    size_t stated = explicit_size(c), around = stated + TAG, said = size_said(record);
    unsigned char nonce[NONCE], *at = (unsigned char *)record + TLS_HEAD + stated;
    int ignored;
    *type = (enum tls_type)(unsigned char)record[0];
    if (*type > TLS_DATA || *type < (c->is13 ? TLS_DATA : TLS_CHANGE_CIPHER_SPEC))
        return TLS_UNEXPECTED_MESSAGE; /* RFC 8446, 5.2; RFC 5246, 6 */
    if (said > TLS_RECORD + (c->is13 ? EXPANSION : around))
        return TLS_RECORD_OVERFLOW;
    if (n != TLS_HEAD + said || said < around)
        return TLS_BAD_RECORD_MAC;
    make_nonce(c, record + TLS_HEAD, nonce);
    size_t size = said - around;
    if (!EVP_CipherInit_ex(c->evp, NULL, NULL, NULL, nonce, -1) || !add_context(c, record, size) ||
        !EVP_CipherUpdate(c->evp, at, &ignored, at, (int)size) ||
        !EVP_CIPHER_CTX_ctrl(c->evp, EVP_CTRL_AEAD_SET_TAG, TAG, at + size) ||
        !EVP_CipherFinal_ex(c->evp, at + size, &ignored))
        return TLS_BAD_RECORD_MAC;
    c->sequence++;
    *content = (struct str){(const char *)at, size};
    enum tls_alert wrong = c->is13 ? find_type(type, content) : 0;
    return wrong ? wrong : content->n > TLS_RECORD ? TLS_RECORD_OVERFLOW : 0;
}
