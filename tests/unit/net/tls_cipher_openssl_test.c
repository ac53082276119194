/* tls_cipher_openssl_test.c: records that OpenSSL seals are opened by us, and ours by OpenSSL: for each cipher that we
 * speak, after a handshake in which it plays both sides. */
#include <criterion/criterion.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "../../tls_peer.h"
#include "tls_keys.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

enum { CLIENT, SERVER, SIDES };

static SSL_CTX *context;
static SSL *ssl[SIDES];
static struct tls_ways ours; /* `in`: what the client seals, `out`: what the server does */
static char secrets[SIDES][2 * TLS_SECRET + 1];
static char bytes[2 * TLS_SEALED_MOST], content[TLS_RECORD], got[TLS_RECORD];

static void use(EVP_PKEY *key)
{
    X509 *x509 = tls_keys_certify(key, "server", NULL, NULL, 1);
    cr_assert_eq(SSL_CTX_use_cert_and_key(context, x509, key, NULL, 1), 1);
    X509_free(x509);
    EVP_PKEY_free(key);
}

static void keep_secret(const SSL *side, const char *line)
{
    static const char *const labels[] = {"CLIENT_TRAFFIC_SECRET_0 ", "SERVER_TRAFFIC_SECRET_0 "};
    (void)side;
    for (int i = 0; i < SIDES; i++)
        if (strncmp(line, labels[i], strlen(labels[i])) == 0)
            snprintf(secrets[i], sizeof secrets[i], "%s", strrchr(line, ' ') + 1);
}

static void setup(void)
{
    context = SSL_CTX_new(TLS_method());
    cr_assert_not_null(context);
    use(tls_keys_make("EC"));
    use(tls_keys_make("RSA"));
    SSL_CTX_set_dh_auto(context, 1);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_keylog_callback(context, keep_secret);
    srand(7);
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (char)rand();
}

static void teardown(void)
{
    SSL_CTX_free(context);
}

TestSuite(tls_cipher_openssl, .init = setup, .fini = teardown);

/* What one side has written is what the other reads. */
static void carry(void)
{
    for (int from = 0; from < SIDES; from++) {
        int n = BIO_read(SSL_get_wbio(ssl[from]), bytes, sizeof bytes);
        if (n > 0)
            cr_assert_eq(BIO_write(SSL_get_rbio(ssl[!from]), bytes, n), n);
    }
}

static void start_side(int side, const char *cipher, int version)
{
    ssl[side] = SSL_new(context);
    SSL_set_bio(ssl[side], BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    cr_assert(SSL_set_min_proto_version(ssl[side], version) && SSL_set_max_proto_version(ssl[side], version));
    bool set =
        version == TLS1_3_VERSION ? SSL_set_ciphersuites(ssl[side], cipher) : SSL_set_cipher_list(ssl[side], cipher);
    cr_assert(set, "%s", cipher);
    (side == CLIENT ? SSL_set_connect_state : SSL_set_accept_state)(ssl[side]);
}

static void unhex(const char *text, unsigned char *to)
{
    for (char pair[3] = ""; *text; text += 2) {
        memcpy(pair, text, 2);
        *to++ = (unsigned char)strtoul(pair, NULL, 16);
    }
}

static void start_ours_13(const struct tls_suite *suite)
{
    struct tls_way *way[SIDES] = {&ours.in, &ours.out};
    for (int i = 0; i < SIDES; i++) {
        unhex(secrets[i], way[i]->sealer.secret);
        unhex(secrets[i], way[i]->opener.secret);
        cr_assert_eq(tls_cipher_start(&way[i]->sealer, suite, true), 0);
        cr_assert_eq(tls_cipher_start(&way[i]->opener, suite, false), 0);
    }
}

static void start_ours_12(const struct tls_suite *suite)
{
    struct tls_secrets_12 agreed;
    unsigned char *randoms = agreed.randoms;
    cr_assert_eq(SSL_SESSION_get_master_key(SSL_get_session(ssl[SERVER]), agreed.master, sizeof agreed.master),
                 sizeof agreed.master);
    cr_assert_eq(SSL_get_server_random(ssl[SERVER], randoms, 32), 32);
    cr_assert_eq(SSL_get_client_random(ssl[SERVER], randoms + 32, 32), 32);
    cr_assert_eq(tls_cipher_start_12(&ours.in.opener, &ours.out.sealer, suite, &agreed, false), 0);
    cr_assert_eq(tls_cipher_start_12(&ours.in.sealer, &ours.out.opener, suite, &agreed, true), 0);
    ours.in.sealer.sequence = ours.in.opener.sequence = 1; /* each side has sealed its Finished */
    ours.out.sealer.sequence = ours.out.opener.sequence = 1;
}

static void shake_hands(const char *cipher, int version)
{
    start_side(CLIENT, cipher, version);
    start_side(SERVER, cipher, version);
    for (int i = 0; i < 10 && !(SSL_is_init_finished(ssl[CLIENT]) && SSL_is_init_finished(ssl[SERVER])); i++) {
        SSL_do_handshake(ssl[i % SIDES]);
        carry();
    }
    cr_assert(SSL_is_init_finished(ssl[CLIENT]) && SSL_is_init_finished(ssl[SERVER]), "%s", cipher);
    const struct tls_suite *suite = tls_suite_find(SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(ssl[SERVER])));
    cr_assert_not_null(suite, "%s", cipher);
    ours = (struct tls_ways){.in = {.sealer = {.sequence = 0}}};
    (version == TLS1_3_VERSION ? start_ours_13 : start_ours_12)(suite);
}

static void part(void)
{
    tls_peer_end(&ours);
    SSL_free(ssl[CLIENT]);
    SSL_free(ssl[SERVER]);
}

/* One record that a side has written. */
static void open_theirs(int side, enum tls_type wanted, struct str text)
{
    struct tls_cipher *opener = side == CLIENT ? &ours.in.opener : &ours.out.opener;
    enum tls_type type = 0;
    struct str opened = STR("");
    int n = BIO_read(SSL_get_wbio(ssl[side]), bytes, sizeof bytes);
    cr_assert_gt(n, TLS_HEAD);
    cr_assert_eq(TLS_HEAD + ((unsigned char)bytes[3] << 8 | (unsigned char)bytes[4]), n, "one record");
    cr_expect_eq(tls_cipher_open(opener, bytes, (size_t)n, &type, &opened), 0, "%s", SSL_get_cipher(ssl[side]));
    cr_expect_eq(type, wanted, "%s", SSL_get_cipher(ssl[side]));
    cr_expect(str_eq(opened, text), "%s: %zu bytes", SSL_get_cipher(ssl[side]), opened.n);
}

/* A record as if the other side had written it. */
static void give(int side, enum tls_type type, struct str text)
{
    struct tls_cipher *sealer = side == CLIENT ? &ours.out.sealer : &ours.in.sealer;
    size_t n = tls_cipher_seal(sealer, bytes, type, text);
    cr_assert_gt(n, 0);
    cr_assert_eq(BIO_write(SSL_get_rbio(ssl[side]), bytes, (int)n), (int)n);
}

static void expect_read(int side, struct str text)
{
    give(side, TLS_DATA, text);
    int n = SSL_read(ssl[side], got, sizeof got);
    cr_expect_eq(n, (int)text.n, "%s: %d of %zu", SSL_get_cipher(ssl[side]), n, text.n);
    cr_expect_eq(memcmp(got, text.p, text.n), 0, "%s", SSL_get_cipher(ssl[side]));
}

static void exchange(void)
{
    static const size_t sizes[] = {1, 15, 16, 17, 1000, TLS_RECORD - 1, TLS_RECORD};
    for (size_t i = 0; i < COUNT(sizes); i++)
        for (int side = 0; side < SIDES; side++) {
            struct str text = {content, sizes[i]};
            cr_assert_eq(SSL_write(ssl[side], text.p, (int)text.n), (int)text.n);
            open_theirs(side, TLS_DATA, text);
            expect_read(side, text);
        }
}

static void say_goodbye(void)
{
    for (int side = 0; side < SIDES; side++) {
        cr_expect_eq(SSL_shutdown(ssl[side]), 0);
        open_theirs(side, TLS_ALERT, STR("\1\0"));
        give(side, TLS_ALERT, STR("\1\0"));
        cr_expect_eq(SSL_shutdown(ssl[side]), 1, "%s", SSL_get_cipher(ssl[side]));
    }
}

static const char *const suites[] = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                     "TLS_CHACHA20_POLY1305_SHA256"};

Test(tls_cipher_openssl, tls_1_3)
{
    for (size_t i = 0; i < COUNT(suites); i++) {
        shake_hands(suites[i], TLS1_3_VERSION);
        exchange();
        say_goodbye();
        part();
    }
}

Test(tls_cipher_openssl, tls_1_2)
{
    static const char *const ciphers[] = {
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-RSA-AES128-GCM-SHA256",
        "ECDHE-RSA-AES256-GCM-SHA384",
        "ECDHE-RSA-CHACHA20-POLY1305",
        "DHE-RSA-AES128-GCM-SHA256",
        "DHE-RSA-AES256-GCM-SHA384",
        "DHE-RSA-CHACHA20-POLY1305",
        "AES128-GCM-SHA256",
        "AES256-GCM-SHA384",
    };
    for (size_t i = 0; i < COUNT(ciphers); i++) {
        shake_hands(ciphers[i], TLS1_2_VERSION);
        exchange();
        say_goodbye();
        part();
    }
}

/* RFC 8446, 4.6.3 and 7.2: what follows is sealed with the next key. */
Test(tls_cipher_openssl, key_updates)
{
    for (size_t i = 0; i < COUNT(suites); i++) {
        shake_hands(suites[i], TLS1_3_VERSION);
        for (int round = 0; round < 3; round++) {
            cr_assert(SSL_key_update(ssl[CLIENT], SSL_KEY_UPDATE_NOT_REQUESTED));
            cr_assert_eq(SSL_do_handshake(ssl[CLIENT]), 1);
            open_theirs(CLIENT, TLS_HANDSHAKE, STR("\x18\0\0\1\0"));
            cr_expect_eq(tls_cipher_update(&ours.in.opener), 0);
            cr_expect_eq(tls_cipher_update(&ours.in.sealer), 0);
            give(CLIENT, TLS_HANDSHAKE, STR("\x18\0\0\1\0"));
            cr_expect_eq(tls_cipher_update(&ours.out.sealer), 0);
            expect_read(CLIENT, STR("with the next key"));
            cr_assert_eq(SSL_write(ssl[CLIENT], "new", 3), 3);
            open_theirs(CLIENT, TLS_DATA, STR("new"));
        }
        part();
    }
}
