/* report.c: see report.h. */
#include "proc/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    RECORD_MAX = sizeof(struct report_thread) + (REPORT_TEXTS - 1) * REPORT_TEXT_MAX + REPORT_TRACE_MAX,
    REPORT_MAX = 32 << 20, /* bytes of a report: 20,000 threads with lines of a kilobyte and more have room */
};

_Static_assert((size_t)RECORD_MAX <= REPORT_ROOM, "a record fits into the room of a writer");
_Static_assert(REPORT_TRACE_MAX <= UINT16_MAX, "and its lengths into theirs");

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* ---- writing ---- */

struct report_writer *report_begin(void)
{
    struct report_writer *writer = malloc(sizeof *writer);
    if (!writer)
        return NULL;
    writer->fd = memfd_create("tern report", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (writer->fd < 0) {
        free(writer);
        return NULL;
    }
    writer->error = 0;
    writer->size = sizeof(struct report_head);
    writer->o = out_on(writer->room, sizeof writer->room);
    return writer;
}

static int write_all(int fd, const char *bytes, size_t n, size_t at)
{
    while (n) {
        ssize_t wrote = pwrite(fd, bytes, n, (off_t)at);
        if (wrote < 0 && errno != EINTR)
            return -errno;
        size_t done = wrote > 0 ? (size_t)wrote : 0;
        bytes += done;
        at += done;
        n -= done;
    }
    return 0;
}

static void flush(struct report_writer *writer)
{
    struct str bytes = out_str(&writer->o);
    if (!writer->error)
        writer->error = write_all(writer->fd, bytes.p, bytes.n, writer->size);
    writer->size += bytes.n;
    writer->o = out_on(writer->room, sizeof writer->room);
}

void report_add(struct report_writer *writer, const struct report_thread *thread,
                const struct str texts[static REPORT_TEXTS])
{
    struct report_thread record = *thread;
    if (writer->size + out_len(&writer->o) + RECORD_MAX > REPORT_MAX)
        return;
    if (out_room(&writer->o) < RECORD_MAX)
        flush(writer);
    for (size_t i = 0; i < REPORT_TEXTS; i++) {
        size_t most = i == REPORT_TRACE ? REPORT_TRACE_MAX : REPORT_TEXT_MAX;
        record.lengths[i] = (uint16_t)(texts[i].n < most ? texts[i].n : most);
    }
    out_bytes(&writer->o, &record, sizeof record);
    for (size_t i = 0; i < REPORT_TEXTS; i++)
        out_put(&writer->o, (struct str){texts[i].p, record.lengths[i]});
}

int report_end(struct report_writer *writer, const struct report_head *head)
{
    flush(writer);
    int fd = writer->fd, error = writer->error;
    if (!error)
        error = write_all(fd, (const char *)head, sizeof *head, 0);
    if (!error && fcntl(fd, F_ADD_SEALS, SEALS) < 0)
        error = -errno;
    free(writer);
    if (error)
        close(fd);
    return error ? error : fd;
}

/* ---- reading ---- */

/* Takes n bytes off the front of *rest; false: there are fewer. */
static bool take(struct str *rest, size_t n, struct str *taken)
{
    if (rest->n < n)
        return false;
    *taken = (struct str){rest->p, n};
    *rest = str_skip(*rest, n);
    return true;
}

static bool is_good(const struct report_thread *thread)
{
    return thread->number && thread->standing <= GREEN_STANDS_RUNNING && thread->wait < GREEN_WAITS_COUNT &&
           thread->cancelled <= 1;
}

static bool take_entry(struct str *rest, struct report_entry *entry)
{
    struct str record;
    if (!take(rest, sizeof entry->thread, &record))
        return false;
    memcpy(&entry->thread, record.p, sizeof entry->thread);
    bool good = is_good(&entry->thread);
    for (size_t i = 0; i < REPORT_TEXTS && good; i++)
        good = take(rest, entry->thread.lengths[i], &entry->texts[i]);
    return good;
}

static bool check(struct report *report)
{
    struct str rest = {report->bytes, report->n}, head;
    struct report_entry entry;
    if (!take(&rest, sizeof report->head, &head))
        return false;
    memcpy(&report->head, head.p, sizeof report->head);
    bool good = report->head.outcome < REPORT_OUTCOMES;
    for (report->count = 0; good && rest.n; report->count += good)
        good = take_entry(&rest, &entry);
    return good;
}

/* Only files in memory can be sealed: so there is no disk, pipe or other process behind it that might keep us waiting,
 * and it stays as it is. */
static int size_of(int fd, size_t *size)
{
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) < 0)
        return -EBADMSG;
    *size = (size_t)st.st_size;
    return st.st_size > REPORT_MAX ? -EFBIG : 0;
}

static int read_all(int fd, char *bytes, size_t n)
{
    size_t at = 0;
    while (at < n) {
        ssize_t got = pread(fd, bytes + at, n - at, (off_t)at);
        if (got == 0 || (got < 0 && errno != EINTR))
            return -EBADMSG;
        at += got > 0 ? (size_t)got : 0;
    }
    return 0;
}

int report_read(struct report *report, int fd)
{
    *report = (struct report){.bytes = NULL};
    int error = size_of(fd, &report->n);
    if (error)
        return error;
    report->bytes = malloc(report->n + 1);
    if (!report->bytes)
        return -ENOMEM;
    error = read_all(fd, report->bytes, report->n);
    if (!error && !check(report))
        error = -EBADMSG;
    if (error)
        report_free(report);
    return error;
}

bool report_next(const struct report *report, size_t *at, struct report_entry *entry)
{
    size_t start = *at ? *at : sizeof(struct report_head);
    if (!report->bytes || start >= report->n)
        return false;
    struct str rest = {report->bytes + start, report->n - start};
    bool found = take_entry(&rest, entry);
    *at = report->n - rest.n;
    return found;
}

void report_free(struct report *report)
{
    free(report->bytes);
    *report = (struct report){.bytes = NULL};
}
