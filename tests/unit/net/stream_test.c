/* stream_test.c: what waits on a stream, and how it ends: on a socket pair with a slow, a silent or no peer. */
#include "net/stream.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHORTLY (10 * NSEC_MS)
#define LONG (60 * NSEC_SEC)

enum { MUCH = 3 << 20 };

static struct stream stream;
static int peer = -1, file = -1;
static struct file_stamp stamp;
static char sent[MUCH], received[MUCH + 1];

static void open_pair(const struct stream_ops *ops)
{
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    stream_init(&stream, ops, ends[0]);
    peer = ends[1];
}

static void setup(void)
{
    srand(3);
    for (size_t i = 0; i < MUCH; i++)
        sent[i] = (char)rand();
}

TestSuite(stream, .init = setup);

/* Runs a test on a green thread, with a stream whose other end is `peer`. */
static int on_a_thread(void *test)
{
    open_pair(&stream_plain);
    (*(void (**)(void))test)();
    stream_close(&stream);
    if (peer >= 0)
        close(peer);
    return 0;
}

static void run(void (*test)(void))
{
    cr_assert_eq(green_run(&(struct green_options){.stack = 256 * 1024}, on_a_thread, &test), 0);
}

/* The peer, as a green thread: reads until the end. */
static int read_everything(void *count)
{
    struct stream other;
    size_t n = 0;
    stream_init(&other, &stream_plain, peer);
    peer = -1;
    for (ssize_t got; (got = stream_read(&other, received + n, sizeof received - n, NSEC_NEVER)) > 0;)
        n += (size_t)got;
    stream_close(&other);
    *(size_t *)count = n;
    return 0;
}

static void fill(void)
{
    while (send(stream.fd.fd, sent, sizeof sent, MSG_NOSIGNAL) > 0)
        ;
}

static void make_file(size_t size)
{
    char path[] = "/tmp/tern-stream-XXXXXX";
    file = mkstemp(path);
    cr_assert_geq(file, 0);
    unlink(path);
    cr_assert_eq(write(file, sent, size), (ssize_t)size);
    struct stat st;
    cr_assert_eq(fstat(file, &st), 0);
    stamp = (struct file_stamp){st.st_size, st.st_mtim};
}

/* ---- no peer, or a silent one ---- */

static void nothing_comes(void)
{
    char byte;
    cr_expect_eq(stream_try_read(&stream, &byte, 1), -EAGAIN);
    cr_expect_eq(stream_read(&stream, &byte, 1, green_now() - 1), -ETIMEDOUT);
    cr_expect_eq(stream_read(&stream, &byte, 1, nsec_add(green_now(), SHORTLY)), -ETIMEDOUT);
}

Test(stream, a_read_in_vain)
{
    run(nothing_comes);
}

static void nothing_goes(void)
{
    fill();
    struct iovec piece = {sent, 1};
    cr_expect_eq(stream_write(&stream, &piece, 1, false, SHORTLY), -ETIMEDOUT);
    make_file(100);
    cr_expect_eq(stream_sendfile(&stream, file, &(off_t){0}, 100, &stamp, SHORTLY), -ETIMEDOUT);
    close(file);
}

Test(stream, a_write_in_vain)
{
    run(nothing_goes);
}

static void peer_has_gone(void)
{
    char byte;
    close(peer);
    peer = -1;
    cr_expect_eq(stream_read(&stream, &byte, 1, NSEC_NEVER), 0);
    struct iovec piece = {sent, 1};
    cr_expect_eq(stream_write(&stream, &piece, 1, false, LONG), -EPIPE, "and no SIGPIPE");
    make_file(100);
    signal(SIGPIPE, SIG_IGN); /* sendfile() has no flag for it: the worker ignores the signal */
    cr_expect_eq(stream_sendfile(&stream, file, &(off_t){0}, 100, &stamp, LONG), -EPIPE);
    close(file);
}

Test(stream, a_peer_that_has_gone)
{
    run(peer_has_gone);
}

static int wait_for_bytes(void *result)
{
    char byte;
    *(ssize_t *)result = stream_read(&stream, &byte, 1, NSEC_NEVER);
    return 0;
}

static void cancelled(void)
{
    struct green *thread;
    ssize_t result = 0;
    cr_assert_eq(green_spawn(&thread, "reader", wait_for_bytes, &result), 0);
    cr_assert_eq(green_yield(), 0);
    green_cancel(thread);
    cr_assert_eq(green_join(thread, NULL, NSEC_NEVER), 0);
    cr_expect_eq(result, -ECANCELED);
}

Test(stream, a_read_that_is_cancelled)
{
    run(cancelled);
}

/* ---- a stream that does what it likes ---- */

static const ssize_t *script; /* what the operations return, one after the other: bytes at most, or -errno */
static size_t written;

static ssize_t next_step(size_t n)
{
    ssize_t step = *script++;
    return step > (ssize_t)n ? (ssize_t)n : step;
}

static ssize_t scripted_read(struct stream *s, void *to, size_t n)
{
    (void)s;
    ssize_t got = next_step(n);
    if (got > 0)
        memset(to, 'r', (size_t)got);
    return got;
}

static ssize_t scripted_write(struct stream *s, const struct iovec *pieces, int count, bool more)
{
    (void)s, (void)more;
    size_t all = 0, done = 0;
    for (int i = 0; i < count; i++)
        all += pieces[i].iov_len;
    ssize_t n = next_step(all);
    for (int i = 0; i < count && n > 0 && done < (size_t)n; i++) {
        size_t part = pieces[i].iov_len < (size_t)n - done ? pieces[i].iov_len : (size_t)n - done;
        if (part)
            memcpy(received + written, pieces[i].iov_base, part);
        written += part;
        done += part;
    }
    return n;
}

static ssize_t scripted_sendfile(struct stream *s, int fd, off_t *at, size_t n)
{
    (void)s;
    ssize_t step = next_step(n);
    ssize_t got = step > 0 ? pread(fd, received + written, (size_t)step, *at) : step;
    if (got > 0) {
        written += (size_t)got;
        *at += got;
    }
    return got;
}

static void close_socket(struct stream *s)
{
    green_fd_close(&s->fd);
}

static const struct stream_ops scripted = {
    .read = scripted_read, .write = scripted_write, .sendfile = scripted_sendfile, .close = close_socket};

static void follow(const ssize_t *steps)
{
    stream.ops = &scripted;
    script = steps;
    written = 0;
}

static void every_short_write(void)
{
    static const char text[] = "0123456789";
    for (ssize_t step = 1; step <= 10; step++) {
        const ssize_t steps[] = {step, -EAGAIN, step, step, -EAGAIN, -EAGAIN, step,
                                 step, step,    step, step, step,    step,    -EPIPE};
        struct iovec pieces[] = {
            {NULL, 0}, {(void *)text, 3}, {NULL, 0}, {(void *)(text + 3), 1}, {(void *)(text + 4), 6}, {NULL, 0}};
        follow(steps);
        cr_expect_eq(stream_write(&stream, pieces, 6, false, LONG), 0, "by %zd", step);
        cr_expect_eq(written, 10);
        cr_expect_eq(memcmp(received, text, 10), 0, "by %zd", step);
    }
}

Test(stream, short_writes)
{
    run(every_short_write);
}

static void failures(void)
{
    char bytes[10];
    struct iovec piece = {sent, 10}, none = {NULL, 0};
    make_file(10);
    follow((ssize_t[]){4, -EAGAIN, -ECONNRESET});
    cr_expect_eq(stream_write(&stream, &piece, 1, false, LONG), -ECONNRESET);
    follow((ssize_t[]){-EPIPE});
    cr_expect_eq(stream_write(&stream, &none, 1, false, LONG), 0, "nothing is not written");
    cr_expect_eq(stream_write(&stream, NULL, 0, false, LONG), 0);
    follow((ssize_t[]){4, -EAGAIN, -EIO});
    cr_expect_eq(stream_sendfile(&stream, file, &(off_t){0}, 10, &stamp, LONG), -EIO);
    follow((ssize_t[]){-EPIPE});
    cr_expect_eq(stream_sendfile(&stream, file, &(off_t){0}, 0, &stamp, LONG), 0);
    cr_assert_eq(write(peer, "x", 1), 1);
    follow((ssize_t[]){-EAGAIN, -ECONNRESET});
    cr_expect_eq(stream_read(&stream, bytes, 10, NSEC_NEVER), -ECONNRESET);
    follow((ssize_t[]){-EAGAIN, -EAGAIN, 3});
    cr_expect_eq(stream_read(&stream, bytes, 10, NSEC_NEVER), 3);
    close(file);
}

Test(stream, errors_of_what_carries_it)
{
    run(failures);
}

static void short_sendfiles(void)
{
    make_file(100);
    for (ssize_t step = 1; step <= 100; step++) {
        ssize_t steps[200];
        for (size_t i = 0; i < 200; i++)
            steps[i] = i % 3 == 1 ? -EAGAIN : step;
        follow(steps);
        cr_expect_eq(stream_sendfile(&stream, file, &(off_t){30}, 70, &stamp, LONG), 0);
        cr_expect_eq(written, 70);
        cr_expect_eq(memcmp(received, sent + 30, 70), 0, "by %zd", step);
    }
    close(file);
}

Test(stream, sendfile_in_pieces)
{
    run(short_sendfiles);
}

/* ---- files that change while they are sent ---- */

static ssize_t cut_after_one(struct stream *s, int fd, off_t *at, size_t n)
{
    ssize_t got = scripted_sendfile(s, fd, at, n);
    if (got == -EAGAIN)
        cr_assert_eq(ftruncate(fd, 20), 0);
    return got;
}

static ssize_t rewrite_after_one(struct stream *s, int fd, off_t *at, size_t n)
{
    ssize_t got = scripted_sendfile(s, fd, at, n);
    if (got == -EAGAIN)
        cr_assert_eq(futimens(fd, (struct timespec[]){{1, 0}, {1, 1}}), 0);
    return got;
}

static void ends_early(void)
{
    make_file(50);
    cr_expect_eq(stream_sendfile(&stream, file, &(off_t){0}, 51, &stamp, LONG), -EIO);
    cr_expect_eq(stream_sendfile(&stream, file, &(off_t){50}, 1, &stamp, LONG), -EIO);
    cr_expect_eq(stream_sendfile(&stream, file, &(off_t){100}, 1, &stamp, LONG), -EIO);
    close(file);
}

Test(stream, a_file_that_is_shorter)
{
    run(ends_early);
}

static void changes(void)
{
    struct stream_ops ops = scripted;
    make_file(50);
    follow((ssize_t[]){10, 5, -EAGAIN, 10, 10, 10, 10, 10});
    ops.sendfile = cut_after_one;
    stream.ops = &ops;
    int error = stream_sendfile(&stream, file, &(off_t){0}, 50, &stamp, LONG);
    cr_expect(error == -ESTALE || error == -EIO, "%d", error);
    close(file);
    make_file(50);
    follow((ssize_t[]){10, 5, -EAGAIN, 10, 10, 10, 10, 10});
    ops.sendfile = rewrite_after_one;
    stream.ops = &ops;
    cr_expect_eq(stream_sendfile(&stream, file, &(off_t){0}, 50, &stamp, LONG), -ESTALE);
    cr_expect_eq(written, 15);
    close(file);
}

Test(stream, a_file_that_changes)
{
    run(changes);
}

static void really_shrinks(void)
{
    int small = 4096;
    setsockopt(stream.fd.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    make_file(MUCH);
    struct green *thread;
    size_t count = 0;
    off_t first = 0;
    while (sendfile(stream.fd.fd, file, &first, MUCH) > 0)
        ;
    cr_assert(first > 0 && first < MUCH, "the peer does not read yet");
    cr_assert_eq(ftruncate(file, first + 1), 0);
    cr_assert_eq(green_spawn(&thread, "peer", read_everything, &count), 0);
    cr_expect_eq(stream_sendfile(&stream, file, &(off_t){first}, MUCH - (size_t)first, &stamp, LONG), -ESTALE);
    stream_shutdown(&stream);
    cr_assert_eq(green_join(thread, NULL, NSEC_NEVER), 0);
    cr_expect_eq(count, (size_t)first, "no padding");
    close(file);
}

Test(stream, a_file_that_shrinks)
{
    run(really_shrinks);
}

/* ---- a slow peer ---- */

static void write_much(void)
{
    struct green *thread;
    size_t count = 0;
    cr_assert_eq(green_spawn(&thread, "peer", read_everything, &count), 0);
    struct iovec pieces[] = {{sent, 10}, {sent + 10, MUCH - 10}};
    cr_expect_eq(stream_write(&stream, pieces, 2, false, LONG), 0);
    stream_shutdown(&stream);
    cr_assert_eq(green_join(thread, NULL, NSEC_NEVER), 0);
    cr_expect_eq(count, MUCH);
    cr_expect_eq(memcmp(sent, received, MUCH), 0);
}

Test(stream, more_than_the_socket_holds)
{
    run(write_much);
}

static void send_much(void)
{
    struct green *thread;
    size_t count = 0;
    make_file(MUCH);
    cr_assert_eq(green_spawn(&thread, "peer", read_everything, &count), 0);
    cr_expect_eq(stream_sendfile(&stream, file, &(off_t){100}, MUCH - 100, &stamp, LONG), 0);
    stream_shutdown(&stream);
    cr_assert_eq(green_join(thread, NULL, NSEC_NEVER), 0);
    cr_expect_eq(count, MUCH - 100);
    cr_expect_eq(memcmp(sent + 100, received, MUCH - 100), 0);
    close(file);
}

Test(stream, a_file_larger_than_the_socket_holds)
{
    run(send_much);
}

static int count_turns(void *turns)
{
    while (green_yield() == 0)
        ++*(unsigned *)turns;
    return 0;
}

/* It never blocks, and yet the others have their turn. */
static void fast_peer(void)
{
    struct green *thread;
    unsigned turns = 0;
    char bytes[4096];
    ssize_t steps[1024];
    for (size_t i = 0; i < 1024; i++)
        steps[i] = sizeof bytes;
    cr_assert_eq(green_spawn(&thread, "other", count_turns, &turns), 0);
    cr_assert_eq(green_yield(), 0);
    unsigned before = turns;
    follow(steps);
    for (size_t i = 0; i < STREAM_BURST / sizeof bytes - 1; i++)
        cr_expect_eq(stream_read(&stream, bytes, sizeof bytes, NSEC_NEVER), (ssize_t)sizeof bytes);
    cr_expect_eq(turns, before);
    cr_expect_eq(stream_read(&stream, bytes, sizeof bytes, NSEC_NEVER), (ssize_t)sizeof bytes);
    cr_expect_gt(turns, before);
    green_cancel(thread);
    cr_assert_eq(green_join(thread, NULL, NSEC_NEVER), 0);
}

Test(stream, a_fast_peer_starves_nobody)
{
    run(fast_peer);
}
