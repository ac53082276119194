/* arena.c: see arena.h. */
#include "base/arena.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ALIGN = _Alignof(max_align_t),
    CHUNK_SIZE = 4096,      /* with its header, what malloc serves from one of its own bins */
    LARGE = CHUNK_SIZE / 4, /* from here on a piece gets a chunk of its own, so that little is wasted */
};

struct arena_chunk {
    struct arena_chunk *next;
    _Alignas(max_align_t) char bytes[];
};

struct arena_cleanup {
    struct arena_cleanup *next;
    void (*fn)(void *arg);
    void *arg;
};

void arena_init(struct arena *a, void *first, size_t size)
{
    char *start = first;
    *a = (struct arena){.at = start, .end = start ? start + size : NULL};
    a->first = a->at;
    a->first_end = a->end;
}

static void *add_chunk(struct arena *a, size_t n)
{
    struct arena_chunk *chunk = malloc(sizeof *chunk + n);
    if (!chunk)
        return NULL;
    chunk->next = a->chunks;
    a->chunks = chunk;
    return chunk->bytes;
}

static void *alloc_slow(struct arena *a, size_t n)
{
    if (n >= LARGE)
        return add_chunk(a, n);
    char *bytes = add_chunk(a, CHUNK_SIZE - sizeof(struct arena_chunk));
    if (!bytes)
        return NULL;
    a->at = bytes + n;
    a->end = bytes + CHUNK_SIZE - sizeof(struct arena_chunk);
    return bytes;
}

void *arena_alloc(struct arena *a, size_t n)
{
    if (n > SIZE_MAX / 2)
        return NULL;
    if (n == 0)
        n = 1; /* an arena without a chunk would answer NULL, which means something else */
    size_t padding = -(uintptr_t)a->at & (ALIGN - 1);
    n = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (padding + n > (size_t)(a->end - a->at))
        return alloc_slow(a, n);
    char *piece = a->at + padding;
    a->at = piece + n;
    return piece;
}

void *arena_zalloc(struct arena *a, size_t n)
{
    void *piece = arena_alloc(a, n);
    return piece ? memset(piece, 0, n) : NULL;
}

struct str arena_copy(struct arena *a, struct str s)
{
    char *copy = arena_alloc(a, s.n + 1);
    if (!copy)
        return (struct str){NULL, 0};
    if (s.n)
        memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    return (struct str){copy, s.n};
}

struct str arena_vprintf(struct arena *a, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    char *text = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
    if (text)
        vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    return (struct str){text, text ? (size_t)n : 0};
}

struct str arena_printf(struct arena *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct str text = arena_vprintf(a, format, args);
    va_end(args);
    return text;
}

int arena_defer(struct arena *a, void (*fn)(void *arg), void *arg)
{
    struct arena_cleanup *cleanup = arena_alloc(a, sizeof *cleanup);
    if (!cleanup)
        return -ENOMEM;
    *cleanup = (struct arena_cleanup){a->cleanups, fn, arg};
    a->cleanups = cleanup;
    return 0;
}

void arena_clear(struct arena *a)
{
    /* A cleanup may itself allocate or defer, so the list is taken one by one. */
    while (a->cleanups) {
        struct arena_cleanup *cleanup = a->cleanups;
        a->cleanups = cleanup->next;
        cleanup->fn(cleanup->arg);
    }
    while (a->chunks) {
        struct arena_chunk *chunk = a->chunks;
        a->chunks = chunk->next;
        free(chunk);
    }
    a->at = a->first;
    a->end = a->first_end;
}
