/* peers.c: see peers.h. */
#include "peers.h"

#include <fcntl.h>

struct ends ends_open(int type)
{
    int ends[2];
    cr_assert_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends), 0);
    return (struct ends){ends[0], ends[1]};
}

void ends_close(struct ends *pair)
{
    close(pair->here);
    close(pair->there);
}

void set_nonblocking(int fd)
{
    cr_assert_eq(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK), 0);
}

size_t fill_up(int fd)
{
    static const char bytes[4096];
    size_t filled = 0;
    int flags = fcntl(fd, F_GETFL);
    set_nonblocking(fd);
    for (ssize_t n; (n = write(fd, bytes, sizeof bytes)) > 0;)
        filled += (size_t)n;
    cr_assert_eq(errno, EAGAIN);
    cr_assert_eq(fcntl(fd, F_SETFL, flags), 0);
    return filled;
}

void set_timeout(int fd, int option, int msec)
{
    struct timeval timeout = {.tv_usec = msec * 1000};
    cr_assert_eq(setsockopt(fd, SOL_SOCKET, option, &timeout, sizeof timeout), 0);
}

void settle(void)
{
    cr_expect_eq(green_sleep(2 * NSEC_MS), 0);
    run_yield();
}

void expect_cancellable(green_fn *fn, void *arg)
{
    struct green *thread = run_spawn(fn, arg);
    settle();
    green_cancel(thread);
    cr_expect_eq(run_join(thread), ECANCELED);
}
