/* tls_fuzz.c: what a peer sends after a handshake. It must come to the same however it arrives, and whatever it is.
 *
 * The first octet chooses the terms, and the size of the pieces that it arrives in when it does not arrive at once.
 * Then come parts: an octet that says what the part is, two with its size, and so many octets. What is to be sealed is
 * sealed as it should be, so that it gets to whoever looks at the content; the rest stands there as it is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../tls_peer.h"
#include "net/tls_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { INPUT_MOST = 4096, SENT_MOST = 1 << 18, HEARD_MOST = 1 << 17 };

/* What a connection has come to. */
struct outcome {
    size_t content; /* bytes read */
    int end;        /* what the last read said */
    size_t heard;   /* bytes sent to the peer */
    char read[SENT_MOST], said[HEARD_MOST];
};

static struct tls_stream tls;
static struct tls_ways ways;
static int peer;
static char sent[SENT_MOST];
static size_t sent_size;

static void require(bool promise)
{
    if (!promise)
        abort();
}

/* ---- the input ---- */

enum { RAW = 0, UPDATED = 1, PADDED = 2 }; /* parts that are more, or less, than a record; otherwise its type */

/* Of an octet: so that the usual types are frequent. */
static unsigned kind_of(unsigned char octet)
{
    static const unsigned kinds[] = {
        TLS_DATA, TLS_HANDSHAKE, TLS_ALERT, TLS_DATA, RAW, UPDATED, PADDED, TLS_CHANGE_CIPHER_SPEC,
    };
    return octet < 128 ? kinds[octet % 8] : octet;
}

static void add_record(unsigned type, struct str content)
{
    require(sent_size + content.n + TLS_SEALED <= sizeof sent);
    size_t n = tls_cipher_seal(&ways.in.sealer, sent + sent_size, (enum tls_type)type, content);
    require(n > 0);
    sent_size += n;
}

/* A KeyUpdate, after which the next key is used; in TLS 1.2 a message like any other. */
static void add_update(struct str content)
{
    static const struct str messages[] = {STR_INIT("\x18\0\0\1\0"), STR_INIT("\x18\0\0\1\1")};
    add_record(TLS_HANDSHAKE, messages[content.n % 2]);
    if (ways.in.sealer.is13)
        require(tls_cipher_update(&ways.in.sealer) == 0);
}

static void add_part(unsigned kind, struct str content)
{
    if (kind == RAW) {
        require(sent_size + content.n <= sizeof sent);
        memcpy(sent + sent_size, content.p, content.n);
        sent_size += content.n;
    } else if (kind == UPDATED) {
        add_update(content);
    } else {
        add_record(kind == PADDED ? 0 : kind, content);
    }
}

static void seal_all(struct str input)
{
    sent_size = 0;
    while (input.n >= 3) {
        const unsigned char *head = (const unsigned char *)input.p;
        unsigned kind = kind_of(head[0]);
        size_t n = (size_t)(head[1] << 8 | head[2]);
        input = str_skip(input, 3);
        struct str content = {input.p, n < input.n ? n : input.n};
        input = str_skip(input, content.n);
        if (sent_size + content.n + TLS_SEALED > sizeof sent)
            return;
        add_part(kind, content);
    }
}

/* ---- the connection ---- */

static void open_both(const struct tls_terms *terms)
{
    int ends[2];
    require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    require(tls_peer_start(&ways, terms) == 0);
    tls = (struct tls_stream){.opener = ways.in.opener, .sealer = ways.out.sealer, .ready = true};
    ways.in.opener.evp = ways.out.sealer.evp = NULL;
    stream_init(&tls.stream, &stream_tls, ends[0]);
    peer = ends[1];
}

static void close_both(void)
{
    stream_close(&tls.stream);
    tls_peer_end(&ways);
    close(peer);
}

static void hear(struct outcome *outcome)
{
    ssize_t n;
    while ((n = recv(peer, outcome->said + outcome->heard, sizeof outcome->said - outcome->heard, 0)) > 0)
        outcome->heard += (size_t)n;
    require(n < 0 || outcome->heard < sizeof outcome->said);
}

/* Reads what there is, in pieces of that size, and answers nothing. */
static void read_all(struct outcome *outcome, size_t piece)
{
    ssize_t n;
    do {
        size_t room = sizeof outcome->read - outcome->content;
        n = tls.stream.ops->read(&tls.stream, outcome->read + outcome->content, piece < room ? piece : room);
        require(n <= (ssize_t)piece);
        outcome->content += n > 0 ? (size_t)n : 0;
        require(tls.in.kept_size <= TLS_HEAD + TLS_RECORD + 2048);
    } while (n > 0);
    outcome->end = (int)n;
    int error = tls.stream.ops->flush(&tls.stream);
    require(error <= 0);
    hear(outcome);
}

/* All of it at once, or in pieces; piece 0: at once. Then the end. */
static void feed(struct outcome *outcome, size_t piece)
{
    outcome->content = outcome->heard = 0;
    outcome->end = -EAGAIN;
    for (size_t at = 0; at < sent_size && outcome->end == -EAGAIN;) {
        size_t left = sent_size - at, n = piece && piece < left ? piece : left;
        ssize_t taken = send(peer, sent + at, n, MSG_NOSIGNAL);
        require(taken > 0);
        at += (size_t)taken;
        read_all(outcome, piece ? piece : sizeof outcome->read);
    }
    shutdown(peer, SHUT_WR);
    if (outcome->end == -EAGAIN)
        read_all(outcome, TLS_RECORD);
    if (outcome->end == -EAGAIN) /* the look before has found less than it could take, and the end is behind that */
        read_all(outcome, TLS_RECORD);
    require(outcome->end <= 0 && outcome->end != -EAGAIN);
    stream_shutdown(&tls.stream);
    hear(outcome);
}

static void serve_one(struct outcome *outcome, const struct tls_terms *terms, struct str input, size_t piece)
{
    open_both(terms);
    seal_all(input);
    feed(outcome, piece);
    close_both();
}

/* What is answered is opened by who it is for. */
static void check_answers(struct outcome *outcome, const struct tls_terms *terms)
{
    open_both(terms);
    for (size_t at = 0; at < outcome->heard;) {
        const unsigned char *head = (const unsigned char *)outcome->said + at;
        size_t n = TLS_HEAD + (size_t)(head[3] << 8 | head[4]);
        enum tls_type type;
        struct str content;
        require(outcome->heard - at >= n);
        require(tls_cipher_open(&ways.out.opener, outcome->said + at, n, &type, &content) == 0);
        require(type == TLS_ALERT || (type == TLS_HANDSHAKE && terms->is13));
        if (type == TLS_HANDSHAKE)
            require(tls_cipher_update(&ways.out.opener) == 0);
        at += n;
    }
    close_both();
}

static int compare(void *arg)
{
    static struct outcome whole, split;
    struct str input = *(struct str *)arg;
    unsigned char first = (unsigned char)input.p[0];
    const struct tls_terms *terms = &tls_terms[first % TLS_TERMS];
    size_t piece = 1 + first / TLS_TERMS;
    input = str_skip(input, 1);
    serve_one(&whole, terms, input, 0);
    serve_one(&split, terms, input, piece);
    if (whole.content != split.content || memcmp(whole.read, split.read, whole.content) != 0 ||
        whole.end != split.end || whole.heard != split.heard || memcmp(whole.said, split.said, whole.heard) != 0) {
        fprintf(stderr, "%s: whole: %zu read, %d, %zu answered; by %zu: %zu read, %d, %zu answered\n", terms->name,
                whole.content, whole.end, whole.heard, piece, split.content, split.end, split.heard);
        abort();
    }
    check_answers(&whole, terms);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct str input = {(const char *)bytes, n};
    if (n > 0 && n < INPUT_MOST && green_run(&(struct green_options){.threads = 4}, compare, &input) < 0)
        abort();
    return 0;
}
