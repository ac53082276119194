/* access.c: see access.h. A line is made right in the buffer. What does not fit is made again once the buffer has been
 * written or emptied. */
#include "log/access.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/file.h"
#include "log/log.h"

#define COMPLAINT_PERIOD (60 * NSEC_SEC)

struct access_log {
    const struct access_format *format;
    int fd;
    bool pipe;        /* rather than a file */
    bool cut;         /* the buffer begins inside a line, whose start has been written */
    bool complained;  /* since the last write that succeeded */
    nsec complain_at; /* when that may be done again */
    uint64_t lost;    /* lines */
    struct access_clock clock;
    char path[PATH_MAX];
    size_t used, size;
    char buffer[];
};

static bool is_pipe(int fd)
{
    struct stat info;
    return fstat(fd, &info) == 0 && S_ISFIFO(info.st_mode);
}

int access_open(struct access_log **opened, struct str path, const struct access_format *format, size_t size)
{
    if (size < ACCESS_BUFFER_MIN)
        return -EINVAL;
    struct access_log *log = calloc(1, sizeof *log + size);
    if (!log)
        return -ENOMEM;
    log->size = size;
    log->format = format;
    log->clock.second = INT64_MIN;
    int error = log_file_path(log->path, path);
    if (error)
        goto free_log;
    log->fd = log_file_open(log->path);
    if (log->fd < 0) {
        error = log->fd;
        goto free_log;
    }
    log->pipe = is_pipe(log->fd);
    tzset();
    *opened = log;
    return 0;

free_log:
    free(log);
    return error;
}

void access_close(struct access_log *log)
{
    if (!log)
        return;
    access_flush(log);
    close(log->fd);
    free(log);
}

unsigned access_needs(const struct access_log *log)
{
    return access_format_needs(log->format);
}

bool access_pending(const struct access_log *log)
{
    return log->used > 0;
}

uint64_t access_lost(const struct access_log *log)
{
    return log->lost;
}

/* ---- writing ---- */

/* Whatever is wrong, it stays so for longer than a line takes: one complaint a minute is enough. */
static void complain(struct access_log *log, const char *reason)
{
    nsec now = clock_read(CLOCK_MONOTONIC_COARSE);
    if (now < log->complain_at)
        return;
    log->complain_at = now + COMPLAINT_PERIOD;
    log->complained = true;
    log_error("access log %s: %s; lines that find no room in its buffer are lost: %llu since the start", log->path,
              reason, (unsigned long long)log->lost);
}

static void take_written(struct access_log *log, size_t n)
{
    log->cut = log->buffer[n - 1] != '\n';
    log->used -= n;
    memmove(log->buffer, log->buffer + n, log->used);
    if (!log->complained)
        return;
    log->complained = false;
    log_notice("access log %s: can be written again; lines lost since the start: %llu", log->path,
               (unsigned long long)log->lost);
}

/* What goes out at once. A pipe takes a little at a time, and other workers write to it as well: only pieces that it
 * takes whole, and that end with a line, keep their lines apart. */
static size_t next_piece(const struct access_log *log)
{
    size_t n = log->used;
    if (!log->pipe || n <= PIPE_BUF)
        return n;
    const char *end = memrchr(log->buffer, '\n', PIPE_BUF);
    if (!end)
        end = memchr(log->buffer, '\n', n);
    return end ? (size_t)(end + 1 - log->buffer) : n;
}

void access_flush(struct access_log *log)
{
    while (log->used > 0) {
        ssize_t n = write(log->fd, log->buffer, next_piece(log));
        if (n <= 0) {
            if (n < 0 && errno != EAGAIN)
                complain(log, strerror(errno));
            return;
        }
        take_written(log, (size_t)n);
    }
}

/* How much of the buffer is the end of a line whose start has been written. */
static size_t cut_length(const struct access_log *log)
{
    struct str rest = {log->buffer, log->used};
    if (log->cut)
        str_cut(&rest, '\n');
    return log->used - rest.n;
}

/* Empties the buffer, except for the end of a line whose start has been written. */
static void drop_lines(struct access_log *log)
{
    size_t kept = cut_length(log);
    struct str lines = {log->buffer + kept, log->used - kept};
    log->used = kept;
    while (lines.n > 0) {
        str_cut(&lines, '\n');
        log->lost++;
    }
    complain(log, "nobody reads it fast enough");
}

/* Whether the line did fit; if not, nothing has changed. */
static bool add_line(struct access_log *log, const struct access_entry *entry)
{
    struct out o = out_on(log->buffer + log->used, log->size - log->used);
    access_format_write(log->format, &log->clock, entry, &o);
    if (o.full)
        return false;
    log->used += out_len(&o);
    return true;
}

void access_write(struct access_log *log, const struct access_entry *entry)
{
    if (add_line(log, entry))
        return;
    access_flush(log);
    if (add_line(log, entry))
        return;
    drop_lines(log);
    if (!add_line(log, entry))
        log->lost++; /* the end of a long line, and a long line, do not fit together */
}

/* ---- another file ---- */

int access_fd(const struct access_log *log)
{
    return log->fd;
}

int access_reopen(struct access_log *log)
{
    int error = log_file_reopen(log->path, log->fd);
    log->pipe = is_pipe(log->fd);
    return error;
}

static void forget_cut_line(struct access_log *log)
{
    size_t n = cut_length(log);
    if (n == 0)
        return;
    log->lost++;
    log->cut = false;
    log->used -= n;
    memmove(log->buffer, log->buffer + n, log->used);
}

void access_take(struct access_log *log, int fd)
{
    access_flush(log);
    int error = log_file_replace(log->fd, fd);
    if (error) {
        log_error("access log %s: the new file cannot be taken: %s", log->path, strerror(-error));
        close(fd);
        return;
    }
    log->pipe = is_pipe(log->fd);
    forget_cut_line(log);
}
