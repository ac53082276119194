/* log.c: see log.h.
 *
 * A line is made on the caller's stack and goes out in one write, so threads and processes need no lock. Whether that
 * write would wait is asked before: stderr may be a pipe that others share, and must not become non-blocking for them.
 */
#include "log/log.h"

#include "log/escape.h"
#include "log/file.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    LINE_SIZE = 2048,       /* with its newline; less than what a pipe takes whole */
    END_SIZE = 64,          /* of it, for what is said behind the text */
    SYSLOG_DAEMON = 3 << 3, /* a facility of RFC 3164 */
};

enum kind { STREAM, JOURNAL, SYSLOG };

struct target {
    enum kind kind;
    int fd;
    char path[PATH_MAX];       /* of a file; else empty */
    struct sockaddr_un socket; /* of syslog */
};

enum log_level log_threshold = LOG_LEVEL_NOTICE;

const char *const log_level_names[] = {"debug", "info", "notice", "warn", "error", NULL};

/* By level, as RFC 3164 and the journal count them. */
static const unsigned severities[] = {7, 6, 5, 4, 3};

static struct target target = {.kind = STREAM, .fd = STDERR_FILENO};
static uint64_t lost; /* lines since the last one that was written */

/* $JOURNAL_STREAM says which device and inode the journal's end of stderr is (systemd.exec(5)). */
static bool stderr_is_journal(void)
{
    struct str inode = str_of(getenv("JOURNAL_STREAM")), device = str_cut(&inode, ':');
    uint64_t dev, ino;
    struct stat info;
    return str_to_u64(device, &dev) == 0 && str_to_u64(inode, &ino) == 0 && fstat(STDERR_FILENO, &info) == 0 &&
           info.st_dev == dev && info.st_ino == ino;
}

static int open_file(struct target *t, struct str path)
{
    int error = log_file_path(t->path, path);
    if (error)
        return error;
    t->fd = log_file_open(t->path);
    return t->fd < 0 ? t->fd : 0;
}

static int open_syslog(struct target *t, struct str path)
{
    t->kind = SYSLOG;
    t->socket.sun_family = AF_UNIX;
    if (path.n >= sizeof t->socket.sun_path)
        return -ENAMETOOLONG;
    memcpy(t->socket.sun_path, path.p, path.n);
    t->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (t->fd < 0)
        return -errno;
    /* Only to learn whether somebody listens: each line names the address again, and so finds syslog's successor. */
    if (connect(t->fd, (const struct sockaddr *)&t->socket, sizeof t->socket) == 0)
        return 0;
    int error = -errno;
    close(t->fd);
    return error;
}

static int open_target(struct target *t, struct str name)
{
    *t = (struct target){.kind = STREAM, .fd = STDERR_FILENO};
    if (str_eq(name, STR("stderr"))) {
        t->kind = stderr_is_journal() ? JOURNAL : STREAM;
        return 0;
    }
    struct str path = name, word = str_cut(&path, ':');
    if (str_eq(word, STR("syslog")))
        return open_syslog(t, path.n ? path : STR("/dev/log"));
    return open_file(t, name);
}

int log_open(struct str name, enum log_level threshold)
{
    struct target next;
    int error = open_target(&next, name);
    if (error)
        return error;
    if (target.fd != STDERR_FILENO)
        close(target.fd);
    target = next;
    log_threshold = threshold;
    tzset(); /* now, rather than in the first line of a process that may see no /etc/localtime any more */
    return 0;
}

int log_reopen(void)
{
    return target.path[0] ? log_file_reopen(target.path, target.fd) : 0;
}

int log_fd(void)
{
    return target.path[0] ? target.fd : -1;
}

int log_target(void)
{
    return target.fd;
}

int log_take(int fd)
{
    return target.path[0] ? log_file_replace(target.fd, fd) : -EBADF;
}

static void put_time(struct out *o, const char *format, const struct timespec *now)
{
    char text[32];
    struct tm tm;
    size_t n = localtime_r(&now->tv_sec, &tm) ? strftime(text, sizeof text, format, &tm) : 0;
    out_bytes(o, text, n);
}

static void put_prefix(struct out *o, enum log_level level)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    switch (target.kind) {
    case STREAM:
        put_time(o, "%Y-%m-%d %H:%M:%S.", &now);
        out_digits(o, (unsigned)(now.tv_nsec / NSEC_MS), 3);
        out_char(o, ' ');
        out_put(o, str_of(log_level_names[level]));
        out_text(o, " [");
        out_u64(o, (uint64_t)getpid());
        out_text(o, "] ");
        break;
    case JOURNAL:
        out_char(o, '<');
        out_u64(o, severities[level]);
        out_char(o, '>');
        break;
    case SYSLOG:
        out_char(o, '<');
        out_u64(o, SYSLOG_DAEMON | severities[level]);
        out_char(o, '>');
        put_time(o, "%b %e %H:%M:%S", &now);
        out_text(o, " tern[");
        out_u64(o, (uint64_t)getpid());
        out_text(o, "]: ");
        break;
    }
}

/* Writes it whole and without waiting, or says no. A pipe that nobody reads any more has POLLERR. */
static bool send_line(struct str line)
{
    if (target.kind == SYSLOG)
        return sendto(target.fd, line.p, line.n, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&target.socket,
                      sizeof target.socket) >= 0;
    struct pollfd p = {.fd = target.fd, .events = POLLOUT};
    return poll(&p, 1, 0) == 1 && p.revents == POLLOUT && write(target.fd, line.p, line.n) == (ssize_t)line.n;
}

static bool write_line(enum log_level level, struct str text, uint64_t suppressed)
{
    char line[LINE_SIZE];
    struct out o = out_on(line, sizeof line - END_SIZE);
    put_prefix(&o, level);
    log_escape(&o, text, false);
    struct out end = out_on(o.at, (size_t)(line + sizeof line - o.at));
    if (o.full)
        out_text(&end, "...");
    if (suppressed) {
        out_text(&end, " (and ");
        out_u64(&end, suppressed);
        out_text(&end, " more like it before)");
    }
    if (target.kind != SYSLOG)
        out_char(&end, '\n');
    return send_line(str_range(line, end.at));
}

/* The level of the news about lost lines is that of an error: something is wrong with the log. */
static void write_or_count(enum log_level level, struct str text, uint64_t suppressed)
{
    uint64_t before = __atomic_exchange_n(&lost, 0, __ATOMIC_RELAXED);
    char news[64];
    if (before) {
        snprintf(news, sizeof news, "lines of this log lost: %llu", (unsigned long long)before);
        if (write_line(LOG_LEVEL_ERROR, str_of(news), 0))
            before = 0;
    }
    if (before || !write_line(level, text, suppressed))
        __atomic_add_fetch(&lost, before + 1, __ATOMIC_RELAXED);
}

static void write_format(enum log_level level, uint64_t suppressed, const char *format, va_list args)
{
    int saved = errno;
    char text[LINE_SIZE];
    int n = vsnprintf(text, sizeof text, format, args);
    if (n >= (int)sizeof text)
        n = sizeof text - 1;
    if (n >= 0)
        write_or_count(level, (struct str){text, (size_t)n}, suppressed);
    errno = saved;
}

void log_at(enum log_level level, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_format(level, 0, format, args);
    va_end(args);
}

/* Whether a line may be written now. Of several threads that ask at the same moment, one may. */
static bool limit_opens(struct log_limit *limit)
{
    nsec now = clock_read(CLOCK_MONOTONIC_COARSE), open_at = __atomic_load_n(&limit->open_at, __ATOMIC_RELAXED);
    return now >= open_at && __atomic_compare_exchange_n(&limit->open_at, &open_at, now + NSEC_SEC, false,
                                                         __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

void log_limited_at(struct log_limit *limit, enum log_level level, const char *format, ...)
{
    if (!limit_opens(limit)) {
        __atomic_add_fetch(&limit->suppressed, 1, __ATOMIC_RELAXED);
        return;
    }
    va_list args;
    va_start(args, format);
    write_format(level, __atomic_exchange_n(&limit->suppressed, 0, __ATOMIC_RELAXED), format, args);
    va_end(args);
}
