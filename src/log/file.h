/* file.h: the files that logs are appended to. */
#ifndef TERN_LOG_FILE_H
#define TERN_LOG_FILE_H

#include "base/str.h"

#include <limits.h>

/* A path for the kernel, with its NUL. 0 or -ENAMETOOLONG. */
int log_file_path(char to[static PATH_MAX], struct str path) __attribute__((warn_unused_result));

/* Opens a file for appending, and creates it if need be, for its owner and group. A write never waits for the reader
 * of a FIFO; one that has none is refused. A descriptor or -errno. */
int log_file_open(const char *path) __attribute__((warn_unused_result));

#endif
