/* h1_input_test.c: received bytes, and the room they lie in. */
#include "http/h1.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "../../wire.h"

enum { FRAME = 16 };

static char frame[FRAME];
static struct h1_input in;
static struct stream stream;
static int descriptor;

/* Runs a test on a green thread, with a stream that has these bytes to read. */
static void run(green_fn *test, struct str bytes)
{
    descriptor = wire_start(bytes, 0);
    h1_input_init(&in, frame, sizeof frame);
    cr_assert_eq(green_run(&(struct green_options){.stack = 256 * 1024}, test, NULL), 0);
    h1_input_free(&in);
}

static void expect_buffered(const char *bytes)
{
    cr_expect(str_eq(h1_buffered(&in), str_of(bytes)), "\"" STR_FMT "\" instead of \"%s\"", STR_ARG(h1_buffered(&in)),
              bytes);
}

static int full(void *arg)
{
    (void)arg;
    stream_init(&stream, &wire_ops, descriptor);
    cr_expect_eq(h1_input_wait(&in, &stream, NSEC_NEVER), FRAME);
    cr_expect(in.readable, "there may be more");
    cr_expect_eq(h1_input_try(&in, &stream), -ENOBUFS);
    cr_expect_eq(h1_input_wait(&in, &stream, NSEC_NEVER), -ENOBUFS);
    expect_buffered("0123456789abcdef");
    in.at += 10;
    cr_expect_eq(h1_input_try(&in, &stream), 4, "what is used makes room");
    cr_expect_not(in.readable, "a short read means that there is no more");
    expect_buffered("abcdefghij");
    in.at = in.end;
    cr_expect_eq(h1_input_try(&in, &stream), 0, "the peer's end");
    stream_close(&stream);
    return 0;
}

Test(h1_input, no_room)
{
    run(full, STR("0123456789abcdefghij"));
}

static int growing(void *arg)
{
    (void)arg;
    stream_init(&stream, &wire_ops, descriptor);
    cr_assert_eq(h1_input_wait(&in, &stream, NSEC_NEVER), FRAME);
    cr_expect_eq(h1_input_grow(&in, FRAME), -ENOBUFS);
    cr_expect_eq(h1_input_grow(&in, FRAME - 1), -ENOBUFS);
    cr_expect_null(in.heap);
    in.at += 2;
    cr_expect_eq(h1_input_grow(&in, 3 * FRAME), 0);
    cr_expect_eq(in.room, 2 * FRAME, "it doubles ...");
    expect_buffered("23456789abcdef");
    cr_expect_eq(h1_input_grow(&in, 3 * FRAME), 0);
    cr_expect_eq(in.room, 3 * FRAME, "... as far as the limit");
    cr_expect_eq(h1_input_grow(&in, 3 * FRAME), -ENOBUFS);
    cr_expect_eq(h1_input_wait(&in, &stream, NSEC_NEVER), 4);
    expect_buffered("23456789abcdefghij");
    stream_close(&stream);
    return 0;
}

Test(h1_input, grows)
{
    run(growing, STR("0123456789abcdefghij"));
}

static int pinned(void *arg)
{
    (void)arg;
    stream_init(&stream, &wire_ops, descriptor);
    cr_assert_eq(h1_input_wait(&in, &stream, NSEC_NEVER), FRAME);
    const char *head = h1_buffered(&in).p;
    in.at += 6;
    h1_input_pin(&in);
    in.at += 8;
    cr_expect_eq(h1_input_wait(&in, &stream, NSEC_NEVER), 8);
    expect_buffered("efghijklmn");
    cr_expect_eq(memcmp(head, "012345", 6), 0, "the head stays");
    cr_expect_eq(h1_input_wait(&in, &stream, NSEC_NEVER), -ENOBUFS, "no room but the head's");
    h1_input_unpin(&in, frame, sizeof frame);
    cr_expect_eq(h1_input_wait(&in, &stream, NSEC_NEVER), 2);
    expect_buffered("efghijklmnop");
    stream_close(&stream);
    return 0;
}

Test(h1_input, a_pinned_head_stays)
{
    run(pinned, STR("0123456789abcdefghijklmnop"));
}

static int large(void *arg)
{
    (void)arg;
    stream_init(&stream, &wire_ops, descriptor);
    cr_assert_eq(h1_input_wait(&in, &stream, NSEC_NEVER), FRAME);
    cr_assert_eq(h1_input_grow(&in, 100), 0);
    cr_assert_eq(h1_input_wait(&in, &stream, NSEC_NEVER), FRAME);
    in.at += 5;
    h1_input_pin(&in);
    h1_input_unpin(&in, frame, sizeof frame);
    cr_expect_not_null(in.heap, "what is left is too much for the frame");
    expect_buffered("56789abcdefghijklmnopqrstuv");
    in.at += 20;
    h1_input_pin(&in);
    h1_input_unpin(&in, frame, sizeof frame);
    cr_expect_null(in.heap, "back to the frame");
    cr_expect_eq(in.bytes, frame);
    cr_expect_eq(in.room, FRAME);
    expect_buffered("pqrstuv");
    stream_close(&stream);
    return 0;
}

Test(h1_input, returns_to_the_frame_after_a_large_head)
{
    run(large, STR("0123456789abcdefghijklmnopqrstuv"));
}
