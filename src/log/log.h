/* log.h: the error log: one line for each thing worth knowing, written at once.
 *
 * A line is one write(2), so lines of several processes never mix: "2026-11-22 23:45:24.123 warn [pid] text" in a
 * file and on a terminal, "<4>text" when stderr is the journal, which knows the rest, and a datagram of RFC 3164
 * for syslog. It is printable ASCII, everything else comes out as \xHH, so that no peer can forge a line or speak to
 * a terminal. A long line is cut, and ends in "...".
 *
 * Logging never fails, never waits, and leaves errno alone: a line that can't be written now is counted, and the next
 * one that can be says how many were lost. Before log_open() lines go to stderr, from notice upwards. Any thread may
 * log; log_open() is for a moment when no other does.
 */
#ifndef TERN_LOG_LOG_H
#define TERN_LOG_LOG_H

#include "base/clock.h"
#include "base/str.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_NOTICE, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

/* "debug", "info", "notice", "warn", "error", by enum log_level; then NULL. */
extern const char *const log_level_names[];

/* What is below this level is not written, and costs one comparison. */
extern enum log_level log_threshold;

/* Sends the log to `stderr`, to `syslog` (or `syslog:PATH`, another socket than /dev/log), or to the end of the
 * file of any other name. 0 or -errno; then the log is where it was. */
int log_open(struct str target, enum log_level threshold) __attribute__((warn_unused_result));

/* Opens a file of the same name anew, and goes on there: for after a rotation. One that has to be created gets mode and
 * owner of the old one. The switch is atomic: no line is lost, whoever is logging meanwhile. 0, also when the log is no
 * file, or -errno; then the log is where it was. */
int log_reopen(void) __attribute__((warn_unused_result));

/* The file that is written to, to be handed to another process; -1: the log is no file. */
int log_fd(void) __attribute__((pure));

/* Where lines go, whatever that is: for who closes every other descriptor. */
int log_target(void) __attribute__((pure));

/* Goes on in another open file, whose descriptor is closed: the log keeps its number. 0; -EBADF: the log is no file;
 * -errno. Then the descriptor stays the caller's. */
int log_take(int fd) __attribute__((warn_unused_result));

/* Writes a line, whatever the threshold. The format needs no newline. */
void log_at(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_if(level, ...)                                                                                             \
    do {                                                                                                               \
        if ((level) >= log_threshold)                                                                                  \
            log_at((level), __VA_ARGS__);                                                                              \
    } while (0)

#define log_debug(...) log_if(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...) log_if(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_notice(...) log_if(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_warn(...) log_if(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_error(...) log_if(LOG_LEVEL_ERROR, __VA_ARGS__)

/* For what a peer can cause as often as it likes: at most one line a second from one place in the program. The next
 * line says how many were suppressed. */
struct log_limit {
    nsec open_at; /* when a line may be written again */
    uint64_t suppressed;
};

void log_limited_at(struct log_limit *limit, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_limited(level, ...)                                                                                        \
    do {                                                                                                               \
        static struct log_limit log_limit_here;                                                                        \
        if ((level) >= log_threshold)                                                                                  \
            log_limited_at(&log_limit_here, (level), __VA_ARGS__);                                                     \
    } while (0)

#endif
