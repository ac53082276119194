/* tls_cipher_test.c: every way in which a record can be wrong, and those of RFC 8448, which are right. What OpenSSL
 * makes of ours, and we of OpenSSL's, is in tls_cipher_openssl_test.c. */
#include "net/tls_cipher.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "../../tls_peer.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static struct tls_ways ways;
static const struct tls_terms *terms;
static char sealed[TLS_SEALED_MOST], opened[TLS_SEALED_MOST], content[TLS_SEALED_MOST];

static void start(const struct tls_terms *those)
{
    tls_peer_end(&ways);
    terms = those;
    cr_assert_eq(tls_peer_start(&ways, terms), 0, "%s", terms->name);
}

static void teardown(void)
{
    tls_peer_end(&ways);
}

TestSuite(tls_cipher, .fini = teardown);

static size_t seal(enum tls_type type, struct str text)
{
    size_t n = tls_cipher_seal(&ways.in.sealer, sealed, type, text);
    cr_assert_gt(n, 0, "%s", terms->name);
    cr_assert_leq(n, text.n + TLS_SEALED, "%s", terms->name);
    return n;
}

/* Opens a copy of what was sealed last, or of what has become of it. */
static enum tls_alert open_copy(size_t n, enum tls_type *type, struct str *text)
{
    memcpy(opened, sealed, n);
    return tls_cipher_open(&ways.in.opener, opened, n, type, text);
}

static enum tls_alert open_in_vain(size_t n)
{
    enum tls_type type;
    struct str text;
    return open_copy(n, &type, &text);
}

static void expect_record(size_t n, enum tls_type wanted, struct str text)
{
    enum tls_type type = 0;
    struct str got = STR("");
    enum tls_alert wrong = open_copy(n, &type, &got);
    cr_expect_eq(wrong, 0, "%s: %d", terms->name, wrong);
    cr_expect_eq(type, wanted, "%s: %d", terms->name, type);
    cr_expect(str_eq(got, text), "%s: %zu bytes", terms->name, got.n);
}

static struct str zeros(size_t n)
{
    memset(content, 0, sizeof content);
    return (struct str){content, n};
}

/* ---- what is refused ---- */

Test(tls_cipher, no_such_suite)
{
    static const unsigned others[] = {0, 0x1300, 0x1304, 0x1305, 0xc013, 0xc02a, 0xc02e, 0xc0ad, 0x011301, ~0u};
    for (size_t i = 0; i < COUNT(others); i++)
        cr_expect_null(tls_suite_find(others[i]), "%x", others[i]);
}

/* The outer type of TLS 1.3 is always that of data (RFC 8446, 5.2); in TLS 1.2 it is protected, if it is one. */
static enum tls_alert unfit(char type)
{
    return terms->is13 || type < TLS_CHANGE_CIPHER_SPEC || type > TLS_DATA ? TLS_UNEXPECTED_MESSAGE
                                                                           : TLS_BAD_RECORD_MAC;
}

Test(tls_cipher, an_octet_that_is_another)
{
    for (size_t i = 0; i < TLS_TERMS; i++) {
        start(&tls_terms[i]);
        size_t n = seal(TLS_DATA, STR("attack at dawn"));
        for (size_t at = 0; at < n; at++) {
            sealed[at] ^= 1 << at % 8;
            enum tls_alert wanted = at == 0 ? unfit(sealed[0]) : TLS_BAD_RECORD_MAC;
            cr_expect_eq(open_in_vain(n), wanted, "%s: %zu", terms->name, at);
            sealed[at] ^= 1 << at % 8;
        }
        expect_record(n, TLS_DATA, STR("attack at dawn"));
    }
}

Test(tls_cipher, a_record_cut_off_anywhere)
{
    for (size_t i = 0; i < TLS_TERMS; i++) {
        start(&tls_terms[i]);
        size_t n = seal(TLS_DATA, STR("attack at dawn"));
        for (size_t cut = TLS_HEAD; cut < n; cut++)
            cr_expect_eq(open_in_vain(cut), TLS_BAD_RECORD_MAC, "%s: %zu", terms->name, cut);
        sealed[n] = 0;
        cr_expect_eq(open_in_vain(n + 1), TLS_BAD_RECORD_MAC, "%s: one more", terms->name);
        expect_record(n, TLS_DATA, STR("attack at dawn"));
    }
}

Test(tls_cipher, another_type_outside)
{
    for (size_t i = 0; i < TLS_TERMS; i++) {
        start(&tls_terms[i]);
        size_t n = seal(TLS_DATA, STR("x"));
        for (unsigned type = 0; type < 256; type++) {
            sealed[0] = (char)type;
            if (type != TLS_DATA)
                cr_expect_eq(open_in_vain(n), unfit(sealed[0]), "%s: %u", terms->name, type);
        }
        sealed[0] = TLS_DATA;
        expect_record(n, TLS_DATA, STR("x"));
    }
}

Test(tls_cipher, more_content_than_there_may_be)
{
    for (size_t i = 0; i < TLS_TERMS; i++) {
        start(&tls_terms[i]);
        size_t n = seal(TLS_DATA, zeros(TLS_RECORD));
        expect_record(n, TLS_DATA, zeros(TLS_RECORD));
        n = tls_cipher_seal(&ways.in.sealer, sealed, TLS_DATA, zeros(TLS_RECORD + 1));
        cr_expect_eq(open_in_vain(n), TLS_RECORD_OVERFLOW, "%s", terms->name);
    }
}

/* It is refused as soon as its head has come. */
Test(tls_cipher, a_head_that_says_too_much)
{
    static const size_t there[] = {TLS_HEAD, TLS_HEAD + 1, 100, TLS_RECORD + 300};
    for (size_t i = 0; i < TLS_TERMS; i++)
        for (size_t j = 0; j < COUNT(there); j++) {
            start(&tls_terms[i]);
            memcpy(sealed, "\x17\3\3\xff\xff", TLS_HEAD);
            cr_expect_eq(open_in_vain(there[j]), TLS_RECORD_OVERFLOW, "%s: %zu", terms->name, there[j]);
        }
}

/* Padding counts: 2^14 + 256 octets of a record, its tag among them (RFC 8446, 5.2). The type sealed here is padding,
 * too, since it is 0: what is really the type stands in front. */
Test(tls_cipher, more_padding_than_there_may_be)
{
    enum { MOST = TLS_RECORD + 256 - 16 - 1 };
    for (size_t i = 0; i < TLS_TERMS && tls_terms[i].is13; i++) {
        start(&tls_terms[i]);
        struct str text = zeros(MOST);
        memcpy(content, "hello\x17", sizeof "hello\x17");
        size_t n = seal(0, text);
        expect_record(n, TLS_DATA, STR("hello"));
        text.n++;
        n = tls_cipher_seal(&ways.in.sealer, sealed, 0, text);
        cr_expect_eq(open_in_vain(n), TLS_RECORD_OVERFLOW, "%s", terms->name);
    }
}

Test(tls_cipher, nothing_but_padding)
{
    static const size_t sizes[] = {0, 1, 100, TLS_RECORD};
    for (size_t i = 0; i < TLS_TERMS && tls_terms[i].is13; i++)
        for (size_t j = 0; j < COUNT(sizes); j++) {
            start(&tls_terms[i]);
            size_t n = seal(0, zeros(sizes[j]));
            cr_expect_eq(open_in_vain(n), TLS_UNEXPECTED_MESSAGE, "%s: %zu", terms->name, sizes[j]);
        }
}

Test(tls_cipher, records_out_of_order)
{
    for (size_t i = 0; i < TLS_TERMS; i++) {
        char first[64];
        start(&tls_terms[i]);
        size_t n = seal(TLS_DATA, STR("one"));
        memcpy(first, sealed, n);
        seal(TLS_DATA, STR("two"));
        cr_expect_eq(open_in_vain(n), TLS_BAD_RECORD_MAC, "%s: one is left out", terms->name);
        memcpy(opened, sealed, n);
        memcpy(sealed, first, n);
        memcpy(first, opened, n);
        expect_record(n, TLS_DATA, STR("one"));
        cr_expect_eq(open_in_vain(n), TLS_BAD_RECORD_MAC, "%s: one comes twice", terms->name);
        memcpy(sealed, first, n);
        expect_record(n, TLS_DATA, STR("two"));
    }
}

Test(tls_cipher, a_record_of_the_other_direction)
{
    for (size_t i = 0; i < TLS_TERMS; i++) {
        start(&tls_terms[i]);
        size_t n = tls_cipher_seal(&ways.out.sealer, sealed, TLS_DATA, STR("one"));
        cr_expect_eq(open_in_vain(n), TLS_BAD_RECORD_MAC, "%s: reflected", terms->name);
    }
}

Test(tls_cipher, a_key_that_was_given_up)
{
    for (size_t i = 0; i < TLS_TERMS && tls_terms[i].is13; i++) {
        start(&tls_terms[i]);
        size_t n = seal(TLS_DATA, STR("old"));
        cr_expect_eq(tls_cipher_update(&ways.in.opener), 0);
        cr_expect_eq(open_in_vain(n), TLS_BAD_RECORD_MAC, "%s", terms->name);
    }
}

/* ---- what is not ---- */

Test(tls_cipher, contents_of_every_kind)
{
    static const struct {
        enum tls_type type;
        struct str text;
    } table[] = {
        {TLS_DATA, STR_INIT("")},
        {TLS_DATA, STR_INIT("x")},
        {TLS_DATA, STR_INIT("x\0\0\0")},
        {TLS_ALERT, STR_INIT("\1\0")},
        {TLS_HANDSHAKE, STR_INIT("\x18\0\0\1\0")},
        {TLS_CHANGE_CIPHER_SPEC, STR_INIT("\1")},
        {TLS_DATA, STR_INIT("fifteen octets.")},
        {TLS_DATA, STR_INIT("sixteen octets..")},
    };
    for (size_t i = 0; i < TLS_TERMS; i++) {
        start(&tls_terms[i]);
        for (size_t j = 0; j < COUNT(table); j++)
            expect_record(seal(table[j].type, table[j].text), table[j].type, table[j].text);
        cr_expect_eq(ways.in.opener.sequence, COUNT(table));
        cr_expect_eq(ways.in.sealer.sequence, COUNT(table));
    }
}

/* RFC 8446, 5.4 */
Test(tls_cipher, padding_is_taken_off)
{
    static const struct {
        struct str inner;
        enum tls_type type;
        struct str text;
    } table[] = {
        {STR_INIT("hello\x17"), TLS_DATA, STR_INIT("hello")},
        {STR_INIT("hello\x17\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), TLS_DATA, STR_INIT("hello")},
        {STR_INIT("hello\0\x17\0"), TLS_DATA, STR_INIT("hello\0")},
        {STR_INIT("\x17\0\0"), TLS_DATA, STR_INIT("")},
        {STR_INIT("\1\0\x15\0"), TLS_ALERT, STR_INIT("\1\0")},
    };
    for (size_t i = 0; i < TLS_TERMS && tls_terms[i].is13; i++) {
        start(&tls_terms[i]);
        for (size_t j = 0; j < COUNT(table); j++)
            expect_record(seal(0, table[j].inner), table[j].type, table[j].text);
    }
}

Test(tls_cipher, one_key_after_another)
{
    for (size_t i = 0; i < TLS_TERMS && tls_terms[i].is13; i++) {
        start(&tls_terms[i]);
        char before[64];
        for (int j = 0; j < 5; j++) {
            size_t n = seal(TLS_DATA, STR("the same"));
            cr_expect_neq(memcmp(before, sealed, n), 0, "%s", terms->name);
            memcpy(before, sealed, n);
            expect_record(n, TLS_DATA, STR("the same"));
            cr_expect_eq(tls_cipher_update(&ways.in.sealer), 0);
            cr_expect_eq(tls_cipher_update(&ways.in.opener), 0);
            cr_expect_eq(ways.in.sealer.sequence, 0, "it counts anew");
            cr_expect_eq(ways.in.opener.sequence, 0, "it counts anew");
        }
    }
}

Test(tls_cipher, keys_wear_out)
{
    static const struct {
        uint64_t sequence;
        bool worn_13, worn_12;
    } table[] = {
        {0, false, false},         {(1ULL << 24) - 1, false, false},
        {1ULL << 24, true, false}, {(1ULL << 48) - 1, true, false},
        {1ULL << 48, true, true},  {~0ULL, true, true},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        struct tls_cipher cipher = {.sequence = table[i].sequence, .is13 = true};
        cr_expect_eq(tls_cipher_is_worn(&cipher), table[i].worn_13, "%zu", i);
        cipher.is13 = false;
        cr_expect_eq(tls_cipher_is_worn(&cipher), table[i].worn_12, "%zu", i);
    }
}

Test(tls_cipher, high_numbers)
{
    static const uint64_t numbers[] = {255, 256, 65535, (1ULL << 24) - 1, (1ULL << 32) - 1, 1ULL << 40};
    for (size_t i = 0; i < TLS_TERMS; i++)
        for (size_t j = 0; j < COUNT(numbers); j++) {
            start(&tls_terms[i]);
            ways.in.sealer.sequence = ways.in.opener.sequence = numbers[j];
            for (int k = 0; k < 3; k++)
                expect_record(seal(TLS_DATA, STR("x")), TLS_DATA, STR("x"));
        }
}

/* ---- RFC 8448, 3: records that others have made ---- */

static size_t unhex(const char *text, void *to)
{
    unsigned char *at = to;
    for (char pair[3] = ""; *text; text += 2) {
        memcpy(pair, text, 2);
        *at++ = (unsigned char)strtoul(pair, NULL, 16);
    }
    return (size_t)(at - (unsigned char *)to);
}

static const char client_secret[] = "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5",
                  server_secret[] = "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643",
                  client_iv[] = "5b78923dee08579033e523d9", server_iv[] = "cf782b88dd83549aadf1e984",
                  data[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b"
                           "2c2d2e2f3031";

/* The server has sealed a ticket before, so that its numbers are higher by one. */
static const struct {
    const char *secret, *iv;
    uint64_t sequence;
    enum tls_type type;
    const char *content, *record;
} traces[] = {
    {client_secret, client_iv, 0, TLS_DATA, data,
     "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b62974e1f5a6292"
     "a2977014bd1e3deae63aeebb21694915e4"},
    {client_secret, client_iv, 1, TLS_ALERT, "0100", "1703030013c9872760655666b74d7ff1153efd6db6d0b0e3"},
    {server_secret, server_iv, 1, TLS_DATA, data,
     "17030300432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6dffc602dcb501a59a8fcc49c4bf2e5f0"
     "a21c0047c2abf332540dd032e167c2955d"},
    {server_secret, server_iv, 2, TLS_ALERT, "0100", "1703030013b58fd67166ebf599d24720cfbe7efa7a8864a9"},
};

static void start_traced(size_t i, struct tls_cipher *cipher, bool seals)
{
    unsigned char iv[sizeof cipher->iv];
    *cipher = (struct tls_cipher){.evp = NULL};
    unhex(traces[i].secret, cipher->secret);
    cr_assert_eq(tls_cipher_start(cipher, tls_suite_find(0x1301), seals), 0);
    cr_expect_eq(unhex(traces[i].iv, iv), sizeof iv);
    cr_expect_eq(memcmp(cipher->iv, iv, sizeof iv), 0, "%zu", i);
    cipher->sequence = traces[i].sequence;
}

Test(tls_cipher, traces_of_rfc_8448)
{
    for (size_t i = 0; i < COUNT(traces); i++) {
        struct tls_cipher sealer, opener;
        enum tls_type type;
        struct str got, wanted = {content, unhex(traces[i].content, content)};
        size_t n = unhex(traces[i].record, opened);
        start_traced(i, &sealer, true);
        cr_expect_eq(tls_cipher_seal(&sealer, sealed, traces[i].type, wanted), n, "%zu", i);
        cr_expect_eq(memcmp(sealed, opened, n), 0, "%zu", i);
        start_traced(i, &opener, false);
        cr_expect_eq(tls_cipher_open(&opener, opened, n, &type, &got), 0, "%zu", i);
        cr_expect_eq(type, traces[i].type, "%zu", i);
        cr_expect(str_eq(got, wanted), "%zu", i);
        tls_cipher_end(&sealer);
        tls_cipher_end(&opener);
    }
}
