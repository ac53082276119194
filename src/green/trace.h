/* trace.h: what the stack of a green thread says.
 *
 * A parked thread has all its frames where it left them, and nobody can take them away while another one runs: they
 * are copied, and the copy is read at leisure.
 */
#ifndef TERN_GREEN_TRACE_H
#define TERN_GREEN_TRACE_H

#include "green/green.h"

/* Writes the backtrace of the thread of that number, innermost frame first, a line for each as trace/unwind.h says,
 * ended by NUL; of one that has not run yet there is none. Its frames are those of the moment of the call; what takes
 * milliseconds, their names, is found on the blocking pool. The bytes written, or -ESRCH: it lives no more; -EBUSY: it
 * is the caller; -ENOMEM; or what green_offload() says. */
int green_trace(uint64_t number, char *text, size_t size, nsec deadline) GREEN_WAITS;

#endif
