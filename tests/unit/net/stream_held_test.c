/* stream_held_test.c: a stream that itself holds something back, as one of TLS does, and who reads from it: it is sent
 * without keeping the reader from what comes. */
#include <sys/socket.h>
#include <unistd.h>

#include "../green/run.h"
#include "net/stream.h"

#define LONG (60 * NSEC_SEC)

static struct stream stream;
static int peer;
static char bytes[64 * 1024];

static size_t held; /* bytes */

static int flush_held(struct stream *s)
{
    while (held) {
        ssize_t n = send(s->fd.fd, bytes, held, MSG_NOSIGNAL);
        if (n < 0)
            return -errno;
        held -= (size_t)n;
    }
    return 0;
}

/* A stream whose socket has no room, and which has 10 bytes to send. */
static void begin(void)
{
    static struct stream_ops holding;
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    holding = stream_plain;
    holding.flush = flush_held;
    stream_init(&stream, &holding, ends[0]);
    peer = ends[1];
    while (send(ends[0], bytes, sizeof bytes, MSG_NOSIGNAL) > 0)
        ;
    held = 10;
}

static void end(void)
{
    stream_close(&stream);
    close(peer);
}

static int read_byte(void *arg)
{
    char byte;
    (void)arg;
    return (int)stream_read(&stream, &byte, 1, NSEC_NEVER);
}

static int write_byte(void *arg)
{
    struct iovec piece = {bytes, 1};
    (void)arg;
    return stream_write(&stream, &piece, 1, false, LONG);
}

static size_t drain(void)
{
    size_t all = 0;
    for (ssize_t n; (n = recv(peer, bytes, sizeof bytes, 0)) > 0;)
        all += (size_t)n;
    return all;
}

static struct green *spawn(green_fn *fn)
{
    struct green *thread = run_spawn(fn, NULL);
    cr_assert_eq(green_sleep(NSEC_MS), 0);
    return thread;
}

/* The peer takes nothing before it has said something. */
GreenTest(stream_held, a_read_does_not_wait_for_room)
{
    begin();
    struct green *reader = spawn(read_byte), *writer = spawn(write_byte);
    cr_assert_eq(write(peer, "x", 1), 1);
    cr_expect_eq(run_join(reader), 1);
    cr_expect_eq(held, 10);
    drain();
    cr_expect_eq(run_join(writer), 0);
    end();
}

/* The peer says nothing before it has got it. */
GreenTest(stream_held, a_read_sends_it)
{
    begin();
    struct green *reader = spawn(read_byte);
    drain();
    while (held)
        cr_assert_eq(green_sleep(NSEC_MS), 0);
    cr_expect_eq(drain(), 10);
    cr_assert_eq(write(peer, "x", 1), 1);
    cr_expect_eq(run_join(reader), 1);
    end();
}

GreenTest(stream_held, a_read_beside_a_write)
{
    begin();
    struct green *writer = spawn(write_byte), *reader = spawn(read_byte);
    cr_assert_eq(write(peer, "x", 1), 1);
    cr_expect_eq(run_join(reader), 1);
    drain();
    cr_expect_eq(run_join(writer), 0);
    end();
}

GreenTest(stream_held, a_read_in_vain)
{
    char byte;
    begin();
    cr_expect_eq(stream_read(&stream, &byte, 1, run_in(5)), -ETIMEDOUT);
    struct green *reader = spawn(read_byte);
    green_cancel(reader);
    cr_expect_eq(run_join(reader), -ECANCELED);
    end();
}

static ssize_t nothing_yet(struct stream *s, void *to, size_t n)
{
    (void)s, (void)to, (void)n;
    return -EAGAIN;
}

GreenTest(stream_held, it_has_nowhere_to_go)
{
    char byte;
    begin();
    shutdown(peer, SHUT_RDWR);
    stream.ops = &(struct stream_ops){.read = nothing_yet, .flush = flush_held};
    cr_expect_eq(stream_read(&stream, &byte, 1, NSEC_NEVER), -EPIPE);
    stream.ops = &stream_plain;
    end();
}
