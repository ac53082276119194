/* last_words.h: what a process says that is about to end: lines to the log, or to stderr, each by one write(2).
 *
 * All of it is for handlers of signals: it allocates nothing, and takes no lock. What it looks at may have been in the
 * middle of a change; who calls it is ready for another fault. Private to the green layer.
 */
#ifndef TERN_GREEN_LAST_WORDS_H
#define TERN_GREEN_LAST_WORDS_H

#include <signal.h>

#include "base/clock.h"
#include "trace/registers.h"

struct green;

struct crash {
    volatile sig_atomic_t number; /* the signal that came first; 0: none yet */
    bool faulted;                 /* memory was not there, rather than that somebody has sent the signal */
    const void *address;          /* of that memory; else NULL */
    bool pooled;                  /* on an OS thread other than that of the green ones */
    const struct green *thread;   /* that ran, or whose job did on a thread of the pool; NULL: none */
    struct trace_registers registers;
};

/* All green threads of a process that hangs, up to a number. */
void last_words_list(void);

/* Which thread has crashed, how, and for whom it worked; then where, a line for each frame, if that is found out in
 * time. */
void last_words_crash(const struct crash *crash);
void last_words_trace(const struct crash *crash, nsec patience);

/* A thread calls exit(). */
void last_words_exit(const struct green *thread);

#endif
