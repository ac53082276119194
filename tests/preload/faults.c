/* faults.c: see faults.h. Nothing here allocates: what stands before malloc() must not need it. */
#include "faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { ARGUMENTS = 6, HELD_NSEC = 1000000 };

static struct faults *faults; /* NULL: nothing is to fail */

/* libc's own, which nothing stands before. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t count, size_t n);
void *__libc_realloc(void *old, size_t n);

static struct functions {
    void *(*mmap)(void *, size_t, int, int, int, off_t);
    int (*accept4)(int, struct sockaddr *, socklen_t *, int);
    ssize_t (*recv)(int, void *, size_t, int);
    ssize_t (*send)(int, const void *, size_t, int);
    ssize_t (*sendmsg)(int, const struct msghdr *, int);
    ssize_t (*sendfile)(int, int, off_t *, size_t);
    int (*epoll_wait)(int, struct epoll_event *, int, int);
    int (*epoll_ctl)(int, int, int, struct epoll_event *);
    ssize_t (*pread)(int, void *, size_t, off_t);
    ssize_t (*preadv2)(int, const struct iovec *, int, off_t, int);
    long (*syscall)(long, ...);
    int (*clock_gettime)(clockid_t, struct timespec *);
} real;

#define FIND(name) (*(void **)&real.name = dlsym(RTLD_NEXT, #name))

/* Looked for by the first caller: a sanitizer calls some of them before any constructor has run. */
static const struct functions *libc(void)
{
    if (!real.clock_gettime) {
        FIND(mmap), FIND(accept4), FIND(recv), FIND(send), FIND(sendmsg), FIND(sendfile), FIND(epoll_wait);
        FIND(epoll_ctl), FIND(pread), FIND(preadv2), FIND(syscall), FIND(clock_gettime);
    }
    return &real;
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv(FAULTS_FILE);
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *shared = libc()->mmap(NULL, sizeof *faults, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    faults = shared == MAP_FAILED ? NULL : shared;
}

/* The rules for a call; NULL: there are none for this process. */
static struct fault *rules_of(enum fault_call call)
{
    int process = faults ? faults->process : 0;
    return process && process == getpid() ? &faults->of[call] : NULL;
}

static bool is_chosen(const struct fault *fault, unsigned number)
{
    unsigned first = fault->first, step = fault->step;
    return first && number >= first && number <= fault->last && (number - first) % (step ? step : 1) == 0;
}

/* Counts a call; whether it fails. errno is set then. */
static bool fails(enum fault_call call)
{
    struct fault *fault = rules_of(call);
    if (!fault || !is_chosen(fault, ++fault->made))
        return false;
    fault->failed++;
    errno = fault->error;
    return true;
}

static size_t shortened(enum fault_call call, size_t n)
{
    const struct fault *fault = rules_of(call);
    return fault && fault->most && fault->most < n ? fault->most : n;
}

/* Waits until a held call is let go. False: it was not to wait. */
static bool pass(enum fault_call call, bool may_block)
{
    const struct fault *fault = rules_of(call);
    const struct timespec moment = {.tv_nsec = HELD_NSEC};
    while (fault && fault->held) {
        if (!may_block) {
            errno = EAGAIN;
            return false;
        }
        nanosleep(&moment, NULL);
    }
    return true;
}

/* ---- memory ---- */

void *malloc(size_t n)
{
    return fails(FAULT_ALLOC) ? NULL : __libc_malloc(n);
}

void *calloc(size_t count, size_t n)
{
    return fails(FAULT_ALLOC) ? NULL : __libc_calloc(count, n);
}

void *realloc(void *old, size_t n)
{
    return fails(FAULT_ALLOC) ? NULL : __libc_realloc(old, n);
}

void *reallocarray(void *old, size_t count, size_t n)
{
    size_t size;
    if (__builtin_mul_overflow(count, n, &size)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(old, size);
}

/* OpenSSL's heap, if it is given one: functions that are told who asks, too. */
typedef void *given_alloc_fn(size_t n, const char *file, int line);
typedef void *given_realloc_fn(void *old, size_t n, const char *file, int line);
typedef void given_free_fn(void *block, const char *file, int line);
typedef int give_fn(given_alloc_fn *, given_realloc_fn *, given_free_fn *);

static given_alloc_fn *given_alloc;
static given_realloc_fn *given_realloc;

static void *alloc_of_given(size_t n, const char *file, int line)
{
    return fails(FAULT_ALLOC) ? NULL : given_alloc(n, file, line);
}

static void *realloc_of_given(void *old, size_t n, const char *file, int line)
{
    return fails(FAULT_ALLOC) ? NULL : given_realloc(old, n, file, line);
}

give_fn CRYPTO_set_mem_functions;

int CRYPTO_set_mem_functions(given_alloc_fn *alloc, given_realloc_fn *change, given_free_fn *end)
{
    give_fn *give;
    *(void **)&give = dlsym(RTLD_NEXT, "CRYPTO_set_mem_functions");
    given_alloc = alloc;
    given_realloc = change;
    return give(alloc_of_given, realloc_of_given, end);
}

void *mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
    return fails(FAULT_MMAP) ? MAP_FAILED : libc()->mmap(at, n, protection, flags, fd, offset);
}

/* ---- sockets ---- */

int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
    return fails(FAULT_ACCEPT) ? -1 : libc()->accept4(fd, address, size, flags);
}

ssize_t recv(int fd, void *to, size_t n, int flags)
{
    return fails(FAULT_RECV) ? -1 : libc()->recv(fd, to, shortened(FAULT_RECV, n), flags);
}

/* What recv() is called where the compiler knows the room: glibc's fortified name. */
ssize_t __recv_chk(int fd, void *to, size_t n, size_t room, int flags);

ssize_t __recv_chk(int fd, void *to, size_t n, size_t room, int flags)
{
    if (n > room)
        abort();
    return recv(fd, to, n, flags);
}

ssize_t send(int fd, const void *bytes, size_t n, int flags)
{
    return fails(FAULT_SEND) ? -1 : libc()->send(fd, bytes, shortened(FAULT_SEND, n), flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    if (fails(FAULT_SEND))
        return -1;
    size_t first = message->msg_iovlen ? message->msg_iov->iov_len : 0, n = shortened(FAULT_SEND, first);
    if (n == first)
        return libc()->sendmsg(fd, message, flags);
    return libc()->send(fd, message->msg_iov->iov_base, n, flags);
}

ssize_t sendfile(int to, int from, off_t *at, size_t n)
{
    return fails(FAULT_SENDFILE) ? -1 : libc()->sendfile(to, from, at, shortened(FAULT_SENDFILE, n));
}

int epoll_wait(int fd, struct epoll_event *events, int room, int timeout)
{
    return fails(FAULT_POLL) ? -1 : libc()->epoll_wait(fd, events, room, timeout);
}

int epoll_ctl(int fd, int operation, int of, struct epoll_event *event)
{
    return fails(FAULT_WATCH) ? -1 : libc()->epoll_ctl(fd, operation, of, event);
}

/* ---- files ---- */

ssize_t pread(int fd, void *to, size_t n, off_t at)
{
    if (!pass(FAULT_READ, true) || fails(FAULT_READ))
        return -1;
    return libc()->pread(fd, to, shortened(FAULT_READ, n), at);
}

ssize_t preadv2(int fd, const struct iovec *pieces, int count, off_t at, int flags)
{
    if (!pass(FAULT_READ, !(flags & RWF_NOWAIT)) || fails(FAULT_READ))
        return -1;
    struct iovec first = {pieces->iov_base, shortened(FAULT_READ, pieces->iov_len)};
    return libc()->preadv2(fd, first.iov_len < pieces->iov_len ? &first : pieces,
                           first.iov_len < pieces->iov_len ? 1 : count, at, flags);
}

/* glibc has no openat2(). */
long syscall(long number, ...)
{
    long a[ARGUMENTS];
    va_list arguments;
    va_start(arguments, number);
    for (int i = 0; i < ARGUMENTS; i++)
        a[i] = va_arg(arguments, long);
    va_end(arguments);
    if (number == SYS_openat2) {
        const struct open_how *how = (const void *)a[2];
        if (!pass(FAULT_OPEN, !(how->resolve & RESOLVE_CACHED)) || fails(FAULT_OPEN))
            return -1;
    }
    return libc()->syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* ---- the time of day ---- */

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = libc()->clock_gettime(clock, now);
    if (faults && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += faults->shift;
    return result;
}

time_t time(time_t *to)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (to)
        *to = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec precise;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}
