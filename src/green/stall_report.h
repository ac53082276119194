/* stall_report.h: what is said of a stall, in its record and in the log. Private to the green layer. */
#ifndef TERN_GREEN_STALL_REPORT_H
#define TERN_GREEN_STALL_REPORT_H

#include "base/clock.h"
#include "base/stall.h"
#include "trace/state.h"

/* Fills in the cause: what the thread was at, and, if it had a processor for a small part of `time` only, how much. */
void stall_report_cause(struct stall *stall, const struct trace_state *state, nsec time, nsec cpu);

/* Lines of the log: that it has been noticed; its backtrace, a line a frame, but of ten stalls in ten seconds at
 * most, since the last ones are on record; that it is over. */
void stall_report_begin(const struct stall *stall);
void stall_report_trace(const struct stall *stall);
void stall_report_end(const struct stall *stall);

#endif
