/* arena_test.c: pieces that do not overlap, cleanups in reverse order, and everything given back. */
#include "base/arena.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

static bool aligned(const void *p)
{
    return (uintptr_t)p % _Alignof(max_align_t) == 0;
}

Test(arena, a_size_beyond_memory_is_refused)
{
    struct arena a;
    arena_init(&a, NULL, 0);
    cr_expect_null(arena_alloc(&a, SIZE_MAX));
    cr_expect_null(arena_zalloc(&a, SIZE_MAX - 15));
    cr_expect_not_null(arena_alloc(&a, 1), "and the arena goes on");
    arena_clear(&a);
}

Test(arena, nothing_is_a_piece_too)
{
    char first[64];
    struct arena a;
    arena_init(&a, NULL, 0);
    cr_expect_not_null(arena_alloc(&a, 0), "NULL would mean that memory is out");
    cr_expect_not_null(arena_zalloc(&a, 0));
    arena_clear(&a);
    arena_init(&a, first, sizeof first);
    cr_expect_not_null(arena_alloc(&a, 0));
    arena_clear(&a);
}

Test(arena, uses_the_callers_chunk_first)
{
    _Alignas(max_align_t) char first[256];
    struct arena a;
    arena_init(&a, first + 1, sizeof first - 1);
    for (int i = 0; i < 15; i++) {
        char *piece = arena_alloc(&a, 16);
        cr_expect(piece >= first && piece + 16 <= first + sizeof first);
        cr_expect(aligned(piece));
    }
    char *elsewhere = arena_alloc(&a, 16);
    cr_expect(elsewhere < first || elsewhere >= first + sizeof first);
    arena_clear(&a);
    char *again = arena_alloc(&a, 16);
    cr_expect(again >= first && again < first + sizeof first, "cleared, it starts over");
    arena_clear(&a);
}

enum { PIECES = 2000 };

/* Each piece is filled with a byte of its own; whoever overlaps overwrites. */
Test(arena, pieces_are_aligned_and_do_not_overlap)
{
    struct arena a;
    static unsigned char *pieces[PIECES];
    static size_t sizes[PIECES];
    char first[1000];
    arena_init(&a, first, sizeof first);
    srand(1);
    for (int i = 0; i < PIECES; i++) {
        sizes[i] = (size_t)(rand() % (i % 50 == 0 ? 9000 : 200));
        pieces[i] = arena_alloc(&a, sizes[i]);
        cr_assert_not_null(pieces[i]);
        cr_assert(aligned(pieces[i]));
        memset(pieces[i], i & 255, sizes[i]);
    }
    for (int i = 0; i < PIECES; i++)
        for (size_t j = 0; j < sizes[i]; j++)
            cr_assert_eq(pieces[i][j], i & 255, "piece %d was overwritten", i);
    arena_clear(&a);
}

Test(arena, a_large_piece_does_not_waste_the_present_chunk)
{
    struct arena a;
    arena_init(&a, NULL, 0);
    char *before = arena_alloc(&a, 16);
    char *large = arena_alloc(&a, 100000);
    char *after = arena_alloc(&a, 16);
    cr_assert_not_null(large);
    cr_expect_eq(after, before + 16);
    arena_clear(&a);
}

Test(arena, zeroed)
{
    char first[64];
    memset(first, 'x', sizeof first);
    struct arena a;
    arena_init(&a, first, sizeof first);
    char *zeros = arena_zalloc(&a, 32);
    for (int i = 0; i < 32; i++)
        cr_expect_eq(zeros[i], 0);
    arena_clear(&a);
}

Test(arena, copies_and_prints_text)
{
    struct arena a;
    arena_init(&a, NULL, 0);
    char source[] = "a\0b";
    struct str copy = arena_copy(&a, (struct str){source, 3});
    source[0] = 'x';
    cr_expect(str_eq(copy, STR("a\0b")));
    cr_expect_eq(copy.p[3], '\0');
    struct str empty = arena_copy(&a, (struct str){NULL, 0});
    cr_assert_not_null(empty.p);
    cr_expect_str_eq(empty.p, "");
    struct str text = arena_printf(&a, "%s %5000d", "x", 7);
    cr_expect_eq(text.n, 5002);
    cr_expect_eq(text.p[5001], '7');
    cr_expect_eq(text.p[5002], '\0');
    arena_clear(&a);
}

static char order[8];

static void note(void *arg)
{
    const char *letter = arg;
    order[strlen(order)] = *letter;
}

struct late {
    struct arena *arena;
    char *text;
};

static void note_later(void *arg)
{
    struct late *late = arg;
    note("l");
    cr_assert_eq(arena_defer(late->arena, note, late->text), 0);
}

Test(arena, cleanups_run_in_reverse_order_and_once)
{
    struct arena a;
    arena_init(&a, NULL, 0);
    cr_assert_eq(arena_defer(&a, note, "1"), 0);
    cr_assert_eq(arena_defer(&a, note, "2"), 0);
    cr_assert_eq(arena_defer(&a, note, "3"), 0);
    arena_clear(&a);
    cr_expect_str_eq(order, "321");
    arena_clear(&a);
    cr_expect_str_eq(order, "321");
}

Test(arena, a_cleanup_may_defer_another)
{
    struct arena a;
    struct late late = {&a, "n"};
    arena_init(&a, NULL, 0);
    cr_assert_eq(arena_defer(&a, note, "1"), 0);
    cr_assert_eq(arena_defer(&a, note_later, &late), 0);
    arena_clear(&a);
    cr_expect_str_eq(order, "ln1");
}

Test(arena, clearing_gives_everything_back)
{
    struct arena a;
    arena_init(&a, NULL, 0);
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < 1000; i++)
        cr_assert_not_null(arena_alloc(&a, 500));
    arena_clear(&a);
    cr_expect_eq(mallinfo2().uordblks, before);
}
