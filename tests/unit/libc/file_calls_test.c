/* file_calls_test.c: read() and write() on green threads: of sockets, pipes, files and what else has a number. */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "peers.h"

enum { BIG = 1024 * 1024 };

static struct ends pair;
static int pipe_ends[2];

static void setup(void)
{
    pair = ends_open(SOCK_STREAM);
    cr_assert_eq(pipe2(pipe_ends, O_CLOEXEC), 0);
}

static void teardown(void)
{
    ends_close(&pair);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

TestSuite(file_calls, .init = setup, .fini = teardown);

/* ---- what is refused ---- */

GreenTest(file_calls, a_non_blocking_descriptor_keeps_its_eagain)
{
    char byte = 'x';
    struct iovec piece = {&byte, 1};
    int in[] = {pair.here, pipe_ends[0]}, out[] = {pair.here, pipe_ends[1]};
    for (int i = 0; i < 2; i++) {
        set_nonblocking(in[i]);
        expect_error(ours.read(in[i], &byte, 1), EAGAIN);
        expect_error(ours.readv(in[i], &piece, 1), EAGAIN);
        fill_up(out[i]);
        set_nonblocking(out[i]);
        expect_error(ours.write(out[i], &byte, 1), EAGAIN);
        expect_error(ours.writev(out[i], &piece, 1), EAGAIN);
    }
}

GreenTest(file_calls, a_non_blocking_pipe_takes_a_part)
{
    char *big = calloc(1, BIG);
    set_nonblocking(pipe_ends[1]);
    ssize_t written = ours.write(pipe_ends[1], big, BIG);
    cr_expect_gt(written, 0);
    cr_expect_lt(written, BIG);
    expect_error(ours.write(pipe_ends[1], big, BIG), EAGAIN);
    free(big);
}

GreenTest(file_calls, what_is_not_open_or_not_open_for_that_is_refused_as_by_libc)
{
    char to[8];
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC), directory = open("/", O_RDONLY | O_CLOEXEC);
    expect_error(ours.read(null, to, sizeof to), EBADF);
    expect_error(ours.read(directory, to, sizeof to), EISDIR);
    expect_error(ours.write(directory, to, sizeof to), EBADF);
    expect_error(ours.readv(null, &(struct iovec){to, 1}, -1), EBADF);
    expect_error(ours.readv(pair.here, &(struct iovec){to, 1}, -1), EINVAL);
    expect_error(ours.writev(pair.here, &(struct iovec){to, 1}, IOV_MAX + 1), EINVAL);
    close(null);
    expect_error(ours.read(null, to, sizeof to), EBADF);
    expect_error(ours.write(null, to, sizeof to), EBADF);
    close(directory);
}

static int read_one(void *arg)
{
    char byte;
    return ours.read(*(int *)arg, &byte, 1) < 0 ? errno : 0;
}

static int write_one(void *arg)
{
    return ours.write(*(int *)arg, "x", 1) < 0 ? errno : 0;
}

GreenTest(file_calls, a_cancelled_thread_does_not_wait)
{
    expect_cancellable(read_one, &pair.here);
    expect_cancellable(read_one, &pipe_ends[0]);
    fill_up(pair.here);
    fill_up(pipe_ends[1]);
    expect_cancellable(write_one, &pair.here);
    expect_cancellable(write_one, &pipe_ends[1]);
}

GreenTest(file_calls, nothing_to_do_is_done_at_once)
{
    cr_expect_eq(ours.read(pair.here, NULL, 0), 0);
    cr_expect_eq(ours.readv(pair.here, &(struct iovec){0}, 1), 0);
    cr_expect_eq(ours.write(pair.here, NULL, 0), 0);
    cr_expect_eq(ours.writev(pair.here, NULL, 0), 0);
    cr_expect_eq(ours.read(pipe_ends[0], NULL, 0), 0);
}

GreenTest(file_calls, the_end_of_a_pipe_is_read_and_told_to_who_writes)
{
    char byte;
    close(pipe_ends[1]);
    cr_expect_eq(ours.read(pipe_ends[0], &byte, 1), 0);
    cr_assert_eq(pipe2(pipe_ends, O_CLOEXEC), 0);
    close(pipe_ends[0]);
    signal(SIGPIPE, SIG_IGN);
    expect_error(ours.write(pipe_ends[1], "x", 1), EPIPE);
}

/* ---- what waits ---- */

static int read_text(void *arg)
{
    char to[4] = {0}, more[4] = {0};
    errno = EXDEV;
    ssize_t n = ours.readv(*(int *)arg, (struct iovec[]){{to, 2}, {more, 2}}, 2);
    cr_expect_eq(errno, EXDEV, "errno is left alone");
    run_note(to[0]);
    if (n > 2)
        run_note(more[0]);
    return (int)n;
}

GreenTest(file_calls, who_reads_waits_while_others_run)
{
    int in[] = {pair.here, pipe_ends[0]}, out[] = {pair.there, pipe_ends[1]};
    for (int i = 0; i < 2; i++) {
        struct green *thread = run_spawn(read_text, &in[i]);
        settle();
        cr_expect_str_eq(run_noted(), "");
        cr_expect_eq(ours.writev(out[i], (struct iovec[]){{"a", 1}, {"bcd", 2}}, 2), 3);
        cr_expect_eq(run_join(thread), 3);
        cr_expect_str_eq(run_noted(), "ac");
    }
}

GreenTest(file_calls, a_counter_of_events_is_read_when_it_has_some)
{
    int events = eventfd(0, EFD_CLOEXEC);
    uint64_t one = 1;
    struct green *thread = run_spawn(read_one, &events);
    settle();
    cr_expect_eq(ours.write(events, &one, sizeof one), sizeof one);
    cr_expect_eq(run_join(thread), EINVAL, "there is something, but one byte has no room for it");
    close(events);
}

static int write_big(void *arg)
{
    char *bytes = malloc(BIG);
    for (size_t i = 0; i < BIG; i++)
        bytes[i] = (char)(i / 3);
    struct iovec pieces[] = {{bytes, 5}, {NULL, 0}, {bytes + 5, BIG - 5}};
    ssize_t n = ours.writev(*(int *)arg, pieces, 3);
    ssize_t more = ours.write(*(int *)arg, bytes, BIG);
    free(bytes);
    return n == BIG && more == BIG ? 0 : -1;
}

GreenTest(file_calls, a_big_write_is_written_whole)
{
    int in[] = {pair.here, pipe_ends[0]}, out[] = {pair.there, pipe_ends[1]};
    for (int i = 0; i < 2; i++) {
        struct green *writer = run_spawn(write_big, &out[i]);
        static char bytes[7000];
        for (size_t got = 0, n; got < 2 * (size_t)BIG; got += n) {
            n = (size_t)ours.read(in[i], bytes, sizeof bytes);
            cr_assert_leq(n, sizeof bytes);
            for (size_t k = 0; k < n; k++)
                cr_assert_eq(bytes[k], (char)((got + k) % BIG / 3));
        }
        cr_expect_eq(run_join(writer), 0);
    }
}

/* ---- what never waits ---- */

GreenTest(file_calls, a_file_is_written_and_read_in_one_go)
{
    char name[] = "/tmp/tern-file-calls.XXXXXX", *bytes = malloc(BIG);
    int file = mkstemp(name);
    cr_assert_geq(file, 0);
    unlink(name);
    cr_expect_eq(ours.write(file, bytes, BIG), BIG);
    cr_expect_eq(ours.writev(file, (struct iovec[]){{bytes, BIG / 2}, {bytes, BIG / 2}}, 2), BIG);
    lseek(file, 0, SEEK_SET);
    cr_expect_eq(ours.read(file, bytes, BIG), BIG);
    cr_expect_eq(ours.readv(file, (struct iovec[]){{bytes, BIG / 2}, {bytes, BIG / 2}}, 2), BIG);
    cr_expect_eq(ours.read(file, bytes, BIG), 0);
    close(file);
    free(bytes);
}
