/* tls_client_stream_test.c: what follows a handshake of a client: ends, tickets, new keys, and much data both ways, with
 * a server that is OpenSSL's; and records by hand, where a server would have to be a strange one. */
#include <openssl/err.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "tls_server.h"
#include "tls_wire.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define LONG 60000 /* milliseconds */

enum { MUCH = 1 << 20 };

TestSuite(tls_client_stream, .init = tls_server_setup, .fini = tls_server_teardown);

static struct stream *stream;
static char sent[MUCH], received[MUCH];

static const int versions[] = {TLS1_3_VERSION, TLS1_2_VERSION};

/* A stream to such a server, secured. */
static void start(struct tls_server *server)
{
    const char *why;
    server->certificate = "good";
    stream = tls_server_start(server);
    cr_assert_eq(tls_server_shake("site.test", run_in(LONG), &why), 0, "%s", why);
}

static int say(const char *bytes, size_t n, nsec timeout)
{
    struct iovec piece = {(char *)bytes, n};
    return stream_write(stream, &piece, 1, false, timeout);
}

/* Reads until there are n bytes, or an end or an error, which is returned. */
static ssize_t hear(char *to, size_t n)
{
    size_t got = 0;
    while (got < n) {
        ssize_t more = stream_read(stream, to + got, n - got, run_in(LONG));
        if (more <= 0)
            return more;
        got += (size_t)more;
    }
    return (ssize_t)got;
}

static void expect_heard(const char *text)
{
    char got[64];
    cr_assert_eq(hear(got, strlen(text)), (ssize_t)strlen(text), "%s", text);
    cr_expect_eq(memcmp(got, text, strlen(text)), 0, "%s", text);
}

/* ---- ends ---- */

static void leave_without_a_word(SSL *ssl, void *arg)
{
    (void)arg;
    SSL_write(ssl, "hello", 5);
}

GreenTest(tls_client_stream, an_end_that_was_not_announced)
{
    for (size_t i = 0; i < COUNT(versions); i++) {
        struct tls_server server = {.version = versions[i], .serve = leave_without_a_word};
        start(&server);
        expect_heard("hello");
        char byte;
        cr_expect_eq(hear(&byte, 1), -ECONNRESET);
        tls_server_end();
    }
}

static void say_and_take_leave(SSL *ssl, void *arg)
{
    (void)arg;
    SSL_write(ssl, "hello", 5);
    SSL_shutdown(ssl);
}

GreenTest(tls_client_stream, an_end_in_good_order)
{
    for (size_t i = 0; i < COUNT(versions); i++) {
        struct tls_server server = {.version = versions[i], .serve = say_and_take_leave};
        start(&server);
        expect_heard("hello");
        char byte;
        cr_expect_eq(hear(&byte, 1), 0);
        cr_expect_eq(hear(&byte, 1), 0);
        tls_server_end();
    }
}

/* Reads to the end, and tells what that was; then it still has something to say. */
static void hear_the_end(SSL *ssl, void *arg)
{
    char bytes[64];
    int got;
    while ((got = SSL_read(ssl, bytes, sizeof bytes)) > 0)
        ;
    *(int *)arg = SSL_get_error(ssl, got);
    SSL_write(ssl, "at last", 7);
    SSL_shutdown(ssl);
}

GreenTest(tls_client_stream, our_end)
{
    for (size_t i = 0; i < COUNT(versions); i++) {
        int end = -1;
        struct tls_server server = {.version = versions[i], .serve = hear_the_end, .arg = &end};
        start(&server);
        cr_expect_eq(say("hello", 5, NSEC_SEC), 0);
        stream_shutdown(stream);
        expect_heard("at last");
        tls_server_end();
        cr_expect_eq(end, SSL_ERROR_ZERO_RETURN);
        start(&server);
        cr_expect_eq(stream_end(stream, NSEC_SEC), 0);
        expect_heard("at last");
        tls_server_end();
        cr_expect_eq(end, SSL_ERROR_ZERO_RETURN);
    }
}

/* ---- tickets and keys ---- */

static void give_tickets(SSL *ssl, void *arg)
{
    (void)arg;
    for (int i = 0; i < 8; i++)
        SSL_new_session_ticket(ssl);
    say_and_take_leave(ssl, NULL);
}

GreenTest(tls_client_stream, tickets_are_passed_over)
{
    struct tls_server server = {.version = TLS1_3_VERSION, .serve = give_tickets};
    char byte;
    start(&server);
    expect_heard("hello");
    cr_expect_eq(hear(&byte, 1), 0);
    tls_server_end();
}

/* Each time it changes its key and wants us to change ours, which it notices: it could not read us otherwise. */
static void change_keys(SSL *ssl, void *arg)
{
    char word[5];
    int *heard = arg;
    for (int i = 0; i < 10; i++) {
        SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED);
        SSL_write(ssl, "hello", 5);
        *heard += SSL_read(ssl, word, sizeof word) == 5 && memcmp(word, "again", 5) == 0;
    }
    SSL_shutdown(ssl);
}

GreenTest(tls_client_stream, keys_that_change)
{
    int heard = 0;
    struct tls_server server = {.version = TLS1_3_VERSION, .serve = change_keys, .arg = &heard};
    char byte;
    start(&server);
    for (int i = 0; i < 10; i++) {
        expect_heard("hello");
        cr_expect_eq(say("again", 5, NSEC_SEC), 0);
    }
    cr_expect_eq(hear(&byte, 1), 0);
    tls_server_end();
    cr_expect_eq(heard, 10);
}

/* A server that waits for the answer to that before it says more: a read sends it, though nothing is written. */
static void change_keys_and_wait(SSL *ssl, void *arg)
{
    char byte;
    SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED);
    SSL_do_handshake(ssl);
    struct timeval patience = {.tv_usec = 500 * 1000};
    setsockopt(SSL_get_fd(ssl), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    int received_before = (int)BIO_number_read(SSL_get_rbio(ssl));
    (void)!SSL_read(ssl, &byte, 1);
    *(int *)arg = (int)BIO_number_read(SSL_get_rbio(ssl)) - received_before;
    SSL_write(ssl, "hello", 5);
    SSL_shutdown(ssl);
}

GreenTest(tls_client_stream, a_read_answers)
{
    int answered = 0;
    struct tls_server server = {.version = TLS1_3_VERSION, .serve = change_keys_and_wait, .arg = &answered};
    start(&server);
    expect_heard("hello");
    tls_server_end();
    cr_expect_gt(answered, 0);
}

/* ---- much ---- */

static void echo(SSL *ssl, void *arg)
{
    char bytes[5000];
    (void)arg;
    for (int got; (got = SSL_read(ssl, bytes, sizeof bytes)) > 0;)
        SSL_write(ssl, bytes, got);
    SSL_shutdown(ssl);
}

static int say_everything(void *arg)
{
    (void)arg;
    int error = say(sent, sizeof sent, LONG * NSEC_MS);
    stream_shutdown(stream);
    return error;
}

static void fill_in(void)
{
    srand(7);
    for (size_t i = 0; i < sizeof sent; i++)
        sent[i] = (char)rand();
}

/* The server stops reading while nobody reads from it: so both directions wait, and go on. */
GreenTest(tls_client_stream, much_both_ways, .stack = 256 * 1024)
{
    static const int buffers[] = {4096, 20000, 0};
    fill_in();
    for (size_t i = 0; i < COUNT(versions) * COUNT(buffers); i++) {
        char byte;
        struct tls_server server = {
            .version = versions[i % COUNT(versions)], .buffer = buffers[i / COUNT(versions)], .serve = echo};
        memset(received, 0, sizeof received);
        start(&server);
        struct green *writer = run_spawn(say_everything, NULL);
        cr_expect_eq(hear(received, sizeof received), (ssize_t)sizeof received);
        cr_expect_eq(hear(&byte, 1), 0);
        cr_expect_eq(run_join(writer), 0);
        tls_server_end();
        cr_expect_eq(memcmp(received, sent, sizeof sent), 0);
    }
}

/* ---- a server that does not read ---- */

struct reader {
    sem_t go;
    size_t got;
    bool same;
};

static void read_when_told(SSL *ssl, void *arg)
{
    struct reader *reader = arg;
    sem_wait(&reader->go);
    for (int got; (got = SSL_read(ssl, received + reader->got, (int)(sizeof received - reader->got))) > 0;)
        reader->got += (size_t)got;
    reader->same = memcmp(received, sent, reader->got) == 0;
    SSL_shutdown(ssl);
}

GreenTest(tls_client_stream, a_write_in_vain)
{
    struct reader reader = {.got = 0};
    struct tls_server server = {.buffer = 4096, .serve = read_when_told, .arg = &reader};
    fill_in();
    sem_init(&reader.go, 0, 0);
    start(&server);
    cr_expect_eq(say(sent, sizeof sent, 20 * NSEC_MS), -ETIMEDOUT);
    struct green *thread = run_spawn(say_everything, NULL);
    cr_assert_eq(green_sleep(5 * NSEC_MS), 0);
    green_cancel(thread);
    cr_expect_eq(run_join(thread), -ECANCELED);
    sem_post(&reader.go);
    tls_server_end();
    sem_destroy(&reader.go);
}

/* It begins to read while we wait for it. */
static int let_it_read(void *reader)
{
    cr_assert_eq(green_sleep(20 * NSEC_MS), 0);
    sem_post(&((struct reader *)reader)->go);
    return 0;
}

GreenTest(tls_client_stream, a_write_that_waits)
{
    struct reader reader = {.got = 0};
    struct tls_server server = {.buffer = 4096, .serve = read_when_told, .arg = &reader};
    char byte;
    fill_in();
    sem_init(&reader.go, 0, 0);
    start(&server);
    struct green *thread = run_spawn(let_it_read, &reader);
    cr_expect_eq(run_join(run_spawn(say_everything, NULL)), 0);
    cr_expect_eq(hear(&byte, 1), 0);
    cr_expect_eq(run_join(thread), 0);
    tls_server_end();
    cr_expect_eq(reader.got, sizeof sent);
    cr_expect(reader.same);
    sem_destroy(&reader.go);
}

/* ---- records by hand ---- */

#define TICKET                                                                                                         \
    "\4\0\0\x0a"                                                                                                       \
    "0123456789"

/* Says a piece of a handshake in each record, then "later". */
static void say_pieces(const struct str *pieces, size_t count)
{
    wire_tls->is_client = true;
    for (size_t i = 0; i < count; i++)
        wire_say(TLS_HANDSHAKE, pieces[i]);
}

static void expect_passed_over(const struct str *pieces, size_t count)
{
    say_pieces(pieces, count);
    wire_say(TLS_DATA, STR("later"));
    wire_expect_read(5, STR("later"));
    wire_expect_silence();
    wire_again();
}

static void tickets_in_pieces(void)
{
    static const struct str two = STR_INIT(TICKET TICKET), empty = STR_INIT("\4\0\0\0");
    for (size_t cut = 1; cut < two.n; cut++)
        expect_passed_over((struct str[]){{two.p, cut}, str_skip(two, cut)}, 2);
    for (size_t i = 0; i < two.n; i++) {
        struct str pieces[] = {
            {two.p, 1}, {two.p + 1, 1}, {two.p + 2, 2}, {two.p + 4, i % 10 + 1}, str_skip(two, i % 10 + 5)};
        expect_passed_over(pieces, COUNT(pieces) - (pieces[4].n == 0));
    }
    expect_passed_over(&two, 1);
    expect_passed_over(&empty, 1);
    expect_passed_over((struct str[]){empty, two, empty}, 3);
}

Test(tls_client_wire, tickets_in_pieces)
{
    wire_run(tickets_in_pieces, (struct wire_wanted){.not12 = true});
}

/* A new key behind a ticket. */
static void key_behind_a_ticket(void)
{
    say_pieces((struct str[]){STR(TICKET "\x18\0\0\1\0")}, 1);
    cr_assert_eq(tls_cipher_update(&wire_ways.in.sealer), 0);
    wire_say(TLS_DATA, STR("later"));
    wire_expect_read(5, STR("later"));
}

Test(tls_client_wire, a_key_behind_a_ticket)
{
    wire_run(key_behind_a_ticket, (struct wire_wanted){.not12 = true});
}

static void expect_broken(const struct str *pieces, size_t count, int alert)
{
    say_pieces(pieces, count);
    wire_say(TLS_DATA, STR("later"));
    wire_expect_read(-ECONNABORTED, STR(""));
    wire_expect(TLS_ALERT, (struct str){(const char[]){2, (char)alert}, 2});
    wire_again();
}

static void what_is_no_ticket(void)
{
    static const struct str table[] = {
        STR_INIT(""),
        STR_INIT("\1\0\0\0"),
        STR_INIT("\x0d\0\0\0"),
        STR_INIT("\4"),
        STR_INIT("\4\0\0\1"),
        STR_INIT("\4\0\xff\xff"
                 "0123456789"),
        STR_INIT(TICKET "\1"),
        STR_INIT(TICKET "\x18\0\0\1"),
        STR_INIT(TICKET "\x18\0\0\1\0" TICKET),
        STR_INIT("\x18\0\0\1\0" TICKET),
    };
    for (size_t i = 0; i < COUNT(table); i++)
        expect_broken(&table[i], 1, TLS_UNEXPECTED_MESSAGE);
}

Test(tls_client_wire, what_is_no_ticket)
{
    wire_run(what_is_no_ticket, (struct wire_wanted){.not12 = true});
}

/* Who is the server gets none. */
static void ticket_for_a_server(void)
{
    wire_say(TLS_HANDSHAKE, STR(TICKET));
    wire_expect_read(-ECONNABORTED, STR(""));
    wire_expect(TLS_ALERT, STR("\2\x0a"));
}

Test(tls_client_wire, a_ticket_for_a_server)
{
    wire_run(ticket_for_a_server, (struct wire_wanted){.not12 = true});
}

/* A HelloRequest. */
static void renegotiation(void)
{
    static const struct str request = STR_INIT("\0\0\0\0");
    expect_broken(&request, 1, TLS_NO_RENEGOTIATION);
}

Test(tls_client_wire, a_wish_to_begin_anew)
{
    wire_run(renegotiation, (struct wire_wanted){.not13 = true});
}

/* Tickets without an end bring no content. */
static void flood(void)
{
    static const struct str ticket = STR_INIT(TICKET);
    struct str flood[33];
    for (size_t i = 0; i < COUNT(flood); i++)
        flood[i] = ticket;
    expect_passed_over(flood, COUNT(flood) - 1);
    expect_broken(flood, COUNT(flood), TLS_UNEXPECTED_MESSAGE);
}

Test(tls_client_wire, a_flood_of_tickets)
{
    wire_run(flood, (struct wire_wanted){.not12 = true});
}
