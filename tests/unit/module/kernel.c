/* kernel.c: see kernel.h. */
#include "kernel.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

int refuse_memory, refuse_size, refuse_bytes, refuse_pipe, refuse_message;

int __real_memfd_create(const char *name, unsigned flags);
int __wrap_memfd_create(const char *name, unsigned flags);
int __real_ftruncate(int fd, off_t size);
int __wrap_ftruncate(int fd, off_t size);
ssize_t __real_pwrite(int fd, const void *bytes, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t n, off_t at);
int __real_pipe2(int *ends, int flags);
int __wrap_pipe2(int *ends, int flags);
ssize_t __real_sendmsg(int socket, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int socket, const struct msghdr *message, int flags);

static bool refused(int *why)
{
    errno = *why ? *why : errno;
    bool refused = *why != 0;
    *why = 0;
    return refused;
}

int __wrap_memfd_create(const char *name, unsigned flags)
{
    return refused(&refuse_memory) ? -1 : __real_memfd_create(name, flags);
}

int __wrap_ftruncate(int fd, off_t size)
{
    return refused(&refuse_size) ? -1 : __real_ftruncate(fd, size);
}

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    return refused(&refuse_bytes) ? -1 : __real_pwrite(fd, bytes, n, at);
}

int __wrap_pipe2(int *ends, int flags)
{
    return refused(&refuse_pipe) ? -1 : __real_pipe2(ends, flags);
}

ssize_t __wrap_sendmsg(int socket, const struct msghdr *message, int flags)
{
    return refused(&refuse_message) ? -1 : __real_sendmsg(socket, message, flags);
}
