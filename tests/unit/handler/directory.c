/* directory.c: see directory.h. */
#include "directory.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct directory directory;

struct dirent *__real_readdir(DIR *stream);
struct dirent *__wrap_readdir(DIR *stream);
int __real_fstatat(int fd, const char *name, struct stat *st, int flags);
int __wrap_fstatat(int fd, const char *name, struct stat *st, int flags);
void *__real_reallocarray(void *old, size_t n, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);

static void wait_while_held(void)
{
    if (!atomic_load(&directory.held))
        return;
    atomic_fetch_add(&directory.readers, 1);
    while (atomic_load(&directory.held))
        usleep(100);
    atomic_fetch_sub(&directory.readers, 1);
}

static struct dirent *invent(void)
{
    static _Thread_local struct dirent entry;
    snprintf(entry.d_name, sizeof entry.d_name, "%s", directory.name);
    errno = 0;
    return directory.times && directory.times-- ? &entry : NULL;
}

struct dirent *__wrap_readdir(DIR *stream)
{
    wait_while_held();
    if (directory.before_name)
        directory.before_name();
    if (directory.error && directory.after-- == 0) {
        errno = directory.error;
        return NULL;
    }
    return directory.name ? invent() : __real_readdir(stream);
}

int __wrap_fstatat(int fd, const char *name, struct stat *st, int flags)
{
    bool denied = directory.denied && strcmp(directory.denied, name) == 0;
    errno = EACCES;
    return denied ? -1 : __real_fstatat(fd, name, st, flags);
}

void *__wrap_reallocarray(void *old, size_t n, size_t size)
{
    return directory.no_memory ? NULL : __real_reallocarray(old, n, size);
}
