/* file.c: see file.h. */
#include "log/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FLAGS = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
    MODE = 0640,
    MODE_MASK = 07777,
};

int log_file_path(char to[static PATH_MAX], struct str path)
{
    if (path.n >= PATH_MAX)
        return -ENAMETOOLONG;
    memcpy(to, path.p, path.n);
    to[path.n] = '\0';
    return 0;
}

/* A folder of logs may belong to the user of the workers: a link that somebody else than we, or root, has put there is
 * not followed, or root would write wherever it points. */
static bool may_follow(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 && S_ISLNK(info.st_mode) && (info.st_uid == 0 || info.st_uid == geteuid());
}

int log_file_open(const char *path)
{
    int fd = open(path, FLAGS | O_NOFOLLOW, MODE);
    if (fd < 0 && errno == ELOOP && may_follow(path))
        fd = open(path, FLAGS, MODE);
    if (fd < 0)
        return -errno;
    return fd;
}

int log_file_replace(int fd, int next)
{
    if (dup3(next, fd, O_CLOEXEC) < 0)
        return -errno;
    close(next);
    return 0;
}

/* Who may not give files away keeps this one. The owner first: a change of it may change the mode. */
static void resemble(int fd, int old)
{
    struct stat info;
    if (fstat(old, &info) < 0 || !S_ISREG(info.st_mode))
        return;
    (void)!fchown(fd, info.st_uid, info.st_gid);
    (void)!fchmod(fd, info.st_mode & MODE_MASK);
}

int log_file_reopen(const char *path, int fd)
{
    int next = open(path, FLAGS | O_EXCL, MODE);
    if (next >= 0)
        resemble(next, fd);
    else if (errno == EEXIST)
        next = log_file_open(path);
    else
        next = -errno;
    int error = next < 0 ? next : log_file_replace(fd, next);
    if (error && next >= 0)
        close(next);
    return error;
}
