/* status_events.c: see status_events.h.
 *
 * A stream may be watched for days: nothing in its loop takes memory of the request's arena.
 */
#include "handler/status_events.h"

#include <errno.h>

#include "handler/status.h"
#include "handler/status_report.h"
#include "handler/status_sample.h"
#include "http/inspect.h"

#define PERIOD NSEC_SEC

/* After how many milliseconds a browser comes back when the stream has ended. */
#define RETRY "retry: 1000\n\n"

struct viewer {
    struct exchange *x;
    struct green_scope asking;
    struct status_sampler sampler;
    uint64_t known[STATUS_QUESTIONS]; /* the reports that have been sent last */
    nsec next;                        /* sample */
};

/* Of this worker. */
static struct {
    size_t viewers;
    bool retiring;
    struct green_cond news; /* there is another report, or the worker retires */
} worker;

void status_retire(void)
{
    worker.retiring = true;
    if (worker.viewers)
        green_cond_broadcast(&worker.news);
}

/* ---- events ---- */

static int send_sample(struct viewer *v)
{
    nsec next = nsec_add(v->next, PERIOD);
    v->next = next > green_now() ? next : nsec_add(green_now(), PERIOD);
    for (enum status_question q = 0; q < STATUS_QUESTIONS; q++)
        status_report_ask(q, &v->asking, &worker.news);
    return http_content(v->x, status_sample(&v->sampler));
}

static int send_report(struct viewer *v, enum status_question question)
{
    struct status_report *report = status_report_get(question, v->known[question]);
    if (!report)
        return 0;
    v->known[question] = report->number;
    int error = http_content(v->x, (struct str){report->text, report->n});
    status_report_release(report);
    return error;
}

/* Whatever there is to be told, then a wait for more. */
static int tell(struct viewer *v)
{
    int error = green_now() >= v->next ? send_sample(v) : 0;
    for (enum status_question q = 0; q < STATUS_QUESTIONS && !error; q++)
        error = send_report(v, q);
    if (!error)
        error = http_flush(v->x);
    if (error || worker.retiring)
        return error;
    error = green_cond_wait(&worker.news, NULL, v->next);
    return error == -ETIMEDOUT ? 0 : error;
}

/* ---- the stream ---- */

static int send_head(struct exchange *x)
{
    x->as_is = true; /* a compressor would send more bytes, not fewer, being flushed each second */
    int error =
        http_head(x, 200, STR("Content-Type: text/event-stream\r\nCache-Control: no-store\r\n"), HTTP_LENGTH_UNKNOWN);
    return error ? error : http_content(x, STR(RETRY));
}

static int watch(struct viewer *v)
{
    green_scope_enter(&v->asking);
    int error = send_head(v->x);
    while (!error && !worker.retiring && !v->x->response.no_content)
        error = tell(v);
    green_scope_leave(&v->asking);
    return error ? error : http_end(v->x);
}

int status_events_send(struct exchange *x)
{
    struct viewer *v = arena_zalloc(&x->arena, sizeof *v);
    if (worker.viewers >= STATUS_VIEWERS) {
        x->reason = "as many watch the status page as may";
        return http_send_status(x, 503, STR("Retry-After: 10\r\n"));
    }
    if (!v || status_sampler_init(&v->sampler, &x->arena, http_inspection.board) < 0)
        return http_send_status(x, 503, STR(""));
    v->x = x;
    v->next = green_now();
    if (worker.viewers++ == 0)
        green_cond_init(&worker.news);
    int error = watch(v);
    if (--worker.viewers == 0)
        status_reports_forget();
    return error;
}
