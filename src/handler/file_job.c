/* file_job.c: see file_job.h. */
#include "handler/file_job.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { STABLE_TRIES = 3 }; /* reads of a file that changes meanwhile */

/* ---- opening ---- */

static int open_beneath(const struct file_job *job, int flags)
{
    struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC), .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    if (!job->may_block)
        how.resolve |= RESOLVE_CACHED;
    long fd = syscall(SYS_openat2, job->directory, job->path, &how, sizeof how);
    return fd < 0 ? -errno : (int)fd;
}

/* Opens a directory of the walk, and closes the one it was found in. */
static int descend(int at, const char *name, bool close_at)
{
    int fd = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int error = -errno;
    if (close_at)
        close(at);
    if (fd < 0)
        return error;
    return fd;
}

/* Component by component, through no link and no "..". */
static int open_walking(const struct file_job *job, int flags)
{
    struct str rest = str_of(job->path);
    int at = job->directory;
    for (;;) {
        char name[NAME_MAX + 1];
        bool last = str_find(rest, '/') == rest.n;
        struct str part = str_cut(&rest, '/');
        if (part.n > NAME_MAX || str_eq(part, STR("..")))
            break;
        memcpy(name, part.p, part.n);
        name[part.n] = '\0';
        if (last) {
            int fd = openat(at, part.n ? name : ".", flags | O_NOFOLLOW | O_CLOEXEC);
            int result = fd < 0 ? -errno : fd;
            if (at != job->directory)
                close(at);
            return result;
        }
        if (part.n == 0)
            continue;
        at = descend(at, name, at != job->directory);
        if (at < 0)
            return at;
    }
    if (at != job->directory)
        close(at);
    return -ENOENT;
}

static int open_path(const struct file_job *job, int flags)
{
    int fd = open_beneath(job, flags);
    if (fd != -ENOSYS && fd != -EPERM && fd != -EINVAL) /* -EPERM: a filter of system calls; -EINVAL: before 5.12 */
        return fd;
    return job->may_block ? open_walking(job, flags) : -EAGAIN;
}

/* ---- versions ---- */

static int read_version(int fd, struct file_version *version, mode_t *mode)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    *version = (struct file_version){st.st_dev, st.st_ino, st.st_size, st.st_mtim, st.st_ctim};
    *mode = st.st_mode;
    return 0;
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* Nobody wrote to the file between the two looks. Its time of change says more, too much: the rename that puts another
 * file in its place moves it as well. */
static bool same_content(const struct file_version *a, const struct file_version *b)
{
    return a->size == b->size && same_time(a->modified, b->modified);
}

static bool same_version(const struct file_version *a, const struct file_version *b)
{
    return a->device == b->device && a->inode == b->inode && same_content(a, b) && same_time(a->changed, b->changed);
}

/* Looks without opening for reading. */
static int look(struct file_job *job)
{
    mode_t mode = 0;
    int fd = open_path(job, O_PATH);
    if (fd < 0)
        return fd;
    int error = read_version(fd, &job->version, &mode);
    close(fd);
    if (error)
        return error;
    if (S_ISDIR(mode))
        return -EISDIR;
    return S_ISREG(mode) ? 0 : -ENOENT;
}

/* ---- content ---- */

static int read_bytes(const struct file_job *job, int fd, char *bytes, size_t n)
{
    for (size_t at = 0; at < n;) {
        struct iovec piece = {bytes + at, n - at};
        ssize_t got = preadv2(fd, &piece, 1, (off_t)at, job->may_block ? 0 : RWF_NOWAIT);
        if (got < 0 && errno == EOPNOTSUPP && !job->may_block)
            return -EAGAIN; /* a file system that can't promise not to block */
        if (got < 0)
            return -errno;
        if (got == 0)
            return -ESTALE; /* it has become shorter */
        at += (size_t)got;
    }
    return 0;
}

/* Takes the content of an open file, or keeps it open. -ESTALE: it changed meanwhile. */
static int take_content(struct file_job *job, int fd)
{
    mode_t mode = 0;
    int error = read_version(fd, &job->version, &mode);
    if (error || !S_ISREG(mode))
        return error ? error : -ENOENT;
    if (job->version.size > FILE_IN_MEMORY) {
        job->fd = fd;
        return 0;
    }
    job->bytes = malloc((size_t)job->version.size + 1);
    if (!job->bytes)
        return -ENOMEM;
    struct file_version after = {0};
    error = read_bytes(job, fd, job->bytes, (size_t)job->version.size);
    if (!error)
        error = read_version(fd, &after, &mode);
    if (!error && !same_content(&job->version, &after))
        error = -ESTALE;
    if (error) {
        free(job->bytes);
        job->bytes = NULL;
    }
    return error;
}

static int load(struct file_job *job)
{
    int fd = open_path(job, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return fd;
    int error = take_content(job, fd);
    if (job->fd != fd)
        close(fd);
    return error;
}

static int open_root(const struct file_job *job)
{
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC};
    if (!job->may_block)
        how.resolve = RESOLVE_CACHED;
    if (!job->root->path)
        return job->root->fd;
    long fd = syscall(SYS_openat2, AT_FDCWD, job->root->path, &how, sizeof how);
    if (fd < 0 && job->may_block && errno != EACCES)
        fd = open(job->root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        return (int)fd;
    if (errno == EACCES)
        return job->root->fd;
    return job->may_block ? -errno : -EAGAIN;
}

static int run(struct file_job *job)
{
    int error = look(job);
    job->unchanged = !error && job->known && same_version(job->known, &job->version);
    if (error || job->unchanged)
        return error;
    error = -ESTALE;
    for (int i = 0; i < STABLE_TRIES && error == -ESTALE; i++)
        error = load(job);
    return error;
}

void file_job_run(void *arg)
{
    struct file_job *job = arg;
    job->bytes = NULL;
    job->fd = -1;
    job->unchanged = false;
    job->directory = open_root(job);
    job->error = job->directory < 0 ? job->directory : run(job);
    if (job->directory >= 0 && job->directory != job->root->fd)
        close(job->directory);
}
