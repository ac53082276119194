/* faults.h: failures by order, in memory that a test shares with the server it has started.
 *
 * The library faults.so stands before libc's functions (LD_PRELOAD). It counts the calls of one process and lets those
 * fail that it is told to; all others go on to libc. $TERN_FAULTS names the file that both map.
 */
#ifndef TERN_TESTS_PRELOAD_FAULTS_H
#define TERN_TESTS_PRELOAD_FAULTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAULTS_FILE "TERN_FAULTS"

enum fault_call {
    FAULT_ALLOC, /* malloc, calloc, realloc, reallocarray; what OpenSSL allocates by functions that it was given */
    FAULT_MMAP,
    FAULT_ACCEPT,   /* accept4 */
    FAULT_RECV,     /* recv */
    FAULT_SEND,     /* send, sendmsg */
    FAULT_SENDFILE, /* sendfile */
    FAULT_POLL,     /* epoll_wait */
    FAULT_WATCH,    /* epoll_ctl */
    FAULT_OPEN,     /* openat2 */
    FAULT_READ,     /* pread, preadv2 */
    FAULT_CALLS
};

/* What happens to one kind of call. They are numbered from 1; those from `first` to `last` fail, `step` apart. */
struct fault {
    atomic_uint made, failed;
    atomic_uint first, last, step; /* first 0: none fails */
    atomic_int error;              /* what errno is then */
    atomic_size_t most;            /* bytes that a call moves at most; 0: as many as it is asked to */
    atomic_bool held;              /* does not return before it is let go; one that must not block says EAGAIN */
};

struct faults {
    atomic_int process;         /* whose calls; 0: nobody's */
    atomic_int_least64_t shift; /* seconds by which the time of day is wrong, for every process */
    struct fault of[FAULT_CALLS];
};

#endif
