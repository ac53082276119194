/* access_format.h: what a line of the access log says.
 *
 * A format is one of the words `combined` and `json`, or a text with variables in the style of Apache's
 * mod_log_config:
 *
 *     %h "%r" %>s %B %{Referer}i %D
 *
 * It is compiled once, while the configuration is read, to a row of pieces: a text, and the variable that follows it.
 * A line is made by walking that row.
 *
 * In a line of text a value that is not known, or empty, is "-", and bytes that are not printable ASCII, quotes and
 * backslashes come out as \xHH. In JSON it is null, and a line is valid JSON whatever a peer sends. A value longer than
 * 8 KiB is cut, and ends in "..."; sooner, if there are so many of them that a line would not fit into a buffer.
 */
#ifndef TERN_LOG_ACCESS_FORMAT_H
#define TERN_LOG_ACCESS_FORMAT_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/out.h"

enum { ACCESS_LINE_MAX = 64 * 1024 }; /* bytes, with the newline: no line of any format is longer */

struct access_format;

/* Where the time of a request went. What is left of the total it waited for something else. */
struct access_times {
    nsec total;
    nsec header;   /* from its first byte to the end of its head */
    nsec queue;    /* ready to run, while others ran */
    nsec cpu;      /* running, system calls included */
    nsec pool;     /* waiting for the blocking pool */
    nsec upstream; /* waiting for any other descriptor than its connection's */
    nsec client;   /* waiting for its connection: for content, or for room to send */
};

/* What is known of a request. What is only filled in when a format needs it says so. */
struct access_entry {
    int64_t time;           /* when it ended, in seconds since 1970 ... */
    unsigned ms;            /* ... and milliseconds; ACCESS_NEEDS_MS */
    struct str client;      /* address, without its port */
    struct str user;        /* as authenticated */
    struct str line;        /* its first line, as it was sent */
    struct str host;        /* that it is for, without a port */
    unsigned port;          /* of ours; 0: none. ACCESS_NEEDS_PORT */
    unsigned status;        /* 0: none was sent */
    uint64_t bytes;         /* of content that were sent */
    struct str reason;      /* why it was refused or cut */
    struct str tls_version; /* of a connection that is secured, as are the next three; empty: it is not */
    struct str tls_cipher;
    struct str tls_name;       /* that the client asked for (SNI) */
    struct str tls_subject;    /* of the client's certificate */
    struct access_times times; /* ACCESS_NEEDS_TIMES */
    const void *request;       /* what `field` is given */

    /* The value of a field of the request; empty when there is none. */
    struct str (*field)(const void *request, struct str name);
};

enum access_needs { ACCESS_NEEDS_MS = 1, ACCESS_NEEDS_PORT = 2, ACCESS_NEEDS_TIMES = 4 };

/* Compiles a format, into the arena. `text` must live as long. 0; -EINVAL: it has a variable that does not exist, which
 * *wrong is then; -ENOMSG: it is no word that is known, and has no variable; -EBADMSG: it has control characters other
 * than tabs; -E2BIG: it has too much of everything for a line; -ENOMEM. */
int access_format_compile(const struct access_format **format, struct arena *arena, struct str text, struct str *wrong)
    __attribute__((warn_unused_result));

/* Writes all variables that exist, for a message: "%% %a %b ...". */
void access_format_variables(struct out *o);

/* What an entry for this format has to have: a set of enum access_needs. */
unsigned access_format_needs(const struct access_format *format) __attribute__((pure));

/* The present second as text: asked for once a second. A new one is {.second = INT64_MIN}. */
struct access_clock {
    int64_t second;
    struct str local, utc; /* in `text`: 22/Nov/2026:12:00:00 +0000, 2026-11-22T12:00:00 */
    char text[2][32];
};

/* Writes a line; o->full: it did not fit. */
void access_format_write(const struct access_format *format, struct access_clock *clock,
                         const struct access_entry *entry, struct out *o);

#endif
