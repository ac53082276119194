/* tls_records_test.c: what a connection keeps of bytes that came too early, and of those that the socket did not take.
 * */
#include "net/tls_records.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

enum { UNSENT_MOST = 4 * TLS_BATCH };

/* ---- a socket that takes what it likes, and memory that runs out ---- */

ssize_t __real_send(int fd, const void *bytes, size_t n, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t n, int flags);
void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);

static const ssize_t
    *script; /* what send() returns, one after the other: bytes at most, or -errno; NULL: what it likes */
static char gone[2 * UNSENT_MOST], all[2 * UNSENT_MOST];
static size_t gone_size, all_size;
static int last_flags;
static bool out_of_memory;

ssize_t __wrap_send(int fd, const void *bytes, size_t n, int flags)
{
    if (!script)
        return __real_send(fd, bytes, n, flags);
    ssize_t step = *script++;
    last_flags = flags;
    if (step < 0) {
        errno = (int)-step;
        return -1;
    }
    size_t taken = n < (size_t)step ? n : (size_t)step;
    memcpy(gone + gone_size, bytes, taken);
    gone_size += taken;
    return (ssize_t)taken;
}

void *__wrap_malloc(size_t n)
{
    return out_of_memory ? NULL : __real_malloc(n);
}

static struct stream stream;
static int peer = -1;
static struct tls_inbox in;
static struct tls_outbox out;

static void setup(void)
{
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    stream.fd.fd = ends[0];
    peer = ends[1];
}

static void teardown(void)
{
    tls_boxes_free(&in, &out);
    close(stream.fd.fd);
    close(peer);
}

TestSuite(tls_records, .init = setup, .fini = teardown);

/* ---- in ---- */

static void say(const void *bytes, size_t n)
{
    cr_assert_eq(send(peer, bytes, n, 0), (ssize_t)n);
}

/* A record with n bytes of content, that many letters. */
static size_t record(char *to, size_t n, int letter)
{
    memcpy(to, (char[]){TLS_DATA, 3, 3, (char)(n >> 8), (char)n}, TLS_HEAD);
    memset(to + TLS_HEAD, letter, n);
    return TLS_HEAD + n;
}

static void say_record(size_t n, int letter)
{
    static char bytes[TLS_HEAD + TLS_RECORD + 2048];
    say(bytes, record(bytes, n, letter));
}

static ssize_t next_size(void)
{
    char *at;
    return tls_inbox_next(&in, &stream, &at);
}

static ssize_t next_alone(void)
{
    tls_inbox_begin(&in);
    ssize_t n = next_size();
    cr_expect_eq(tls_inbox_end(&in), 0);
    return n;
}

/* What is no record is handed over at once: whoever looks at it says what it is. */
Test(tls_records, what_is_no_record)
{
    static const struct str table[] = {
        STR_INIT("GET / HTTP/1.1\r\n"), STR_INIT("\0\3\3\0\1"),           STR_INIT("\x13\3\3\0\1"),
        STR_INIT("\x19\3\3\0\1"),       STR_INIT("\xff\xff\xff\xff\xff"), STR_INIT("\x80\x2e\1\0\2\0"),
        STR_INIT("\x17\3\3\x48\1"),     STR_INIT("\x17\3\3\xff\xffx"),
    };
    for (size_t i = 0; i < COUNT(table); i++) {
        say(table[i].p, TLS_HEAD - 1);
        cr_expect_eq(next_alone(), -EAGAIN, "%zu: a head is five octets", i);
        say(table[i].p + TLS_HEAD - 1, table[i].n - TLS_HEAD + 1);
        cr_expect_eq(next_alone(), (ssize_t)table[i].n, "%zu", i);
        cr_expect_null(in.kept, "%zu", i);
    }
}

Test(tls_records, the_largest_record)
{
    say_record(TLS_RECORD + 2048, 'x');
    cr_expect_eq(next_alone(), TLS_HEAD + TLS_RECORD + 2048);
}

Test(tls_records, an_end_in_the_middle)
{
    static const size_t there[] = {0, 1, TLS_HEAD, TLS_HEAD + 9};
    for (size_t i = 0; i < COUNT(there); i++) {
        char bytes[64];
        record(bytes, 10, 'x');
        if (there[i])
            say(bytes, there[i]);
        cr_expect_eq(next_alone(), -EAGAIN, "%zu", there[i]);
        shutdown(peer, SHUT_WR);
        cr_expect_eq(next_alone(), 0, "%zu", there[i]);
        cr_expect_eq(next_alone(), 0, "%zu: and again", there[i]);
        teardown();
        in = (struct tls_inbox){.kept = NULL};
        setup();
    }
}

Test(tls_records, a_peer_that_has_gone)
{
    struct linger now = {.l_onoff = 1};
    setsockopt(peer, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    cr_assert_eq(__real_send(stream.fd.fd, "unread", 6, 0), 6);
    close(peer);
    cr_expect_eq(next_alone(), -ECONNRESET);
}

Test(tls_records, no_memory_for_what_is_left)
{
    say("\x17\3\3\0", 4);
    tls_inbox_begin(&in);
    cr_expect_eq(next_size(), -EAGAIN);
    out_of_memory = true;
    int error = tls_inbox_end(&in);
    out_of_memory = false;
    cr_expect_eq(error, -ENOMEM);
    cr_expect_null(in.kept);
}

/* It costs what it has sent, and nothing once it is complete. */
Test(tls_records, octet_by_octet)
{
    char bytes[64];
    size_t n = record(bytes, 20, 'x');
    for (size_t i = 0; i + 1 < n; i++) {
        say(bytes + i, 1);
        cr_expect_eq(next_alone(), -EAGAIN, "%zu", i);
        cr_expect_eq(in.kept_size, i + 1);
    }
    say(bytes + n - 1, 1);
    tls_inbox_begin(&in);
    char *at = NULL;
    cr_assert_eq(tls_inbox_next(&in, &stream, &at), (ssize_t)n);
    cr_expect_eq(memcmp(at, bytes, n), 0);
    cr_expect_eq(tls_inbox_end(&in), 0);
    cr_expect_null(in.kept);
    cr_expect_eq(in.kept_size, 0);
}

Test(tls_records, several_at_once)
{
    for (int letter = 'a'; letter < 'd'; letter++)
        say_record(10, letter);
    say("\x17\3", 2);
    tls_inbox_begin(&in);
    cr_expect(tls_inbox_has_more(&in), "nobody has looked yet");
    for (int letter = 'a'; letter < 'd'; letter++) {
        char *at = NULL;
        cr_assert_eq(tls_inbox_next(&in, &stream, &at), TLS_HEAD + 10);
        cr_expect_eq(at[TLS_HEAD], letter);
        cr_expect_eq(tls_inbox_has_more(&in), letter != 'c');
    }
    cr_expect_eq(next_size(), -EAGAIN);
    cr_expect_eq(tls_inbox_end(&in), 0);
    cr_expect_eq(in.kept_size, 2);
}

/* More than the worker's buffer holds. */
Test(tls_records, a_row_of_large_ones)
{
    enum { ROW = 8 };
    for (int i = 0; i < ROW; i++)
        say_record(9000, (char)('a' + i));
    for (int i = 0; i < ROW; i++) {
        char *at = NULL;
        tls_inbox_begin(&in);
        cr_assert_eq(tls_inbox_next(&in, &stream, &at), TLS_HEAD + 9000);
        cr_expect(at[TLS_HEAD] == 'a' + i && at[TLS_HEAD + 8999] == 'a' + i, "%d", i);
        cr_expect_eq(tls_inbox_end(&in), 0);
    }
    cr_expect_eq(next_alone(), -EAGAIN);
}

/* The rest of an opened record, such as its tag, goes with the last piece of its content. */
Test(tls_records, content_piece_by_piece)
{
    static const char digits[10] = {'0', '1', '2', '3', '4', '5', '6', '7', '8', '9'};
    for (size_t piece = 1; piece <= 11; piece++) {
        char *at = NULL, to[16], bytes[64];
        size_t n = record(bytes, 26, '-');
        memcpy(bytes + TLS_HEAD, digits, sizeof digits);
        say(bytes, n);
        say_record(3, 'n');
        tls_inbox_begin(&in);
        cr_assert_eq(tls_inbox_next(&in, &stream, &at), (ssize_t)n);
        tls_inbox_opened(&in, (struct str){at + TLS_HEAD, 10});
        for (size_t done = 0; done < 10;) {
            cr_expect(tls_inbox_has_more(&in));
            size_t got = tls_inbox_read(&in, to, piece);
            cr_assert_eq(got, piece < 10 - done ? piece : 10 - done);
            cr_expect_eq(memcmp(to, digits + done, got), 0, "%zu after %zu", piece, done);
            done += got;
            cr_expect_eq(tls_inbox_end(&in), 0);
            cr_expect_eq(in.kept_size, (done < 10 ? 26 - done : 0) + TLS_HEAD + 3, "%zu", done);
            tls_inbox_begin(&in);
        }
        cr_expect_eq(tls_inbox_read(&in, to, piece), 0);
        cr_expect_eq(next_size(), TLS_HEAD + 3);
        cr_expect_eq(next_size(), -EAGAIN);
        cr_expect_eq(tls_inbox_end(&in), 0);
    }
}

/* As a handshake takes it: first the head, then the rest; and not what belongs to another record. */
Test(tls_records, a_record_taken_in_pieces)
{
    char to[64];
    say_record(20, 'a');
    say_record(20, 'b');
    tls_inbox_begin(&in);
    cr_expect_eq(tls_inbox_take(&in, &stream, to, TLS_HEAD), TLS_HEAD);
    cr_expect_eq(tls_inbox_end(&in), 0);
    tls_inbox_begin(&in);
    cr_expect_eq(tls_inbox_take(&in, &stream, to, 7), 7);
    cr_expect_eq(tls_inbox_take(&in, &stream, to, sizeof to), 13);
    cr_expect_eq(memcmp(to, "aaaaaaaaaaaaa", 13), 0);
    cr_expect_eq(tls_inbox_take(&in, &stream, to, sizeof to), 25);
    cr_expect_eq(to[TLS_HEAD], 'b');
    cr_expect_eq(tls_inbox_take(&in, &stream, to, sizeof to), -EAGAIN);
    shutdown(peer, SHUT_WR);
    tls_inbox_begin(&in);
    cr_expect_eq(tls_inbox_take(&in, &stream, to, sizeof to), 0);
    cr_expect_eq(tls_inbox_end(&in), 0);
}

/* ---- out ---- */

/* A batch of bytes that tell their place. */
static struct tls_batch *batch_of(size_t n)
{
    struct tls_batch *batch = tls_batch_begin();
    cr_expect_eq(tls_batch_room(batch), sizeof batch->bytes);
    for (size_t i = 0; i < n; i++) {
        char byte = (char)((all_size >> 8) ^ (all_size * 31));
        cr_assert(tls_batch_add(batch, &byte, 1));
        all[all_size++] = byte;
    }
    return batch;
}

static void expect_gone(size_t n)
{
    cr_expect_eq(gone_size, n, "%zu of %zu", gone_size, n);
    cr_expect_eq(memcmp(gone, all, n), 0);
}

#define SENDS(...) (script = (const ssize_t[]){__VA_ARGS__})

Test(tls_records, errors_of_the_socket)
{
    static const int errors[] = {EPIPE, ECONNRESET, ENOBUFS};
    for (size_t i = 0; i < COUNT(errors); i++) {
        SENDS(-errors[i]);
        cr_expect_eq(tls_outbox_send(&out, &stream, batch_of(10), false), -errors[i]);
        SENDS(3, -errors[i]);
        cr_expect_eq(tls_outbox_send(&out, &stream, batch_of(10), false), -EAGAIN);
        cr_expect_eq(tls_outbox_send(&out, &stream, batch_of(10), false), -errors[i]);
        script = NULL;
        tls_boxes_free(&in, &out);
        out = (struct tls_outbox){.unsent = NULL};
    }
}

Test(tls_records, no_memory_for_what_is_not_sent)
{
    struct tls_batch *batch = batch_of(10);
    SENDS(3);
    out_of_memory = true;
    int sent = tls_outbox_send(&out, &stream, batch, false);
    batch = batch_of(10);
    int held = tls_outbox_hold(&out, batch);
    out_of_memory = false;
    cr_expect_eq(sent, -ENOMEM);
    cr_expect_eq(held, -ENOMEM);
    cr_expect_null(out.unsent);
    cr_expect_not(out.held);
}

/* Who reads nothing and makes us answer again and again. */
Test(tls_records, too_much_for_a_peer_that_takes_nothing)
{
    for (int i = 0; i < 4; i++) {
        SENDS(-EAGAIN);
        cr_expect_eq(tls_outbox_send(&out, &stream, batch_of(TLS_BATCH), false), -EAGAIN, "%d", i);
    }
    cr_expect_eq(out.size - out.at, UNSENT_MOST);
    SENDS(-EAGAIN);
    cr_expect_eq(tls_outbox_send(&out, &stream, batch_of(1), false), -ENOBUFS);
    cr_expect_eq(tls_outbox_hold(&out, batch_of(1)), -ENOBUFS);
}

Test(tls_records, a_batch_that_is_full)
{
    struct tls_batch *batch = batch_of(TLS_BATCH);
    size_t room = tls_batch_room(batch);
    cr_expect_not(tls_batch_add(batch, all, room + 1));
    cr_expect_eq(tls_batch_room(batch), room, "nothing was added");
    cr_expect(tls_batch_add(batch, all, room));
    cr_expect_not(tls_batch_add(batch, all, 1));
}

/* However little the socket takes, the order stays. */
Test(tls_records, short_sends)
{
    static const ssize_t steps[] = {-EAGAIN, 1, 7, -EINTR, 100, 1000, -EAGAIN, 5000, 0};
    ssize_t sends[4096];
    srand(5);
    for (int round = 0; round < 50; round++) {
        for (size_t i = 0; i < COUNT(sends); i++)
            sends[i] = steps[(size_t)rand() % COUNT(steps)];
        all_size = gone_size = 0;
        script = sends;
        for (int i = 0; i < 20; i++) {
            size_t n = (size_t)rand() % 3000;
            int result = tls_outbox_send(&out, &stream, batch_of(n), rand() % 2);
            cr_assert_eq(result, gone_size < all_size ? -EAGAIN : 0, "%d", result);
            cr_expect_eq(out.size - out.at, all_size - gone_size);
            if (rand() % 4 == 0 && gone_size < all_size)
                cr_assert_eq(tls_outbox_hold(&out, batch_of(10)), 0);
            cr_expect_not(out.held && gone_size < all_size - 10, "part of it was to be sent before");
        }
        for (int i = 0; i < 1000 && gone_size < all_size; i++)
            (void)!tls_outbox_send(&out, &stream, tls_batch_begin(), false);
        expect_gone(all_size);
        cr_expect_null(out.unsent);
    }
}

Test(tls_records, more_to_come)
{
    SENDS(3, 100, 100, 100);
    cr_expect_eq(tls_outbox_send(&out, &stream, batch_of(10), false), -EAGAIN);
    cr_expect_not(last_flags & MSG_MORE);
    cr_expect(last_flags & MSG_NOSIGNAL);
    cr_expect_eq(tls_outbox_send(&out, &stream, tls_batch_begin(), true), 0);
    cr_expect(last_flags & MSG_MORE);
    cr_expect_eq(tls_outbox_send(&out, &stream, batch_of(10), true), 0);
    cr_expect(last_flags & MSG_MORE);
    cr_expect_eq(tls_outbox_send(&out, &stream, batch_of(10), false), 0);
    cr_expect_not(last_flags & MSG_MORE);
    expect_gone(30);
}

Test(tls_records, what_is_put_by)
{
    SENDS(100);
    cr_expect_eq(tls_outbox_hold(&out, batch_of(0)), 0);
    cr_expect_not(out.held, "there is nothing");
    cr_expect_eq(tls_outbox_hold(&out, batch_of(10)), 0);
    cr_expect_eq(tls_outbox_hold(&out, batch_of(10)), 0);
    cr_expect_eq(tls_outbox_hold(&out, batch_of(0)), 0);
    cr_expect(out.held);
    expect_gone(0);
    struct tls_batch *batch = tls_batch_begin();
    tls_outbox_unhold(&out, batch);
    cr_expect_eq(batch->size, 20);
    cr_expect_null(out.unsent);
    cr_expect_not(out.held);
    cr_expect(tls_batch_add(batch, "!", 1));
    all[all_size++] = '!';
    cr_expect_eq(tls_outbox_send(&out, &stream, batch, false), 0);
    expect_gone(21);
}

/* What the socket did not take is not put by: it stays in front, and is sent as soon as it can be. */
Test(tls_records, put_by_behind_what_is_not_sent)
{
    SENDS(3, 100, 100);
    cr_expect_eq(tls_outbox_send(&out, &stream, batch_of(10), false), -EAGAIN);
    cr_expect_eq(tls_outbox_hold(&out, batch_of(10)), 0);
    cr_expect_not(out.held);
    struct tls_batch *batch = batch_of(10);
    tls_outbox_unhold(&out, batch);
    cr_expect_eq(batch->size, 10);
    cr_expect_eq(tls_outbox_send(&out, &stream, batch, false), 0);
    expect_gone(30);
}

/* What was put by, and then sent in part, can't be taken back. */
Test(tls_records, put_by_and_sent_in_part)
{
    SENDS(3, -EAGAIN, 100, 100);
    cr_expect_eq(tls_outbox_hold(&out, batch_of(10)), 0);
    cr_expect_eq(tls_outbox_send(&out, &stream, batch_of(0), false), -EAGAIN);
    cr_expect_not(out.held);
    cr_expect_eq(tls_outbox_hold(&out, batch_of(0)), 0);
    cr_expect_not(out.held);
    struct tls_batch *batch = tls_batch_begin();
    tls_outbox_unhold(&out, batch);
    cr_expect_eq(batch->size, 0);
    cr_expect_eq(tls_outbox_send(&out, &stream, batch_of(10), false), -EAGAIN);
    cr_expect_eq(tls_outbox_send(&out, &stream, batch_of(10), false), 0);
    expect_gone(30);
}

Test(tls_records, more_put_by_than_a_batch_holds)
{
    SENDS(1 << 20, 1 << 20);
    cr_expect_eq(tls_outbox_hold(&out, batch_of(TLS_BATCH)), 0);
    cr_expect_eq(tls_outbox_hold(&out, batch_of(TLS_BATCH)), 0);
    struct tls_batch *batch = tls_batch_begin();
    tls_outbox_unhold(&out, batch);
    cr_expect_eq(batch->size, 0);
    cr_expect(out.held);
    cr_expect_eq(tls_outbox_send(&out, &stream, batch_of(10), false), 0);
    expect_gone(2 * TLS_BATCH + 10);
}

Test(tls_records, counted)
{
    char bytes[64];
    struct tls_batch *batch = tls_batch_begin();
    cr_expect_eq(tls_batch_records(batch), 0);
    for (size_t i = 0; i < 3; i++) {
        cr_assert(tls_batch_add(batch, bytes, record(bytes, i * 10, 'x')));
        cr_expect_eq(tls_batch_records(batch), i + 1);
    }
}
