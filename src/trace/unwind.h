/* unwind.h: a backtrace out of what was captured, with names.
 *
 * Frames are told apart by the unwind tables that every program has, so that code without frame pointers is no
 * obstacle; names come from the symbol tables of the program and its modules, lines from their debugging information,
 * if that is in the same file. Nothing is asked of a network.
 */
#ifndef TERN_TRACE_UNWIND_H
#define TERN_TRACE_UNWIND_H

#include "trace/registers.h"

enum { TRACE_FRAMES = 32 };

/* Writes a line for each frame, innermost first and TRACE_FRAMES at most, ended by NUL:
 *
 *     #0 descend+0x12 (crash.c:31) in crash.so
 *
 * Of what is not known a part is missing; the least is an address. It ends below the first function of a green stack,
 * or where unwinding fails. Lines that have no room any more are left out. Reads files, allocates, and takes
 * milliseconds: for an OS thread that may. Any may, one at a time: others wait. The bytes written, which may be 0. */
size_t trace_unwind(const struct trace_capture *capture, char *text, size_t size);

#endif
