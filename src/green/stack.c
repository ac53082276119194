/* stack.c: see stack.h. */
#include "green/stack.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "green/sanitize.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* Linux 6.13; newer than Debian 12's headers */
#endif

enum {
    STACKS_A_SLAB = 64,
    COLOURS = 16, /* times a cache line: all within the page that the top of a stack touches anyway */
    CACHE_LINE = 64,
    KEEP_WARM = 64,         /* free stacks whose memory is never given back */
    MAPPINGS_SPARED = 2048, /* of vm.max_map_count, for all that is not a stack */
    DEFAULT_MAX_MAPPINGS = 65530,
    SMALLEST = 4,      /* pages of a stack */
    GUARD = 64 * 1024, /* bytes below each, if that is not more than it has itself */
};

struct slab {
    struct slab *next;
    char *base;    /* of its first stack */
    void *mapping; /* what mmap gave, and its size: alignment cost a little */
    size_t mapped;
    size_t used; /* stacks taken from it so far */
};

static struct {
    size_t size, slot, guard, block, page, max, count;
    bool guard_pages;
    struct slab *slabs; /* newest first */
    void **free;        /* a stack of blocks: the coldest at 0, the next to be taken at free_count - 1 */
    size_t free_count, free_room;
    size_t low_mark; /* least free_count since the last decay: these were not needed */
    size_t cold;     /* free[0 .. cold) have had their memory given back */
} pool;

static size_t power_of_two(size_t least, size_t n)
{
    size_t p = least;
    while (p < n)
        p *= 2;
    return p;
}

static size_t max_mappings(void)
{
    size_t value = DEFAULT_MAX_MAPPINGS;
    FILE *f = fopen("/proc/sys/vm/max_map_count", "re");
    if (!f)
        return value;
    if (fscanf(f, "%zu", &value) != 1)
        value = DEFAULT_MAX_MAPPINGS;
    fclose(f);
    return value;
}

/* Tries the call on a page of its own: the kernel's version number says less. An emulator may nod at any advice: one
 * that does not exist tells. */
bool stack_guards_pages(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *p = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return false;
    bool can = madvise(p, page, -1) < 0 && madvise(p, page, MADV_GUARD_INSTALL) == 0;
    munmap(p, page);
    return can;
}

int stack_pool_init(size_t size, size_t block, size_t max)
{
    pool.page = (size_t)sysconf(_SC_PAGESIZE);
    if (size > (size_t)1 << 30 || block > pool.page)
        return -EINVAL;
    pool.size = power_of_two(SMALLEST * pool.page, size);
    pool.slot = 2 * pool.size;
    pool.guard = pool.size < GUARD ? pool.size : GUARD;
    pool.block = (block + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1);
    pool.guard_pages = stack_guards_pages();
    pool.max = max;
    size_t mappings = max_mappings();
    size_t guarded = mappings > 2 * MAPPINGS_SPARED ? (mappings - MAPPINGS_SPARED) / 2 : MAPPINGS_SPARED / 2;
    if (!pool.guard_pages && pool.max > guarded)
        pool.max = guarded;
    return 0;
}

void stack_pool_free(void)
{
    while (pool.slabs) {
        struct slab *slab = pool.slabs;
        pool.slabs = slab->next;
        munmap(slab->mapping, slab->mapped);
        free(slab);
    }
    free(pool.free);
    pool.free = NULL;
    pool.free_count = pool.free_room = pool.count = pool.low_mark = pool.cold = 0;
}

size_t stack_pool_max(void)
{
    return pool.max;
}

static int add_slab(void)
{
    struct slab *slab = malloc(sizeof *slab);
    if (!slab)
        return -ENOMEM;
    slab->mapped = pool.slot * (STACKS_A_SLAB + 1);
    slab->mapping = mmap(NULL, slab->mapped, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (slab->mapping == MAP_FAILED) {
        free(slab);
        return -ENOMEM;
    }
    /* A huge page would turn 32 stacks into memory at once. Advice: a failure changes nothing. */
    (void)madvise(slab->mapping, slab->mapped, MADV_NOHUGEPAGE);
    uintptr_t start = ((uintptr_t)slab->mapping + pool.slot - 1) & ~(pool.slot - 1);
    slab->base = (char *)slab->mapping + (start - (uintptr_t)slab->mapping);
    slab->used = 0;
    slab->next = pool.slabs;
    pool.slabs = slab;
    return 0;
}

/* Below the lowest usable address. */
static int guard(char *low)
{
    char *from = low - pool.guard;
    if (pool.guard_pages && madvise(from, pool.guard, MADV_GUARD_INSTALL) == 0)
        return 0;
    return mprotect(from, pool.guard, PROT_NONE) == 0 ? 0 : -errno;
}

static void *block_of(const struct slab *slab, size_t index)
{
    return slab->base + (index + 1) * pool.slot - (index % COLOURS) * CACHE_LINE - pool.block;
}

/* The list of free stacks has room for every stack there is, so that giving one back can't fail. */
static int reserve_free_list(void)
{
    if (pool.count < pool.free_room)
        return 0;
    size_t room = pool.free_room ? pool.free_room * 2 : STACKS_A_SLAB;
    void **list = realloc(pool.free, room * sizeof *list);
    if (!list)
        return -ENOMEM;
    pool.free = list;
    pool.free_room = room;
    return 0;
}

__attribute__((noinline, cold)) static void *make(void)
{
    if (pool.count >= pool.max || reserve_free_list() < 0)
        return NULL;
    if ((!pool.slabs || pool.slabs->used == STACKS_A_SLAB) && add_slab() < 0)
        return NULL;
    struct slab *slab = pool.slabs;
    void *block = block_of(slab, slab->used);
    char *low = stack_low(block);
    if (guard(low) < 0)
        return NULL;
    sanitize_new_stack(low, block);
    slab->used++;
    pool.count++;
    return block;
}

void *stack_take(void)
{
    if (pool.free_count == 0)
        return make();
    void *block = pool.free[--pool.free_count];
    if (pool.free_count < pool.low_mark)
        pool.low_mark = pool.free_count;
    if (pool.free_count < pool.cold)
        pool.cold = pool.free_count;
    return block;
}

void stack_give(void *block)
{
    pool.free[pool.free_count++] = block;
}

char *stack_low(const void *on_stack)
{
    uintptr_t at = (uintptr_t)on_stack;
    return (char *)on_stack - (at & (pool.slot - 1)) + (pool.slot - pool.size);
}

size_t stack_room(const void *block)
{
    return (size_t)((const char *)block - stack_low(block));
}

bool stack_in_guard(const void *address)
{
    const char *at = address;
    for (const struct slab *slab = pool.slabs; slab; slab = slab->next)
        if (at >= slab->base && at < slab->base + slab->used * pool.slot)
            return (size_t)(at - slab->base) % pool.slot < pool.slot - pool.size;
    return false;
}

/* The whole stack goes, its control block as well: a cold block reads as zeros, which says "free". */
static void give_back(void *block)
{
    (void)madvise(stack_low(block), pool.size, MADV_DONTNEED);
}

bool stack_surplus(void)
{
    return pool.free_count > pool.cold + KEEP_WARM;
}

void stack_decay(void)
{
    size_t unneeded = pool.low_mark > pool.cold ? pool.low_mark - pool.cold : 0;
    if (unneeded > KEEP_WARM) {
        size_t goal = pool.cold + (unneeded - KEEP_WARM + 1) / 2;
        while (pool.cold < goal)
            give_back(pool.free[pool.cold++]);
    }
    pool.low_mark = pool.free_count;
}

bool stack_each_in(size_t from, size_t count, void (*fn)(void *block, void *arg), void *arg)
{
    size_t end = pool.count, to = from < end && count < end - from ? from + count : end;
    for (const struct slab *slab = pool.slabs; slab && end > from; slab = slab->next) {
        size_t start = end - slab->used;
        for (size_t i = start > from ? start : from; i < to && i < end; i++)
            fn(block_of(slab, i - start), arg);
        end = start;
    }
    return to < pool.count;
}

void stack_each(void (*fn)(void *block, void *arg), void *arg)
{
    stack_each_in(0, SIZE_MAX, fn, arg);
}

/* Pages are counted from the top down to the deepest one in memory: what mincore() knows of anonymous memory. */
static void measure(const void *block, size_t *high_water, size_t *resident)
{
    char *low = stack_low(block);
    size_t pages = pool.size / pool.page, deepest = pages, count = 0;
    unsigned char present[256];
    for (size_t i = pages; i > 0;) {
        size_t run = i < sizeof present ? i : sizeof present;
        i -= run;
        if (mincore(low + i * pool.page, run * pool.page, present) < 0)
            return;
        for (size_t k = run; k > 0; k--)
            if (present[k - 1] & 1) {
                deepest = i + k - 1;
                count++;
            }
    }
    *resident += count * pool.page;
    if ((pages - deepest) * pool.page > *high_water)
        *high_water = (pages - deepest) * pool.page;
}

static void add(void *block, void *arg)
{
    struct stack_census *census = arg;
    measure(block, &census->high_water, &census->resident);
}

size_t stack_high_water(const void *block)
{
    size_t high_water = 0, resident = 0;
    measure(block, &high_water, &resident);
    return high_water;
}

void stack_pool_census(struct stack_census *census)
{
    *census = (struct stack_census){
        .stacks = pool.count, .free = pool.free_count, .size = pool.size, .guard_pages = pool.guard_pages};
    stack_each(add, census);
}
