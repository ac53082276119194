/* pidfile.h: a file that says which process the master is, for those who want one.
 *
 * It is information, not a lock: numbers of processes are used again, so one that was left behind must not keep a
 * server from starting, and the control socket tells better whether another one runs. So an old pid file is replaced,
 * whatever process it names; a file that is none is left alone, since it is there by mistake.
 */
#ifndef TERN_PROC_PIDFILE_H
#define TERN_PROC_PIDFILE_H

#include <sys/types.h>

/* Writes the id of this process and a newline, with mode 0644. A reader sees the old file or the whole new one. 0 or
 * -errno; -EEXIST: the file there is no pid file. */
int pidfile_write(const char *path) __attribute__((warn_unused_result));

/* Whether it could be written, as far as that can be told before: so that a server does not start in vain. As above. */
int pidfile_try(const char *path) __attribute__((warn_unused_result));

/* The process that a file names, or -errno; -EINVAL: it is no pid file. */
pid_t pidfile_read(const char *path) __attribute__((warn_unused_result));

/* Removes the file, unless it names another process by now. */
void pidfile_remove(const char *path);

#endif
