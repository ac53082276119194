/* tls_stream_test.c: records of every kind, as a peer may send them when the handshake is done: what they mean, and
 * what is answered. What is written is in tls_write_test.c. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls_wire.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define BOTH ((struct wire_wanted){.not12 = false})
#define ONLY_12 ((struct wire_wanted){.not13 = true})
#define ONLY_13 ((struct wire_wanted){.not12 = true})

enum { IDLE_RECORDS = 64 };

static const struct str update = STR_INIT("\x18\0\0\1\0"), update_both = STR_INIT("\x18\0\0\1\1");

/* ---- how a connection ends ---- */

struct ending {
    const char *what;
    enum tls_type type;
    struct str content;
    ssize_t result; /* of the read */
    int answer;     /* the fatal alert that is sent; 0: none */
};

static void expect_ending(const struct ending *ending)
{
    wire_say(ending->type, ending->content);
    wire_say(TLS_DATA, STR("later"));
    ssize_t result = ending->result;
    wire_expect_read(result == 1 ? 5 : result, result == 1 ? STR("later") : STR(""));
    if (ending->answer)
        wire_expect(TLS_ALERT, (struct str){(const char[]){2, (char)ending->answer}, 2});
    wire_expect_silence();
    if (result < 0) {
        struct iovec piece = {(char *)"x", 1};
        wire_expect_read(-ECONNABORTED, STR(""));
        cr_expect_eq(wire_stream->ops->write(wire_stream, &piece, 1, false), -ECONNABORTED, "%s", ending->what);
        wire_expect_silence();
    }
    wire_again();
}

enum { GOES_ON = 1, ENDS = 0, FAILS = -ECONNABORTED };

static void alerts(void)
{
    static const struct ending endings[] = {
        {"close_notify", TLS_ALERT, STR_INIT("\1\0"), ENDS, 0},
        {"close_notify, fatal", TLS_ALERT, STR_INIT("\2\0"), ENDS, 0},
        {"handshake_failure", TLS_ALERT, STR_INIT("\2\x28"), FAILS, 0},
        {"bad_record_mac", TLS_ALERT, STR_INIT("\2\x14"), FAILS, 0},
        {"none that is known", TLS_ALERT, STR_INIT("\2\xff"), FAILS, 0},
        {"user_canceled", TLS_ALERT, STR_INIT("\1\x5a"), GOES_ON, 0},
        {"an octet", TLS_ALERT, STR_INIT("\1"), FAILS, 50},
        {"three octets", TLS_ALERT, STR_INIT("\1\0\0"), FAILS, 50},
        {"two alerts", TLS_ALERT, STR_INIT("\1\x5a\1\0"), FAILS, 50},
        {"change_cipher_spec", TLS_CHANGE_CIPHER_SPEC, STR_INIT("\1"), FAILS, 10},
        {"heartbeat", 24, STR_INIT("\1\0\1x"), FAILS, 10},
    };
    for (size_t i = 0; i < COUNT(endings); i++)
        expect_ending(&endings[i]);
}

Test(tls_stream, alerts_and_what_nobody_expects)
{
    wire_run(alerts, BOTH);
}

static void only_of_13(void)
{
    static const struct ending endings[] = {
        {"a warning", TLS_ALERT, STR_INIT("\1\x29"), FAILS, 0},
        {"no alert", TLS_ALERT, STR_INIT(""), FAILS, 10},
        {"no message", TLS_HANDSHAKE, STR_INIT(""), FAILS, 10},
        {"a ClientHello", TLS_HANDSHAKE, STR_INIT("\1\0\0\1x"), FAILS, 10},
        {"a certificate", TLS_HANDSHAKE, STR_INIT("\x0b\0\0\1x"), FAILS, 10},
        {"half a KeyUpdate", TLS_HANDSHAKE, STR_INIT("\x18\0\0"), FAILS, 10},
        {"a KeyUpdate of nothing", TLS_HANDSHAKE, STR_INIT("\x18\0\0\0"), FAILS, 10},
        {"one that asks for something else", TLS_HANDSHAKE, STR_INIT("\x18\0\0\1\2"), FAILS, 47},
        {"one that asks for everything", TLS_HANDSHAKE, STR_INIT("\x18\0\0\1\xff"), FAILS, 47},
        {"one with something behind it", TLS_HANDSHAKE, STR_INIT("\x18\0\0\1\0\x18\0\0\1\0"), FAILS, 10},
        {"an unknown type", 99, STR_INIT("x"), FAILS, 10},
    };
    for (size_t i = 0; i < COUNT(endings); i++)
        expect_ending(&endings[i]);
}

Test(tls_stream, what_tls_1_3_has_no_place_for)
{
    wire_run(only_of_13, ONLY_13);
}

static void only_of_12(void)
{
    static const struct ending endings[] = {
        {"a warning", TLS_ALERT, STR_INIT("\1\x29"), GOES_ON, 0},
        {"no_renegotiation", TLS_ALERT, STR_INIT("\1\x64"), GOES_ON, 0},
        {"a ClientHello", TLS_HANDSHAKE, STR_INIT("\1\0\0\1x"), FAILS, 100},
        {"a KeyUpdate", TLS_HANDSHAKE, STR_INIT("\x18\0\0\1\0"), FAILS, 100},
    };
    for (size_t i = 0; i < COUNT(endings); i++)
        expect_ending(&endings[i]);
}

Test(tls_stream, what_tls_1_2_has_no_place_for)
{
    wire_run(only_of_12, ONLY_12);
}

/* None of these can be opened. */
static void no_records(void)
{
    static const struct {
        struct str bytes;
        int answer_13, answer_12;
    } table[] = {
        {STR_INIT("GET / HTTP/1.1\r\n\r\n"), 10, 10},
        {STR_INIT("POST / HTTP/1.1\r\n\r\n"), 10, 10},
        {STR_INIT("\x16\3\1\0\5\1\0\0\1x"), 10, 20},
        {STR_INIT("\x14\3\3\0\1\1"), 10, 20},
        {STR_INIT("\x17\3\3\0\0"), 20, 20},
        {STR_INIT("\x17\3\3\0\x20"
                  "0123456789abcdef0123456789abcdef"),
         20, 20},
        {STR_INIT("\x17\3\3\xff\xff"
                  "0123456789abcdef0123456789abcdef"),
         22, 22},
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        int answer = wire_tls->opener.is13 ? table[i].answer_13 : table[i].answer_12;
        wire_say_raw(table[i].bytes);
        wire_expect_read(-ECONNABORTED, STR(""));
        wire_expect(TLS_ALERT, (struct str){(const char[]){2, (char)answer}, 2});
        wire_again();
    }
}

Test(tls_stream, bytes_that_are_no_record)
{
    wire_run(no_records, BOTH);
}

static void overflow(void)
{
    static char content[TLS_RECORD + 1];
    wire_say(TLS_DATA, (struct str){content, sizeof content});
    wire_expect_read(-ECONNABORTED, STR(""));
    wire_expect(TLS_ALERT, STR("\2\x16"));
}

Test(tls_stream, a_record_that_is_too_large)
{
    wire_run(overflow, BOTH);
}

static void say_idly(enum tls_type type, struct str content, int times)
{
    for (int i = 0; i < times; i++) {
        wire_say(type, content);
        if (type == TLS_HANDSHAKE)
            cr_assert_eq(tls_cipher_update(&wire_ways.in.sealer), 0);
    }
}

/* Little content makes up for nothing, much for one record. */
static void flood(enum tls_type type, struct str content)
{
    static char much[TLS_RECORD];
    int most = type == TLS_HANDSHAKE ? IDLE_RECORDS / 2 : IDLE_RECORDS;
    say_idly(type, content, most / 2);
    wire_say(TLS_DATA, STR("x"));
    wire_expect_read(1, STR("x"));
    say_idly(type, content, most - most / 2);
    wire_expect_read(-EAGAIN, STR(""));
    for (int i = 0; i < IDLE_RECORDS / most; i++) {
        wire_say(TLS_DATA, (struct str){much, sizeof much});
        wire_expect_read(sizeof much, (struct str){much, sizeof much});
    }
    say_idly(type, content, 1);
    wire_expect_read(-EAGAIN, STR(""));
    wire_say(type, content);
    wire_expect_read(-ECONNABORTED, STR(""));
    wire_expect(TLS_ALERT, STR("\2\x0a"));
    wire_again();
}

static void floods(void)
{
    flood(TLS_DATA, STR(""));
    flood(TLS_ALERT, STR("\1\x5a"));
    if (wire_tls->opener.is13)
        flood(TLS_HANDSHAKE, update);
    else
        flood(TLS_ALERT, STR("\1\x29"));
}

/* So many in a row are put up with, and one more is not. */
Test(tls_stream, records_without_content)
{
    wire_run(floods, BOTH);
}

/* Somebody else may have cut it off. */
static void end_unannounced(void)
{
    wire_say(TLS_DATA, STR("first"));
    shutdown(wire_peer, SHUT_WR);
    wire_expect_read(5, STR("first"));
    wire_expect_read(-ECONNRESET, STR(""));
    wire_again();
    wire_say_raw(STR("\x17\3\3"));
    shutdown(wire_peer, SHUT_WR);
    wire_expect_read(-EAGAIN, STR(""));
    wire_expect_read(-ECONNRESET, STR(""));
}

Test(tls_stream, an_end_without_close_notify)
{
    wire_run(end_unannounced, BOTH);
}

static void end_in_good_order(void)
{
    struct iovec piece = {(char *)"answer", 6};
    wire_say(TLS_DATA, STR("first"));
    wire_say(TLS_ALERT, STR("\1\0"));
    wire_say(TLS_DATA, STR("not to be read"));
    wire_say_raw(STR("nor to be opened"));
    wire_expect_read(5, STR("first"));
    wire_expect_read(0, STR(""));
    wire_expect_read(0, STR(""));
    cr_expect_eq(wire_stream->ops->write(wire_stream, &piece, 1, false), 6, "%s: half of it goes on", wire_name());
    wire_expect(TLS_DATA, STR("answer"));
    stream_shutdown(wire_stream);
    wire_expect(TLS_ALERT, STR("\1\0"));
    wire_expect_end();
}

Test(tls_stream, what_comes_after_close_notify)
{
    wire_run(end_in_good_order, BOTH);
}

static void goodbye(void)
{
    stream_shutdown(wire_stream);
    wire_expect(TLS_ALERT, STR("\1\0"));
    wire_expect_end();
    wire_say(TLS_DATA, STR("still read"));
    wire_expect_read(10, STR("still read"));
    stream_shutdown(wire_stream);
    wire_expect_end();
}

Test(tls_stream, close_notify_is_said_once)
{
    wire_run(goodbye, BOTH);
}

static void before_the_handshake(void)
{
    struct iovec piece = {(char *)"x", 1};
    wire_tls->ready = false;
    wire_say(TLS_DATA, STR("x"));
    wire_expect_read(-ECONNABORTED, STR(""));
    cr_expect_eq(wire_stream->ops->write(wire_stream, &piece, 1, false), -ECONNABORTED);
    cr_expect_null(tls_peer_of(wire_stream));
    stream_shutdown(wire_stream);
    wire_expect_end();
}

Test(tls_stream, nothing_goes_without_keys)
{
    wire_run(before_the_handshake, BOTH);
}

/* ---- reading ---- */

static void pieces(void)
{
    char got[16];
    wire_expect_read(-EAGAIN, STR(""));
    cr_expect_not(stream_has_input(wire_stream));
    wire_say(TLS_DATA, STR("0123456789"));
    wire_say(TLS_DATA, STR("abcdef"));
    for (size_t i = 0; i < 5; i++) {
        cr_expect_eq(wire_stream->ops->read(wire_stream, got, 3), 3, "%zu", i);
        cr_expect_eq(memcmp(got, &"0123456789abcdef"[3 * i], 3), 0, "%zu", i);
    }
    cr_expect_eq(wire_stream->ops->read(wire_stream, got, 3), 1);
    cr_expect_eq(got[0], 'f');
    wire_expect_read(-EAGAIN, STR(""));
    cr_expect_null(wire_tls->in.kept, "an idle connection keeps nothing");
}

Test(tls_stream, reads_of_any_size)
{
    wire_run(pieces, BOTH);
}

static void many(void)
{
    static char content[40000];
    memset(content, 'x', sizeof content);
    wire_say(TLS_DATA, (struct str){content, TLS_RECORD});
    wire_say(TLS_DATA, (struct str){content, TLS_RECORD});
    wire_say(TLS_DATA, (struct str){content, 40000 - 2 * TLS_RECORD});
    wire_expect_read(40000, (struct str){content, 40000});
}

Test(tls_stream, one_read_of_many_records)
{
    wire_run(many, BOTH);
}

/* Good records in front of a bad one are read first. */
static void bad_after_good(void)
{
    wire_say(TLS_DATA, STR("good"));
    wire_say_raw(STR("\x17\3\3\0\x20"
                     "0123456789abcdef0123456789abcdef"));
    wire_expect_read(4, STR("good"));
    wire_expect_read(-ECONNABORTED, STR(""));
    wire_expect(TLS_ALERT, STR("\2\x14"));
    wire_expect_silence();
}

Test(tls_stream, a_bad_record_behind_a_good_one)
{
    wire_run(bad_after_good, BOTH);
}

/* ---- keys ---- */

static void say_update(struct str message)
{
    wire_say(TLS_HANDSHAKE, message);
    cr_assert_eq(tls_cipher_update(&wire_ways.in.sealer), 0);
}

static void updates(void)
{
    say_update(update);
    wire_say(TLS_DATA, STR("new key"));
    wire_expect_read(7, STR("new key"));
    cr_expect_eq(stream_flush(wire_stream, NSEC_SEC), 0);
    wire_expect_silence();
    for (int i = 0; i < 3; i++) {
        struct iovec piece = {(char *)"with a new one", 14};
        say_update(update_both);
        wire_expect_read(-EAGAIN, STR(""));
        wire_expect_silence();
        if (i < 2)
            cr_expect_eq(wire_stream->ops->write(wire_stream, &piece, 1, false), 14);
        else
            cr_expect_eq(stream_flush(wire_stream, NSEC_SEC), 0, "or before a wait");
        wire_expect(TLS_HANDSHAKE, update);
        cr_assert_eq(tls_cipher_update(&wire_ways.out.opener), 0);
        if (i < 2)
            wire_expect(TLS_DATA, STR("with a new one"));
    }
    wire_expect_silence();
}

Test(tls_stream, key_updates_of_the_peer)
{
    wire_run(updates, ONLY_13);
}

static void worn(void)
{
    struct iovec piece = {(char *)"x", 1};
    uint64_t last = wire_tls->sealer.is13 ? 1ULL << 24 : 1ULL << 48;
    wire_tls->sealer.sequence = wire_ways.out.opener.sequence = last - 1;
    cr_expect_eq(wire_stream->ops->write(wire_stream, &piece, 1, false), 1);
    wire_expect(TLS_DATA, STR("x"));
    if (!wire_tls->sealer.is13) {
        cr_expect_eq(wire_stream->ops->write(wire_stream, &piece, 1, false), -ECONNABORTED);
        wire_expect_silence();
        return;
    }
    cr_expect_eq(wire_stream->ops->write(wire_stream, &piece, 1, false), 1);
    wire_expect(TLS_HANDSHAKE, update);
    cr_assert_eq(tls_cipher_update(&wire_ways.out.opener), 0);
    wire_expect(TLS_DATA, STR("x"));
    cr_expect_eq(wire_tls->sealer.sequence, 1);
}

Test(tls_stream, a_key_that_is_worn)
{
    wire_run(worn, BOTH);
}
