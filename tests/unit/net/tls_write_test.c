/* tls_write_test.c: what a secured stream makes of what is written to it: records of which sizes, and what it owes
 * where the socket is full. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls_wire.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define BOTH ((struct wire_wanted){.not12 = false})

enum { SMALL = 1400, SMALL_BYTES = 64 * 1024, MUCH = 600 * 1024 };

static char content[MUCH], got[MUCH + (1 << 17)];

static void setup(void)
{
    srand(11);
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (char)rand();
}

TestSuite(tls_write, .init = setup);

static ssize_t write_one(const char *bytes, size_t n, bool more)
{
    struct iovec piece = {(void *)bytes, n};
    return wire_stream->ops->write(wire_stream, &piece, 1, more);
}

/* ---- sizes of records ---- */

/* Writes much, and looks at the size of what is in each record. */
static void expect_sizes(size_t small)
{
    size_t seen = 0, written = 0;
    while (seen < 4 * SMALL_BYTES) {
        ssize_t n = write_one(content + written, 4 * SMALL_BYTES - written, false);
        cr_assert_gt(n, 0, "%s: %zd", wire_name(), n);
        written += (size_t)n;
        enum tls_type type;
        struct str text;
        while (wire_hear(&type, &text) > 0) {
            size_t most = seen < small ? SMALL : TLS_RECORD, left = written - seen;
            cr_expect_eq(text.n, left < most ? left : most, "%s: %zu after %zu", wire_name(), text.n, seen);
            cr_expect_eq(memcmp(text.p, content + seen, text.n), 0, "%s: %zu", wire_name(), seen);
            seen += text.n;
        }
        cr_assert_eq(seen, written);
    }
}

static void sizes(void)
{
    expect_sizes(SMALL_BYTES);
    expect_sizes(0);
    wire_tls->wrote = green_now() - NSEC_SEC - 1;
    expect_sizes(SMALL_BYTES);
}

/* Small at first, and again after silence. */
Test(tls_write, records_grow)
{
    wire_run(sizes, BOTH);
}

static void together(void)
{
    struct iovec pieces[] = {{content, 10}, {NULL, 0}, {content + 10, 20}, {content + 30, 1}, {NULL, 0}};
    cr_expect_eq(wire_stream->ops->write(wire_stream, pieces, COUNT(pieces), false), 31);
    wire_expect(TLS_DATA, (struct str){content, 31});
    wire_expect_silence();
    cr_expect_eq(wire_stream->ops->write(wire_stream, pieces, 0, false), 0);
    wire_expect_silence();
}

Test(tls_write, small_pieces_share_a_record)
{
    wire_run(together, BOTH);
}

/* Takes off what was written. */
static int advance(struct iovec *pieces, int count, size_t n)
{
    int left = 0;
    for (int i = 0; i < count; i++) {
        size_t part = n < pieces[i].iov_len ? n : pieces[i].iov_len;
        pieces[i].iov_base = (char *)pieces[i].iov_base + part;
        pieces[i].iov_len -= part;
        n -= part;
        left += pieces[i].iov_len > 0;
    }
    cr_assert_eq(n, 0, "more than there is");
    return left;
}

static void expect_pieces(const size_t *those)
{
    struct iovec pieces[3];
    size_t total = 0, received = 0;
    for (int i = 0; i < 3; i++) {
        pieces[i] = (struct iovec){content + total, those[i]};
        total += those[i];
    }
    for (int left = 1; left;) {
        ssize_t n = wire_stream->ops->write(wire_stream, pieces, 3, false);
        cr_assert(n > 0 || total == 0, "%s: %zd", wire_name(), n);
        left = advance(pieces, 3, (size_t)n);
        received += wire_drain(got + received, sizeof got - received);
    }
    cr_expect_eq(received, total, "%zu %zu %zu", those[0], those[1], those[2]);
    cr_expect_eq(memcmp(got, content, total), 0, "%zu %zu %zu", those[0], those[1], those[2]);
}

static void boundaries(void)
{
    static const size_t table[] = {
        0, 1, SMALL - 1, SMALL, SMALL + 1, TLS_RECORD - 1, TLS_RECORD, TLS_RECORD + 1, TLS_BATCH, TLS_BATCH + 5000};
    for (size_t i = 0; i < COUNT(table); i++)
        for (size_t j = 0; j < COUNT(table); j++)
            for (size_t k = 0; k < COUNT(table); k++) {
                wire_tls->small = (i + j + k) % 3 ? SMALL_BYTES : 0;
                expect_pieces((const size_t[]){table[i], table[j], table[k]});
            }
}

Test(tls_write, pieces_of_all_sizes)
{
    wire_run(boundaries, (struct wire_wanted){.not12 = true});
}

/* ---- a socket that is full ---- */

static void narrow(void)
{
    int small = 4096;
    cr_assert_eq(setsockopt(wire_stream->fd.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
}

/* A write that did not get through is repeated as it is, as the contract of streams has it. */
static void full(void)
{
    size_t done = 0, received = 0, refused = 0;
    narrow();
    while (done < MUCH) {
        ssize_t n = write_one(content + done, MUCH - done, refused % 2);
        cr_assert(n > 0 || n == -EAGAIN, "%s: %zd", wire_name(), n);
        cr_expect_eq(wire_tls->owed > 0, n == -EAGAIN, "%s", wire_name());
        done += n > 0 ? (size_t)n : 0;
        refused += n == -EAGAIN;
        if (n == -EAGAIN)
            cr_expect_eq(write_one(content + done, MUCH - done, false), -EAGAIN, "%s: nobody has read", wire_name());
        received += wire_drain(got + received, sizeof got - received);
    }
    for (int i = 0; i < 1000 && wire_stream->ops->flush(wire_stream) == -EAGAIN; i++)
        received += wire_drain(got + received, sizeof got - received);
    received += wire_drain(got + received, sizeof got - received);
    cr_expect_gt(refused, 5, "%s: it was not full", wire_name());
    cr_expect_eq(received, MUCH, "%s: %zu", wire_name(), received);
    cr_expect_eq(memcmp(got, content, MUCH), 0, "%s", wire_name());
}

Test(tls_write, a_socket_that_is_full)
{
    wire_run(full, BOTH);
}

static void gone(void)
{
    narrow();
    cr_expect_eq(write_one(content, MUCH, false), -EAGAIN);
    close(wire_peer);
    wire_peer = -1;
    ssize_t n = write_one(content, MUCH, false);
    cr_expect(n == -EPIPE || n == -ECONNRESET, "%zd", n);
    cr_expect_lt(wire_stream->ops->write(wire_stream, &(struct iovec){content, 1}, 1, false), 0);
}

Test(tls_write, a_peer_that_has_gone)
{
    wire_run(gone, BOTH);
}

/* ---- what is held back ---- */

static void held(void)
{
    cr_expect_eq(wire_stream->ops->flush(wire_stream), 0, "there is nothing");
    cr_expect_eq(write_one(content, 10, true), 10);
    cr_expect_eq(write_one(content + 10, 10, true), 10);
    wire_expect_silence();
    cr_expect_eq(wire_stream->ops->flush(wire_stream), 0);
    wire_expect(TLS_DATA, (struct str){content, 10});
    wire_expect(TLS_DATA, (struct str){content + 10, 10});
    cr_expect_eq(write_one(content, 10, true), 10);
    wire_expect_read(-EAGAIN, STR(""));
    wire_expect_silence();
    cr_expect_eq(write_one(content + 10, 10, false), 10);
    wire_expect(TLS_DATA, (struct str){content, 10});
    wire_expect(TLS_DATA, (struct str){content + 10, 10});
    cr_expect_eq(write_one(content, 10, true), 10);
    stream_shutdown(wire_stream);
    wire_expect(TLS_DATA, (struct str){content, 10});
    wire_expect(TLS_ALERT, STR("\1\0"));
    wire_expect_end();
}

Test(tls_write, a_little_with_more_to_come)
{
    wire_run(held, BOTH);
}

static void much_with_more(void)
{
    cr_expect_eq(write_one(content, 2 * TLS_RECORD, true), 2 * TLS_RECORD);
    cr_expect_eq(wire_drain(got, sizeof got), 2 * TLS_RECORD, "%s: so much is not held back", wire_name());
}

Test(tls_write, much_with_more_to_come)
{
    wire_run(much_with_more, BOTH);
}

static void flush_in_vain(void)
{
    narrow();
    cr_expect_eq(write_one(content, 10, true), 10);
    for (char byte = 0; send(wire_stream->fd.fd, &byte, 1, MSG_NOSIGNAL) > 0;)
        ;
    cr_expect_eq(wire_stream->ops->flush(wire_stream), -EAGAIN);
    cr_expect_eq(wire_stream->ops->flush(wire_stream), -EAGAIN);
    while (recv(wire_peer, got, sizeof got, 0) > 0)
        ;
    cr_expect_eq(wire_stream->ops->flush(wire_stream), 0);
    wire_expect(TLS_DATA, (struct str){content, 10});
}

Test(tls_write, a_flush_in_vain)
{
    wire_run(flush_in_vain, BOTH);
}

/* ---- files ---- */

static int file_of(size_t size)
{
    char path[] = "/tmp/tern-tls-XXXXXX";
    int file = mkstemp(path);
    cr_assert_geq(file, 0);
    unlink(path);
    cr_assert_eq(write(file, content, size), (ssize_t)size);
    return file;
}

static void no_file(void)
{
    off_t at = 3;
    cr_expect_eq(wire_stream->ops->sendfile(wire_stream, -1, &at, 10), -EBADF);
    cr_expect_eq(at, 3);
    int file = file_of(100);
    at = 100;
    cr_expect_eq(wire_stream->ops->sendfile(wire_stream, file, &at, 10), 0, "its end");
    cr_expect_eq(at, 100);
    at = 90;
    cr_expect_eq(wire_stream->ops->sendfile(wire_stream, file, &at, 0), 0, "nothing");
    cr_expect_eq(at, 90);
    wire_expect_silence();
    cr_expect_eq(wire_stream->ops->sendfile(wire_stream, file, &at, 50), 10, "it ends before");
    cr_expect_eq(at, 100);
    wire_expect(TLS_DATA, (struct str){content + 90, 10});
    close(file);
}

Test(tls_write, a_file_that_ends_early)
{
    wire_run(no_file, BOTH);
}

static void send_a_file(void)
{
    int file = file_of(MUCH);
    off_t at = 100;
    size_t received = 0, refused = 0;
    narrow();
    cr_expect_eq(write_one(content, 100, true), 100);
    while (at < MUCH) {
        off_t before = at;
        ssize_t n = wire_stream->ops->sendfile(wire_stream, file, &at, (size_t)(MUCH - at));
        cr_assert(n > 0 || n == -EAGAIN, "%s: %zd", wire_name(), n);
        cr_expect_eq(at - before, n > 0 ? n : 0, "%s", wire_name());
        refused += n == -EAGAIN;
        received += wire_drain(got + received, sizeof got - received);
    }
    cr_expect_gt(refused, 5, "%s: it was not full", wire_name());
    cr_expect_eq(received, MUCH, "%s: %zu", wire_name(), received);
    cr_expect_eq(memcmp(got, content, MUCH), 0, "%s", wire_name());
    close(file);
}

Test(tls_write, a_file_behind_a_head)
{
    wire_run(send_a_file, BOTH);
}
