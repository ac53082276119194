/* thread_verbs.c: see thread_verbs.h. */
#include "proc/thread_verbs.h"

#include <errno.h>
#include <stdlib.h>

#include "ctl/protocol.h"
#include "proc/reply.h"
#include "proc/threads.h"

enum { HEAD_ROOM = 1024, LINE_ROOM = 2 * CTL_LINE_MAX };

/* ---- threads ---- */

static void answer_threads(const struct inquiry *inquiry, struct control_request *request)
{
    char reason[LINE_ROOM];
    struct out why = out_on(reason, sizeof reason);
    struct thread_filter filter;
    struct threads threads;
    if (!thread_filter_read(request->argument, &filter, &why)) {
        control_refuse(request, CTL_CODE_USAGE, out_str(&why), NULL, 0);
        return;
    }
    if (threads_gather(&threads, inquiry, &(struct threads_choice){.sort = filter.sort}) < 0) {
        reply_without_memory(request);
        return;
    }
    size_t room = HEAD_ROOM + threads_room(&threads, filter.limit) + threads_silent_room(inquiry);
    char *text = malloc(room);
    if (text) {
        struct out o = out_on(text, room);
        struct json j = reply_begin(&o);
        threads_put(&threads, filter.limit, &j);
        json_u64(&j, "total", threads.total);
        threads_put_silent(inquiry, 0, &j);
        reply_finish(&j, request);
    } else {
        reply_without_memory(request);
    }
    free(text);
    threads_free(&threads);
}

void thread_verb_threads(void *server, struct control_request *request)
{
    char line[LINE_ROOM];
    struct out o = out_on(line, sizeof line);
    out_text(&o, "threads ");
    out_put(&o, request->argument);
    inquiry_start(server, request, &(struct inquiry_plan){.line = out_str(&o), .done = answer_threads});
}

/* ---- one of them ---- */

static const char no_worker[] = ": no worker has that process id";

static void tell_thread(const struct inquiry *inquiry, struct control_request *request)
{
    static const size_t room = HEAD_ROOM + 8 * (REPORT_TEXTS * REPORT_TEXT_MAX + REPORT_TRACE_MAX);
    struct threads threads;
    char *text = malloc(room);
    if (!text || threads_gather(&threads, inquiry, &(struct threads_choice){.sort = THREAD_SORT_AGE}) < 0) {
        free(text);
        reply_without_memory(request);
        return;
    }
    struct out o = out_on(text, room);
    struct json j = reply_begin(&o);
    threads_put(&threads, 1, &j);
    if (threads.count && threads.order[0]->entry.texts[REPORT_TRACE].n)
        reply_lines(&j, "trace", threads.order[0]->entry.texts[REPORT_TRACE]);
    reply_finish(&j, request);
    threads_free(&threads);
    free(text);
}

/* "`4711.52`..." */
static void refuse(struct control_request *request, const char *why)
{
    char text[LINE_ROOM];
    struct out o = out_on(text, sizeof text);
    out_char(&o, '`');
    out_put(&o, request->argument);
    out_char(&o, '`');
    out_put(&o, str_of(why));
    control_refuse(request, CTL_CODE_REFUSED, out_str(&o), NULL, 0);
}

/* NULL: the one worker that was asked has told what was asked for. */
static const char *why_not(const struct inquiry *inquiry)
{
    static const char *const outcomes[REPORT_OUTCOMES] = {
        [REPORT_NO_THREAD] = " lives no more",
        [REPORT_OWN] = " is the server's own",
        [REPORT_BUSY] = " can't be looked at now: all threads for blocking calls are busy",
    };
    const struct inquiry_reply *reply = inquiry->replies;
    if (inquiry->count == 0)
        return no_worker;
    if (reply->state == INQUIRY_SILENT)
        return " is of a worker that does not answer";
    if (reply->state == INQUIRY_GONE || (reply->report.head.outcome == REPORT_FINE && reply->report.count == 0))
        return " lives no more";
    return outcomes[reply->report.head.outcome];
}

static void answer_thread(const struct inquiry *inquiry, struct control_request *request)
{
    const char *why = why_not(inquiry);
    if (why)
        refuse(request, why);
    else
        tell_thread(inquiry, request);
}

static void ask_about(struct master *m, struct control_request *request)
{
    char line[LINE_ROOM], reason[LINE_ROOM];
    struct out o = out_on(line, sizeof line), why = out_on(reason, sizeof reason);
    struct thread_id id;
    if (!thread_id_read(request->argument, &id, &why) || id.pid > INT32_MAX) {
        refuse(request, no_worker);
        return;
    }
    out_put(&o, request->verb);
    out_char(&o, ' ');
    out_u64(&o, id.number);
    inquiry_start(m, request, &(struct inquiry_plan){.line = out_str(&o), .pid = (pid_t)id.pid, .done = answer_thread});
}

void thread_verb_stack(void *server, struct control_request *request)
{
    ask_about(server, request);
}

void thread_verb_kill(void *server, struct control_request *request)
{
    ask_about(server, request);
}

/* ---- drain ---- */

enum { OLDEST = 20 }; /* requests that are named of a generation */

static void put_left(const struct generation *g, const struct threads *threads, const struct inquiry *inquiry,
                     struct json *j)
{
    json_open(j, NULL, '{');
    json_u64(j, "generation", g->number);
    json_u64(j, "workers", children_running(g->children, g->count));
    json_u64(j, "connections", generation_connections(g));
    json_u64(j, "requests", threads->count);
    threads_put(threads, OLDEST, j);
    threads_put_silent(inquiry, g->number, j);
    json_close(j, '}');
}

static int put_generation(const struct generation *g, const struct inquiry *inquiry, struct json *j)
{
    struct threads threads;
    const struct threads_choice choice = {.generation = g->number, .requests = true};
    int error = threads_gather(&threads, inquiry, &choice);
    if (error)
        return error;
    put_left(g, &threads, inquiry, j);
    threads_free(&threads);
    return 0;
}

static void put_deadline(const struct master *m, struct json *j)
{
    nsec left = m->stop_at - clock_monotonic();
    json_u64(j, "connections", master_connections(m));
    json_u64(j, "deadline_s", left > 0 ? (uint64_t)((left + NSEC_SEC - 1) / NSEC_SEC) : 0);
}

/* One with threads of any size has room, and what is not used of it is no memory. */
static size_t drain_room(const struct master *m, const struct inquiry *inquiry)
{
    size_t room = HEAD_ROOM + threads_silent_room(inquiry);
    list_each (l, next, &m->generations)
        room += HEAD_ROOM + OLDEST * 8 * REPORT_TEXTS * REPORT_TEXT_MAX;
    return room;
}

static void answer_drain(const struct inquiry *inquiry, struct control_request *request)
{
    const struct master *m = inquiry->master;
    size_t room = drain_room(m, inquiry);
    char *text = malloc(room);
    int error = text ? 0 : -ENOMEM;
    struct out o = out_on(text, text ? room : 0);
    struct json j = reply_begin(&o);
    if (request->argument.n == 0)
        put_deadline(m, &j);
    json_open(&j, "left", '[');
    list_each (l, next, &m->generations) {
        const struct generation *g = container_of(l, struct generation, link);
        if (g->state == DRAINING && children_running(g->children, g->count) && !error)
            error = put_generation(g, inquiry, &j);
    }
    json_close(&j, ']');
    if (error)
        reply_without_memory(request);
    else
        reply_finish(&j, request);
    free(text);
}

void thread_verb_drain(void *server, struct control_request *request)
{
    if (request->argument.n == 0)
        master_stop(server, "asked to drain");
    inquiry_start(server, request,
                  &(struct inquiry_plan){.line = STR("threads"), .draining = true, .done = answer_drain});
}
