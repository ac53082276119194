/* h1_body_test.c: content by length and in chunks; the same in pieces of every size. */
#include "http/h1.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "../../wire.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

enum { BODY_MAX = 100 };

static struct http_server server = {
    .limits = {.body_size = BODY_MAX},
    .timeouts = {.body = 10 * NSEC_SEC, .write = 10 * NSEC_SEC},
};

static struct conns conns = {.server = &server};
static struct conn conn = {.owner = &conns};
static struct h1 h;
static char content[4096];

static void start(int fd, const struct stream_ops *ops, struct h1_body body)
{
    h.conn = &conn;
    h.x.server = &server;
    h.x.ops = &h1_ops;
    h.body = body;
    h.out = (struct out){0};
    h1_input_init(&h.in, h.frame_in, sizeof h.frame_in);
    arena_init(&h.x.arena, h.frame_arena, sizeof h.frame_arena);
    stream_init(&conn.stream, ops, fd);
}

static void stop(void)
{
    stream_close(&conn.stream);
    arena_clear(&h.x.arena);
    h1_input_free(&h.in);
}

static void start_wire(struct str bytes, size_t piece, struct h1_body body)
{
    start(wire_start(bytes, piece), &wire_ops, body);
}

/* Everything, in reads of `step` bytes: into `content`. Its length, or what reading came to. */
static ssize_t read_all(size_t step)
{
    size_t n = 0;
    for (;;) {
        ssize_t got = http_read(&h.x, content + n, step);
        if (got <= 0)
            return got < 0 ? got : (ssize_t)n;
        n += (size_t)got;
    }
}

static void run(green_fn *test, void *arg)
{
    cr_assert_eq(green_run(&(struct green_options){.stack = 256 * 1024}, test, arg), 0);
}

struct chunked {
    const char *bytes;
    int error;
    const char *content, *rest; /* rest: what follows on the connection */
};

static void expect_chunked(const struct chunked *c, size_t piece, size_t step)
{
    struct str bytes = str_of(c->bytes);
    start_wire(bytes, piece, (struct h1_body){.framing = H1_CHUNKED});
    ssize_t got = read_all(step);
    if (c->error) {
        cr_expect_eq(got, c->error, "%s by %zu: %zd", c->bytes, piece, got);
        cr_expect_eq(http_read(&h.x, content, 1), c->error, "%s: an error is for good", c->bytes);
        cr_expect_not(h.body.ended, "%s: nobody knows where the next request begins", c->bytes);
        cr_expect_not(h1_drain(&h), "%s", c->bytes);
    } else {
        cr_expect(got >= 0 && str_eq((struct str){content, (size_t)got}, str_of(c->content)), "%s by %zu: %zd",
                  c->bytes, piece, got);
        cr_expect_eq(http_read(&h.x, content, 1), 0);
        struct str buffered = h1_buffered(&h.in), rest = str_of(c->rest);
        cr_expect(str_starts(rest, buffered), "%s by %zu", c->bytes, piece);
        cr_expect_eq(buffered.n + wire.input.n, rest.n, "%s by %zu: nothing more was taken", c->bytes, piece);
    }
    stop();
}

static int every_piece(void *arg)
{
    const struct chunked *c = arg;
    for (size_t piece = 0; piece <= strlen(c->bytes); piece++)
        for (size_t step = 1; step < 64; step *= 4)
            expect_chunked(c, piece, step);
    return 0;
}

#define DIGITS_64 "0123456789012345678901234567890123456789012345678901234567890123"

static const struct chunked refused[] = {
    /* RFC 9112, 7.1: chunk-size = 1*HEXDIG */
    {"\r\n", -EBADMSG, NULL, NULL},
    {" 5\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"+5\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"-5\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"0x5\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"g\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5g\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5 \r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5\t\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5\r\nhello\r\n0 \r\n\r\n", -EBADMSG, NULL, NULL},
    {"5 junk\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5,\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5\t5\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {";a=b\r\n\r\n", -EBADMSG, NULL, NULL},
    {"\"5\"\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    /* no overflow */
    {"1000000000000000\r\n", -EMSGSIZE, NULL, NULL},
    {"ffffffffffffffff\r\n", -EMSGSIZE, NULL, NULL},
    {"1\r\nx\r\nffffffffffffffff\r\n", -EMSGSIZE, NULL, NULL},
    {"00000000000000005\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"10000000000000005\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"00000000000000000000005\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"fffffffffffffff\r\n", -EMSGSIZE, NULL, NULL},
    /* CRLF, strictly */
    {"5\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5\r\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5;\rx\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5\r\nhello\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5\r\nhello0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5\r\nhelloX\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5\r\nhello \r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"4\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"6\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5\r\nhello\r\n\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"0\n\r\n", -EBADMSG, NULL, NULL},
    {"0\r\n\n", -EBADMSG, NULL, NULL},
    {"0\r\n\rX\r\n\r\n", -EBADMSG, NULL, NULL},
    /* 7.1.1: extensions have names, values are tokens or quoted */
    {"5;\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5;a;\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5;a \r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5;a=b \r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5;=b\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5;a=\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5;a=;b\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5;a b\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5;a=b c\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5;a=b=c\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5;a,b\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5;a=\"b\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5;a=\"b\\\"\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5;a=\"b\"c\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5;\"a\"\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5;a=\xc3\xa4\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5;a=\"\x01\"\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5;a=\"\\\x01\"\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5;a=\"\x7f\"\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    /* without control bytes, and not without end */
    {"5;a\nb\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5;a\x01\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5;a\x7f\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5 a=b\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    {"5;" DIGITS_64 DIGITS_64 DIGITS_64 DIGITS_64 "\r\nhello\r\n0\r\n\r\n", -EBADMSG, NULL, NULL},
    /* 7.1.2: trailers are fields */
    {"0\r\nX\r\n\r\n", -EBADMSG, NULL, NULL},
    {"0\r\n: x\r\n\r\n", -EBADMSG, NULL, NULL},
    {"0\r\nX Y: a\r\n\r\n", -EBADMSG, NULL, NULL},
    {"0\r\nX : a\r\n\r\n", -EBADMSG, NULL, NULL},
    {"0\r\nX\t: a\r\n\r\n", -EBADMSG, NULL, NULL},
    {"0\r\nX: a\nY: b\r\n\r\n", -EBADMSG, NULL, NULL},
    {"0\r\nX: a\rb\r\n\r\n", -EBADMSG, NULL, NULL},
    {"0\r\nX: a\x01\r\n\r\n", -EBADMSG, NULL, NULL},
    {"0\r\nX: a\r\n b:\r\n\r\n", -EBADMSG, NULL, NULL},
    {"0\r\n\tX: a\r\n\r\n", -EBADMSG, NULL, NULL},
    /* the peer ends early */
    {"", -ECONNRESET, NULL, NULL},
    {"5", -ECONNRESET, NULL, NULL},
    {"5\r", -ECONNRESET, NULL, NULL},
    {"5\r\n", -ECONNRESET, NULL, NULL},
    {"5\r\nhell", -ECONNRESET, NULL, NULL},
    {"5\r\nhello", -ECONNRESET, NULL, NULL},
    {"5\r\nhello\r\n", -ECONNRESET, NULL, NULL},
    {"5\r\nhello\r\n0", -ECONNRESET, NULL, NULL},
    {"5\r\nhello\r\n0\r\n", -ECONNRESET, NULL, NULL},
    {"5\r\nhello\r\n0\r\nX: a\r\n", -ECONNRESET, NULL, NULL},
    /* more than there may be: BODY_MAX is 100 */
    {"65\r\n", -EMSGSIZE, NULL, NULL},
    {"40\r\n" DIGITS_64 "\r\n25\r\n", -EMSGSIZE, NULL, NULL},
};

Test(h1_body, chunks_refused)
{
    for (size_t i = 0; i < COUNT(refused); i++)
        run(every_piece, (void *)&refused[i]);
}

static const struct chunked accepted[] = {
    {"0\r\n\r\n", 0, "", ""},
    {"00000\r\n\r\nGET /", 0, "", "GET /"},
    {"5\r\nhello\r\n0\r\n\r\n", 0, "hello", ""},
    {"5\r\nhello\r\n0\r\n\r\n\r\nGET / HTTP/1.1\r\n", 0, "hello", "\r\nGET / HTTP/1.1\r\n"},
    {"1\r\nh\r\n0004\r\nello\r\n0\r\n\r\n", 0, "hello", ""},
    {"A\r\n0123456789\r\n0\r\n\r\n", 0, "0123456789", ""},
    {"a\r\n\r\n0\r\n\r\n\r\nX\r\n0\r\n\r\n", 0, "\r\n0\r\n\r\n\r\nX", ""},
    {"0000000000000005\r\nhello\r\n0\r\n\r\n", 0, "hello", ""},
    {"40\r\n" DIGITS_64 "\r\n24\r\n"
     "012345678901234567890123456789abcdef"
     "\r\n0\r\n\r\n",
     0, DIGITS_64 "012345678901234567890123456789abcdef", ""},
    {"5;a\r\nhello\r\n0;b=c\r\n\r\n", 0, "hello", ""},
    {"3\t;x\r\nabc\r\n0\r\n\r\n", 0, "abc", ""},
    {"5 \t; a=\"b;c \"\r\nhello\r\n0\r\n\r\n", 0, "hello", ""},
    {"5;a=\"\xc3\xa4\\\"\"\r\nhello\r\n0\r\n\r\n", 0, "hello", ""},
    {"5 ; a\t= \"\";b;c=d\r\nhello\r\n0\r\n\r\n", 0, "hello", ""},
    {"5\r\nhello\r\n0\r\nX: a\r\nContent-Length: 7\r\nY:\t\xff\r\n\r\nrest", 0, "hello", "rest"},
};

Test(h1_body, chunks)
{
    for (size_t i = 0; i < COUNT(accepted); i++)
        run(every_piece, (void *)&accepted[i]);
}

/* A chunk's line may have 256 bytes, all trailers 8 KiB. */
static int limits_of_lines(void *arg)
{
    (void)arg;
    static char bytes[16 * 1024];
    struct chunked c = {bytes, 0, "", ""};
    sprintf(bytes, "0;%0*d\r\n\r\n", 253, 0);
    expect_chunked(&c, 0, 64);
    expect_chunked(&c, 255, 64);
    size_t n = (size_t)sprintf(bytes, "0\r\n");
    for (int i = 0; i < 4; i++)
        n += (size_t)sprintf(bytes + n, "X: %0*d\r\n", 2000, 0);
    strcpy(bytes + n, "\r\n");
    expect_chunked(&c, 0, 64);
    expect_chunked(&c, 100, 64);
    c.error = -EBADMSG;
    n += (size_t)sprintf(bytes + n, "X: %0*d\r\n", 1000, 0);
    expect_chunked(&c, 0, 64);
    expect_chunked(&c, 100, 64);
    sprintf(bytes, "0\r\nX: %0*d\r\n\r\n", 5000, 0);
    expect_chunked(&c, 0, 64);
    expect_chunked(&c, 1000, 64);
    return 0;
}

Test(h1_body, limits_of_lines)
{
    run(limits_of_lines, NULL);
}

/* Every line is short enough, but all of them are much more than what they bring. */
static int extensions_without_content(void *arg)
{
    (void)arg;
    enum { EXTENSION = 220 };
    static char bytes[32 * 1024], brought[BODY_MAX + 1];
    struct chunked c = {bytes, 0, brought, ""};
    for (int chunks = 70; chunks <= 95; chunks += 25) { /* 15 and 20 KiB */
        size_t n = 0;
        for (int i = 0; i < chunks; i++)
            n += (size_t)sprintf(bytes + n, "1;%0*d\r\nx\r\n", EXTENSION, 0);
        strcpy(bytes + n, "0\r\n\r\n");
        memset(brought, 'x', (size_t)chunks);
        c.error = chunks == 70 ? 0 : -EBADMSG;
        expect_chunked(&c, 0, 64);
        expect_chunked(&c, 100, 1);
    }
    return 0;
}

Test(h1_body, extensions_without_content)
{
    run(extensions_without_content, NULL);
}

static int by_length(void *arg)
{
    (void)arg;
    for (size_t piece = 0; piece <= 9; piece++)
        for (size_t step = 1; step < 9; step++) {
            start_wire(STR("helloGET"), piece, (struct h1_body){.framing = H1_LENGTH, .left = 5});
            cr_expect_eq(read_all(step), 5);
            cr_expect_eq(memcmp(content, "hello", 5), 0);
            cr_expect(str_eq(wire.input, STR("GET")), "nothing more was taken");
            stop();
            start_wire(STR("hell"), piece, (struct h1_body){.framing = H1_LENGTH, .left = 5});
            cr_expect_eq(read_all(step), -ECONNRESET);
            cr_expect_eq(h.body.total, 4);
            stop();
        }
    return 0;
}

Test(h1_body, by_length)
{
    run(by_length, NULL);
}

static int none(void *arg)
{
    (void)arg;
    start_wire(STR("GET"), 0, (struct h1_body){.framing = H1_NO_BODY, .ended = true});
    cr_expect_eq(http_read(&h.x, content, 1), 0);
    cr_expect(h1_drain(&h));
    cr_expect_eq(wire.input.n, 3);
    stop();
    return 0;
}

Test(h1_body, none)
{
    run(none, NULL);
}

#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

static int expecting(void *arg)
{
    (void)arg;
    struct h1_body expects = {.framing = H1_LENGTH, .left = 5, .expects = true};
    start_wire(STR("hello"), 2, expects);
    cr_expect_eq(wire.written, 0, "not before somebody reads");
    cr_expect_eq(read_all(2), 5);
    cr_expect(str_eq(wire_output(), STR(CONTINUE)), "once");
    stop();
    start_wire(STR("hello"), 0, expects);
    cr_assert_eq(h1_input_try(&h.in, &conn.stream), 5);
    cr_expect_eq(read_all(5), 5);
    cr_expect_eq(wire.written, 0, "the peer did not wait for it");
    stop();
    start_wire(STR("hello"), 0, expects);
    cr_expect_not(h1_drain(&h), "whether the content comes is the peer's choice");
    cr_expect_eq(wire.written, 0);
    stop();
    return 0;
}

/* RFC 9110, 10.1.1 */
Test(h1_body, expectation)
{
    run(expecting, NULL);
}

static int draining(void *arg)
{
    (void)arg;
    enum { MUCH = 1 << 20 };
    char *bytes = calloc(1, MUCH);
    cr_assert_not_null(bytes);
    server.limits.body_size = MUCH;
    start_wire((struct str){bytes, MUCH}, 0, (struct h1_body){.framing = H1_LENGTH, .left = 200000});
    cr_expect(h1_drain(&h));
    cr_expect_eq(wire.input.n, MUCH - 200000);
    stop();
    start_wire((struct str){bytes, MUCH}, 0, (struct h1_body){.framing = H1_LENGTH, .left = MUCH});
    cr_expect_not(h1_drain(&h), "too much to be worth it");
    cr_expect_gt(wire.input.n, MUCH / 2);
    stop();
    start_wire(STR("x\r\n"), 0, (struct h1_body){.framing = H1_CHUNKED});
    cr_expect_not(h1_drain(&h));
    stop();
    start_wire(STR("5\r\nhello\r\n0\r\n\r\nGET"), 0, (struct h1_body){.framing = H1_CHUNKED});
    cr_expect(h1_drain(&h));
    cr_expect(str_eq(h1_buffered(&h.in), STR("GET")));
    stop();
    free(bytes);
    return 0;
}

Test(h1_body, unwanted_content)
{
    run(draining, NULL);
}

/* What was made before is not held back while the content is waited for. */
static int answers_go_first(void *arg)
{
    const struct h1_body *body = arg;
    start_wire(STR("5\r\n"), 1, *body);
    cr_assert_eq(h1_put(&h, STR("earlier")), 0);
    cr_expect_eq(read_all(10), body->framing == H1_LENGTH ? 3 : -ECONNRESET);
    cr_expect(str_eq(wire_output(), STR("earlier")));
    stop();
    return 0;
}

Test(h1_body, earlier_answers_go_first)
{
    run(answers_go_first, &(struct h1_body){.framing = H1_CHUNKED});
    run(answers_go_first, &(struct h1_body){.framing = H1_LENGTH, .left = 3});
}

/* A head has left no room behind it. */
static int no_room(void *arg)
{
    (void)arg;
    start_wire(STR("5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\n"), 1, (struct h1_body){.framing = H1_CHUNKED});
    h.in.at = h.in.end = H1_IN_SIZE;
    h1_input_pin(&h.in);
    memset(h.frame_in, 'H', sizeof h.frame_in);
    cr_expect_eq(read_all(10), 5);
    cr_expect_eq(memcmp(content, "hello", 5), 0);
    cr_expect_eq(h.frame_in[0], 'H');
    cr_expect_eq(h.frame_in[H1_IN_SIZE - 1], 'H', "the head stays as it was");
    h1_input_unpin(&h.in, h.frame_in, sizeof h.frame_in);
    arena_clear(&h.x.arena);
    while (h1_input_wait(&h.in, &conn.stream, NSEC_NEVER) > 0)
        ;
    cr_expect(str_eq(h1_buffered(&h.in), STR("GET / HTTP/1.1\r\n")), "the next request, in memory of its own");
    stop();
    return 0;
}

Test(h1_body, a_head_that_left_no_room)
{
    run(no_room, NULL);
}

static int silent(void *arg)
{
    (void)arg;
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    server.timeouts.body = 10 * NSEC_MS;
    start(ends[0], &stream_plain, (struct h1_body){.framing = H1_CHUNKED});
    cr_assert_eq(write(ends[1], "5\r\nhe", 5), 5);
    cr_expect_eq(read_all(10), -ETIMEDOUT);
    cr_expect_eq(h.body.total, 2);
    stop();
    close(ends[1]);
    return 0;
}

Test(h1_body, a_peer_that_falls_silent)
{
    run(silent, NULL);
}

/* One that does not take its earlier answers is not told that it is too slow in sending. */
static int deaf(void *arg)
{
    static char answer[4 << 20];
    int ends[2];
    (void)arg;
    server.timeouts.write = 10 * NSEC_MS;
    for (int chunked = 0; chunked < 2; chunked++) {
        cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
        start(ends[0], &stream_plain, (struct h1_body){.framing = chunked ? H1_CHUNKED : H1_LENGTH, .left = 5});
        cr_assert_eq(write(ends[1], "5\r\nhe", 5), 5);
        while (write(ends[0], answer, sizeof answer) > 0)
            ;
        cr_assert_eq(h1_put(&h, STR("earlier")), 0);
        cr_expect_eq(read_all(10), -EPIPE, "%d", chunked);
        stop();
        close(ends[1]);
    }
    return 0;
}

Test(h1_body, a_peer_that_does_not_take_earlier_answers)
{
    run(deaf, NULL);
}
