/* disk.c: see disk.h. */
#include "disk.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

struct disk disk;
int disk_root = -1;

static char folder[] = "/tmp/tern-disk-XXXXXX";

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
ssize_t __real_preadv2(int fd, const struct iovec *pieces, int count, off_t at, int flags);
ssize_t __wrap_preadv2(int fd, const struct iovec *pieces, int count, off_t at, int flags);

/* 0: the call goes on to the kernel. */
static int open_fault(const struct open_how *how)
{
    bool cached = how->resolve & RESOLVE_CACHED;
    if (disk.openat2_errno)
        return disk.openat2_errno;
    if (cached)
        return disk.cold ? EAGAIN : 0;
    atomic_fetch_add(&disk.looks, how->flags & O_PATH ? 1 : 0);
    while (atomic_load(&disk.held))
        usleep(100);
    return 0;
}

long __wrap_syscall(long number, ...)
{
    va_list args;
    va_start(args, number);
    long a = va_arg(args, long), b = va_arg(args, long), c = va_arg(args, long);
    long d = va_arg(args, long), e = va_arg(args, long), f = va_arg(args, long);
    va_end(args);
    if (number == SYS_openat2 && (errno = open_fault((const struct open_how *)c)))
        return -1;
    return __real_syscall(number, a, b, c, d, e, f);
}

ssize_t __wrap_preadv2(int fd, const struct iovec *pieces, int count, off_t at, int flags)
{
    if (disk.before_read)
        disk.before_read(fd);
    return __real_preadv2(fd, pieces, count, at, flags);
}

void disk_make_folder(void)
{
    cr_assert_not_null(mkdtemp(folder));
    disk_root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    cr_assert_geq(disk_root, 0);
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info, (void)type, (void)place;
    return remove(path);
}

void disk_remove_folder(void)
{
    close(disk_root);
    cr_assert_eq(nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void disk_write(const char *name, const void *bytes, size_t n)
{
    int fd = openat(disk_root, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    cr_assert_geq(fd, 0, "%s", name);
    cr_assert_eq(write(fd, bytes, n), (ssize_t)n);
    close(fd);
}
