/* peers.h: what the tests of src/libc talk to. */
#ifndef TERN_TESTS_LIBC_PEERS_H
#define TERN_TESTS_LIBC_PEERS_H

#include <sys/socket.h>

#include "../green/run.h"
#include "ours.h"

/* Two ends of a pair of sockets of the Unix domain that block, as everybody's do. */
struct ends {
    int here, there;
};
struct ends ends_open(int type);
void ends_close(struct ends *pair);

/* Makes descriptors non-blocking. */
void set_nonblocking(int fd);

/* How many bytes more it takes to fill its buffer; then it is blocking again. */
size_t fill_up(int fd);

/* SO_RCVTIMEO or SO_SNDTIMEO of some milliseconds. */
void set_timeout(int fd, int option, int msec);

/* Lets the loop poll, and run what that wakes. */
void settle(void);

/* Fails unless a call failed with this error; keeps errno. */
#define expect_error(call, error)                                                                                      \
    do {                                                                                                               \
        errno = 0;                                                                                                     \
        cr_expect_eq((call), -1);                                                                                      \
        cr_expect_eq(errno, (error), "%s", strerrorname_np(errno));                                                    \
    } while (0)

/* Runs fn(arg), which returns the errno of a call that waits, in a thread that is cancelled meanwhile. */
void expect_cancellable(green_fn *fn, void *arg);

#endif
