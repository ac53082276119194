/* file.c: see file.h. */
#include "log/file.h"

#include <errno.h>
#include <fcntl.h>

enum { FILE_MODE = 0640 };

int log_file_path(char to[static PATH_MAX], struct str path)
{
    if (path.n >= PATH_MAX)
        return -ENAMETOOLONG;
    memcpy(to, path.p, path.n);
    to[path.n] = '\0';
    return 0;
}

int log_file_open(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, FILE_MODE);
    if (fd < 0)
        return -errno;
    return fd;
}
