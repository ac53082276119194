/* file_job.c: see file_job.h. */
#include "handler/file_job.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/out.h"

enum { STABLE_TRIES = 3 }; /* reads of a file that changes meanwhile */

static int open_path(const struct file_job *job, const char *path, int flags)
{
    return file_open(job->directory, path, flags, job->may_block, job->root->follow);
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

/* ---- looks, without opening for reading ---- */

static int look_at(const struct file_job *job, const char *path, struct file_version *version)
{
    mode_t mode = 0;
    int fd = open_path(job, path, O_PATH);
    if (fd < 0)
        return fd;
    int error = read_version(fd, version, &mode);
    close(fd);
    if (error)
        return error;
    if (S_ISDIR(mode))
        return -EISDIR;
    return S_ISREG(mode) ? 0 : -ENOENT;
}

static int look_for_encoded(struct file_job *job)
{
    for (enum coding coding = 0; coding < CODING_COUNT; coding++) {
        char path[PATH_MAX];
        struct file_version version;
        if (!(job->wanted & CODING_BIT(coding)))
            continue;
        struct out o = out_on(path, sizeof path);
        out_put(&o, str_of(job->path));
        out_put(&o, coding_suffix(coding));
        out_char(&o, '\0');
        int error = o.full ? -ENAMETOOLONG : look_at(job, path, &version);
        if (file_error_passes(error))
            return error;
        job->present |= error ? 0 : CODING_BIT(coding);
    }
    return 0;
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
    int fd = open_path(job, job->path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return fd;
    int error = take_content(job, fd);
    if (job->fd != fd)
        close(fd);
    return error;
}

static int run(struct file_job *job)
{
    int error = look_at(job, job->path, &job->version);
    if (!error)
        error = look_for_encoded(job);
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
    job->present = 0;
    job->directory = file_open_root(job->root, job->may_block);
    job->error = job->directory < 0 ? job->directory : run(job);
    file_close_root(job->root, job->directory);
}
