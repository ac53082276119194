/* pidfile.c: see pidfile.h. */
#include "proc/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

enum { TEXT_MAX = 16 }; /* digits and a newline, and room to see that there is more */

pid_t pidfile_read(const char *path)
{
    char text[TEXT_MAX];
    uint64_t pid;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    ssize_t n = read(fd, text, sizeof text);
    int error = n < 0 ? -errno : 0;
    close(fd);
    if (error)
        return error;
    struct str rest = {text, (size_t)n}, line = str_cut(&rest, '\n');
    bool good = rest.n == 0 && str_to_u64(line, &pid) == 0 && pid > 0 && pid <= INT_MAX;
    return good ? (pid_t)pid : -EINVAL;
}

/* 0: nothing is there, or what we may replace. An empty file is what a full disk leaves of a pid file. */
static int check(const char *path)
{
    struct stat st;
    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (S_ISREG(st.st_mode) && (st.st_size == 0 || pidfile_read(path) > 0))
        return 0;
    return -EEXIST;
}

static int fill(int fd)
{
    if (fchmod(fd, 0644) < 0)
        return -errno;
    int n = dprintf(fd, "%d\n", (int)getpid());
    return n < 0 ? -errno : 0;
}

int pidfile_write(const char *path)
{
    char temporary[PATH_MAX];
    int error = check(path);
    if (error)
        return error;
    if (snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= (int)sizeof temporary)
        return -ENAMETOOLONG;
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return -errno;
    error = fill(fd);
    close(fd);
    if (!error && rename(temporary, path) < 0)
        error = -errno;
    if (error)
        unlink(temporary);
    return error;
}

int pidfile_try(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int error = check(path);
    if (error)
        return error;
    int n = slash ? (int)(slash - path + 1) : 1;
    if (snprintf(folder, sizeof folder, "%.*s", n, slash ? path : ".") >= (int)sizeof folder)
        return -ENAMETOOLONG;
    return access(folder, W_OK) < 0 ? -errno : 0;
}

void pidfile_remove(const char *path)
{
    if (pidfile_read(path) == getpid())
        unlink(path);
}
