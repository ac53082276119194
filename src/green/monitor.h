/* monitor.h: an OS thread beside the loop's, which notices when the loop does not get on.
 *
 * A thread that runs for longer than `stall` (green_options) without giving way keeps all others waiting, whatever the
 * reason: it computes, it sits in a system call that should have been a wait of ours, or it waits for a page of memory.
 * The monitor looks every 10 ms whether the loop has got on. When it has not, it asks the kernel what the loop's OS
 * thread is at, and writes a record (base/stall.h) and lines to the log: who, at what, and the backtrace; later, how
 * long it took.
 *
 * One that is caught computing is interrupted by a signal (SIGURG) that takes down its registers. One that the kernel
 * holds is left alone: a signal would end its sleep early.
 *
 * While the loop sleeps, so does the monitor. It also unwinds the stack of a crash, since the thread that has crashed
 * must not allocate; so there is one even where stalls are of no interest.
 *
 * Private to the green layer, but for the first function.
 */
#ifndef TERN_GREEN_MONITOR_H
#define TERN_GREEN_MONITOR_H

#include <stdatomic.h>

#include "green/green.h"
#include "trace/registers.h"

/* For a process that is about to become another user: opens what it could not open afterwards. On the OS thread that
 * will call green_run(). */
void green_monitor_prepare(void);

/* Starts it, on the loop's OS thread. Without memory, or a thread, for it nobody watches, and the log says so. */
void green_monitor_start(const struct green_options *options);
void green_monitor_stop(void);

/* Set while the monitor sleeps until it is called. */
extern atomic_bool green_monitor_sleeps;
void green_monitor_call(void);

/* The loop comes out of its poll, and has said so in its pulse: either we see here that the monitor sleeps, or it has
 * seen, before it went to sleep, that the loop does not. */
static inline void green_monitor_awake(void)
{
    if (__builtin_expect(atomic_load(&green_monitor_sleeps), 0))
        green_monitor_call();
}

/* In the handler of a signal that ends the process: the backtrace of what was interrupted, as trace/unwind.h has it, or
 * NULL, if there is none to be had within `patience`. One is, in the life of a process. */
const char *green_monitor_trace_crash(const struct trace_registers *registers, nsec patience);

#endif
