/* stack.h: the stacks that green threads run on. Private to the green layer.
 *
 * Stacks come from slabs of address space, so that their number costs mappings only where the kernel can't guard a page
 * otherwise. All have one size, a power of two, and twice as much address space, which starts at a multiple of that:
 * any address on a stack tells its bounds. Only pages that were touched are memory.
 *
 *    multiple of 2 x size          low                                              top     low + size
 *    | guard: a fault, always      | <- the stack grows down                        | block | colour |
 *
 * The guard has 64 KiB: code that is not ours may have frames of several pages, which nobody touches in their order
 * (-fstack-clash-protection), so that a guard of a page would be jumped over. It is MADV_GUARD_INSTALL where the kernel
 * has it (Linux 6.13; no mapping of its own), else mprotect (two mappings a stack, and vm.max_map_count bounds a
 * process). `top` is where the owner's control block starts; it is moved by a colour, so that the hot tops of many
 * stacks do not fall on the same sets of the cache.
 *
 * The pool is LIFO: the stack that was given back last is the warmest. What lay unused for a whole period is
 * given back to the kernel by stack_decay(), half of it a time, but never its address space.
 */
#ifndef TERN_GREEN_STACK_H
#define TERN_GREEN_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stack_census {
    size_t stacks;     /* ever made */
    size_t free;       /* of these, in the pool */
    size_t size;       /* bytes of each, the guard apart */
    size_t high_water; /* most bytes that any of them has in memory, in whole pages */
    size_t resident;   /* bytes of memory in all of them */
    bool guard_pages;  /* whether guards are pages (MADV_GUARD_INSTALL) rather than mappings of their own */
};

/* `size`: of each stack, rounded up to a power of two of at least four pages. `block`: bytes kept at the top of each
 * for its owner, a page at most. At most `max` stacks. 0 or -EINVAL or -ENOMEM. */
int stack_pool_init(size_t size, size_t block, size_t max) __attribute__((warn_unused_result));

/* Whether the kernel guards pages without a mapping of their own. */
bool stack_guards_pages(void);

/* Unmaps every stack; none may be in use. */
void stack_pool_free(void);

/* How many stacks this process can have: `max`, or less where guards are mappings. */
size_t stack_pool_max(void);

/* The block of a free stack, its contents undefined; NULL when there is no memory or no stack left. */
void *stack_take(void) __attribute__((warn_unused_result));

/* Gives a stack back, by its block. Nobody may be standing on it: the next one to be taken is this one. */
void stack_give(void *block);

/* The lowest usable address of the stack with this block or any address on it, and how many bytes up to the block. */
char *stack_low(const void *on_stack);
size_t stack_room(const void *block);

/* Whether an address lies in the guard of a stack. */
bool stack_in_guard(const void *address);

/* Whether there are more free stacks with memory than are worth keeping. */
bool stack_surplus(void);

/* Once a period: gives memory of stacks that nobody needed since the last call back to the kernel. */
void stack_decay(void);

/* Calls fn with the block of every stack that has ever been taken, free ones as well. */
void stack_each(void (*fn)(void *block, void *arg), void *arg);

/* The same for `count` of them, from the one of index `from` on: the first that was ever taken is 0. False: those were
 * the last. */
bool stack_each_in(size_t from, size_t count, void (*fn)(void *block, void *arg), void *arg);

/* Bytes of one that were ever touched since it was new, or went cold; in whole pages. */
size_t stack_high_water(const void *block);

void stack_pool_census(struct stack_census *census);

#endif
