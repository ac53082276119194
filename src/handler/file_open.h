/* file_open.h: opening what a path below a root names.
 *
 * A path can't leave its root: one with ".." or with "/" at its start is refused, and openat2(RESOLVE_BENEATH) does the
 * walk; symbolic links that stay below the root work. Kernels without it get a walk that follows no links at all. Only
 * an administrator's `follow` lets links lead elsewhere.
 *
 * On the loop nothing may block: then the kernel is asked for what is in its caches only (RESOLVE_CACHED), and where
 * that is not enough, or it has no such question, the answer is -EAGAIN.
 */
#ifndef TERN_HANDLER_FILE_OPEN_H
#define TERN_HANDLER_FILE_OPEN_H

#include <stdbool.h>

/* A directory to look below. It is opened anew for each look, so that another tree put in its place, by a symbolic link
 * or a rename, is seen; where that is not permitted any more (a worker is not root), the one opened at the start is
 * used. */
struct file_root {
    int fd;           /* opened at the start */
    const char *path; /* NULL: only that */
    bool follow;      /* symbolic links may lead out of it */
};

/* The root's descriptor (O_PATH), which file_close_root() takes back; or -errno. */
int file_open_root(const struct file_root *root, bool may_block) __attribute__((warn_unused_result));
void file_close_root(const struct file_root *root, int fd);

/* Opens a relative path, not empty, below a directory, with flags as of open(); O_CLOEXEC goes without saying. A
 * descriptor or -errno; -EXDEV: the path leads out. */
int file_open(int directory, const char *path, int flags, bool may_block, bool follow)
    __attribute__((warn_unused_result));

/* Whether an error says nothing of the path: another try may find it. */
bool file_error_passes(int error);

#endif
