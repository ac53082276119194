/* tls_wire.c: see tls_wire.h. */
#include "tls_wire.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct tls_stream *wire_tls;
struct stream *wire_stream;
struct tls_ways wire_ways;
int wire_peer = -1;

static const struct tls_terms *terms;
static char heard[1 << 20];
static size_t heard_at, heard_size;
static bool heard_end;

const char *wire_name(void)
{
    return terms->name;
}

/* The stream has the ciphers of its end, and the peer is left with the others. */
static void take_ciphers(void)
{
    wire_tls->opener = wire_ways.in.opener;
    wire_tls->sealer = wire_ways.out.sealer;
    wire_ways.in.opener.evp = wire_ways.out.sealer.evp = NULL;
}

static void open_both(void)
{
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    cr_assert_eq(tls_peer_start(&wire_ways, terms), 0);
    wire_tls = calloc(1, sizeof *wire_tls);
    wire_stream = &wire_tls->stream;
    stream_init(wire_stream, &stream_tls, ends[0]);
    wire_tls->ready = true;
    wire_peer = ends[1];
    heard_at = heard_size = 0;
    heard_end = false;
    take_ciphers();
}

static void close_both(void)
{
    stream_close(wire_stream);
    free(wire_tls);
    tls_peer_end(&wire_ways);
    close(wire_peer);
}

void wire_again(void)
{
    close_both();
    open_both();
}

static int on_a_thread(void *test)
{
    open_both();
    (*(void (**)(void))test)();
    close_both();
    return 0;
}

void wire_run(void (*test)(void), struct wire_wanted wanted)
{
    for (terms = tls_terms; terms < tls_terms + TLS_TERMS; terms++)
        if (terms->is13 ? !wanted.not13 : !wanted.not12)
            cr_assert_eq(green_run(&(struct green_options){.stack = 256 * 1024}, on_a_thread, &test), 0);
}

/* ---- the peer ---- */

void wire_say_raw(struct str bytes)
{
    cr_assert_eq(send(wire_peer, bytes.p, bytes.n, MSG_NOSIGNAL), (ssize_t)bytes.n, "%s", terms->name);
}

void wire_say(enum tls_type type, struct str content)
{
    static char record[TLS_SEALED_MOST];
    size_t n = tls_cipher_seal(&wire_ways.in.sealer, record, type, content);
    cr_assert_gt(n, 0);
    wire_say_raw((struct str){record, n});
}

static void receive(void)
{
    memmove(heard, heard + heard_at, heard_size - heard_at);
    heard_size -= heard_at;
    heard_at = 0;
    ssize_t n = 1;
    while (n > 0 && heard_size < sizeof heard) {
        n = recv(wire_peer, heard + heard_size, sizeof heard - heard_size, 0);
        heard_size += n > 0 ? (size_t)n : 0;
        heard_end |= n == 0;
    }
}

/* Of the record in front, with its head; 0: it is not complete. */
static size_t size_in_front(void)
{
    const unsigned char *head = (const unsigned char *)heard + heard_at;
    size_t there = heard_size - heard_at, size = there < TLS_HEAD ? 0 : TLS_HEAD + (size_t)(head[3] << 8 | head[4]);
    return size <= there ? size : 0;
}

ssize_t wire_hear(enum tls_type *type, struct str *content)
{
    if (!size_in_front())
        receive();
    size_t n = size_in_front();
    if (n == 0)
        return heard_end && heard_at == heard_size ? -1 : 0;
    enum tls_alert wrong = tls_cipher_open(&wire_ways.out.opener, heard + heard_at, n, type, content);
    cr_assert_eq(wrong, 0, "%s: %d", terms->name, wrong);
    heard_at += n;
    return (ssize_t)n;
}

void wire_expect(enum tls_type wanted, struct str text)
{
    enum tls_type type = 0;
    struct str content = STR("");
    cr_expect_gt(wire_hear(&type, &content), 0, "%s: silence", terms->name);
    cr_expect_eq(type, wanted, "%s: %d", terms->name, type);
    cr_expect(str_eq(content, text), "%s: %zu bytes, %02x%02x", terms->name, content.n, content.n ? content.p[0] : 0,
              content.n > 1 ? content.p[1] : 0);
}

void wire_expect_silence(void)
{
    enum tls_type type;
    struct str content;
    cr_expect_eq(wire_hear(&type, &content), 0, "%s", terms->name);
}

void wire_expect_end(void)
{
    enum tls_type type;
    struct str content;
    cr_expect_eq(wire_hear(&type, &content), -1, "%s", terms->name);
}

void wire_expect_read(ssize_t result, struct str content)
{
    static char got[1 << 17];
    ssize_t n = wire_stream->ops->read(wire_stream, got, sizeof got);
    cr_expect_eq(n, result, "%s: %zd instead of %zd", terms->name, n, result);
    cr_expect_eq(n > 0 ? (size_t)n : 0, content.n, "%s", terms->name);
    if (n > 0 && (size_t)n == content.n)
        cr_expect_eq(memcmp(got, content.p, content.n), 0, "%s", terms->name);
}

size_t wire_drain(char *to, size_t room)
{
    enum tls_type type;
    struct str content;
    size_t n = 0;
    while (wire_hear(&type, &content) > 0) {
        if (type == TLS_HANDSHAKE) {
            cr_assert_eq(tls_cipher_update(&wire_ways.out.opener), 0);
            continue;
        }
        cr_assert_eq(type, TLS_DATA, "%s: %d", terms->name, type);
        cr_assert_leq(content.n, room - n, "%s: more has come than was written", terms->name);
        if (content.n)
            memcpy(to + n, content.p, content.n);
        n += content.n;
    }
    return n;
}
