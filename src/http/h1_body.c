/* h1_body.c: the content of a request (RFC 9112, 6 and 7.1), framed by our own code.
 *
 * It reads as it is sent: a line with a size, that many bytes, an empty line, until a size is 0. A wait in the middle
 * is nobody's concern here.
 */
#include <errno.h>

#include "http/h1.h"
#include "http/pace.h"
#include "http/token.h"

enum {
    CHUNK_LINE = 256,     /* bytes of a line with a chunk size, its extensions included */
    CHUNK_DIGITS = 16,    /* hexadecimal digits of a size: no more than 64 bits */
    OVERHEAD = 16 * 1024, /* bytes of such lines beyond those of the content: extensions are no way to hide work */
    TRAILERS = 8 * 1024,  /* bytes of all trailer fields */
};

static nsec body_deadline(struct h1 *h)
{
    return http_body_deadline(h->x.server, &h->body.started, h->body.total + h->body.overhead);
}

/* RFC 9110, 10.1.1: once, and only if nothing of the content has come yet. */
static int send_continue(struct h1 *h)
{
    if (!h->body.expects)
        return 0;
    h->body.expects = false;
    if (h1_buffered(&h->in).n)
        return 0;
    int error = h1_put(h, STR("HTTP/1.1 100 Continue\r\n\r\n"));
    return error ? error : h1_flush(h);
}

/* What is still to be sent goes first: the peer may wait for earlier answers before it sends the rest. One that does
 * not read them is no slow sender. */
static int flush_first(struct h1 *h)
{
    int error = h1_flush(h);
    return error == -ETIMEDOUT ? -EPIPE : error;
}

/* A pinned head may leave no room behind it: then what follows it continues in a buffer of its own, and the head stays
 * where it is, which is why the old buffer becomes the arena's. */
static int more(struct h1 *h)
{
    struct h1_input *in = &h->in;
    int error = flush_first(h);
    if (error)
        return error;
    ssize_t got = h1_input_wait(in, &h->conn->stream, body_deadline(h));
    if (got == -ENOBUFS) {
        char *fresh = arena_alloc(&h->x.arena, H1_IN_SIZE);
        if (!fresh || in->end - in->at >= H1_IN_SIZE)
            return -ENOMEM;
        memcpy(fresh, in->bytes + in->at, in->end - in->at);
        in->end -= in->at;
        in->at = in->base = 0;
        in->bytes = fresh;
        in->room = H1_IN_SIZE;
        got = h1_input_wait(in, &h->conn->stream, body_deadline(h));
    }
    return got == 0 ? -ECONNRESET : got < 0 ? (int)got : 0;
}

/* Takes a line that ends in CRLF, without it, of at most `most` bytes. It is good until more is received. */
static int read_line(struct h1 *h, size_t most, struct str *line)
{
    for (;;) {
        struct str bytes = h1_buffered(&h->in);
        size_t lf = str_find(bytes, '\n');
        if (lf < bytes.n) {
            h->in.at += lf + 1;
            *line = (struct str){bytes.p, lf ? lf - 1 : 0};
            return lf && lf <= most && bytes.p[lf - 1] == '\r' ? 0 : -EBADMSG;
        }
        if (bytes.n > most)
            return -EBADMSG;
        int error = more(h);
        if (error)
            return error;
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = char_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static struct str skip_blanks(struct str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = str_skip(s, 1);
    return s;
}

/* RFC 9112, 7.1.1: *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] ). They mean nothing to us, but what
 * is not one might mean something to somebody else. */
static bool extensions_valid(struct str s)
{
    while (s.n) {
        s = skip_blanks(s);
        if (!str_starts(s, STR(";")))
            return false;
        s = skip_blanks(str_skip(s, 1));
        size_t name = http_token_length(s);
        if (name == 0)
            return false;
        s = str_skip(s, name);
        struct str value = skip_blanks(s);
        if (!str_starts(value, STR("=")))
            continue;
        value = skip_blanks(str_skip(value, 1));
        size_t n = str_starts(value, STR("\"")) ? http_quoted_length(value) : http_token_length(value);
        if (n == 0)
            return false;
        s = str_skip(value, n);
    }
    return true;
}

/* RFC 9112, 7.1: a size, then perhaps extensions. */
static int parse_size(struct str line, uint64_t *size)
{
    size_t digits = 0;
    *size = 0;
    for (; digits < line.n && hex_digit(line.p[digits]) >= 0; digits++)
        *size = *size << 4 | (uint64_t)hex_digit(line.p[digits]);
    if (digits == 0 || digits > CHUNK_DIGITS || !extensions_valid(str_skip(line, digits)))
        return -EBADMSG;
    return 0;
}

static bool is_field(struct str line)
{
    struct str value = line, name = str_cut(&value, ':');
    return name.n < line.n && http_is_token(name) && http_is_field_value(str_trim(value));
}

/* Trailer fields are read and dropped: nothing here asks for them. */
static int read_trailers(struct h1 *h)
{
    size_t total = 0;
    for (;;) {
        struct str line;
        int error = read_line(h, H1_IN_SIZE - CHUNK_LINE, &line);
        if (error)
            return error;
        total += line.n;
        if (line.n == 0)
            return 0;
        if (total > TRAILERS || !is_field(line))
            return -EBADMSG;
    }
}

static int next_chunk(struct h1 *h)
{
    struct h1_body *body = &h->body;
    struct str line;
    int error = 0;
    if (body->between) {
        error = read_line(h, 2, &line);
        if (!error && line.n)
            error = -EBADMSG;
    }
    if (!error)
        error = read_line(h, CHUNK_LINE, &line);
    if (!error)
        error = parse_size(line, &body->left);
    if (!error && (body->overhead += line.n) > OVERHEAD + body->total)
        error = -EBADMSG;
    if (error)
        return error;
    body->between = true;
    if (body->left > h->x.server->limits.body_size - body->total)
        return -EMSGSIZE;
    if (body->left)
        return 0;
    error = read_trailers(h);
    body->ended = !error;
    return error;
}

/* Content from what is buffered, else straight from the socket. */
static ssize_t take(struct h1 *h, void *to, size_t n)
{
    struct str bytes = h1_buffered(&h->in);
    if (n > h->body.left)
        n = (size_t)h->body.left;
    if (bytes.n == 0) {
        int error = flush_first(h);
        if (error)
            return error;
        ssize_t got = stream_read(&h->conn->stream, to, n, body_deadline(h));
        h->in.readable = true; /* we asked for no more than the content has */
        return got == 0 ? -ECONNRESET : got;
    }
    if (n > bytes.n)
        n = bytes.n;
    memcpy(to, bytes.p, n);
    h->in.at += n;
    return (ssize_t)n;
}

static ssize_t read_content(struct h1 *h, void *to, size_t n)
{
    struct h1_body *body = &h->body;
    int error = send_continue(h);
    if (!error && body->framing == H1_CHUNKED && body->left == 0)
        error = next_chunk(h);
    if (error || body->ended)
        return error;
    ssize_t got = take(h, to, n);
    if (got < 0)
        return got;
    body->left -= (uint64_t)got;
    body->total += (uint64_t)got;
    body->ended = body->framing == H1_LENGTH && body->left == 0;
    return got;
}

ssize_t h1_read(struct exchange *x, void *to, size_t n)
{
    struct h1 *h = container_of(x, struct h1, x);
    if (h->body.error || h->body.ended || n == 0)
        return h->body.error;
    ssize_t got = read_content(h, to, n);
    if (got < 0)
        h->body.error = (int)got;
    return got;
}

bool h1_drain(struct h1 *h)
{
    char unwanted[4096];
    uint64_t start = h->body.total;
    if (h->body.expects)
        return h->body.ended; /* the peer was not told to go on, and may or may not send it: nobody can tell */
    while (!h->body.ended && h->body.total - start <= H1_DRAINED)
        if (h1_read(&h->x, unwanted, sizeof unwanted) < 0)
            return false;
    return h->body.ended;
}
