/* h2_memory.c: nghttp2's memory, and what is left when there is none.
 *
 * nghttp2 1.52 does not get over each allocation that fails: of an answer that it has no room to queue, it keeps a
 * pointer to what it frees, and frees it once more with the session. So it has to get what it asks for. When malloc()
 * has nothing, that comes from a reserve of the worker, and the connection is to end: what it still does is little, and
 * then it gives everything back. Pieces are cut off the reserve one behind the other, and it is whole again when the
 * last of them has come back. Memory that is never touched costs nothing.
 */
#include <malloc.h>
#include <stdlib.h>

#include "http/h2.h"

enum {
    RESERVE = 1024 * 1024,
    SHORT = RESERVE / 2, /* what is left when sessions are not entered any more */
    MOST = RESERVE / 8,  /* that is still small: more is not lent at once */
    ALIGNMENT = 16,
};

struct piece {
    size_t n;
    _Alignas(ALIGNMENT) char bytes[];
};

static struct {
    _Alignas(ALIGNMENT) char bytes[RESERVE];
    size_t used;
    size_t pieces; /* that have not come back */
} reserve;

static bool is_lent(const void *p)
{
    return (uintptr_t)p - (uintptr_t)reserve.bytes < RESERVE;
}

static struct piece *piece_of(void *p)
{
    return container_of(p, struct piece, bytes);
}

static void *lend(struct h2 *h2, size_t n)
{
    size_t size = sizeof(struct piece) + (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (!h2->code)
        h2->code = H2_INTERNAL_ERROR;
    h2_wake(h2);
    if (n > MOST || size > RESERVE - reserve.used)
        return NULL;
    struct piece *piece = (struct piece *)(void *)(reserve.bytes + reserve.used);
    piece->n = n;
    reserve.used += size;
    reserve.pieces++;
    return piece->bytes;
}

static void take_back(void)
{
    if (--reserve.pieces == 0)
        reserve.used = 0;
}

void *h2_memory_get(size_t n, void *h2)
{
    void *p = malloc(n);
    if (p)
        return p;
    return lend(h2, n);
}

void h2_memory_give(void *p, void *h2)
{
    (void)h2;
    if (is_lent(p))
        take_back();
    else
        free(p);
}

void *h2_memory_get_zeroed(size_t count, size_t n, void *h2)
{
    void *p = calloc(count, n);
    size_t all;
    if (p || __builtin_mul_overflow(count, n, &all))
        return p;
    p = lend(h2, all);
    return p ? memset(p, 0, all) : NULL;
}

void *h2_memory_resize(void *p, size_t n, void *h2)
{
    void *moved = is_lent(p) ? NULL : realloc(p, n);
    if (moved || !p)
        return moved ? moved : lend(h2, n);
    size_t before = is_lent(p) ? piece_of(p)->n : malloc_usable_size(p);
    moved = h2_memory_get(n, h2);
    if (!moved)
        return NULL;
    memcpy(moved, p, before < n ? before : n);
    h2_memory_give(p, h2);
    return moved;
}

bool h2_memory_is_short(void)
{
    return reserve.used > RESERVE - SHORT;
}
