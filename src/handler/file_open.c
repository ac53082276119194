/* file_open.c: see file_open.h. */
#include "handler/file_open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"

enum { RACE_TRIES = 8 }; /* walks of a path with ".." behind a link, while something somewhere is renamed */

/* ---- the root ---- */

int file_open_root(const struct file_root *root, bool may_block)
{
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = may_block ? 0 : RESOLVE_CACHED};
    if (!root->path)
        return root->fd;
    long fd = syscall(SYS_openat2, AT_FDCWD, root->path, &how, sizeof how);
    if (fd < 0 && may_block && errno != EACCES)
        fd = open(root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        return (int)fd;
    if (errno == EACCES)
        return root->fd;
    return may_block ? -errno : -EAGAIN;
}

void file_close_root(const struct file_root *root, int fd)
{
    if (fd >= 0 && fd != root->fd)
        close(fd);
}

/* ---- paths ---- */

/* Whether the path itself, links aside, may leave the directory it starts in. */
static bool leads_out(const char *path)
{
    if (*path == '/')
        return true;
    for (struct str rest = str_of(path); rest.n;)
        if (str_eq(str_cut(&rest, '/'), STR("..")))
            return true;
    return false;
}

static int open_resolved(int directory, const char *path, int flags, uint64_t resolve)
{
    struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC), .resolve = resolve | RESOLVE_NO_MAGICLINKS};
    long fd = -1;
    int tries = resolve & RESOLVE_CACHED ? 1 : RACE_TRIES;
    do {
        fd = syscall(SYS_openat2, directory, path, &how, sizeof how);
    } while (fd < 0 && errno == EAGAIN && --tries);
    return fd < 0 ? -errno : (int)fd;
}

/* -EPERM: a filter of system calls; -EINVAL: before 5.12. */
static bool has_no_openat2(int error)
{
    return error == -ENOSYS || error == -EPERM || error == -EINVAL;
}

static int open_following(int directory, const char *path, int flags)
{
    int fd = openat(directory, path, flags | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    return fd;
}

/* One step of a walk that started at `start`: opens a name, "" being the directory itself, and closes the directory it
 * was found in. */
static int step(int start, int at, struct str part, int flags)
{
    char name[NAME_MAX + 1];
    int fd = -ENOENT;
    if (part.n <= NAME_MAX) {
        memcpy(name, part.p, part.n);
        name[part.n] = '\0';
        fd = openat(at, part.n ? name : ".", flags | O_NOFOLLOW | O_CLOEXEC);
        fd = fd < 0 ? -errno : fd;
    }
    if (at != start)
        close(at);
    return fd;
}

/* Component by component, through no link. */
static int open_walking(int directory, const char *path, int flags)
{
    struct str rest = str_of(path);
    int at = directory;
    bool last = false;
    while (!last && at >= 0) {
        last = str_find(rest, '/') == rest.n;
        at = step(directory, at, str_cut(&rest, '/'), last ? flags : O_PATH | O_DIRECTORY);
    }
    return at;
}

int file_open(int directory, const char *path, int flags, bool may_block, bool follow)
{
    if (leads_out(path))
        return -EXDEV;
    int fd = open_resolved(directory, path, flags, (follow ? 0 : RESOLVE_BENEATH) | (may_block ? 0 : RESOLVE_CACHED));
    if (!has_no_openat2(fd))
        return fd;
    if (!may_block)
        return -EAGAIN;
    return follow ? open_following(directory, path, flags) : open_walking(directory, path, flags);
}

bool file_error_passes(int error)
{
    return error == -EAGAIN || error == -EMFILE || error == -ENFILE || error == -ENOMEM;
}
