/* chunked_fuzz.c: content in chunks: what is read must not depend on how it arrives or how it is asked for, and must be
 * what a plain reading of RFC 9112, 7.1, says. */
#include <stdlib.h>

#include "../wire.h"
#include "http/h1.h"

enum { BODY_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const struct http_server server = {
    .limits = {.body_size = BODY_MAX},
    .timeouts = {.body = 100 * NSEC_SEC, .write = 100 * NSEC_SEC},
};

static struct conns conns = {.server = &server};
static struct conn conn = {.owner = &conns};

struct content {
    int error;
    size_t n, left; /* left: bytes of the input behind it */
    char bytes[BODY_MAX + 64];
};

static void read_content(struct str input, size_t piece, size_t step, struct content *content)
{
    static struct h1 h;
    h.conn = &conn;
    h.x.server = &server;
    h.body = (struct h1_body){.framing = H1_CHUNKED};
    h.out = (struct out){0};
    h1_input_init(&h.in, h.frame_in, sizeof h.frame_in);
    arena_init(&h.x.arena, NULL, 0);
    stream_init(&conn.stream, &wire_ops, wire_start(input, piece));
    content->n = 0;
    ssize_t got;
    while ((got = h1_read(&h.x, content->bytes + content->n, step)) > 0)
        content->n += (size_t)got;
    content->error = (int)got;
    content->left = wire.input.n + h1_buffered(&h.in).n;
    stream_close(&conn.stream);
    arena_clear(&h.x.arena);
}

/* The content of an input that was accepted, once more: a size, so many bytes, CRLF. */
static void check(struct str input, const struct content *content)
{
    size_t n = 0;
    for (;;) {
        char *end;
        size_t size = strtoul(input.p, &end, 16);
        struct str line = str_cut(&input, '\n');
        if (end == line.p || !str_ends(line, STR("\r")) || size > BODY_MAX - n)
            abort();
        if (size == 0)
            break;
        if (memcmp(input.p, content->bytes + n, size) != 0 || memcmp(input.p + size, "\r\n", 2) != 0)
            abort();
        n += size;
        input = str_skip(input, size + 2);
    }
    if (n != content->n || content->left > input.n || memcmp(input.p + input.n - content->left - 2, "\r\n", 2) != 0)
        abort();
}

static int compare(void *arg)
{
    static struct content whole, split;
    struct str input = *(struct str *)arg;
    size_t piece = 1 + (unsigned char)input.p[0] % 16, step = 1 + (unsigned char)input.p[0] / 16;
    input = str_skip(input, 1);
    read_content(input, 0, 64, &whole);
    read_content(input, piece, step, &split);
    if (whole.error != split.error)
        abort();
    if (whole.error == 0) {
        if (whole.n != split.n || whole.left != split.left || memcmp(whole.bytes, split.bytes, whole.n) != 0)
            abort();
        check(input, &whole);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n < 2 || n > 16384)
        return 0;
    char *copy = malloc(n + 1); /* the check reads numbers: they must end somewhere */
    if (!copy)
        return 0;
    memcpy(copy, bytes, n);
    copy[n] = '\0';
    struct str input = {copy, n};
    if (green_run(&(struct green_options){.threads = 16}, compare, &input) < 0)
        abort();
    free(copy);
    return 0;
}
