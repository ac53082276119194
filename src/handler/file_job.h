/* file_job.h: one look at the disk: what is this path below this root, and what is in it?
 *
 * The same function runs in two ways. On the loop it must not block: it asks the kernel for what is in its caches only
 * (RESOLVE_CACHED for the path, RWF_NOWAIT for the bytes) and gives up with -EAGAIN. Then the job is run again on the
 * blocking pool, where it may wait for the disk. It touches nothing but the job.
 *
 * Only regular files are ever opened for reading: a FIFO would block or wake its writer, a device may do anything.
 */
#ifndef TERN_HANDLER_FILE_JOB_H
#define TERN_HANDLER_FILE_JOB_H

#include <sys/stat.h>

#include "base/str.h"
#include "handler/file_open.h"
#include "http/encoder.h"

/* Files up to this size are read whole. Larger ones are sent from the kernel's own memory: copying 64 KiB into a socket
 * was measured to cost a third more than handing over its pages, and an anonymous file a sixth more. */
enum { FILE_IN_MEMORY = 16 * 1024 };

/* What tells one version of a file from another. */
struct file_version {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified, changed;
};

struct file_job {
    const struct file_root *root;
    const char *path;                 /* relative, NUL-terminated */
    const struct file_version *known; /* the version that the caller has; NULL: none */
    unsigned wanted;                  /* encoded files beside it to look for: a bit for each coding */
    bool may_block;
    int directory; /* the root, while the job runs */
    /* results: */
    int error;        /* 0, or -errno; -EAGAIN: it would block; -EISDIR; -ENOENT, also for what is no regular file */
    bool unchanged;   /* it is the known version: nothing was opened */
    unsigned present; /* of those wanted, also when it is unchanged */
    struct file_version version;
    char *bytes; /* the whole content, malloc'ed; NULL for a larger file ... */
    int fd;      /* ... which is open here; else -1 */
};

/* Runs a struct file_job: a function for green_offload(). */
void file_job_run(void *job);

#endif
