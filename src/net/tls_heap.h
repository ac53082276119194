/* tls_heap.h: the heap of the TLS library, which no core dump shows.
 *
 * A private key does not stay where it was read: the library decodes it, and copies its parts into what makes signing
 * fast, all on the heap. So the library gets one of its own, made of mappings that the kernel, and a debugger, leave
 * out of a core dump (madvise(2), MADV_DONTDUMP). Workers inherit it by fork, and that advice with it.
 *
 * Small blocks come from slabs of 64 KiB, aligned to their size, of one size class each: where a block lies tells which
 * slab it belongs to, and so how large it is. Classes are 16 bytes apart up to 256 bytes, and above that eight to a
 * doubling: a block of more than 128 bytes wastes at most an eighth of what was asked for, and there is no word of the
 * heap's in front of it. Memory of a slab that was never handed out was never touched. A slab with no block in use is
 * given back, but for a few. A large block, of more than 30 KiB, has a mapping of its own.
 *
 * Any thread may allocate, and free what another has allocated. Each keeps a few blocks of every class at hand, so that
 * most calls need no lock; what it has at hand when it ends stays in use for good: threads of the blocking pool (see
 * green/offload.h) live as long as their worker. Nobody forks while another thread is in here: the master, which makes
 * workers, has no other thread.
 *
 * Memory is not cleansed when it is freed: the library does that where there are secrets.
 */
#ifndef TERN_NET_TLS_HEAP_H
#define TERN_NET_TLS_HEAP_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the library is to have it. AddressSanitizer guards each block of malloc() and tells which were never freed;
 * in slabs it would see neither an overflow nor a leak, so in its builds the library keeps to malloc(), and cores tell
 * all. */
#if defined(__SANITIZE_ADDRESS__)
enum { TLS_HEAP_USED = false };
#elif defined(__has_feature)
enum { TLS_HEAP_USED = !__has_feature(address_sanitizer) };
#else
enum { TLS_HEAP_USED = true };
#endif

/* As malloc(), realloc() and free(): blocks are aligned to 16 bytes; NULL: no memory, or no bytes were asked for, and
 * then realloc has freed the old block. */
void *tls_heap_alloc(size_t n);
void *tls_heap_realloc(void *old, size_t n);
void tls_heap_free(void *block);

/* Whether every invariant holds, of the slabs and of what this thread has at hand; for tests. */
bool tls_heap_check(void);

#endif
