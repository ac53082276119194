/* arena.h: memory that is given back all at once.
 *
 * An arena hands out bytes from chunks and never takes one piece back: everything ends together in arena_clear().
 * Its first chunk may be the caller's own (a request's lies in the frame of its green thread), so that a typical
 * request never calls malloc. Cleanups (close this, release that) run on arena_clear() in reverse order.
 *
 * One arena belongs to one thread at a time. Pointers into it are valid until arena_clear().
 */
#ifndef TERN_BASE_ARENA_H
#define TERN_BASE_ARENA_H

#include <stdarg.h>

#include "base/str.h"

struct arena_chunk;
struct arena_cleanup;

struct arena {
    char *at, *end;                 /* what is free in the present chunk */
    char *first, *first_end;        /* the caller's own chunk, or NULL */
    struct arena_chunk *chunks;     /* allocated ones, newest first */
    struct arena_cleanup *cleanups; /* newest first */
};

/* Starts an empty arena on `size` bytes at `first`, which stay the caller's; NULL and 0: none. */
void arena_init(struct arena *a, void *first, size_t size);

/* n bytes aligned for any type, or NULL when memory is out. n may be 0. */
void *arena_alloc(struct arena *a, size_t n) __attribute__((warn_unused_result, malloc));

/* The same, zeroed. */
void *arena_zalloc(struct arena *a, size_t n) __attribute__((warn_unused_result, malloc));

/* A copy of s that ends in NUL (not counted); p is NULL when memory is out. */
struct str arena_copy(struct arena *a, struct str s);

/* Text as printf makes it, NUL-terminated; p is NULL when memory is out. */
struct str arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for who has the arguments already. */
struct str arena_vprintf(struct arena *a, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

/* Calls fn(arg) when the arena is cleared. 0 or -ENOMEM (then fn has NOT been called). */
int arena_defer(struct arena *a, void (*fn)(void *arg), void *arg) __attribute__((warn_unused_result));

/* Runs the cleanups, gives every chunk back, and leaves the arena empty and usable. */
void arena_clear(struct arena *a);

#endif
