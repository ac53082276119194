/* tls_heap_test.c: what is refused, what a block costs, random calls against a model, threads, and what the kernel is
 * told of the mappings. */
#include "net/tls_heap.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/no_mmap.h"

enum {
    LARGEST = 30 * 1024, /* that shares its mapping with others */
    SLAB = 64 * 1024,
    KEPT = 16 * SLAB, /* at most, when nothing is in use */
    BLOCKS = 600,     /* of the model */
};

/* What a handshake of TLS asks for. */
static const size_t typical[] = {21848, 7608, 960, 928, 536, 336, 216, 184, 152, 128, 112, 72, 62, 56, 40, 32};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Repeatable, and nothing but what tests need. */
static unsigned draw(unsigned *state, unsigned below)
{
    *state = *state * 1664525 + 1013904223;
    return (*state >> 8) % below;
}

/* ---- what a block holds ---- */

struct held {
    unsigned char *p;
    size_t n;
    unsigned char mark;
};

static void fill(struct held *held)
{
    memset(held->p, held->mark, held->n);
}

static bool is_whole(const struct held *held, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (held->p[i] != held->mark)
            return false;
    return true;
}

static void take(struct held *held, size_t n, unsigned char mark)
{
    *held = (struct held){tls_heap_alloc(n), n, mark};
    cr_assert_not_null(held->p, "%zu bytes", n);
    cr_assert_eq((uintptr_t)held->p % 16, 0, "%zu bytes", n);
    fill(held);
}

static void give(struct held *held)
{
    cr_assert(is_whole(held, held->n), "%zu bytes", held->n);
    tls_heap_free(held->p);
    held->p = NULL;
}

/* ---- what the kernel knows ---- */

/* Bytes of our mappings that are left out of core dumps. `of`: whether it is in one of them is told. */
static size_t undumped(const void *of, bool *found)
{
    size_t from = 0, to = 0, start, end, sum = 0;
    char line[512];
    FILE *f = fopen("/proc/self/smaps", "re");
    cr_assert_not_null(f);
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "%zx-%zx ", &start, &end) == 2) {
            from = start;
            to = end;
        }
        if (strncmp(line, "VmFlags:", 8) != 0 || !strstr(line, " dd"))
            continue;
        sum += to - from;
        if (found && (uintptr_t)of >= from && (uintptr_t)of < to)
            *found = true;
    }
    fclose(f);
    return sum;
}

static bool is_undumped(const void *block)
{
    bool found = false;
    undumped(block, &found);
    return found;
}

/* ---- refusals ---- */

Test(tls_heap, no_bytes_and_more_than_there_can_be)
{
    static const size_t sizes[] = {0, SIZE_MAX, SIZE_MAX - 15, SIZE_MAX - SLAB, (size_t)PTRDIFF_MAX + 1, PTRDIFF_MAX};
    struct held held;
    take(&held, 100, 'x');
    for (size_t i = 0; i < COUNT(sizes); i++) {
        cr_expect_null(tls_heap_alloc(sizes[i]), "%zu", sizes[i]);
        if (sizes[i])
            cr_expect_null(tls_heap_realloc(held.p, sizes[i]), "%zu", sizes[i]);
    }
    give(&held);
    tls_heap_free(NULL);
    cr_assert(tls_heap_check());
}

Test(tls_heap, realloc_of_nothing_allocates_and_to_nothing_frees)
{
    unsigned char *p = tls_heap_realloc(NULL, 50);
    cr_assert_not_null(p);
    cr_expect_null(tls_heap_realloc(p, 0));
    cr_expect_eq(tls_heap_alloc(50), p, "it was freed");
    cr_expect_null(tls_heap_realloc(NULL, 0));
}

/* What is mapped can still be handed out; and then nothing, until there is memory again. */
Test(tls_heap, no_mappings_are_a_soft_failure)
{
    struct held first, large, more[SLAB / LARGEST];
    size_t count = 0;
    no_mmap = true;
    for (size_t i = 0; i < COUNT(typical); i++)
        cr_expect_null(tls_heap_alloc(typical[i]));
    cr_expect_null(tls_heap_alloc(LARGEST + 1));
    no_mmap = false;
    take(&first, LARGEST, 'f');
    take(&large, LARGEST + 1, 'l');
    no_mmap = true;
    while ((more[count].p = tls_heap_alloc(LARGEST)))
        cr_assert_lt(++count, COUNT(more));
    cr_expect_eq(count, SLAB / LARGEST - 1);
    cr_expect_null(tls_heap_realloc(first.p, 100));
    cr_expect_null(tls_heap_realloc(first.p, 10 * LARGEST));
    cr_expect_null(tls_heap_realloc(large.p, 10 * LARGEST));
    cr_assert(tls_heap_check());
    no_mmap = false;
    cr_assert(is_whole(&first, first.n) && is_whole(&large, large.n));
    large.p = tls_heap_realloc(large.p, 10 * LARGEST);
    cr_assert(large.p && is_whole(&large, large.n));
    cr_assert(tls_heap_check());
}

/* ---- sizes ---- */

/* How far apart two blocks of one size are that nobody has had before. */
static size_t distance(size_t n)
{
    uintptr_t a, b = (uintptr_t)tls_heap_alloc(n);
    do {
        a = b;
        b = (uintptr_t)tls_heap_alloc(n);
        cr_assert(b && b % 16 == 0);
    } while (a / SLAB != b / SLAB);
    return b - a;
}

Test(tls_heap, a_block_wastes_an_eighth_or_fifteen_bytes_at_most)
{
    for (size_t n = 1; n <= LARGEST; n += n < 1100 ? 1 : 13) {
        size_t size = distance(n);
        cr_assert_geq(size, n);
        cr_assert_lt(size - n, n <= 128 ? 16 : n / 8 + 1, "%zu bytes take %zu", n, size);
    }
    for (size_t n = 16; n <= LARGEST; n *= 2)
        cr_assert_eq(distance(n), n);
    cr_assert_eq(distance(960), 960, "what a connection keeps");
    cr_assert(tls_heap_check());
}

Test(tls_heap, every_size_holds_what_is_written)
{
    enum { NEAR = 40 };
    for (size_t n = 1; n < LARGEST + 300; n += NEAR / 2) {
        struct held held[NEAR];
        for (size_t i = 0; i < NEAR; i++)
            take(&held[i], n + i, (unsigned char)i);
        cr_assert(tls_heap_check());
        for (size_t i = 0; i < NEAR; i++)
            give(&held[i]);
    }
    cr_assert(tls_heap_check());
}

Test(tls_heap, realloc_keeps_what_there_was)
{
    static const size_t sizes[] = {1,       16, 17,   128,  129,     7608,    LARGEST,     LARGEST + 1, SLAB - 64, SLAB,
                                   1 << 20, 1,  8000, 1000, 1 << 20, 1 << 18, LARGEST + 1, LARGEST,     200,       3};
    struct held held;
    take(&held, 2, 'r');
    for (size_t i = 0; i < COUNT(sizes); i++) {
        held.p = tls_heap_realloc(held.p, sizes[i]);
        cr_assert_not_null(held.p);
        cr_assert(is_whole(&held, held.n < sizes[i] ? held.n : sizes[i]), "%zu to %zu", held.n, sizes[i]);
        held.n = sizes[i];
        fill(&held);
        cr_assert(tls_heap_check());
    }
    give(&held);
}

/* ---- the model ---- */

/* Mostly what a handshake asks for; sometimes anything; seldom more than a slab. */
static size_t draw_size(unsigned *state)
{
    unsigned kind = draw(state, 100);
    if (kind < 70)
        return typical[draw(state, COUNT(typical))];
    return 1 + draw(state, kind < 98 ? LARGEST : 4 * SLAB);
}

static void resize(struct held *held, size_t n)
{
    held->p = tls_heap_realloc(held->p, n);
    cr_assert_not_null(held->p);
    cr_assert(is_whole(held, n < held->n ? n : held->n));
    held->n = n;
    fill(held);
}

static void step(struct held *held, unsigned *state)
{
    if (!held->p)
        take(held, draw_size(state), (unsigned char)draw(state, 256));
    else if (draw(state, 4) == 0)
        resize(held, draw_size(state));
    else
        give(held);
}

Test(tls_heap, random_calls_against_a_model)
{
    static struct held blocks[BLOCKS];
    unsigned state = 1;
    for (int round = 0; round < 200; round++) {
        unsigned used = 1 + draw(&state, BLOCKS); /* so that slabs get full, and empty */
        for (int i = 0; i < 400; i++)
            step(&blocks[draw(&state, used)], &state);
        cr_assert(tls_heap_check(), "round %d", round);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        if (blocks[i].p)
            give(&blocks[i]);
    cr_assert(tls_heap_check());
}

/* ---- what is given back ---- */

enum { CONNECTIONS = 4000 };

static void handshake(struct held blocks[static COUNT(typical)])
{
    for (size_t i = 0; i < COUNT(typical); i++)
        take(&blocks[i], typical[i], (unsigned char)i);
}

Test(tls_heap, what_handshakes_took_serves_the_next_ones)
{
    struct held blocks[COUNT(typical)];
    size_t mapped = 0;
    for (int i = 0; i < CONNECTIONS; i++) {
        handshake(blocks);
        for (size_t k = 0; k < COUNT(typical); k++)
            give(&blocks[k]);
        if (i == 0)
            mapped = undumped(NULL, NULL);
    }
    cr_assert_eq(undumped(NULL, NULL), mapped);
}

Test(tls_heap, empty_slabs_are_given_back)
{
    static struct held all[CONNECTIONS][COUNT(typical)];
    size_t before = undumped(NULL, NULL);
    for (int i = 0; i < CONNECTIONS; i++)
        handshake(all[i]);
    cr_assert_gt(undumped(NULL, NULL) - before, (size_t)CONNECTIONS * 32000);
    for (int i = 0; i < CONNECTIONS; i++)
        for (size_t k = 0; k < COUNT(typical); k++)
            give(&all[i][k]);
    cr_assert(tls_heap_check());
    /* One that a thread has a block of at hand is not empty: a few of each class, at worst in a slab each. */
    cr_assert_leq(undumped(NULL, NULL) - before, KEPT + COUNT(typical) * 2 * SLAB);
}

Test(tls_heap, a_large_block_is_given_back_at_once)
{
    size_t before = undumped(NULL, NULL);
    struct held held;
    take(&held, LARGEST + 1, 'h');
    cr_assert_eq(undumped(NULL, NULL), before + SLAB);
    give(&held);
    cr_assert_eq(undumped(NULL, NULL), before);
    take(&held, 10 * SLAB, 'h');
    cr_assert_eq(undumped(NULL, NULL), before + 11 * SLAB);
    give(&held);
    cr_assert_eq(undumped(NULL, NULL), before);
}

/* ---- core dumps ---- */

static void expect_undumped(struct held blocks[static COUNT(typical)], const void *large)
{
    for (size_t i = 0; i < COUNT(typical); i++)
        cr_expect(is_undumped(blocks[i].p), "%zu bytes", blocks[i].n);
    cr_expect(is_undumped(large));
    cr_expect_not(is_undumped(blocks), "the stack is dumped");
}

Test(tls_heap, no_block_is_dumped_and_none_of_a_child)
{
    struct held blocks[COUNT(typical)], large;
    handshake(blocks);
    take(&large, 3 * SLAB, 'l');
    expect_undumped(blocks, large.p);
    pid_t child = fork();
    if (child == 0) {
        bool same = tls_heap_check() && is_whole(&blocks[0], blocks[0].n) && is_undumped(large.p);
        for (size_t i = 0; i < COUNT(typical); i++)
            same = same && is_undumped(blocks[i].p) && is_undumped(tls_heap_alloc(typical[i]));
        _exit(same ? 0 : 1);
    }
    int status = -1;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
}

/* ---- threads ---- */

enum { THREADS = 4, PLACES = 128, STEPS = 100000 };

/* Where threads leave blocks that others find. */
static _Atomic(struct held *) places[PLACES];

/* Puts a new block somewhere, and frees what was there, whoever has allocated it. Its size and mark are in it. */
static void swap(unsigned *state)
{
    size_t n = sizeof(struct held) + draw_size(state);
    struct held *held = tls_heap_alloc(n);
    cr_assert_not_null(held);
    *held = (struct held){(unsigned char *)(held + 1), n - sizeof *held, (unsigned char)draw(state, 256)};
    fill(held);
    held = atomic_exchange(&places[draw(state, PLACES)], held);
    if (held && !is_whole(held, held->n))
        cr_assert_fail("%zu bytes", held->n);
    tls_heap_free(held);
}

static void *swap_often(void *arg)
{
    unsigned state = (unsigned)(uintptr_t)arg;
    for (int i = 0; i < STEPS; i++) {
        swap(&state);
        if (i % 5000 == 0 && !tls_heap_check())
            cr_assert_fail("step %d", i);
    }
    return NULL;
}

Test(tls_heap, threads_free_what_others_have_allocated)
{
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, swap_often, (void *)(i + 1)), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    cr_assert(tls_heap_check());
    for (size_t i = 0; i < PLACES; i++)
        tls_heap_free(places[i]);
    cr_assert(tls_heap_check());
}
