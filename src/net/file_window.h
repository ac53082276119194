/* file_window.h: files that are sent a window at a time, each in memory before it is.
 *
 * sendfile() would wait for the disk, and all green threads with it: so the pool reads what the kernel has not got in
 * its caches yet.
 */
#ifndef TERN_NET_FILE_WINDOW_H
#define TERN_NET_FILE_WINDOW_H

#include "green/green.h"

#include <sys/types.h>

enum { FILE_WINDOW = 1 << 20 }; /* bytes that are worth a look: of a larger file, a window */

/* Makes sure that the kernel has n bytes of a file from `at` on, unless the pool is too busy: better a short stall than
 * a broken answer. 0 or -ECANCELED. */
int file_warm(int fd, off_t at, size_t n) GREEN_WAITS;

#endif
