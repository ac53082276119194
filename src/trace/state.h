/* state.h: what an OS thread of this process is at: whether it runs, and if not, what the kernel holds it in.
 *
 * The kernel tells it in /proc/self/task/TID/syscall (proc(5)), without stopping the thread. A process that was root
 * may not open that file after it has become another user, but it may read on in one that is open.
 */
#ifndef TERN_TRACE_STATE_H
#define TERN_TRACE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum trace_doing {
    TRACE_UNKNOWN,
    TRACE_RUNS,  /* or could, if it had a processor */
    TRACE_CALL,  /* waits in a system call */
    TRACE_FAULT, /* waits for a page of memory */
};

struct trace_state {
    enum trace_doing doing;
    long call;       /* number of the system call */
    uint64_t sp, pc; /* where it left the program, unless it runs */
};

/* Opens the file about the calling OS thread. A descriptor, to be closed by the caller, or -errno. */
int trace_open_state(void) __attribute__((warn_unused_result));

/* What that thread is at now. */
struct trace_state trace_read_state(int fd);

/* What a line of such a file says; TRACE_UNKNOWN: nothing that we understand. */
struct trace_state trace_parse_state(struct str line);

/* Writes the name of a system call of this processor, or its number, ended by NUL. Allocates. */
void trace_call_name(long call, char *name, size_t size);

#endif
