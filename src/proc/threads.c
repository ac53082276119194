/* threads.c: see threads.h. */
#include "proc/threads.h"

#include <errno.h>
#include <stdlib.h>

#include "proc/reply.h"

enum {
    NUMBERS_ROOM = 512, /* bytes of JSON of a thread without its texts */
    ESCAPED = 6,        /* bytes that one of a text takes at most */
    SILENT_ROOM = 64
};

/* ---- gathering ---- */

static bool is_chosen(const struct threads_choice *choice, const struct inquiry_reply *reply)
{
    return reply->state == INQUIRY_ANSWERED && reply->report.head.outcome == REPORT_FINE &&
           (!choice->generation || choice->generation == reply->generation);
}

static void gather_report(struct threads *threads, const struct inquiry_reply *reply,
                          const struct threads_choice *choice)
{
    struct report_entry entry;
    threads->total += reply->report.head.total;
    for (size_t at = 0; report_next(&reply->report, &at, &entry);) {
        if (choice->requests && entry.texts[REPORT_REQUEST].n == 0)
            continue;
        threads->all[threads->count] = (struct thread_listed){reply, entry};
        threads->order[threads->count] = &threads->all[threads->count];
        threads->count++;
    }
}

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static uint64_t amount_of(const struct thread_listed *listed, enum thread_sort sort)
{
    const struct report_thread *thread = &listed->entry.thread;
    if (sort == THREAD_SORT_AGE)
        return thread->since > 0 ? UINT64_MAX - (uint64_t)thread->since : 0;
    return sort == THREAD_SORT_STACK ? thread->depth : thread->running > 0 ? (uint64_t)thread->running : 0;
}

/* The largest first; of equal ones, that which was started first. */
static int compare(const void *a, const void *b, void *arg)
{
    const struct thread_listed *first = *(struct thread_listed *const *)a, *second = *(struct thread_listed *const *)b;
    enum thread_sort sort = *(const enum thread_sort *)arg;
    int order = compare_u64(amount_of(second, sort), amount_of(first, sort));
    return order ? order : compare_u64(first->entry.thread.number, second->entry.thread.number);
}

int threads_gather(struct threads *threads, const struct inquiry *inquiry, const struct threads_choice *choice)
{
    size_t room = 1;
    enum thread_sort sort = choice->sort;
    for (size_t i = 0; i < inquiry->count; i++)
        room += inquiry->replies[i].report.count;
    *threads =
        (struct threads){.all = calloc(room, sizeof *threads->all), .order = calloc(room, sizeof *threads->order)};
    if (!threads->all || !threads->order) {
        threads_free(threads);
        return -ENOMEM;
    }
    for (size_t i = 0; i < inquiry->count; i++)
        if (is_chosen(choice, &inquiry->replies[i]))
            gather_report(threads, &inquiry->replies[i], choice);
    qsort_r(threads->order, threads->count, sizeof *threads->order, compare, &sort);
    return 0;
}

void threads_free(struct threads *threads)
{
    free(threads->all);
    free(threads->order);
    *threads = (struct threads){.all = NULL};
}

/* ---- writing ---- */

static size_t shown(const struct threads *threads, uint64_t limit)
{
    return limit < threads->count ? (size_t)limit : threads->count;
}

size_t threads_room(const struct threads *threads, uint64_t limit)
{
    size_t room = 0;
    for (size_t i = 0; i < shown(threads, limit); i++) {
        room += NUMBERS_ROOM;
        for (size_t k = 0; k < REPORT_TRACE; k++)
            room += ESCAPED * threads->order[i]->entry.texts[k].n;
    }
    return room;
}

static uint64_t milliseconds(nsec from, nsec to)
{
    return from < to ? ((uint64_t)to - (uint64_t)from) / (uint64_t)NSEC_MS : 0;
}

static void put_state(struct json *j, const struct report_thread *thread, nsec now, struct str peer)
{
    static const char *const standings[] = {
        [GREEN_STANDS_READY] = "ready", [GREEN_STANDS_WAITING] = "waiting", [GREEN_STANDS_RUNNING] = "running"};
    json_text(j, "state", str_of(standings[thread->standing]));
    if (thread->standing == GREEN_STANDS_WAITING)
        json_text(j, "wait", str_of(green_wait_names[thread->wait]));
    if (thread->fd >= 0)
        json_u64(j, "fd", (uint64_t)thread->fd);
    reply_text(j, "peer", peer);
    if (thread->until != NSEC_NEVER)
        json_u64(j, "until_ms", milliseconds(now, thread->until));
    if (thread->since > 0)
        json_u64(j, "since_ms", milliseconds(thread->since, now));
}

static void put_thread(struct json *j, const struct thread_listed *listed)
{
    const struct report_thread *thread = &listed->entry.thread;
    const struct str *texts = listed->entry.texts;
    json_open(j, NULL, '{');
    reply_id(j, (uint64_t)listed->reply->pid, thread->number);
    json_u64(j, "worker", listed->reply->worker);
    json_u64(j, "generation", listed->reply->generation);
    json_text(j, "name", texts[REPORT_NAME]);
    put_state(j, thread, listed->reply->report.head.now, texts[REPORT_PEER]);
    reply_text(j, "handler", texts[REPORT_HANDLER]);
    reply_text(j, "route", texts[REPORT_ROUTE]);
    reply_text(j, "request", texts[REPORT_REQUEST]);
    if (thread->running > 0)
        json_u64(j, "cpu_us", (uint64_t)thread->running / 1000);
    json_u64(j, "stack", thread->depth);
    json_u64(j, "high_water", thread->high_water);
    if (thread->cancelled)
        json_bool(j, "cancelled", true);
    json_close(j, '}');
}

void threads_put(const struct threads *threads, uint64_t limit, struct json *j)
{
    json_open(j, "threads", '[');
    for (size_t i = 0; i < shown(threads, limit); i++)
        put_thread(j, threads->order[i]);
    json_close(j, ']');
}

/* ---- who has not answered ---- */

size_t threads_silent_room(const struct inquiry *inquiry)
{
    return (inquiry->count + 1) * SILENT_ROOM;
}

/* One that has answered that it can't is none the better for it. */
static bool is_silent(const struct inquiry_reply *reply)
{
    return reply->state == INQUIRY_SILENT ||
           (reply->state == INQUIRY_ANSWERED && reply->report.head.outcome != REPORT_FINE);
}

void threads_put_silent(const struct inquiry *inquiry, unsigned generation, struct json *j)
{
    json_open(j, "silent", '[');
    for (size_t i = 0; i < inquiry->count; i++) {
        const struct inquiry_reply *reply = &inquiry->replies[i];
        if (!is_silent(reply) || (generation && generation != reply->generation))
            continue;
        json_open(j, NULL, '{');
        json_u64(j, "worker", reply->worker);
        json_u64(j, "pid", (uint64_t)reply->pid);
        json_close(j, '}');
    }
    json_close(j, ']');
}
