/* memory.h: reading what may not be there. */
#ifndef TERN_TRACE_MEMORY_H
#define TERN_TRACE_MEMORY_H

#include <stddef.h>

/* Copies up to `size` bytes, which may be 64 KiB at most, of this process from an address on; fewer, when there is no
 * memory any more. How many. What is copied may change meanwhile. Safe in a signal handler, and on any OS thread;
 * leaves errno alone. */
size_t trace_peek(void *to, const void *from, size_t size);

#endif
