/* tls_stream.c: see tls_stream.h: records on a connection whose handshake is done (RFC 8446, 5; RFC 5246, 6).
 *
 * Each operation begins with the buffers of the worker and ends by putting away what is left in them; in between no
 * other green thread runs.
 */
#include "net/tls_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/tls_core.h"

enum {
    SMALL_RECORD = 1400, /* fits into a packet, so that the first bytes can be used when the first packet has come */
    SMALL_BYTES = 64 * 1024, /* sent in small records, while the network is being tried */
    IDLE_RECORDS = 64,       /* that bring no content: who sends more of them means no good ... */
    MADE_UP_FOR = 16 * 1024, /* ... but so many bytes of content make up for one */
    KEY_UPDATE_COST = 2,     /* as one of them, since keys are derived anew */
    RECORD_COST = 16 * 1024, /* bytes of content that are as much work as a record, however short it is */
};
#define SLOW_AGAIN NSEC_SEC /* of silence: the network may be another one */

static struct tls_stream *of(const struct stream *s)
{
    return container_of((struct stream *)s, struct tls_stream, stream);
}

int tls_stream_start(struct stream *s, const struct tls_context *context)
{
    struct tls_stream *t = of(s);
    *t = (struct tls_stream){.stream = *s, .peer = {.endpoint = context, .chosen = context}};
    return tls_handshake_begin(t);
}

const struct tls_peer *tls_peer_of(const struct stream *s)
{
    return of(s)->ready ? &of(s)->peer : NULL;
}

struct str tls_protocol(const struct stream *s)
{
    return of(s)->protocol;
}

/* ---- operations ---- */

void tls_begin(struct tls_stream *t)
{
    tls_inbox_begin(&t->in);
    t->batch = tls_batch_begin();
    tls_outbox_unhold(&t->out, t->batch);
}

int tls_end(struct tls_stream *t, enum tls_ending how)
{
    int kept = tls_inbox_end(&t->in);
    int error = how == TLS_HOLD ? tls_outbox_hold(&t->out, t->batch)
                                : tls_outbox_send(&t->out, &t->stream, t->batch, how == TLS_SEND_MORE);
    t->batch = NULL;
    t->broken |= kept < 0 || (error && error != -EAGAIN);
    return kept < 0 ? kept : error;
}

/* Puts a record into the batch. False: there is no room, or it can't be made. */
static bool put_record(struct tls_stream *t, enum tls_type type, struct str content)
{
    if (tls_batch_room(t->batch) < content.n + TLS_SEALED)
        return false;
    size_t size = tls_cipher_seal(&t->sealer, t->batch->bytes + t->batch->size, type, content);
    t->batch->size += size;
    t->broken |= size == 0;
    return size > 0;
}

static void put_alert(struct tls_stream *t, bool fatal, enum tls_alert alert)
{
    const char content[] = {fatal ? 2 : 1, (char)alert};
    (void)!put_record(t, TLS_ALERT,
                      (struct str){content, sizeof content}); /* there is no room only for who reads nothing */
}

/* ---- what is no content ---- */

enum { WARNING = 1, NEW_SESSION_TICKET = 4, HANDSHAKE_HEAD = 4 };

/* The key that we seal with gives way to the next one (RFC 8446, 4.6.3). */
static bool update_sealer(struct tls_stream *t)
{
    static const struct str message = STR_INIT("\x18\0\0\1\0"); /* not asking for the same */
    return put_record(t, TLS_HANDSHAKE, message) && tls_cipher_update(&t->sealer) == 0;
}

/* Sessions of ours are not resumed, so a server's tickets are passed over (RFC 8446, 4.6.1): a record may have several,
 * and one may need several records (5.1). What is left of the message is something else. */
static struct str skip_tickets(struct tls_stream *t, struct str message)
{
    while (message.n && (t->ticket_head || message.p[0] == NEW_SESSION_TICKET)) {
        size_t n = 1;
        if (t->ticket_head < HANDSHAKE_HEAD) {
            t->ticket = t->ticket_head++ ? t->ticket << 8 | (unsigned char)message.p[0] : 0;
        } else {
            n = t->ticket < message.n ? t->ticket : message.n;
            t->ticket -= (uint32_t)n;
        }
        message = str_skip(message, n);
        if (t->ticket_head == HANDSHAKE_HEAD && t->ticket == 0)
            t->ticket_head = 0;
    }
    return message;
}

/* RFC 8446, 4.6.3: nothing stands behind it in its record, since that would be of the old key. In TLS 1.2 it can only
 * be the wish to begin anew, which is not granted. */
static enum tls_alert on_handshake(struct tls_stream *t, struct str message)
{
    static const struct str head = STR_INIT("\x18\0\0\1");
    if (!t->opener.is13)
        return TLS_NO_RENEGOTIATION;
    if (t->is_client && message.n) {
        message = skip_tickets(t, message);
        if (message.n == 0)
            return 0;
    }
    if (!str_starts(message, head) || message.n != head.n + 1)
        return TLS_UNEXPECTED_MESSAGE;
    unsigned char asked = (unsigned char)message.p[head.n];
    if (asked > 1)
        return TLS_ILLEGAL_PARAMETER;
    if (tls_cipher_update(&t->opener) < 0 || (asked && !update_sealer(t)))
        return TLS_INTERNAL_ERROR;
    return 0;
}

/* RFC 8446, 6: all but two end the connection, at once and without an answer. An empty one is none (5.4). */
static enum tls_alert on_alert(struct tls_stream *t, struct str alert)
{
    if (alert.n != 2)
        return alert.n ? TLS_DECODE_ERROR : TLS_UNEXPECTED_MESSAGE;
    enum tls_alert what = (enum tls_alert)(unsigned char)alert.p[1];
    bool harmless = what == TLS_USER_CANCELED || (!t->opener.is13 && alert.p[0] == WARNING);
    t->ended = what == TLS_CLOSE_NOTIFY;
    t->broken |= !t->ended && !harmless;
    return 0;
}

static enum tls_alert on_data(struct tls_stream *t, struct str content)
{
    if (t->ticket_head)
        return TLS_UNEXPECTED_MESSAGE; /* it has not come to its end (RFC 8446, 5.1) */
    if (content.n)
        tls_inbox_opened(&t->in, content);
    return 0;
}

static enum tls_alert on_unexpected(struct tls_stream *t, struct str content)
{
    (void)t, (void)content;
    return TLS_UNEXPECTED_MESSAGE;
}

/* Whatever comes is work, and counts for the turns that others get. Of what brings no content there may only be so
 * much. False: there was more. */
static bool charge(struct tls_stream *t, enum tls_type type, size_t content)
{
    t->stream.burst += RECORD_COST;
    if (type == TLS_DATA && content) {
        t->served += (uint32_t)content;
        if (t->served >= MADE_UP_FOR) {
            t->served -= MADE_UP_FOR;
            t->idle_records -= t->idle_records > 0;
        }
        return true;
    }
    t->idle_records += type == TLS_HANDSHAKE ? KEY_UPDATE_COST : 1;
    return t->idle_records <= IDLE_RECORDS;
}

static enum tls_alert serve_record(struct tls_stream *t, enum tls_type type, struct str content)
{
    static enum tls_alert (*const served[])(struct tls_stream *, struct str) = {
        [TLS_CHANGE_CIPHER_SPEC] = on_unexpected,
        [TLS_ALERT] = on_alert,
        [TLS_HANDSHAKE] = on_handshake,
        [TLS_DATA] = on_data,
    };
    bool known = type >= TLS_CHANGE_CIPHER_SPEC && type <= TLS_DATA;
    if (!charge(t, type, content.n))
        return TLS_UNEXPECTED_MESSAGE;
    return (known ? served[type] : on_unexpected)(t, content);
}

/* ---- reading ---- */

/* Sees to it that there is content to read. 1; 0: the peer has ended in good order; -EAGAIN; -errno. */
static int await_content(struct tls_stream *t)
{
    while (!t->in.content && !t->ended && !t->broken) {
        char *record;
        enum tls_type type;
        struct str content;
        ssize_t n = tls_inbox_next(&t->in, &t->stream, &record);
        if (n <= 0)
            return n < 0 ? (int)n : -ECONNRESET; /* an end that was not announced may be somebody else's doing */
        enum tls_alert wrong = tls_cipher_open(&t->opener, record, (size_t)n, &type, &content);
        if (!wrong)
            wrong = serve_record(t, type, content);
        if (wrong) {
            put_alert(t, true, wrong);
            t->broken = true;
        }
    }
    return t->broken ? -ECONNABORTED : !t->ended;
}

static ssize_t tls_read(struct stream *s, void *to, size_t n)
{
    struct tls_stream *t = of(s);
    size_t done = 0;
    int result = 1;
    if (t->broken || !t->ready)
        return -ECONNABORTED;
    tls_begin(t);
    while (done < n && (done == 0 || tls_inbox_has_more(&t->in)) && (result = await_content(t)) > 0)
        done += tls_inbox_read(&t->in, (char *)to + done, n - done);
    /* What is to be answered goes with the answer to what was read; or, before a wait, by itself. */
    (void)!tls_end(t, t->broken ? TLS_SEND : TLS_HOLD);
    s->more = done && (t->ended || t->broken); /* which no event will tell of */
    return done ? (ssize_t)done : result;
}

/* ---- writing ---- */

/* Puts bytes into records, as many as the batch has room for. The number of these bytes. */
static size_t seal(struct tls_stream *t, struct str bytes)
{
    size_t sealed = 0;
    while (sealed < bytes.n && !t->broken) {
        size_t size = t->small < SMALL_BYTES ? SMALL_RECORD : TLS_RECORD, left = bytes.n - sealed;
        size = size < left ? size : left;
        if (tls_cipher_is_worn(&t->sealer) && !(t->sealer.is13 && update_sealer(t)))
            t->broken = true;
        if (t->broken || !put_record(t, TLS_DATA, (struct str){bytes.p + sealed, size}))
            break;
        t->small += t->small < SMALL_BYTES ? (uint32_t)size : 0;
        sealed += size;
    }
    return sealed;
}

/* A piece of nothing may have no address. */
static void gather(char *to, struct str bytes)
{
    if (bytes.n)
        memcpy(to, bytes.p, bytes.n);
}

/* Small pieces share a record; what is large enough for one is sealed where it is. */
static size_t seal_pieces(struct tls_stream *t, const struct iovec *pieces, int count)
{
    static char together[TLS_RECORD];
    size_t sealed = 0, gathered = 0;
    for (int i = 0; i < count; i++) {
        struct str piece = {pieces[i].iov_base, pieces[i].iov_len};
        if (gathered + piece.n <= sizeof together && i + 1 < count) {
            gather(together + gathered, piece);
            gathered += piece.n;
            continue;
        }
        size_t n = gathered && piece.n > sizeof together - gathered ? sizeof together - gathered : piece.n;
        if (gathered) {
            gather(together + gathered, (struct str){piece.p, n});
            size_t done = seal(t, (struct str){together, gathered + n});
            sealed += done;
            if (done < gathered + n)
                return sealed;
            piece = str_skip(piece, n);
            gathered = 0;
        }
        size_t done = seal(t, piece);
        sealed += done;
        if (done < piece.n)
            return sealed;
    }
    return sealed;
}

/* A write begins by finishing the one before. Bytes: those that it took, and never told of. */
static ssize_t resume(struct tls_stream *t)
{
    if (t->broken || !t->ready)
        return -ECONNABORTED;
    bool unsent = t->out.unsent && !t->out.held;
    int error = unsent ? tls_outbox_send(&t->out, &t->stream, tls_batch_begin(), false) : 0;
    if (error)
        return error;
    size_t owed = t->owed;
    t->owed = 0;
    return (ssize_t)owed;
}

static void begin_write(struct tls_stream *t)
{
    if (green_now() - t->wrote > SLOW_AGAIN)
        t->small = 0;
    t->wrote = green_now();
    tls_begin(t);
}

/* What was sealed counts as taken when all of it is sent: whoever waits until then waits for the peer. */
static ssize_t end_write(struct tls_stream *t, size_t sealed, bool more)
{
    bool few =
        t->batch->size < TLS_RECORD; /* if more follows soon, they can wait for it here as well as in the kernel */
    int error = tls_end(t, !more ? TLS_SEND : few ? TLS_HOLD : TLS_SEND_MORE);
    t->owed = error == -EAGAIN ? (uint32_t)sealed : 0;
    return error ? error : t->broken ? -ECONNABORTED : (ssize_t)sealed;
}

static ssize_t tls_write(struct stream *s, const struct iovec *pieces, int count, bool more)
{
    struct tls_stream *t = of(s);
    ssize_t owed = resume(t);
    if (owed)
        return owed;
    begin_write(t);
    return end_write(t, seal_pieces(t, pieces, count), more);
}

/* As much of a file as one batch takes. Bytes; 0 at its end; -errno. */
static ssize_t seal_file(struct tls_stream *t, int file, off_t at, size_t n)
{
    static char content[TLS_BATCH];
    ssize_t got = pread(file, content, n < sizeof content ? n : sizeof content, at);
    return got < 0 ? -errno : (ssize_t)seal(t, (struct str){content, (size_t)got});
}

static ssize_t tls_sendfile(struct stream *s, int file, off_t *at, size_t n)
{
    struct tls_stream *t = of(s);
    ssize_t sent = resume(t);
    if (sent == 0) {
        begin_write(t);
        ssize_t sealed = seal_file(t, file, *at, n);
        sent = end_write(t, sealed > 0 ? (size_t)sealed : 0, false);
        sent = sealed < 0 ? sealed : sent;
    }
    *at += sent > 0 ? sent : 0;
    return sent;
}

static int tls_flush(struct stream *s)
{
    struct tls_stream *t = of(s);
    return t->out.unsent && !t->broken ? tls_outbox_send(&t->out, s, tls_batch_begin(), false) : 0;
}

/* ---- the end ---- */

/* Tells the peer that nothing more comes (RFC 8446, 6.1), so that it knows that nothing was cut off. */
static void say_end(struct tls_stream *t)
{
    if (!t->ready || t->broken || t->said_end)
        return;
    t->said_end = true;
    tls_begin(t);
    put_alert(t, false, TLS_CLOSE_NOTIFY);
    (void)!tls_end(t, TLS_SEND); /* what there is no room for now is sent by tls_flush(), if anybody waits for that */
}

static void tls_say_end(struct stream *s)
{
    say_end(of(s));
}

static void tls_shutdown(struct stream *s)
{
    say_end(of(s));
    shutdown(s->fd.fd, SHUT_WR); /* a failure means that there is no peer any more */
}

static void tls_close(struct stream *s)
{
    struct tls_stream *t = of(s);
    say_end(t);
    tls_handshake_end(t);
    tls_cipher_end(&t->opener);
    tls_cipher_end(&t->sealer);
    tls_boxes_free(&t->in, &t->out);
    free(t->name);
    free(t->subject);
    green_fd_close(&s->fd);
}

const struct stream_ops stream_tls = {
    .size = sizeof(struct tls_stream),
    .read = tls_read,
    .write = tls_write,
    .sendfile = tls_sendfile,
    .flush = tls_flush,
    .say_end = tls_say_end,
    .shutdown = tls_shutdown,
    .close = tls_close,
};
