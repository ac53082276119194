/* source.c: see source.h. */
#include "conf/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads n bytes, or less when the file ends early. */
static ssize_t read_whole(int fd, char *buffer, size_t n)
{
    size_t have = 0;
    while (have < n) {
        ssize_t got = read(fd, buffer + have, n - have);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

/* Why the file is not one to parse, or NULL. */
static const char *objection(int fd, struct stat *info)
{
    if (fstat(fd, info))
        return strerror(errno);
    if (S_ISDIR(info->st_mode))
        return "it is a directory";
    if (!S_ISREG(info->st_mode))
        return "it is not a regular file";
    return info->st_size > CONF_FILE_SIZE_MAX ? "it is larger than 16 MiB" : NULL;
}

static int refuse(struct conf_reader *r, const char *path, const struct conf_node *named_by, const char *reason)
{
    if (named_by) {
        conf_error(r, named_by, "%s cannot be read: %s", path, reason);
        return -EINVAL;
    }
    struct str file = arena_copy(r->arena, str_of(path));
    if (!file.p)
        return -ENOMEM;
    conf_error_at(r, file, 0, 0, "cannot be read: %s", reason);
    return -EINVAL;
}

/* The whole file, for the caller to free; NULL: `reason` says why not, or, when that is NULL, there is no memory. */
static char *read_file(int fd, size_t *size, const char **reason)
{
    struct stat info;
    *reason = objection(fd, &info);
    char *buffer = *reason ? NULL : malloc((size_t)info.st_size + 1);
    if (!buffer)
        return NULL;
    ssize_t n = read_whole(fd, buffer, (size_t)info.st_size);
    if (n < 0) {
        *reason = strerror((int)-n);
        free(buffer);
        return NULL;
    }
    *size = (size_t)n;
    return buffer;
}

int conf_parse_file(struct conf_reader *r, const char *path, const struct conf_node *named_by, struct conf_node **root)
{
    /* Opening a FIFO would wait for a writer: O_NONBLOCK lets it be refused instead. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return refuse(r, path, named_by, strerror(errno));
    size_t size;
    const char *reason;
    char *text = read_file(fd, &size, &reason);
    close(fd);
    if (!text)
        return reason ? refuse(r, path, named_by, reason) : -ENOMEM;
    int status = conf_parse(r, str_of(path), (struct str){text, size}, root);
    free(text);
    return status;
}
