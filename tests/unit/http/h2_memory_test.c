/* h2_memory_test.c: the reserve: what it lends, to whom not, and that all of it comes back. */
#include "http/h2_memory.c" // NOLINT(bugprone-suspicious-include)

#include <criterion/criterion.h>

static struct conn conn;
static struct h2 h2;

static void begin(void)
{
    h2 = (struct h2){.conn = &conn};
}

static void end(void)
{
    cr_expect_eq(reserve.used, 0, "%zu bytes are still lent", reserve.used);
}

TestSuite(h2_memory, .init = begin, .fini = end);

Test(h2_memory, what_is_not_small_is_not_lent)
{
    cr_expect_null(lend(&h2, MOST + 1));
    cr_expect_null(lend(&h2, SIZE_MAX));
    cr_expect_eq(reserve.pieces, 0);
}

Test(h2_memory, who_borrows_is_to_end)
{
    void *p = h2_memory_get(10, &h2);
    cr_expect(!is_lent(p) && h2.code == 0);
    void *q = lend(&h2, 10);
    cr_expect(is_lent(q) && h2.code == H2_INTERNAL_ERROR);
    h2.code = H2_ENHANCE_YOUR_CALM;
    void *r = lend(&h2, 10);
    cr_expect_eq(h2.code, H2_ENHANCE_YOUR_CALM, "the first reason counts");
    h2_memory_give(p, &h2);
    h2_memory_give(q, &h2);
    h2_memory_give(r, &h2);
    h2_memory_give(NULL, &h2);
}

Test(h2_memory, pieces_are_apart_and_aligned)
{
    enum { PIECES = 200 };
    static const size_t sizes[] = {1, 15, 16, 17, 100, 1000};
    unsigned char *pieces[PIECES];
    for (size_t i = 0; i < PIECES; i++) {
        size_t n = sizes[i % (sizeof sizes / sizeof *sizes)];
        pieces[i] = lend(&h2, n);
        cr_assert(pieces[i] && (uintptr_t)pieces[i] % ALIGNMENT == 0);
        memset(pieces[i], (int)i, n);
    }
    for (size_t i = 0; i < PIECES; i++) {
        size_t n = sizes[i % (sizeof sizes / sizeof *sizes)];
        for (size_t j = 0; j < n; j++)
            cr_assert_eq(pieces[i][j], (unsigned char)i);
        h2_memory_give(pieces[i], &h2);
    }
}

Test(h2_memory, a_piece_grows_out_of_the_reserve)
{
    char *p = lend(&h2, 5);
    memcpy(p, "hello", 5);
    p = h2_memory_resize(p, 100000, &h2);
    cr_assert(p && !is_lent(p) && memcmp(p, "hello", 5) == 0);
    cr_expect_eq(reserve.pieces, 0);
    h2_memory_give(p, &h2);
    p = h2_memory_resize(NULL, 5, &h2);
    cr_assert(p && !is_lent(p));
    h2_memory_give(p, &h2);
}

Test(h2_memory, it_is_short_before_it_is_empty)
{
    enum { PIECE = 10000 };
    size_t n = 0;
    bool was_short = false;
    static void *pieces[RESERVE / PIECE];
    for (void *p; (p = lend(&h2, PIECE)); n++) {
        cr_assert(!was_short || h2_memory_is_short());
        was_short |= h2_memory_is_short();
        pieces[n] = p;
    }
    cr_expect(was_short && n > RESERVE / PIECE - 5, "%zu pieces", n);
    while (n)
        h2_memory_give(pieces[--n], &h2);
    cr_expect_not(h2_memory_is_short());
}
