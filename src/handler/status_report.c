/* status_report.c: see status_report.h. */
#include "handler/status_report.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "http/inspect.h"
#include "log/log.h"

enum { REPORT_MAX = 4 * 1024 * 1024, SHARE = 10 /* of the time: one in ... */ };

#define PATIENCE (5 * NSEC_SEC) /* longer than the master has with its workers */
#define PAUSE (900 * NSEC_MS)   /* so that who looks once a second finds it due */
#define PAUSE_MAX (3 * NSEC_SEC)

#define TAIL "\n\n"

struct question {
    struct str line; /* to the master */
    struct str head; /* of the event */
    bool asking;
    nsec due;
    uint64_t count; /* of different answers */
    struct status_report *newest;
};

static struct question questions[STATUS_QUESTIONS] = {
    [STATUS_THREADS] = {.line = STR_INIT("threads sort=age limit=200"), .head = STR_INIT("event: threads\ndata: ")},
    [STATUS_STALLS] = {.line = STR_INIT("stalls"), .head = STR_INIT("event: stalls\ndata: ")},
};

/* ---- answers ---- */

/* An event with room for n bytes of data, where `data` then is. */
static struct status_report *make(const struct question *q, size_t n, char **data)
{
    size_t size = q->head.n + n + strlen(TAIL);
    struct status_report *report = malloc(sizeof *report + size);
    if (!report)
        return NULL;
    *report = (struct status_report){.refs = 1, .n = size};
    *data = report->text + q->head.n;
    memcpy(report->text, q->head.p, q->head.n);
    memcpy(*data + n, TAIL, strlen(TAIL));
    return report;
}

static struct status_report *make_failure(const struct question *q, int error)
{
    char text[256], *data;
    struct out o = out_on(text, sizeof text);
    struct json j = json_on(&o);
    json_open(&j, NULL, '{');
    json_bool(&j, "ok", false);
    json_text(&j, "error", str_of(strerror(-error)));
    json_close(&j, '}');
    struct status_report *report = make(q, out_len(&o), &data);
    if (report)
        memcpy(data, text, out_len(&o));
    return report;
}

/* A line break would end the event's data. In JSON it can only stand where a blank can. */
static void join_lines(char *data, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (data[i] == '\n' || data[i] == '\r')
            data[i] = ' ';
}

static struct status_report *read_report(const struct question *q, int fd)
{
    struct stat st;
    char *data;
    if (fstat(fd, &st) < 0)
        return make_failure(q, -errno);
    if (st.st_size > REPORT_MAX)
        return make_failure(q, -EFBIG);
    size_t n = (size_t)st.st_size;
    struct status_report *report = make(q, n, &data);
    if (!report)
        return NULL;
    ssize_t got = pread(fd, data, n, 0);
    int error = got < 0 ? -errno : -EIO;
    if (got > 0 && (size_t)got == n) {
        join_lines(data, n);
        return report;
    }
    free(report);
    return make_failure(q, error);
}

static bool is_same(const struct status_report *a, const struct status_report *b)
{
    return b && a->n == b->n && memcmp(a->text, b->text, a->n) == 0;
}

/* Takes the report over. */
static void publish(struct question *q, struct status_report *report, struct green_cond *news)
{
    if (is_same(report, q->newest)) {
        status_report_release(report);
        return;
    }
    if (q->newest)
        status_report_release(q->newest);
    report->number = ++q->count;
    q->newest = report;
    green_cond_broadcast(news);
}

/* ---- questions ---- */

struct asker {
    struct question *question;
    struct green_cond *news;
};

/* An answer that took long may have cost much, or one of the workers has not given his. */
static nsec pause_after(nsec took)
{
    nsec pause = took * SHARE;
    return pause < PAUSE ? PAUSE : pause < PAUSE_MAX ? pause : PAUSE_MAX;
}

static int ask(void *arg)
{
    struct asker asker = *(struct asker *)arg;
    struct question *q = asker.question;
    nsec begun = clock_monotonic();
    free(arg);
    int fd = http_inspection.ask ? http_inspection.ask(q->line, nsec_add(green_now(), PATIENCE)) : -ENOTSUP;
    struct status_report *report = fd < 0 ? make_failure(q, fd) : read_report(q, fd);
    if (fd >= 0)
        close(fd);
    q->asking = false;
    q->due = fd == -ECANCELED ? 0 : nsec_add(green_now(), pause_after(clock_monotonic() - begun));
    if (report && fd != -ECANCELED)
        publish(q, report, asker.news);
    else
        free(report);
    return 0;
}

void status_report_ask(enum status_question question, struct green_scope *scope, struct green_cond *news)
{
    struct question *q = &questions[question];
    if (q->asking || green_now() < q->due)
        return;
    struct asker *asker = malloc(sizeof *asker);
    if (!asker)
        return;
    *asker = (struct asker){q, news};
    q->asking = true;
    int error = green_scope_go(scope, "status report", ask, asker);
    if (!error)
        return;
    log_limited(LOG_LEVEL_WARN, "status: no thread to ask the master: %s", strerror(-error));
    q->asking = false;
    free(asker);
}

struct status_report *status_report_get(enum status_question question, uint64_t known)
{
    struct status_report *report = questions[question].newest;
    if (!report || report->number == known)
        return NULL;
    report->refs++;
    return report;
}

void status_report_release(struct status_report *report)
{
    if (--report->refs == 0)
        free(report);
}

void status_reports_forget(void)
{
    for (size_t i = 0; i < STATUS_QUESTIONS; i++) {
        if (questions[i].newest)
            status_report_release(questions[i].newest);
        questions[i].newest = NULL;
        questions[i].due = 0;
    }
}
