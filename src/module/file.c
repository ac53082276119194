/* file.c: content from a file: the disk is waited for on the pool, then the kernel sends. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "green/offload.h"
#include "module/caller.h"
#include "module/request.h"
#include "net/file_window.h"
#include "net/stream.h"

struct opening {
    const char *path;
    int fd; /* or -errno */
    struct file_stamp stamp;
};

/* On the pool. What is no file must not be opened for long: a pipe would wait for somebody to write to it. */
static void open_file(void *arg)
{
    struct opening *job = arg;
    struct stat found;
    int fd = open(job->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &found) < 0) {
        job->fd = -errno;
    } else if (!S_ISREG(found.st_mode)) {
        job->fd = S_ISDIR(found.st_mode) ? -EISDIR : -EINVAL;
    } else {
        job->fd = fd;
        job->stamp = (struct file_stamp){found.st_size, found.st_mtim};
    }
    if (fd >= 0 && job->fd < 0)
        close(fd);
}

static int send_file(struct exchange *x, int fd, const struct file_stamp *stamp)
{
    int error = 0;
    for (off_t at = 0; at < stamp->size && !error && !x->response.no_content; at += FILE_WINDOW) {
        size_t n = stamp->size - at < FILE_WINDOW ? (size_t)(stamp->size - at) : FILE_WINDOW;
        error = file_warm(fd, at, n);
        if (!error && !file_still_is(fd, stamp))
            error = -ESTALE;
        if (!error)
            error = http_file(x, fd, at, n, stamp);
    }
    return error;
}

int tern_file(struct tern_request *r, const char *path)
{
    if (!module_is_placed(__func__))
        return -EPERM;
    struct opening job = {.path = path};
    int error = green_offload(open_file, &job, NSEC_NEVER);
    if (error || job.fd < 0)
        return error ? error : job.fd;
    if (!r->started && out_len(&r->gathered) == 0 && r->promised == HTTP_LENGTH_UNKNOWN)
        error = tern_promise(r, job.stamp.size);
    if (!error)
        error = module_pass_on(r);
    if (!error)
        error = module_send_end(r, send_file(module_send_begin(r), job.fd, &job.stamp));
    close(job.fd);
    return error;
}
