/* access.c: see access.h.
 *
 * A format is compiled to a row of pieces, each a text and the field that follows it, and a line is made by walking
 * that row, right into the buffer. What does not fit is made again once the buffer has been written or emptied.
 */
#include "log/access.h"

#include "log/escape.h"
#include "log/file.h"
#include "log/log.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    FIELD_MAX = 8 * 1024, /* of a line, for one field, so that a line fits into the buffer whatever a peer sends */
    FIELDS = 7,           /* that may be so long */
    REST_MAX = 1024,      /* of a line, for everything else */
};

_Static_assert(FIELDS *(FIELD_MAX + 3) + REST_MAX <= ACCESS_BUFFER_MIN, "a line must fit into an empty buffer");

enum field { END, CLIENT, USER, TIME, REQUEST, STATUS, BYTES, REFERER, USER_AGENT };

struct piece {
    struct str text;
    enum field field; /* END ends the row */
};

struct access_log {
    const struct piece *format;
    int fd;
    bool failing;    /* the last write did, and this has been said */
    bool cut;        /* the buffer begins inside a line, whose start has been written */
    uint64_t lost;   /* lines */
    int64_t second;  /* the one that `time` tells */
    struct str time; /* in time_text */
    char time_text[32];
    char path[PATH_MAX];
    size_t used, size;
    char buffer[];
};

static const struct piece combined[] = {
    {STR_INIT(""), CLIENT},      {STR_INIT(" - "), USER},         {STR_INIT(" ["), TIME},
    {STR_INIT("] \""), REQUEST}, {STR_INIT("\" "), STATUS},       {STR_INIT(" "), BYTES},
    {STR_INIT(" \""), REFERER},  {STR_INIT("\" \""), USER_AGENT}, {STR_INIT("\"\n"), END},
};

static const struct format {
    struct str name;
    const struct piece *pieces;
} formats[] = {
    {STR_INIT("combined"), combined},
};

static const struct piece *find_format(struct str name)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (str_eq(formats[i].name, name))
            return formats[i].pieces;
    return NULL;
}

int access_open(struct access_log **opened, struct str path, struct str format, size_t size)
{
    const struct piece *pieces = find_format(format);
    if (!pieces || size < ACCESS_BUFFER_MIN)
        return -EINVAL;
    struct access_log *log = calloc(1, sizeof *log + size);
    if (!log)
        return -ENOMEM;
    log->size = size;
    log->format = pieces;
    log->second = INT64_MIN;
    int error = log_file_path(log->path, path);
    if (error)
        goto free_log;
    log->fd = log_file_open(log->path);
    if (log->fd < 0) {
        error = log->fd;
        goto free_log;
    }
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

bool access_pending(const struct access_log *log)
{
    return log->used > 0;
}

uint64_t access_lost(const struct access_log *log)
{
    return log->lost;
}

static void put_text(struct out *o, struct str s)
{
    if (s.n == 0) {
        out_char(o, '-');
        return;
    }
    size_t room = out_room(o), max = room < FIELD_MAX ? room : FIELD_MAX;
    struct out field = out_on(o->at, max);
    log_escape(&field, s, true);
    o->at = field.at;
    if (field.full && room < FIELD_MAX)
        o->full = true;
    else if (field.full)
        out_text(o, "...");
}

/* The request line as far as it is known. */
static void put_request(struct out *o, const struct access_entry *entry)
{
    const struct str words[] = {entry->method, entry->target, entry->version};
    bool any = false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (words[i].n == 0)
            continue;
        if (any)
            out_char(o, ' ');
        put_text(o, words[i]);
        any = true;
    }
    if (!any)
        out_char(o, '-');
}

static void put_field(struct out *o, enum field field, const struct access_log *log, const struct access_entry *entry)
{
    switch (field) {
    case END:
        break;
    case CLIENT:
        put_text(o, entry->client);
        break;
    case USER:
        put_text(o, entry->user);
        break;
    case TIME:
        out_put(o, log->time);
        break;
    case REQUEST:
        put_request(o, entry);
        break;
    case STATUS:
        out_u64(o, entry->status);
        break;
    case BYTES:
        out_u64(o, entry->bytes);
        break;
    case REFERER:
        put_text(o, entry->referer);
        break;
    case USER_AGENT:
        put_text(o, entry->user_agent);
        break;
    }
}

/* Local time is asked for once a second. */
static void tell_time(struct access_log *log, int64_t second)
{
    struct tm tm;
    time_t t = (time_t)second;
    size_t n = 0;
    if (localtime_r(&t, &tm))
        n = strftime(log->time_text, sizeof log->time_text, "%d/%b/%Y:%H:%M:%S %z", &tm);
    log->time = (struct str){log->time_text, n};
    log->second = second;
}

/* Whether the line did fit; if not, nothing has changed. */
static bool add_line(struct access_log *log, const struct access_entry *entry)
{
    struct out o = out_on(log->buffer + log->used, log->size - log->used);
    const struct piece *piece = log->format;
    do {
        out_put(&o, piece->text);
        put_field(&o, piece->field, log, entry);
    } while (piece++->field != END);
    if (o.full)
        return false;
    log->used += out_len(&o);
    return true;
}

/* Said once, until a write succeeds. */
static void complain(struct access_log *log, const char *reason)
{
    if (log->failing)
        return;
    log->failing = true;
    log_limited(LOG_LEVEL_ERROR, "access log %s: %s; lines may be lost", log->path, reason);
}

static void take_written(struct access_log *log, size_t n)
{
    log->cut = log->buffer[n - 1] != '\n';
    log->used -= n;
    memmove(log->buffer, log->buffer + n, log->used);
    if (!log->failing)
        return;
    log->failing = false;
    log_limited(LOG_LEVEL_NOTICE, "access log %s: can be written again; lines lost since the start: %llu", log->path,
                (unsigned long long)log->lost);
}

void access_flush(struct access_log *log)
{
    while (log->used > 0) {
        ssize_t n = write(log->fd, log->buffer, log->used);
        if (n <= 0) {
            if (n < 0 && errno != EAGAIN)
                complain(log, strerror(errno));
            return;
        }
        take_written(log, (size_t)n);
    }
}

/* Empties the buffer, except for the end of a line whose start has been written. */
static void drop_lines(struct access_log *log)
{
    struct str lines = {log->buffer, log->used};
    if (log->cut)
        str_cut(&lines, '\n');
    log->used -= lines.n;
    while (lines.n > 0) {
        str_cut(&lines, '\n');
        log->lost++;
    }
    complain(log, "nobody reads it fast enough");
}

int access_reopen(struct access_log *log)
{
    return log_file_reopen(log->path, log->fd);
}

int access_fd(const struct access_log *log)
{
    return log->fd;
}

void access_take(struct access_log *log, int fd)
{
    access_flush(log);
    if (log_file_replace(log->fd, fd) < 0)
        close(fd);
}

void access_write(struct access_log *log, const struct access_entry *entry)
{
    if (entry->time != log->second)
        tell_time(log, entry->time);
    if (add_line(log, entry))
        return;
    access_flush(log);
    if (add_line(log, entry))
        return;
    drop_lines(log);
    if (!add_line(log, entry))
        log->lost++; /* the end of a long line, and a long line, do not fit together */
}
