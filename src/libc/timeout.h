/* timeout.h: the ways in which libc's calls are told for how long to wait, as deadlines. */
#ifndef TERN_LIBC_TIMEOUT_H
#define TERN_LIBC_TIMEOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/time.h>

#include "base/clock.h"

/* Whether it is a time: seconds from 0 on, and less than a second of the rest. */
static inline bool timespec_fits(const struct timespec *time)
{
    return time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < NSEC_SEC;
}

/* The longest durations are "for ever". */
static inline nsec duration_of(time_t seconds, nsec rest)
{
    nsec whole;
    return __builtin_mul_overflow(seconds, NSEC_SEC, &whole) ? NSEC_NEVER : nsec_add(whole, rest);
}

static inline nsec timespec_nsec(const struct timespec *time)
{
    return duration_of(time->tv_sec, time->tv_nsec);
}

/* A second and more of microseconds are no mistake. */
static inline nsec timeval_nsec(const struct timeval *time)
{
    return duration_of(time->tv_sec, time->tv_usec > NSEC_NEVER / 1000 ? NSEC_NEVER : time->tv_usec * (nsec)1000);
}

static inline struct timespec timespec_of(nsec duration)
{
    return (struct timespec){.tv_sec = duration / NSEC_SEC, .tv_nsec = duration % NSEC_SEC};
}

static inline struct timeval timeval_of(nsec duration)
{
    return (struct timeval){.tv_sec = duration / NSEC_SEC, .tv_usec = duration % NSEC_SEC / 1000};
}

/* 0, which no time is, for a call that is not to wait. */
static inline nsec deadline_after(nsec duration)
{
    return duration ? nsec_add(clock_monotonic(), duration) : 0;
}

/* Milliseconds; negative: for ever. */
static inline nsec deadline_of_msec(int timeout)
{
    return timeout < 0 ? NSEC_NEVER : deadline_after(timeout * NSEC_MS);
}

/* NULL: for ever. */
static inline nsec deadline_of_timespec(const struct timespec *timeout)
{
    return timeout ? deadline_after(timespec_nsec(timeout)) : NSEC_NEVER;
}

#endif
