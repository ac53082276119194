/* tls_heap.c: see tls_heap.h.
 *
 * A block that is handed out, or at hand in a thread, counts as used in its slab. The slabs of a class are in a list,
 * those with room first, so the first one tells whether there is any. A full slab gets to the front when a block of it
 * is freed: it is the fullest of those with room, and filling it up lets others become empty.
 *
 * The mutex guards the lists, and all of a slab but what never changes while it has a class.
 */
#include "net/tls_heap.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/list.h"

enum {
    SLAB = 64 * 1024, /* its size, and what any mapping is aligned to */
    HEAD = 64,        /* in front of a slab's first block, or of a large one */
    ALIGNMENT = 16,
    SMALLEST_SHIFT = 4,  /* the classes of up to 256 bytes are 1 << SMALLEST_SHIFT apart */
    A_DOUBLING = 8,      /* classes */
    LARGEST = 30 * 1024, /* of a class: two fit into a slab; a handshake has a buffer of 21 KiB */
    CLASSES = 71,
    LARGE = CLASSES,  /* instead of a class: a mapping of its own */
    RESERVE = 16,     /* empty slabs that are kept, for whichever class needs one next */
    AT_HAND = 2048,   /* bytes of a class that a thread keeps, but one block at least, ... */
    AT_HAND_MOST = 8, /* ... and no more than so many */
};

/* One that is free. */
struct block {
    struct block *next;
};

/* At the start of each mapping. */
struct slab {
    struct list link;    /* among those of its class, or in the reserve */
    struct block *freed; /* the last one first */
    char *fresh;         /* what begins here was never handed out, ... */
    size_t unused;       /* ... so many blocks */
    uint32_t used;       /* blocks */
    uint16_t class;      /* this and what follows never changes while any is used */
    uint16_t at_hand;    /* blocks of the class that a thread may keep */
    size_t size;         /* of a block */
};

_Static_assert(sizeof(struct slab) <= HEAD && HEAD % ALIGNMENT == 0, "the first block is aligned");

static struct {
    pthread_mutex_t lock;
    struct list slabs[CLASSES]; /* see slabs_of() */
    struct list reserve;
    size_t reserved; /* slabs in it */
} heap = {.lock = PTHREAD_MUTEX_INITIALIZER, .reserve = LIST_INIT(heap.reserve)};

/* What a thread has at hand. */
static __thread struct {
    struct block *first;
    size_t count;
} hand[CLASSES];

/* ---- classes ---- */

/* Of 1 <= n <= LARGEST bytes. */
static unsigned class_of(size_t n)
{
    unsigned top = 63 - (unsigned)__builtin_clzll((n - 1) | 1), shift = top < 7 ? SMALLEST_SHIFT : top - 3;
    return A_DOUBLING * (shift - SMALLEST_SHIFT) + (unsigned)((n - 1) >> shift);
}

static size_t size_of(unsigned class)
{
    if (class < A_DOUBLING)
        return (size_t)(class + 1) << SMALLEST_SHIFT;
    return (size_t)(class % A_DOUBLING + A_DOUBLING + 1) << (class / A_DOUBLING - 1 + SMALLEST_SHIFT);
}

static struct list *slabs_of(unsigned class)
{
    struct list *slabs = &heap.slabs[class];
    if (!slabs->next)
        list_init(slabs);
    return slabs;
}

/* ---- mappings ---- */

/* Aligned, and as far up as it gets: so each lies right under the one before it, and the kernel counts them as one. */
static void *map(size_t size)
{
    char *start = mmap(NULL, size + SLAB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED)
        return NULL;
    size_t before = SLAB - (uintptr_t)start % SLAB;
    char *aligned = start + before;
    (void)!madvise(aligned, size, MADV_DONTDUMP); /* a kernel that can't do it dumps more */
    if (before < SLAB)
        (void)!munmap(aligned + size, SLAB - before);
    (void)!munmap(start, before);
    return aligned;
}

/* The slab of a block, or what stands in front of a large one. */
static struct slab *slab_of(const void *block)
{
    return (struct slab *)((char *)block - (uintptr_t)block % SLAB);
}

static bool has_room(const struct slab *slab)
{
    return slab->freed || slab->unused;
}

/* An empty slab for a class; NULL: no memory. */
static struct slab *add_slab(unsigned class)
{
    struct list *kept = list_pop_front(&heap.reserve);
    struct slab *slab = kept ? container_of(kept, struct slab, link) : map(SLAB);
    if (!slab)
        return NULL;
    heap.reserved -= kept != NULL;
    size_t size = size_of(class), at_hand = AT_HAND / size;
    *slab = (struct slab){.fresh = (char *)slab + HEAD,
                          .unused = (SLAB - HEAD) / size,
                          .class = (uint16_t) class,
                          .at_hand = (uint16_t)(at_hand < 1              ? 1
                                                : at_hand > AT_HAND_MOST ? AT_HAND_MOST
                                                                         : at_hand),
                          .size = size};
    list_push_front(slabs_of(class), &slab->link);
    return slab;
}

static void remove_slab(struct slab *slab)
{
    list_unlink(&slab->link);
    if (heap.reserved == RESERVE) {
        munmap(slab, SLAB);
        return;
    }
    list_push_front(&heap.reserve, &slab->link);
    heap.reserved++;
}

/* ---- blocks of a slab ---- */

static void *take(struct slab *slab)
{
    struct block *block = slab->freed;
    if (block) {
        slab->freed = block->next;
    } else {
        block = (struct block *)slab->fresh;
        slab->fresh += slab->size;
        slab->unused--;
    }
    slab->used++;
    if (!has_room(slab)) {
        list_unlink(&slab->link);
        list_push_back(slabs_of(slab->class), &slab->link);
    }
    return block;
}

static void *alloc_small(unsigned class)
{
    pthread_mutex_lock(&heap.lock);
    struct list *slabs = slabs_of(class);
    struct slab *slab = list_empty(slabs) ? NULL : container_of(slabs->next, struct slab, link);
    if (!slab || !has_room(slab))
        slab = add_slab(class);
    void *block = slab ? take(slab) : NULL;
    pthread_mutex_unlock(&heap.lock);
    return block;
}

static void free_small(struct slab *slab, struct block *block)
{
    pthread_mutex_lock(&heap.lock);
    if (!has_room(slab)) {
        list_unlink(&slab->link);
        list_push_front(slabs_of(slab->class), &slab->link);
    }
    block->next = slab->freed;
    slab->freed = block;
    if (--slab->used == 0)
        remove_slab(slab);
    pthread_mutex_unlock(&heap.lock);
}

/* ---- large blocks ---- */

static void *alloc_large(size_t n)
{
    if (n > PTRDIFF_MAX)
        return NULL;
    size_t size = (n + HEAD + SLAB - 1) & ~(size_t)(SLAB - 1); /* what is not touched costs nothing */
    struct slab *slab = map(size);
    if (!slab)
        return NULL;
    slab->class = LARGE;
    slab->size = size - HEAD;
    return (char *)slab + HEAD;
}

/* ---- any block ---- */

void *tls_heap_alloc(size_t n)
{
    if (n == 0)
        return NULL;
    if (n > LARGEST)
        return alloc_large(n);
    unsigned class = class_of(n);
    struct block *block = hand[class].first;
    if (!block)
        return alloc_small(class);
    hand[class].first = block->next;
    hand[class].count--;
    return block;
}

void tls_heap_free(void *freed)
{
    if (!freed)
        return;
    struct slab *slab = slab_of(freed);
    struct block *block = freed;
    if (slab->class == LARGE) {
        munmap(slab, slab->size + HEAD);
    } else if (hand[slab->class].count < slab->at_hand) {
        block->next = hand[slab->class].first;
        hand[slab->class].first = block;
        hand[slab->class].count++;
    } else {
        free_small(slab, block);
    }
}

/* Whether a block of this slab is what would be allocated for n bytes. */
static bool fits(const struct slab *slab, size_t n)
{
    return slab->class == LARGE ? n > LARGEST && n <= slab->size && n > slab->size / 2
                                : n <= LARGEST && class_of(n) == slab->class;
}

void *tls_heap_realloc(void *old, size_t n)
{
    if (!old)
        return tls_heap_alloc(n);
    const struct slab *slab = slab_of(old);
    if (n && fits(slab, n))
        return old;
    void *block = tls_heap_alloc(n);
    if (block)
        memcpy(block, old, n < slab->size ? n : slab->size);
    if (block || n == 0)
        tls_heap_free(old);
    return block;
}

/* ---- for tests ---- */

static bool is_block(const struct slab *slab, const void *at)
{
    size_t from = (size_t)((const char *)at - (const char *)slab) - HEAD;
    return slab_of(at) == slab && from < SLAB && (const char *)at < slab->fresh && from % slab->size == 0;
}

static bool check_slab(const struct slab *slab, unsigned class)
{
    size_t freed = 0, blocks = (SLAB - HEAD) / slab->size;
    for (const struct block *block = slab->freed; block; block = block->next, freed++)
        if (!is_block(slab, block) || freed == blocks)
            return false;
    return slab->class == class && slab->size == size_of(class) && slab->used > 0 &&
           slab->used + freed + slab->unused == blocks &&
           slab->fresh == (const char *)slab + HEAD + (slab->used + freed) * slab->size;
}

static bool check_class(unsigned class)
{
    const struct list *slabs = slabs_of(class);
    bool room = true;
    for (const struct list *l = slabs->next; l != slabs; l = l->next) {
        const struct slab *slab = container_of(l, struct slab, link);
        if (l->next->prev != l || slab_of(slab) != slab || !check_slab(slab, class) || (has_room(slab) && !room))
            return false;
        room = has_room(slab);
    }
    return true;
}

static bool check_hand(unsigned class)
{
    size_t count = 0;
    for (const struct block *block = hand[class].first; block; block = block->next, count++) {
        const struct slab *slab = slab_of(block);
        if (slab->class != class || !is_block(slab, block) || count == slab->at_hand)
            return false;
    }
    return count == hand[class].count;
}

bool tls_heap_check(void)
{
    size_t reserved = 0;
    pthread_mutex_lock(&heap.lock);
    bool good = true;
    for (unsigned class = 0; class < CLASSES && good; class ++)
        good = check_class(class) && check_hand(class);
    for (const struct list *l = heap.reserve.next; l != &heap.reserve; l = l->next)
        reserved++;
    good = good && reserved == heap.reserved && reserved <= RESERVE;
    pthread_mutex_unlock(&heap.lock);
    return good;
}
