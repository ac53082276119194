/* access.h: the access log: a line for each request, many lines in one write.
 *
 * Lines gather in a buffer, which is written when it is full, when the caller's clock says so (access_flush()), and
 * at the end. A line that can't be written stays in the buffer until its room is needed; then it is dropped and
 * counted. The error log says so, at most once a minute, and once more when it is over. Nothing here ever fails or
 * waits for a request's sake. Lines of several workers keep apart, in a pipe too; only where a full disk takes a part
 * of a line, the next one may come from another worker.
 *
 * A log belongs to one thread. A worker inherits its master's open log, with an empty buffer, over fork(). After a
 * rotation the master, which may have rights that its workers lack, opens the file anew (access_reopen()) and hands the
 * descriptor (access_fd()) to each of them (access_take()).
 */
#ifndef TERN_LOG_ACCESS_H
#define TERN_LOG_ACCESS_H

#include "log/access_format.h"

struct access_log;

enum { ACCESS_BUFFER_MIN = ACCESS_LINE_MAX }; /* bytes of a buffer: the longest line must fit into it */

/* Opens a log at the end of the file at `path`, which is created if need be. The format must outlive it. `buffer`:
 * bytes that may gather. 0, -EINVAL for too small a buffer, -ENOMEM, or what open() failed with. */
int access_open(struct access_log **log, struct str path, const struct access_format *format, size_t buffer)
    __attribute__((warn_unused_result));

/* What an entry has to have: a set of enum access_needs. */
unsigned access_needs(const struct access_log *log) __attribute__((pure));

/* Adds a line. */
void access_write(struct access_log *log, const struct access_entry *entry);

/* Writes what has gathered, as far as that is possible without waiting. */
void access_flush(struct access_log *log);

/* Whether lines are waiting to be written. */
bool access_pending(const struct access_log *log);

/* Lines lost since the log was opened. */
uint64_t access_lost(const struct access_log *log);

/* Opens a file of the same name anew, and goes on there. One that has to be created gets mode and owner of the old one.
 * 0 or -errno; then the log is where it was. */
int access_reopen(struct access_log *log) __attribute__((warn_unused_result));

/* The file that is written to. */
int access_fd(const struct access_log *log) __attribute__((pure));

/* Goes on in another open file, after writing what has gathered to the old one, as far as that takes it: a line whose
 * start went there is not continued in the new one. `fd` is closed in any case: the log keeps its number. */
void access_take(struct access_log *log, int fd);

/* Flushes and ends a log; NULL is none. */
void access_close(struct access_log *log);

#endif
