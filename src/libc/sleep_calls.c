/* sleep_calls.c: sleep() and its relatives. */
#include <errno.h>

#include "green/green.h"
#include "libc/real.h"
#include "libc/timeout.h"

/* Sleeps until that time of that clock has come; one that has come already lets others have their turn. 0, or
 * -ECANCELED. */
static int sleep_until(clockid_t clock, nsec time)
{
    nsec left = time - clock_read(clock);
    int error = left > 0 ? 0 : green_yield();
    for (; left > 0 && !error; left = time - clock_read(clock))
        error = green_sleep(left);
    if (error)
        green_give_way();
    return error;
}

/* Stores what was left of it if it was cancelled. */
static int sleep_for(nsec duration, nsec *left)
{
    nsec end = nsec_add(clock_monotonic(), duration);
    int before = errno, error = sleep_until(CLOCK_MONOTONIC, end);
    *left = error && end > clock_monotonic() ? end - clock_monotonic() : 0;
    errno = before;
    return error;
}

static int sleep_for_timespec(const struct timespec *time, struct timespec *left)
{
    nsec rest;
    int error = sleep_for(timespec_nsec(time), &rest);
    if (error && left)
        *left = timespec_of(rest);
    return error;
}

/* Who sleeps again for what was left would do so for ever in a thread that never sleeps any more. */
unsigned sleep(unsigned seconds)
{
    if (!green_here())
        return real_sleep(seconds);
    nsec left;
    bool in_vain = green_cancelled();
    (void)!sleep_for(seconds * NSEC_SEC, &left);
    return in_vain ? 0 : (unsigned)((left + NSEC_SEC - 1) / NSEC_SEC);
}

static int fail(int error)
{
    if (!error)
        return 0;
    errno = -error;
    return -1;
}

int usleep(useconds_t usec)
{
    nsec left;
    return green_here() ? fail(sleep_for(usec * (nsec)1000, &left)) : real_usleep(usec);
}

int nanosleep(const struct timespec *time, struct timespec *left)
{
    bool ours = green_here() && timespec_fits(time);
    return ours ? fail(sleep_for_timespec(time, left)) : real_nanosleep(time, left);
}

/* Clocks of what the processor did are libc's: nobody can wait for the processor and give it away. */
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left)
{
    bool ours = clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME || clock == CLOCK_TAI;
    if (!green_here() || !ours || !timespec_fits(time))
        return real_clock_nanosleep(clock, flags, time, left);
    if (!(flags & TIMER_ABSTIME))
        return -sleep_for_timespec(time, left);
    int before = errno, error = sleep_until(clock, timespec_nsec(time));
    errno = before;
    return -error;
}
