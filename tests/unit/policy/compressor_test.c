/* compressor_test.c: content that cannot be had or sent, and content on the loop, from the pool and from files. */
#include "policy/compressor.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../decode.h"
#include "../green/run.h"
#include "carrier.h"
#include "green/offload.h"
#include "net/stream.h"

enum { MUCH = 3 << 20 };

static char content[MUCH], back[MUCH + 1];

/* Digits, which become half as much, so that there is a lot to be passed on. */
static struct str digits(size_t n)
{
    unsigned seed = 7;
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1103515245 + 12345;
        content[i] = (char)('0' + (seed >> 16) % 10);
    }
    return (struct str){content, n};
}

static void start(enum coding coding)
{
    carrier_start(NULL, NULL);
    carrier.x.response = (struct http_response){.status = 200, .length = HTTP_LENGTH_UNKNOWN};
    cr_assert_eq(compressor_attach(&carrier.x, coding, ENCODER_FAST, HTTP_LENGTH_UNKNOWN), 0);
}

/* What arrived is the whole content in that coding. */
static void expect_back(enum coding coding, struct str expected)
{
    struct str came = {carrier.content, carrier.n};
    struct decoded d = decode(coding_name(coding), came, back, sizeof back);
    cr_expect(d.ended && !d.broken && !carrier.file && carrier.ended);
    cr_expect(str_eq((struct str){back, d.n}, expected), "%zu of %zu bytes", d.n, expected.n);
}

static int make_file(size_t n, struct file_stamp *stamp)
{
    int fd = memfd_create("content", MFD_CLOEXEC);
    struct stat st;
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, digits(n).p, n), (ssize_t)n);
    cr_assert_eq(fstat(fd, &st), 0);
    *stamp = (struct file_stamp){st.st_size, st.st_mtim};
    return fd;
}

/* ---- what fails ---- */

GreenTest(compressor, no_more_than_there_may_be)
{
    static struct exchange others[COMPRESSORS_MAX];
    for (size_t i = 0; i < COMPRESSORS_MAX; i++) {
        arena_init(&others[i].arena, NULL, 0);
        cr_assert_eq(compressor_attach(&others[i], CODING_GZIP, ENCODER_FAST, 100), 0);
    }
    carrier_start(NULL, NULL);
    cr_expect_eq(compressor_attach(&carrier.x, CODING_GZIP, ENCODER_FAST, 100), -EAGAIN);
    carrier_end();
    arena_clear(&others[0].arena);
    cr_expect_null(others[0].ops, "it has what it had before");
    start(CODING_GZIP);
    carrier_end();
    for (size_t i = 1; i < COMPRESSORS_MAX; i++)
        arena_clear(&others[i].arena);
}

GreenTest(compressor, a_peer_that_is_gone)
{
    struct file_stamp stamp;
    int fd = make_file(MUCH, &stamp);
    for (enum coding coding = 0; coding < CODING_COUNT; coding++) {
        start(coding);
        carrier.refused = 100 * 1000;
        cr_expect_eq(http_content(&carrier.x, digits(MUCH)), -EPIPE);
        carrier_end();
        start(coding);
        carrier.refused = 100 * 1000;
        cr_expect_eq(http_file(&carrier.x, fd, 0, MUCH, &stamp), -EPIPE);
        carrier_end();
        start(coding);
        carrier.refused = 1;
        cr_expect_eq(http_content(&carrier.x, digits(100)), 0);
        cr_expect_eq(http_end(&carrier.x), -EPIPE);
        carrier_end();
    }
    close(fd);
}

GreenTest(compressor, a_file_that_is_not_what_it_was)
{
    struct file_stamp stamp, other;
    int fd = make_file(MUCH, &stamp);
    start(CODING_ZSTD);
    other = stamp;
    other.modified.tv_nsec ^= 1;
    cr_expect_eq(http_file(&carrier.x, fd, 0, MUCH, &other), -ESTALE);
    carrier_end();
    start(CODING_ZSTD);
    cr_expect_eq(http_file(&carrier.x, fd, 0, MUCH / 2, &stamp), 0);
    cr_assert_eq(ftruncate(fd, MUCH / 2), 0);
    cr_expect_eq(http_file(&carrier.x, fd, MUCH / 2, MUCH / 2, &stamp), -EIO);
    carrier_end();
    start(CODING_ZSTD);
    cr_expect_eq(http_file(&carrier.x, fd, 0, MUCH / 2, &stamp), -ESTALE);
    carrier_end();
    close(fd);
    start(CODING_ZSTD);
    cr_expect_eq(http_file(&carrier.x, fd, 0, MUCH / 2, &stamp), -EBADF);
    carrier_end();
}

static int send_much(void *arg)
{
    (void)arg;
    return http_content(&carrier.x, (struct str){content, MUCH});
}

GreenTest(compressor, a_thread_that_is_cancelled)
{
    digits(MUCH);
    start(CODING_BR);
    struct green *thread = run_spawn(send_much, NULL);
    run_yield();
    green_cancel(thread);
    cr_expect_eq(run_join(thread), -ECANCELED);
    carrier_end();
}

/* ---- a pool with something else to do ---- */

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static bool at_gate; /* a thread of the pool is there */

static void pass_gate(void *arg)
{
    (void)arg;
    __atomic_store_n(&at_gate, true, __ATOMIC_RELEASE);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
}

static int wait_at_gate(void *arg)
{
    (void)arg;
    return green_offload(pass_gate, NULL, NSEC_NEVER);
}

GreenTest(compressor, a_full_pool_is_waited_for, .pool = 1, .pool_queue = 1)
{
    struct green *threads[3];
    digits(MUCH);
    start(CODING_GZIP);
    pthread_mutex_lock(&gate);
    threads[0] = run_spawn(wait_at_gate, NULL);
    while (!__atomic_load_n(&at_gate, __ATOMIC_ACQUIRE))
        cr_assert_eq(green_sleep(NSEC_MS), 0);
    threads[1] = run_spawn(wait_at_gate, NULL);
    run_yield();
    threads[2] = run_spawn(send_much, NULL);
    cr_assert_eq(green_sleep(20 * NSEC_MS), 0);
    cr_expect_eq(carrier.n, 0);
    pthread_mutex_unlock(&gate);
    for (size_t i = 0; i < 3; i++)
        cr_expect_eq(run_join(threads[i]), 0);
    cr_expect_eq(http_end(&carrier.x), 0);
    expect_back(CODING_GZIP, (struct str){content, MUCH});
    carrier_end();
}

GreenTest(compressor, a_pool_that_stays_full_is_given_up, .pool = 1, .pool_queue = 1)
{
    struct green *threads[2];
    digits(MUCH);
    start(CODING_GZIP);
    carrier.server.timeouts.write = 20 * NSEC_MS;
    pthread_mutex_lock(&gate);
    threads[0] = run_spawn(wait_at_gate, NULL);
    while (!__atomic_load_n(&at_gate, __ATOMIC_ACQUIRE))
        cr_assert_eq(green_sleep(NSEC_MS), 0);
    threads[1] = run_spawn(wait_at_gate, NULL);
    run_yield();
    cr_expect_eq(send_much(NULL), -EAGAIN);
    pthread_mutex_unlock(&gate);
    for (size_t i = 0; i < 2; i++)
        cr_expect_eq(run_join(threads[i]), 0);
    carrier_end();
}

/* ---- content ---- */

GreenTest(compressor, pieces_of_every_size)
{
    static const size_t pieces[] = {1, 100, 16 * 1024, 16 * 1024 + 1, 700 * 1000, MUCH};
    static const size_t sizes[] = {10 * 1000, 100 * 1000, MUCH, MUCH, MUCH, MUCH};
    for (enum coding coding = 0; coding < CODING_COUNT; coding++)
        for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
            struct str all = digits(sizes[i]);
            start(coding);
            for (struct str rest = all; rest.n; rest = str_skip(rest, pieces[i])) {
                struct str piece = {rest.p, rest.n < pieces[i] ? rest.n : pieces[i]};
                cr_assert_eq(http_content(&carrier.x, piece), 0);
            }
            cr_expect_eq(http_end(&carrier.x), 0);
            expect_back(coding, all);
            carrier_end();
        }
}

/* ---- flushes ---- */

/* What has been given so far can be decoded, and has no end yet. */
static void expect_so_far(enum coding coding, struct str expected)
{
    struct decoded d = decode(coding_name(coding), (struct str){carrier.content, carrier.n}, back, sizeof back);
    cr_expect(!d.ended && !d.broken && !carrier.ended);
    cr_expect(str_eq((struct str){back, d.n}, expected), "%zu of %zu bytes", d.n, expected.n);
}

GreenTest(compressor, a_flush_that_a_peer_does_not_take)
{
    for (enum coding coding = 0; coding < CODING_COUNT; coding++) {
        start(coding);
        carrier.refused = 1;
        cr_expect_eq(http_content(&carrier.x, digits(100)), 0);
        cr_expect_eq(http_flush(&carrier.x), -EPIPE);
        cr_expect_eq(carrier.flushes, 0);
        carrier_end();
    }
}

GreenTest(compressor, flushed_content_can_be_decoded)
{
    static const size_t pieces[] = {1, 1000, 16 * 1024, 16 * 1024 + 1, 700 * 1000};
    for (enum coding coding = 0; coding < CODING_COUNT; coding++)
        for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
            struct str all = digits(3 * pieces[i]);
            start(coding);
            for (size_t n = 0; n < all.n; n += pieces[i]) {
                cr_assert_eq(http_content(&carrier.x, (struct str){all.p + n, pieces[i]}), 0);
                cr_expect_eq(http_flush(&carrier.x), 0);
                expect_so_far(coding, (struct str){all.p, n + pieces[i]});
            }
            cr_expect_eq(carrier.flushes, 3);
            cr_expect_eq(http_end(&carrier.x), 0);
            expect_back(coding, all);
            carrier_end();
        }
}

GreenTest(compressor, flushes_without_content)
{
    for (enum coding coding = 0; coding < CODING_COUNT; coding++) {
        start(coding);
        cr_expect_eq(http_flush(&carrier.x), 0, "before there is any");
        cr_expect_eq(http_content(&carrier.x, digits(100)), 0);
        cr_expect_eq(http_flush(&carrier.x), 0);
        size_t flushed = carrier.n;
        cr_expect_eq(http_flush(&carrier.x), 0);
        cr_expect_eq(carrier.n, flushed, "there was nothing left");
        cr_expect_eq(carrier.flushes, 3, "but it is passed on");
        cr_expect_eq(http_end(&carrier.x), 0);
        expect_back(coding, (struct str){content, 100});
        carrier_end();
    }
}

GreenTest(compressor, nothing_at_all)
{
    for (enum coding coding = 0; coding < CODING_COUNT; coding++) {
        start(coding);
        cr_expect_eq(http_content(&carrier.x, STR("")), 0);
        cr_expect_eq(http_end(&carrier.x), 0);
        expect_back(coding, STR(""));
        carrier_end();
    }
}

GreenTest(compressor, files_and_texts)
{
    struct file_stamp stamp;
    int fd = make_file(MUCH, &stamp);
    for (enum coding coding = 0; coding < CODING_COUNT; coding++) {
        start(coding);
        cr_expect_eq(http_file(&carrier.x, fd, 0, 1, &stamp), 0);
        cr_expect_eq(http_content(&carrier.x, (struct str){content + 1, 999}), 0);
        cr_expect_eq(http_file(&carrier.x, fd, 1000, 1000 * 1000, &stamp), 0);
        cr_expect_eq(http_file(&carrier.x, fd, 1001 * 1000, MUCH - 1001 * 1000, &stamp), 0);
        cr_expect_eq(http_end(&carrier.x), 0);
        expect_back(coding, (struct str){content, MUCH});
        cr_expect_geq(carrier.n / carrier.pieces, 8 * 1024, "large pieces: %zu of %zu bytes", carrier.pieces,
                      carrier.n);
        carrier_end();
    }
    close(fd);
}

GreenTest(compressor, reading_goes_through)
{
    char byte;
    start(CODING_BR);
    cr_expect_eq(http_read(&carrier.x, &byte, 1), 1);
    carrier_end();
}

/* ---- others ---- */

static int count_turns(void *arg)
{
    for (int *turns = arg;; ++*turns) {
        int error = green_yield();
        if (error)
            return error;
    }
}

/* What is large, or a lot, is not compressed on the loop in one go. */
GreenTest(compressor, the_others_go_on)
{
    int turns = 0;
    struct green *other = run_spawn(count_turns, &turns);
    digits(MUCH);
    start(CODING_ZSTD);
    for (struct str rest = {content, MUCH / 2}; rest.n; rest = str_skip(rest, 16 * 1024)) {
        int before = turns;
        cr_assert_eq(http_content(&carrier.x, (struct str){rest.p, 16 * 1024}), 0);
        cr_assert_eq(http_content(&carrier.x, (struct str){rest.p, 16 * 1024}), 0);
        cr_assert_eq(http_content(&carrier.x, (struct str){rest.p, 16 * 1024}), 0);
        cr_assert_gt(turns, before, "48 KiB without a wait");
    }
    green_cancel(other);
    cr_expect_eq(run_join(other), -ECANCELED);
    carrier_end();
}

/* What an encoder has put off until the end, or a flush, is not done on the loop either, unless it is little. */
GreenTest(compressor, the_end_is_counted_too)
{
    static int (*const ends[])(struct exchange * x) = {http_end, http_flush};
    int turns = 0, before;
    struct green *other = run_spawn(count_turns, &turns);
    struct str zeros = {memset(content, 0, MUCH), 4 * 1024};
    for (size_t k = 0; k < 2; k++) {
        start(CODING_ZSTD); /* which keeps 64 KiB until then */
        for (int i = 0; i < 15; i++) {
            cr_assert_eq(http_content(&carrier.x, zeros), 0);
            cr_assert_eq(green_sleep(NSEC_MS), 0);
        }
        cr_assert_eq(carrier.n, 0, "nothing has come out");
        before = turns;
        cr_assert_eq(ends[k](&carrier.x), 0);
        cr_expect_gt(turns, before, "60 KiB without a wait");
        (k ? expect_so_far : expect_back)(CODING_ZSTD, (struct str){content, 60 * 1024});
        carrier_end();
    }
    start(CODING_ZSTD);
    before = turns;
    cr_assert_eq(http_content(&carrier.x, zeros), 0);
    cr_assert_eq(http_end(&carrier.x), 0);
    cr_expect_eq(turns, before, "4 KiB need no wait");
    expect_back(CODING_ZSTD, zeros);
    carrier_end();
    green_cancel(other);
    cr_expect_eq(run_join(other), -ECANCELED);
}

GreenTest(compressor, many_ends_in_one_pass)
{
    enum { STREAMS = 3 };
    static struct exchange x[STREAMS];
    int turns = 0;
    struct green *other = run_spawn(count_turns, &turns);
    struct str zeros = {memset(content, 0, MUCH), 16 * 1024};
    carrier_start(NULL, NULL);
    for (size_t i = 0; i < STREAMS; i++) {
        x[i] = carrier.x;
        x[i].response = (struct http_response){.status = 200, .length = HTTP_LENGTH_UNKNOWN};
        cr_assert_eq(compressor_attach(&x[i], CODING_ZSTD, ENCODER_FAST, HTTP_LENGTH_UNKNOWN), 0);
        cr_assert_eq(http_content(&x[i], zeros), 0);
    }
    cr_assert_eq(green_sleep(NSEC_MS), 0);
    int before = turns;
    cr_assert_eq(http_end(&x[0]), 0);
    cr_assert_eq(http_end(&x[1]), 0);
    cr_expect_eq(turns, before, "32 KiB need no wait");
    cr_assert_eq(http_end(&x[2]), 0);
    cr_expect_gt(turns, before, "48 KiB without a wait");
    for (size_t i = 0; i < STREAMS; i++)
        arena_clear(&x[i].arena);
    green_cancel(other);
    cr_expect_eq(run_join(other), -ECANCELED);
    carrier_end();
}

GreenTest(compressor, turns_of_others)
{
    cr_assert(compressor_try_turn());
    cr_assert(compressor_try_turn());
    cr_expect_not(compressor_try_turn());
    digits(MUCH);
    start(CODING_GZIP);
    struct green *thread = run_spawn(send_much, NULL);
    cr_assert_eq(green_sleep(5 * NSEC_MS), 0);
    cr_expect_eq(carrier.n, 0, "no turn, no job");
    compressor_end_turn();
    cr_expect_not(compressor_try_turn(), "it is the turn of who waits");
    cr_expect_eq(run_join(thread), 0);
    cr_expect(compressor_try_turn(), "it has come back");
    compressor_end_turn();
    compressor_end_turn();
    carrier_end();
}

GreenTest(compressor, a_small_pool_is_not_filled, .pool = 2)
{
    cr_assert(compressor_try_turn());
    cr_expect_not(compressor_try_turn());
    compressor_end_turn();
}
