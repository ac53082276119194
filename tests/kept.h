/* kept.h: functions that a backtrace is to show: they have a frame of their own, and their name, however much is
 * optimised. */
#ifndef TERN_TESTS_KEPT_H
#define TERN_TESTS_KEPT_H

#ifdef __clang__
#define KEPT __attribute__((noinline, disable_tail_calls))
#else
#define KEPT __attribute__((noinline, noclone, optimize("no-optimize-sibling-calls")))
#endif

#endif
