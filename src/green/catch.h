/* catch.h: catching the loop's OS thread at what it does. Private to the green layer.
 *
 * For the monitor, which runs on another OS thread: what it reads may change under its eyes, so it reads through the
 * kernel, which does not fault, and looks twice. What is said of a turn (green_pulse) is good only if it was still that
 * turn afterwards; then it is true.
 */
#ifndef TERN_GREEN_CATCH_H
#define TERN_GREEN_CATCH_H

#include "base/stall.h"
#include "green/green.h"
#include "trace/registers.h"
#include "trace/state.h"

/* On the loop's OS thread: from now on it can be interrupted. 0 or -errno. */
int catch_init(void) GREEN_WAITS;
void catch_free(void);

/* Who runs: fills in number, name, handler, route and request of a stall. False: the turn is over. */
bool catch_who(struct stall *stall, uint64_t turn);

/* Where it is, by what it was at when we asked the kernel (`state`, out of the file `fd`). False: it has gone on, or
 * can't be told. Waits for at most `patience` for the signal to arrive. */
bool catch_where(struct trace_capture *capture, uint64_t turn, const struct trace_state *state, int fd, nsec patience);

#endif
