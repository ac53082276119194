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

static int refuse(struct conf_reader *r, const char *path, const char *reason)
{
    struct str file = arena_copy(r->arena, str_of(path));
    if (!file.p)
        return -ENOMEM;
    conf_error_at(r, file, 0, 0, "cannot be read: %s", reason);
    return -EINVAL;
}

static int parse_open(struct conf_reader *r, const char *path, int fd, struct conf_node **root)
{
    struct stat info;
    const char *reason = objection(fd, &info);
    if (reason)
        return refuse(r, path, reason);
    char *buffer = malloc((size_t)info.st_size + 1);
    if (!buffer)
        return -ENOMEM;
    ssize_t n = read_whole(fd, buffer, (size_t)info.st_size);
    int status;
    if (n < 0)
        status = refuse(r, path, strerror((int)-n));
    else
        status = conf_parse(r, str_of(path), (struct str){buffer, (size_t)n}, root);
    free(buffer);
    return status;
}

int conf_parse_file(struct conf_reader *r, const char *path, struct conf_node **root)
{
    /* Opening a FIFO would wait for a writer: O_NONBLOCK lets it be refused instead. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return refuse(r, path, strerror(errno));
    int status = parse_open(r, path, fd, root);
    close(fd);
    return status;
}
