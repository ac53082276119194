/* access.h: the access log: a line for each request, many lines in one write.
 *
 * Lines gather in a buffer, which is written when it is full, when the caller's clock says so (access_flush()), and
 * at the end. A line that can't be written stays in the buffer until its room is needed; then it is dropped and
 * counted, and the error log says so, at most once a second. Nothing here ever fails or waits for a request's sake.
 *
 * A log belongs to one thread. A worker inherits its master's open log, with an empty buffer, over fork().
 */
#ifndef TERN_LOG_ACCESS_H
#define TERN_LOG_ACCESS_H

#include "base/str.h"

struct access_log;

/* What a line tells. A field that is empty is written as "-". Bytes that are not printable ASCII, quotes and
 * backslashes come out as \xHH; a field longer than 8 KiB is cut. */
struct access_entry {
    int64_t time;       /* when the request ended, in seconds since 1970 */
    struct str client;  /* address, without its port */
    struct str user;    /* as authenticated */
    struct str method;  /* of a request that could not be parsed, method and version are empty ... */
    struct str target;  /* ... and this is its first line */
    struct str version; /* "HTTP/1.1" */
    struct str referer;
    struct str user_agent;
    unsigned status;
    uint64_t bytes; /* of the content that was sent */
};

enum { ACCESS_BUFFER_MIN = 64 * 1024 }; /* bytes of a buffer: the longest line must fit into it */

/* Opens a log at the end of the file at `path`, which is created if need be. `format` is a word: combined. `buffer`:
 * bytes that may gather. 0, -EINVAL for a format nobody knows, -ENOMEM, or what open() failed with. */
int access_open(struct access_log **log, struct str path, struct str format, size_t buffer)
    __attribute__((warn_unused_result));

/* Adds a line. */
void access_write(struct access_log *log, const struct access_entry *entry);

/* Writes what has gathered, as far as that is possible without waiting. */
void access_flush(struct access_log *log);

/* Whether lines are waiting to be written. */
bool access_pending(const struct access_log *log);

/* Lines lost since the log was opened. */
uint64_t access_lost(const struct access_log *log);

/* Opens a file of the same name anew, and goes on there. 0 or -errno; then the log is where it was. */
int access_reopen(struct access_log *log) __attribute__((warn_unused_result));

/* The file that is written to. */
int access_fd(const struct access_log *log) __attribute__((pure));

/* Goes on in another open file, after writing what has gathered to the old one. `fd` is closed in any case. */
void access_take(struct access_log *log, int fd);

/* Flushes and ends a log; NULL is none. */
void access_close(struct access_log *log);

#endif
