/* file.h: the files that logs are appended to. */
#ifndef TERN_LOG_FILE_H
#define TERN_LOG_FILE_H

#include "base/str.h"

#include <limits.h>

/* A path for the kernel, with its NUL. 0 or -ENAMETOOLONG. */
int log_file_path(char to[static PATH_MAX], struct str path) __attribute__((warn_unused_result));

/* Opens a file for appending, and creates it if need be, for its owner and group. A write never waits for the reader
 * of a FIFO; one that has none is refused. -ELOOP: the path is a symbolic link that neither root nor we have made. A
 * descriptor or -errno. */
int log_file_open(const char *path) __attribute__((warn_unused_result));

/* Puts a new descriptor in the place of an open one, which keeps its number: other threads may be writing to it
 * meanwhile, and lose nothing. The new number is closed. 0 or -errno; then both are what they were. */
int log_file_replace(int fd, int next) __attribute__((warn_unused_result));

/* Opens the file at `path` in the place of `fd`. One that has to be created gets mode and owner of the old one, as far
 * as that is permitted. 0 or -errno; then `fd` is what it was. */
int log_file_reopen(const char *path, int fd) __attribute__((warn_unused_result));

#endif
